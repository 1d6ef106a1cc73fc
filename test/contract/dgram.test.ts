/**
 * One suite over node:dgram on the kernel and over tungram: what differs is listed in
 * docs/node-dgram.md.
 */
import { describe } from 'vitest'
import { contract } from './contract.ts'
import { environments } from './environment.ts'

for (const environment of environments) describe(environment.name, () => contract(environment))
