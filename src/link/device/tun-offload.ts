/**
 * Segmentation and checksum offload of TUN devices: many datagrams, or TCP segments, of one flow as
 * one frame, in both directions (the format: `vnet-header.ts`).
 *
 * The law: a frame, taken apart as Linux does it (`__udp_gso_segment`, `inet_gso_segment`), is byte
 * for byte what was sent, but for checksums that were declared `Partial`. Taking apart gives each
 * datagram the first one's headers with lengths and checksums of its own, and in IPv4 an
 * Identification that grows by one.
 */
import { finish, fold, isComplete, sum, sumLong } from '../../base/checksum.ts'
import { ChecksumState, copyBytes, HEADROOM, MAX_PACKET, Packet } from '../../base/packet.ts'
import * as ipv4 from '../../wire/ipv4.ts'
import { FRAGMENT_HEADER } from '../../wire/ipv6-extensions.ts'
import * as ipv6 from '../../wire/ipv6-header.ts'
import { TCP, UDP } from '../../wire/protocol.ts'
import * as tcp from '../../wire/tcp.ts'
import * as udpHeader from '../../wire/udp.ts'
import { completeChecksum, completeChecksumAt, isOwnChecksum, pseudoHeaderSum } from '../checksum-offload.ts'
import type { LinkReceiver } from '../link.ts'
import {
  checksumAtOf,
  headerOf,
  LONGEST_SEGMENT,
  plainProtocol,
  plainTransport,
  Segmenter,
  transportHeader,
} from '../segmenter.ts'
import * as vnet from './vnet-header.ts'

export { VNET_HEADER } from './vnet-header.ts'

/** Linux takes 128 segments since 5.17 and 64 before (UDP_MAX_SEGMENTS). */
const MAX_SEGMENTS = 64
const MAX_FRAME = 65_535

/**
 * Bytes of IP header in front of a UDP header when the packet is a whole UDP datagram without
 * options or extension headers, and all its lengths agree (RFC 9868: behind a shorter UDP length
 * there are options, which no other datagram may be put behind); else 0.
 */
function plainHeader(view: DataView, at: number, length: number): number {
  if (length < ipv4.HEADER + udpHeader.HEADER) return 0
  const first = view.getUint8(at)
  let header = 0
  if (first === 0x45) {
    // IHL 5, protocol UDP, neither MF nor an offset.
    if (view.getUint8(at + 9) === UDP && (view.getUint16(at + 6) & 0x3fff) === 0 && view.getUint16(at + 2) === length)
      header = ipv4.HEADER
  } else if (first >>> 4 === 6 && length >= ipv6.HEADER + udpHeader.HEADER && view.getUint8(at + 6) === UDP) {
    if (view.getUint16(at + 4) === length - ipv6.HEADER) header = ipv6.HEADER
  }
  return header !== 0 && view.getUint16(at + header + udpHeader.LENGTH) === length - header ? header : 0
}

/**
 * Whether the datagram has the checksums that it would have after a merged frame is split: a
 * `Partial` one, or the right one. A datagram without a checksum (0), or with a wrong one, must
 * arrive like that.
 */
function isReproducible(packet: Packet, at: number, end: number, header: number, state: ChecksumState): boolean {
  const { view } = packet
  const four = header === ipv4.HEADER
  if (four) {
    const field = view.getUint16(at + ipv4.HEADER_CHECKSUM)
    // The other zero of one's complement, which nobody computes.
    if (field === 0xffff || !isComplete(sum(view, at, at + header, 0))) return false
  }
  if (state === ChecksumState.Partial) return true
  const udp = at + header
  if (view.getUint16(udp + udpHeader.CHECKSUM) === 0) return false
  return isComplete(sumLong(packet, udp, end, pseudoHeaderSum(view, at, four, UDP, end - udp)))
}

/** Writes a vnet header that asks for nothing in front of the frame. */
export function plainVnetHeader(view: DataView, at: number): void {
  vnet.encodePlain(view, at)
}

/**
 * Writes the vnet header in front of a plain UDP datagram with a `Partial` checksum, for fragments
 * of at most `mtu` bytes.
 */
export function fragmentedVnetHeader(packet: Packet, mtu: number): void {
  const header = packet.view.getUint8(packet.start) >>> 4 === 4 ? ipv4.HEADER : ipv6.HEADER
  const room = header === ipv4.HEADER ? mtu - ipv4.HEADER : mtu - ipv6.HEADER - FRAGMENT_HEADER
  packet.start -= vnet.VNET_HEADER
  vnet.encode(packet.view, packet.start, vnet.GSO_UDP, header, udpHeader.HEADER, room & ~7, udpHeader.CHECKSUM)
}

