/** The plots of a report, as numbers: what they show, and what they say of it. */
import { expect, test } from 'vitest'
import { quantitiesOf } from '../../src/cli/report/quantity.ts'
import { Recorder } from '../../src/cli/report/recorder.ts'
import { seeRun } from '../../src/cli/report/see.ts'
import { timePlots } from '../../src/cli/report/series.ts'
import { sweepPlots } from '../../src/cli/report/sweep-plots.ts'
import type { FlowResult } from '../../src/network/scenario/flow.ts'

const named = (...names: string[]) => names.map((name) => ({ name })) as unknown as FlowResult[]

/** Of one flow that sends 1000 bytes at an interval; the latencies of those that arrive. */
function recorded(interval: number, latencies: readonly (number | null)[]): Recorder {
  const recorder = new Recorder(1, 0, () => [])
  for (const [number, latency] of latencies.entries()) {
    recorder.sent(0, number, number * interval, 1000)
    if (latency !== null) recorder.arrived(0, number, number * interval + latency)
  }
  return recorder
}

const plot = (recorder: Recorder, title: string) => {
  const found = timePlots(recorder, named('steady')).plots.find((each) => each.title === title)
  if (found === undefined) throw new Error(`no plot ${title}`)
  return found
}

test.each([1, 2, 3, 10])('a steady flow is a level line, and the bins say what they hold (%i s)', (seconds) => {
  const { lines, note, see } = plot(recorded(100, new Array(seconds * 10).fill(1)), 'Throughput')
  // 80 kbit/s; the last bin may be a part of one.
  const values = lines[0]?.values.slice(0, -1) ?? []
  expect(values.length).toBeGreaterThan(5)
  expect(values.every((value) => Math.abs((value ?? 0) - 80) < 0.001)).toBe(true)
  expect(note).toMatch(/bins of \d+ ms, each with about \d+ of the slowest flow, steady$/)
  expect(see).toBe('What is sent arrives.')
})

test('a pause is what is to be seen', () => {
  const latencies = Array.from({ length: 100 }, (_, number) => (number >= 40 && number < 70 ? null : 2))
  const recorder = recorded(10, latencies)
  expect(plot(recorder, 'Throughput').see).toBe('Of steady nothing arrives between 0.4 s and 0.7 s.')
  expect(plot(recorder, 'Losses').see).toMatch(/^steady loses 30 in all, most around 0\.\d+ s: \d+\.$/)
  expect(plot(recorder, 'Latency').see).toBe('Nothing takes longer than 2 ms.')
})

test('a distribution of latencies rises to all of them, on an axis that shows them', () => {
  const latencies = Array.from({ length: 200 }, (_, number) => (number < 100 ? 10 : number < 198 ? 20 : 40))
  const { x, lines, see, log, xLabel } = plot(recorded(5, latencies), 'Latency, distribution')
  const at = (latency: number) => lines[0]?.values[x.findLastIndex((each) => (each as number) <= latency)]
  expect([at(10), at(15), at(21), at(40)]).toEqual([50, 50, 99, 100])
  expect({ first: x[0], last: x.at(-1), log, xLabel }).toEqual({
    first: 10,
    last: 40,
    log: undefined,
    xLabel: 'latency, ms',
  })
  expect(see).toBe('Half of steady arrives within 10 ms, 99 % within 20 ms.')
  const wide = recorded(5, [0.1, 1, 10, 100])
  expect(plot(wide, 'Latency, distribution').log).toBe(true)
})

test('quantities of one kind are numbers of an axis, and other values are names', () => {
  expect(quantitiesOf([3, 1])).toEqual([3, 1])
  expect(quantitiesOf(['1%', '0.5%'])).toEqual([1, 0.5])
  expect(quantitiesOf(['10ms', '1s'])).toEqual([10, 1000])
  expect(quantitiesOf(['256kbit', '1Mbit'])).toEqual([256_000, 1_000_000])
  for (const values of [['a', 'b'], ['10ms', '1%'], [1, '1%'], ['']]) expect(quantitiesOf(values)).toBeNull()
})

test('a sweep has its values in their order, each where it is on the axis', () => {
  const estimate = (mean: number) => ({ mean, low: null, high: null, halfWidth: null })
  const points = ['1s', '10ms', '100ms'].map((delay, index) => ({
    parameters: { delay },
    flows: [{ name: 'f', runs: 1, measures: { lossRate: estimate((index + 1) / 10) } }],
  }))
  const sweeps = [{ name: 'delay', values: ['1s', '10ms', '100ms'] }]
  const [loss] = sweepPlots(points as unknown as Parameters<typeof sweepPlots>[0], sweeps, 1)
  expect(loss).toMatchObject({ x: ['10ms', '100ms', '1s'], at: [10, 100, 1000], log: true })
  expect(loss?.lines[0]?.values.map((value) => Math.round(value ?? 0))).toEqual([20, 30, 10])
  expect(loss?.see).toBe('f goes from 20 % at 10ms to 10 % at 1s.')
})

test('a run is told in a sentence', () => {
  const flow = {
    name: 'f',
    sent: 10,
    received: 7,
    lost: 3,
    drops: [{ node: 'r', nic: 'eth1', reason: 'WireLoss', count: 3 }],
  }
  expect(seeRun([flow] as unknown as FlowResult[])).toBe(
    '7 of 10 datagrams arrived. Most was dropped at r.eth1: WireLoss, 3 packets of f.',
  )
  expect(seeRun([{ ...flow, drops: [], received: 10, lost: 0 }] as unknown as FlowResult[])).toBe(
    '10 of 10 datagrams arrived.',
  )
  expect(seeRun([])).toBe('')
})
