/** All nodes and cables; of a large network a part in each task, so that the page answers meanwhile. */
import { useSignal } from '@preact/signals'
import { useEffect, useMemo } from 'preact/hooks'
import type { Frame } from '../draw/packets.ts'
import { type Point, readingOrder } from '../draw/places.ts'
import * as state from '../state/state.ts'
import { CableShape, NodeShape } from './shapes.tsx'

/** Nodes and cables that are drawn in one task. */
const PART = 200
/** Words of nodes that are smaller cannot be read, and cost as much as their nodes. */
const LEAST_WORDS = 0.3
/** Pixels around what is in sight: of a node's half, and its words. */
const AROUND = 120

export function Shapes({
  places,
  frame,
  room: [width, height],
}: {
  places: ReadonlyMap<string, Point>
  frame: Frame
  room: readonly [number, number]
}) {
  const { nodes, cables } = state.topology.value
  const drawn = useSignal(PART)
  useEffect(() => {
    if (drawn.value >= nodes.length + cables.length) return
    const timer = setTimeout(() => {
      drawn.value += PART
    })
    return () => clearTimeout(timer)
  })
  const order = useMemo(() => readingOrder(places), [places])
  const byName = useMemo(() => new Map(nodes.map((node) => [node.name, node])), [nodes])
  const isInSight = ([x, y]: Point) =>
    x + frame.x > -AROUND && x + frame.x < width + AROUND && y + frame.y > -AROUND && y + frame.y < height + AROUND
  return (
    <>
      <g>
        {cables.slice(0, Math.max(0, drawn.value - nodes.length)).map((cable) => {
          const [a, b] = [places.get(cable.ends[0].node), places.get(cable.ends[1].node)]
          return a === undefined || b === undefined ? null : (
            <CableShape cable={cable} a={a} b={b} size={frame.size} key={`${cable.index}`} />
          )
        })}
      </g>
      <g>
        {order.slice(0, drawn.value).map((name) => {
          const [node, at] = [byName.get(name), places.get(name) as Point]
          return node === undefined ? null : (
            <NodeShape
              node={node}
              at={at}
              size={frame.size}
              words={frame.size >= LEAST_WORDS && isInSight(at)}
              key={name}
            />
          )
        })}
      </g>
    </>
  )
}
