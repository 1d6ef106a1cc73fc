import { afterAll, describe, expect, test } from 'vitest'
import { SeededRandom } from '../../src/base/random.ts'
import { describeOnTun } from '../tun/namespace.ts'
import { difference, run } from './compare.ts'
import { HASTE, ip } from './kernel-host.ts'
import { comparableTransit, type Listed, listedOfRouters, listedOfRoutersAlone } from './listed.ts'
import { BOTH_SIDES, Traffic } from './mutations.ts'
import { type Bytes, type Ip4, icmp, ip4, ip6, options, pattern, u8, u32, udp } from './raw-ip.ts'
import {
  CLOSED_PORT,
  CONNECTED_PORT,
  HOST4,
  HOST6,
  makeRouters,
  OUTSIDE_PEER4,
  OUTSIDE_PEER6,
  PEER_PORT,
  PEER4,
  PEER6,
} from './world.ts'

/**
 * As for hosts: `TUNGRAM_DIFFERENTIAL=50000 npx vitest run test/differential/routers` for a long
 * run.
 */
const TRIALS = Number(process.env.TUNGRAM_DIFFERENTIAL ?? 40_000)
/**
 * Sequences before identifications come again: then both routers are new, and the kernel has
 * forgotten the fragments that it had.
 */
const ROUTERS_LIVE = 60_000
const SEED = process.env.TUNGRAM_SEED ?? '1'

