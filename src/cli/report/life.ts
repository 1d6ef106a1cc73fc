/**
 * The life of a datagram as hops: each frame from where it left to where it arrived or was lost.
 */

import type { Datagram } from '../../network/observe/datagram.ts'
import type { Summary } from '../../network/observe/ip-frame.ts'

/**
 * When something happened, in milliseconds of simulated time, and as which event of its datagram's
 * life.
 */
export interface Moment {
  readonly node: string
  readonly time: number
  readonly order: number
}

/** A frame on its way from one node to the next. */
export interface Hop {
  readonly nic: string
  readonly start: Moment
  /** A node to which the cable leads. */
  readonly toward: string | undefined
  /** As it left; of a frame that is no IP packet any more, the datagram's. */
  readonly packet: Summary
  /** Whether it had to wait in a queue. */
  queued: boolean
  /** When its last bit had left; `null` when that is not told. */
  left: number | null
  /** A bit was flipped on this wire, or so many before that the frame is no IP packet any more. */
  corrupted: boolean
  /**
   * Frames that it is on the wire, and how many of them are known to have arrived or to be lost.
   */
  copies: number
  ends: number
  /** More than one for copies, and on a wire with many ends. */
  readonly arrivals: Moment[]
  lost: (Moment & { reason: string }) | null
}

export interface Life {
  readonly hops: Hop[]
  /** What was discarded within a node. */
  readonly drops: (Moment & { reason: string })[]
}

/** The nodes to which a cable leads. */
export type Neighbors = (node: string, nic: string) => readonly string[]

export function lifeOf({ events, packet: whole }: Datagram, neighbors: Neighbors): Life {
  const hops: Hop[] = []
  const drops: Life['drops'] = []
  /**
   * Copies that go onto the wire now, by nic: a second one is a duplicate, not a frame that has
   * waited.
   */
  const copies = new Map<string, number>()
  for (const [order, { time, node, nic, what, packet, reason }] of events.entries()) {
    const moment = { node, time, order }
    const own = (hop: Hop) => hop.start.node === node && hop.nic === nic
    const waiting = (hop: Hop) => own(hop) && hop.left === null && hop.lost === null && hop.arrivals.length === 0
    const last = hops.findLast(own)
    if (what === 'sent' || what === 'forwarded') {
      const [toward] = neighbors(node, nic)
      const fate = {
        queued: false,
        left: null,
        corrupted: packet === null,
        copies: 1,
        ends: 0,
        arrivals: [],
        lost: null,
      }
      hops.push({ nic, start: moment, toward, packet: packet ?? whole, ...fate })
    } else if (what === 'queued' && last !== undefined) last.queued = true
    else if (what === 'corrupted') {
      const hop = hops.find(waiting)
      if (hop !== undefined) hop.corrupted = true
    } else if (what === 'duplicated') {
      copies.set(`${node} ${nic}`, 2)
      const hop = hops.find(waiting)
      if (hop !== undefined) hop.copies = 2
    } else if (what === 'delayed') {
      const copy = copies.get(`${node} ${nic}`) ?? 0
      copies.set(`${node} ${nic}`, Math.max(0, copy - 1))
      const hop = copy === 1 ? undefined : hops.find(waiting)
      if (hop !== undefined) hop.left = time
    } else if (what === 'arrived') {
      const hop = arriving(hops, node, packet, neighbors)
      if (hop === undefined) continue
      hop.arrivals.push(moment)
      hop.ends++
      hop.left ??= time
    } else if (what === 'dropped') {
      const reasoned = { ...moment, reason: reason as string }
      const hop = nic === '' ? undefined : lostHop(hops, node, nic, order, neighbors)
      if (hop === undefined) drops.push(reasoned)
      else {
        hop.lost = reasoned
        hop.ends++
      }
    }
  }
  return { hops, drops }
}

/**
 * The frame that arrives: the same fragment, or a damaged one that no longer looks like it; else it
 * is a copy.
 */
function arriving(hops: readonly Hop[], node: string, packet: Summary | null, neighbors: Neighbors): Hop | undefined {
  const coming = hops.filter(
    ({ lost, copies, ends, start, nic }) =>
      (lost === null || ends < copies) && neighbors(start.node, nic).includes(node),
  )
  const fresh = ({ arrivals }: Hop) => !arrivals.some((each) => each.node === node)
  const damaged = coming.find((hop) => hop.corrupted && (fresh(hop) || hop.ends < hop.copies))
  if (packet === null) return damaged
  const same = coming.filter((hop) => offsetOf(hop.packet) === offsetOf(packet))
  return same.find((hop) => hop.left !== null && fresh(hop)) ?? same.find(fresh) ?? same[0] ?? damaged
}

/**
 * The frame that a nic lost: the one that it was just given, else the one that it has had longest,
 * else one that was coming to it.
 */
function lostHop(
  hops: readonly Hop[],
  node: string,
  nic: string,
  order: number,
  neighbors: Neighbors,
): Hop | undefined {
  const open = hops.filter(({ copies, ends }) => ends < copies)
  const leaving = open.filter(({ start, nic: other }) => start.node === node && other === nic)
  return (
    leaving.find(({ start }) => start.order === order - 1) ??
    leaving.find(({ left }) => left === null) ??
    leaving[0] ??
    open.find(({ start, nic: other }) => neighbors(start.node, other).includes(node))
  )
}

function offsetOf({ fragment }: Summary): number {
  return fragment?.offset ?? -1
}