/** Datagrams of one flow, collected to leave as one frame. */
export class SegmentBatch {
  /** The frame, behind room for the vnet header. */
  readonly frame: Packet
  /** Datagrams in it. */
  count = 0
  #header = 0
  /** Payload bytes of each datagram but perhaps the last. */
  #size = 0
  /** The last datagram was shorter: no other may follow it. */
  #full = false

  /** `frame` is the memory that datagrams are collected in. */
  constructor(frame = new Packet(HEADROOM + MAX_PACKET)) {
    this.frame = frame
  }

  /**
   * The packet that stands in `frame` already is the first datagram; `false` when it is none, or
   * none that others may follow.
   */
  begin(start: number, end: number, state: ChecksumState): boolean {
    return this.#begin(start, end, state, plainHeader(this.frame.view, start, end - start))
  }

  /**
   * Takes the datagram in `packet` into the batch; `false` when it does not fit or belongs to
   * another flow.
   */
  add(packet: Packet): boolean {
    const { view, start, end } = packet
    const length = end - start
    const header = plainHeader(view, start, length)
    if (header === 0) return false
    const { frame } = this
    if (this.count === 0) {
      copyBytes(packet, start, frame, HEADROOM, length)
      return this.#begin(HEADROOM, HEADROOM + length, packet.checksumState, header)
    }
    const payload = length - header - udpHeader.HEADER
    if (this.#full || this.count === MAX_SEGMENTS || payload > this.#size || payload === 0) return false
    if (frame.end - frame.start + payload > MAX_FRAME || !this.#isNext(view, start, header)) return false
    if (!isReproducible(packet, start, end, header, packet.checksumState)) return false
    if (this.count === 1 && !isReproducible(frame, frame.start, frame.end, header, frame.checksumState)) {
      this.#full = true
      return false
    }
    copyBytes(packet, end - payload, frame, frame.end, payload)
    frame.end += payload
    this.count++
    this.#full = payload < this.#size
    return true
  }

  /**
   * Finishes the headers; the frame, vnet header included, is `frame.start … frame.end`. `link` are
   * the bytes of the link header that stands in front of the first datagram.
   */
  seal(link = 0): Packet {
    const { frame } = this
    const { view } = frame
    if (this.count === 1) {
      if (frame.checksumState === ChecksumState.Partial) completeChecksum(frame)
      frame.start -= vnet.VNET_HEADER + link
      vnet.encodePlain(view, frame.start)
      return frame
    }
    const header = link + this.#header
    this.#finishHeaders()
    frame.start -= vnet.VNET_HEADER + link
    vnet.encode(view, frame.start, vnet.GSO_UDP_L4, header, udpHeader.HEADER, this.#size, udpHeader.CHECKSUM)
    return frame
  }

  /** The datagrams as one packet for a stack: a merged one, unless there is only one. */
  sealMerged(): Packet {
    const { frame } = this
    if (this.count > 1) {
      this.#finishHeaders()
      frame.segmentLength = this.#header + udpHeader.HEADER + this.#size
    }
    return frame
  }

  #begin(start: number, end: number, state: ChecksumState, header: number): boolean {
    const payload = end - start - header - udpHeader.HEADER
    if (header === 0 || payload === 0) return false
    const { frame } = this
    frame.reset(start, end)
    frame.checksumState = state
    this.#header = header
    this.#size = payload
    this.#full = false
    this.count = 1
    return true
  }

  /** Lengths and checksums of the one header. */
  #finishHeaders(): void {
    const { frame } = this
    const { view, start: at } = frame
    const header = this.#header
    const four = header === ipv4.HEADER
    const udp = frame.end - at - header
    if (four) {
      view.setUint16(at + 2, header + udp)
      view.setUint16(at + ipv4.HEADER_CHECKSUM, 0)
      view.setUint16(at + ipv4.HEADER_CHECKSUM, finish(sum(view, at, at + header, 0)))
    } else view.setUint16(at + 4, udp)
    view.setUint16(at + header + udpHeader.LENGTH, udp)
    view.setUint16(at + header + udpHeader.CHECKSUM, fold(pseudoHeaderSum(view, at, four, UDP, udp)))
    frame.checksumState = ChecksumState.Partial
  }

  /**
   * Whether the headers are what the frame's next datagram gets: the first one's, but for lengths,
   * checksums and an Identification that grows.
   */
  #isNext(view: DataView, start: number, header: number): boolean {
    const { view: own, start: at } = this.frame
    if (header !== this.#header || view.getInt32(start + header) !== own.getInt32(at + header)) return false
    if (header === ipv4.HEADER)
      return (
        view.getInt32(start + 16) === own.getInt32(at + 16) &&
        view.getInt32(start + 12) === own.getInt32(at + 12) &&
        view.getUint16(start) === own.getUint16(at) &&
        view.getUint16(start + 6) === own.getUint16(at + 6) &&
        view.getUint16(start + 8) === own.getUint16(at + 8) &&
        view.getUint16(start + ipv4.IDENTIFICATION) ===
          ((own.getUint16(at + ipv4.IDENTIFICATION) + this.count) & 0xffff)
      )
    for (let offset = 8; offset < ipv6.HEADER; offset += 4)
      if (view.getInt32(start + offset) !== own.getInt32(at + offset)) return false
    return view.getInt32(start) === own.getInt32(at) && view.getUint16(start + 6) === own.getUint16(at + 6)
  }
}

/** Writes the vnet header in front of a merged packet. */
export function mergedVnetHeader(packet: Packet): void {
  const { view, start } = packet
  const protocol = plainProtocol(packet)
  const transport = plainTransport(packet)
  const header = headerOf(packet)
  const ip = transport - start
  let type = vnet.GSO_UDP_L4
  if (protocol === TCP) {
    type = ip === ipv4.HEADER ? vnet.GSO_TCPV4 : vnet.GSO_TCPV6
    if ((view.getUint8(transport + tcp.FLAGS) & tcp.CWR) !== 0) type |= vnet.GSO_ECN
  }
  packet.start -= vnet.VNET_HEADER
  const size = packet.segmentLength - ip - header
  vnet.encode(view, packet.start, type, ip, header, size, checksumAtOf(protocol))
}

/**
 * Takes frames apart again: those the kernel handed up with work left to do, and batches that the
 * device refused.
 */
export class Splitter {
  readonly #segmenter = new Segmenter()
  /** The frame that was handed on last stands for many, and was handed on as it was. */
  handedWhole = false

