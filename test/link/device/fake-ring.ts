/** The kernel's side of a packet socket with a ring, in memory: it fills slots, and keeps what it is sent. */
import type { Packet } from '../../../src/base/packet.ts'
import type { PacketLibc } from '../../../src/link/device/packet-libc.ts'
import type { PacketSource } from '../../../src/link/device/packet-reader.ts'
import { PacketRing, Status } from '../../../src/link/device/packet-ring.ts'
import type { Libc } from '../../../src/link/device/tun-libc.ts'

const LITTLE = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1
/** Where the kernel puts a frame, behind a vnet header if there is one (Linux 6). */
const MAC = 66

export interface RingFrame {
  /** Ethernet header included. */
  readonly bytes: Uint8Array
  /** 10 bytes. */
  readonly vnet?: Uint8Array
  readonly status?: number
  readonly tag?: number
  readonly tagType?: number
}

export class FakeRing {
  readonly ring: PacketRing
  /** Whole frames that their slots were too short for. */
  readonly waiting: Uint8Array[] = []
  /** What the next call of PACKET_STATISTICS says. */
  lost = 0
  wasBroken = 0
  readonly rests: number[] = []
  unmapped = 0
  readonly source: PacketSource
  readonly #memory: ArrayBuffer
  readonly #frameSize: number
  readonly #frames: number
  readonly #vnetHeader: number
  #slot = 0

  /** At least 32 slots of 2048 bytes each. */
  constructor(vnetHeader: number, frames = 32, frameSize = 2048) {
    this.#vnetHeader = vnetHeader
    this.#frameSize = frameSize
    this.#frames = frames
    this.#memory = new ArrayBuffer(frames * frameSize)
    const libc = {
      setsockopt: () => 0,
      mmap: () => 4096,
      munmap: () => {
        this.unmapped++
        return 0
      },
      viewOf: () => this.#memory,
    } as unknown as PacketLibc
    this.ring = new PacketRing({ errno: () => 0 } as Libc, libc, 3, frameSize, frames, vnetHeader)
    this.source = {
      vnetHeader,
      receive: (packet: Packet, at: number) => {
        const frame = this.waiting.shift()
        if (frame === undefined) return -1
        packet.bytes.set(frame, at - vnetHeader)
        return frame.length - vnetHeader
      },
      takeLost: () => {
        const { lost } = this
        this.lost = 0
        return lost
      },
      broken: () => {
        this.wasBroken++
      },
      rest: (milliseconds) => this.rests.push(milliseconds),
    }
  }

  /** Frames that were filled in, and not given back. */
  get filled(): number {
    const words = new Int32Array(this.#memory)
    let count = 0
    for (let i = 0; i < this.#frames; i++) if (words[(i * this.#frameSize) / 4] !== 0) count++
    return count
  }

  /** What the kernel does with a frame that comes in; `false` when the ring is full. */
  fill({ bytes, vnet, status = 0, tag = 0, tagType = 0 }: RingFrame): boolean {
    const at = this.#slot * this.#frameSize
    const view = new DataView(this.#memory, at, this.#frameSize)
    if (view.getUint32(0, LITTLE) !== 0) return false
    const room = this.#frameSize - MAC - this.#vnetHeader
    const kept = Math.min(bytes.length, room)
    const mac = MAC + this.#vnetHeader
    const whole = new Uint8Array(this.#vnetHeader + bytes.length)
    whole.set((vnet ?? new Uint8Array(10)).subarray(0, this.#vnetHeader))
    whole.set(bytes, this.#vnetHeader)
    if (kept < bytes.length && (status & Status.Copy) !== 0) this.waiting.push(whole)
    new Uint8Array(this.#memory, at + mac - this.#vnetHeader).set(whole.subarray(0, this.#vnetHeader + kept))
    view.setUint32(4, bytes.length, LITTLE)
    view.setUint32(8, kept, LITTLE)
    view.setUint16(12, mac, LITTLE)
    view.setUint16(14, mac + 14, LITTLE)
    view.setUint16(24, tag, LITTLE)
    view.setUint16(26, tagType, LITTLE)
    view.setUint32(0, Status.User | status, LITTLE)
    this.#slot = (this.#slot + 1) % this.#frames
    return true
  }
}

/** The frame in a lent packet. */
export const frameOf = (packet: Packet): Uint8Array => packet.bytes.slice(packet.start, packet.end)
