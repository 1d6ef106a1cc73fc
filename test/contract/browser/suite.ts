/** The contract in a page: `runContract()` gives what each case came to. */
import './globals.ts'

import { contract } from '../contract.ts'
import { environments } from '../environment.ts'
import { addImmediate } from './globals.ts'
import { type Result, runAll } from './vitest.ts'

addImmediate()
const environment = environments.find(({ name }) => name === 'tungram')
if (environment === undefined) throw new Error('There is no environment with the name tungram.')
contract(environment)

Object.assign(globalThis, { runContract: (): Promise<Result[]> => runAll() })
