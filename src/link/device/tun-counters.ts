/** What a TUN or TAP device counts. */

/** Counts since the device was opened. */
export interface TunCounters {
  receivedPackets: number
  receivedBytes: number
  sentPackets: number
  sentBytes: number
  /** Frames that `send` refused. */
  refusedPackets: number
  /** Frames that waited in the device when the receiver was attached: not delivered. */
  earlyPackets: number
  /** Times that the device reported packets. */
  wakeups: number
}

export function newTunCounters(): TunCounters {
  return {
    receivedPackets: 0,
    receivedBytes: 0,
    sentPackets: 0,
    sentBytes: 0,
    refusedPackets: 0,
    earlyPackets: 0,
    wakeups: 0,
  }
}
