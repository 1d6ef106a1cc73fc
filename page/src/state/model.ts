/** A run as the views ask for it: what is where at a time, and what belongs to a datagram. */
import { DELIVERED, DROPPED, type Program, type Run, type RunRequest } from '../protocol.ts'

/** Something that was discarded. `nic` is `''` within a node. */
export interface Dropped {
  readonly time: number
  readonly datagram: number
  readonly node: string
  readonly nic: string
  readonly reason: string
}

/** Fragments that wait at a host for the rest of their datagram. */
export interface Waiting {
  readonly node: string
  readonly datagram: number
  readonly arrivals: readonly number[]
  /** When the datagram is whole, or its fragments are discarded. */
  readonly until: number
}

export class RunModel {
  readonly run: Run
  /** What it is the run of. */
  readonly request: RunRequest
  /** When the last thing happened. */
  readonly end: number
  readonly drops: readonly Dropped[]
  /** By the name of the node. */
  readonly #waiting = new Map<string, Waiting[]>()
  /** Of each frame, the latest end of it and all before it. */
  readonly #latest: Float64Array
  /** Of a part of a run: the number in the run of each datagram. */
  readonly #numbers: readonly number[] | null
  #frameIndex: { readonly first: Uint32Array; readonly rows: Uint32Array } | null = null
  #eventIndex: { readonly first: Uint32Array; readonly rows: Uint32Array } | null = null

