/** The network: nodes and cables as SVG, packets painted over them, all by mouse and keyboard. */
import { useSignal, useSignalEffect } from '@preact/signals'
import { useEffect, useMemo, useRef } from 'preact/hooks'
import { tenth } from '../draw/axis.ts'
import { shortened } from '../draw/measures.ts'
import { type Frame, paint, type Target, waysOf } from '../draw/packets.ts'
import { besideOf, type Point } from '../draw/places.ts'
import { place } from '../state/actions.ts'
import { actingQueues } from '../state/codel.ts'
import { select } from '../state/cursor.ts'
import type { Change } from '../state/difference.ts'
import {
  addNode,
  settled as all,
  beginConnecting,
  connectTo,
  focusNode,
  isTool,
  removeSelected,
  TOOLS,
} from '../state/drawing.ts'
import * as state from '../state/state.ts'
import { CableNow } from './cable-now.tsx'
import { DifferenceLine } from './difference.tsx'
import { Pinch, type Zoom, zoomedAt } from './gestures.ts'
import { Shapes } from './network-shapes.tsx'

const NONE: ReadonlyMap<number, Change> = new Map()

export function TopologyView() {
  const { nodes } = state.topology.value
  const root = useRef<HTMLDivElement>(null)
  const canvas = useRef<HTMLCanvasElement>(null)
  const targets = useRef<Target[]>([])
  const colors = useRef<ReturnType<typeof colorsOf> | null>(null)
  const size = useSignal<[number, number]>([0, 0])
  const moved = useSignal<{ name: string; point: Point } | null>(null)
  const pinch = useRef(new Pinch())
  /** The cable to which one points. */
  const hovered = useSignal<number | null>(null)
  /** How the user has moved the drawing; `null` shows all of it. */
  const shifted = useSignal<Zoom | null>(null)
  const isUpright = size.value[1] > size.value[0] * 1.2
  const settled = useMemo(() => turned(all.value, isUpright), [all.value, isUpright])
  const drawn = moved.value === null ? settled : new Map(settled).set(moved.value.name, moved.value.point)
  const zoom = shifted.value ?? fitted(settled, size.value)
  // Distances grow with the room that there is; nodes and words do not.
  const formerly = useRef<ReadonlyMap<string, Point>>(new Map())
  const places = useMemo(() => scaled(drawn, zoom.scale, formerly.current), [drawn, zoom.scale])
  formerly.current = places
  const frame: Frame = { x: zoom.x, y: zoom.y, size: Math.min(1, zoom.scale) }
  const ways = useMemo(() => waysOf(state.topology.value, places), [state.topology.value, places])
  const latest = useRef({ ways, frame })
  latest.current = { ways, frame }

  useEffect(() => {
    const element = root.current as HTMLDivElement
    const observer = new ResizeObserver(() => {
      size.value = [element.clientWidth, element.clientHeight]
    })
    observer.observe(element)
    return () => observer.disconnect()
  }, [])

  const draw = () => {
    const element = canvas.current
    if (element === null) return
    const [width, height] = size.value
    const ratio = globalThis.devicePixelRatio
    if (element.width !== Math.round(width * ratio) || element.height !== Math.round(height * ratio)) {
      element.width = Math.round(width * ratio)
      element.height = Math.round(height * ratio)
    }
    const context = element.getContext('2d') as CanvasRenderingContext2D
    context.setTransform(ratio, 0, 0, ratio, 0, 0)
    context.clearRect(0, 0, width, height)
    const model = state.model.value
    if (model === null) return
    const theme = state.theme.value
    if (colors.current?.theme !== theme) colors.current = colorsOf(element, theme)
    const { font, good, bad, ink, paper } = colors.current
    context.font = font
    context.textAlign = 'center'
    context.textBaseline = 'middle'
    const selected = state.selection.value
    targets.current = paint(context, model, latest.current.ways, state.time.value, latest.current.frame, {
      selected: selected?.kind === 'packet' ? selected.id : 0,
      recent: state.speed.value * 1.2,
      acting: actingQueues(model, state.topology.peek(), state.time.value),
      changes: state.difference.value?.datagrams ?? NONE,
      good,
      bad,
      ink,
      paper,
    })
  }
  useSignalEffect(() => {
    void [state.time.value, state.model.value, state.selection.value, state.theme.value, size.value, state.speed.value]
    void state.difference.value
    draw()
  })
  useEffect(draw)

  const toDrawing = (event: { clientX: number; clientY: number }): Point => {
    const box = (root.current as HTMLDivElement).getBoundingClientRect()
    return [(event.clientX - box.left - zoom.x) / zoom.scale, (event.clientY - box.top - zoom.y) / zoom.scale]
  }
  const pressed = (event: PointerEvent) => {
    if (event.button !== 0) return
    pinch.current.down(event.pointerId, onPaper(event))
    if (pinch.current.isOn) {
      moved.value = null
      return
    }
    const begun = toDrawing(event)
    const name = (event.target as Element).closest<SVGElement>('[data-node]')?.dataset.node
    const element = event.currentTarget as HTMLElement
    let far = false
    let isPinched = false
    const from = { x: event.clientX, y: event.clientY }
    const move = (next: PointerEvent) => {
      // What was begun by one finger ends with the second.
      isPinched ||= pinch.current.isOn
      far ||= isPinched
      if (isPinched) return
      if (!far && Math.hypot(next.clientX - from.x, next.clientY - from.y) < 4) return
      far = true
      if (state.connecting.value !== null) return
      const now = toDrawing(next)
      const own = name === undefined ? undefined : settled.get(name)
      if (name !== undefined && own !== undefined)
        moved.value = { name, point: [Math.round(own[0] + now[0] - begun[0]), Math.round(own[1] + now[1] - begun[1])] }
      else shifted.value = { ...zoom, x: zoom.x + next.clientX - from.x, y: zoom.y + next.clientY - from.y }
    }
    const up = (next: PointerEvent) => {
      element.removeEventListener('pointermove', move)
      element.removeEventListener('pointerup', up)
      const change = moved.value
      if (change !== null) {
        // The others stay where they are.
        const all = Object.fromEntries([...settled, [change.name, change.point]])
        moved.value = null
        shifted.value = zoom
        return place(all)
      }
      if (far && state.connecting.value !== null) {
        const over = document.elementFromPoint(next.clientX, next.clientY)?.closest<SVGElement>('[data-node]')
          ?.dataset.node
        if (over !== undefined && over !== state.connecting.value) return void connectTo(over)
      }
      if (!far) clicked(next, name)
    }
    if (name !== undefined && state.tool.value === 'connect' && state.connecting.value === null) beginConnecting(name)
    element.addEventListener('pointermove', move)
    element.addEventListener('pointerup', up)
  }
  const clicked = (event: PointerEvent, name: string | undefined) => {
    const tool = state.tool.value
    if (isTool(tool)) {
      // What was placed by hand stays where it is on the screen.
      shifted.value = zoom
      return void addNode(tool, toDrawing(event), settled)
    }
    const box = (root.current as HTMLDivElement).getBoundingClientRect()
    const [x, y] = [event.clientX - box.left, event.clientY - box.top]
    if (name === undefined) {
      const hit = nearestOf(targets.current, x, y)
      if (hit !== undefined) return select(hit.datagram)
    }
    if (name !== undefined) {
      if (state.connecting.value !== null && state.connecting.value !== name) return void connectTo(name)
      if (state.connecting.value === null) state.selection.value = { kind: 'node', name }
      return
    }
    const cable = (event.target as Element).closest<SVGElement>('[data-cable]')?.dataset.cable
    state.selection.value = cable === undefined ? null : { kind: 'cable', index: Number(cable) }
  }
  const onPaper = (event: { clientX: number; clientY: number }) => {
    const box = (root.current as HTMLDivElement).getBoundingClientRect()
    return { x: event.clientX - box.left, y: event.clientY - box.top }
  }
  const wheel = (event: WheelEvent) => {
    event.preventDefault()
    shifted.value = zoomedAt(zoom, onPaper(event), zoom.scale * Math.exp(-event.deltaY / 400))
  }
  const pinched = (event: PointerEvent) => {
    const changed = pinch.current.moved(event.pointerId, onPaper(event), shifted.value ?? zoom)
    if (changed !== null) shifted.value = changed
  }
  const lifted = (event: PointerEvent) => pinch.current.up(event.pointerId)
  const pointed = (event: Event) => {
    const cable = (event.target as Element).closest<SVGElement>('[data-cable]')?.dataset.cable
    hovered.value = cable === undefined ? null : Number(cable)
  }
  const keys = (event: KeyboardEvent) => {
    const element = (event.target as Element).closest<SVGElement>('[data-node],[data-cable]')
    const name = element?.dataset.node
    if (event.key === 'Enter' || event.key === ' ') {
      if (element === null) return
      event.preventDefault()
      event.stopPropagation()
      if (name === undefined) state.selection.value = { kind: 'cable', index: Number(element.dataset.cable) }
      else if (state.connecting.value !== null && state.connecting.value !== name) void connectTo(name)
      else state.selection.value = { kind: 'node', name }
    } else if (event.key.startsWith('Arrow') && name !== undefined) {
      // Along a cable, where one leads; time is moved by arrows from everywhere else.
      event.preventDefault()
      event.stopPropagation()
      const beside = besideOf(name, event.key, state.topology.value, places)
      if (beside !== undefined) focusNode(beside)
    } else if (event.key === 'Delete' || event.key === 'Backspace') {
      if (name !== undefined) state.selection.value = { kind: 'node', name }
      else if (element !== null) state.selection.value = { kind: 'cable', index: Number(element.dataset.cable) }
      void removeSelected()
    } else if (event.key === 'c' && name !== undefined && !event.ctrlKey && !event.metaKey) {
      event.stopPropagation()
      if (state.connecting.value === null) beginConnecting(name)
      else if (state.connecting.value !== name) void connectTo(name)
    }
  }
  return (
    <section class="topology" aria-label="Network">
      <Tools whole={() => (shifted.value = null)} isShifted={shifted.value !== null} places={settled} />
      <div
        class={`drawing${isTool(state.tool.value) ? ' placing' : ''}`}
        ref={root}
        onPointerDown={pressed}
        onPointerMove={pinched}
        onPointerUp={lifted}
        onPointerCancel={lifted}
        onPointerLeave={lifted}
        onPointerOver={pointed}
        onFocusIn={pointed}
        onWheel={wheel}
        onKeyDown={keys}
      >
        <svg aria-label="The network's nodes and cables" role="group" width="100%" height="100%">
          <g transform={`translate(${tenth(frame.x)} ${tenth(frame.y)})`}>
            <Shapes places={places} frame={frame} room={size.value} />
          </g>
        </svg>
        <canvas ref={canvas} aria-hidden="true" />
        <DifferenceLine />
        {hovered.value === null ? null : <CableNow index={hovered.value} />}
        {nodes.length === 0 ? <Empty /> : null}
      </div>
    </section>
  )
}

