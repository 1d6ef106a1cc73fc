/**
 * A run as columns: typed arrays with a row for each datagram, each frame on a wire, and each thing
 * that happened. Texts are in one list; columns have their places in it, -1 for none. All times are
 * milliseconds of simulated time, all lengths bytes.
 */

/** A row for each datagram, in the order in which they were sent: row 0 is number 1. */
export interface Datagrams {
  readonly time: Float64Array
  readonly from: Int32Array
  /** The flow that it belongs to, or on whose account it was sent; -1 for none. */
  readonly flow: Int32Array
  /** The number of the datagram on account of which it was sent; 0 for none. */
  readonly causedBy: Uint32Array
  readonly source: Int32Array
  readonly destination: Int32Array
  /** -1 for none. */
  readonly sourcePort: Int32Array
  readonly destinationPort: Int32Array
  /** What it is in words: `UDP`, `ICMP time exceeded in transit`. */
  readonly title: Int32Array
  readonly length: Uint32Array
}

/** A row for each frame on a wire, by `start`; one that comes to many has a row for each. */
export interface Frames {
  readonly datagram: Uint32Array
  /** Names of nodes; `to` is -1 when nothing is known of an end. */
  readonly from: Int32Array
  readonly to: Int32Array
  /** The nic by which it left. */
  readonly nic: Int32Array
  /** When it left the host, when its last bit was on the wire, when it arrived or was lost. */
  readonly start: Float64Array
  readonly left: Float64Array
  readonly end: Float64Array
  readonly length: Uint32Array
  readonly ttl: Uint8Array
  /** Where a fragment begins in its datagram, and how long it is; -1 for a whole datagram. */
  readonly offset: Int32Array
  readonly part: Int32Array
  readonly flags: Uint8Array
  /** Why it was lost, and at which node. */
  readonly reason: Int32Array
  readonly lostAt: Int32Array
  /** From whom to whom, as it stands in this frame: behind a NAT another than before. */
  readonly way: Int32Array
  /** Of a fragment; -1 for a whole datagram. */
  readonly identification: Float64Array
}

export const QUEUED = 1
export const DAMAGED = 2
export const COPY = 4
export const LOST = 8
/** More fragments follow. */
export const MORE = 16
export const MARKED = 32

/** Kinds of events, by their number in the column `what`. */
export const KINDS = [
  'sent',
  'forwarded',
  'queued',
  'marked',
  'delayed',
  'duplicated',
  'corrupted',
  'overtaking',
  'arrived',
  'translated',
  'delivered',
  'dropped',
  'caused',
] as const

export const DELIVERED = KINDS.indexOf('delivered')
export const DROPPED = KINDS.indexOf('dropped')
export const CAUSED = KINDS.indexOf('caused')

/** A row for each thing that happened, in the order of time. */
export interface Events {
  readonly time: Float64Array
  readonly datagram: Uint32Array
  readonly node: Int32Array
  readonly nic: Int32Array
  readonly what: Uint8Array
  readonly reason: Int32Array
  /** As `LineageEvent.value` has it. */
  readonly value: Float64Array
}
