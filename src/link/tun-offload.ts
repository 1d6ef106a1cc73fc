/**
 * UDP segmentation offload of TUN devices: many datagrams of one flow as one frame, in both directions.
 *
 * With IFF_VNET_HDR every frame has a `struct virtio_net_hdr` in front (OASIS virtio 1.2 section 5.1.6; Linux: include/uapi/linux/virtio_net.h):
 *
 *     +-------+----------+--------------+--------------+--------------+---------------+
 *     | flags | gso_type |   hdr_len    |   gso_size   |  csum_start  |  csum_offset  |      1, 1, 2, 2, 2, 2 bytes, the machine's byte order
 *     +-------+----------+--------------+--------------+--------------+---------------+
 *
 * A frame of type UDP is one datagram that is to leave as fragments of `gso_size` bytes of payload. A frame of type UDP_L4 is one IP and one UDP header and the payloads of all datagrams, `gso_size` bytes each but for the last.
 */
import { finish, sum } from '../base/checksum.ts'
import { ChecksumState, copyBytes, HEADROOM, MAX_PACKET, Packet } from '../base/packet.ts'
import { completeChecksum, pseudoHeaderSum } from './checksum-offload.ts'

export const VNET_HEADER = 10
const NEEDS_CSUM = 1
const GSO_NONE = 0
/** The device makes IP fragments. */
const GSO_UDP = 3
/** The device makes datagrams. */
const GSO_UDP_L4 = 5
const UDP = 17
const UDP_HEADER = 8
const CHECKSUM_AT = 6
const HEADER4 = 20
const HEADER6 = 40
const FRAGMENT_HEADER6 = 8
const LITTLE = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1

/** Linux takes 128 segments since 5.17 and 64 before (UDP_MAX_SEGMENTS). */
const MAX_SEGMENTS = 64
const MAX_FRAME = 65_535

/** Bytes of IP header in front of a UDP header when the packet is a whole UDP datagram without options or extension headers, else 0. */
function plainHeader(view: DataView, at: number, length: number): number {
  const first = length < HEADER4 + UDP_HEADER ? 0 : view.getUint8(at)
  // IPv4: IHL 5, protocol UDP, neither MF nor an offset.
  if (first === 0x45) return view.getUint8(at + 9) === UDP && (view.getUint16(at + 6) & 0x3fff) === 0 ? HEADER4 : 0
  return first >>> 4 === 6 && length >= HEADER6 + UDP_HEADER && view.getUint8(at + 6) === UDP ? HEADER6 : 0
}

/** Sets the lengths of both headers to those of a payload of `payload` bytes, and the IPv4 checksum. */
function setLengths(view: DataView, at: number, header: number, payload: number): void {
  if (header === HEADER4) {
    view.setUint16(at + 2, header + UDP_HEADER + payload)
    view.setUint16(at + 10, 0)
    view.setUint16(at + 10, finish(sum(view, at, at + header, 0)))
  } else view.setUint16(at + 4, UDP_HEADER + payload)
  view.setUint16(at + header + 4, UDP_HEADER + payload)
}

/** Writes a vnet header that asks for nothing. */
export function plainVnetHeader(view: DataView, at: number): void {
  view.setInt32(at, 0)
  view.setInt32(at + 4, 0)
  view.setUint16(at + 8, 0)
}

/** Writes the vnet header in front of a frame that the device takes apart; the first bytes of its UDP checksum field hold the pseudo-header's sum. */
function segmentedVnetHeader(view: DataView, at: number, type: number, headers: number, size: number, header: number): void {
  view.setUint8(at, NEEDS_CSUM)
  view.setUint8(at + 1, type)
  view.setUint16(at + 2, headers, LITTLE)
  view.setUint16(at + 4, size, LITTLE)
  view.setUint16(at + 6, header, LITTLE)
  view.setUint16(at + 8, CHECKSUM_AT, LITTLE)
}

/** Writes a vnet header in front of a plain UDP datagram with a `Partial` checksum, for fragments of at most `mtu` bytes. */
export function fragmentedVnetHeader(packet: Packet, mtu: number): void {
  const header = packet.view.getUint8(packet.start) >>> 4 === 4 ? HEADER4 : HEADER6
  const room = header === HEADER4 ? mtu - HEADER4 : mtu - HEADER6 - FRAGMENT_HEADER6
  packet.start -= VNET_HEADER
  segmentedVnetHeader(packet.view, packet.start, GSO_UDP, header + UDP_HEADER, room & ~7, header)
}

/** Datagrams of one flow, collected to leave as one frame. */
export class SegmentBatch {
  /** The frame, behind room for the vnet header. */
  readonly frame = new Packet(HEADROOM + MAX_PACKET)
  /** Datagrams in it. */
  count = 0
  #header = 0
  /** Payload bytes of each datagram but perhaps the last. */
  #size = 0
  /** The last one was shorter: nothing may follow it. */
  #full = false

