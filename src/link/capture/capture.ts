import { type Clock, SystemClock } from '../../base/clock.ts'
import { Drop, type DropLayer, type DropName, dropLayer, dropName } from '../../base/drop.ts'
import { ChecksumState, type Packet } from '../../base/packet.ts'
import { completeChecksum } from '../checksum-offload.ts'
import { type Link, type LinkReceiver, type Medium, NO_OFFLOAD, type Offload } from '../link.ts'
import {
  type CaptureDirection,
  enhancedPacket,
  interfaceDescription,
  LINKTYPE_ETHERNET,
  LINKTYPE_RAW,
  sectionHeader,
  toNanoseconds,
} from './pcapng.ts'

export interface CaptureOptions {
  /** Its `wallTime` stamps the frames. Default: the machine's own time. */
  clock?: Clock
  /** The program named in the file. Default `tungram`. */
  application?: string
  /** The most bytes of a frame that are kept. Default 262144, which is all of it. */
  snapLength?: number
}

export interface CapturedLinkOptions {
  /** The interface's name in the file. Default: the link's name. */
  name?: string
}

/** A frame that is written once it is known what became of it. */
export interface OpenRecord {
  readonly interfaceIndex: number
  readonly time: bigint
  readonly bytes: Uint8Array
  readonly originalLength: number
  readonly direction: CaptureDirection
  readonly comments: string[]
  open: boolean
}

/**
 * One pcapng stream, into which any number of links write their frames: `sink` is called with the
 * file's bytes in order.
 *
 * A frame is written when its link's `send`, or the receiver's `input`, returns, so that a drop
 * within that call is a comment of the frame itself; frames that pass meanwhile wait behind it, so
 * the file keeps the order of time.
 */
export class Capture {
  readonly #sink: (chunk: Uint8Array) => void
  readonly #clock: Clock
  readonly #snapLength: number
  readonly #waiting: OpenRecord[] = []
  #interfaces = 0
  /** The newest time in the file: none after it is earlier, whatever is done to the wall clock. */
  #newest = 0n

  constructor(sink: (chunk: Uint8Array) => void, options: CaptureOptions = {}) {
    this.#sink = sink
    this.#clock = options.clock ?? new SystemClock()
    this.#snapLength = options.snapLength ?? 262_144
    sink(sectionHeader(options.application ?? 'tungram'))
  }

  /**
   * A link that passes everything on to and from `inner`, and writes each frame of both directions.
   * Closing it closes `inner`.
   */
  link(inner: Link, options: CapturedLinkOptions = {}): CapturedLink {
    return new CapturedLink(
      this,
      inner,
      this.addInterface(options.name ?? inner.name, inner.medium, inner.hardwareAddress),
    )
  }

  /** @internal The number of a new interface. */
  addInterface(name: string, medium: Medium, hardwareAddress: Uint8Array | null): number {
    const linkType = medium === 'ethernet' ? LINKTYPE_ETHERNET : LINKTYPE_RAW
    this.#sink(interfaceDescription({ name, linkType, snapLength: this.#snapLength, hardwareAddress }))
    return this.#interfaces++
  }

