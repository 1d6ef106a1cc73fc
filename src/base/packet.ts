/**
 * A packet on its way through the layers: one reusable buffer and what the headers said.
 *
 * Going up, `parse` of each codec fills the fields; going down, `start` moves towards the front as
 * headers are written. A packet is **lent for the call**: whoever keeps bytes copies them. All
 * fields are small integers and initialised, so that every function sees one shape.
 */
import type { Address } from './address.ts'

/**
 * Room for the headers that are written in front of a payload: Ethernet 14, IPv6 40, options and
 * extension headers, UDP 8, a vnet header 10.
 */
export const HEADROOM = 256

/** The largest IP packet (an IPv6 payload of 65535 behind a 40-byte header). */
export const MAX_PACKET = 65_575

/** How a frame was addressed on the link. */
export const Cast = { Unicast: 0, Multicast: 1, Broadcast: 2, OtherHost: 3 } as const
export type Cast = (typeof Cast)[keyof typeof Cast]

/** What is known of the transport checksum, as Linux's `ip_summed`. */
export const ChecksumState = {
  /** Received: to be verified. Sent: complete. */
  None: 0,
  /** Received: the device verified it, or the wire cannot corrupt. */
  Verified: 1,
  /** Only the pseudo-header's sum is in the field: the device completes it. */
  Partial: 2,
} as const
export type ChecksumState = (typeof ChecksumState)[keyof typeof ChecksumState]

const WINDOW_BITS = 8
const WINDOWS = 1 << WINDOW_BITS

interface Window {
  readonly start: number
  readonly end: number
  readonly bytes: Uint8Array
}

/** Bytes of capacity up to which a packet remembers one window: a single frame's. */
const ONE_FRAME = 4096

const NO_WINDOW: Window = { start: -1, end: -1, bytes: new Uint8Array(0) }

export class Packet {
  /** Length of `bytes`; asking a typed array for it costs a call. */
  readonly capacity: number
  readonly bytes: Uint8Array
  readonly view: DataView
  /** Offset of the first byte of the frame or packet. */
  start = 0
  /** Offset after the last byte. */
  end = 0

  /** How the frame was addressed on the link. */
  cast: Cast = 0
  checksumState: ChecksumState = 0
  /**
   * Of a merged packet, which stands for many of one flow: bytes of the IP packet that each segment
   * is but perhaps the last. It begins with an IP header without options or extension headers, and
   * its checksum is its own and `Partial`. 0 for a packet as it is. Only who says so gets one:
   * `Offload.merged`, `LinkReceiver.takesMerged`.
   */
  segmentLength = 0
  /** Ethernet: the hardware address that the frame came from. */
  senderHigh = 0
  senderLow = 0
  /** Index of the nic of arrival; 0 before there is one. */
  nic = 0
  /**
   * 1 for a packet that this very stack sent and got back: source checks are for strangers.
   * @internal
   */
  looped = 0
  /** Identifies the datagram through fragments, copies and rewrites; 0 when nobody traces. */
  trace = 0

  /** 4 or 6; 0 before the IP header was read. */
  family = 0
  /** Offset of the IP header. */
  network = 0
  /** Offset after the IP packet's last byte: what an ICMP error may quote. */
  networkEnd = 0
  /** Offset of the upper-layer header, behind all options and extension headers. */
  transport = 0
  /** The upper-layer protocol (IPv6: the last next header). */
  protocol = 0
  /** Offset of the field that names `protocol`. The answer to an unknown protocol points to it. */
  protocolAt = 0
  /**
   * Set with a drop that asks for a Parameter Problem: its code (or -1 for silence), and the offset
   * it points to, from `network`.
   */
  problem = -1
  pointer = 0
  /** TTL or hop limit. */
  hopLimit = 0
  /** TOS or Traffic Class: DSCP and ECN. */
  tos = 0
  identification = 0
  /** IPv6's flow label. */
  flowLabel = 0
  /** IPv4's DF bit, 1 or 0; always 1 in IPv6. */
  dontFragment = 0
  /** 1 when fragments follow. */
  moreFragments = 0
  /** Bytes; 0 in the first fragment and in a whole packet. */
  fragmentOffset = 0
  /** IPv6: offset of the fragment header, 0 without one. */
  fragmentHeader = 0
  /** From how many fragments the packet was rebuilt; 1 for one that came whole. */
  fragments = 1
  /**
   * Source address, four words as in {@link Address}. They are fields of the packet and not an
   * object of its own: with one object for each address, sending 64 bytes took 2 % more CPU time
   * over IPv4 and 7 % more over IPv6, receiving them 3 % more (Node 20, as `bench/codecs.mjs`,
   * medians of 7 interleaved rounds).
   */
  s0 = 0
  s1 = 0
  s2 = 0
  s3 = 0
  /** Destination address. */
  d0 = 0
  d1 = 0
  d2 = 0
  d3 = 0
  /** @internal Of a packet that is sent: the next hop, whose neighbor gets the frame. */
  n0 = 0
  /** @internal */
  n1 = 0
  /** @internal */
  n2 = 0
  /** @internal */
  n3 = 0

