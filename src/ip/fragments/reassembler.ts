/**
 * Reassembly of one family's fragments: RFC 791 section 3.2, RFC 815, RFC 8200 section 4.5,
 * overlaps RFC 5722, ECN RFC 3168 section 5.3.
 *
 * Like Linux: fragments are kept in runs; a fragment inside a run is a duplicate and ignored, one
 * that overlaps a run in part kills the whole datagram, and the identification is free again at
 * once. Memory is bounded, everything that a fragment makes the process hold counted: a source may
 * hold a quarter of the whole; past either bound the oldest datagram (of that source, or of all)
 * goes, so that a flood of first fragments cannot keep honest, quickly completed ones out (Linux
 * takes no new datagrams then, whoever they are from).
 */
import type { Clock, Timer } from '../../base/clock.ts'
import { Drop } from '../../base/drop.ts'
import { KeyedHash } from '../../base/hash.ts'
import { HashTable } from '../../base/hash-table.ts'
import { bytesCost, MemoryAccount } from '../../base/memory-account.ts'
import { HEADROOM, MAX_PACKET, Packet } from '../../base/packet.ts'
import type { Random } from '../../base/random.ts'
import * as ipv4 from '../../wire/ipv4.ts'
import * as ipv6 from '../../wire/ipv6.ts'
import type { Counters } from '../counters.ts'

/** Linux: ipfrag_high_thresh and ip6frag_high_thresh, 4 MiB each. */
export const REASSEMBLY_MEMORY = 4 * 1024 * 1024
/**
 * What a datagram that waits costs besides its fragments, and a fragment besides its bytes:
 * measured, as the heap holds it (Node 20).
 */
const PENDING_COST = 560
const FRAGMENT_COST = 72
/** Linux: ipfrag_time 30 s; RFC 8200 section 4.5: 60 s. */
export const TIMEOUT4 = 30_000
export const TIMEOUT6 = 60_000

/**
 * Fragments of usual lengths lie in memory of one size, which is used again: memory of their own
 * would keep the garbage collector busy, the more the more datagrams wait. Shorter and longer ones
 * get what they need.
 */
const USUAL_MIN = 512
const USUAL_MAX = 1536
/**
 * Besides the memory, as a share of it, what fragments of that kind may hold that are kept for the
 * next datagram: of 4 MiB, two of the largest's.
 */
const SPARE_SHARE = 1 / 16
/**
 * Sources that are kept though nothing of theirs waits, besides half of all: as a rule one comes
 * again.
 */
const IDLE_SOURCES = 64

class Fragment {
  /** Where its part begins in the datagram's, and how long it is. */
  offset = 0
  length = 0
  /** Where its part begins in `bytes`: behind the header, in the one with offset 0. */
  at = 0
  readonly bytes: Uint8Array
  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity)
  }

  /** What it makes the process hold. */
  get cost(): number {
    return FRAGMENT_COST + bytesCost(this.bytes.length)
  }
}

/** A source's share of the memory. */
class Source {
  readonly hash: number
  readonly w0: number
  readonly w1: number
  readonly w2: number
  readonly w3: number
  bytes = 0
  chain: Source | null = null
  /** Its pending datagrams, by age. */
  oldest: Pending | null = null
  newest: Pending | null = null
  constructor(hash: number, w0: number, w1: number, w2: number, w3: number) {
    this.hash = hash
    this.w0 = w0
    this.w1 = w1
    this.w2 = w2
    this.w3 = w3
  }
}

/**
 * Arrays of a datagram without a fragment; never written to. An array that grows by a push takes
 * room for 17 (V8).
 */
const NO_FRAGMENTS: Fragment[] = []
const NO_RUNS: number[] = []