  /** @internal */
  open(interfaceIndex: number, direction: CaptureDirection, bytes: Uint8Array, start: number, end: number): OpenRecord {
    const now = toNanoseconds(this.#clock.wallTime())
    if (now > this.#newest) this.#newest = now
    const record: OpenRecord = {
      interfaceIndex,
      time: this.#newest,
      bytes: bytes.slice(start, Math.min(end, start + this.#snapLength)),
      originalLength: end - start,
      direction,
      comments: [],
      open: true,
    }
    this.#waiting.push(record)
    return record
  }

  /** @internal */
  close(record: OpenRecord): void {
    record.open = false
    const waiting = this.#waiting
    while (waiting[0]?.open === false) {
      const { interfaceIndex, time, bytes, originalLength, direction, comments } = waiting.shift() as OpenRecord
      this.#sink(enhancedPacket(interfaceIndex, time, bytes, originalLength, direction, comments))
    }
  }
}

/** Made by {@link Capture.link}. */
export class CapturedLink implements Link {
  readonly name: string
  readonly medium: Medium
  readonly offload: Offload
  readonly hardwareAddress: Uint8Array | null
  readonly loopback: boolean
  readonly numbered: boolean
  readonly #capture: Capture
  readonly #inner: Link
  readonly #interfaceIndex: number
  /**
   * The packets that are within `send` or `input` now, with their records; the last is the
   * innermost.
   */
  readonly #passing: { readonly packet: Packet; readonly record: OpenRecord }[] = []
  /** The index of the nic above, once a frame has come in. */
  #nic = -1
  /** What was annotated last, for {@link noteDrop}: only compared, never read. */
  #notedPacket: Packet | null = null
  #notedReason: DropName = 'None'

  constructor(capture: Capture, inner: Link, interfaceIndex: number) {
    this.name = inner.name
    this.medium = inner.medium
    // Checksums in the file are complete, both ways.
    this.offload = NO_OFFLOAD
    this.hardwareAddress = inner.hardwareAddress
    this.loopback = inner.loopback
    this.numbered = inner.numbered === true
    this.#capture = capture
    this.#inner = inner
    this.#interfaceIndex = interfaceIndex
  }

  get mtu(): number {
    return this.#inner.mtu
  }

  get isUp(): boolean {
    return this.#inner.isUp !== false
  }

  attach(receiver: LinkReceiver): void {
    this.#inner.attach({
      input: (packet) => {
        if (packet.checksumState === ChecksumState.Partial) completeChecksum(packet)
        this.#begin('in', packet)
        try {
          receiver.input(packet)
        } finally {
          if (!this.loopback) this.#nic = packet.nic
          this.#end()
        }
      },
      idle: () => receiver.idle(),
      dropped: (drop, packet) => {
        this.#noteOwn(drop, packet)
        receiver.dropped(drop, packet)
      },
      failed: (error, fatal) => receiver.failed(error, fatal),
      changed: () => receiver.changed?.(),
    })
  }

  send(packet: Packet): Drop {
    this.#begin('out', packet)
    try {
      const drop = this.#inner.send(packet)
      if (drop !== Drop.None) this.#noteOwn(drop, packet)
      return drop
    } finally {
      this.#end()
    }
  }

  /**
   * Annotates a packet that the stack above discarded; it has the shape of the stack's drop
   * listener. `dropped: UdpNoPort (udp)` becomes a comment of the frame if that is just passing;
   * another IP packet, such as a datagram rebuilt from fragments, is written with the comment. A
   * drop that this link itself reported is not noted twice, and what is not yet an IP packet is
   * left out.
   */
  readonly noteDrop = (reason: DropName, layer: DropLayer, packet: Packet): void => {
    if (packet === this.#notedPacket && reason === this.#notedReason) {
      this.#notedPacket = null
      return
    }
    const comment = `dropped: ${reason} (${layer})`
    if (this.#annotate(comment, packet)) return
    // Datagrams rebuilt from what came in by another link are not this one's; -1 matches none.
    const passing = this.#passing.at(-1)
    const nic = passing?.record.direction === 'in' ? passing.packet.nic : this.#nic
    if (packet.nic !== 0 && packet.nic !== nic) return
    // A packet that came in has been parsed, and its bounds moved up to the payload; one that goes
    // out has the IP header at its start.
    const parsed = packet.nic !== 0 && packet.family !== 0
    const start = parsed ? packet.network : packet.start
    const end = parsed ? packet.networkEnd : packet.end
    if (!isIpPacket(packet.view, start, end)) return
    let bytes = packet.bytes.subarray(start, end)
    if (this.medium === 'ethernet') bytes = withEthernetHeader(bytes)
    this.#write(packet.nic !== 0 ? 'in' : 'out', bytes, comment)
  }

  flush(): void {
    this.#inner.flush()
  }

  close(): void {
    this.#inner.close()
  }

  ref(): void {
    this.#inner.ref()
  }

  unref(): void {
    this.#inner.unref()
  }

  #begin(direction: CaptureDirection, packet: Packet): void {
    this.#notedPacket = null
    this.#passing.push({
      packet,
      record: this.#capture.open(this.#interfaceIndex, direction, packet.bytes, packet.start, packet.end),
    })
  }

  #end(): void {
    const passing = this.#passing.pop()
    if (passing !== undefined) this.#capture.close(passing.record)
  }

  /** A drop that this link reports: the stack will pass it to {@link noteDrop} once more. */
  #noteOwn(drop: Drop, packet: Packet): void {
    const comment = `dropped: ${dropName(drop)} (${dropLayer(drop)})`
    if (!this.#annotate(comment, packet))
      this.#write('unknown', packet.bytes.subarray(packet.start, packet.end), comment)
    this.#notedPacket = packet
    this.#notedReason = dropName(drop)
  }

  /** Adds to the record of a packet that is passing; `false` when it is not. */
  #annotate(comment: string, packet: Packet): boolean {
    const passing = this.#passing.findLast((each) => each.packet === packet)
    passing?.record.comments.push(comment)
    return passing !== undefined
  }

  #write(direction: CaptureDirection, bytes: Uint8Array, comment: string): void {
    const record = this.#capture.open(this.#interfaceIndex, direction, bytes, 0, bytes.length)
    record.comments.push(comment)
    this.#capture.close(record)
  }
}

/** Whether the region begins with an IP header whose length field agrees. */
function isIpPacket(view: DataView, start: number, end: number): boolean {
  if (end - start < 20) return false
  const version = view.getUint8(start) >>> 4
  if (version === 4) return view.getUint16(start + 2) === end - start
  return version === 6 && end - start >= 40 && view.getUint16(start + 4) + 40 === end - start
}

/** A frame for a packet that has none: addresses of zeros. */
function withEthernetHeader(packet: Uint8Array): Uint8Array {
  const frame = new Uint8Array(14 + packet.length)
  frame.set((packet[0] as number) >>> 4 === 4 ? [0x08, 0x00] : [0x86, 0xdd], 12)
  frame.set(packet, 14)
  return frame
}
