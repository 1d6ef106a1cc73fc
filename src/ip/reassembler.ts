/**
 * Reassembly of one family's fragments: RFC 791 section 3.2, RFC 815, RFC 8200 section 4.5, overlaps RFC 5722, ECN RFC 3168 section 5.3.
 *
 * Like Linux: fragments are kept in runs; a fragment inside a run is a duplicate and ignored, one that overlaps a run in part kills the whole
 * datagram, and the identification is free again at once. Memory is bounded: a source may hold a quarter of the whole; past either bound the
 * oldest datagram (of that source, or of all) goes, so that a flood of first fragments cannot keep honest, quickly completed ones out.
 */
import type { Clock, Timer } from '../base/clock.ts'
import { Drop } from '../base/drop.ts'
import { HEADROOM, MAX_PACKET, Packet } from '../base/packet.ts'
import type { Random } from '../base/random.ts'
import type { Counters } from './counters.ts'
import * as ipv4 from './ipv4.ts'
import * as ipv6 from './ipv6.ts'

/** Linux: ipfrag_high_thresh, 4 MiB. */
export const REASSEMBLY_MEMORY = 4 * 1024 * 1024
/** What a fragment costs besides its bytes. */
const FRAGMENT_OVERHEAD = 128
/** Linux: ipfrag_time 30 s; RFC 8200 section 4.5: 60 s. */
export const TIMEOUT4 = 30_000
export const TIMEOUT6 = 60_000

/**
 * Fragments of usual lengths lie in memory of one size, which is used again: memory of their own would keep the garbage collector busy, the more the
 * more datagrams wait. Shorter and longer ones get what they need.
 */
const USUAL_MIN = 512
const USUAL_MAX = 2048
/** Fragments of that kind that are kept for the next datagram, 256 KiB: two of the largest datagrams. */
const SPARES = 128
/**
 * Sources that are kept though nothing of theirs waits, besides half of all: a Map gets slow when one key comes and goes (V8 leaves a gap in the key's
 * chain each time).
 */
const IDLE_SOURCES = 64

class Fragment {
  offset = 0
  length = 0
  readonly bytes: Uint8Array
  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity)
  }
}

/** A source's share of the memory. */
class Source {
  readonly hash: number
  bytes = 0
  /** Its pending datagrams, by age. */
  oldest: Pending | null = null
  newest: Pending | null = null
  constructor(hash: number) {
    this.hash = hash
  }
}

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
  readonly fragments: Fragment[] = []
  /** Runs of bytes that are there, by offset; only the last one grows. */
  readonly runStarts: number[] = []
  readonly runEnds: number[] = []
  /** Everything in front of the fragmentable part, from the fragment with offset 0: as long as that one has not come, empty. */
  header: Uint8Array | null = null
  /** IPv6: where in `header` the field is that named the fragment header, and what the fragment header names. */
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
  /** The largest fragment, and the largest that had DF: a datagram whose largest one had it has it too (Linux: max_df_size). */
  largest = 0
  largestWhole = 0
  /** The next with the same hash. */
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
  /** Time ran out and the first fragment is there: `packet` is that fragment, parsed, to be quoted in a Time Exceeded. */
  timedOut(packet: Packet): void
}

export class Reassembler {
  readonly #family: 4 | 6
  readonly #clock: Clock
  readonly #counters: Counters
  readonly #events: ReassemblyEvents
  readonly #timeout: number
  readonly #memoryLimit: number
  readonly #sourceLimit: number
  readonly #secret: number
  readonly #table = new Map<number, Pending>()
  readonly #sources = new Map<number, Source>()
  /** Sources without a pending datagram. */
  #idleSources = 0
  readonly #spares: Fragment[] = []
  #oldest: Pending | null = null
  #newest: Pending | null = null
  #timer: Timer | null = null
  #packet: Packet | null = null
  #bytes = 0
  #count = 0

  /** `memory` in bytes; a quarter of it is any one source's share. */
  constructor(family: 4 | 6, clock: Clock, random: Random, counters: Counters, events: ReassemblyEvents, memory = REASSEMBLY_MEMORY) {
    this.#family = family
    this.#clock = clock
    this.#counters = counters
    this.#events = events
    this.#memoryLimit = memory
    this.#sourceLimit = memory / 4
    this.#timeout = family === 4 ? TIMEOUT4 : TIMEOUT6
    this.#secret = random.uint32() | 0
  }

  /** Datagrams that wait for fragments. */
  get pending(): number {
    return this.#count
  }

  /** Bytes they hold. */
  get memory(): number {
    return this.#bytes
  }

