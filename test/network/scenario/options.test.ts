/**
 * What the library's calls are given is checked, and each message tells the option, what was given,
 * what is allowed, and whose it is.
 */
import { expect, test } from 'vitest'
import { Segment } from '../../../src/link/segment.ts'
import { Network } from '../../../src/network/network.ts'
import { Stack } from '../../../src/stack.ts'

const UNKNOWN = 'unknown key'

/** Every call with options: each is given `options` in place of its own. */
const calls: Record<string, (network: Network, options: never) => unknown> = {
  'new Network': (_, options) => new Network(options),
  host: (network, options) => network.host('h', options),
  router: (network, options) => network.router('h', options),
  switch: (network, options) => network.switch('h', options),
  segment: (network, options) => network.segment('h', options),
  connect: (network, options) => network.connect('a', 'b', options),
  'connect forward': (network, options) => network.connect('a', 'b', { forward: options }),
  'connect back': (network, options) => network.connect('a', 'b', { back: options }),
  impair: (network, options) => network.cable('a', 'r').impair(options),
  filter: (network, options) => network.filter('r', options),
  nat: (network, options) => network.nat('r', options),
  capture: (network, options) => network.capture(() => {}, options),
  replay: (network, options) => network.replay('a', new Uint8Array(0), options),
  attach: (network, options) => network.attach(new Segment({ name: 'outside' }).link(), options),
}

function make(): Network {
  const network = new Network({ seed: 1 })
  network.host('a')
  network.host('b')
  network.router('r')
  network.connect('a', 'r')
  return network
}

function thrown(call: string, options: unknown): Error {
  const network = make()
  try {
    calls[call]?.(network, options as never)
  } catch (error) {
    return error as Error
  } finally {
    network.close()
  }
  throw new Error(`${call} takes ${String(options)}`)
}

test.each(Object.keys(calls))('%s refuses an unknown option and options that are none', (call) => {
  const error = thrown(call, { clolor: 1 })
  expect(error).toBeInstanceOf(TypeError)
  expect(error.message).toContain('clolor: unknown key; there are ')
  expect(thrown(call, 'fast')).toBeInstanceOf(TypeError)
  // `null` ends a filter.
  if (call !== 'filter') expect(thrown(call, null)).toBeInstanceOf(TypeError)
})

