/** One suite over node:dgram on the kernel and over tungram: what differs is listed in docs/node-dgram.md. */
import { describe } from 'vitest'
import { binding } from './bind.ts'
import { creating } from './create.ts'
import { environments } from './environment.ts'

import { sending } from './send.ts'

for (const environment of environments) {
  describe(environment.name, () => {
    describe('createSocket', () => creating(environment))
    describe('bind', () => binding(environment))
    describe('send', () => sending(environment))
  })
}