/** One datagram that is not complete yet. */
class Pending {
  readonly s0: number
  readonly s1: number
  readonly s2: number
  readonly s3: number
  readonly d0: number
  readonly d1: number
  readonly d2: number
  readonly d3: number
  readonly identification: number
  /** IPv4 only; 0 in IPv6, whose key has no next header. */
  readonly protocol: number
  readonly zone: number
  readonly hash: number
  readonly source: Source
  readonly deadline: number
  /** Of the fragment that came first. */
  readonly trace: number
  fragments: Fragment[] = NO_FRAGMENTS
  /** Runs of bytes that are there, by offset; only the last one grows. */
  runStarts: number[] = NO_RUNS
  runEnds: number[] = NO_RUNS
  /**
   * The fragment with offset 0, which has everything in front of the fragmentable part too; `null`
   * as long as it has not come.
   */
  first: Fragment | null = null
  /**
   * IPv6: where in the header the field is that named the fragment header, and what the fragment
   * header names.
   */
  nextHeaderAt = 0
  nextHeader = 0
  hopLimit = 0
  cast: Packet['cast'] = 0
  nic = 0
  /** Bytes of the fragmentable part; known once the last fragment came. */
  total = -1
  received = 0
  bytes = 0
  /** Which ECN codepoints came, one bit each. */
  ecn = 0
  /**
   * The largest fragment, and the largest that had DF: a datagram whose largest one had it has it
   * too (Linux: max_df_size).
   */
  largest = 0
  largestWhole = 0
  /** The next in the table's chain. */
  chain: Pending | null = null
  /** Neighbors by age. */
  older: Pending | null = null
  newer: Pending | null = null
  /** The same among those of its source. */
  olderOfSource: Pending | null = null
  newerOfSource: Pending | null = null

