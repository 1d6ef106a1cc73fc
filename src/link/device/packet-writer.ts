/**
 * Frames to a packet socket: the first one of a turn leaves at once, those that follow it in the
 * same turn, or that answer the frames of one wake-up, are collected and leave with one `sendmmsg`;
 * datagrams of one flow among them as one frame, which the interface or the kernel takes apart (UDP
 * segmentation offload).
 */
import { Drop } from '../../base/drop.ts'
import type { Packet } from '../../base/packet.ts'
import { HEADER as ETHERNET_HEADER } from '../../wire/ethernet.ts'
import { FrameSplitter } from './frame-splitter.ts'
import { PacketBatch } from './packet-batch.ts'
import type { PacketCounters } from './packet-counters.ts'
import type { PacketLibc } from './packet-libc.ts'
import { SendTurn } from './send-turn.ts'
import { EAGAIN, EINVAL, ENETDOWN, ENOBUFS, ENODEV, ENOMEM, ENXIO, type Libc } from './tun-libc.ts'
import type { WriterHost } from './tun-writer.ts'

const MSG_DONTWAIT = 0x40

export class PacketWriter {
  readonly #host: WriterHost
  readonly #libc: Libc
  readonly #packetLibc: PacketLibc
  readonly #fd: number
  readonly #counters: PacketCounters
  readonly #batch: PacketBatch
  /** When what was collected leaves. */
  readonly turn = new SendTurn(() => this.#write(this.#batch, -1))
  readonly #splitter = new FrameSplitter()
  /** Made for the first frame that is refused whole: the datagrams that it stood for. */
  #apart: PacketBatch | null = null

  constructor(
    host: WriterHost,
    libc: Libc,
    packetLibc: PacketLibc,
    fd: number,
    counters: PacketCounters,
    vnetHeader: number,
    segmentation: boolean,
  ) {
    this.#host = host
    this.#libc = libc
    this.#packetLibc = packetLibc
    this.#fd = fd
    this.#counters = counters
    this.#batch = new PacketBatch(libc, vnetHeader, segmentation)
  }

  /** Whether datagrams of one flow leave as one frame. */
  get segmentation(): boolean {
    return this.#batch.segmentation
  }

  send(packet: Packet): Drop {
    const host = this.#host
    if (!host.isOpen) return this.#refuse(Drop.LinkDown)
    if (packet.end - packet.start - ETHERNET_HEADER > host.mtu) return this.#refuse(Drop.LinkMtuExceeded)
    const batch = this.#batch
    const waits = this.turn.isBegun && !host.down
    if (waits && batch.follow(packet)) return Drop.None
    if (!batch.fits(packet)) this.#write(batch, -1)
    batch.append(packet)
    if (waits) {
      batch.open(packet)
      return Drop.None
    }
    this.turn.begin()
    return this.#write(batch, batch.messages.count - 1)
  }

  /**
   * Sends the frames of a batch. Who is refused is told by `dropped`, but for the frame `asked`,
   * whose reason is returned.
   */
  #write(batch: PacketBatch, asked: number): Drop {
    batch.seal()
    const { messages, vnetHeader } = batch
    const { count } = messages
    const counters = this.#counters
    let result: Drop = Drop.None
    for (let first = 0; first < count; ) {
      const sent = this.#packetLibc.sendmmsg(this.#fd, messages.message(first), count - first, MSG_DONTWAIT)
      if (sent > 0) {
        for (let i = first; i < first + sent; i++) counters.sentPackets += messages.segments(i)
        counters.sentBytes += messages.start(first + sent) - messages.start(first) - sent * vnetHeader
        this.#host.down = false
        first += sent
        continue
      }
      const errno = this.#libc.errno()
      if (messages.segments(first) > 1) this.#writeApart(first, errno)
      else {
        const drop = this.#refuse(this.#reason(errno))
        if (first === asked) result = drop
        else this.#host.receiver?.dropped(drop, batch.frame(first))
      }
      first++
    }
    messages.count = 0
    return result
  }

  /**
   * Sends the datagrams of a frame that was refused one by one; where the kernel takes no such
   * frame, all later ones too.
   */
  #writeApart(index: number, errno: number): void {
    const batch = this.#batch
    if (errno === EINVAL) batch.endSegmentation()
    this.#apart ??= new PacketBatch(this.#libc, batch.vnetHeader, false)
    const apart = this.#apart
    this.#splitter.split(batch.frame(index), (part) => apart.append(part))
    this.#write(apart, -1)
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
