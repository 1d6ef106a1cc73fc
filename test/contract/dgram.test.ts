/**
 * One suite over node:dgram on the kernel and over tungram: what differs is listed in
 * docs/node-dgram.md.
 */
import { describe } from 'vitest'
import { binding } from './bind.ts'
import { closing } from './close.ts'
import { connecting } from './connect.ts'
import { creating } from './create.ts'
import { environments } from './environment.ts'
import { multicast } from './multicast.ts'
import { options } from './options.ts'
import { receiving } from './receive.ts'
import { sending } from './send.ts'
import { synchronous } from './sync.ts'

for (const environment of environments) {
  describe(environment.name, () => {
    describe('createSocket', () => creating(environment))
    describe('bind', () => binding(environment))
    describe('send', () => sending(environment))
    describe('message', () => receiving(environment))
    describe('connect', () => connecting(environment))
    describe('bindSync and connectSync', () => synchronous(environment))
    describe('close', () => closing(environment))
    describe('options', () => options(environment))
    describe('groups', () => multicast(environment))
  })
}