function nearestOf(targets: readonly Target[], x: number, y: number): Target | undefined {
  let found: Target | undefined
  let best = 16
  for (const target of targets) {
    const distance = Math.hypot(target.x - x, target.y - y)
    if (distance < best) [best, found] = [distance, target]
  }
  return found
}

/** Asked for once in a theme: in each picture it would be a search through all rules of style. */
function colorsOf(element: Element, theme: string) {
  const style = getComputedStyle(element)
  const color = (name: string) => style.getPropertyValue(name)
  return {
    theme,
    font: `12px ${style.fontFamily}`,
    good: color('--good'),
    bad: color('--bad'),
    ink: color('--ink'),
    paper: color('--paper'),
  }
}

/** A node that stays where it was has the same place, by which its shape knows that nothing changes. */
function scaled(
  places: ReadonlyMap<string, Point>,
  scale: number,
  formerly: ReadonlyMap<string, Point>,
): ReadonlyMap<string, Point> {
  return new Map(
    [...places].map(([name, point]) => {
      const [x, y] = [tenth(point[0] * scale), tenth(point[1] * scale)]
      const former = formerly.get(name)
      return [name, former?.[0] === x && former[1] === y ? former : [x, y]]
    }),
  )
}

/** Where the room is higher than wide, what led to the right leads down. */
function turned(places: ReadonlyMap<string, Point>, isUpright: boolean): ReadonlyMap<string, Point> {
  if (!isUpright || Object.keys(state.places.value).length > 0) return places
  return new Map([...places].map(([name, [x, y]]) => [name, [y * 1.9, x * 0.75] as Point]))
}

