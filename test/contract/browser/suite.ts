/** The contract in a page: `runContract()` gives what each case came to. */
import './globals.ts'

import { binding } from '../bind.ts'
import { closing } from '../close.ts'
import { connecting } from '../connect.ts'
import { creating } from '../create.ts'
import { environments } from '../environment.ts'
import { multicast } from '../multicast.ts'
import { options } from '../options.ts'
import { receiving } from '../receive.ts'
import { sending } from '../send.ts'
import { synchronous } from '../sync.ts'
import { addImmediate } from './globals.ts'
import { describe, type Result, runAll } from './vitest.ts'

addImmediate()
const environment = environments.find(({ name }) => name === 'tungram')
if (environment === undefined) throw new Error('There is no environment with the name tungram.')
describe('createSocket', () => creating(environment))
describe('bind', () => binding(environment))
describe('send', () => sending(environment))
describe('message', () => receiving(environment))
describe('connect', () => connecting(environment))
describe('bindSync and connectSync', () => synchronous(environment))
describe('close', () => closing(environment))
describe('options', () => options(environment))
describe('groups', () => multicast(environment))

Object.assign(globalThis, { runContract: (): Promise<Result[]> => runAll() })
