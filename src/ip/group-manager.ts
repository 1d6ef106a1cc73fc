/**
 * The host side of group management, for one nic and one family: RFC 9776 section 5 (IGMPv3) and RFC 9777 section 6 (MLDv2), with section 7 and 8
 * for older queriers (RFC 2236, RFC 2710, RFC 1112).
 *
 * Both protocols do the same with other formats. `version` counts as IGMP does: 3 knows sources (IGMPv3, MLDv2), 2 knows leaving (IGMPv2, MLDv1),
 * 1 neither (IGMPv1).
 */
import type { Address } from '../base/address.ts'
import type { Clock, Timer } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import { contains, type GroupFilter, NOTHING } from './memberships.ts'

export type GroupVersion = 1 | 2 | 3

/** Types of group records, the same in both protocols (RFC 9776 section 4.2.12, RFC 9777 section 5.2.12). */
export const RecordType = { IsInclude: 1, IsExclude: 2, ToInclude: 3, ToExclude: 4, Allow: 5, Block: 6 } as const
export type RecordType = (typeof RecordType)[keyof typeof RecordType]

export interface GroupRecord {
  readonly type: RecordType
  readonly group: Address
  readonly sources: readonly Address[]
}

/** What the manager sends. */
export interface GroupReporter {
  /** A report of version 3; in several packets if need be. */
  report(records: readonly GroupRecord[]): void
  /** A report of version 1 or 2 about one group. */
  oldReport(group: Address, version: 1 | 2): void
  /** IGMPv2's leave, MLDv1's done. */
  leave(group: Address): void
}

/** A query that was received. Times in milliseconds. */
export interface GroupQuery {
  readonly version: GroupVersion
  /** `null` in a general query. */
  readonly group: Address | null
  readonly sources: readonly Address[]
  readonly maxResponse: number
  /** The querier's robustness variable and query interval; 0 where the query does not say. */
  readonly robustness: number
  readonly queryInterval: number
}

const ROBUSTNESS = 2
const QUERY_INTERVAL = 125_000
/** Between the repetitions of a report nobody asked for: RFC 9776 section 8.11, RFC 2236 section 8.10. */
const UNSOLICITED_INTERVAL = 1000
const OLD_UNSOLICITED_INTERVAL = 10_000
/** RFC 2236 section 4: Version 1 Router Present Timeout. */
const V1_TIMEOUT = 400_000

class Group {
  readonly address: Address
  filter: GroupFilter = NOTHING
  /** Reports still to be sent that say which mode the filter has. */
  modeReports = 0
  /** Reports still to be sent about each source that was added or removed. */
  readonly sourceReports = new Map<Address, number>()
  /** Reports of an older version still to be sent unasked. */
  oldReports = 0
  /** The answer to a query about this group, or an older version's report. */
  timer: Timer | null = null
  timerAt = 0
  /** The sources asked about, when all queries that the timer is for named some. */
  asked: Address[] = []
  /** Nobody else has reported the group since this host did (RFC 2236 section 6: leave only then). */
  lastReporter = false

  constructor(address: Address) {
    this.address = address
  }

  get isMember(): boolean {
    return this.filter.exclude || this.filter.sources.length > 0
  }

  get isPending(): boolean {
    return this.modeReports > 0 || this.sourceReports.size > 0
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
    this.asked = []
  }
}

export class GroupManager {
  readonly #reporter: GroupReporter
  readonly #clock: Clock
  readonly #random: Random
  #groups: Group[] = []
  #robustness = ROBUSTNESS
  #queryInterval = QUERY_INTERVAL
  /** Until when an older querier counts as present. */
  #v1Until = Number.NEGATIVE_INFINITY
  #v2Until = Number.NEGATIVE_INFINITY
  /** The answer to a general query. */
  #general: Timer | null = null
  #generalAt = 0
  /** The next repetition of state-change reports. */
  #change: Timer | null = null
  #changeSoon = false
  #closed = false

  constructor(reporter: GroupReporter, clock: Clock, random: Random) {
    this.#reporter = reporter
    this.#clock = clock
    this.#random = random
  }

