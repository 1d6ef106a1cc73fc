import { expect, test } from 'vitest'
import { type FlowResult, runScenario } from '../../../src/network/scenario/flow.ts'
import { checkScenario, type FlowSpec, type Scenario } from '../../../src/network/scenario/scenario.ts'

/** One flow between two hosts on a cable. */
async function one(flow: Partial<FlowSpec>, link: object = {}, more: Partial<Scenario> = {}): Promise<FlowResult> {
  const scenario = checkScenario({
    hosts: { a: {}, b: null },
    links: [{ between: ['a', 'b'], ...link }],
    flows: [{ from: 'a', to: 'b', ...flow }],
    ...more,
  })
  return (await runScenario(scenario)).flows[0] as FlowResult
}

test('a constant flow sends at its rate, from its start until before its stop', async () => {
  expect(await one({ rate: 10, start: '1s', stop: '3s' })).toMatchObject({ sent: 20, received: 20, lost: 0 })
  expect(await one({ rate: '80kbit', size: 1000, stop: '2s' })).toMatchObject({ sent: 20 })
  expect(await one({ rate: 10 }, {}, { duration: '500ms' })).toMatchObject({ sent: 5 })
})

test('a poisson flow has the rate on average, and the variance of its counts', async () => {
  const counts = await Promise.all(
    Array.from(
      { length: 40 },
      async (_, seed) => (await one({ rate: 100, pattern: 'poisson', stop: '10s' }, {}, { seed })).sent,
    ),
  )
  const mean = counts.reduce((sum, each) => sum + each, 0) / counts.length
  const variance = counts.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (counts.length - 1)
  // 1000 with a standard deviation of 31.6, over 40 runs.
  expect(Math.abs(mean - 1000)).toBeLessThan(4 * 5)
  expect(variance).toBeGreaterThan(400)
  expect(variance).toBeLessThan(2000)
})

test('a burst leaves at once, at the same mean rate, and queues before a slow wire', async () => {
  // 1000 bytes with headers take 8 ms at 1 Mbit/s.
  const flow = await one({ rate: 10, pattern: { burst: 5 }, count: 20, size: 972 }, { rate: '1Mbit' })
  expect(flow).toMatchObject({ sent: 20, received: 20, latency: { min: 8, p50: 24, max: 40, mean: 24 } })
})

test('copies and datagrams that come late are counted', async () => {
  expect(await one({ count: 10 }, { duplication: { frames: [2, 5] } })).toMatchObject({
    received: 10,
    duplicated: 2,
    reordered: 0,
  })
  const late = await one({ count: 10, rate: 100 }, { delay: '15ms', reordering: { frames: [4] } })
  // The fourth overtakes the third.
  expect(late).toMatchObject({ received: 10, duplicated: 0, reordered: 1, lost: 0 })
})

test('sizes are even between their bounds', async () => {
  const flow = await one({ count: 1000, rate: 1000, size: { uniform: [100, 300] } })
  // Bytes of all but the first, in 999 ms.
  expect(Math.abs((flow.throughput * 0.999) / 8 / 999 - 200)).toBeLessThan(4 * (58 / Math.sqrt(999)))
})

test('what cannot be sent is told by errno and is not lost', async () => {
  expect(await one({ count: 3, size: 1473, dontFragment: 'do' })).toMatchObject({
    sent: 0,
    lost: 0,
    errors: { EMSGSIZE: 3 },
    latency: null,
  })
})

test('an echo flow counts both ways, and events change the network', async () => {
  const flow = await one(
    { mode: 'echo', rate: 10, stop: '3s', family: 6 },
    { delay: '10ms' },
    {
      events: [
        { at: '1.05s', link: 'a-b', impair: { loss: 1 }, from: 'b' },
        { at: '2.05s', link: 'a-b', impair: { delay: 30 } },
      ],
    },
  )
  expect(flow).toMatchObject({ sent: 30, received: 20, lost: 10, latency: { min: 20, max: 60 } })
  expect(flow.drops).toEqual([{ node: 'b', nic: 'eth0', reason: 'WireLoss', count: 10 }])
})

test('more datagrams than are remembered are all accounted for', async () => {
  const flow = await one({ count: 50_000, rate: 10_000, size: 100 }, { loss: 0.5 })
  expect(flow.drops).toEqual([{ node: 'a', nic: 'eth0', reason: 'WireLoss', count: flow.lost }])
  expect(Math.abs(flow.lost - 25_000)).toBeLessThan(4 * 112)
})

test('datagrams that are in flight longer than their lives are remembered are accounted for', async () => {
  const scenario = checkScenario({
    hosts: { a: null, b: null },
    routers: { r: null },
    links: [
      { between: ['a', 'r'], delay: '5s' },
      { between: ['r', 'b'], forward: { loss: 0.5 } },
    ],
    flows: [{ from: 'a', to: 'b', size: 100, rate: 5000, count: 25_000 }],
  })
  const counted = await runScenario(scenario)
  const [flow] = counted.flows
  expect(flow?.drops).toEqual([{ node: 'r', nic: 'eth1', reason: 'WireLoss', count: flow?.lost }])
  // Whoever watches lives, of which only so many are kept, changes no count.
  let lives = 0
  const watched = await runScenario(scenario, { watch: { sent() {}, arrived() {}, ended: () => lives++ } })
  expect(lives).toBe(25_000)
  expect(watched).toEqual(counted)
}, 60_000)

test('datagrams that never leave their host are accounted for, fragment by fragment', async () => {
  const nobody = { address: '10.0.0.77', rate: 10, count: 50 }
  const link = { medium: 'ethernet', subnet: '10.0.0.0/24' }
  const drop = { node: 'a', nic: '', reason: 'NeighborUnreachable' }
  expect((await one({ ...nobody, size: 100 }, link)).drops).toEqual([{ ...drop, count: 50 }])
  expect((await one({ ...nobody, size: 3000 }, link)).drops).toEqual([{ ...drop, count: 150 }])
})

