/**
 * Frames through an open descriptor: one `read` or `write` each, of memory that is addressed by
 * number (`tun-libc.ts` says why).
 */
import { HEADROOM, Packet } from '../../base/packet.ts'
import type { Libc } from './tun-libc.ts'
import { VNET_HEADER } from './vnet-header.ts'

export class TunFrames {
  /** Bytes in front of each frame: 10 on a device with offloads, else 0. */
  readonly vnetHeader: number
  /** What was read last; lent upwards. */
  readonly received = new Packet()
  readonly #libc: Libc
  readonly #fd: number
  readonly #receiveAddress: number
  readonly #receiveRoom: number
  /** The buffer of the last written frame, held while its address is used. */
  #writtenBytes: Uint8Array
  #writtenAddress: number

  constructor(libc: Libc, fd: number, offload: boolean) {
    this.#libc = libc
    this.#fd = fd
    this.vnetHeader = offload ? VNET_HEADER : 0
    this.#writtenBytes = this.received.bytes
    this.#writtenAddress = libc.addressOf(this.received.bytes)
    // The packet itself begins at HEADROOM, aligned.
    this.#receiveAddress = this.#writtenAddress + HEADROOM - this.vnetHeader
    this.#receiveRoom = this.received.bytes.length - HEADROOM
  }

  /**
   * Reads a frame into `received`, vnet header included; `false` says that {@link errno} has why
   * not.
   */
  read(): boolean {
    const length = this.#libc.read(this.#fd, this.#receiveAddress, this.#receiveRoom)
    if (length < 0) return false
    const start = HEADROOM - this.vnetHeader
    this.received.reset(start, start + length)
    return true
  }

  /** Writes `frame.start … frame.end`; `false` says that {@link errno} has why not. */
  write(frame: Packet): boolean {
    if (frame.bytes !== this.#writtenBytes) {
      this.#writtenBytes = frame.bytes
      this.#writtenAddress = this.#libc.addressOf(frame.bytes)
    }
    return this.#libc.write(this.#fd, this.#writtenAddress + frame.start, frame.end - frame.start) >= 0
  }

  /** Of the last call that failed; a positive number. */
  errno(): number {
    return this.#libc.errno()
  }
}
