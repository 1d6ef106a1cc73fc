/**
 * The receive ring of a packet socket (PACKET_RX_RING, TPACKET_V2; Linux:
 * Documentation/networking/packet_mmap.rst): slots in memory that the kernel shares with this
 * process. The kernel fills a slot and hands it over by its status word; it gets the slot back once
 * the frame is copied out, so that nobody above holds memory of the ring.
 *
 *     slot:         struct tpacket2_hdr | room | vnet header, if any (10) | frame
 *     tpacket2_hdr: status u32 | length u32 | kept u32 | offset of the frame u16 | of its payload u16
 *                   | seconds u32 | nanoseconds u32 | VLAN tag u16 | VLAN type u16 | padding
 *
 * In the machine's byte order.
 */
import type { Packet } from '../../base/packet.ts'
import { LITTLE } from './netlink.ts'
import type { PacketLibc } from './packet-libc.ts'
import { errnoName, type Libc, systemError } from './tun-libc.ts'

/** Bits of the status word. */
export const Status = {
  User: 1,
  /** The slot was too short: the whole frame waits in the socket, to be received. */
  Copy: 2,
  /** Frames were lost since the statistics were last read. */
  Losing: 4,
  /** The transport checksum is left to the device. */
  ChecksumNotReady: 8,
  /** The kernel has taken a VLAN tag off. */
  VlanValid: 16,
  VlanTypeValid: 64,
  ChecksumValid: 128,
} as const

const KERNEL = 0
const SOL_PACKET = 263
const PACKET_RX_RING = 5
const PROT_READ_WRITE = 3
const MAP_SHARED = 1
/** Bytes of a block, the piece that the kernel allocates at once. */
const BLOCK = 65_536
/** Bytes up to which a loop over words is faster than `set` (Node 20). */
const LOOP = 96
const NO_VIEW = new Uint8Array(0)

export class PacketRing {
  readonly #libc: PacketLibc
  readonly #address: number
  readonly #frameSize: number
  readonly #frames: number
  /** Bytes in front of each frame that are copied with it. */
  readonly #vnetHeader: number
  #isOpen = true
  #status: Int32Array
  #view: DataView
  #bytes: Uint8Array
  /**
   * What was last copied from each slot, remembered: frames of a flow have one length, and to make
   * a view costs as much as to copy it.
   */
  readonly #copied: Uint8Array[]
  readonly #lengths: Int32Array
  #slot = 0
  /** Where the slot begins. */
  #at = 0

  /**
   * `frameSize`: bytes of a slot, a power of two.
   * @throws {Error} `ENOMEM` and others, with what to do
   */
  constructor(libc: Libc, packetLibc: PacketLibc, fd: number, frameSize: number, frames: number, vnetHeader: number) {
    this.#libc = packetLibc
    this.#frameSize = frameSize
    const block = Math.max(BLOCK, frameSize)
    this.#frames = Math.ceil((frames * frameSize) / block) * (block / frameSize)
    this.#vnetHeader = vnetHeader
    const length = this.#frames * frameSize
    const request = new Int32Array([block, length / block, frameSize, this.#frames])
    const refuse = (syscall: string) => {
      const errno = libc.errno()
      return systemError(
        errno,
        syscall,
        `The kernel gives no ring of ${this.#frames} frames, ${length} bytes (${errnoName(errno)}): choose a smaller ` +
          "'ringFrames'.",
      )
    }
    if (packetLibc.setsockopt(fd, SOL_PACKET, PACKET_RX_RING, request, 16) < 0) throw refuse('setsockopt')
    this.#address = packetLibc.mmap(0, length, PROT_READ_WRITE, MAP_SHARED, fd, 0)
    if (this.#address < 0) throw refuse('mmap')
    const memory = packetLibc.viewOf(this.#address, length)
    this.#status = new Int32Array(memory)
    this.#view = new DataView(memory)
    this.#bytes = new Uint8Array(memory)
    this.#copied = new Array(this.#frames).fill(NO_VIEW)
    this.#lengths = new Int32Array(this.#frames)
  }

  /** The status word of the next slot; 0 when no frame is there. */
  status(): number {
    // The kernel writes the word last: what is read after it is the frame's.
    return Atomics.load(this.#status, this.#at >> 2)
  }

  /** Bytes of the frame as it came. */
  get length(): number {
    return this.#view.getUint32(this.#at + 4, LITTLE)
  }

  /** Bytes of it that are in the slot. */
  get kept(): number {
    return this.#view.getUint32(this.#at + 8, LITTLE)
  }

  /** The tag that the kernel has taken off, and its type. */
  get vlanTag(): number {
    return this.#view.getUint16(this.#at + 24, LITTLE)
  }

  get vlanType(): number {
    return this.#view.getUint16(this.#at + 26, LITTLE)
  }

  /** Copies what is kept of the frame to `to`, and its vnet header in front of it. */
  copy(packet: Packet, to: number): void {
    const view = this.#view
    const from = this.#at + view.getUint16(this.#at + 12, LITTLE) - this.#vnetHeader
    const length = view.getUint32(this.#at + 8, LITTLE) + this.#vnetHeader
    const at = to - this.#vnetHeader
    if (length > LOOP) {
      packet.bytes.set(this.#window(from, length), at)
      return
    }
    const target = packet.view
    let i = 0
    for (const stop = length - 3; i < stop; i += 4) target.setInt32(at + i, view.getInt32(from + i, true), true)
    for (; i < length; i++) target.setUint8(at + i, view.getUint8(from + i))
  }

  /** Gives the slot back to the kernel, and goes on to the next one. */
  release(): void {
    Atomics.store(this.#status, this.#at >> 2, KERNEL)
    this.#slot = this.#slot + 1 === this.#frames ? 0 : this.#slot + 1
    this.#at = this.#slot * this.#frameSize
  }

  /** Lets the memory go; what is read from then on is an empty slot. */
  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#libc.munmap(this.#address, this.#frames * this.#frameSize)
    this.#copied.length = 0
    const nothing = new ArrayBuffer(this.#frameSize)
    this.#status = new Int32Array(nothing)
    this.#view = new DataView(nothing)
    this.#bytes = new Uint8Array(nothing)
    this.#slot = 0
    this.#at = 0
  }

  /** Each slot's frames begin at the same place. */
  #window(from: number, length: number): Uint8Array {
    if (this.#lengths[this.#slot] === length) return this.#copied[this.#slot] as Uint8Array
    const window = this.#bytes.subarray(from, from + length)
    this.#copied[this.#slot] = window
    this.#lengths[this.#slot] = length
    return window
  }
}
