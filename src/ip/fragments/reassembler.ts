/**
 * Reassembly of one family's fragments: RFC 791 section 3.2, RFC 815, RFC 8200 section 4.5, ECN RFC
 * 3168 section 5.3.
 *
 * Which fragments go together is `pending-table.ts`'s matter, which bytes are there
 * `fragment-runs.ts`'s. As in Linux, a fragment that overlaps kills the whole datagram, and its
 * identification is free again at once.
 */
import type { Clock, Timer } from '../../base/clock.ts'
import { Drop } from '../../base/drop.ts'
import { KeyedHash } from '../../base/hash.ts'
import { HEADROOM, MAX_PACKET, Packet } from '../../base/packet.ts'
import type { Random } from '../../base/random.ts'
import * as ipv4 from '../../wire/ipv4.ts'
import * as ipv6 from '../../wire/ipv6.ts'
import type { Counters } from '../counters.ts'
import type { Fragment } from './fragment-pool.ts'
import { addRun } from './fragment-runs.ts'
import { type Pending, PendingTable } from './pending-table.ts'

/** Linux: ipfrag_high_thresh and ip6frag_high_thresh, 4 MiB each. */
export const REASSEMBLY_MEMORY = 4 * 1024 * 1024
/** Linux: ipfrag_time 30 s; RFC 8200 section 4.5: 60 s. */
export const TIMEOUT4 = 30_000
export const TIMEOUT6 = 60_000

/** What the reassembler asks of its owner. */
export interface ReassemblyEvents {
  /**
   * Time ran out and the first fragment is there: `packet` is that fragment, parsed, to be quoted
   * in a Time Exceeded.
   */
  timedOut(packet: Packet): void
}

export class Reassembler {
  readonly #family: 4 | 6
  readonly #clock: Clock
  readonly #counters: Counters
  readonly #events: ReassemblyEvents
  readonly #timeout: number
  readonly #memory: number
  readonly #hash: KeyedHash
  /** Made with the first fragment. */
  #pendingTable: PendingTable | null = null
  #timer: Timer | null = null
  #packet: Packet | null = null

  /** `memory` in bytes; a quarter of it is any one source's share. `hash`: the stack's. */
  constructor(
    family: 4 | 6,
    clock: Clock,
    random: Random,
    counters: Counters,
    events: ReassemblyEvents,
    memory = REASSEMBLY_MEMORY,
    hash = new KeyedHash(random),
  ) {
    this.#family = family
    this.#clock = clock
    this.#counters = counters
    this.#events = events
    this.#timeout = family === 4 ? TIMEOUT4 : TIMEOUT6
    this.#memory = memory
    this.#hash = hash
  }

