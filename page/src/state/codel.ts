/**
 * Queues under CoDel (RFC 8289), as the frames of a run tell of them: how long each has waited when it
 * was taken out, and which were given up or marked. What the controller knows follows from these.
 */
import type { Plot } from '../../../src/cli/report/plot.ts'
import type { CodelLaw } from '../../../src/cli/report/topology.ts'
import { LOST, MARKED, type Topology } from '../protocol.ts'
import { lowerBound, type RunModel, upperBound } from './model.ts'

export interface CodelQueue {
  /** `modem.eth1` */
  readonly name: string
  readonly law: CodelLaw
  /** When each frame was taken out, in order, and how long it had waited; milliseconds. */
  readonly times: readonly number[]
  readonly waits: readonly number[]
  /** Whether a wait counts: it is not below the target, and more than a packet's bytes stay behind. */
  readonly above: readonly boolean[]
  /** Rows of those that were given up or marked. */
  readonly acts: readonly number[]
}

const made = new WeakMap<RunModel, readonly CodelQueue[]>()

/** Of all cables; those of the scenario, whatever its events change. */
export function codelQueues(model: RunModel, { cables }: Topology): readonly CodelQueue[] {
  const known = made.get(model)
  if (known !== undefined) return known
  const found = cables.flatMap(({ ends, mtu, codel = [] }) =>
    codel.flatMap((law, way) => {
      const end = ends[way as 0 | 1]
      return law === null || end.nic === '' ? [] : [queueOf(model, end.node, end.nic, law, mtu)]
    }),
  )
  made.set(model, found)
  return found
}

/** A queue keeps the order in which frames came. */
function queueOf(model: RunModel, node: string, nic: string, law: CodelLaw, mtu: number): CodelQueue {
  const { from, nic: nics, start, left, end, length, flags, reason } = model.run.frames
  const [times, waits, acts]: [number[], number[], number[]] = [[], [], []]
  const [fromPlace, nicPlace] = [model.run.texts.indexOf(node), model.run.texts.indexOf(nic)]
  const own: number[] = []
  /** When the wire is free: the last bit of the frame before has left. */
  let free = 0
  for (let row = 0; row < start.length; row++) {
    if (from[row] !== fromPlace || nics[row] !== nicPlace) continue
    const came = start[row] as number
    const isLost = ((flags[row] as number) & LOST) !== 0
    const isGivenUp = isLost && model.text(reason[row] as number) === 'WireCodel'
    // What found no room has never waited.
    if (isLost && !isGivenUp && (left[row] as number) <= came) continue
    const taken = isGivenUp ? (end[row] as number) : Math.max(came, free)
    if (isGivenUp || ((flags[row] as number) & MARKED) !== 0) acts.push(times.length)
    times.push(taken)
    waits.push(taken - came)
    own.push(row)
    if (!isGivenUp) free = left[row] as number
  }
  const above: boolean[] = []
  let behind = 0
  let next = 0
  for (const [place, time] of times.entries()) {
    for (; next < own.length && (start[own[next] as number] as number) <= time; next++)
      behind += length[own[next] as number] as number
    behind -= length[own[place] as number] as number
    above.push((waits[place] as number) >= law.target && behind > mtu)
  }
  return { name: `${node}.${nic}`, law, times, waits, above, acts }
}

/** What the controller is at: `CoDel, target 5 ms, interval 100 ms: …`. */
export function codelText({ law, times, waits, above, acts }: CodelQueue, time: number): string {
  const rules = `CoDel, target ${law.target} ms, interval ${law.interval} ms`
  const last = upperBound(times, time) - 1
  if (last < 0) return `${rules}: nothing has waited`
  const wait = `the last one out waited ${span(waits[last] as number)}`
  const verb = law.ecn ? 'marks' : 'drops'
  const below = above.lastIndexOf(false, last)
  const begun = acts[lowerBound(acts, below + 1)]
  const why = (waits[last] as number) < law.target ? 'below the target' : 'with hardly anything behind it'
  if (below === last) return `${rules}: ${wait}, ${why}; ${verb} none`
  if (begun === undefined || begun > last)
    return `${rules}: ${wait}, above the target for ${span(time - (times[below + 1] as number))}; ${verb} none yet`
  const count = upperBound(acts, last) - lowerBound(acts, below + 1)
  const next = acts[upperBound(acts, last)]
  const coming = next === undefined ? '' : `, the next in ${span((times[next] as number) - time)}`
  return `${rules}: ${wait}; ${verb} since ${span(times[begun] as number)}, ${count} by now${coming}`
}

/** The names of those in the dropping state (section 5.2), which a wait below the target ends. */
export function actingQueues(model: RunModel, topology: Topology, time: number): ReadonlySet<string> {
  return new Set(
    codelQueues(model, topology)
      .filter(({ times, above, acts }) => {
        const last = upperBound(times, time) - 1
        const begun = acts[lowerBound(acts, (last < 0 ? -1 : above.lastIndexOf(false, last)) + 1)]
        return begun !== undefined && begun <= last
      })
      .map(({ name }) => name),
  )
}

function span(time: number): string {
  return time >= 1000 ? `${(time / 1000).toFixed(2)} s` : `${time.toFixed(1)} ms`
}

/** Waits over time against the targets; `x` has the middles of the bins of all plots, in seconds. */
export function codelPlot(queues: readonly CodelQueue[], x: readonly number[]): Plot | null {
  const width = 1000 * ((x[1] ?? 0) - (x[0] ?? 0))
  const used = queues.filter(({ times }) => times.length > 0)
  if (used.length === 0 || !(width > 0)) return null
  const bin = (time: number) => Math.min(x.length - 1, Math.floor(time / width))
  const lines = used.flatMap(({ name, law, times, waits, acts }, color) => {
    const most = new Array<number | null>(x.length).fill(null)
    const acted = new Array<number | null>(x.length).fill(null)
    for (const [row, time] of times.entries()) most[bin(time)] = Math.max(most[bin(time)] ?? 0, waits[row] as number)
    for (const row of acts) acted[bin(times[row] as number)] = most[bin(times[row] as number)] as number
    return [
      { name: `wait at ${name}`, color, values: most },
      { name: `target of ${name}`, color, dashed: true, values: x.map(() => law.target) },
      {
        name: `${law.ecn ? 'marks' : 'drops'} at ${name}, ${acts.length} in all`,
        color: color + 4,
        values: acted,
        dots: true,
      },
    ]
  })
  const [first] = used
    .filter(({ acts }) => acts.length > 0)
    .map((queue) => ({ queue, at: queue.times[queue.acts[0] as number] as number }))
    .sort((a, b) => a.at - b.at)
  return {
    title: 'Wait in CoDel queues',
    note: `how long what left had waited, the longest of each bin of ${Number(width.toPrecision(6))} ms; dots where CoDel acts`,
    see:
      first === undefined
        ? 'CoDel lets all pass: nothing waits longer than its target for an interval.'
        : `At ${first.queue.name} CoDel ${first.queue.law.ecn ? 'marks' : 'gives up'} ${first.queue.acts.length} packets, ` +
          `the first at ${span(first.at)}, when waits had been above ${first.queue.law.target} ms for ` +
          `${first.queue.law.interval} ms.`,
    xLabel: 'time, s',
    yLabel: 'ms',
    group: 'time',
    x,
    lines,
  }
}
