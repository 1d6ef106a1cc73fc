/** What a host says and hears of groups, whichever protocol carries it. */
import type { Address } from '../../base/address.ts'

export type GroupVersion = 1 | 2 | 3

/**
 * Types of group records, the same in both protocols (RFC 9776 section 4.2.12, RFC 9777 section
 * 5.2.12).
 */
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

/** A query that was received, lent for the call. Times in milliseconds. */
export interface GroupQuery {
  readonly version: GroupVersion
  /** `null` in a general query. */
  readonly group: Address | null
  readonly sourceCount: number
  /** Shows each source's words, until `visit` returns false. */
  forEachSource(visit: (w0: number, w1: number, w2: number, w3: number) => boolean): void
  readonly maxResponse: number
  /** The querier's robustness variable and query interval; 0 where the query does not say. */
  readonly robustness: number
  readonly queryInterval: number
}
