/** A link whose frames are written to a capture, with what became of them. */
import { Drop, type DropLayer, type DropName, dropLayer, dropName } from '../../base/drop.ts'
import { ChecksumState, type Packet } from '../../base/packet.ts'
import { completeChecksum } from '../checksum-offload.ts'
import { type Link, type LinkReceiver, type Medium, NO_OFFLOAD, type Offload } from '../link.ts'
import type { RecordWriter } from './open-record.ts'
import { PassingFrames } from './passing-frames.ts'
import type { CaptureDirection } from './pcapng.ts'

/** Made by `Capture.link`. */
export class CapturedLink implements Link {
  readonly name: string
  readonly medium: Medium
  readonly offload: Offload
  readonly hardwareAddress: Uint8Array | null
  readonly loopback: boolean
  readonly numbered: boolean
  readonly #inner: Link
  readonly #frames: PassingFrames
  /** The index of the nic above, once a frame has come in. */
  #nic = -1
  /** What was annotated last, for {@link noteDrop}: only compared, never read. */
  #notedPacket: Packet | null = null
  #notedReason: DropName = 'None'

  /** @internal */
  constructor(writer: RecordWriter, inner: Link, interfaceIndex: number) {
    this.name = inner.name
    this.medium = inner.medium
    // Checksums in the file are complete, both ways.
    this.offload = NO_OFFLOAD
    this.hardwareAddress = inner.hardwareAddress
    this.loopback = inner.loopback
    this.numbered = inner.numbered === true
    this.#inner = inner
    this.#frames = new PassingFrames(writer, interfaceIndex)
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
          this.#frames.end()
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
      this.#frames.end()
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
    if (this.#frames.annotate(comment, packet)) return
    // Datagrams rebuilt from what came in by another link are not this one's; -1 matches none.
    const passing = this.#frames.innermost
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
    this.#frames.write(packet.nic !== 0 ? 'in' : 'out', bytes, comment)
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
    this.#frames.begin(direction, packet)
  }

  /** A drop that this link reports: the stack will pass it to {@link noteDrop} once more. */
  #noteOwn(drop: Drop, packet: Packet): void {
    const comment = `dropped: ${dropName(drop)} (${dropLayer(drop)})`
    if (!this.#frames.annotate(comment, packet))
      this.#frames.write('unknown', packet.bytes.subarray(packet.start, packet.end), comment)
    this.#notedPacket = packet
    this.#notedReason = dropName(drop)
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
