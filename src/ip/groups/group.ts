/**
 * One group of a nic: what the host wants to hear of it, what it was asked, what it has to tell.
 */
import { Address } from '../../base/address.ts'
import type { Clock, Timer } from '../../base/clock.ts'
import type { KeyedHash } from '../../base/hash.ts'
import { AddressSet } from './address-set.ts'
import { type GroupQuery, type GroupRecord, RecordType } from './group-messages.ts'
import { type GroupFilter, NOTHING } from './memberships.ts'

/**
 * Sources that are remembered from queries about a group in EXCLUDE mode: Linux's limit of a
 * socket's list (mld_max_msf). A querier that asks about more gets an answer about the whole group
 * (RFC 9776 section 9.1 lets a host record a limited number).
 */
export const MAX_ASKED = 64

/** A group of one nic: its filter, and what is still to be said about it. */
export class Group {
  readonly address: Address
  #filter: GroupFilter = NOTHING
  /** The filter's sources, to be found. */
  #sources: AddressSet
  /** Reports still to be sent that say which mode the filter has. */
  modeReports = 0
  /** Reports still to be sent about each source that was added or removed. */
  readonly sourceReports = new Map<Address, number>()
  /** Reports of an older version still to be sent unasked. */
  oldReports = 0
  /** The answer to a query about this group, or an older version's report. */
  timer: Timer | null = null
  timerAt = 0
  /**
   * The sources asked about, when all queries that the timer is for named some; never more than the
   * filter has, or {@link MAX_ASKED}.
   */
  readonly asked: AddressSet
  readonly #hash: KeyedHash
  /**
   * Nobody else has reported the group since this host did (RFC 2236 section 6: leave only then).
   */
  lastReporter = false

  constructor(address: Address, hash: KeyedHash) {
    this.#hash = hash
    this.#sources = new AddressSet(hash)
    this.asked = new AddressSet(hash)
    this.address = address
  }

  get filter(): GroupFilter {
    return this.#filter
  }

  set filter(filter: GroupFilter) {
    this.#filter = filter
    this.#sources = new AddressSet(this.#hash)
    for (const source of filter.sources) this.#sources.add(source)
  }

  get isMember(): boolean {
    return this.#filter.exclude || this.#filter.sources.length > 0
  }

  /**
   * Adds those of a query's sources to the ones asked about that the host wants to hear (Linux:
   * igmp_marksources, mld_marksources); `false` when it wants none of them. Too many ones empty the
   * list: then the question is about the whole group.
   */
  mark(query: GroupQuery): boolean {
    const { exclude } = this.#filter
    let any = false
    query.forEachSource((w0, w1, w2, w3) => {
      const listed = this.#sources.find(w0, w1, w2, w3)
      if ((listed !== null) === exclude) return true
      any = true
      if (this.asked.find(w0, w1, w2, w3) !== null) return true
      if (exclude && this.asked.size === MAX_ASKED) {
        this.asked.clear()
        return false
      }
      this.asked.add(listed ?? new Address(w0, w1, w2, w3))
      return true
    })
    return any
  }

  get isPending(): boolean {
    return this.modeReports > 0 || this.sourceReports.size > 0
  }

  wants({ w0, w1, w2, w3 }: Address): boolean {
    return (this.#sources.find(w0, w1, w2, w3) !== null) !== this.#filter.exclude
  }

  setTimer(clock: Clock, delay: number, callback: () => void): void {
    this.timer?.cancel()
    this.timerAt = clock.now() + delay
    this.timer = clock.schedule(delay, () => {
      this.timer = null
      callback()
    })
  }

  clearTimer(): void {
    this.timer?.cancel()
    this.timer = null
    this.asked.clear()
  }
}

/** One report less is to be sent about a source. */
export function countDown(group: Group, source: Address): void {
  const left = (group.sourceReports.get(source) ?? 0) - 1
  if (left > 0) group.sourceReports.set(source, left)
  else group.sourceReports.delete(source)
}

/** What a query about the whole group is answered with. */
export function currentState({ address, filter }: Group): GroupRecord {
  return { type: filter.exclude ? RecordType.IsExclude : RecordType.IsInclude, group: address, sources: filter.sources }
}
