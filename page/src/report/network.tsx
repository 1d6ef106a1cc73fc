/** The network of a report: all of it, as wide as the page, however many nodes there are. */
import type { Drawing, DrawnCable, Place } from '../../../src/cli/report/report-data.ts'
import { LINE } from '../draw/measures.ts'
import type { NodeKind, Topology, TopologyCable } from '../protocol.ts'
import { NodeShape } from '../views/shapes.tsx'

/** A drawing becomes smaller to fit, down to where its words are read no more. */
const LEAST_SCALE = 0.5

const WORDS: Partial<Record<NodeKind, string>> = { segment: 'wire', nat: 'router with NAT' }

export function Network({ topology, drawing }: { topology: Topology; drawing: Drawing | null }) {
  const { nodes, cables } = topology
  if (nodes.length === 0) return <p>No nodes.</p>
  if (drawing === null)
    return (
      <p>
        {nodes.length} nodes and {cables.length} cables: too many for a drawing.
      </p>
    )
  const { width, height } = drawing
  return (
    <>
      <div class="drawing scroll" tabIndex={0} role="region" aria-label="Topology">
        <svg
          class="topology"
          width={width}
          height={height}
          viewBox={`0 0 ${width} ${height}`}
          style={`min-width: ${Math.round(width * LEAST_SCALE)}px`}
          role="img"
          aria-label={`Topology: ${cables.map(({ ends }) => `${ends[0].node} – ${ends[1].node}`).join(', ')}`}
        >
          {cables.map((cable, index) => (
            <Cable
              cable={cable}
              drawn={drawing.cables[index] as DrawnCable}
              rankdir={drawing.rankdir}
              key={cable.index}
            />
          ))}
          {nodes.map((node, index) => (
            <NodeShape node={node} at={drawing.nodes[index] as Place} size={1} key={node.name} />
          ))}
          {drawing.cables.map((drawn, index) => (
            <CableWords {...drawn} key={index} />
          ))}
        </svg>
      </div>
      <Legend topology={topology} drawing={drawing} />
    </>
  )
}

function Cable({ cable, drawn, rankdir }: { cable: TopologyCable; drawn: DrawnCable; rankdir: Drawing['rankdir'] }) {
  const path = curve(drawn.points, rankdir)
  const { name, mtu, faults, loses, ends } = cable
  const way = (from: number, to: number, texts: readonly string[]) =>
    texts.length === 0 ? [] : [`${ends[from]?.node} to ${ends[to]?.node}: ${texts.join(', ')}`]
  return (
    <g class="cable" data-cable={cable.index}>
      <title aria-hidden="true">
        {[`${name}: MTU ${mtu}`, ...way(0, 1, faults[0]), ...way(1, 0, faults[1])].join('\n')}
      </title>
      <path class="grip" d={path} />
      <path class={`wire${loses ? ' loses' : ''}`} d={path} />
    </g>
  )
}

/** From bend to bend, at each of them in the direction of the drawing, so that there are no corners. */
function curve(points: readonly Place[], rankdir: Drawing['rankdir']): string {
  const steps = points.slice(1).map(([x, y], index) => {
    const [fromX, fromY] = points[index] as Place
    const [middleX, middleY] = [Math.round((fromX + x) / 2), Math.round((fromY + y) / 2)]
    return rankdir === 'LR'
      ? `C${middleX} ${fromY} ${middleX} ${y} ${x} ${y}`
      : `C${fromX} ${middleY} ${x} ${middleY} ${x} ${y}`
  })
  return `M${points[0]?.join(' ')}${steps.join('')}`
}

function CableWords({ at: [x, y], lines }: DrawnCable) {
  const top = y - ((lines.length - 1) * LINE) / 2 + 4
  return (
    <g class="words at-cable" aria-hidden="true">
      {lines.map(({ text, mark }, index) => (
        <text class={`small ${mark}`} x={x} y={top + index * LINE} key={index}>
          {text}
        </text>
      ))}
    </g>
  )
}

function Legend({ topology: { nodes, cables }, drawing }: { topology: Topology; drawing: Drawing }) {
  const kinds = [...new Set(nodes.map(({ kind }) => kind))]
  return (
    <p class="legend">
      {kinds.map((kind) => (
        <span key={kind}>
          <svg class="sample" width="46" height="22" viewBox="-46 -26 92 46" aria-hidden="true">
            <NodeShape node={{ name: '', kind, nics: [], does: [] }} at={[0, 0]} size={1} />
          </svg>{' '}
          {WORDS[kind] ?? kind}
        </span>
      ))}
      {cables.some(({ loses }) => loses) ? (
        <span>
          <svg class="sample" width="46" height="22" viewBox="0 0 46 22" aria-hidden="true">
            <g class="cable">
              <path class="wire loses" d="M2 11H44" />
            </g>
          </svg>{' '}
          loses or damages packets
        </span>
      ) : null}
      {cables.length === 0 ? null : <span>MTU {drawing.mtu} where no other is given</span>}
    </p>
  )
}
