/**
 * The datagrams that wait for fragments, by key and by age, and the memory that they hold.
 *
 * Memory is bounded, everything that a fragment makes the process hold counted: a source may hold a
 * quarter of the whole; past either bound the oldest datagram (of that source, or of all) goes, so
 * that a flood of first fragments cannot keep honest, quickly completed ones out (Linux takes no
 * new datagrams then, whoever they are from).
 */
import type { Clock } from '../../base/clock.ts'
import type { KeyedHash } from '../../base/hash.ts'
import { HashTable } from '../../base/hash-table.ts'
import { MemoryAccount } from '../../base/memory-account.ts'
import type { Packet } from '../../base/packet.ts'
import { type Fragment, FragmentPool } from './fragment-pool.ts'
import { type FragmentRuns, MAX_KEPT_RUNS } from './fragment-runs.ts'

/**
 * What a datagram that waits costs besides its fragments: measured, as the heap holds it (Node 20).
 */
const PENDING_COST = 560
/** Records of datagrams and of sources that are kept for the next ones. */
const SPARES = 64

/** A source's share of the memory, as long as something of it waits. */
export class Source {
  hash = 0
  w0 = 0
  w1 = 0
  w2 = 0
  w3 = 0
  bytes = 0
  chain: Source | null = null
  /** Its pending datagrams, by age. */
  oldest: Pending | null = null
  newest: Pending | null = null

  begin(packet: Packet, hash: number): void {
    this.hash = hash
    this.w0 = packet.s0
    this.w1 = packet.s1
    this.w2 = packet.s2
    this.w3 = packet.s3
  }
}

/** One datagram that is not complete yet. */
export class Pending implements FragmentRuns {
  s0 = 0
  s1 = 0
  s2 = 0
  s3 = 0
  d0 = 0
  d1 = 0
  d2 = 0
  d3 = 0
  identification = 0
  /** IPv4 only; 0 in IPv6, whose key has no next header. */
  protocol = 0
  zone = 0
  hash = 0
  source: Source
  deadline = 0
  /** Of the fragment that came first. */
  trace = 0
  /** As they came. */
  fragments: Fragment | null = null
  newestFragment: Fragment | null = null
  fragmentCount = 0
  /** See `fragment-runs.ts`. An array that grows from nothing takes room for 17 (V8). */
  runs = 0
  runStarts = [0]
  runEnds = [0]
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

  constructor(source: Source) {
    this.source = source
  }

  /** Makes it the datagram of a fragment, whatever it was before. */
  begin(packet: Packet, hash: number, protocol: number, zone: number, source: Source, deadline: number): void {
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
    this.fragmentCount = 0
    this.runs = 0
    if (this.runStarts.length > MAX_KEPT_RUNS) {
      this.runStarts = [0]
      this.runEnds = [0]
    }
    this.total = -1
    this.received = 0
    this.bytes = 0
    this.ecn = 0
    this.largest = 0
    this.largestWhole = 0
    this.older = null
    this.newer = null
    this.olderOfSource = null
    this.newerOfSource = null
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
  readonly #pool: FragmentPool
  readonly #sparePendings: Pending[] = []
  readonly #spareSources: Source[] = []
  /** What was removed last, which somebody may still read. */
  #removed: Pending | null = null

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
    this.#pool = new FragmentPool(memory)
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
    this.#release()
    const source = this.#sourceOf(packet)
    const pending = this.#sparePendings.pop() ?? new Pending(source)
    pending.begin(packet, hash, protocol, zone, source, this.#clock.now() + this.#timeout)
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

  #sourceOf(packet: Packet): Source {
    const { s0, s1, s2, s3 } = packet
    const hash = this.#hash.address(s0, s1, s2, s3)
    for (let each = this.#sources.head(hash); each !== null; each = each.chain)
      if (each.w3 === s3 && each.w2 === s2 && each.w1 === s1 && each.w0 === s0) return each
    const source = this.#spareSources.pop() ?? new Source()
    source.begin(packet, hash)
    this.#sources.add(source)
    return source
  }

  /** Gives a datagram a fragment with room for `length` bytes at least, and charges for it. */
  addFragment(pending: Pending, length: number): Fragment {
    const fragment = this.#pool.take(length)
    if (pending.newestFragment === null) pending.fragments = fragment
    else pending.newestFragment.next = fragment
    pending.newestFragment = fragment
    pending.fragmentCount++
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

  /** The datagram and its fragments stay as they are until another one is added or removed. */
  remove(pending: Pending): void {
    this.#release()
    this.#removed = pending
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
    if (source.oldest === null) {
      this.#sources.remove(source)
      if (this.#spareSources.length < SPARES) this.#spareSources.push(source)
    }
  }

  /** Spares hold nothing of their datagram: what is too long for the pool would not be counted. */
  #release(): void {
    const pending = this.#removed
    if (pending === null) return
    this.#removed = null
    for (let each = pending.fragments; each !== null; ) {
      const { next } = each
      each.next = null
      this.#pool.giveBack(each)
      each = next
    }
    pending.fragments = null
    pending.newestFragment = null
    pending.first = null
    if (this.#sparePendings.length < SPARES) this.#sparePendings.push(pending)
  }

  clear(): void {
    while (this.oldest !== null) this.remove(this.oldest)
    this.#release()
    this.#pool.clear()
    this.#sparePendings.length = 0
    this.#spareSources.length = 0
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
