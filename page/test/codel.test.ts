/** What the page says of CoDel, beside RFC 8289 and the run's own counts. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import type { Loaded } from '../src/protocol.ts'
import { actingQueues, codelPlot, codelQueues, codelText } from '../src/state/codel.ts'
import { RunModel } from '../src/state/model.ts'
import { ScenarioEngine } from '../src/worker/engine.ts'

vi.stubGlobal('document', { documentElement: { dataset: {} } })

const FOLDER = join(import.meta.dirname, '..', '..', 'examples', 'scenarios')

async function modelOf(text: string) {
  const engine = new ScenarioEngine(() => {})
  const { topology } = (await engine.load(text)) as Exclude<Loaded, { fault: unknown }>
  const run = await engine.run({ text })
  return { topology, run, model: new RunModel(run, { text }) }
}

test('waits, drops and the law of a queue under CoDel are those of the run', async () => {
  const text = readFileSync(join(FOLDER, 'bufferbloat-codel.yaml'), 'utf8')
  const { topology, run, model } = await modelOf(text)
  const [queue, ...others] = codelQueues(model, topology)
  if (queue === undefined) throw new Error('There is no queue.')
  expect([queue.name, queue.law, others]).toEqual(['modem.eth1', { target: 5, interval: 100, ecn: false }, []])
  const given = run.flows.flatMap(({ drops }) => drops.filter(({ reason }) => reason === 'WireCodel'))
  expect(queue.acts).toHaveLength(given.reduce((sum, { count }) => sum + count, 0))
  // The first frame is given up when waits have been above the target for the interval, not before.
  const first = queue.acts[0] as number
  const above = queue.above.lastIndexOf(false, first) + 1
  const at = (row: number) => queue.times[row] as number
  expect(at(first) - at(above)).toBeGreaterThanOrEqual(100)
  expect(at(first - 1) - at(above)).toBeLessThan(100)
  // Then by the law of section 5.3: the next one behind interval / √1, the one after it behind interval / √2.
  for (const [place, gap] of [100, 100 / Math.SQRT2].entries())
    expect(Math.abs(at(queue.acts[place + 1] as number) - at(queue.acts[place] as number) - gap)).toBeLessThan(15)
  // Nothing leaves before it came, nor before what is in front of it.
  expect(queue.waits.every((wait) => wait >= 0)).toBe(true)
  expect(queue.times.every((time, row) => row === 0 || time >= at(row - 1))).toBe(true)

  expect(codelText(queue, -1)).toBe('CoDel, target 5 ms, interval 100 ms: nothing has waited')
  expect(codelText(queue, at(first) - 1)).toMatch(/above the target for \d+\.\d ms; drops none yet$/)
  expect(codelText(queue, at(first) + 1)).toMatch(/drops since [\d.]+ m?s, 1 by now, the next in [\d.]+ ms$/)
  expect([...actingQueues(model, topology, at(first) + 1)]).toEqual(['modem.eth1'])
  expect([...actingQueues(model, topology, at(first) - 1)]).toEqual([])

  const x = run.plots[0]?.x as readonly number[]
  const plot = codelPlot([queue], x)
  expect(plot?.lines.map(({ name, dashed, dots }) => [name, dashed === true, dots === true])).toEqual([
    ['wait at modem.eth1', false, false],
    ['target of modem.eth1', true, false],
    [`drops at modem.eth1, ${queue.acts.length} in all`, false, true],
  ])
  expect(Math.max(...(plot?.lines[0]?.values ?? []).map((value) => value ?? 0))).toBe(Math.max(...queue.waits))
  expect(plot?.see).toContain('the first at ')
})

test('marks stand in the place of drops where ECN is on; a network without CoDel has no such plot', async () => {
  const labs = join(import.meta.dirname, '..', 'labs')
  const { topology, model, run } = await modelOf(readFileSync(join(labs, 'ecn.yaml'), 'utf8'))
  const queues = codelQueues(model, topology)
  expect(queues.map(({ acts, law }) => [acts.length > 0, law.ecn])).toEqual([[true, true]])
  const marks = run.flows.flatMap((flow) => flow.marks).reduce((sum, { count }) => sum + count, 0)
  const drops = run.flows
    .flatMap((flow) => flow.drops)
    .filter(({ reason }) => reason === 'WireCodel')
    .reduce((sum, { count }) => sum + count, 0)
  expect(queues[0]?.acts).toHaveLength(marks + drops)
  const plain = await modelOf(readFileSync(join(FOLDER, 'pmtu-black-hole.yaml'), 'utf8'))
  expect(codelPlot(codelQueues(plain.model, plain.topology), [1, 2])).toBeNull()
})