  /**
   * Reads the vnet header at `frame.start` and hands on what is behind it: the packet itself, or
   * each datagram or segment of a merged one, unless the receiver `takesMerged`. The checksum that
   * the header names is completed, unless it is the packet's own: that one may stay `Partial`.
   * @returns the number of packets; 0 when the header does not fit the frame or asks for what
   *   nobody offered: then nothing was handed on
   */
  split(frame: Packet, take: (packet: Packet) => void, receiver: LinkReceiver | null = null): number {
    const { view, end } = frame
    const at = frame.start
    this.handedWhole = false
    if (end - at < vnet.VNET_HEADER) return 0
    const start = at + vnet.VNET_HEADER
    frame.start = start
    if (vnet.headersLength(view, at) > end - start) return 0
    const type = vnet.gsoType(view, at)
    if (!vnet.needsChecksum(view, at)) {
      if (type !== vnet.GSO_NONE) return 0
      take(frame)
      return 1
    }
    const from = start + vnet.checksumStart(view, at)
    const field = from + vnet.checksumOffset(view, at)
    if (field + 2 > end) return 0
    if (type !== vnet.GSO_NONE) {
      const protocol = protocolOf(type, view.getUint8(start) >>> 4)
      if (protocol === 0 || field !== from + checksumAtOf(protocol)) return 0
      return this.#merged(frame, from, protocol, vnet.gsoSize(view, at), take, receiver)
    }
    // The kernel's own sender left the sum to the device, and no wire could have changed it since.
    if (isOwnChecksum(frame, from, field)) frame.checksumState = ChecksumState.Partial
    else completeChecksumAt(frame, from, field)
    take(frame)
    return 1
  }

  #merged(
    frame: Packet,
    transport: number,
    protocol: number,
    size: number,
    take: (packet: Packet) => void,
    receiver: LinkReceiver | null,
  ): number {
    const header = size === 0 ? 0 : transportHeader(frame, transport, protocol)
    if (header === 0) return 0
    const payload = frame.end - transport - header
    const segment = transport - frame.start + header + size
    if (receiver?.takesMerged !== undefined && payload > size && segment <= LONGEST_SEGMENT) {
      if (isOwnChecksum(frame, transport, transport + checksumAtOf(protocol))) {
        frame.segmentLength = segment
        frame.checksumState = ChecksumState.Partial
        if (receiver.takesMerged(frame)) {
          this.handedWhole = true
          take(frame)
          return Math.ceil(payload / size)
        }
        frame.segmentLength = 0
      }
    }
    return this.#segmenter.split(frame, transport, header, protocol, size, take)
  }
}

/** The protocol of a frame of this type, which has to be of the IP version; 0 for others. */
function protocolOf(type: number, version: number): number {
  if (type === vnet.GSO_UDP_L4) return UDP
  return (type === vnet.GSO_TCPV4 && version === 4) || (type === vnet.GSO_TCPV6 && version === 6) ? TCP : 0
}
