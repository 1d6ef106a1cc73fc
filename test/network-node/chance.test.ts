import crypto, { randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Network } from '../../src/network-node.ts'
import { testWith } from '../skips.ts'

/** As a package has them that was loaded before. */
const { webcrypto } = crypto
// Node makes it at its first use.
void crypto.pseudoRandomBytes
const before = {
  random: Math.random,
  node: Object.getOwnPropertyDescriptors(crypto),
  web: Object.getOwnPropertyDescriptors(Object.getPrototypeOf(webcrypto)),
}

/** All ways to draw that end at once; each as a text. */
function draws(): Record<string, string> {
  const filled = new Uint16Array(4)
  crypto.randomFillSync(filled, 1, 2)
  return {
    'Math.random': `${Math.random()}`,
    randomBytes: crypto.randomBytes(7).toString('hex'),
    'randomBytes, imported': randomBytes(7).toString('hex'),
    pseudoRandomBytes: crypto.pseudoRandomBytes(7).toString('hex'),
    randomInt: `${crypto.randomInt(1e9)}`,
    'randomInt of a range': `${crypto.randomInt(-(2 ** 46), 2 ** 46)}`,
    randomUUID: crypto.randomUUID(),
    randomFillSync: `${filled}`,
    'randomFillSync of a buffer': `${new Uint8Array(crypto.randomFillSync(new ArrayBuffer(5) as never) as never)}`,
    'getRandomValues of node:crypto': `${crypto.getRandomValues(new Uint8Array(5))}`,
    'getRandomValues of webcrypto': `${webcrypto.getRandomValues(new Uint32Array(2))}`,
    'getRandomValues of the globals': `${globalThis.crypto.getRandomValues(new Uint8Array(5))}`,
    'randomUUID of the globals': globalThis.crypto.randomUUID(),
  }
}

