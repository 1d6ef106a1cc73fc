/** Nodes and cables as they are drawn, in the page and in reports. */
import { HEIGHT, LINE, shortened, WIDTH, wordsOf } from '../draw/measures.ts'
import type { Point } from '../draw/places.ts'
import type { NodeKind, TopologyCable, TopologyNode } from '../protocol.ts'
import type { Waiting } from '../state/model.ts'
import * as state from '../state/state.ts'
import { type Translation, translationsOf } from '../state/translations.ts'
import { spanText } from './words.ts'

/** Of a NAT: what is shown of its mappings. */
const MOST_MAPPINGS = 3

/** What can be chosen and changed is a button; in a report it is a part of a picture. */
function asButton(name: string, isPressed: boolean) {
  return state.isFrozen.value
    ? {}
    : { tabindex: 0, role: 'button' as const, 'aria-pressed': isPressed, 'aria-label': name }
}

const CORNERS: Record<NodeKind, number> = { host: 3, router: 17, switch: 3, segment: 2, nat: 17, firewall: 17 }

/** With `words` beside it, where they can be read. */
export function NodeShape({
  node,
  at: [x, y],
  size,
  words = true,
}: {
  node: TopologyNode
  at: Point
  size: number
  words?: boolean
}) {
  const { name, kind, nics, does } = node
  const selected = state.selection.value
  const isSelected = selected?.kind === 'node' && selected.name === name
  const addresses = nics.flatMap((nic) => nic.addresses)
  const small = kind === 'segment'
  return (
    <>
      <g
        class={`node ${kind}${isSelected ? ' selected' : ''}${state.connecting.value === name ? ' from' : ''}`}
        data-node={name}
        transform={`translate(${x} ${y}) scale(${size})`}
        {...asButton(`${kind} ${name}${addresses.length > 0 ? `, ${addresses.join(', ')}` : ''}`, isSelected)}
      >
        <title aria-hidden="true">
          {[
            `${kind} ${name}`,
            ...does.map(({ text }) => text),
            ...nics.map((nic) => `${nic.name}: ${nic.addresses.join(', ')}`),
          ].join('\n')}
        </title>
        {small ? (
          <rect x={-WIDTH / 2} y={-3} width={WIDTH} height={6} rx={2} />
        ) : (
          <rect x={-WIDTH / 2} y={-HEIGHT / 2} width={WIDTH} height={HEIGHT} rx={CORNERS[kind]} />
        )}
        {kind === 'switch' ? <path d={`M${-WIDTH / 2 + 6} ${HEIGHT / 2 - 4}h${WIDTH - 12}`} /> : null}
        {does.map(({ mark }, place) => (
          <rect class="mark" x={markAt(place) - 18} y={-HEIGHT / 2 - 8} width={36} height={15} rx={7} key={mark} />
        ))}
      </g>
      {words ? (
        <g class="words" aria-hidden="true" transform={`translate(${x} ${y}) scale(${size})`}>
          <text y={small ? -8 : 0} class="name">
            {shortened(name, 12)}
          </text>
          <text y={small ? 18 : HEIGHT / 2 + 13} class="small">
            {addresses[0] === undefined
              ? kind === 'host' || kind === 'router'
                ? ''
                : kind
              : shortened(addresses[0], 18)}
          </text>
          {does.map(({ mark }, place) => (
            <text x={markAt(place)} y={-HEIGHT / 2 + 3.5} class="mark" key={mark}>
              {mark}
            </text>
          ))}
          <NodeNow name={name} />
        </g>
      ) : null}
    </>
  )
}

/** What is at a node at the cursor. Most have nothing ever, and are not drawn anew as time passes. */
function NodeNow({ name }: { name: string }) {
  const model = state.model.value
  if (model === null) return null
  const known = state.isFrozen.value ? [] : (translationsOf(model).get(name) ?? [])
  const all = model.waitingAt(name)
  return known.length + all.length === 0 ? null : <NodeWords known={known} all={all} />
}

