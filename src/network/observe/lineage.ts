/**
 * The lives of datagrams: who sent them, what became of each fragment and copy on every hop, which
 * ICMP error they caused, and their end.
 *
 * A datagram has a number, its trace, which links carry along with the frame. It is given by the
 * first port through which the datagram leaves.
 */
import type { DropName } from '../../base/drop.ts'
import type { Packet } from '../../base/packet.ts'
import type { Medium } from '../../link/link.ts'
import { type Datagram, type DatagramFilter, type LineageKind, matches } from './datagram.ts'
import { ipOffset, isFragment, isUpkeep, type Summary } from './ip-frame.ts'
import { LifeStore } from './life-store.ts'
import { Summaries } from './summaries.ts'

/** Datagrams whose fragments may come in turns. */
const FRAGMENTED = 64

/** What fragments of one datagram have in common, and its number. */
interface Fragmented {
  readonly source: string
  readonly destination: string
  readonly protocol: number
  readonly identification: number
  readonly trace: number
}

/**
 * Told of what happens to all datagrams as it happens, whether or not their lives are remembered.
 */
export interface LifeListener {
  /** The name of the flow to which a datagram belongs, or on whose account it was sent; or `''`. */
  labelOf(id: number): string
  began(id: number, from: string, packet: Summary, causedBy: number, time: number): void
  /** A frame of it left a node. */
  left(id: number, node: string, isFragment: boolean): void
  /** A frame of it came to a node. */
  reached(id: number, node: string, isFragment: boolean): void
  dropped(id: number, node: string, nic: string, reason: DropName): void
  /** What else befell it: `what` is a kind of its life that has no headers. */
  noted(id: number, node: string, nic: string, what: LineageKind): void
}

export class Lineage {
  readonly #limit: number
  readonly #now: () => number
  readonly #lives = new LifeStore()
  readonly #summaries = new Summaries()
  #next = 1
  /** The last datagrams that began in fragments. */
  readonly #fragmented: Fragmented[] = []
  /**
   * What the node `#inputNode` is just taking in: what it sends meanwhile is sent on account of it.
   */
  #input = 0
  #inputNode = ''
  /** Told of everything. */
  listener: LifeListener | null = null
  /** Told of each datagram before it is forgotten. */
  onForget: ((datagram: Datagram) => void) | null = null

  /** Remembers the last `limit` datagrams. */
  constructor(limit: number, now: () => number) {
    this.#limit = limit
    this.#now = now
  }

  /** Whether datagrams have numbers. */
  get on(): boolean {
    return this.#limit > 0 || this.listener !== null
  }

  get(id: number): Datagram | undefined {
    return this.#lives.get(id)
  }

  /** Those that a filter describes, the oldest first, each made when it is asked for. */
  *find(filter: DatagramFilter): Generator<Datagram, void, void> {
    for (const datagram of this.#lives.all()) if (matches(datagram, filter)) yield datagram
  }

  // ── what ports and nodes report ──

  /** A frame leaves a node: a new datagram, or a known one going on. Gives the packet its trace. */
  leaving(node: string, nic: string, packet: Packet, medium: Medium): void {
    const at = ipOffset(packet, medium)
    if (packet.trace === 0) {
      if (at < 0 || isUpkeep(packet, at)) return
      packet.trace = this.#beginOf(node, packet, at)
    }
    this.listener?.left(packet.trace, node, at >= 0 && isFragment(packet, at))
    const from = this.#lives.fromOf(packet.trace)
    if (from === undefined) return
    this.#push(
      packet.trace,
      node,
      nic,
      from === node ? 'sent' : 'forwarded',
      at < 0 ? null : this.#summaries.of(packet, at),
    )
  }

  /**
   * A frame reaches a node. One that nobody has sent comes from a real device: its life begins
   * here.
   */
  arrived(node: string, nic: string, packet: Packet, medium: Medium): void {
    const at = ipOffset(packet, medium)
    if (packet.trace === 0 && at >= 0 && !isUpkeep(packet, at)) packet.trace = this.#beginOf(nic, packet, at)
    this.listener?.reached(packet.trace, node, at >= 0 && isFragment(packet, at))
    if (this.#lives.has(packet.trace))
      this.#push(packet.trace, node, nic, 'arrived', at < 0 ? null : this.#summaries.of(packet, at))
  }

  /**
   * Fragments have a life together: those from a real device, and those that waited for a neighbor,
   * come without a trace each.
   */
  #beginOf(from: string, packet: Packet, at: number): number {
    const summary = this.#summaries.of(packet, at)
    const { source, destination, protocol, fragment } = summary
    if (fragment === null) return this.#begin(from, summary)
    const { identification } = fragment
    for (const each of this.#fragmented)
      if (
        each.identification === identification &&
        each.source === source &&
        each.destination === destination &&
        each.protocol === protocol
      )
        return each.trace
    const trace = this.#begin(from, summary)
    this.#fragmented.push({ source, destination, protocol, identification, trace })
    if (this.#fragmented.length > FRAGMENTED) this.#fragmented.shift()
    return trace
  }

  note(node: string, nic: string, trace: number, what: LineageKind, value = 0): void {
    if (trace !== 0) this.listener?.noted(trace, node, nic, what)
    this.#push(trace, node, nic, what, null, value)
  }

  translated(node: string, nic: string, trace: number, packet: Packet, at: number): void {
    if (this.#lives.has(trace)) this.#push(trace, node, nic, 'translated', this.#summaries.of(packet, at))
  }

  /**
   * A frame, or a packet within a node, was discarded. An own one without a number is one that its
   * host could not get rid of (its neighbor does not answer): its life begins and ends here.
   */
  dropped(node: string, nic: string, packet: Packet, reason: DropName, isOwn = false): void {
    if (packet.trace === 0 && this.on && isOwn) packet.trace = this.#beginOf(node, packet, packet.start)
    const { trace } = packet
    if (trace !== 0) this.listener?.dropped(trace, node, nic, reason)
    this.#lives.add(trace, this.#now(), node, nic, 'dropped', null, reason, 0)
  }

  beginInput(node: string, trace: number): void {
    this.#input = trace
    this.#inputNode = node
  }

  endInput(): void {
    this.#input = 0
  }

  #begin(node: string, summary: Summary): number {
    const id = this.#next
    // Links carry 32 bits, and 0 is nobody.
    this.#next = id === 0xffff_ffff ? 1 : id + 1
    const causedBy = this.#inputNode === node ? this.#input : 0
    this.listener?.began(id, node, summary, causedBy, this.#now())
    if (this.#limit === 0) return id
    if (this.#lives.size >= this.#limit) this.#forgetOldest(id)
    this.#lives.begin(id, this.#now(), node, summary, causedBy)
    this.#push(causedBy, node, '', 'caused', null, id)
    return id
  }

  /**
   * `next` is the number after the last: numbers have no gaps, so the oldest is as far behind as
   * there are. (A map takes its time to find its first entry.)
   */
  #forgetOldest(next: number): void {
    const number = next - this.#lives.size
    const id = number > 0 ? number : number + 0xffff_ffff
    const oldest = this.onForget === null ? undefined : this.#lives.get(id)
    this.#lives.forget(id)
    if (oldest !== undefined) this.onForget?.(oldest)
  }

  #push(id: number, node: string, nic: string, what: LineageKind, packet: Summary | null, value = 0): void {
    this.#lives.add(id, this.#now(), node, nic, what, packet, null, value)
  }
}
