import { afterAll, describe, expect, test } from 'vitest'
import { SeededRandom } from '../../src/base/random.ts'
import { describeOnTun } from '../tun/namespace.ts'
import { difference } from './compare.ts'
import { HASTE } from './kernel-host.ts'
import { comparableTransit, type Listed, listedOfRouters, listedOfRoutersAlone } from './listed.ts'
import { BOTH_SIDES, Traffic } from './mutations.ts'
import { type Bytes, type Ip4, icmp, ip4, ip6, options, pattern, u8, u32, udp } from './raw-ip.ts'
import { CLOSED_PORT, CONNECTED_PORT, HOST4, HOST6, makeRouters, OUTSIDE_PEER4, OUTSIDE_PEER6, PEER_PORT, PEER4, PEER6 } from './world.ts'

/** As for hosts: `TUNGRAM_DIFFERENTIAL=50000 npx vitest run test/differential/routers` for a long run. */
const TRIALS = Number(process.env.TUNGRAM_DIFFERENTIAL ?? 40_000)
/** Sequences before identifications come again: then both routers are new, and the kernel has forgotten the fragments that it had. */
const ROUTERS_LIVE = 60_000
const SEED = process.env.TUNGRAM_SEED ?? '1'

describeOnTun('the kernel and the stack, as routers, treat damaged traffic alike', () => {
  let { kernel, stack } = makeRouters()
  afterAll(() => {
    kernel.close()
    stack.close()
  })

  test(`${TRIALS} sequences of seed ${SEED}`, { timeout: 3_600_000 }, () => {
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
      console.log([`${TRIALS} sequences, ${packets} packets, ${Math.round((performance.now() - started) / 1000)} s`, ...rows].join('\n'))
    if (problems.length > 0) expect.fail(problems.join('\n'))
    expect(packets).toBeGreaterThan(TRIALS)
  })

  describe('but:', () => {
    const echo6 = (source: string, destination: string) =>
      ip6({ source, destination, next: 58, payload: icmp(128, 0, u32(7), pattern(8), { from: source, to: destination }) })
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
      ['the MTU of the next link', [tooBig, ip6({ source: OUTSIDE_PEER6, destination: PEER6, next: 200, payload: pattern(1300) })], 1],
      [
        'options without the copy bit',
        [datagram4(PEER4, OUTSIDE_PEER4, { offset: 800, mf: true, options: u8(0x5e, 4, 1, 2), payload: pattern(1400) })],
      ],
      ["a router's anycast address", [ip6({ source: PEER6, destination: 'fd09::', next: 200, payload: pattern(8) })]],
      ['an echo request to a group or an anycast address', [echo6(OUTSIDE_PEER6, 'fd09::')]],
    ]

    test.each(listedOfRoutersAlone)('$what ($why)', (row) => {
      const [, packets, link] = shown.find(([name]) => row.what.includes(name)) as (typeof shown)[number]
      const met = new Set<Listed>()
      expect(difference(kernel, stack, packets, met, [row], link)).toBe('')
      expect([...met]).toEqual([row])
    })
  })
})
