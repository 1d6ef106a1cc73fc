/**
 * The neighbors of one nic in one family: which hardware address a next hop has, and whether it
 * still answers.
 *
 * States and timers are those of RFC 4861 section 7.3, which Linux uses for ARP as well. What
 * differs between the protocols (how to ask, and what an answer looks like) is behind
 * {@link NeighborProtocol}.
 *
 *     INCOMPLETE ──answer──▶ REACHABLE ──30 s──▶ STALE ──packet sent──▶ DELAY ──5 s──▶ PROBE ──3 unanswered──▶ FAILED
 *         └──3 unanswered──▶ FAILED                 any confirmation ──▶ REACHABLE
 */
import { Address } from '../../base/address.ts'
import { AddressMap } from '../../base/address-map.ts'
import type { Clock } from '../../base/clock.ts'
import { Drop } from '../../base/drop.ts'
import { KeyedHash } from '../../base/hash.ts'
import type { Packet } from '../../base/packet.ts'
import type { Random } from '../../base/random.ts'
import type { Counters } from '../counters.ts'
import { Neighbor, type NeighborState } from './neighbor.ts'
import { NeighborCollector } from './neighbor-collector.ts'
import type { NeighborLimits } from './neighbor-limits.ts'
import type { WaitingPackets } from './waiting-packets.ts'

/** REACHABLE_TIME, times a random factor from 0.5 to 1.5 (RFC 4861 section 6.3.2). */
const REACHABLE_TIME = 30_000
/** RETRANS_TIMER; also RFC 1122 section 2.3.2.1: at most one ARP request a second. */
const RETRANS_TIME = 1000
/** DELAY_FIRST_PROBE_TIME. */
const DELAY_TIME = 5000
/** MAX_MULTICAST_SOLICIT and MAX_UNICAST_SOLICIT. */
const MAX_PROBES = 3

/** What ARP and Neighbor Discovery do for the table. */
export interface NeighborProtocol {
  readonly family: 4 | 6
  /**
   * Asks for the neighbor's address: everybody, or only the station that had it last. `packet` is
   * one that waits, as bytes of an IP packet.
   */
  solicit(neighbor: Neighbor, unicast: boolean, packet: Uint8Array | null): void
  /** Sends a packet that waited. */
  transmit(packet: Packet, neighbor: Neighbor): void
  /** The packet could not be sent because nobody answers. */
  unreachable(packet: Packet): void
  /** The neighbor does not answer any more, or never did. */
  lost(neighbor: Neighbor): void
}

/** How far news about a hardware address that differs from the known one goes. */
export const Override = {
  /** They are ignored. */
  None: 0,
  /**
   * They make a confirmed neighbor doubtful (RFC 4861 section 7.2.5: an advertisement without the
   * override flag).
   */
  Doubt: 1,
  /** They replace it. */
  Replace: 2,
} as const
export type Override = (typeof Override)[keyof typeof Override]

export type { NeighborState }

export class NeighborTable {
  /** Milliseconds; a router advertisement may change both. */
  reachableTime = REACHABLE_TIME
  retransTime = RETRANS_TIME
  readonly #protocol: NeighborProtocol
  readonly #clock: Clock
  readonly #random: Random
  readonly #counters: Counters
  readonly #waiting: WaitingPackets
  readonly #collector: NeighborCollector
  /** In the order of making. */
  readonly #neighbors: AddressMap<Neighbor>
  /** How many there are, those set by hand not counted. */
  #size = 0
  readonly #forgetOne = (neighbor: Neighbor): void => this.#forget(neighbor)

  constructor(
    protocol: NeighborProtocol,
    clock: Clock,
    random: Random,
    counters: Counters,
    limits: NeighborLimits,
    waiting: WaitingPackets,
    hash = new KeyedHash(random),
  ) {
    this.#neighbors = new AddressMap(hash)
    this.#protocol = protocol
    this.#clock = clock
    this.#random = random
    this.#counters = counters
    this.#waiting = waiting
    this.#collector = new NeighborCollector(limits)
  }