function NodeWords({ known, all }: { known: readonly Translation[]; all: readonly Waiting[] }) {
  const now = state.calmTime.value
  const waiting = all.filter(({ arrivals, until }) => (arrivals[0] as number) <= now && now < until)
  const pieces = waiting.reduce((sum, { arrivals }) => sum + arrivals.filter((time) => time <= now).length, 0)
  const waitingSince = Math.min(...waiting.map(({ arrivals }) => arrivals[0] as number))
  const mappings = known.filter(({ time }) => time <= now)
  return (
    <>
      {mappings.slice(0, MOST_MAPPINGS).map(({ inside, outside }, row) => (
        <text y={HEIGHT / 2 + 13 + LINE * (row + 1)} class="small mapping" key={`${inside} ${outside}`}>
          {inside} ⇄ {outside}
        </text>
      ))}
      {mappings.length > MOST_MAPPINGS ? (
        <text y={HEIGHT / 2 + 13 + LINE * (MOST_MAPPINGS + 1)} class="small mapping">
          and {mappings.length - MOST_MAPPINGS} more
        </text>
      ) : null}
      {pieces > 0 ? (
        <text y={-HEIGHT / 2 - 8} class="small waiting">
          {pieces} {pieces === 1 ? 'fragment waits' : 'fragments wait'}, for {spanText(now - waitingSince)}
        </text>
      ) : null}
    </>
  )
}

/** The middle of a word on the upper edge of a node: the first is on the right. */
function markAt(place: number): number {
  return WIDTH / 2 - 16 - 40 * place
}

export function CableShape({ cable, a, b, size }: { cable: TopologyCable; a: Point; b: Point; size: number }) {
  const { index, name, mtu } = cable
  const selected = state.selection.value
  const isSelected = selected?.kind === 'cable' && selected.index === index
  const middle: Point = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2]
  const path = `M${a[0]} ${a[1]}L${b[0]} ${b[1]}`
  const isLit = state.lit.value === index
  const lines = wordsOf(cable, a[0] <= b[0] ? '→←' : '←→')
  return (
    <>
      <g
        class={`cable${isSelected ? ' selected' : ''}${isLit ? ' lit' : ''}`}
        data-cable={index}
        {...asButton(`cable ${name}, MTU ${mtu}${lines.length > 0 ? `, ${lines.join(', ')}` : ''}`, isSelected)}
      >
        <title aria-hidden="true">{[`${name}: MTU ${mtu}`, ...lines].join('\n')}</title>
        <path class="grip" d={path} />
        <path class={`wire${cable.loses ? ' loses' : ''}`} d={path} />
      </g>
      {size > 0.6 ? <CableWords cable={cable} from={a} to={b} at={middle} size={size} /> : null}
    </>
  )
}

/** The most important words, where packets pass. */
function CableWords({
  cable,
  from,
  to,
  at,
  size,
}: {
  cable: TopologyCable
  from: Point
  to: Point
  at: Point
  size: number
}) {
  const isUpright = Math.abs(to[1] - from[1]) > Math.abs(to[0] - from[0])
  const far = Math.hypot(to[0] - from[0], to[1] - from[1])
  const most = isUpright ? 24 : Math.max(10, Math.floor((far - WIDTH * size) / 5.2))
  const words = wordsOf(cable, from[0] <= to[0] ? '→←' : '←→')
  const lines = [...(cable.mtu === 1500 ? [] : [`MTU ${cable.mtu}`]), ...words].slice(0, 3)
  return (
    <g class="words" aria-hidden="true">
      {lines.map((line, index) => (
        <text
          aria-hidden="true"
          key={index}
          class="small"
          x={at[0] + (isUpright ? 14 : 0)}
          y={at[1] + (isUpright ? 4 + index * LINE : -25 - (lines.length - 1 - index) * LINE)}
          style={isUpright ? 'text-anchor: start' : ''}
        >
          {shortened(line, most)}
        </text>
      ))}
    </g>
  )
}