  /** The version that the oldest querier on the link speaks. */
  get version(): GroupVersion {
    const now = this.#clock.now()
    return now < this.#v1Until ? 1 : now < this.#v2Until ? 2 : 3
  }

  close(): void {
    this.#closed = true
    this.#cancelAll()
    this.#groups = []
  }

  // ── the host's own changes ──

  /** The nic's filter for a group is another one now. */
  changed(address: Address, filter: GroupFilter): void {
    let group = this.#find(address)
    if (group === undefined) {
      group = new Group(address)
      this.#groups.push(group)
    }
    const before = group.filter
    const wasMember = group.isMember
    group.filter = filter
    if (this.version < 3) {
      if (group.isMember && !wasMember) this.#announceOld(group)
      else if (!group.isMember && wasMember) this.#leaveOld(group)
    } else {
      if (before.exclude !== filter.exclude) group.modeReports = this.#robustness
      else {
        for (const source of [...before.sources, ...filter.sources])
          if (contains(before.sources, source) !== contains(filter.sources, source)) this.#sourceChanged(group, source)
      }
      if (group.isPending) this.#reportSoon()
    }
    this.#tidy()
  }

  /** Tells about all groups once more, for instance because there is a source address now (RFC 3590 section 4). */
  announceAll(): void {
    for (const group of this.#groups) {
      if (!group.isMember) continue
      if (this.version < 3) this.#announceOld(group)
      else {
        group.modeReports = Math.max(group.modeReports, 1)
        this.#reportSoon()
      }
    }
  }

  #sourceChanged(group: Group, source: Address): void {
    for (const each of group.sourceReports.keys()) if (each.equals(source)) group.sourceReports.delete(each)
    group.sourceReports.set(source, this.#robustness)
  }

