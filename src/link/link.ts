import type { Drop } from '../base/drop.ts'
import type { Packet } from '../base/packet.ts'

/**
 * What a frame is: an IP packet, or an Ethernet frame (14-byte header, no frame check sequence).
 */
export type Medium = 'ip' | 'ethernet'

/** Work that a link takes off the stack's hands. */
export interface Offload {
  /**
   * Transport checksums: `ChecksumState.Partial` may be sent; `Verified` may arrive, or `Partial`
   * as it was sent on a wire that cannot corrupt.
   */
  readonly checksum: boolean
  /**
   * Merged packets (`Packet.segmentLength`) may be sent, whose segments fit the MTU; they leave
   * merged, or the link takes them apart. Default: false.
   */
  readonly merged?: boolean
}

export const NO_OFFLOAD: Offload = { checksum: false }

/** The upper side of a link: what a nic gives to {@link Link.attach}. */
export interface LinkReceiver {
  /**
   * A device wakes up: what it is about to read came before now. `end` follows, also when there was
   * nothing. Links that are no devices call neither.
   */
  begin?(): void
  end?(): void
  /** A frame from the wire, lent for the call. */
  input(packet: Packet): void
  /**
   * Whether `input` may be given this merged packet (`Packet.segmentLength`) as it is: who does not
   * say so gets its segments.
   */
  takesMerged?(packet: Packet): boolean
  /**
   * Ethernet: whether a frame to a group may be for this receiver, as the filter of a network card
   * knows. A wire with more than two ends asks; who does not say so gets them all.
   */
  hears?(packet: Packet): boolean
  /**
   * After the last `input` of one wake-up: what was collected is now delivered to programs. Must be
   * called after every run of inputs.
   */
  idle(): void
  /** A frame that was accepted by `send`, or came in, and was then discarded by the link. */
  dropped(drop: Drop, packet: Packet): void
  /** The link failed (device deleted, taken down, …). `fatal` when nothing will pass any more. */
  failed(error: Error, fatal: boolean): void
  /** The link's `mtu`, `isUp` or name is another one now. */
  changed?(): void
}

/**
 * An interface through which packets leave and come in. The laws, which `test/link-contract` runs
 * over every link:
 *
 * - A packet is lent: `send` copies what it keeps, and so does the receiver.
 * - `send` never calls the receiver's `input` before it returns.
 * - Frames leave in the order in which they were sent.
 * - Every run of `input` is followed by `idle`.
 * - After `close`, `send` returns `Drop.LinkDown`, and nothing is received.
 */
export interface Link {
  /** As shown in captures and messages: `tun0`, `lo`. */
  readonly name: string
  readonly medium: Medium
  /** The largest IP packet in bytes, link header excluded. */
  readonly mtu: number
  readonly offload: Offload
  /** Six bytes on Ethernet, `null` elsewhere. */
  readonly hardwareAddress: Uint8Array | null
  /**
   * True for a loopback: what is sent comes back to the sender, and addresses that must not leave a
   * host may appear.
   */
  readonly loopback: boolean
  /** Whether the interface is up, where that can change while the link is open. Default: it is. */
  readonly isUp?: boolean
  /**
   * IPv4 datagrams with DF, whose Identification means nothing (RFC 6864 section 4.1), are numbered
   * one by one, so that those of a burst can leave as one frame: taken apart it gives numbers that
   * grow. Linux numbers those of connected sockets. Default: 0.
   */
  readonly numbered?: boolean

  /**
   * Names the receiver; frames that came before are not delivered.
   * @throws {Error} when a receiver is attached already
   */
  attach(receiver: LinkReceiver): void
  /**
   * Takes the frame in `packet.start … packet.end`, or says why not. The packet's headroom may be
   * overwritten.
   */
  send(packet: Packet): Drop
  /**
   * {@link send} of a copy from the wires' stock (`memory/frame-copies.ts`) that nobody else uses:
   * with `Drop.None` it is the link's from then on, which gives it back to the stock.
   * @internal
   */
  handOver?(packet: Packet): Drop
  /**
   * Takes a UDP datagram longer than the MTU, without IP options or extension headers and with a
   * `Partial` checksum. The device splits it into fragments of at most `mtu` bytes. After any
   * result but `Drop.None` the sender fragments it.
   */
  sendLong?(packet: Packet, mtu: number): Drop
  /** Writes what was queued. */
  flush(): void
  /** Frees everything at once; safe to call twice. */
  close(): void
  /** Whether an open link keeps the process alive; a link starts without doing so. */
  ref(): void
  unref(): void
}
