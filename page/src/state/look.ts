/** Finds in a run what a lab's step is about. */
import type { Look } from '../../labs/lab.ts'
import { CAUSED } from '../protocol.ts'
import type { RunModel } from './model.ts'

/** A datagram, 0 for none, and a time; `null` when the run has no such thing. */
export function found(
  model: RunModel,
  { drop, flow, nth = 1, effect, time }: Look,
): { id: number; time: number } | null {
  const { datagrams, events } = model.run
  let id = 0
  let at = time ?? 0
  if (drop !== undefined) {
    const first = model.drops.find(
      (each) => each.reason === drop && (flow === undefined || datagrams.flow[each.datagram - 1] === flow),
    )
    if (first === undefined) return null
    id = first.datagram
    at = time ?? first.time
  } else if (flow !== undefined) {
    let count = 0
    for (let row = 0; row < datagrams.flow.length && id === 0; row++)
      if (model.flowOf(row + 1) === flow && ++count === nth) id = row + 1
    if (id === 0) return null
    at = time ?? (datagrams.time[id - 1] as number)
  }
  if (effect === true) {
    const row = model.eventsOf(id).find((each) => events.what[each] === CAUSED)
    if (row === undefined) return null
    id = events.value[row] as number
    // Half way, where it can be seen.
    const [first] = model.framesOf(id)
    at =
      first === undefined
        ? (events.time[row] as number)
        : ((model.run.frames.start[first] as number) + model.frameEnd(first)) / 2
  }
  return { id, time: at }
}
