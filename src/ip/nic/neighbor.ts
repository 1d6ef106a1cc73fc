/** One neighbor: a host on a link, its hardware address, and what waits until that is known. */
import type { Address } from '../../base/address.ts'
import type { Timer } from '../../base/clock.ts'
import type { Packet } from '../../base/packet.ts'

export type NeighborState = 'INCOMPLETE' | 'REACHABLE' | 'STALE' | 'DELAY' | 'PROBE' | 'FAILED' | 'PERMANENT'

/** A packet that waits for its neighbor's address. */
export interface Held {
  readonly bytes: Uint8Array
  readonly checksumState: Packet['checksumState']
  readonly trace: number
}

export class Neighbor {
  readonly address: Address
  state: NeighborState = 'INCOMPLETE'
  /** The hardware address; meaningless while INCOMPLETE or FAILED. */
  high = 0
  low = 0
  /** It says of itself that it is a router (RFC 4861 section 4.4). */
  isRouter = false
  /** When its state or its hardware address was last another one (Linux: neigh->updated). */
  updated: number
  /**
   * Whether a packet was ever sent to it, answers about our address aside: else it is known from
   * what it asked alone.
   */
  isUsed = false
  /** Solicitations sent since the last confirmation. */
  probes = 0
  timer: Timer | null = null
  /** Packets that wait, and what they cost in bytes; `waiting-packets.ts` keeps both. */
  held: Held[] = []
  heldBytes = 0
  /** Its place among those that may be given up; `neighbor-collector.ts` keeps it. */
  list: NeighborList | null = null
  previous: Neighbor | null = null
  next: Neighbor | null = null

  constructor(address: Address, now: number) {
    this.address = address
    this.updated = now
  }

  /** Whether a packet may go out with the hardware address that is known. */
  get isValid(): boolean {
    return this.state !== 'INCOMPLETE' && this.state !== 'FAILED'
  }
}

/** Neighbors in the order in which they were added; each is in one list at most. */
export class NeighborList {
  first: Neighbor | null = null
  #last: Neighbor | null = null

  add(neighbor: Neighbor): void {
    neighbor.list = this
    neighbor.previous = this.#last
    if (this.#last === null) this.first = neighbor
    else this.#last.next = neighbor
    this.#last = neighbor
  }

  remove(neighbor: Neighbor): void {
    if (neighbor.previous === null) this.first = neighbor.next
    else neighbor.previous.next = neighbor.next
    if (neighbor.next === null) this.#last = neighbor.previous
    else neighbor.next.previous = neighbor.previous
    neighbor.list = neighbor.previous = neighbor.next = null
  }
}
