import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { readCapture } from '../src/link/capture/capture-reader.ts'
import { withNetwork } from '../src/testing.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tungram-testing-'))
})
afterEach(() => {
  rmSync(directory, { recursive: true })
  vi.unstubAllEnvs()
})

describe('a test with a network', () => {
  test(
    'gets one of its own, also under a runner that hands over a context',
    withNetwork({ seed: 5 }, async (network) => {
      network.host('a')
      await network.runFor('1s')
      expect([network.seed, network.now]).toEqual([5, 1000])
    }),
  )

  test('fails when a socket is left open, and says which', async () => {
    const body = withNetwork({ seed: 5, directory }, async (network) => {
      network.host('a').dgram.createSocket('udp4').bind(9).unref()
      await network.run()
    })
    await expect(body({ name: 'leaky: test/1' })).rejects.toThrow(
      'The test left a socket open: udp 0.0.0.0 port 9 on a.',
    )
    expect(readdirSync(directory)).toEqual(['leaky-test-1-seed-5.pcapng'])
    const lenient = withNetwork({ directory, allowOpenSockets: true }, (network) => {
      network.host('a').dgram.createSocket('udp4').bind(9).unref()
    })
    await lenient()
  })

  test('leaves its packets behind when it fails, and the seed', async () => {
    const body = withNetwork({ directory }, async (network) => {
      const [a, b] = [network.host('a'), network.host('b')]
      network.connect(a, b)
      const socket = a.dgram.createSocket('udp4')
      socket.send('x', 9, 'b')
      await network.runFor('1s')
      socket.close()
      expect('got').toBe('not')
    })
    vi.stubEnv('TUNGRAM_SEED', '77')
    const error = await body({ task: { name: 'my test' } }).then(
      () => null,
      (error: Error) => error,
    )
    const file = join(directory, 'my-test-seed-77.pcapng')
    expect(error?.message).toContain("expected 'got' to be 'not'")
    expect(error?.message).toContain(`(network at 1000 ms; repeat with TUNGRAM_SEED=77; the packets are in ${file})`)
    expect([...readCapture(readFileSync(file))].map((frame) => frame.interface)).toEqual([
      'a.eth0',
      'b.eth0',
      'b.eth0',
      'a.eth0',
    ])
  })

  test('keeps every capture in its directory, whatever the seed and the name are, and overwrites none', async () => {
    const own = mkdtempSync(join(tmpdir(), 'tungram-names-'))
    const inner = join(own, 'failures')
    try {
      const seeds = ['/../../x', '../x', '..', '/etc/x', 'a/b', 'a b', '\x1b[31m', 'x'.repeat(5000), '', 7, '7', -7]
      const told: string[] = []
      for (const seed of seeds)
        for (const name of ['../../name', '/', 'same', 'same'])
          await withNetwork({ directory: inner, seed }, () => {
            throw new Error('no')
          })({ name }).catch((error: Error) => told.push(error.message))
      expect(readdirSync(own)).toEqual(['failures'])
      expect(readdirSync(inner)).toHaveLength(seeds.length * 4)
      const files = told.map((message) => /the packets are in (\S+)\)$/.exec(message)?.[1])
      expect(new Set(files).size).toBe(seeds.length * 4)
      for (const file of files) expect(dirname(file as string)).toBe(inner)
      expect(told.join('')).not.toContain('\x1b')
    } finally {
      rmSync(own, { recursive: true })
    }
  })

  test('has timers of the network when asked, and gives them back', async () => {
    const real = setTimeout
    await withNetwork({ installTimers: true }, async (network) => {
      await network.run(new Promise((resolve) => setTimeout(resolve, 60_000)))
      expect(network.now).toBe(60_000)
    })()
    expect(setTimeout).toBe(real)
  })
})