describeOnTun('the kernel and the stack, as routers, treat alike', () => {
  let { kernel, stack } = makeRouters()
  afterAll(() => {
    kernel.close()
    stack.close()
  })

  test('packets that have no route, or one that says why', () => {
    const kinds = ['unreachable', 'prohibit', 'blackhole'] as const
    const nowhere = {
      unreachable: ['10.6.0.1', 'fd16::1'],
      prohibit: ['10.5.0.1', 'fd15::1'],
      blackhole: ['10.4.0.1', 'fd14::1'],
    }
    const prefix = (to: string) => (to.includes('.') ? `${to.slice(0, -3)}0.0/16` : `${to.slice(0, -1)}/64`)
    const each = kinds.flatMap((kind) => nowhere[kind].map((to) => [kind, prefix(to)] as const))
    ip('route', 'del', 'default')
    for (const route of stack.stack.ip.routes.list()) if (route.prefix.length === 0) stack.stack.removeRoute(route)
    for (const [kind, to] of each) ip('route', 'add', kind, to)
    const added = each.flatMap(([kind, to]) => stack.stack.addRoute({ to, kind }))
    const targets = ['10.7.0.1', 'fd17::1', ...kinds.flatMap((kind) => nowhere[kind])]
    const said = new Set<string>()
    // A source for each packet: the kernel sends five of these errors at once to one (ip_error).
    try {
      for (let count = 0; count < 60; count++)
        for (const [at, to] of targets.entries()) {
          const four = to.includes('.')
          // Targets come in pairs of both families.
          const host = 4 + (at >> 1) * 60 + count
          const from = four ? `10.9.0.${host}` : `fd09::${host}`
          const payload = udp({ from, to, payload: pattern(count * 16) })
          const packet = four
            ? ip4({ source: from, destination: to, ttl: count % 3, payload })
            : ip6({ source: from, destination: to, payload })
          expect(difference(kernel, stack, [packet], new Set(), [])).toBe('')
          for (const error of run(stack, packet).sent) said.add(`${to} ${error.split(' ')[1]?.slice(0, 4)}`)
        }
    } finally {
      for (const [kind, to] of each) ip('route', 'del', kind, to)
      for (const route of added) stack.stack.removeRoute(route)
      ip('route', 'add', 'default', 'via', OUTSIDE_PEER4, 'dev', 'diff1')
      stack.stack.addRoute({ to: '0.0.0.0/0', via: OUTSIDE_PEER4 })
    }
    expect([...said].sort()).toEqual([
      '10.5.0.1 030d',
      '10.6.0.1 0301',
      '10.7.0.1 0300',
      'fd15::1 0101',
      'fd16::1 0100',
      'fd17::1 0100',
    ])
  })

  test(`damaged traffic: ${TRIALS} sequences of seed ${SEED}`, { timeout: 3_600_000 }, () => {
    const traffic = new Traffic(new SeededRandom(`routers ${SEED}`), BOTH_SIDES)
    const seen = new Map<Listed, number>()
    const problems: string[] = []
    let packets = 0
    const started = performance.now()
    let born = started
    for (let trial = 0; trial < TRIALS; trial++) {
      if (trial % ROUTERS_LIVE === ROUTERS_LIVE - 1) {
        kernel.close()
        stack.close()
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, (60_000 / HASTE) * 1.2)
        ;({ kernel, stack } = makeRouters())
        born = performance.now()
      }
      // Both forget fragments at the same time.
      if (trial % 100 === 0) stack.clock.advance((performance.now() - born) * HASTE - stack.clock.now())
      const each = comparableTransit(traffic.next())
      packets += each.length
      const met = new Set<Listed>()
      const found = difference(kernel, stack, each, met, listedOfRouters, traffic.link)
      for (const reason of met) seen.set(reason, (seen.get(reason) ?? 0) + 1)
      if (found !== '') problems.push(`trial ${trial}: ${found}`)
      if (problems.length > Number(process.env.TUNGRAM_DIFFERENCES ?? 5)) break
    }
    const rows = [...seen].map(([{ what, why }, count]) => `  ${count} × ${what} (${why})`)
    if (TRIALS > 40_000)
      console.log(
        [
          `${TRIALS} sequences, ${packets} packets, ${Math.round((performance.now() - started) / 1000)} s`,
          ...rows,
        ].join('\n'),
      )
    if (problems.length > 0) expect.fail(problems.join('\n'))
    expect(packets).toBeGreaterThan(TRIALS)
  })

  describe('but:', () => {
    const echo6 = (source: string, destination: string) =>
      ip6({
        source,
        destination,
        next: 58,
        payload: icmp(128, 0, u32(7), pattern(8), { from: source, to: destination }),
      })
    const datagram4 = (source: string, destination: string, fields: Partial<Ip4> = {}) =>
      ip4({ source, destination, payload: udp({ from: source, to: destination, port: CLOSED_PORT }), ...fields })
    const unknown = options(59, u8(0x9e, 2, 0, 0))
    const quoted = ip6({
      source: HOST6,
      destination: PEER6,
      payload: udp({ from: HOST6, to: PEER6, sourcePort: CONNECTED_PORT, port: PEER_PORT }),
    })
    const tooBig = ip6({
      source: PEER6,
      destination: HOST6,
      next: 58,
      payload: icmp(2, 0, u32(1280), quoted, { from: PEER6, to: HOST6 }),
    })
    /** What shows a difference, by a part of its name; from inside unless told otherwise. */
    const shown: [string, Bytes[], number?][] = [
      ['packets from and to 169.254', [datagram4(PEER4, '169.254.1.1')]],
      ['packets from and to 240.0.0.0', [datagram4(PEER4, '240.0.0.1')]],
      ['packets from :: ', [echo6('::', 'fd09::7')]],
      ['packets to :: ', [echo6(PEER6, '::')]],
      ['a router that forwards no groups', [ip6({ source: PEER6, destination: 'ff15::9', next: 0, payload: unknown })]],
      ['in 240.0.0.0/4 or 0.0.0.0/8', [datagram4('245.1.2.3', HOST4)]],
      [
        'the MTU of the next link',
        [tooBig, ip6({ source: OUTSIDE_PEER6, destination: PEER6, next: 200, payload: pattern(1300) })],
        1,
      ],
      [
        'options without the copy bit',
        [
          datagram4(PEER4, OUTSIDE_PEER4, {
            offset: 800,
            mf: true,
            options: u8(0x5e, 4, 1, 2),
            payload: pattern(1400),
          }),
        ],
      ],
      ['an echo request to a group or an anycast address', [echo6(OUTSIDE_PEER6, 'fd09::')]],
    ]

    test.each([
      ['fd09::', PEER6],
      ['fd08::', PEER6],
      ['fd08::', OUTSIDE_PEER6],
      ['fe80::', 'fe80::9'],
    ])(
      'no: an error about a packet to the anycast address %s comes from there (Linux: icmp6_send)',
      (destination, source) => {
        const link = source === OUTSIDE_PEER6 ? 1 : 0
        const closed = ip6({ source, destination, payload: udp({ from: source, to: destination, port: CLOSED_PORT }) })
        for (const packet of [closed, ip6({ source, destination, next: 200, payload: pattern(8) })])
          expect(difference(kernel, stack, [packet], new Set(), [], link)).toBe('')
      },
    )

    test.each(listedOfRoutersAlone)('$what ($why)', (row) => {
      const [, packets, link] = shown.find(([name]) => row.what.includes(name)) as (typeof shown)[number]
      const met = new Set<Listed>()
      expect(difference(kernel, stack, packets, met, [row], link)).toBe('')
      expect([...met]).toEqual([row])
    })
  })
})