  get #table(): PendingTable {
    this.#pendingTable ??= new PendingTable(this.#family, this.#memory, this.#hash, this.#clock, this.#timeout)
    return this.#pendingTable
  }

  /** Datagrams that wait for fragments. */
  get pending(): number {
    return this.#pendingTable?.size ?? 0
  }

  /** Bytes that they make the process hold. */
  get memory(): number {
    return this.#pendingTable?.held ?? 0
  }

  /** Datagrams that a fragment may have to be compared with. */
  get longestChain(): number {
    return this.#pendingTable?.longestChain ?? 0
  }

  /**
   * Takes the fragment in `packet` (parsed; its fragmentable part is
   * `packet.transport … packet.end`).
   *
   * @returns the rebuilt packet when this fragment completes one (lent until the next call), else
   *   `null`. What is discarded is counted here. In IPv6 a discard may set `packet.problem` and
   *   `packet.pointer`: it asks for a Parameter Problem.
   */
  add(packet: Packet): Packet | null {
    const six = this.#family === 6
    this.#counters.of(this.#family).IpReasmReqds++
    const offset = packet.fragmentOffset
    let length = packet.end - packet.transport
    if (six) {
      if (offset + length > 65_535) {
        packet.problem = ipv6.ERRONEOUS_FIELD
        packet.pointer = packet.fragmentHeader + 2 - packet.network
        return this.#refuse(packet, Drop.FragmentTooBig)
      }
      if (packet.moreFragments === 1 && (length & 7) !== 0) {
        // RFC 8200 section 4.5: code 0, pointing to the Payload Length field.
        packet.problem = ipv6.ERRONEOUS_FIELD
        packet.pointer = 4
        return this.#refuse(packet, Drop.FragmentLength)
      }
    } else {
      if (packet.moreFragments === 1) length &= ~7 // Linux rounds down and goes on.
      if (offset + length > 65_535 - ipv4.HEADER) return this.#refuse(packet, Drop.FragmentTooBig)
    }
    const end = offset + length
    const pending = this.#table.findOrAdd(packet)
    if (this.#timer === null) this.#arm(this.#timeout)
    // A fragment of nothing is no fragment: Linux discards the datagram with it.
    if (length === 0) return this.#kill(pending, packet, Drop.FragmentLength)
    const drop = addRun(pending, offset, end, packet.moreFragments === 0)
    if (drop === Drop.FragmentDuplicate) return this.#refuse(packet, drop)
    if (drop !== Drop.None) return this.#kill(pending, packet, drop)
    this.#store(pending, packet, offset, length)
    if (pending.received === pending.total && pending.first !== null) return this.#complete(pending, packet)
    for (let old = this.#table.victim(pending.source); old !== null; old = this.#table.victim(pending.source))
      this.#evict(old)
    return null
  }

  /** Forgets everything; no timer is left. */
  close(): void {
    this.#pendingTable?.clear()
    this.#timer?.cancel()
    this.#timer = null
  }

  #refuse(packet: Packet, drop: Drop): null {
    this.#counters.drop(drop, packet)
    return null
  }

  #kill(pending: Pending, packet: Packet, drop: Drop): null {
    this.#table.remove(pending)
    // Two datagrams with one identification: both are lost.
    if (pending.trace !== packet.trace) this.#counters.drop(drop, this.#firstFragment(pending))
    return this.#refuse(packet, drop)
  }

  #store(pending: Pending, packet: Packet, offset: number, length: number): void {
    const { transport, network } = packet
    const header = offset > 0 ? 0 : (this.#family === 4 ? transport : packet.fragmentHeader) - network
    const fragment = this.#table.addFragment(pending, header + length)
    fragment.offset = offset
    fragment.length = length
    fragment.at = header
    fragment.bytes.set(packet.window(transport, transport + length), header)
    pending.received += length
    pending.ecn |= 1 << (packet.tos & 3)
    const size = length + transport - network
    if (size > pending.largest) pending.largest = size
    if (packet.dontFragment === 1 && size > pending.largestWhole) pending.largestWhole = size
    if (offset === 0) {
      fragment.bytes.set(packet.window(network, network + header))
      pending.first = fragment
      pending.nextHeader = packet.protocol
      pending.nextHeaderAt = this.#family === 4 ? 0 : fragmentNamedAt(packet)
      pending.hopLimit = packet.hopLimit
      pending.cast = packet.cast
      pending.nic = packet.nic
    }
  }

  #complete(pending: Pending, last: Packet): Packet | null {
    this.#table.remove(pending)
    const ecn = combineEcn(pending.ecn)
    if (ecn < 0) return this.#refuse(last, Drop.FragmentEcn)
    const { at: header, bytes: first } = pending.first as Fragment
    // IPv6's payload length does not count the fixed header.
    if (header + pending.total > (this.#family === 4 ? 65_535 : 65_535 + ipv6.HEADER))
      return this.#refuse(last, Drop.FragmentTooBig)
    this.#packet ??= new Packet(HEADROOM + MAX_PACKET)
    const rebuilt = this.#packet
    const at = HEADROOM
    rebuilt.reset(at, at + header + pending.total)
    rebuilt.bytes.set(first.subarray(0, header), at)
    for (let each = pending.fragments; each !== null; each = each.next) {
      const { bytes, offset, length, at: from } = each
      rebuilt.bytes.set(
        from === 0 && length === bytes.length ? bytes : bytes.subarray(from, from + length),
        at + header + offset,
      )
    }
    rebuilt.nic = last.nic
    rebuilt.cast = last.cast
    rebuilt.looped = last.looped
    rebuilt.trace = last.trace
    const view = rebuilt.view
    if (this.#family === 4) {
      view.setUint8(at + 1, ipv4.tos(view, at) | ecn)
      ipv4.patchFragment(view, at, rebuilt.end - at, 0, false, pending.largest === pending.largestWhole)
      ipv4.parse(rebuilt)
      this.#counters.four.IpReasmOKs++
    } else {
      view.setUint16(at, view.getUint16(at) | (ecn << 4))
      ipv6.setPayloadLength(view, at, rebuilt.end - at - ipv6.HEADER)
      view.setUint8(at + pending.nextHeaderAt, pending.nextHeader)
      ipv6.parse(rebuilt)
      // Already walked up to the fragment header: go on from there, and refuse another one.
      rebuilt.transport = at + header
      rebuilt.protocol = pending.nextHeader
      rebuilt.protocolAt = at + pending.nextHeaderAt
      rebuilt.fragmentHeader = at + header
      this.#counters.six.IpReasmOKs++
    }
    rebuilt.fragments = pending.fragmentCount
    return rebuilt
  }

  /** Discards a datagram, which is told, and not the fragment that it makes way for. */
  #evict(victim: Pending): void {
    this.#table.remove(victim)
    this.#counters.drop(Drop.FragmentMemory, this.#firstFragment(victim))
  }

  #arm(delay: number): void {
    this.#timer = this.#clock.schedule(delay, () => this.#expire())
  }

  #expire(): void {
    this.#timer = null
    const now = this.#clock.now()
    for (let pending = this.#table.oldest; pending !== null && pending.deadline <= now; pending = this.#table.oldest) {
      this.#table.remove(pending)
      const first = this.#firstFragment(pending)
      this.#counters.drop(Drop.FragmentTimeout, first)
      if (pending.first !== null) this.#events.timedOut(first)
    }
    const { oldest } = this.#table
    if (oldest !== null) this.#arm(Math.max(1, oldest.deadline - now))
  }

  /**
   * The fragment with offset 0 as it came (or, without it, an empty packet of this family), to be
   * quoted in an error and named as discarded.
   */
  #firstFragment(pending: Pending): Packet {
    this.#packet ??= new Packet(HEADROOM + MAX_PACKET)
    const packet = this.#packet
    packet.reset(HEADROOM, HEADROOM)
    packet.trace = pending.trace
    packet.family = this.#family
    const { first } = pending
    if (first === null) return packet
    const view = packet.view
    const at = HEADROOM
    packet.bytes.set(first.bytes.subarray(0, first.at), at)
    let behind = at + first.at
    if (this.#family === 6) {
      ipv6.encodeFragmentHeader(view, behind, pending.nextHeader, 0, true, pending.identification)
      behind += ipv6.FRAGMENT_HEADER
    }
    packet.bytes.set(first.bytes.subarray(first.at, first.at + first.length), behind)
    packet.end = behind + first.length
    packet.nic = pending.nic
    packet.cast = pending.cast
    if (this.#family === 4) {
      // A recorded route has changed the header: the checksum is made right to be read, and quoted
      // as it came.
      const checksum = ipv4.headerChecksum(view, at)
      ipv4.rewriteChecksum(view, at)
      ipv4.parse(packet)
      view.setUint16(at + ipv4.HEADER_CHECKSUM, checksum)
    } else ipv6.parse(packet)
    packet.fragmentOffset = 0
    return packet
  }
}

/**
 * Offset, from the start of the packet, of the next-header field that names the fragment header.
 */
function fragmentNamedAt(packet: Packet): number {
  const view = packet.view

  let at = packet.network + ipv6.NEXT_HEADER
  let header = packet.network + ipv6.HEADER
  while (header < packet.fragmentHeader) {
    at = header
    header += (view.getUint8(header + 1) + 1) * 8
  }
  return at - packet.network
}

/**
 * The ECN bits to add to those of the first fragment, from the codepoints that came (a bit each: 1
 * Not-ECT, 2 ECT(1), 4 ECT(0), 8 CE), or -1 to discard: CE with ECT gives CE (RFC 3168 section
 * 5.3); Not-ECT with anything else is refused, as Linux does.
 */
export function combineEcn(seen: number): number {
  if (seen > 1 && (seen & 1) === 1) return -1
  return (seen & 8) === 8 ? 3 : 0
}
