import { expect, test } from 'vitest'
import type { LineageEvent } from '../../../src/network/observe/datagram.ts'
import { type HopResult, type RunWatcher, runScenario } from '../../../src/network/scenario/flow.ts'
import { checkScenario, type Scenario } from '../../../src/network/scenario/scenario.ts'

function hopOf(hops: readonly HopResult[], from: string, to: string): HopResult {
  return hops.find((hop) => hop.from === from && hop.to === to) as HopResult
}

const sum = (values: readonly number[]) => values.reduce((total, each) => total + each, 0)

/** Frames of 1000 bytes that take a millisecond each, and come at random. */
const queueing = (load: number, count: number, more: Partial<Scenario> = {}) =>
  checkScenario({
    seed: 7,
    hosts: { a: null, b: null },
    links: [
      { between: ['a', 'b'], delay: '3ms', forward: { rate: '8Mbit', queue: { tailDrop: { packets: 10_000 } } } },
    ],
    flows: [{ from: 'a', to: 'b', size: 972, rate: 1000 * load, pattern: 'poisson', count }],
    ...more,
  })

/** The times at which a flow sends. */
function sentTimes(): { times: number[]; watch: RunWatcher } {
  const times: number[] = []
  return { times, watch: { sent: (_flow, _number, time) => times.push(time), arrived() {}, ended() {} } }
}

test.each([
  [0.3, 4000],
  [0.6, 10_000],
])('at a load of %d waits and lengths are those of M/D/1, and of its recursion', async (load, count) => {
  const { times, watch } = sentTimes()
  const { hops, time } = await runScenario(queueing(load, count), { watch })
  const { queue, utilization, offered, sent, drops, marks } = hopOf(hops, 'a', 'b')
  // Pollaczek and Khinchine: rho / 2 (1 - rho) of a service, which is 1 ms.
  const theory = load / (2 * (1 - load))
  expect(Math.abs((queue?.wait?.mean ?? 0) / theory - 1)).toBeLessThan(0.1)
  expect(Math.abs((queue?.length.mean ?? 0) / (load * theory) - 1)).toBeLessThan(0.1)
  expect(Math.abs((utilization ?? 0) / load - 1)).toBeLessThan(0.02)
  // Lindley: each waits for what is left of the one before.
  const waits: number[] = []
  for (const [at, sentAt] of times.entries())
    waits.push(at === 0 ? 0 : Math.max(0, (waits[at - 1] as number) + 1 - (sentAt - (times[at - 1] as number))))
  const sorted = [...waits].sort((a, b) => a - b)
  const rank = (share: number) => sorted[Math.ceil(share * sorted.length) - 1] as number
  expect(queue?.wait?.mean).toBeCloseTo(sum(waits) / waits.length, 5)
  for (const [name, share] of [
    ['p50', 0.5],
    ['p95', 0.95],
    ['p99', 0.99],
    ['max', 1],
  ] as const)
    expect(queue?.wait?.[name], name).toBeCloseTo(rank(share), 5)
  // Little: as many wait as come in the time that one waits.
  expect((queue?.length.mean ?? 0) / ((waits.length / time) * (queue?.wait?.mean ?? 0))).toBeCloseTo(1, 5)
  expect(queue?.bytes.mean).toBeCloseTo(1000 * (queue?.length.mean ?? 0), 3)
  expect(queue?.bytes.max).toBe(1000 * (queue?.length.max ?? 0))
  expect([offered, sent]).toEqual(Array(2).fill({ frames: count, bytes: 1000 * count }))
  expect(utilization).toBeCloseTo(count / time, 6)
  expect([marks, drops]).toEqual([0, {}])
})

test('only what happens in the measured span counts, and the time outside does not', async () => {
  const { times, watch } = sentTimes()
  const [from, to] = [2000, 5000]
  const measure = { from: '2s', to: '5s' }
  const { hops } = await runScenario(queueing(0.8, 5000, { measure }), { watch })
  const { queue, offered, sent, utilization } = hopOf(hops, 'a', 'b')
  const isIn = (time: number) => time >= from && time < to
  const starts: number[] = []
  for (const [at, time] of times.entries()) starts.push(Math.max(time, at === 0 ? 0 : (starts[at - 1] as number) + 1))
  const part = (start: number, end: number) => Math.max(0, Math.min(end, to) - Math.max(start, from))
  expect(offered.frames).toBe(times.filter(isIn).length)
  // Sums of milliseconds have dust in their last digits.
  expect(sent.frames).toBe(starts.filter((start) => isIn(start + 1)).length)
  const waits = starts.flatMap((start, at) => (isIn(start) ? [start - (times[at] as number)] : []))
  expect(queue?.wait?.mean).toBeCloseTo(sum(waits) / waits.length, 4)
  expect(queue?.length.mean).toBeCloseTo(
    sum(starts.map((start, at) => part(times[at] as number, start))) / (to - from),
    6,
  )
  expect(utilization).toBeCloseTo(sum(starts.map((start) => part(start, start + 1))) / (to - from), 6)
})

