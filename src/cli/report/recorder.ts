/**
 * What a report keeps of a run: the times of each flow's datagrams, how many frames wait where, and
 * the lives that the ladder shows.
 */

import type { Datagram } from '../../network/observe/datagram.ts'
import type { RunWatcher } from '../../network/scenario/flow.ts'
import { type Life, lifeOf, type Neighbors } from './life.ts'

/**
 * By the datagram's number; `undefined` where one was not sent, or did not arrive. Milliseconds,
 * bytes of payload.
 */
export interface FlowRecord {
  readonly sent: number[]
  readonly lengths: number[]
  readonly arrived: number[]
}

/** A datagram for the ladder; `flow` is -1 for none. */
export interface Recorded {
  readonly datagram: Datagram
  readonly flow: number
  readonly life: Life
}

/**
 * A datagram that was the first to be dropped at some place for some reason, and those that it
 * caused.
 */
export interface Example {
  /** `WireLoss at r1.eth0` */
  readonly kinds: readonly string[]
  readonly recorded: Recorded[]
}

/** Datagrams that are kept as examples of drops. */
const EXAMPLES = 8

export class Recorder implements RunWatcher {
  readonly onlyNotes = true
  readonly flows: readonly FlowRecord[]
  /** The datagrams that were sent first. */
  readonly first: Recorded[] = []
  readonly examples: Example[] = []
  /** By nic, `node.eth0`: when a frame begins to wait (1) and when its last bit has left (-1). */
  readonly waiting = new Map<string, { time: number; change: number }[]>()
  /** All frames on all links; a frame counts on each. */
  frames = 0
  datagrams = 0
  readonly #limit: number
  readonly #neighbors: Neighbors
  #firstFrames = 0
  readonly #seen = new Set<string>()
  readonly #exampleOf = new Map<number, Example>()

  /** Keeps the lives of the first datagrams until they have `limit` frames. */
  constructor(flows: number, limit: number, neighbors: Neighbors) {
    this.flows = Array.from({ length: flows }, () => ({ sent: [], lengths: [], arrived: [] }))
    this.#limit = limit
    this.#neighbors = neighbors
  }

  /** Frames of the datagrams in `first`. */
  get firstFrames(): number {
    return this.#firstFrames
  }

  sent(flow: number, number: number, time: number, length: number): void {
    const { sent, lengths } = this.flows[flow] as FlowRecord
    sent[number] = time
    lengths[number] = length
  }

  arrived(flow: number, number: number, time: number): void {
    ;(this.flows[flow] as FlowRecord).arrived[number] = time
  }

  ended(datagram: Datagram, flow: number): void {
    this.datagrams++
    let queued = false
    for (const { what } of datagram.events) {
      if (what === 'sent' || what === 'forwarded') this.frames++
      else if (what === 'queued') queued = true
    }
    const isFirst = this.#firstFrames < this.#limit
    const example =
      this.#limit === 0 ? undefined : (this.#exampleOf.get(datagram.causedBy) ?? this.#newExample(datagram, isFirst))
    if (!queued && !isFirst && example === undefined) return
    const life = lifeOf(datagram, this.#neighbors)
    if (queued) this.#wait(life)
    if (isFirst) {
      this.first.push({ datagram, flow, life })
      this.#firstFrames += life.hops.length
    }
    if (example !== undefined) {
      example.recorded.push({ datagram, flow, life })
      this.#exampleOf.set(datagram.id, example)
    }
  }

  /**
   * Of kinds of drops that have not been seen yet; `undefined` also for datagrams that the ladder
   * shows anyway.
   */
  #newExample({ events }: Datagram, isFirst: boolean): Example | undefined {
    const kinds: string[] = []
    for (const { what, node, nic, reason } of events) {
      if (what !== 'dropped') continue
      const kind = `${reason} at ${nic === '' ? node : `${node}.${nic}`}`
      if (this.#seen.has(kind)) continue
      this.#seen.add(kind)
      kinds.push(kind)
    }
    if (isFirst || kinds.length === 0 || this.examples.length === EXAMPLES) return undefined
    const example = { kinds, recorded: [] }
    this.examples.push(example)
    return example
  }

  #wait({ hops }: Life): void {
    for (const { queued, start, nic, left, lost } of hops) {
      const end = left ?? lost?.time
      if (!queued) continue
      const key = `${start.node}.${nic}`
      const changes = this.waiting.get(key) ?? []
      this.waiting.set(key, changes)
      changes.push({ time: start.time, change: 1 })
      if (end !== undefined) changes.push({ time: end, change: -1 })
    }
  }
}