  /**
   * Takes the fragment in `packet` (parsed; its fragmentable part is `packet.transport … packet.end`).
   *
   * @returns the rebuilt packet when this fragment completes one (lent until the next call), else `null`. What is discarded is counted here.
   *   In IPv6 a discard may set `packet.problem` and `packet.pointer`: it asks for a Parameter Problem.
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
      if (end < lastEnd(pending) || (pending.total >= 0 && pending.total !== end)) return this.#kill(pending, packet, Drop.FragmentOverlap)
      pending.total = end
    } else if (pending.total >= 0 && end > pending.total) return this.#kill(pending, packet, Drop.FragmentOverlap)
    const drop = insertRun(pending, offset, end)
    if (drop === Drop.FragmentDuplicate) return this.#refuse(packet, drop)
    if (drop !== Drop.None) return this.#kill(pending, packet, drop)
    this.#store(pending, packet, offset, length)
    if (pending.received === pending.total && pending.header !== null) return this.#complete(pending, packet)
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
    let hash = Math.imul(packet.s3 ^ this.#secret, 0x9e3779b1) ^ Math.imul(packet.identification ^ protocol, 0x85ebca6b)
    hash = Math.imul(hash ^ (hash >>> 15) ^ packet.d3, 0xc2b2ae35) ^ packet.s1
    hash = (hash ^ (hash >>> 13)) | 0
    let each = this.#table.get(hash) ?? null
    for (; each !== null; each = each.chain) {
      if (
        each.identification === packet.identification &&
        each.protocol === protocol &&
        each.zone === zone &&
        each.s3 === packet.s3 &&
        each.d3 === packet.d3 &&
        each.s0 === packet.s0 &&
        each.s1 === packet.s1 &&
        each.s2 === packet.s2 &&
        each.d0 === packet.d0 &&
        each.d1 === packet.d1 &&
        each.d2 === packet.d2
      )
        return each
    }
    const sourceHash = (Math.imul(packet.s3 ^ this.#secret, 0x27d4eb2f) ^ Math.imul(packet.s1, 0x9e3779b1) ^ packet.s0) | 0
    let source = this.#sources.get(sourceHash)
    if (source === undefined) {
      source = new Source(sourceHash)
      this.#sources.set(sourceHash, source)
    } else if (source.oldest === null) this.#idleSources--
    const pending = new Pending(packet, hash, protocol, zone, source, this.#clock.now() + this.#timeout)
    pending.chain = this.#table.get(hash) ?? null
    this.#table.set(hash, pending)
    pending.older = this.#newest
    if (this.#newest === null) this.#oldest = pending
    else this.#newest.newer = pending
    this.#newest = pending
    pending.olderOfSource = source.newest
    if (source.newest === null) source.oldest = pending
    else source.newest.newerOfSource = pending
    source.newest = pending
    this.#count++
    if (this.#timer === null) this.#arm(this.#timeout)
    return pending
  }

  #store(pending: Pending, packet: Packet, offset: number, length: number): void {
    const { transport, network } = packet
    const usual = length >= USUAL_MIN && length <= USUAL_MAX
    const fragment = (usual ? this.#spares.pop() : undefined) ?? new Fragment(usual ? USUAL_MAX : length)
    fragment.offset = offset
    fragment.length = length
    fragment.bytes.set(packet.window(transport, transport + length))
    pending.fragments.push(fragment)
    pending.received += length
    pending.ecn |= 1 << (packet.tos & 3)
    const size = length + transport - network
    if (size > pending.largest) pending.largest = size
    if (packet.dontFragment === 1 && size > pending.largestWhole) pending.largestWhole = size
    let cost = fragment.bytes.length + FRAGMENT_OVERHEAD
    if (offset === 0) {
      const headerEnd = this.#family === 4 ? transport : packet.fragmentHeader
      pending.header = packet.bytes.slice(network, headerEnd)
      pending.nextHeader = packet.protocol
      pending.nextHeaderAt = this.#family === 4 ? 0 : fragmentNamedAt(packet)
      pending.hopLimit = packet.hopLimit
      pending.cast = packet.cast
      pending.nic = packet.nic
      cost += headerEnd - network
    }
    pending.bytes += cost
    pending.source.bytes += cost
    this.#bytes += cost
  }

  #complete(pending: Pending, last: Packet): Packet | null {
    this.#remove(pending)
    const ecn = combineEcn(pending.ecn)
    if (ecn < 0) return this.#refuse(last, Drop.FragmentEcn)
    const header = pending.header as Uint8Array
    // IPv6's payload length does not count the fixed header.
    if (header.length + pending.total > (this.#family === 4 ? 65_535 : 65_535 + ipv6.HEADER)) return this.#refuse(last, Drop.FragmentTooBig)
    this.#packet ??= new Packet(HEADROOM + MAX_PACKET)
    const rebuilt = this.#packet
    const at = HEADROOM
    rebuilt.reset(at, at + header.length + pending.total)
    rebuilt.bytes.set(header, at)
    for (const { bytes, offset, length } of pending.fragments)
      rebuilt.bytes.set(length === bytes.length ? bytes : bytes.subarray(0, length), at + header.length + offset)
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
      rebuilt.transport = at + header.length
      rebuilt.protocol = pending.nextHeader
      rebuilt.protocolAt = at + pending.nextHeaderAt
      rebuilt.fragmentHeader = at + header.length
      this.#counters.Ip6ReasmOKs++
    }
    rebuilt.fragments = pending.fragments.length
    return rebuilt
  }

  /** Keeps the memory within its bounds: the oldest of an overdrawn source, then the oldest of all. */
  #bound(source: Source): void {
    while (source.bytes > this.#sourceLimit && source.oldest !== null) this.#evict(source.oldest)
    while (this.#bytes > this.#memoryLimit && this.#oldest !== null) this.#evict(this.#oldest)
  }

  /** Discards a datagram, which is told, and not the fragment that it makes way for. */
  #evict(victim: Pending): void {
    this.#remove(victim)
    this.#counters.drop(Drop.FragmentMemory, this.#firstFragment(victim))
  }