test('a queue that is made shorter lets go of frames, which wait no more', async () => {
  const { hops, time } = await runScenario(
    checkScenario({
      hosts: { a: null, b: null },
      links: [{ between: ['a', 'b'], rate: '8Mbit' }],
      events: [{ at: '2.5ms', link: 'a-b', from: 'a', change: { queue: { tailDrop: { packets: 3 } } } }],
      flows: [{ from: 'a', to: 'b', size: 972, rate: 10, pattern: { burst: 10 }, count: 10 }],
    }),
  )
  expect(time).toBe(6)
  const { queue, drops, sent, utilization } = hopOf(hops, 'a', 'b')
  // 9, 8, 7, from 2.5 ms on 3, 2, 1 and 0 wait.
  const area = 9 + 8 + 7 / 2 + 3 / 2 + 2 + 1
  expect(queue).toEqual({
    length: { mean: Number((area / 6).toPrecision(9)), p50: 2, p95: 9, p99: 9, max: 9 },
    bytes: { mean: Number(((1000 * area) / 6).toPrecision(9)), max: 9000 },
    wait: { mean: 2.5, p50: 2, p95: 5, p99: 5, max: 5 },
  })
  expect([drops, sent.frames, utilization]).toEqual([{ WireQueueFull: 4 }, 6, 1])
})

test('counts are those of the lives of all datagrams, hop by hop', async () => {
  const events: LineageEvent[] = []
  /** By node and nic: what left there, and what befell it on the cable. */
  const counted = new Map<string, { offered: number; marks: number; drops: Record<string, number> }>()
  const of = (node: string, nic: string) => {
    const known = counted.get(`${node} ${nic}`) ?? { offered: 0, marks: 0, drops: {} }
    counted.set(`${node} ${nic}`, known)
    return known
  }
  const scenario = checkScenario({
    duration: '2s',
    hosts: { a: null, b: null },
    routers: { r1: null, r2: null },
    links: [
      { between: ['a', 'r1'], delay: '1ms', loss: 0.02 },
      {
        between: ['r1', 'r2'],
        delay: '2ms',
        forward: { rate: '2Mbit', queue: { codel: { packets: 30, ecn: true } }, duplication: 0.01 },
        back: { rate: '1Mbit', queue: { tailDrop: { packets: 5 } } },
      },
      { between: ['r2', 'b'], mtu: 900 },
    ],
    flows: [
      { name: 'ecn', from: 'a', to: 'b', rate: '1Mbit', tos: 2, dontFragment: 'off' },
      { name: 'no', from: 'a', to: 'b', rate: '1.2Mbit', pattern: 'poisson' },
      { name: 'echo', from: 'a', to: 'b', mode: 'echo', rate: 200, size: 600 },
      { name: 'back', from: 'b', to: 'a', rate: '1.1Mbit', ttl: 2 },
    ],
  })
  const { hops, time: end } = await runScenario(scenario, {
    watch: { sent() {}, arrived() {}, ended: (datagram) => events.push(...datagram.events) },
  })
  // Errors about fragments that wait in vain come behind the run's end.
  for (const { node, nic, what, reason } of events.filter(({ time }) => time <= end)) {
    if (what === 'sent' || what === 'forwarded') of(node, nic).offered++
    else if (what === 'marked') of(node, nic).marks++
    else if (what === 'dropped' && reason?.startsWith('Wire')) {
      const { drops } = of(node, nic)
      drops[reason] = (drops[reason] ?? 0) + 1
    }
  }
  const got = hops.map(({ from, nic, offered, marks, drops }) => [
    `${from} ${nic}`,
    { offered: offered.frames, marks, drops },
  ])
  expect(Object.fromEntries(got)).toEqual(Object.fromEntries(counted))
  const forth = hopOf(hops, 'r1', 'r2')
  expect(forth.marks).toBeGreaterThan(10)
  expect(forth.drops.WireCodel).toBeGreaterThan(10)
  expect(hopOf(hops, 'r2', 'r1').drops.WireQueueFull).toBeGreaterThan(10)
  for (const { offered, sent, drops } of hops.filter(({ queue }) => queue !== null))
    expect(sent.frames).toBe(offered.frames - (drops.WireCodel ?? 0) - (drops.WireQueueFull ?? 0))
})

test('a cable to a segment has two directions too; where no frame meets a rate nothing waits', async () => {
  const { hops } = await runScenario(
    checkScenario({
      hosts: { a: null, b: null, c: null },
      segments: { lan: null },
      links: [
        { between: ['a', 'lan'] },
        { between: ['lan', 'b'], forward: { rate: '80kbit' } },
        { between: ['c', 'lan'], fcs: true },
      ],
      flows: [{ from: 'a', to: 'b', size: 958, rate: 5, count: 4 }],
    }),
  )
  expect(hops.map(({ from, to, nic }) => `${from} > ${to} ${nic}`)).toEqual([
    'a > lan eth0',
    'lan > a ',
    'lan > b ',
    'b > lan eth0',
    'c > lan eth0',
    'lan > c ',
  ])
  expect(hopOf(hops, 'a', 'lan')).toMatchObject({ utilization: null, queue: null })
  // 1000 bytes with their headers take 100 ms.
  const slow = hopOf(hops, 'lan', 'b')
  expect(slow.queue?.wait?.max).toBeGreaterThan(0)
  expect(slow.sent.frames).toBe(slow.offered.frames)
  expect(slow.utilization).toBeGreaterThan(0.5)
})

test('a run that is interrupted has what there was until then', async () => {
  const { hops, time } = await runScenario(queueing(0.5, 40_000), {
    started: (stop, now) => {
      const look = () => (now() >= 500 ? stop() : setImmediate(look))
      look()
    },
  })
  expect(time).toBeLessThan(80_000)
  const { offered, sent, utilization } = hopOf(hops, 'a', 'b')
  expect(offered.frames - sent.frames).toBeLessThan(30)
  expect(utilization).toBeCloseTo(sent.frames / time, 2)
})
