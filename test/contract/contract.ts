/** The contract of node:dgram, part by part, for one environment. */
import { describe } from 'vitest'
import { binding } from './bind.ts'
import { closing } from './close.ts'
import { connecting } from './connect.ts'
import { creating } from './create.ts'
import type { Environment } from './environment.ts'
import { multicast } from './multicast.ts'
import { options } from './options.ts'
import { receiving } from './receive.ts'
import { sending } from './send.ts'
import { synchronous } from './sync.ts'

export function contract(environment: Environment): void {
  describe('createSocket', () => creating(environment))
  describe('bind', () => binding(environment))
  describe('send', () => sending(environment))
  describe('message', () => receiving(environment))
  describe('connect', () => connecting(environment))
  describe('bindSync and connectSync', () => synchronous(environment))
  describe('close', () => closing(environment))
  describe('options', () => options(environment))
  describe('groups', () => multicast(environment))
}