  constructor(run: Run, request: RunRequest, numbers: readonly number[] | null = null) {
    this.run = run
    this.#numbers = numbers
    this.request = request
    this.end = Math.max(run.time, run.events.time.at(-1) ?? 0)
    const { frames } = run
    this.#latest = new Float64Array(frames.start.length)
    let latest = Number.NEGATIVE_INFINITY
    for (let row = 0; row < frames.start.length; row++) {
      latest = Math.max(latest, this.frameEnd(row))
      this.#latest[row] = latest
    }
    this.drops = this.#findDrops()
    for (const each of this.#findWaiting())
      this.#waiting.set(each.node, [...(this.#waiting.get(each.node) ?? []), each])
  }

  text(place: number): string {
    return place < 0 ? '' : (this.run.texts[place] as string)
  }

  /** What a datagram is called. */
  numberOf(datagram: number): number {
    return this.#numbers?.[datagram - 1] ?? datagram
  }

  /** When the frame was gone from its wire; when it is not known, when it had left. */
  frameEnd(row: number): number {
    const { end, left } = this.run.frames
    const at = end[row] as number
    return Number.isNaN(at) ? (left[row] as number) : at
  }

  /** Calls `visit` for each frame that waits or is on its way at a time, in the order of leaving. */
  inFlight(time: number, visit: (row: number) => void): void {
    const { start } = this.run.frames
    const end = upperBound(start, time)
    for (let row = lowerBound(this.#latest, time); row < end; row++) if (this.frameEnd(row) > time) visit(row)
  }

  hasInFlight(time: number): boolean {
    let found = false
    this.inFlight(time, () => {
      found = true
    })
    return found
  }

  /** The fragments that wait at a node, now and then; mostly none ever do. */
  waitingAt(node: string): readonly Waiting[] {
    return this.#waiting.get(node) ?? []
  }

  /** The drops in the span before a time, and at it. */
  dropsIn(from: number, to: number): Dropped[] {
    const found: Dropped[] = []
    for (let i = this.drops.length - 1; i >= 0; i--) {
      const drop = this.drops[i] as Dropped
      if (drop.time < from) break
      if (drop.time <= to) found.push(drop)
    }
    return found
  }

  /** The next time at which something happens, or -1. */
  nextTime(time: number): number {
    const times = this.run.events.time
    const row = upperBound(times, time)
    return row < times.length ? (times[row] as number) : -1
  }

  timeBefore(time: number): number {
    const times = this.run.events.time
    const row = lowerBound(times, time)
    return row > 0 ? (times[row - 1] as number) : -1
  }

  framesOf(datagram: number): Uint32Array {
    this.#frameIndex ??= indexOf(this.run.frames.datagram, this.run.datagrams.time.length)
    return rowsOf(this.#frameIndex, datagram)
  }

  eventsOf(datagram: number): Uint32Array {
    this.#eventIndex ??= indexOf(this.run.events.datagram, this.run.datagrams.time.length)
    return rowsOf(this.#eventIndex, datagram)
  }

  /** The datagram of the same flow that was sent before or after one; 0 for none. */
  beside(datagram: number, step: 1 | -1): number {
    const { flow, causedBy } = this.run.datagrams
    const own = flow[datagram - 1]
    for (let row = datagram - 1 + step; row >= 0 && row < flow.length; row += step)
      if (flow[row] === own && ((causedBy[row] as number) === 0) === (causedBy[datagram - 1] === 0)) return row + 1
    return 0
  }

  /** The flow that a datagram is of; -1 for none, and for what was sent on account of another. */
  flowOf(datagram: number): number {
    const { flow, causedBy } = this.run.datagrams
    return (causedBy[datagram - 1] as number) > 0 ? -1 : (flow[datagram - 1] as number)
  }

  /** The lines that a program has said by a time; none for one that this run was without. */
  saidBy(program: Program, time: number): string[] {
    const place = this.request.programs?.indexOf(program) ?? -1
    return this.run.said.filter((each) => each.program === place && each.time <= time).map(({ line }) => line)
  }

  #findDrops(): Dropped[] {
    const { time, datagram, node, nic, what, reason } = this.run.events
    const found: Dropped[] = []
    for (let row = 0; row < what.length; row++)
      if (what[row] === DROPPED)
        found.push({
          time: time[row] as number,
          datagram: datagram[row] as number,
          node: this.text(node[row] as number),
          nic: this.text(nic[row] as number),
          reason: this.text(reason[row] as number),
        })
    return found
  }

  #findWaiting(): Waiting[] {
    const { frames, events } = this.run
    const groups = new Map<string, { node: number; datagram: number; arrivals: number[] }>()
    for (let row = 0; row < frames.offset.length; row++) {
      if ((frames.offset[row] as number) < 0 || (frames.reason[row] as number) >= 0) continue
      const [node, datagram, end] = [
        frames.to[row] as number,
        frames.datagram[row] as number,
        frames.end[row] as number,
      ]
      if (node < 0 || Number.isNaN(end)) continue
      const key = `${datagram} ${node}`
      const group = groups.get(key) ?? { node, datagram, arrivals: [] }
      groups.set(key, group)
      group.arrivals.push(end)
    }
    const found: Waiting[] = []
    if (groups.size === 0) return found
    for (let row = 0; row < events.what.length; row++) {
      const what = events.what[row]
      if (what !== DELIVERED && !(what === DROPPED && events.nic[row] === -1)) continue
      const group = groups.get(`${events.datagram[row]} ${events.node[row]}`)
      if (group === undefined) continue
      found.push({
        node: this.text(group.node),
        datagram: group.datagram,
        arrivals: group.arrivals.sort((a, b) => a - b),
        until: events.time[row] as number,
      })
    }
    return found
  }
}

/** The first place whose value is greater. */
export function upperBound(values: ArrayLike<number>, value: number): number {
  let [low, high] = [0, values.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((values[middle] as number) <= value) low = middle + 1
    else high = middle
  }
  return low
}

/** The first place whose value is not smaller. */
export function lowerBound(values: ArrayLike<number>, value: number): number {
  let [low, high] = [0, values.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((values[middle] as number) < value) low = middle + 1
    else high = middle
  }
  return low
}

/** The rows of each datagram, whose numbers begin at 1. */
function indexOf(
  datagrams: ArrayLike<number> & Iterable<number>,
  count: number,
): { first: Uint32Array; rows: Uint32Array } {
  const first = new Uint32Array(count + 2)
  for (const id of datagrams) first[id + 1] = (first[id + 1] as number) + 1
  for (let id = 1; id < first.length; id++) first[id] = (first[id] as number) + (first[id - 1] as number)
  const next = first.slice()
  const rows = new Uint32Array(datagrams.length)
  for (let row = 0; row < datagrams.length; row++) {
    const id = datagrams[row] as number
    rows[next[id] as number] = row
    next[id] = (next[id] as number) + 1
  }
  return { first, rows }
}

function rowsOf({ first, rows }: { first: Uint32Array; rows: Uint32Array }, id: number): Uint32Array {
  return rows.subarray(first[id], first[id + 1])
}
