/** The time at which all views are, and the datagram that they show. */
import { batch } from '@preact/signals'
import type { Change } from './difference.ts'
import * as state from './state.ts'

export function seek(time: number): void {
  const bounded = Math.max(0, Math.min(time, state.duration.value))
  state.time.value = bounded
  state.calmTime.value = bounded
}

/** Selects a datagram; when it is not there at this time, the time goes to where it is. */
export function select(id: number, at?: number): void {
  const model = state.model.value
  if (model === null || id < 1 || id > model.run.datagrams.time.length) return
  batch(() => {
    state.selection.value = { kind: 'packet', id }
    if (at !== undefined) return seek(at)
    const times = [...model.eventsOf(id)].map((row) => model.run.events.time[row] as number)
    const [first = 0, last = first] = [times[0], times.at(-1)]
    if (state.time.value < first || state.time.value > last) seek(first)
  })
}

/**
 * Selects the next datagram that fares otherwise since the last change, of all or of one kind; behind
 * the last the first.
 */
export function nextChanged(kind?: Change): void {
  const selected = state.selection.value
  const ids = [...(state.difference.value?.datagrams ?? [])]
    .filter(([, change]) => kind === undefined || change === kind)
    .map(([id]) => id)
  const id = ids.find((each) => selected?.kind === 'packet' && each > selected.id) ?? ids[0]
  if (id !== undefined) select(id, state.model.value?.run.datagrams.time[id - 1])
}
