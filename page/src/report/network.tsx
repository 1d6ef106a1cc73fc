/** The network of a report: all of it, as large as it needs to be. */
import { inColumns, type Point, readingOrder } from '../draw/places.ts'
import type { NodeKind, Topology } from '../protocol.ts'
import { CableShape, HEIGHT, NodeShape, WIDTH } from '../views/shapes.tsx'

/** Above this a drawing would hide what it shows. */
const MOST_DRAWN = 200
/** Distances grow until the drawing is about so wide, for the words at the cables. */
const WANTED = 1060
const MOST_SCALE = 2.2
/** Above the first nodes there are words at their cables. */
const MARGIN = { x: WIDTH / 2 + 44, top: HEIGHT / 2 + 36, bottom: HEIGHT / 2 + 26 }

const WORDS: Partial<Record<NodeKind, string>> = { segment: 'wire' }

export function Network({ topology, first }: { topology: Topology; first: string | undefined }) {
  const { nodes, cables } = topology
  if (nodes.length === 0) return <p>No nodes.</p>
  if (nodes.length > MOST_DRAWN)
    return (
      <p>
        {nodes.length} nodes and {cables.length} cables: too many for a drawing.
      </p>
    )
  const laid = inColumns(topology, first)
  const xs = [...laid.values()].map(([x]) => x)
  const span = Math.max(...xs) - Math.min(...xs)
  const scale = span === 0 ? 1 : Math.max(1, Math.min(MOST_SCALE, (WANTED - 2 * MARGIN.x) / span))
  const places = new Map([...laid].map(([name, [x, y]]) => [name, [x * scale, y * Math.min(1.4, scale)] as Point]))
  const all = [...places.values()]
  const [left, right] = [Math.min(...all.map(([x]) => x)) - MARGIN.x, Math.max(...all.map(([x]) => x)) + MARGIN.x]
  const top = Math.min(...all.map(([, y]) => y)) - MARGIN.top
  const bottom = Math.max(...all.map(([, y]) => y)) + MARGIN.bottom
  const byName = new Map(nodes.map((node) => [node.name, node]))
  const kinds = [...new Set(nodes.map(({ kind }) => kind))]
  return (
    <>
      <div class="drawing scroll" tabIndex={0} role="region" aria-label="Topology">
        <svg
          class="topology"
          width={right - left}
          height={bottom - top}
          viewBox={`${left} ${top} ${right - left} ${bottom - top}`}
          role="img"
          aria-label={`Topology: ${cables.map(({ ends }) => `${ends[0].node} – ${ends[1].node}`).join(', ')}`}
        >
          {cables.map((cable) => (
            <CableShape cable={cable} places={places} size={1} key={cable.index} />
          ))}
          {readingOrder(places).map((name) => {
            const node = byName.get(name)
            return node === undefined ? null : (
              <NodeShape node={node} at={places.get(name) as Point} size={1} key={name} />
            )
          })}
        </svg>
      </div>
      <p class="legend">
        {kinds.map((kind) => (
          <span key={kind}>
            <svg class="sample" width="46" height="20" viewBox="-46 -20 92 40" aria-hidden="true">
              <NodeShape node={{ name: '', kind, nics: [] }} at={[0, 0]} size={1} />
            </svg>{' '}
            {WORDS[kind] ?? kind}
          </span>
        ))}
      </p>
    </>
  )
}