  /** Takes the datagram in `packet` into the batch; `false` when it does not fit or belongs to another flow. */
  add(packet: Packet): boolean {
    const { view, start, end } = packet
    const length = end - start
    const header = plainHeader(view, start, length)
    if (header === 0) return false
    const payload = length - header - UDP_HEADER
    const { frame } = this
    if (this.count === 0) {
      if (payload === 0) return false
      frame.reset(HEADROOM, HEADROOM + length)
      copyBytes(packet, start, frame, HEADROOM, length)
      frame.checksumState = packet.checksumState
      this.#header = header
      this.#size = payload
      this.#full = false
      this.count = 1
      return true
    }
    if (this.#full || this.count === MAX_SEGMENTS || payload > this.#size || payload === 0) return false
    if (frame.end - frame.start + payload > MAX_FRAME || !this.#sameFlow(view, start, header)) return false
    copyBytes(packet, end - payload, frame, frame.end, payload)
    frame.end += payload
    this.count++
    this.#full = payload < this.#size
    return true
  }

  /** Finishes the headers; the frame, vnet header included, is `frame.start … frame.end`. */
  seal(): Packet {
    const { frame } = this
    const { view } = frame
    const at = frame.start
    if (this.count === 1) {
      if (frame.checksumState === ChecksumState.Partial) completeChecksum(frame)
      frame.start -= VNET_HEADER
      plainVnetHeader(view, frame.start)
      return frame
    }
    const payload = frame.end - at - this.#header - UDP_HEADER
    setLengths(view, at, this.#header, payload)
    view.setUint16(
      at + this.#header + CHECKSUM_AT,
      ~finish(pseudoHeaderSum(view, at, this.#header === HEADER4, UDP, payload + UDP_HEADER)) & 0xffff,
    )
    frame.start -= VNET_HEADER
    segmentedVnetHeader(view, frame.start, GSO_UDP_L4, this.#header + UDP_HEADER, this.#size, this.#header)
    return frame
  }

  /** Everything of both headers that the datagrams of one frame share: all but lengths, identification and checksums. */
  #sameFlow(view: DataView, start: number, header: number): boolean {
    const own = this.frame.view
    const at = HEADROOM
    if (header !== this.#header || view.getInt32(start + header) !== own.getInt32(at + header)) return false
    if (header === HEADER4)
      return (
        view.getInt32(start + 16) === own.getInt32(at + 16) &&
        view.getInt32(start + 12) === own.getInt32(at + 12) &&
        view.getUint16(start) === own.getUint16(at) &&
        view.getUint16(start + 6) === own.getUint16(at + 6) &&
        view.getUint16(start + 8) === own.getUint16(at + 8)
      )
    for (let offset = 8; offset < HEADER6; offset += 4) if (view.getInt32(start + offset) !== own.getInt32(at + offset)) return false
    return view.getInt32(start) === own.getInt32(at) && view.getUint16(start + 6) === own.getUint16(at + 6)
  }
}

/** Takes datagrams apart again: frames the kernel handed up as one, and batches the device refused. */
export class Splitter {
  readonly #packet = new Packet(HEADROOM + MAX_PACKET)

  /**
   * Reads the vnet header at `frame.start` and hands on what is behind it: the packet itself, or each datagram of a frame of type UDP_L4.
   * @returns the number of packets
   */
  split(frame: Packet, take: (packet: Packet) => void): number {
    const { view } = frame
    const vnet = frame.start
    const needsChecksum = (view.getUint8(vnet) & NEEDS_CSUM) !== 0
    const type = view.getUint8(vnet + 1)
    const size = view.getUint16(vnet + 4, LITTLE)
    const start = vnet + VNET_HEADER
    frame.start = start
    // NEEDS_CSUM: the kernel's own sender left the sum to the device, and no wire could have changed it since.
    if (needsChecksum) frame.checksumState = ChecksumState.Partial
    const header = type === GSO_NONE || size === 0 ? 0 : plainHeader(view, start, frame.end - start)
    if (header === 0) {
      take(frame)
      return 1
    }
    const packet = this.#packet
    const headers = header + UDP_HEADER
    const end = frame.end
    let count = 0
    for (let from = start + headers; from < end; from += size) {
      const payload = Math.min(size, end - from)
      packet.reset(HEADROOM, HEADROOM + headers + payload)
      copyBytes(frame, start, packet, HEADROOM, headers)
      copyBytes(frame, from, packet, HEADROOM + headers, payload)
      setLengths(packet.view, HEADROOM, header, payload)
      packet.checksumState = ChecksumState.Partial
      take(packet)
      count++
    }
    return count
  }
}
