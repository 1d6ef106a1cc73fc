/** What ARP and Neighbor Discovery use of Ethernet. */
import type { Drop } from '../../base/drop.ts'
import type { Packet } from '../../base/packet.ts'

export interface FrameSender {
  /** The nic's own hardware address. */
  readonly high: number
  readonly low: number
  /** Puts a frame header in front of `packet.start` and sends the frame. */
  transmit(packet: Packet, high: number, low: number, type: number): Drop
}
