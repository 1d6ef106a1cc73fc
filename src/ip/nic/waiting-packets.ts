/**
 * The packets of a stack that wait for neighbors' hardware addresses, and what they cost.
 *
 * Linux bounds them by neighbor (unres_qlen_bytes); a bound on all of them keeps a scan through a
 * router from filling the memory with a thousand such queues. Where one is reached, the oldest
 * packet gives way.
 */
import { Drop } from '../../base/drop.ts'
import { MemoryAccount } from '../../base/memory-account.ts'
import { HEADROOM, Packet } from '../../base/packet.ts'
import type { Counters } from '../counters.ts'
import type { Held, Neighbor } from './neighbor.ts'
import type { NeighborLimits } from './neighbor-limits.ts'

/** Packets that may wait for one neighbor. Linux: unres_qlen. */
const MAX_HELD = 101
/**
 * What a kept packet takes besides its bytes: the record, the array and its buffer, as a heap
 * snapshot shows them (Node 20).
 */
export const OVERHEAD = 256
/** Of how many neighbors that wait longest the one with most gives way when all is full. */
const CANDIDATES = 16

export class WaitingPackets {
  readonly #limits: NeighborLimits
  readonly #counters: Counters
  /** Neighbors that packets wait for, those that wait longest first. */
  readonly #neighbors = new Set<Neighbor>()
  readonly #account: MemoryAccount
  #scratch: Packet | null = null

  constructor(limits: NeighborLimits, counters: Counters) {
    this.#limits = limits
    this.#counters = counters
    this.#account = new MemoryAccount(limits.totalQueueBytes)
  }

  /** What all that waits costs in bytes. */
  get bytes(): number {
    return this.#account.held
  }

  /**
   * Copies a packet; what there is no room for any more is dropped, the packet itself if need be.
   */
  hold(neighbor: Neighbor, packet: Packet): void {
    const { queueBytes } = this.#limits
    const cost = packet.end - packet.start + OVERHEAD
    if (cost > queueBytes || cost > this.#account.limit) {
      this.#counters.drop(Drop.NeighborQueueFull, packet)
      return
    }
    while (neighbor.held.length > 0 && (neighbor.held.length === MAX_HELD || neighbor.heldBytes + cost > queueBytes))
      this.#dropOldest(neighbor)
    while (!this.#account.fits(cost)) this.#dropOldest(this.#greediest())
    neighbor.held.push({ bytes: packet.copy(), checksumState: packet.checksumState, trace: packet.trace })
    neighbor.heldBytes += cost
    this.#account.charge(cost)
    this.#neighbors.add(neighbor)
  }

  /** Gives out all that waits for a neighbor. */
  take(neighbor: Neighbor): readonly Held[] {
    const { held } = neighbor
    if (held.length === 0) return held
    this.#account.release(neighbor.heldBytes)
    this.#neighbors.delete(neighbor)
    neighbor.held = []
    neighbor.heldBytes = 0
    return held
  }

  /** The packet that waited, lent until the next one is loaded. */
  load(held: Held, family: 4 | 6): Packet {
    this.#scratch ??= new Packet()
    const packet = this.#scratch.load(held.bytes)
    packet.family = family
    packet.network = HEADROOM
    packet.networkEnd = packet.end
    packet.checksumState = held.checksumState
    packet.trace = held.trace
    return packet
  }

  #dropOldest(neighbor: Neighbor): void {
    const oldest = neighbor.held.shift() as Held
    const cost = oldest.bytes.length + OVERHEAD
    neighbor.heldBytes -= cost
    this.#account.release(cost)
    if (neighbor.held.length === 0) this.#neighbors.delete(neighbor)
    this.#counters.drop(Drop.NeighborQueueFull, this.load(oldest, neighbor.address.family))
  }

  /**
   * Those that wait longest have the least hope; of them the one with most packets, so that one
   * that just began is spared.
   */
  #greediest(): Neighbor {
    let greediest: Neighbor | null = null
    let left = CANDIDATES
    for (const each of this.#neighbors) {
      if (greediest === null || each.heldBytes > greediest.heldBytes) greediest = each
      if (--left === 0) break
    }
    return greediest as Neighbor
  }
}
