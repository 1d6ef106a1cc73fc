/**
 * Which bound address may reach which destination, by which call and with which options, in all
 * combinations: errors, local and remote address, and what goes out or is delivered.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeOnTun } from '../tun/namespace.ts'
import { type BoundListed, boundListed } from './bound-listed.ts'
import { A, B, makeWorlds, run, type Trial } from './bound-world.ts'

const bound4 = [
  undefined,
  '0.0.0.0',
  '127.0.0.1',
  '127.0.0.2',
  '10.9.0.1',
  '10.8.0.1',
  '239.1.2.3',
  '224.0.0.1',
  '255.255.255.255',
  '10.9.0.255',
  '127.255.255.255',
  '10.9.0.0',
  '10.9.0.2',
  '203.0.113.9',
  '0.0.0.1',
  '::1',
]
const to4 = [
  '10.9.0.1',
  '10.8.0.1',
  '127.0.0.1',
  '127.0.0.2',
  '10.9.0.2',
  '10.8.0.2',
  '0.0.0.0',
  '0.0.0.1',
  '239.1.2.3',
  '224.0.0.1',
  '224.0.0.77',
  '255.255.255.255',
  '10.9.0.255',
  '10.8.0.255',
  '127.255.255.255',
  '10.9.0.0',
  '203.0.113.9',
  '240.0.0.1',
]
const mapped = (each: string | undefined) => `::ffff:${each}`
const native6 = [
  'fd09::1',
  'fd08::1',
  `fd09::1%${B}`,
  '::1',
  `::1%${A}`,
  'fe80::a',
  `fe80::a%${A}`,
  `fe80::a%${B}`,
  'fe80::a%nolink',
  `fe80::b%${B}`,
  'fe80::1',
  `fe80::1%${A}`,
  `fe80::1%${B}`,
  'fe80::1%lo',
  'fe80::1%2',
  '::',
  `::%${A}`,
  'ff05::5',
  `ff05::5%${A}`,
  'ff02::5',
  `ff02::5%${A}`,
  `ff02::5%${B}`,
  'ff02::5%nolink',
  'ff02::1%lo',
  'ff01::1',
  'ff01::1%lo',
  '2001:db8::9',
]
const bound6 = [undefined, ...native6, ...bound4.slice(1, -1).map(mapped)]
const to6 = [
  ...native6,
  'fd09::2',
  'fd08::2',
  `fd09::2%${B}`,
  'fe80::9',
  `fe80::9%${A}`,
  `fe80::9%${B}`,
  'fe80::9%lo',
  `ff02::1%${A}`,
  `ff01::1%${A}`,
  ...to4.map(mapped),
]
const source4 = [
  '0.0.0.0',
  '127.0.0.1',
  '127.0.0.2',
  '10.9.0.1',
  '10.8.0.1',
  '10.9.0.2',
  '239.1.2.3',
  '255.255.255.255',
  '10.9.0.255',
]
const source6 = [
  '::',
  '::1',
  'fd09::1',
  'fd08::1',
  'fd09::2',
  'fe80::a',
  `fe80::a%${A}`,
  `fe80::a%${B}`,
  `fe80::b%${B}`,
  'fe80::1',
  `fe80::1%${B}`,
  'ff02::5',
  ...source4.map(mapped),
]
/**
 * One bound address of each kind: those that datagrams with a source or an interface of their own
 * are sent from.
 */
const infoBound = [
  undefined,
  ...['0.0.0.0', '127.0.0.1', '10.9.0.1', '239.1.2.3', '10.9.0.255'].flatMap((each) => [each, mapped(each)]),
  ...['fd09::1', '::1', `fe80::a%${A}`, `ff02::5%${A}`],
]
/** What `setMulticastInterface` is given. */
const interfacesOf = { 4: ['10.8.0.1', '127.0.0.1', '0.0.0.0'], 6: [`::%${B}`, '::%lo', '::%', '10.8.0.1'] } as const
const isGroup = (to: string) => /^(::ffff:)?(22|23)|^ff/.test(to)
const isBroadcast = (to: string) => to.includes('255')

/**
 * The trials with one bound address; those with a source or an interface of the datagram's own are
 * a part of their own.
 */
function* trialsOf(family: 4 | 6, bound: string | undefined, ipv6Only: boolean, routed: boolean): Generator<Trial> {
  const calls = ['send', 'connect', 'connect, send', 'connect, disconnect, send'] as const
  const broadcast = bound !== undefined
  for (const to of family === 4 ? to4 : to6) {
    const common = { family, bound, ipv6Only, to, broadcast: false }
    for (const call of calls) yield { ...common, call }
    if (ipv6Only || !routed) continue
    for (const call of calls) {
      if (bound !== undefined && isBroadcast(to)) yield { ...common, call, broadcast: true }
      if (bound !== undefined && isGroup(to))
        for (const multicast of interfacesOf[family]) yield { ...common, call, multicast }
    }
    if (!infoBound.includes(bound)) continue
    for (const source of family === 4 ? source4 : source6) yield { ...common, call: 'send', source, broadcast }
    for (const nic of [A, B, 'lo']) yield { ...common, call: 'send', interface: nic, broadcast }
  }
}

/** Where two hosts' steps part, or -1. */
function partingOf(expected: readonly string[], actual: readonly string[]): number {
  for (let at = 0; at < Math.max(expected.length, actual.length); at++) if (expected[at] !== actual[at]) return at
  return -1
}

describeOnTun('the kernel and the stack, by bound address, destination and call,', () => {
  const { kernel, stack, setDefaultRoutes, close } = makeWorlds()
  const seen = new Set<BoundListed>()
  afterAll(close)

  describe.each([false, true])('with default routes (%s), treat alike', (routed) => {
    beforeAll(() => setDefaultRoutes(routed))

    const rows = [
      ...bound4.map((bound) => [4, bound, false] as const),
      ...bound6.map((bound) => [6, bound, false] as const),
      ...(routed ? bound6.map((bound) => [6, bound, true] as const) : []),
    ]
    test.each(rows)(
      'a udp%i socket bound to %s, for IPv6 only: %s',
      { timeout: 120_000 },
      async (family, bound, ipv6Only) => {
        const differences: string[] = []
        let count = 0
        for (const trial of trialsOf(family, bound, ipv6Only, routed)) {
          count++
          const expected = await run(kernel, trial)
          const actual = await run(stack, trial)
          const at = partingOf(expected, actual)
          if (at < 0) continue
          const reason = boundListed.find(({ explains }) => explains(trial, expected[at] ?? '', actual[at] ?? ''))
          if (reason !== undefined) seen.add(reason)
          else
            differences.push(
              `${JSON.stringify(trial)}\n  kernel: ${expected.join('; ')}\n  stack:  ${actual.join('; ')}`,
            )
        }
        expect(count).toBeGreaterThan(60)
        if (differences.length > 0)
          expect.fail(`${differences.length} of ${count} differ:\n${differences.slice(0, 5).join('\n')}`)
      },
    )
  })

  test.each(boundListed)('but: $what ($why)', (row) => {
    // Before Linux 6.18 the first one is no difference.
    if (row !== boundListed[0]) expect(seen.has(row)).toBe(true)
  })
})
