/** What a packet socket counts. */
import { newTunCounters, type TunCounters } from './tun-counters.ts'

/** Counts since the socket was opened. */
export interface PacketCounters extends TunCounters {
  /** Frames that the kernel discarded because the ring was full (PACKET_STATISTICS). */
  lostPackets: number
}

export function newPacketCounters(): PacketCounters {
  return { ...newTunCounters(), lostPackets: 0 }
}