test.each([
  [
    'new Network',
    { lineage: -1 },
    RangeError,
    'lineage: -1 is below 0; expected 0 or more datagrams to be remembered (new Network).',
  ],
  ['new Network', { lineage: '9' }, TypeError, 'lineage: "9" does not belong here; expected 0 or more datagrams'],
  [
    'new Network',
    { seeds: 1 },
    TypeError,
    `seeds: ${UNKNOWN}, did you mean seed?; there are seed, clock, lineage (new Network).`,
  ],
  [
    'host',
    { hopLimit: 0 },
    RangeError,
    'hopLimit: 0 is below 1; expected TTL and hop limit of what is sent, 1 to 255 (host h).',
  ],
  ['host', { hoplimit: 9 }, TypeError, `hoplimit: ${UNKNOWN}, did you mean hopLimit?`],
  ['host', { icmpRateLimit: -1 }, RangeError, 'icmpRateLimit: -1 is below 0; expected ICMP errors per second'],
  ['host', { icmpRateLimit: true }, TypeError, 'icmpRateLimit: true does not belong here'],
  ['host', { forwarding: true }, TypeError, `forwarding: ${UNKNOWN}`],
  [
    'router',
    { reversePath: 'strong' },
    TypeError,
    'reversePath: "strong" is not allowed; there are off, loose, strict (router h).',
  ],
  ['router', { strongHost: 1 }, TypeError, 'strongHost: 1 is not a boolean'],
  [
    'host',
    { identification: 'chance' },
    TypeError,
    'identification: "chance" is not allowed; there are counter, random (host h).',
  ],
  ['router', { reassemblyMemory: -1 }, RangeError, 'reassemblyMemory: -1 is below 0'],
  [
    'segment',
    { mtu: 67 },
    RangeError,
    'mtu: 67 is below 68; expected an MTU: bytes of IP packet, 68 to 65535 (segment h).',
  ],
  ['segment', { mtu: 1500.5 }, TypeError, 'mtu: 1500.5 is not a whole number'],
  ['switch', { mtu: 1500 }, TypeError, `mtu: ${UNKNOWN}; there are subnet, cost, snooping (switch h).`],
  ['switch', { cost: 0 }, RangeError, 'cost: 0 is not above 0'],
  [
    'connect',
    { mtu: '1500' },
    TypeError,
    'mtu: "1500" is not a whole number; expected an MTU: bytes of IP packet, 68 to 65535 (cable a-b).',
  ],
  ['connect', { rate: -5 }, RangeError, 'rate: -5 is not above 0; expected bits per second above 0'],
  ['connect', { rate: Number.NaN }, TypeError, 'rate: NaN does not belong here'],
  ['connect', { dealy: 5 }, TypeError, `dealy: ${UNKNOWN}, did you mean delay?`],
  ['connect', { delay: -5 }, RangeError, 'delay: -5 is below 0'],
  ['connect', { loss: 1.5 }, RangeError, 'loss: 1.5 is above 1'],
  ['connect', { loss: 5n }, TypeError, 'loss: 5 does not belong here'],
  [
    'connect',
    { loss: { gilbertElliott: { toBad: 2, toGood: 1 } } },
    RangeError,
    'loss.gilbertElliott.toBad: 2 is above 1',
  ],
  ['connect', { medium: 'ether' }, TypeError, 'medium: "ether" is not allowed; there are ip, ethernet'],
  ['connect', { forward: { mtu: 10 } }, RangeError, 'forward.mtu: 10 is below 68'],
  ['connect', { addresses: { a: 7 } }, TypeError, 'addresses.a: 7 does not belong here'],
  ['connect', { mtu: () => 9 }, TypeError, 'mtu: a function is not a whole number'],
  [
    'impair',
    { keepOrder: 'no' },
    TypeError,
    'keepOrder: "no" is not a boolean; expected false lets jitter reorder (cable a-r).',
  ],
  [
    'filter',
    { icmp: -1 },
    RangeError,
    'icmp: -1 is below 0; expected ICMP messages per second that pass, 0 or more (filter of r).',
  ],
  [
    'filter',
    { drop: 'all' },
    TypeError,
    'drop: "all" does not belong here; expected a function: whether to discard a packet (filter of r).',
  ],
  ['nat', {}, TypeError, "'outside' is missing (NAT of r)."],
  ['nat', { outside: 'a', timeout: -1 }, RangeError, 'timeout: -1 is below 0'],
  ['capture', { of: 'a' }, TypeError, 'of: "a" is not an array; expected names of nodes or cables (capture).'],
  ['attach', { to: 'r' }, TypeError, "'addresses' is missing (link outside"],
])('%s with %o', (call, options, kind, message) => {
  const error = thrown(call, options)
  expect(error.message).toContain(message)
  expect(error).toBeInstanceOf(kind)
})

test('functions, undefined and what a program may leave out are taken', () => {
  const network = make()
  network.host('c', { hopLimit: undefined as never, dad: false })
  network.connect('b', 'r', {
    loss: () => false,
    delay: () => 3,
    forward: { rate: (_length, start) => start + 1 },
    mtu: undefined as never,
  })
  network.filter('r', { drop: () => false })
  network.filter('r', null)
  network.close()
  new Network({ lineage: Number.POSITIVE_INFINITY }).close()
})

test('what is no name is none', () => {
  const network = make()
  expect(() => network.host(7 as never)).toThrow("'7' is no name for a node")
  network.close()
})

test.each([
  ['hopLimit', [0, 1, 255, 256, 1.5]],
  ['icmpRateLimit', [-1, 0, 5]],
  ['icmpRateLimitPerDestination', [0, 0.1, 5]],
  ['gcThresh3', [0, 1]],
])('a stack takes the same numbers for %s as a network', (name, values) => {
  const network = new Network({ seed: 1 })
  const limits = { gcThresh1: 0, gcThresh2: 0 }
  const taken = (make: (options: object) => unknown) =>
    values.map((value) => {
      try {
        make(name === 'gcThresh3' ? { neighborLimits: { ...limits, [name]: value } } : { [name]: value })
        return true
      } catch {
        return false
      }
    })
  let hosts = 0
  const ofNetwork = taken((options) => network.host(`h${hosts++}`, options))
  expect(ofNetwork).toEqual(taken((options) => new Stack(options).close()))
  expect(new Set(ofNetwork).size).toBe(2)
  network.close()
})
