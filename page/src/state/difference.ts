/** What a change has made of a run: which datagrams arrive that did not before, and the other way round. */
import { DELIVERED, type Run } from '../protocol.ts'

export type Change = 'gained' | 'lost'

export interface Difference {
  /** By the number of a datagram of the new run, in order: those that fare otherwise than before. */
  readonly datagrams: ReadonlyMap<number, Change>
  readonly gained: number
  readonly lost: number
  /** What flows had received before, by name. */
  readonly received: ReadonlyMap<string, number>
}

/**
 * The same datagram of two runs is the one that a flow of the same name has sent as its first,
 * second, …; what only one of the runs has is no difference.
 */
export function differenceOf(before: Run, now: Run): Difference {
  const former = new Map(fatesOf(before).map((fates, flow) => [before.flows[flow]?.name, fates]))
  const datagrams: [number, Change][] = []
  for (const [flow, fates] of fatesOf(now).entries()) {
    const own = former.get(now.flows[flow]?.name) ?? []
    for (const [place, { id, arrivals }] of fates.entries()) {
      const other = own[place]?.arrivals ?? arrivals
      if (other !== arrivals) datagrams.push([id, arrivals > other ? 'gained' : 'lost'])
    }
  }
  datagrams.sort(([a], [b]) => a - b)
  const gained = datagrams.filter(([, change]) => change === 'gained').length
  return {
    datagrams: new Map(datagrams),
    gained,
    lost: datagrams.length - gained,
    received: new Map(before.flows.map(({ name, received }) => [name, received])),
  }
}

interface Fate {
  readonly id: number
  /** Hosts that it was delivered to. */
  readonly arrivals: number
}

/** By flow: its datagrams in the order in which they were sent. */
function fatesOf({ flows, datagrams, events }: Run): Fate[][] {
  const arrivals = new Uint32Array(datagrams.time.length + 1)
  const latest = new Int32Array(arrivals.length).fill(-1)
  for (const [row, what] of events.what.entries()) {
    const id = events.datagram[row] as number
    // A copy that comes to the same host is no more than the first.
    if (what !== DELIVERED || latest[id] === events.node[row]) continue
    latest[id] = events.node[row] as number
    arrivals[id] = (arrivals[id] as number) + 1
  }
  const found: Fate[][] = flows.map(() => [])
  for (const [row, flow] of datagrams.flow.entries())
    if (datagrams.causedBy[row] === 0) found[flow]?.push({ id: row + 1, arrivals: arrivals[row + 1] as number })
  return found
}