test('CoDel marks what is capable of ECN, and what it gives up has a name of its own', async () => {
  const queue = { codel: { packets: 50, ecn: true } }
  const load = { rate: 200, size: 972, count: 1000 }
  const slow = { forward: { rate: '1Mbit', queue } }
  const dropped = await one(load, slow)
  expect(dropped.marks).toEqual([])
  expect(dropped.drops.map(({ reason }) => reason).sort()).toEqual(['WireCodel', 'WireQueueFull'])
  // ECT(0): marked where it would be dropped, so that only a full queue drops.
  const marked = await one({ ...load, tos: 2 }, slow)
  expect(marked.drops.map(({ reason }) => reason)).toEqual(['WireQueueFull'])
  expect(marked.marks).toEqual([{ node: 'a', nic: 'eth0', count: expect.any(Number) }])
  expect(marked.marks[0]?.count).toBeGreaterThan(10)
  expect(marked.received + (marked.drops[0]?.count ?? 0)).toBe(1000)
})

test('ICMP errors are told by those that were sent and those that arrived', async () => {
  const lossy = { forward: { delay: 1 }, back: { loss: { pattern: '.x' } } }
  const scenario = checkScenario({
    hosts: { a: null, b: null },
    routers: { r: { icmpRateLimit: false } },
    links: [{ between: ['a', 'r'], ...lossy }, { between: ['r', 'b'] }],
    flows: [{ from: 'a', to: 'b', ttl: 1, rate: 1, count: 10 }],
  })
  const [flow] = (await runScenario(scenario)).flows
  expect(flow?.icmp).toEqual({ 'ICMP time exceeded in transit': 10 })
  expect(flow?.icmpReached).toEqual({ 'ICMP time exceeded in transit': 5 })
})

test('errors that come at one instant pass a filter whose rate allows them', async () => {
  const passed = async (icmpErrors: unknown) => {
    const scenario = checkScenario({
      hosts: { a: null, b: null },
      routers: { r: { icmpRateLimit: false, filter: { icmpErrors } } },
      links: [{ between: ['a', 'r'] }, { between: ['r', 'b'] }],
      flows: [{ from: 'a', to: 'b', ttl: 1, pattern: { burst: 20 }, rate: 20, count: 20 }],
    })
    return (await runScenario(scenario)).flows[0]?.icmpReached['ICMP time exceeded in transit'] ?? 0
  }
  expect(await passed(1000)).toBe(20)
  expect(await passed({ rate: 1000, burst: 5 })).toBe(5)
  expect(await passed({ rate: 1000, burst: 1 })).toBe(1)
  await expect(passed({ rate: 10, burst: 0.5 })).rejects.toThrow('0.5 is below 1')
})

test.each(['one-way', 'echo'] as const)('a %s run that is stopped has datagrams in flight, not lost', async (mode) => {
  const scenario = checkScenario({
    hosts: { a: null, b: null },
    routers: { r: null },
    links: [
      { between: ['a', 'r'], delay: '100ms' },
      { between: ['r', 'b'], delay: '100ms', forward: { loss: { pattern: '...x' } }, duplication: { pattern: '..x' } },
    ],
    flows: [{ from: 'a', to: 'b', size: 2000, dontFragment: 'off', rate: 100, stop: '1h', mode }],
    events: [{ at: '2s', heal: true }],
  })
  let stop = () => {}
  const result = await runScenario(scenario, {
    started: (end) => {
      stop = end
    },
    watch: { sent: (_flow, _number, time) => time >= 2000 && stop(), arrived() {}, ended() {} },
  })
  const [flow] = result.flows
  expect(result.interrupted).toBe(true)
  const { sent = 0, received = 0, lost = 0, inFlight = 0 } = flow ?? {}
  expect(received + lost + inFlight).toBe(sent)
  // 200 ms there, and as much back; some that are under way have lost a part already.
  const way = mode === 'echo' ? 40 : 20
  expect(inFlight).toBeGreaterThan(way / 3)
  expect(inFlight).toBeLessThanOrEqual(way + 2)
})

test('with a frame check sequence damage is discarded, and short frames take the time of 64 bytes', async () => {
  const load = { size: 8, rate: 1000, count: 4000 }
  const noise = { medium: 'ethernet', forward: { corruption: { bitErrorRate: 1e-3 } } }
  const bare = await one(load, noise)
  expect(bare.drops.map(({ reason }) => reason)).toContain('IpChecksum')
  const checked = await one(load, { ...noise, forward: { ...noise.forward, fcs: true } })
  expect(checked.drops).toEqual([{ node: 'a', nic: 'eth0', reason: 'WireFrameCheck', count: checked.lost }])
  expect(checked.corrupted).toBe(0)
  // 8 + 28 + 14 bytes are padded to 60, and have 4 of check sequence.
  const expected = 4000 * (1 - (1 - 1e-3) ** (8 * 64))
  expect(Math.abs(checked.lost - expected)).toBeLessThan(4 * Math.sqrt(expected * (1e-3 + (1 - 1e-3) ** (8 * 64))))
  const timed = async (size: number) =>
    (await one({ size, count: 10, rate: 10 }, { medium: 'ethernet', rate: '64kbit', fcs: true })).latency?.min
  expect(await timed(8)).toBe(8)
  // 18 bytes of payload fill the shortest frame; one more takes an eighth of a millisecond more.
  expect(await timed(18)).toBe(8)
  expect(await timed(19)).toBe(8.125)
})
