/**
 * The host side of group management, for one nic and one family: RFC 9776 section 5 (IGMPv3) and
 * RFC 9777 section 6 (MLDv2), with section 7 and 8 for older queriers (RFC 2236, RFC 2710, RFC
 * 1112).
 *
 * Both protocols do the same with other formats. `version` counts as IGMP does: 3 knows sources
 * (IGMPv3, MLDv2), 2 knows leaving (IGMPv2, MLDv1), 1 neither (IGMPv1).
 */
import type { Address } from '../../base/address.ts'
import type { Clock, Timer } from '../../base/clock.ts'
import type { KeyedHash } from '../../base/hash.ts'
import type { Random } from '../../base/random.ts'
import { countDown, currentState, Group } from './group.ts'
import {
  type GroupQuery,
  type GroupRecord,
  type GroupReporter,
  type GroupVersion,
  RecordType,
} from './group-messages.ts'
import { contains, type GroupFilter } from './memberships.ts'

const ROBUSTNESS = 2
const QUERY_INTERVAL = 125_000
/**
 * Between the repetitions of a report nobody asked for: RFC 9776 section 8.11, RFC 2236 section
 * 8.10.
 */
const UNSOLICITED_INTERVAL = 1000
const OLD_UNSOLICITED_INTERVAL = 10_000
/** RFC 2236 section 4: Version 1 Router Present Timeout. */
const V1_TIMEOUT = 400_000
/**
 * The longest an answer may be put off, whatever the query says: formats have room for 53 minutes
 * and 140, but a querier that keeps the rules asks again before the time is over (RFC 9776 section
 * 8.3, with a default interval of 125 s).
 */
export const MAX_RESPONSE = 60_000
export class GroupManager {
  readonly #reporter: GroupReporter
  readonly #hash: KeyedHash
  readonly #clock: Clock
  readonly #random: Random
  #groups: Group[] = []
  /** The same, by their addresses' text. */
  readonly #byAddress = new Map<string, Group>()
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

  /** `hash`: the stack's. */
  constructor(reporter: GroupReporter, clock: Clock, random: Random, hash: KeyedHash) {
    this.#hash = hash
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
    this.#byAddress.clear()
  }

  // ── the host's own changes ──

  /** The nic's filter for a group is another one now. */
  changed(address: Address, filter: GroupFilter): void {
    let group = this.#find(address)
    if (group === undefined) {
      group = new Group(address, this.#hash)
      this.#groups.push(group)
      this.#byAddress.set(address.toString(), group)
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

  /**
   * Tells about all groups once more, for instance because there is a source address now (RFC 3590
   * section 4).
   */
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
        records.push({
          type: filter.exclude ? RecordType.ToExclude : RecordType.ToInclude,
          group: address,
          sources: filter.sources,
        })
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

  /**
   * Sends an older version's report now, and again later while there are some to be sent unasked.
   */
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
    if (group.oldReports > 0)
      group.setTimer(this.#clock, this.#random.float() * OLD_UNSOLICITED_INTERVAL, () => this.#reportOld(group))
  }

  #leaveOld(group: Group): void {
    group.clearTimer()
    group.oldReports = 0
    if (group.lastReporter && this.version === 2) this.#reporter.leave(group.address)
    group.lastReporter = false
  }

  /**
   * Another host's report of version 1 or 2: ours is not needed (RFC 2236 section 3, RFC 2710
   * section 4).
   */
  heardReport(address: Address): void {
    const group = this.#find(address)
    if (group === undefined || this.version === 3) return
    group.clearTimer()
    group.oldReports = 0
    group.lastReporter = false
  }

  // ── queries ──

  query(query: GroupQuery): void {
    const delay = Math.min(query.maxResponse, MAX_RESPONSE)
    const before = this.version
    const now = this.#clock.now()
    if (query.version === 3) {
      this.#robustness = query.robustness === 0 ? ROBUSTNESS : query.robustness
      this.#queryInterval = query.queryInterval === 0 ? QUERY_INTERVAL : query.queryInterval
    } else if (query.version === 2) this.#v2Until = now + this.#robustness * this.#queryInterval + delay
    else this.#v1Until = now + V1_TIMEOUT
    const { version } = this
    // RFC 9776 section 7.2.1: what was pending was in another version's language.
    if (version !== before) this.#cancelAll()
    if (version < 3) this.#answerOld(query.group, delay)
    else this.#answer(query, delay)
  }

  /** RFC 9776 section 5.2, in its order. */
  #answer(query: GroupQuery, maxResponse: number): void {
    const { group: address, sourceCount } = query
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
    const wholeGroup = sourceCount === 0 || (group.timer !== null && group.asked.size === 0)
    if (wholeGroup) group.asked.clear()
    else if (!group.mark(query)) return
    if (group.timer === null || at < group.timerAt) group.setTimer(this.#clock, delay, () => this.#answerGroup(group))
  }

  #answerGroup(group: Group): void {
    const asked = group.asked.list()
    group.asked.clear()
    if (asked.length === 0) {
      this.#reporter.report([currentState(group)])
      return
    }
    const wanted = asked.filter((source) => group.wants(source))
    if (wanted.length > 0)
      this.#reporter.report([{ type: RecordType.IsInclude, group: group.address, sources: wanted }])
  }

  #answerOld(address: Address | null, maxResponse: number): void {
    const asked = address === null ? this.#groups : [this.#find(address)]
    const now = this.#clock.now()
    for (const group of asked) {
      if (group?.isMember !== true || (group.timer !== null && group.timerAt <= now + maxResponse)) continue
      group.setTimer(this.#clock, this.#random.float() * maxResponse, () => this.#reportOld(group))
    }
  }

  // ── keeping order ──

  #find(address: Address): Group | undefined {
    return this.#byAddress.get(address.toString())
  }

  /** Groups that were left, and about which all was said, are forgotten. */
  #tidy(): void {
    if (this.#groups.every((group) => group.isMember || group.isPending)) return
    for (const group of this.#groups) {
      if (group.isMember) continue
      group.clearTimer()
      if (!group.isPending) this.#byAddress.delete(group.address.toString())
    }
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
