/** Everything that happened, as text, a line each: what a screen reader reads. */
import { useSignal, useSignalEffect } from '@preact/signals'
import { useEffect, useMemo, useRef } from 'preact/hooks'
import { DROPPED } from '../protocol.ts'
import { select } from '../state/cursor.ts'
import { type RunModel, upperBound } from '../state/model.ts'
import * as state from '../state/state.ts'
import { datagramText, eventText, timeText } from './words.ts'

const ROW = 22
/** Browsers lay out no element that is higher than this. */
const MOST_HEIGHT = 8_000_000

type Filter = 'all' | 'drops' | 'selected'

export function LogView() {
  const model = state.model.value
  const scroller = useRef<HTMLDivElement>(null)
  const top = useSignal(0)
  const height = useSignal(400)
  const filter = useSignal<Filter>('all')
  const selected = state.selection.value?.kind === 'packet' ? state.selection.value.id : 0
  const rows = useMemo(
    () => rowsOf(model, filter.value, selected),
    [model, filter.value, filter.value === 'selected' ? selected : 0],
  )
  const times = model?.run.events.time ?? new Float64Array(0)
  const current = rows.length === 0 ? -1 : lastAt(rows, times, state.calmTime.value)
  // A part of the page that is not shown has no height yet.
  useEffect(() => {
    const element = scroller.current
    if (element === null) return
    const observer = new ResizeObserver(() => {
      height.value = element.clientHeight
    })
    observer.observe(element)
    return () => observer.disconnect()
  }, [model === null])
  useSignalEffect(() => {
    const now = state.calmTime.value
    const element = scroller.current
    if (element === null || rows.length === 0 || height.value === 0) return
    const at = Math.max(0, lastAt(rows, times, now)) * ROW
    if (at < element.scrollTop || at > element.scrollTop + element.clientHeight - 2 * ROW)
      element.scrollTop = at - element.clientHeight / 3
  })
  if (model === null) return <p class="empty">No run yet.</p>
  const first = Math.max(0, Math.floor(top.value / ROW) - 4)
  const last = Math.min(rows.length, first + Math.ceil(height.value / ROW) + 8)
  return (
    <div class="log">
      <div class="bar" role="radiogroup" aria-label="Which lines">
        {(['all', 'drops', 'selected'] as const).map((each) => (
          <label key={each}>
            <input type="radio" name="log" checked={filter.value === each} onChange={() => (filter.value = each)} />
            {{ all: 'all', drops: 'drops', selected: 'the selected datagram' }[each]}
          </label>
        ))}
        <span class="muted">{rows.length.toLocaleString('en')} lines</span>
      </div>
      <div
        class="lines"
        ref={scroller}
        onScroll={(event) => {
          top.value = event.currentTarget.scrollTop
          height.value = event.currentTarget.clientHeight
        }}
        // A scrolled part must be reached by the keyboard.
        tabIndex={0}
        role="region"
        aria-label="Log"
      >
        <ol style={{ height: `${Math.min(MOST_HEIGHT, rows.length * ROW)}px` }}>
          {Array.from({ length: Math.max(0, last - first) }, (_, index) => {
            const place = first + index
            const row = rows[place] as number
            const id = model.run.events.datagram[row] as number
            const drop = model.run.events.what[row] === DROPPED
            return (
              <li
                key={row}
                style={{ top: `${place * ROW}px` }}
                class={place === current ? 'now' : place > current ? 'later' : ''}
              >
                <button
                  type="button"
                  class={`${drop ? 'bad' : ''}${id === selected ? ' selected' : ''}`}
                  onClick={() => select(id, times[row])}
                >
                  <time>{timeText(times[row] as number)}</time>
                  <b>{model.text(model.run.events.node[row] as number)}</b>
                  <span>{eventText(model, row)}</span>
                  <span class="muted">{datagramText(model, id)}</span>
                </button>
              </li>
            )
          })}
        </ol>
      </div>
    </div>
  )
}

function rowsOf(model: RunModel | null, filter: Filter, selected: number): ArrayLike<number> {
  if (model === null) return []
  if (filter === 'selected') return selected === 0 ? [] : model.eventsOf(selected)
  const { what } = model.run.events
  const rows = new Uint32Array(what.length)
  let count = 0
  for (let row = 0; row < what.length; row++) if (filter === 'all' || what[row] === DROPPED) rows[count++] = row
  return rows.subarray(0, count)
}

/** The place of the last line that has happened; -1 for none. */
function lastAt(rows: ArrayLike<number>, times: Float64Array, now: number): number {
  const end = upperBound(times, now)
  let [low, high] = [0, rows.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((rows[middle] as number) < end) low = middle + 1
    else high = middle
  }
  return low - 1
}
