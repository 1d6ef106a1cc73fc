import { readdirSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { expect, test } from 'vitest'
import { RawSocket } from '../../src/namespaces/raw-socket.ts'
import { warmUp } from '../../src/namespaces/warm-up.ts'
import { describeOnTun } from '../tun/namespace.ts'

describeOnTun('what is done before time begins', () => {
  test('packets of no use leave nothing behind: no descriptor, no interface, no timer', async () => {
    const descriptors = () => readdirSync('/proc/self/fd').length
    // What is loaded once stays.
    await warmUp(10)
    const before = { descriptors: descriptors(), interfaces: Object.keys(networkInterfaces()) }
    await warmUp(10)
    expect({ descriptors: descriptors(), interfaces: Object.keys(networkInterfaces()) }).toEqual(before)
  })

  test('a raw socket sends to an address and hears from it', async () => {
    for (const [family, address, request] of [
      [4, '127.0.0.1', [8, 0, 0xf7, 0xff]],
      [6, '::1', [128, 0, 0, 0]],
    ] as const) {
      const socket = new RawSocket(family, address)
      expect(socket.receive()).toBe(false)
      socket.send(Uint8Array.from([...request, 0, 0, 0, 0]))
      await expect.poll(() => socket.receive()).toBe(true)
      socket.close()
    }
  })
})
