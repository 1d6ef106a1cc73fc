/** What the faults of one direction of a wire are, in the words of who asks for them. */
import type { Packet } from '../../base/packet.ts'
import type { Chooser, Delay, Rate } from './impairment-models.ts'
import type { Queue } from './queue-discipline.ts'

/**
 * What a wire does to the frames of one direction, in this order: the MTU, the queue before the
 * slow sender, then loss, corruption and duplication on the wire, and the time it takes. Where a
 * {@link Chooser} is asked for, a number is the probability with which each frame is hit.
 */
export interface Impairments {
  /**
   * Longer IP packets vanish (`Drop.LinkMtuExceeded`), though the link announces its own MTU: a
   * black hole.
   */
  mtu?: number
  /**
   * Bits per second at which frames leave, link headers included, or a model of when they do.
   * Default: at once.
   */
  rate?: number | Rate
  /**
   * What waits while the rate does not allow more; refused frames are
   * `Drop.WireQueueFull`, those that CoDel gives up `Drop.WireCodel`. Default
   * `tailDrop()`: 1000 frames.
   */
  queue?: Queue
  /** Frames that are lost: `Drop.WireLoss`. */
  loss?: number | Chooser
  /**
   * Frames in which one bit is flipped, anywhere; with `bitErrorRate` each bit has its own chance.
   */
  corruption?: number | Chooser
  /**
   * Frames are as on a wire of Ethernet (IEEE 802.3 section 3.2): 64 bytes long at least, with a
   * frame check sequence of 4 bytes, which take their time at a rate; a frame with a wrong bit is
   * discarded where it arrives, `Drop.WireFrameCheck`. That CRC-32 overlooks one frame with many
   * errors in four billion is left out. Default false: damage is delivered, as on links that only
   * IP's checksums guard.
   */
  fcs?: boolean
  /** Frames that arrive twice. */
  duplication?: number | Chooser
  /** Milliseconds that each frame takes, or a model that draws them. Default 0. */
  delay?: number | Delay
  /**
   * Whether a frame that drew a short delay waits for those before it. Default true: jitter alone
   * does not reorder.
   */
  keepOrder?: boolean
  /**
   * Frames that take no delay at all, so that they overtake those which do; also with `keepOrder`.
   */
  reordering?: number | Chooser
}

/**
 * What befell a frame that was not discarded: it waits behind others, its queue has set Congestion
 * Experienced in it, it will arrive in so many
 * milliseconds, it was doubled, so many of its bits were flipped, or it goes past others. `value`
 * is the milliseconds of `delayed`, the bits of `corrupted` where it is more than one, else 0. The
 * packet is lent.
 */
export type WireObserver = (
  what: 'queued' | 'marked' | 'delayed' | 'duplicated' | 'corrupted' | 'overtaking',
  packet: Packet,
  value: number,
) => void
