/** The packet ladder around the cursor. */
import { useSignalEffect } from '@preact/signals'
import { useMemo, useRef } from 'preact/hooks'
import { readingOrder } from '../draw/places.ts'
import { settled } from '../state/drawing.ts'
import { type RunModel, upperBound } from '../state/model.ts'
import * as state from '../state/state.ts'
import { LadderLines, LadderNames, type Laid, lay, ROW, yAt } from './ladder-drawing.tsx'

/** Frames in a window, and by how many windows go on: they overlap. */
const WINDOW = 90
const STRIDE = 50

export function LadderView() {
  const model = state.model.value
  const scroller = useRef<HTMLDivElement>(null)
  const cursor = useRef<SVGGElement>(null)
  const row = model === null ? 0 : Math.max(0, upperBound(model.run.frames.start, state.calmTime.value) - 1)
  const page = Math.max(0, Math.floor((row - STRIDE / 2) / STRIDE))
  const order = useMemo(() => readingOrder(settled.value), [settled.value])
  const laid = useMemo(() => (model === null ? null : windowOf(model, order, page * STRIDE)), [model, order, page])
  useSignalEffect(() => {
    const time = state.time.value
    if (laid === null || cursor.current === null || scroller.current === null) return
    const y = yAt(laid.marks, time)
    cursor.current.setAttribute('transform', `translate(0 ${y})`)
    const { scrollTop, clientHeight } = scroller.current
    if (y < scrollTop + 40 || y > scrollTop + clientHeight - 60) scroller.current.scrollTop = y - clientHeight * 0.45
  })
  if (model === null || laid === null) return <p class="empty">No run yet.</p>
  if (laid.arrows.length === 0) return <p class="empty">No frame was sent. Add a flow, or a ping from a host.</p>
  const selected = state.selection.value?.kind === 'packet' ? state.selection.value.id : 0
  const atSeek = (event: MouseEvent) => {
    const svg = event.currentTarget as SVGElement
    const y = event.clientY - svg.getBoundingClientRect().top
    const mark = laid.marks.findLast((each) => each.y <= y + ROW / 2) ?? laid.marks[0]
    if (mark !== undefined) {
      state.isPlaying.value = false
      state.time.value = mark.time
      state.calmTime.value = mark.time
    }
  }
  return (
    <div class="ladder" ref={scroller} tabIndex={0} role="region" aria-label="Ladder">
      <LadderNames laid={laid} />
      <svg
        width={laid.width}
        height={laid.height}
        role="img"
        aria-label="Packet ladder; the log has the same as text"
        onClick={atSeek}
      >
        <LadderLines laid={laid} model={model} selected={selected} />
        <g class="cursor" ref={cursor}>
          <path d={`M0 0H${laid.width}`} />
        </g>
      </svg>
    </div>
  )
}

/** The frames from one on, and what was discarded within nodes meanwhile. */
function windowOf(model: RunModel, order: readonly string[], first: number): Laid {
  const { start } = model.run.frames
  const length = Math.max(0, Math.min(start.length - first, WINDOW))
  const rows = Array.from({ length }, (_, index) => first + index)
  const [begin, end] = [start[first] ?? 0, Math.max(...rows.map((row) => model.frameEnd(row)), 0)]
  return lay(model, order, rows, ({ time }) => time >= begin && time <= end)
}