/** The whole drawing in the middle of the room that there is. */
function fitted(places: ReadonlyMap<string, Point>, [width, height]: readonly [number, number]): Zoom {
  if (places.size === 0 || width === 0) return { x: width / 2, y: height / 2, scale: 1 }
  const xs = [...places.values()].map(([x]) => x)
  const ys = [...places.values()].map(([, y]) => y)
  const [left, right] = [Math.min(...xs), Math.max(...xs)]
  const [top, bottom] = [Math.min(...ys), Math.max(...ys)]
  const fit = (room: number, span: number) => (span === 0 ? 2.2 : Math.max(0.02, room) / span)
  // Nodes keep their size while they have room; when there is none, they shrink with all.
  const wide = Math.min(fit(width - 130, right - left), fit(height - 110, bottom - top), 2.2)
  const scale = wide >= 1 ? wide : Math.min(fit(width, right - left + 130), fit(height, bottom - top + 110), 1)
  return { scale, x: (width - (left + right) * scale) / 2, y: (height - (top + bottom) * scale) / 2 }
}

function Tools({
  whole,
  isShifted,
  places,
}: {
  whole: () => void
  isShifted: boolean
  places: ReadonlyMap<string, Point>
}) {
  const tool = state.tool.value
  return (
    <div class="tools" role="toolbar" aria-label="Draw">
      {TOOLS.map(({ name, key, label }) => (
        <button
          type="button"
          key={name}
          aria-pressed={tool === name}
          title={`${label}: click, then click in the drawing (key ${key} adds one at once)`}
          onClick={() => (state.tool.value = tool === name ? null : name)}
        >
          {label} <kbd>{key}</kbd>
        </button>
      ))}
      <button
        type="button"
        aria-pressed={tool === 'connect'}
        title="Cable: click two nodes, or draw from one to the other (key c at a node)"
        onClick={() => {
          state.connecting.value = null
          state.tool.value = tool === 'connect' ? null : 'connect'
        }}
      >
        cable <kbd>c</kbd>
      </button>
      <button type="button" disabled={places.size < 2} onClick={() => (state.dialog.value = 'flow')}>
        flow <kbd>t</kbd>
      </button>
      {isShifted ? (
        <button type="button" class="whole" onClick={whole}>
          show all
        </button>
      ) : null}
      {state.connecting.value !== null ? (
        <span class="hint">from {shortened(state.connecting.value)}: choose the other node (Esc ends)</span>
      ) : null}
    </div>
  )
}

function Empty() {
  return (
    <p class="empty">
      Nothing here yet. Press <kbd>h</kbd> for a host and <kbd>r</kbd> for a router, <kbd>c</kbd> to connect them, or{' '}
      <button type="button" class="link" onClick={() => (state.dialog.value = 'labs')}>
        open a lab
      </button>
      .
    </p>
  )
}
