/**
 * The datagrams that wait for fragments, by key and by age, and the memory that they hold.
 *
 * Memory is bounded, everything that a fragment makes the process hold counted: a source may hold a
 * quarter of the whole; past either bound the oldest datagram (of that source, or of all) goes, so
 * that a flood of first fragments cannot keep honest, quickly completed ones out (Linux takes no new
 * datagrams then, whoever they are from).
 */
import type { Clock } from '../../base/clock.ts'
import type { KeyedHash } from '../../base/hash.ts'
import { HashTable } from '../../base/hash-table.ts'
import { bytesCost, MemoryAccount } from '../../base/memory-account.ts'
import type { Packet } from '../../base/packet.ts'
import { type FragmentRuns, NO_RUNS } from './fragment-runs.ts'

/**
 * What a datagram that waits costs besides its fragments, and a fragment besides its bytes:
 * measured, as the heap holds it (Node 20).
 */
const PENDING_COST = 560
const FRAGMENT_COST = 72
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

export class Fragment {
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
export class Source {
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

/** Fragments of a datagram without one; never written to. */
const NO_FRAGMENTS: Fragment[] = []

/** One datagram that is not complete yet. */
export class Pending implements FragmentRuns {
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
  /** See `fragment-runs.ts`. */
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

export class PendingTable {
  /** The datagram that waits longest. */
  oldest: Pending | null = null
  readonly #family: 4 | 6
  readonly #hash: KeyedHash
  readonly #clock: Clock
  readonly #timeout: number
  readonly #memory: MemoryAccount
  readonly #sourceLimit: number
  readonly #table = new HashTable<Pending>()
  readonly #sources = new HashTable<Source>()
  /** What the last fragment belonged to: as a rule the next one's datagram. */
  #last: Pending | null = null
  #newest: Pending | null = null
  /** Sources without a pending datagram. */
  #idleSources = 0
  readonly #spares: Fragment[] = []
  readonly #spareLimit: number

  /**
   * `memory` in bytes; a quarter of it is any one source's share. `hash`: the stack's. `timeout` in
   * milliseconds: how long a datagram waits.
   */
  constructor(family: 4 | 6, memory: number, hash: KeyedHash, clock: Clock, timeout: number) {
    this.#family = family
    this.#clock = clock
    this.#timeout = timeout
    this.#hash = hash
    this.#memory = new MemoryAccount(memory)
    this.#sourceLimit = memory / 4
    this.#spareLimit = Math.floor((memory * SPARE_SHARE) / new Fragment(USUAL_MAX).cost)
  }

  get size(): number {
    return this.#table.size
  }

  /** Bytes that the datagrams make the process hold. */
  get held(): number {
    return this.#memory.held
  }

  /** Datagrams that a fragment may have to be compared with. */
  get longestChain(): number {
    return Math.max(this.#table.longestChain, this.#sources.longestChain)
  }

  /** The datagram of a fragment, made when it is the first one. */
  findOrAdd(packet: Packet): Pending {
    const protocol = this.#family === 4 ? packet.protocol : 0
    // Scoped addresses mean something on one link only (RFC 4007 section 6).
    const zone = packet.d0 >>> 22 === 0x3fa || packet.d0 >>> 24 === 0xff ? packet.nic : 0
    if (this.#last !== null && isOf(this.#last, packet, protocol, zone)) return this.#last
    const { s0, s1, s2, s3, d0, d1, d2, d3 } = packet
    const hash = this.#hash.flow(s0, s1, s2, s3, d0, d1, d2, d3, packet.identification, protocol ^ (zone << 8))
    this.#last = this.#find(packet, hash, protocol, zone) ?? this.#add(packet, hash, protocol, zone)
    return this.#last
  }

  #find(packet: Packet, hash: number, protocol: number, zone: number): Pending | null {
    for (let each = this.#table.head(hash); each !== null; each = each.chain)
      if (isOf(each, packet, protocol, zone)) return each
    return null
  }

  #add(packet: Packet, hash: number, protocol: number, zone: number): Pending {
    const source = this.#sourceOf(packet)
    if (source.oldest === null) this.#idleSources--
    const pending = new Pending(packet, hash, protocol, zone, source, this.#clock.now() + this.#timeout)
    this.#table.add(pending)
    this.#charge(pending, PENDING_COST)
    pending.older = this.#newest
    if (this.#newest === null) this.oldest = pending
    else this.#newest.newer = pending
    this.#newest = pending
    pending.olderOfSource = source.newest
    if (source.newest === null) source.oldest = pending
    else source.newest.newerOfSource = pending
    source.newest = pending
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

  /** Gives a datagram a fragment with room for `length` bytes at least, and charges for it. */
  addFragment(pending: Pending, length: number): Fragment {
    const fragment =
      length < USUAL_MIN || length > USUAL_MAX ? new Fragment(length) : (this.#spares.pop() ?? new Fragment(USUAL_MAX))
    if (pending.fragments === NO_FRAGMENTS) pending.fragments = [fragment]
    else pending.fragments.push(fragment)
    this.#charge(pending, fragment.cost)
    return fragment
  }

  #charge(pending: Pending, cost: number): void {
    pending.bytes += cost
    pending.source.bytes += cost
    this.#memory.charge(cost)
  }

  /**
   * The datagram that has to go to keep the memory within its bounds, if any: the oldest of the
   * source, when that is overdrawn, then the oldest of all.
   */
  victim(source: Source): Pending | null {
    if (source.bytes > this.#sourceLimit && source.oldest !== null) return source.oldest
    return this.#memory.isOver ? this.oldest : null
  }

  /** What the datagram's fragments hold stays as it is until the next one is stored. */
  remove(pending: Pending): void {
    for (const fragment of pending.fragments)
      if (fragment.bytes.length === USUAL_MAX && this.#spares.length < this.#spareLimit) this.#spares.push(fragment)
    this.#table.remove(pending)
    if (this.#last === pending) this.#last = null
    if (pending.older === null) this.oldest = pending.newer
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

  clear(): void {
    while (this.oldest !== null) this.remove(this.oldest)
    this.#sweep()
    this.#spares.length = 0
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