describe('chance from the seed', () => {
  let network: Network
  beforeEach(() => {
    network = new Network({ seed: 'chance' })
  })
  afterEach(() => network.close())

  /** What is drawn while it is the network's. */
  function drawn(options: { random?: boolean } = { random: true }, on = new Network({ seed: 'chance' })) {
    const restore = on.installTimers(options)
    try {
      return draws()
    } finally {
      restore()
    }
  }

  test('every way to draw gives the same for the same seed, and something else for another', () => {
    const first = drawn()
    expect(drawn()).toEqual(first)
    const other = drawn({ random: true }, new Network({ seed: 'other' }))
    for (const [name, value] of Object.entries(first)) expect({ name, value: other[name] }).not.toEqual({ name, value })
    for (const name of ['randomUUID', 'randomUUID of the globals'])
      expect(first[name]).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
  })

  test('nothing is drawn from the seed unless it is asked for', () => {
    for (const options of [{}, { random: false }]) {
      const first = drawn(options)
      for (const [name, value] of Object.entries(drawn(options)))
        expect({ name, value }).not.toEqual({ name, value: first[name] })
    }
    // Nor was anything put in place.
    const restore = network.installTimers()
    expect(Math.random).toBe(before.random)
    expect(Object.getOwnPropertyDescriptors(crypto)).toEqual(before.node)
    restore()
  })

  test('all is put back, and goes on where it was when it is installed again', () => {
    const first = drawn({ random: true }, network)
    expect(Math.random).toBe(before.random)
    expect(crypto.randomBytes).toBe(before.node.randomBytes.value)
    expect(randomBytes).toBe(before.node.randomBytes.value)
    expect(Object.getOwnPropertyDescriptors(Object.getPrototypeOf(webcrypto))).toEqual(before.web)
    expect(drawn({ random: true }, network)).not.toEqual(first)
    network.installTimers({ random: true })
    network.close()
    expect(Math.random).toBe(before.random)
  })

  test("what was put on top meanwhile stays, and is not the network's any more", () => {
    const restore = network.installTimers({ random: true })
    const ours = Math.random
    Math.random = () => ours() / 2
    restore()
    try {
      const [a, b] = [Math.random(), Math.random()]
      expect(Math.max(a, b)).toBeLessThan(0.5)
      const again = new Network({ seed: 'chance' })
      const undo = again.installTimers({ random: true })
      undo()
      expect([Math.random(), Math.random()]).not.toEqual([a, b])
    } finally {
      Math.random = before.random
    }
  })

  test('functions with a callback call it later, with what was drawn at the call', async () => {
    const restore = network.installTimers({ random: true })
    const order: string[] = []
    const bytes = promisify(crypto.randomBytes)(3).then((value) => order.push(value.toString('hex')))
    const whole = promisify(
      crypto.randomInt as (most: number, done: (error: Error | null, value: number) => void) => void,
    )
    const number = whole(1000).then((value) => order.push(`${value}`))
    const fill = new Promise<void>((resolve) =>
      crypto.randomFill(new Uint8Array(4), 2, (_error, value) => {
        order.push(`${value}`)
        resolve()
      }),
    )
    expect(order).toEqual([])
    await Promise.all([bytes, number, fill])
    restore()
    const again = new Network({ seed: 'chance' })
    const undo = again.installTimers({ random: true })
    const expected = [crypto.randomBytes(3).toString('hex'), `${crypto.randomInt(1000)}`]
    expected.push(`${crypto.randomFillSync(new Uint8Array(4), 2)}`)
    undo()
    expect([...order].sort()).toEqual(expected.sort())
    expect(expected.some((each) => each.startsWith('0,0,'))).toBe(true)
  })

  test('a host draws the same whatever other hosts draw', () => {
    const [a, b] = [network.host('a'), network.host('b')]
    network.installTimers({ random: true })
    for (let i = 0; i < 100; i++) b.run(() => Math.random())
    const own = [a.run(draws), draws()]
    expect(own[0]).not.toEqual(own[1])
    network.close()
    network = new Network({ seed: 'chance' })
    const same = network.host('a')
    network.installTimers({ random: true })
    expect([same.run(draws), draws()]).toEqual(own)
  })

  test('numbers stay within their bounds and reach all of them', () => {
    network.installTimers({ random: true })
    const seen = new Set(Array.from({ length: 300 }, () => crypto.randomInt(-2, 3)))
    expect([...seen].sort((a, b) => a - b)).toEqual([-2, -1, 0, 1, 2])
    const far = Array.from({ length: 300 }, () => crypto.randomInt(2 ** 48 - 1))
    expect(Math.max(...far)).toBeGreaterThan(2 ** 47)
    expect(Math.min(...far)).toBeLessThan(2 ** 46)
    const floats = Array.from({ length: 1000 }, Math.random)
    expect(Math.min(...floats)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...floats)).toBeLessThan(1)
    expect(floats.reduce((sum, each) => sum + each) / 1000).toBeCloseTo(0.5, 1)
    // 53 bits.
    expect(floats.some((each) => (each * 2 ** 40) % 1 !== 0)).toBe(true)
  })

  test('what Node refuses is refused in its words', () => {
    const attempts: (() => unknown)[] = [
      () => crypto.randomBytes(-1),
      () => crypto.randomBytes(4, 'no function' as never),
      () => crypto.randomInt(5, 5),
      () => crypto.randomInt(1.5),
      () => crypto.randomUUID('x' as never),
      () => crypto.randomFillSync('text' as never),
      () => crypto.randomFillSync(new Uint8Array(4), 5),
      () => crypto.randomFill(new Uint8Array(4), undefined as never),
      () => webcrypto.getRandomValues(new Float64Array(1) as never),
      () => webcrypto.getRandomValues(new Uint8Array(65_537)),
      () => (webcrypto.getRandomValues as (array: Uint8Array) => void).call({}, new Uint8Array(1)),
    ]
    const errors = () =>
      attempts.map((attempt) => {
        try {
          return `gave ${attempt()}`
        } catch (error) {
          return `${(error as NodeJS.ErrnoException).code} ${(error as Error).message}`
        }
      })
    const real = errors()
    expect(real.filter((each) => each.startsWith('gave'))).toEqual([])
    network.installTimers({ random: true })
    expect(errors()).toEqual(real)
  })

  testWith(
    'randomUUIDv7' in crypto,
    'Node 24',
    '',
  )("newer UUIDs have the network's time in front", () => {
    const { randomUUIDv7 } = crypto as unknown as { randomUUIDv7(): string }
    expect(randomUUIDv7()).not.toBe('')
    network.installTimers({ random: true })
    const made = (crypto as unknown as { randomUUIDv7(): string }).randomUUIDv7()
    expect(Number.parseInt(made.replace('-', '').slice(0, 12), 16)).toBe(Date.now())
    expect(made[14]).toBe('7')
  })

  test('unknown options are refused', () => {
    expect(() => network.installTimers({ chance: true } as never)).toThrow(/chance.*installTimers/)
    expect(() => network.installTimers({ random: 1 } as never)).toThrow(/random.*true or false/)
    // Which installs nothing.
    network.installTimers()
  })
})
