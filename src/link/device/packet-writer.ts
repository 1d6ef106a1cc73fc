/**
 * Frames to a packet socket: the first one of a turn leaves at once, those that follow it in the
 * same turn, or that answer the frames of one wake-up, are collected and leave with one `sendmmsg`.
 */
import { Drop } from '../../base/drop.ts'
import { ChecksumState, copyBytes, HEADROOM, Packet } from '../../base/packet.ts'
import { ETHER_TYPE, HEADER as ETHERNET_HEADER, IPV4, IPV6 } from '../../wire/ethernet.ts'
import { HEADER as IPV4_HEADER } from '../../wire/ipv4.ts'
import { HEADER as IPV6_HEADER } from '../../wire/ipv6-header.ts'
import { TCP, UDP } from '../../wire/protocol.ts'
import { completeChecksum, isOwnChecksum } from '../checksum-offload.ts'
import { checksumAtOf, plainProtocol } from '../segmenter.ts'
import { MessageBatch } from './message-batch.ts'
import type { PacketCounters } from './packet-counters.ts'
import type { PacketLibc } from './packet-libc.ts'
import { SendTurn } from './send-turn.ts'
import { EAGAIN, ENETDOWN, ENOBUFS, ENODEV, ENOMEM, ENXIO, type Libc } from './tun-libc.ts'
import type { WriterHost } from './tun-writer.ts'
import * as vnet from './vnet-header.ts'

/** Frames of one call: what a wake-up reads is answered with one. */
const BATCH = 64
const MSG_DONTWAIT = 0x40

export class PacketWriter {
  readonly #host: WriterHost
  readonly #libc: Libc
  readonly #packetLibc: PacketLibc
  readonly #fd: number
  readonly #counters: PacketCounters
  /** Bytes in front of each frame. */
  readonly #vnetHeader: number
  readonly #batch: MessageBatch
  /** When what was collected leaves. */
  readonly turn = new SendTurn(() => this.#write(-1))
  /** What is shown of a frame that was refused. */
  readonly #refused = new Packet()

  constructor(
    host: WriterHost,
    libc: Libc,
    packetLibc: PacketLibc,
    fd: number,
    counters: PacketCounters,
    vnetHeader: number,
  ) {
    this.#host = host
    this.#libc = libc
    this.#packetLibc = packetLibc
    this.#fd = fd
    this.#counters = counters
    this.#vnetHeader = vnetHeader
    this.#batch = new MessageBatch(libc, BATCH)
  }

  send(packet: Packet): Drop {
    const host = this.#host
    if (!host.isOpen) return this.#refuse(Drop.LinkDown)
    const length = packet.end - packet.start
    if (length - ETHERNET_HEADER > host.mtu) return this.#refuse(Drop.LinkMtuExceeded)
    const batch = this.#batch
    if (!batch.fits(length + this.#vnetHeader)) this.#write(-1)
    this.#append(packet)
    if (this.turn.isBegun && !host.down) return Drop.None
    this.turn.begin()
    return this.#write(batch.count - 1)
  }

  #append(packet: Packet): void {
    const batch = this.#batch
    if (this.#vnetHeader > 0) {
      const { view } = batch.frames
      const at = batch.start(batch.count)
      if (packet.checksumState !== ChecksumState.Partial || !leaveChecksum(packet, view, at)) vnet.encodePlain(view, at)
    }
    batch.append(packet, this.#vnetHeader)
  }

  /**
   * Sends all that was collected. Who is refused is told by `dropped`, but for the frame `asked`,
   * whose reason is returned.
   */
  #write(asked: number): Drop {
    const batch = this.#batch
    const { count } = batch
    const counters = this.#counters
    let result: Drop = Drop.None
    for (let first = 0; first < count; ) {
      const sent = this.#packetLibc.sendmmsg(this.#fd, batch.message(first), count - first, MSG_DONTWAIT)
      if (sent > 0) {
        counters.sentPackets += sent
        counters.sentBytes += batch.start(first + sent) - batch.start(first) - sent * this.#vnetHeader
        this.#host.down = false
        first += sent
        continue
      }
      const drop = this.#refuse(this.#reason(this.#libc.errno()))
      if (first === asked) result = drop
      else this.#dropped(drop, first)
      first++
    }
    batch.count = 0
    return result
  }

  #dropped(drop: Drop, index: number): void {
    const start = this.#batch.start(index) + this.#vnetHeader
    const length = this.#batch.start(index + 1) - start
    const packet = this.#refused
    packet.reset(HEADROOM, HEADROOM + length)
    copyBytes(this.#batch.frames, start, packet, HEADROOM, length)
    this.#host.receiver?.dropped(drop, packet)
  }

  #refuse(drop: Drop): Drop {
    this.#counters.refusedPackets++
    return drop
  }

  /** What a failed call means. */
  #reason(errno: number): Drop {
    switch (errno) {
      case EAGAIN:
      case ENOBUFS:
      case ENOMEM:
        return Drop.LinkQueueFull
      case ENETDOWN:
        // It may come up again.
        this.#host.wentDown()
        return Drop.LinkDown
      case ENXIO:
      case ENODEV:
        // The interface is gone: the socket reports that too.
        return Drop.LinkDown
      default:
        return Drop.LinkRefused
    }
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
