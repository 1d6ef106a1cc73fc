/**
 * The neighbors of one nic in one family: which hardware address a next hop has, and whether it still answers.
 *
 * States and timers are those of RFC 4861 section 7.3, which Linux uses for ARP as well. What differs between the protocols (how to ask, and
 * what an answer looks like) is behind {@link NeighborProtocol}.
 *
 *     INCOMPLETE ──answer──▶ REACHABLE ──30 s──▶ STALE ──packet sent──▶ DELAY ──5 s──▶ PROBE ──3 unanswered──▶ FAILED
 *         └──3 unanswered──▶ FAILED                 any confirmation ──▶ REACHABLE
 */
import { Address, hashWords } from '../base/address.ts'
import type { Clock, Timer } from '../base/clock.ts'
import { Drop } from '../base/drop.ts'
import { HEADROOM, Packet } from '../base/packet.ts'
import type { Random } from '../base/random.ts'
import type { Counters } from './counters.ts'

export type NeighborState = 'INCOMPLETE' | 'REACHABLE' | 'STALE' | 'DELAY' | 'PROBE' | 'FAILED' | 'PERMANENT'

/** REACHABLE_TIME, times a random factor from 0.5 to 1.5 (RFC 4861 section 6.3.2). */
const REACHABLE_TIME = 30_000
/** RETRANS_TIMER; also RFC 1122 section 2.3.2.1: at most one ARP request a second. */
const RETRANS_TIME = 1000
/** DELAY_FIRST_PROBE_TIME. */
const DELAY_TIME = 5000
/** MAX_MULTICAST_SOLICIT and MAX_UNICAST_SOLICIT. */
const MAX_PROBES = 3
/** Linux: unres_qlen. */
const MAX_HELD = 101
/** Linux: gc_thresh3. */
const MAX_NEIGHBORS = 1024

/** A packet that waits for its neighbor's address. */
interface Held {
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
  /** When the hardware address was last heard of. */
  updated = Number.NEGATIVE_INFINITY
  /** Solicitations sent since the last confirmation. */
  probes = 0
  timer: Timer | null = null
  held: Held[] = []

  constructor(address: Address) {
    this.address = address
  }

  /** Whether a packet may go out with the hardware address that is known. */
  get isValid(): boolean {
    return this.state !== 'INCOMPLETE' && this.state !== 'FAILED'
  }
}

/** What ARP and Neighbor Discovery do for the table. */
export interface NeighborProtocol {
  readonly family: 4 | 6
  /** Asks for the neighbor's address: everybody, or only the station that had it last. `packet` is one that waits, as bytes of an IP packet. */
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
  /** They make a confirmed neighbor doubtful (RFC 4861 section 7.2.5: an advertisement without the override flag). */
  Doubt: 1,
  /** They replace it. */
  Replace: 2,
} as const
export type Override = (typeof Override)[keyof typeof Override]

export class NeighborTable {
  /** Milliseconds; a router advertisement may change both. */
  reachableTime = REACHABLE_TIME
  retransTime = RETRANS_TIME
  readonly #protocol: NeighborProtocol
  readonly #clock: Clock
  readonly #random: Random
  readonly #counters: Counters
  /** By hash of the words; in the order of making. */
  readonly #neighbors = new Map<number, Neighbor[]>()
  #size = 0
  /** The one that was looked up last. */
  #last: Neighbor | null = null
  #scratch: Packet | null = null

  constructor(protocol: NeighborProtocol, clock: Clock, random: Random, counters: Counters) {
    this.#protocol = protocol
    this.#clock = clock
    this.#random = random
    this.#counters = counters
  }

