import { expect, test } from 'vitest'
import { runScenario } from '../../../src/network/scenario/flow.ts'
import { checkScenario, type ScenarioEvent } from '../../../src/network/scenario/scenario.ts'

/** Arrival times of a flow, `undefined` for what was lost, over a link with events. */
async function run(link: object, events: ScenarioEvent[], flow: object = {}): Promise<(number | undefined)[]> {
  const scenario = checkScenario({
    hosts: { a: null, b: null },
    links: [{ between: ['a', 'b'], ...link }],
    flows: [{ from: 'a', to: 'b', size: 1000, rate: 150, stop: '4s', ...flow }],
    events,
  })
  const arrived: (number | undefined)[] = []
  const { flows } = await runScenario(scenario, {
    watch: {
      sent: (_flow, number) => {
        arrived[number] ??= undefined
      },
      arrived: (_flow, number, time) => {
        arrived[number] = time
      },
      ended() {},
    },
  })
  expect(arrived.filter((time) => time === undefined).length).toBe(flows[0]?.lost)
  return arrived
}

/** 100 frames of the flow a second. */
const slow = { rate: 8224 * 100 }
const every100ms = (event: Partial<ScenarioEvent>, seconds = 4): ScenarioEvent[] =>
  Array.from({ length: seconds * 10 - 1 }, (_, i) => ({ at: (i + 1) * 100 + 3, link: 'a-b', ...event }))

test.each(['impair', 'change'] as const)(
  '%s with what there is changes nothing: queues, chains, patterns go on',
  async (call) => {
    const faults = {
      ...slow,
      queue: { codel: {} },
      loss: { gilbertElliott: { toBad: 0.05, toGood: 0.3 } },
      duplication: { pattern: '.......x' },
      reordering: { frames: [100, 200] },
      delay: { normal: { mean: '20ms', deviation: '5ms' }, correlation: 0.5 },
      corruption: { probability: 0.01, correlation: 0.5 },
    }
    const without = await run(faults, [])
    expect(without.filter((time) => time === undefined).length).toBeGreaterThan(30)
    expect(await run(faults, every100ms({ [call]: faults }))).toEqual(without)
  },
)

test('an event that changes one fault leaves the draws and the state of the others', async () => {
  const link = { loss: { gilbertElliott: { toBad: 0.05, toGood: 0.3 } }, delay: '1ms' }
  const plain = await run(link, [])
  const later = await run(link, [{ at: '2s', link: 'a-b', change: { delay: '11ms' } }])
  expect(later.map((time) => time === undefined)).toEqual(plain.map((time) => time === undefined))
  expect(later.map((time, at) => time && Math.round(time - (plain[at] as number)))).toEqual(
    plain.map((time) => time && (time - 1 >= 2000 ? 10 : 0)),
  )
})

test('another queue has what waited before with the time that it has waited', async () => {
  // A queue of 1.5 times the rate: a frame that comes at 1 s waits for 0.5 s.
  const tail = await run({ ...slow, queue: { tailDrop: { packets: 1000 } } }, [])
  const moved = await run({ ...slow, queue: { tailDrop: { packets: 1000 } } }, [
    { at: '1s', link: 'a-b', change: { queue: { tailDrop: { packets: 999 } } } },
  ])
  expect(moved).toEqual(tail)
  // CoDel, put before a standing queue, sees at once how long it has stood: the first drop comes an
  // interval later, not an interval after frames have waited for the target anew.
  const target = 300
  const codel = await run({ ...slow, queue: { tailDrop: { packets: 1000 } } }, [
    { at: '1s', link: 'a-b', change: { queue: { codel: { target, interval: 100 } } } },
  ])
  const first = codel.indexOf(undefined)
  // At 1.1 s the frame that was sent at 1.1 / 1.5 s is at the head.
  expect(Math.abs((first * 1000) / 150 - 1110 / 1.5)).toBeLessThan(20)
})

test('CoDel with another target goes on where it is', async () => {
  const queue = (target: number) => ({ codel: { target } })
  const kept = await run({ ...slow, queue: queue(5) }, every100ms({ change: { queue: queue(5) } }))
  // 5 ms and 5.001 ms make no difference to frames that take 10 ms; a controller that begins anew does.
  const events = every100ms({}).map((event, at) => ({ ...event, change: { queue: queue(at % 2 === 0 ? 5.001 : 5) } }))
  expect(await run({ ...slow, queue: queue(5) }, events)).toEqual(kept)
})

test('a filter that is set again as it is does not fill up its burst', async () => {
  const count = async (filters: number) => {
    const scenario = checkScenario({
      hosts: { a: null, b: null },
      links: [{ between: ['a', 'r'] }, { between: ['r', 'b'] }],
      flows: [{ from: 'a', to: 'b', ttl: 1, rate: 100, stop: '1s' }],
      routers: { r: { icmpRateLimit: false, filter: { icmpErrors: 2 } } },
      events: Array.from({ length: filters }, (_, i) => ({
        at: i * 20 + 1,
        node: 'r',
        filter: { icmpErrors: 2 },
      })),
    })
    const { flows } = await runScenario(scenario)
    return flows[0]?.drops.find(({ reason }) => reason === 'WireFiltered')?.count
  }
  expect(await count(40)).toBe(await count(0))
})
