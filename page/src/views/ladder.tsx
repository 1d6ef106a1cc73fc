/** The packet ladder around the cursor. */
import { useSignal, useSignalEffect } from '@preact/signals'
import { useEffect, useMemo, useRef } from 'preact/hooks'
import { readingOrder } from '../draw/places.ts'
import { settled } from '../state/drawing.ts'
import { type RunModel, upperBound } from '../state/model.ts'
import * as state from '../state/state.ts'
import { BESIDE, LadderLines, LadderNames, type Laid, lay, ROW, yAt } from './ladder-drawing.tsx'

/** Frames in a window, and by how many windows go on: they overlap. */
const WINDOW = 90
const STRIDE = 50
/** Pixels for the columns of a narrow screen, which scrolls. */
const LEAST_ROOM = 760
/** Milliseconds for which a window is shown, at least, while time passes by itself. */
const REST = 600

export function LadderView() {
  const model = state.model.value
  const scroller = useRef<HTMLDivElement>(null)
  const cursor = useRef<HTMLDivElement>(null)
  /** What is in sight, known without asking: the browser would lay the page out to answer. */
  const top = useRef(0)
  const height = useSignal(0)
  const width = useSignal(0)
  const window = useWindow()
  const order = useMemo(() => readingOrder(settled.value), [settled.value])
  const laid = useMemo(
    () => (model === null ? null : windowOf(model, order, window * STRIDE, width.value)),
    [model, order, window, width.value],
  )
  useEffect(() => {
    const element = scroller.current
    if (element === null) return
    const observer = new ResizeObserver(() => {
      height.value = element.clientHeight
      width.value = element.clientWidth
    })
    observer.observe(element)
    return () => observer.disconnect()
  }, [laid === null || laid.arrows.length === 0])
  useSignalEffect(() => {
    const time = state.time.value
    if (laid === null || cursor.current === null || scroller.current === null) return
    const y = yAt(laid.marks, time)
    cursor.current.style.transform = `translateY(${y}px)`
    const room = height.value
    if (room === 0 || (y >= top.current + 40 && y <= top.current + room - 60)) return
    top.current = Math.max(0, y - room * 0.45)
    scroller.current.scrollTop = top.current
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
    <div
      class="ladder"
      ref={scroller}
      tabIndex={0}
      role="region"
      aria-label="Ladder"
      onScroll={(event) => {
        top.current = event.currentTarget.scrollTop
      }}
    >
      <LadderNames laid={laid} />
      <div class="at-cursor" ref={cursor} style={{ width: `${laid.width}px` }} />
      <svg
        width={laid.width}
        height={laid.height}
        role="img"
        aria-label="Packet ladder; the log has the same as text"
        onClick={atSeek}
      >
        <LadderLines laid={laid} model={model} selected={selected} />
      </svg>
    </div>
  )
}

/** The number of the window around the cursor, which is another one only where that can be followed. */
function useWindow(): number {
  const shown = useSignal(0)
  const since = useRef(0)
  useSignalEffect(() => {
    const model = state.model.value
    const row = model === null ? 0 : upperBound(model.run.frames.start, state.calmTime.value) - 1
    const around = Math.max(0, Math.floor((row - STRIDE / 2) / STRIDE))
    if (around === shown.peek()) return
    const now = performance.now()
    if (state.isPlaying.value && now - since.current < REST) return
    since.current = now
    shown.value = around
  })
  return shown.value
}

/** The frames from one on, and what was discarded within nodes meanwhile. */
function windowOf(model: RunModel, order: readonly string[], first: number, width: number): Laid {
  const { start } = model.run.frames
  const length = Math.max(0, Math.min(start.length - first, WINDOW))
  const rows = Array.from({ length }, (_, index) => first + index)
  const [begin, end] = [start[first] ?? 0, Math.max(...rows.map((row) => model.frameEnd(row)), 0)]
  return lay(model, order, rows, ({ time }) => time >= begin && time <= end, Math.max(LEAST_ROOM, width - BESIDE))
}