  constructor(packet: Packet, hash: number, protocol: number, zone: number, source: Source, deadline: number) {
    this.s0 = packet.s0
    this.s1 = packet.s1
    this.s2 = packet.s2
    this.s3 = packet.s3
    this.d0 = packet.d0
    this.d1 = packet.d1
    this.d2 = packet.d2
    this.d3 = packet.d3
    this.identification = packet.identification
    this.protocol = protocol
    this.zone = zone
    this.hash = hash
    this.source = source
    this.deadline = deadline
    this.trace = packet.trace
  }
}

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
  readonly #memory: MemoryAccount
  readonly #sourceLimit: number
  readonly #hash: KeyedHash
  readonly #table = new HashTable<Pending>()
  readonly #sources = new HashTable<Source>()
  /** What the last fragment belonged to: as a rule the next one's datagram. */
  #last: Pending | null = null
  /** Sources without a pending datagram. */
  #idleSources = 0
  readonly #spares: Fragment[] = []
  readonly #spareLimit: number
  #oldest: Pending | null = null
  #newest: Pending | null = null
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
    this.#memory = new MemoryAccount(memory)
    this.#spareLimit = Math.floor((memory * SPARE_SHARE) / new Fragment(USUAL_MAX).cost)
    this.#hash = hash
    this.#sourceLimit = memory / 4
    this.#timeout = family === 4 ? TIMEOUT4 : TIMEOUT6
  }

  /** Datagrams that wait for fragments. */
  get pending(): number {
    return this.#table.size
  }

  /** Bytes that they make the process hold. */
  get memory(): number {
    return this.#memory.held
  }

  /** Datagrams that a fragment may have to be compared with. */
  get longestChain(): number {
    return Math.max(this.#table.longestChain, this.#sources.longestChain)
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
    if (six) this.#counters.Ip6ReasmReqds++
    else this.#counters.IpReasmReqds++
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
    const pending = this.#find(packet)
    // A fragment of nothing is no fragment: Linux discards the datagram with it.
    if (length === 0) return this.#kill(pending, packet, Drop.FragmentLength)
    if (packet.moreFragments === 0) {
      // The last fragment tells the total: no fragment may lie beyond it, and it cannot change.
      if (end < lastEnd(pending) || (pending.total >= 0 && pending.total !== end))
        return this.#kill(pending, packet, Drop.FragmentOverlap)
      pending.total = end
    } else if (pending.total >= 0 && end > pending.total) return this.#kill(pending, packet, Drop.FragmentOverlap)
    const drop = insertRun(pending, offset, end)
    if (drop === Drop.FragmentDuplicate) return this.#refuse(packet, drop)
    if (drop !== Drop.None) return this.#kill(pending, packet, drop)
    this.#store(pending, packet, offset, length)
    if (pending.received === pending.total && pending.first !== null) return this.#complete(pending, packet)
    this.#bound(pending.source)
    return null
  }

  /** Forgets everything; no timer is left. */
  close(): void {
    while (this.#oldest !== null) this.#remove(this.#oldest)
    this.#sweep()
    this.#spares.length = 0
    this.#timer?.cancel()
    this.#timer = null
  }

  #refuse(packet: Packet, drop: Drop): null {
    this.#counters.drop(drop, packet)
    return null
  }

  #kill(pending: Pending, packet: Packet, drop: Drop): null {
    this.#remove(pending)
    // Two datagrams with one identification: both are lost.
    if (pending.trace !== packet.trace) this.#counters.drop(drop, this.#firstFragment(pending))
    return this.#refuse(packet, drop)
  }

  #find(packet: Packet): Pending {
    const protocol = this.#family === 4 ? packet.protocol : 0
    // Scoped addresses mean something on one link only (RFC 4007 section 6).
    const zone = packet.d0 >>> 22 === 0x3fa || packet.d0 >>> 24 === 0xff ? packet.nic : 0
    if (this.#last !== null && isOf(this.#last, packet, protocol, zone)) return this.#last
    const { s0, s1, s2, s3, d0, d1, d2, d3 } = packet
    const hash = this.#hash.flow(s0, s1, s2, s3, d0, d1, d2, d3, packet.identification, protocol ^ (zone << 8))
    for (let each = this.#table.head(hash); each !== null; each = each.chain) {
      if (!isOf(each, packet, protocol, zone)) continue
      this.#last = each
      return each
    }
    const source = this.#sourceOf(packet)
    if (source.oldest === null) this.#idleSources--
    const pending = new Pending(packet, hash, protocol, zone, source, this.#clock.now() + this.#timeout)
    this.#table.add(pending)
    this.#last = pending
    this.#charge(pending, PENDING_COST)
    pending.older = this.#newest
    if (this.#newest === null) this.#oldest = pending
    else this.#newest.newer = pending
    this.#newest = pending
    pending.olderOfSource = source.newest
    if (source.newest === null) source.oldest = pending
    else source.newest.newerOfSource = pending
    source.newest = pending
    if (this.#timer === null) this.#arm(this.#timeout)
    return pending
  }

  /** The source of a fragment, made idle when it is not known. */
  #sourceOf(packet: Packet): Source {
    const { s0, s1, s2, s3 } = packet
    const hash = this.#hash.address(s0, s1, s2, s3)
    for (let each = this.#sources.head(hash); each !== null; each = each.chain)
      if (each.w3 === s3 && each.w2 === s2 && each.w1 === s1 && each.w0 === s0) return each
    const made = new Source(hash, s0, s1, s2, s3)
    this.#sources.add(made)
    this.#idleSources++
    return made
  }

  #charge(pending: Pending, cost: number): void {
    pending.bytes += cost
    pending.source.bytes += cost
    this.#memory.charge(cost)
  }

  #store(pending: Pending, packet: Packet, offset: number, length: number): void {
    const { transport, network } = packet
    const header = offset > 0 ? 0 : (this.#family === 4 ? transport : packet.fragmentHeader) - network
    const fragment = this.#fragment(header + length)
    fragment.offset = offset
    fragment.length = length
    fragment.at = header
    fragment.bytes.set(packet.window(transport, transport + length), header)
    if (pending.fragments === NO_FRAGMENTS) pending.fragments = [fragment]
    else pending.fragments.push(fragment)
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
    this.#charge(pending, fragment.cost)
  }

  /** A fragment with room for so many bytes. */
  #fragment(length: number): Fragment {
    if (length < USUAL_MIN || length > USUAL_MAX) return new Fragment(length)
    return this.#spares.pop() ?? new Fragment(USUAL_MAX)
  }

  #complete(pending: Pending, last: Packet): Packet | null {
    this.#remove(pending)
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
    for (const { bytes, offset, length, at: from } of pending.fragments)
      rebuilt.bytes.set(
        from === 0 && length === bytes.length ? bytes : bytes.subarray(from, from + length),
        at + header + offset,
      )
    rebuilt.nic = last.nic
    rebuilt.cast = last.cast
    rebuilt.looped = last.looped
    rebuilt.trace = last.trace
    const view = rebuilt.view
    if (this.#family === 4) {
      view.setUint8(at + 1, ipv4.tos(view, at) | ecn)
      ipv4.patchFragment(view, at, rebuilt.end - at, 0, false, pending.largest === pending.largestWhole)
      ipv4.parse(rebuilt)
      this.#counters.IpReasmOKs++
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
      this.#counters.Ip6ReasmOKs++
    }
    rebuilt.fragments = pending.fragments.length
    return rebuilt
  }

  /**
   * Keeps the memory within its bounds: the oldest of an overdrawn source, then the oldest of all.
   */
  #bound(source: Source): void {
    while (source.bytes > this.#sourceLimit && source.oldest !== null) this.#evict(source.oldest)
    while (this.#memory.isOver && this.#oldest !== null) this.#evict(this.#oldest)
  }

  /** Discards a datagram, which is told, and not the fragment that it makes way for. */
  #evict(victim: Pending): void {
    this.#remove(victim)
    this.#counters.drop(Drop.FragmentMemory, this.#firstFragment(victim))
  }

  /** What the datagram's fragments hold stays as it is until the next one is stored. */
  #remove(pending: Pending): void {
    for (const fragment of pending.fragments)
      if (fragment.bytes.length === USUAL_MAX && this.#spares.length < this.#spareLimit) this.#spares.push(fragment)
    this.#table.remove(pending)
    if (this.#last === pending) this.#last = null
    if (pending.older === null) this.#oldest = pending.newer
    else pending.older.newer = pending.newer
    if (pending.newer === null) this.#newest = pending.older
    else pending.newer.older = pending.older
    const { source } = pending
    if (pending.olderOfSource === null) source.oldest = pending.newerOfSource
    else pending.olderOfSource.newerOfSource = pending.newerOfSource
    if (pending.newerOfSource === null) source.newest = pending.olderOfSource
    else pending.newerOfSource.olderOfSource = pending.olderOfSource
    source.bytes -= pending.bytes
    this.#memory.release(pending.bytes)
    if (source.oldest === null && ++this.#idleSources > IDLE_SOURCES + this.#sources.size / 2) this.#sweep()
  }

  #sweep(): void {
    this.#sources.removeWhere((source) => source.oldest === null)
    this.#idleSources = 0
  }

  #arm(delay: number): void {
    this.#timer = this.#clock.schedule(delay, () => this.#expire())
  }

  #expire(): void {
    this.#timer = null
    const now = this.#clock.now()
    while (this.#oldest !== null && this.#oldest.deadline <= now) {
      const pending = this.#oldest
      this.#remove(pending)
      const first = this.#firstFragment(pending)
      this.#counters.drop(Drop.FragmentTimeout, first)
      if (pending.first !== null) this.#events.timedOut(first)
    }
    if (this.#oldest !== null) this.#arm(Math.max(1, this.#oldest.deadline - now))
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

/** Whether a fragment is one of the datagram's. */
function isOf(pending: Pending, packet: Packet, protocol: number, zone: number): boolean {
  return (
    pending.identification === packet.identification &&
    pending.protocol === protocol &&
    pending.zone === zone &&
    pending.s3 === packet.s3 &&
    pending.d3 === packet.d3 &&
    pending.s0 === packet.s0 &&
    pending.s1 === packet.s1 &&
    pending.s2 === packet.s2 &&
    pending.d0 === packet.d0 &&
    pending.d1 === packet.d1 &&
    pending.d2 === packet.d2
  )
}

function lastEnd(pending: Pending): number {
  const ends = pending.runEnds
  return ends.length === 0 ? 0 : (ends[ends.length - 1] as number)
}

/**
 * Adds `[start, end)` to the runs: None, FragmentDuplicate (inside a run) or FragmentOverlap (in
 * part inside one).
 */
function insertRun(pending: Pending, start: number, end: number): Drop {
  const { runStarts, runEnds } = pending
  const count = runStarts.length
  const tail = lastEnd(pending)
  if (count === 0) {
    pending.runStarts = [start]
    pending.runEnds = [end]
    return Drop.None
  }
  if (start === tail) {
    runEnds[count - 1] = end
    return Drop.None
  }
  if (start >= tail) {
    runStarts.push(start)
    runEnds.push(end)
    return Drop.None
  }
  // The first run that ends behind `start`: binary, because a sender may send backwards.
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >> 1
    if ((runEnds[middle] as number) <= start) low = middle + 1
    else high = middle
  }
  const runStart = runStarts[low] as number
  if (end <= runStart) {
    runStarts.splice(low, 0, start)
    runEnds.splice(low, 0, end)
    return Drop.None
  }
  return start >= runStart && end <= (runEnds[low] as number) ? Drop.FragmentDuplicate : Drop.FragmentOverlap
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
