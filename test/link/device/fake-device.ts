/** A descriptor of a device in memory: what `tun-frames.ts` reads from it, and what it wrote. */

import { TunFrames } from '../../../src/link/device/tun-frames.ts'
import type { Libc } from '../../../src/link/device/tun-libc.ts'
import type { LinkReceiver } from '../../../src/link/link.ts'

export const EAGAIN = 11

export class FakeDescriptor {
  /** Frames that wait, vnet headers included; a number is the errno that a read has. */
  readonly waiting: (Uint8Array | number)[] = []
  readonly written: Uint8Array[] = []
  /** The errno of each write, while there is one. */
  readonly refusals: number[] = []
  #errno = 0
  /** Memory by its address. */
  readonly #memory: Uint8Array[] = []

  readonly libc = {
    addressOf: (bytes: Uint8Array) => {
      const known = this.#memory.indexOf(bytes)
      return (known >= 0 ? known : this.#memory.push(bytes) - 1) * 0x100_0000
    },
    read: (_fd: number, address: number, length: number) => {
      const next = this.waiting.shift() ?? EAGAIN
      if (typeof next === 'number') return this.#failed(next)
      this.#at(address, length).set(next)
      return next.length
    },
    write: (_fd: number, address: number, length: number) => {
      const refusal = this.refusals.shift() ?? 0
      if (refusal !== 0) return this.#failed(refusal)
      this.written.push(this.#at(address, length).slice())
      return length
    },
    errno: () => this.#errno,
  } as unknown as Libc

  frames(offload: boolean): TunFrames {
    return new TunFrames(this.libc, 3, offload)
  }

  #failed(errno: number): number {
    this.#errno = errno
    return -1
  }

  #at(address: number, length: number): Uint8Array {
    const bytes = this.#memory[Math.floor(address / 0x100_0000)] as Uint8Array
    return bytes.subarray(address % 0x100_0000, (address % 0x100_0000) + length)
  }
}

/** The device as reader and writer see it; what it was told is in `told`. */
export function fakeHost(mtu = 1500) {
  const told: string[] = []
  const receiver: LinkReceiver = {
    input: (packet) => told.push(`input ${packet.end - packet.start}`),
    idle: () => told.push('idle'),
    dropped: (drop) => told.push(`dropped ${drop}`),
    failed: (error) => told.push(`failed ${(error as { code?: string }).code}`),
  }
  return {
    told,
    name: 'tun7',
    isOpen: true,
    mtu,
    receiver: receiver as LinkReceiver | null,
    down: false,
    wentDown: () => told.push('down'),
    fail: (error: Error) => told.push(`fail ${(error as { code?: string }).code}`),
  }
}

/** An IPv4 UDP datagram with a right header checksum and no UDP checksum to be checked. */
export function datagram(payload: number, identification = 0, port = 7): Uint8Array {
  const bytes = new Uint8Array(28 + payload)
  const view = new DataView(bytes.buffer)
  bytes.set([0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2])
  view.setUint16(2, bytes.length)
  view.setUint16(4, identification)
  let sum = 0
  for (let at = 0; at < 20; at += 2) sum += view.getUint16(at)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  view.setUint16(10, ~sum & 0xffff)
  view.setUint16(20, 5000)
  view.setUint16(22, port)
  view.setUint16(24, 8 + payload)
  return bytes
}