  list(): Neighbor[] {
    return [...this.#neighbors.values()].flat()
  }

  find(w0: number, w1: number, w2: number, w3: number): Neighbor | null {
    const last = this.#last
    if (last?.address.is(w0, w1, w2, w3) === true) return last
    const bucket = this.#neighbors.get(hashWords(w0, w1, w2, w3))
    if (bucket === undefined) return null
    for (const each of bucket) {
      if (!each.address.is(w0, w1, w2, w3)) continue
      this.#last = each
      return each
    }
    return null
  }

  /** The neighbor, made INCOMPLETE without asking for it when it is not there. */
  findOrAdd(address: Address): Neighbor {
    const { w0, w1, w2, w3 } = address
    const found = this.find(w0, w1, w2, w3)
    if (found !== null) return found
    if (this.#size >= MAX_NEIGHBORS) this.#evict()
    const made = new Neighbor(address)
    const key = hashWords(w0, w1, w2, w3)
    const bucket = this.#neighbors.get(key)
    if (bucket === undefined) this.#neighbors.set(key, [made])
    else bucket.push(made)
    this.#size++
    this.#last = made
    return made
  }

  /** The neighbor to send `packet` to now, or `null`: then the packet is held, and sent or discarded by name later. */
  resolve(packet: Packet, w0: number, w1: number, w2: number, w3: number): Neighbor | null {
    const neighbor = this.find(w0, w1, w2, w3) ?? this.findOrAdd(new Address(w0, w1, w2, w3))
    switch (neighbor.state) {
      case 'STALE':
        this.#enter(neighbor, 'DELAY')
        return neighbor
      case 'INCOMPLETE':
      case 'FAILED':
        this.#hold(neighbor, packet)
        if (neighbor.timer === null) {
          neighbor.probes = 0
          neighbor.state = 'INCOMPLETE'
          this.#probe(neighbor)
        }
        return null
      default:
        return neighbor
    }
  }

  /**
   * Takes what a message says about a neighbor: its address is (`high`, `low`), and it was heard (STALE) or has answered us (REACHABLE). Linux:
   * neigh_update.
   */
  update(neighbor: Neighbor, high: number, low: number, state: 'REACHABLE' | 'STALE', override: Override): void {
    if (neighbor.state === 'PERMANENT') return
    const wasValid = neighbor.isValid
    const same = wasValid && neighbor.high === high && neighbor.low === low
    if (wasValid && !same && override !== Override.Replace) {
      if (override === Override.Doubt && neighbor.state === 'REACHABLE') this.#enter(neighbor, 'STALE')
      return
    }
    neighbor.updated = this.#clock.now()
    if (same && state === 'STALE') return
    neighbor.high = high
    neighbor.low = low
    this.#enter(neighbor, state)
    if (!wasValid) this.#release(neighbor)
  }

  /** It has answered us, its hardware address unchanged. */
  confirm(neighbor: Neighbor): void {
    if (neighbor.isValid && neighbor.state !== 'PERMANENT') this.#enter(neighbor, 'REACHABLE')
  }

  /** Its hardware address became doubtful. */
  doubt(neighbor: Neighbor): void {
    if (neighbor.state === 'REACHABLE') this.#enter(neighbor, 'STALE')
  }

  /** Sets an entry that no message changes. */
  addPermanent(address: Address, high: number, low: number): void {
    const neighbor = this.findOrAdd(address)
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
    neighbor.state = state
    neighbor.probes = 0
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

  #hold(neighbor: Neighbor, packet: Packet): void {
    if (neighbor.held.length === MAX_HELD) this.#drop(neighbor.held.shift() as Held, Drop.NeighborQueueFull)
    neighbor.held.push({ bytes: packet.copy(), checksumState: packet.checksumState, trace: packet.trace })
  }

  #release(neighbor: Neighbor): void {
    const { held } = neighbor
    if (held.length === 0) return
    neighbor.held = []
    for (const each of held) {
      const packet = this.#load(each)
      // As for any packet: one sent to a STALE neighbor begins the doubt.
      if (neighbor.state === 'STALE') this.#enter(neighbor, 'DELAY')
      this.#protocol.transmit(packet, neighbor)
    }
  }

  #discardHeld(neighbor: Neighbor, report: boolean): void {
    const { held } = neighbor
    neighbor.held = []
    for (const each of held) {
      const packet = this.#drop(each, Drop.NeighborUnreachable)
      if (report) this.#protocol.unreachable(packet)
    }
  }

  #drop(held: Held, reason: Drop): Packet {
    const packet = this.#load(held)
    this.#counters.drop(reason, packet)
    return packet
  }

  #load(held: Held): Packet {
    this.#scratch ??= new Packet()
    const packet = this.#scratch.load(held.bytes)
    packet.family = this.#protocol.family
    packet.network = HEADROOM
    packet.networkEnd = packet.end
    packet.checksumState = held.checksumState
    packet.trace = held.trace
    return packet
  }

  // ── bounds ──

  /** Room for a new neighbor: the one whose address nobody confirmed for longest goes (RFC 6583: a scan must not push out those in use). */
  #evict(): void {
    let victim: Neighbor | null = null
    for (const bucket of this.#neighbors.values())
      for (const each of bucket) {
        if (each.state === 'PERMANENT') continue
        if (victim === null || each.updated < victim.updated) victim = each
      }
    if (victim !== null) this.#forget(victim)
  }

  #forget(neighbor: Neighbor): void {
    neighbor.timer?.cancel()
    neighbor.timer = null
    const { w0, w1, w2, w3 } = neighbor.address
    const key = hashWords(w0, w1, w2, w3)
    const rest = (this.#neighbors.get(key) ?? []).filter((each) => each !== neighbor)
    if (rest.length > 0) this.#neighbors.set(key, rest)
    else this.#neighbors.delete(key)
    this.#size--
    if (this.#last === neighbor) this.#last = null
    this.#discardHeld(neighbor, false)
  }
}
