/**
 * Frames that are collected to leave a packet socket with one `sendmmsg`, each behind its vnet
 * header; datagrams of one flow among them are one frame (UDP segmentation offload).
 */
import { ChecksumState, copyBytes, HEADROOM, Packet } from '../../base/packet.ts'
import { ETHER_TYPE, HEADER as ETHERNET_HEADER, IPV4, IPV6 } from '../../wire/ethernet.ts'
import { HEADER as IPV4_HEADER } from '../../wire/ipv4.ts'
import { HEADER as IPV6_HEADER } from '../../wire/ipv6-header.ts'
import { TCP, UDP } from '../../wire/protocol.ts'
import { completeChecksum, isOwnChecksum } from '../checksum-offload.ts'
import { checksumAtOf, plainProtocol } from '../segmenter.ts'
import { MessageBatch } from './message-batch.ts'
import type { Libc } from './tun-libc.ts'
import { SegmentBatch } from './tun-offload.ts'
import * as vnet from './vnet-header.ts'

/** Frames of one call: what a wake-up reads is answered with one. */
const BATCH = 64

export class PacketBatch {
  readonly messages: MessageBatch
  /** Bytes in front of each frame. */
  readonly vnetHeader: number
  /** Makes the last frame one of many; `null` when the kernel takes no such frame. */
  #segments: SegmentBatch | null
  /** What is shown of a frame. */
  readonly #shown = new Packet()

  constructor(libc: Libc, vnetHeader: number, segmentation: boolean) {
    this.messages = new MessageBatch(libc, BATCH)
    this.vnetHeader = vnetHeader
    this.#segments = segmentation ? new SegmentBatch(this.messages.frames) : null
  }

  /** Whether datagrams of one flow are one frame. */
  get segmentation(): boolean {
    return this.#segments !== null
  }

  endSegmentation(): void {
    this.#segments = null
  }

  /** Whether one more frame fits. */
  fits(packet: Packet): boolean {
    return this.messages.fits(packet.end - packet.start + this.vnetHeader)
  }

  /** Takes the packet as the last frame. */
  append(packet: Packet): void {
    this.seal()
    const { messages, vnetHeader } = this
    if (vnetHeader > 0) {
      const { view } = messages.frames
      const at = messages.start(messages.count)
      if (packet.checksumState !== ChecksumState.Partial || !leaveChecksum(packet, view, at)) vnet.encodePlain(view, at)
    }
    messages.append(packet, vnetHeader)
  }

  /** Others may follow the packet, which was appended last. */
  open(packet: Packet): void {
    const { view, start } = packet
    const type = view.getUint16(start + ETHER_TYPE)
    if (type !== (view.getUint8(start + ETHERNET_HEADER) >>> 4 === 4 ? IPV4 : IPV6)) return
    const end = this.messages.start(this.messages.count)
    this.#segments?.begin(end - (packet.end - start) + ETHERNET_HEADER, end, packet.checksumState)
  }

  /** Takes the packet as a part of the last frame; `false` when that is not possible. */
  follow(packet: Packet): boolean {
    const segments = this.#segments
    if (segments === null || segments.count === 0) return false
    const { messages } = this
    const { start } = packet
    if (!messages.hasRoom(packet.end - start)) return false
    const { frame } = segments
    if (!isSameHeader(packet.view, start, frame.view, frame.start - ETHERNET_HEADER)) return false
    packet.start = start + ETHERNET_HEADER
    const added = segments.add(packet)
    packet.start = start
    if (added) messages.extend(frame.end, segments.count)
    return added
  }

  /** The last frame is complete. */
  seal(): void {
    const segments = this.#segments
    if (segments === null) return
    // One datagram by itself has its vnet header already.
    if (segments.count > 1) segments.seal(ETHERNET_HEADER)
    segments.count = 0
  }

  /** A copy of a frame, its vnet header in front of it. */
  frame(index: number): Packet {
    const { messages, vnetHeader } = this
    const start = messages.start(index)
    const length = messages.start(index + 1) - start
    const packet = this.#shown
    packet.reset(HEADROOM, HEADROOM + length - vnetHeader)
    copyBytes(messages.frames, start, packet, HEADROOM - vnetHeader, length)
    return packet
  }
}

/**
 * Writes the vnet header that leaves the frame's `Partial` checksum to the device; completes it
 * where the header could not name it, and answers `false`.
 */
function leaveChecksum(packet: Packet, view: DataView, at: number): boolean {
  const type = packet.view.getUint16(packet.start + ETHER_TYPE)
  packet.start += ETHERNET_HEADER
  const ip = type === IPV4 ? IPV4_HEADER : IPV6_HEADER
  const protocol = type === IPV4 || type === IPV6 ? plainProtocol(packet) : 0
  const field = checksumAtOf(protocol)
  const isOwn =
    (protocol === UDP || protocol === TCP) && isOwnChecksum(packet, packet.start + ip, packet.start + ip + field)
  if (!isOwn) completeChecksum(packet)
  packet.start -= ETHERNET_HEADER
  if (isOwn) vnet.encode(view, at, vnet.GSO_NONE, ETHERNET_HEADER + ip, 0, 0, field)
  return isOwn
}

/** Whether the frames have the same addresses and type. */
function isSameHeader(view: DataView, at: number, other: DataView, otherAt: number): boolean {
  return (
    view.getInt32(at) === other.getInt32(otherAt) &&
    view.getInt32(at + 4) === other.getInt32(otherAt + 4) &&
    view.getInt32(at + 8) === other.getInt32(otherAt + 8) &&
    view.getUint16(at + 12) === other.getUint16(otherAt + 12)
  )
}
