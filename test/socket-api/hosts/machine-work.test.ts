/** Simulated time waits for files and keys of programs on hosts. */
import crypto from 'node:crypto'
import dgram from 'node:dgram'
import { once } from 'node:events'
import fs from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Network } from '../../../src/network-node.ts'
import { machineWork } from '../../../src/socket-api/hosts/machine-work.ts'
import type { Stack } from '../../../src/stack.ts'

const own = new URL(import.meta.url).pathname

describe('simulated time waits', () => {
  let network: Network
  let a: Stack
  let b: Stack
  beforeEach(() => {
    network = new Network({ seed: 1 })
    a = network.host('a')
    b = network.host('b')
    network.connect(a, b, { delay: 10 })
  })
  afterEach(() => network.close())

  const works: Record<string, () => Promise<unknown>> = {
    'a file, by a promise': () => readFile(own),
    'a file, by a callback': () => promisify(fs.readFile)(own),
    'a stream of a file': () => fs.createReadStream(own, { highWaterMark: 500 }).toArray(),
    'a handle': async () => {
      const handle = await open(own)
      await handle.read()
      await handle.close()
    },
    'many files at once': () => Promise.all(Array.from({ length: 20 }, () => readFile(own))),
    'a key pair': () => promisify(crypto.generateKeyPair)('rsa', { modulusLength: 2048 }),
    'a key pair of Web Crypto': () =>
      crypto.webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign']),
    'a key from a password': () => promisify(crypto.scrypt)('password', 'salt', 32),
    'a digest': () => crypto.webcrypto.subtle.digest('SHA-256', new Uint8Array(1 << 20)),
    'random bytes': () => promisify(crypto.randomBytes)(1 << 20),
  }

  test.each(Object.keys(works))('for %s that a host makes between a question and its answer', async (name) => {
    b.run(() => {
      const service = dgram.createSocket('udp4').bind(7)
      service.on('message', async (message, { port, address }) => {
        await works[name]?.()
        service.send(message, port, address, () => service.close())
      })
    })
    const asked = a.run(async () => {
      const socket = dgram.createSocket('udp4')
      socket.send('question', 7, 'b')
      // A time-out that comes first unless time stands still.
      network.at(25, () => socket.emit('error', new Error('too late')))
      const [message] = await once(socket, 'message')
      socket.close()
      return `${message}`
    })
    expect(await network.run(asked)).toBe('question')
    expect(network.now).toBe(20)
  })

  test('for what was begun before it moved, and with nothing else to happen', async () => {
    const read = a.run(async () => (await readFile(own, 'utf8')).length)
    expect(await network.run(read)).toBeGreaterThan(1000)
    expect(network.now).toBe(0)
  })

  test('for code on no host while its timers are installed', async () => {
    network.installTimers()
    const done = (async () => {
      await sleep(5)
      await works['a key pair']?.()
      await sleep(5)
    })()
    await network.run(done)
    expect(network.now).toBe(10)
  })

  test('not for what was done at once, nor when no program is on it any more', async () => {
    a.run(() => {
      crypto.randomBytes(4)
      crypto.generateKeyPairSync('ed25519')
      fs.readFileSync(own)
    })
    expect(machineWork()).toBeNull()
    a.run(() => fs.readFile(own, () => {}))
    const waits = machineWork()
    expect(waits).not.toBeNull()
    network.close()
    await waits
    expect(machineWork()).toBeNull()
    fs.readFile(own, () => {})
    expect(machineWork()).toBeNull()
  })
})
