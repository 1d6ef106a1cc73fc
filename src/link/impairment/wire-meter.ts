/** What a direction of a wire tells of its frames to who counts them. */
import type { Drop } from '../../base/drop.ts'
import type { Packet } from '../../base/packet.ts'

/**
 * Told of the frames of one direction. Times are milliseconds of the clock, bytes those on
 * the wire. Packets are lent, and told apart by identity.
 */
export interface WireMeter {
  /** Frames came: more than one at once, where a merged packet passes as it is. */
  offered(frames: number, bytes: number, time: number): void
  /** The queue took it: it waits, if only for no time. */
  queued(packet: Packet, time: number): void
  /** It left the queue, to be sent from now on or because it was given up. */
  taken(packet: Packet, time: number, isSent: boolean): void
  /** Their last bits left. */
  sent(frames: number, bytes: number, time: number): void
  /** It was marked Congestion Experienced. */
  marked(time: number): void
  dropped(drop: Drop, time: number): void
}