  /** What the datagram's fragments hold stays as it is until the next one is stored. */
  #remove(pending: Pending): void {
    for (const fragment of pending.fragments)
      if (fragment.bytes.length === USUAL_MAX && this.#spares.length < SPARES) this.#spares.push(fragment)
    let each = this.#table.get(pending.hash) ?? null
    if (each === pending) {
      if (pending.chain === null) this.#table.delete(pending.hash)
      else this.#table.set(pending.hash, pending.chain)
    } else {
      while (each !== null && each.chain !== pending) each = each.chain
      if (each !== null) each.chain = pending.chain
    }
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
    this.#bytes -= pending.bytes
    this.#count--
    if (source.oldest === null && ++this.#idleSources > IDLE_SOURCES + this.#sources.size / 2) this.#sweep()
  }

  #sweep(): void {
    for (const source of this.#sources.values()) if (source.oldest === null) this.#sources.delete(source.hash)
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
      if (pending.header !== null) this.#events.timedOut(first)
    }
    if (this.#oldest !== null) this.#arm(Math.max(1, this.#oldest.deadline - now))
  }

  /** The fragment with offset 0 as it came (or, without it, an empty packet of this family), to be quoted in an error and named as discarded. */
  #firstFragment(pending: Pending): Packet {
    this.#packet ??= new Packet(HEADROOM + MAX_PACKET)
    const packet = this.#packet
    packet.reset(HEADROOM, HEADROOM)
    packet.trace = pending.trace
    packet.family = this.#family
    const first = pending.fragments.find((fragment) => fragment.offset === 0)
    if (pending.header === null || first === undefined) return packet
    const { header } = pending
    const view = packet.view
    const at = HEADROOM
    packet.bytes.set(header, at)
    let behind = at + header.length
    if (this.#family === 6) {
      ipv6.encodeFragmentHeader(view, behind, pending.nextHeader, 0, true, pending.identification)
      behind += ipv6.FRAGMENT_HEADER
    }
    packet.bytes.set(first.bytes.subarray(0, first.length), behind)
    packet.end = behind + first.length
    packet.nic = pending.nic
    packet.cast = pending.cast
    if (this.#family === 4) {
      // A recorded route has changed the header: the checksum is made right to be read, and quoted as it came.
      const checksum = ipv4.headerChecksum(view, at)
      ipv4.rewriteChecksum(view, at)
      ipv4.parse(packet)
      view.setUint16(at + ipv4.HEADER_CHECKSUM, checksum)
    } else ipv6.parse(packet)
    packet.fragmentOffset = 0
    return packet
  }
}

function lastEnd(pending: Pending): number {
  const ends = pending.runEnds
  return ends.length === 0 ? 0 : (ends[ends.length - 1] as number)
}

/** Adds `[start, end)` to the runs: None, FragmentDuplicate (inside a run) or FragmentOverlap (in part inside one). */
function insertRun(pending: Pending, start: number, end: number): Drop {
  const { runStarts, runEnds } = pending
  const count = runStarts.length
  const tail = lastEnd(pending)
  if (count > 0 && start === tail) {
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

/** Offset, from the start of the packet, of the next-header field that names the fragment header. */
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
 * The ECN bits to add to those of the first fragment, from the codepoints that came (a bit each: 1 Not-ECT, 2 ECT(1), 4 ECT(0), 8 CE), or -1 to
 * discard: CE with ECT gives CE (RFC 3168 section 5.3); Not-ECT with anything else is refused, as Linux does.
 */
export function combineEcn(seen: number): number {
  if (seen > 1 && (seen & 1) === 1) return -1
  return (seen & 8) === 8 ? 3 : 0
}