  /** In the next turn, so that changes made together are one report. */
  #reportSoon(): void {
    if (this.#changeSoon) return
    this.#changeSoon = true
    this.#clock.soon(() => {
      this.#changeSoon = false
      if (!this.#closed) this.#reportChanges()
    })
  }

  #reportChanges(): void {
    this.#change?.cancel()
    this.#change = null
    const records: GroupRecord[] = []
    for (const group of this.#groups) {
      const { address, filter } = group
      if (group.modeReports > 0) {
        group.modeReports--
        records.push({ type: filter.exclude ? RecordType.ToExclude : RecordType.ToInclude, group: address, sources: filter.sources })
        // That record says it all: it counts for each source as well.
        for (const source of group.sourceReports.keys()) countDown(group, source)
        continue
      }
      const changed = [...group.sourceReports.keys()]
      const allowed = changed.filter((source) => contains(filter.sources, source) !== filter.exclude)
      const blocked = changed.filter((source) => !allowed.includes(source))
      if (allowed.length > 0) records.push({ type: RecordType.Allow, group: address, sources: allowed })
      if (blocked.length > 0) records.push({ type: RecordType.Block, group: address, sources: blocked })
      for (const source of changed) countDown(group, source)
    }
    if (records.length > 0) this.#reporter.report(records)
    if (this.#groups.some((group) => group.isPending))
      this.#change = this.#clock.schedule(this.#random.float() * UNSOLICITED_INTERVAL, () => this.#reportChanges())
    this.#tidy()
  }

  // ── older queriers ──

  #announceOld(group: Group): void {
    group.oldReports = this.#robustness
    this.#reportOld(group)
  }

  /** Sends an older version's report now, and again later while there are some to be sent unasked. */
  #reportOld(group: Group): void {
    const { version } = this
    group.clearTimer()
    if (version === 3) {
      // The old querier is gone meanwhile.
      this.#reporter.report([currentState(group)])
      return
    }
    this.#reporter.oldReport(group.address, version)
    group.lastReporter = true
    if (group.oldReports > 0) group.oldReports--
    if (group.oldReports > 0) group.setTimer(this.#clock, this.#random.float() * OLD_UNSOLICITED_INTERVAL, () => this.#reportOld(group))
  }

  #leaveOld(group: Group): void {
    group.clearTimer()
    group.oldReports = 0
    if (group.lastReporter && this.version === 2) this.#reporter.leave(group.address)
    group.lastReporter = false
  }

  /** Another host's report of version 1 or 2: ours is not needed (RFC 2236 section 3, RFC 2710 section 4). */
  heardReport(address: Address): void {
    const group = this.#find(address)
    if (group === undefined || this.version === 3) return
    group.clearTimer()
    group.oldReports = 0
    group.lastReporter = false
  }

  // ── queries ──

  query(query: GroupQuery): void {
    const before = this.version
    const now = this.#clock.now()
    if (query.version === 3) {
      this.#robustness = query.robustness === 0 ? ROBUSTNESS : query.robustness
      this.#queryInterval = query.queryInterval === 0 ? QUERY_INTERVAL : query.queryInterval
    } else if (query.version === 2) this.#v2Until = now + this.#robustness * this.#queryInterval + query.maxResponse
    else this.#v1Until = now + V1_TIMEOUT
    const { version } = this
    // RFC 9776 section 7.2.1: what was pending was in another version's language.
    if (version !== before) this.#cancelAll()
    if (version < 3) this.#answerOld(query)
    else this.#answer(query)
  }

  /** RFC 9776 section 5.2, in its order. */
  #answer({ group: address, sources, maxResponse }: GroupQuery): void {
    const delay = this.#random.float() * maxResponse
    const at = this.#clock.now() + delay
    if (this.#general !== null && this.#generalAt <= at) return
    if (address === null) {
      this.#general?.cancel()
      this.#generalAt = at
      this.#general = this.#clock.schedule(delay, () => {
        this.#general = null
        const records = this.#groups.filter((group) => group.isMember).map(currentState)
        if (records.length > 0) this.#reporter.report(records)
      })
      return
    }
    const group = this.#find(address)
    if (group === undefined || !group.isMember) return
    // A query about the whole group, before or now, is answered about the whole group.
    const wholeGroup = sources.length === 0 || (group.timer !== null && group.asked.length === 0)
    const asked = wholeGroup ? [] : [...group.asked, ...sources.filter((source) => !contains(group.asked, source))]
    if (group.timer === null || at < group.timerAt) group.setTimer(this.#clock, delay, () => this.#answerGroup(group))
    group.asked = asked
  }

  #answerGroup(group: Group): void {
    const { asked } = group
    group.asked = []
    if (asked.length === 0) {
      this.#reporter.report([currentState(group)])
      return
    }
    const { exclude, sources } = group.filter
    const wanted = asked.filter((source) => contains(sources, source) !== exclude)
    if (wanted.length > 0) this.#reporter.report([{ type: RecordType.IsInclude, group: group.address, sources: wanted }])
  }

  #answerOld({ group: address, maxResponse }: GroupQuery): void {
    const now = this.#clock.now()
    for (const group of this.#groups) {
      if (!group.isMember || (address !== null && !group.address.equals(address))) continue
      if (group.timer !== null && group.timerAt <= now + maxResponse) continue
      group.setTimer(this.#clock, this.#random.float() * maxResponse, () => this.#reportOld(group))
    }
  }

  // ── keeping order ──

  #find(address: Address): Group | undefined {
    return this.#groups.find((group) => group.address.equals(address))
  }

  /** Groups that were left, and about which all was said, are forgotten. */
  #tidy(): void {
    if (this.#groups.every((group) => group.isMember || group.isPending)) return
    for (const group of this.#groups) if (!group.isMember) group.clearTimer()
    this.#groups = this.#groups.filter((group) => group.isMember || group.isPending)
  }

  #cancelAll(): void {
    this.#general?.cancel()
    this.#general = null
    this.#change?.cancel()
    this.#change = null
    for (const group of this.#groups) {
      group.clearTimer()
      group.modeReports = 0
      group.oldReports = 0
      group.sourceReports.clear()
    }
    this.#tidy()
  }
}

function countDown(group: Group, source: Address): void {
  const left = (group.sourceReports.get(source) ?? 0) - 1
  if (left > 0) group.sourceReports.set(source, left)
  else group.sourceReports.delete(source)
}

function currentState({ address, filter }: Group): GroupRecord {
  return { type: filter.exclude ? RecordType.IsExclude : RecordType.IsInclude, group: address, sources: filter.sources }
}