  list(): Neighbor[] {
    return [...this.#neighbors.values()]
  }

  find(w0: number, w1: number, w2: number, w3: number): Neighbor | null {
    return this.#neighbors.get(w0, w1, w2, w3) ?? null
  }

  /** Neighbors that a lookup may have to compare. */
  get longestChain(): number {
    return this.#neighbors.longestChain
  }

  /**
   * The neighbor, made INCOMPLETE without asking for it when it is not there; `null` when the table
   * is full of others that are in use.
   */
  findOrAdd(address: Address): Neighbor | null {
    const { w0, w1, w2, w3 } = address
    const found = this.find(w0, w1, w2, w3)
    if (found !== null) return found
    return this.#collector.makeRoom(this.#size, this.#clock.now(), this.#forgetOne) ? this.#add(address) : null
  }

  #add(address: Address): Neighbor {
    const { w0, w1, w2, w3 } = address
    const made = new Neighbor(address, this.#clock.now())
    this.#neighbors.set(w0, w1, w2, w3, made)
    this.#size++
    return made
  }

  /**
   * The neighbor to send `packet` to now, or `null`: then the packet is held, and sent or discarded
   * by name later.
   */
  resolve(packet: Packet, w0: number, w1: number, w2: number, w3: number): Neighbor | null {
    const neighbor = this.find(w0, w1, w2, w3) ?? this.findOrAdd(new Address(w0, w1, w2, w3))
    if (neighbor === null) {
      this.#counters.drop(Drop.NeighborTableFull, packet)
      return null
    }
    if (!neighbor.isUsed) {
      neighbor.isUsed = true
      this.#collector.place(neighbor)
    }
    switch (neighbor.state) {
      case 'STALE':
        this.#enter(neighbor, 'DELAY')
        return neighbor
      case 'INCOMPLETE':
      case 'FAILED':
        this.#waiting.hold(neighbor, packet)
        if (neighbor.timer === null) {
          this.#enter(neighbor, 'INCOMPLETE')
          this.#probe(neighbor)
        }
        return null
      default:
        return neighbor
    }
  }

  /**
   * Takes what a message says about a neighbor: its address is (`high`, `low`), and it was heard
   * (STALE) or has answered us (REACHABLE). Linux: neigh_update.
   */
  update(neighbor: Neighbor, high: number, low: number, state: 'REACHABLE' | 'STALE', override: Override): void {
    if (neighbor.state === 'PERMANENT') return
    const wasValid = neighbor.isValid
    const same = wasValid && neighbor.high === high && neighbor.low === low
    if (wasValid && !same && override !== Override.Replace) {
      if (override === Override.Doubt && neighbor.state === 'REACHABLE') this.#enter(neighbor, 'STALE')
      return
    }
    if (same && state === 'STALE') return
    if (!same) neighbor.updated = this.#clock.now()
    neighbor.high = high
    neighbor.low = low
    this.#enter(neighbor, state)
    if (!wasValid) this.#release(neighbor)
  }

  /** It has answered us, its hardware address unchanged. */
  confirm(neighbor: Neighbor): void {
    if (neighbor.isValid && neighbor.state !== 'PERMANENT') this.#enter(neighbor, 'REACHABLE')
  }

  /**
   * The frame just sent only answered a question for our address, which is no use of the neighbor:
   * one that was a stranger stays a stranger.
   */
  stillStranger(neighbor: Neighbor): void {
    neighbor.isUsed = false
    this.#collector.place(neighbor)
  }

  /** Its hardware address became doubtful. */
  doubt(neighbor: Neighbor): void {
    if (neighbor.state === 'REACHABLE') this.#enter(neighbor, 'STALE')
  }

  /** Sets an entry that no message changes. */
  addPermanent(address: Address, high: number, low: number): void {
    const { w0, w1, w2, w3 } = address
    const neighbor = this.find(w0, w1, w2, w3) ?? this.#add(address)
    if (neighbor.state !== 'PERMANENT') this.#size--
    neighbor.high = high
    neighbor.low = low
    this.#enter(neighbor, 'PERMANENT')
    this.#release(neighbor)
  }

  /** Forgets a neighbor; what waits for it is discarded. `false` when it is not there. */
  remove(address: Address): boolean {
    const { w0, w1, w2, w3 } = address
    const neighbor = this.find(w0, w1, w2, w3)
    if (neighbor === null) return false
    this.#forget(neighbor)
    return true
  }

  close(): void {
    for (const neighbor of this.list()) this.#forget(neighbor)
  }

  // ── states ──

  #enter(neighbor: Neighbor, state: NeighborState): void {
    neighbor.timer?.cancel()
    neighbor.timer = null
    if (neighbor.state !== state) neighbor.updated = this.#clock.now()
    neighbor.state = state
    neighbor.probes = 0
    this.#collector.place(neighbor)
    if (state === 'REACHABLE') {
      const duration = this.reachableTime * (0.5 + this.#random.float())
      neighbor.timer = this.#clock.schedule(duration, () => this.#enter(neighbor, 'STALE'))
    } else if (state === 'DELAY')
      neighbor.timer = this.#clock.schedule(DELAY_TIME, () => {
        this.#enter(neighbor, 'PROBE')
        this.#probe(neighbor)
      })
  }

  /** Asks once more, or gives up. */
  #probe(neighbor: Neighbor): void {
    neighbor.timer = null
    if (neighbor.probes === MAX_PROBES) {
      this.#enter(neighbor, 'FAILED')
      this.#discardHeld(neighbor, true)
      this.#protocol.lost(neighbor)
      return
    }
    neighbor.probes++
    neighbor.timer = this.#clock.schedule(this.retransTime, () => this.#probe(neighbor))
    this.#protocol.solicit(neighbor, neighbor.state === 'PROBE', neighbor.held[0]?.bytes ?? null)
  }

  // ── packets that wait ──

  #release(neighbor: Neighbor): void {
    const { family } = this.#protocol
    for (const each of this.#waiting.take(neighbor)) {
      const packet = this.#waiting.load(each, family)
      // As for any packet: one sent to a STALE neighbor begins the doubt.
      if (neighbor.state === 'STALE') this.#enter(neighbor, 'DELAY')
      this.#protocol.transmit(packet, neighbor)
    }
  }

  #discardHeld(neighbor: Neighbor, report: boolean): void {
    const { family } = this.#protocol
    for (const each of this.#waiting.take(neighbor)) {
      const packet = this.#waiting.load(each, family)
      this.#counters.drop(Drop.NeighborUnreachable, packet)
      if (report) this.#protocol.unreachable(packet)
    }
  }

  #forget(neighbor: Neighbor): void {
    neighbor.timer?.cancel()
    neighbor.timer = null
    const { w0, w1, w2, w3 } = neighbor.address
    this.#neighbors.delete(w0, w1, w2, w3)
    if (neighbor.state !== 'PERMANENT') this.#size--
    this.#collector.remove(neighbor)
    this.#discardHeld(neighbor, false)
  }
}