  /**
   * The packet behind this one, while it waits in a queue.
   * @internal
   */
  next: Packet | null = null
  /**
   * When it goes on, and its place among those of one time, while it waits for its time. Not a
   * whole number at first: the field holds any number from the beginning.
   * @internal
   */
  time = 0.5
  /** @internal */
  place = 0

  #windows: Window[] | null = null
  #window = NO_WINDOW

  /**
   * `capacity` in bytes; a packet that goes down needs 256 bytes of headroom in front of its
   * payload.
   */
  constructor(capacity: number = HEADROOM + MAX_PACKET) {
    // One ArrayBuffer of its own, so that a view never reaches into Node's shared pool.
    const buffer = new ArrayBuffer(capacity)
    this.capacity = capacity
    this.bytes = new Uint8Array(buffer)
    this.view = new DataView(buffer)
  }

  get length(): number {
    return this.end - this.start
  }

  /**
   * `bytes.subarray(start, end)`, remembered: to make one costs as much as to copy it, and packets
   * of a flow begin at the same places. For copying from only: it is the packet's.
   * @internal
   */
  window(start: number, end: number): Uint8Array {
    if (this.capacity <= ONE_FRAME) {
      const last = this.#window
      if (last.start === start && last.end === end) return last.bytes
      const bytes = this.bytes.subarray(start, end)
      this.#window = { start, end, bytes }
      return bytes
    }
    this.#windows ??= new Array(WINDOWS).fill(NO_WINDOW)
    const slot = Math.imul(start, 0x9e3779b1) >>> (32 - WINDOW_BITS)
    const known = this.#windows[slot] as Window
    if (known.start === start && known.end === end) return known.bytes
    const bytes = this.bytes.subarray(start, end)
    this.#windows[slot] = { start, end, bytes }
    return bytes
  }

  /**
   * Copies `bytes` behind the headroom as the whole content, and resets the bounds and what the
   * link said.
   */
  load(bytes: Uint8Array): this {
    this.reset(HEADROOM, HEADROOM + bytes.length)
    this.bytes.set(bytes, HEADROOM)
    return this
  }

  /** @internal Makes the destination the next hop: it is on the link. */
  setHopToDestination(): void {
    this.n0 = this.d0
    this.n1 = this.d1
    this.n2 = this.d2
    this.n3 = this.d3
  }

  /** @internal Sets both addresses. */
  setAddresses(source: Address, destination: Address): void {
    this.s0 = source.w0
    this.s1 = source.w1
    this.s2 = source.w2
    this.s3 = source.w3
    this.d0 = destination.w0
    this.d1 = destination.w1
    this.d2 = destination.w2
    this.d3 = destination.w3
  }

  /** A copy of the content. */
  copy(): Uint8Array {
    return this.bytes.slice(this.start, this.end)
  }

  /** Sets new bounds, and resets what a link says of a frame to its defaults. */
  reset(start: number, end: number): void {
    this.start = start
    this.end = end
    this.cast = 0
    this.checksumState = 0
    this.segmentLength = 0
    this.nic = 0
    this.looped = 0
    this.trace = 0
  }
}

/** The number of bytes up to which a loop over words is faster than `set` (Node 20). */
const LOOP = 96

/** Copies `length` bytes from one packet to another one. */
export function copyBytes(from: Packet, start: number, to: Packet, at: number, length: number): void {
  if (length > LOOP) {
    to.bytes.set(from.window(start, start + length), at)
    return
  }
  const source = from.view
  const target = to.view
  let i = 0
  for (const stop = length - 15; i < stop; i += 16) {
    target.setInt32(at + i, source.getInt32(start + i, true), true)
    target.setInt32(at + i + 4, source.getInt32(start + i + 4, true), true)
    target.setInt32(at + i + 8, source.getInt32(start + i + 8, true), true)
    target.setInt32(at + i + 12, source.getInt32(start + i + 12, true), true)
  }
  for (const stop = length - 3; i < stop; i += 4) target.setInt32(at + i, source.getInt32(start + i, true), true)
  for (; i < length; i++) target.setUint8(at + i, source.getUint8(start + i))
}
