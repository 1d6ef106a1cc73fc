/**
 * A device of the npm package `tuntap2`, or of its maintained fork
 * `@xiaobaidadada/node-tuntap2-wintun` (3.0.2; classes `LinuxTun` and `LinuxTap`), as a Link: for
 * programs that have such a device already. `openTun` of this package is the device to start with.
 *
 * What these devices cannot do, whoever drives them:
 * - Each packet crosses libuv's thread pool, in both directions, one at a time: 42 000 packets/s
 *   written and 32 000 read, at about 30 µs of CPU each, where `openTun` in the same run wrote 407
 *   000 and read 346 000 at 2.6 µs (Node 20, 2 busy cores, `bench/tuntap2/compare.mjs`).
 * - A read that waits holds one of the pool's four threads: with four devices, files and DNS stand
 *   still.
 * - It also keeps the process alive, and the interface in being: `close` takes effect when one more
 *   packet has come.
 * - One refused write (the interface is down) destroys the device.
 */
import { Drop } from '../../base/drop.ts'
import { Packet } from '../../base/packet.ts'
import { SystemRandom } from '../../base/random.ts'
import { HEADER as ETHERNET_HEADER } from '../../wire/ethernet.ts'
import { parseHardwareAddress, randomHardwareAddress } from '../../wire/hardware-address.ts'
import { type Link, type LinkReceiver, type Medium, NO_OFFLOAD, type Offload } from '../link.ts'

/** The part of `Tun`, `Tap`, `LinuxTun` and `LinuxTap` that is used here. */
export interface Tuntap2Device {
  readonly name: string
  readonly isTap: boolean
  readonly mtu: number
  on(event: 'data', listener: (chunk: Uint8Array) => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'close', listener: () => void): unknown
  /** The fork knows the callback in the third place only. */
  write(chunk: Uint8Array, encoding: undefined, callback: (error?: Error | null) => void): unknown
  release(): void
}

export interface Tuntap2Options {
  /**
   * TAP: the stack's own Ethernet address, `02:00:00:00:00:01`. Default: random, locally
   * administered.
   */
  readonly hardwareAddress?: string
  /**
   * Frames that may wait to be written; more are refused as `LinkQueueFull`. Default 500, as
   * Linux's devices.
   */
  readonly queueLength?: number
}

/**
 * Makes a link of an open device; set its addresses, MTU and `isUp` before. The link owns the
 * device from then on.
 * @throws {TypeError} for a hardware address that is none
 */
export function fromTuntap2(device: Tuntap2Device, options: Tuntap2Options = {}): Link {
  const { hardwareAddress: text, queueLength = 500 } = options
  const hardwareAddress = !device.isTap
    ? null
    : text === undefined
      ? randomHardwareAddress(new SystemRandom())
      : parseHardwareAddress(text)
  return new Tuntap2Link(device, hardwareAddress, queueLength)
}

class Tuntap2Link implements Link {
  readonly name: string
  readonly medium: Medium
  readonly mtu: number
  readonly offload: Offload = NO_OFFLOAD
  readonly hardwareAddress: Uint8Array | null
  readonly loopback = false

  readonly #device: Tuntap2Device
  readonly #linkHeader: number
  readonly #queueLength: number
  readonly #packet = new Packet()
  #receiver: LinkReceiver | null = null
  #waiting = 0
  #open = true

  constructor(device: Tuntap2Device, hardwareAddress: Uint8Array | null, queueLength: number) {
    this.#device = device
    this.#queueLength = queueLength
    this.#linkHeader = device.isTap ? ETHERNET_HEADER : 0
    this.name = device.name
    this.medium = device.isTap ? 'ethernet' : 'ip'
    this.mtu = device.mtu
    this.hardwareAddress = hardwareAddress
    device.on('error', (error) => this.#fail(error))
    device.on('close', () => this.#fail(new Error(`The device '${this.name}' was closed by somebody else.`)))
  }

  attach(receiver: LinkReceiver): void {
    if (this.#receiver !== null) throw new Error(`The link '${this.name}' has a receiver already.`)
    this.#receiver = receiver
    // The stream reads from now on.
    this.#device.on('data', (chunk) => this.#input(chunk))
  }

  send(packet: Packet): Drop {
    if (!this.#open) return Drop.LinkDown
    if (packet.length - this.#linkHeader > this.mtu) return Drop.LinkMtuExceeded
    if (this.#waiting >= this.#queueLength) return Drop.LinkQueueFull
    const frame = packet.copy()
    this.#waiting++
    this.#device.write(frame, undefined, (error) => {
      this.#waiting--
      if (error)
        this.#guard(() =>
          this.#receiver?.dropped(
            isDown(error) || !this.#open ? Drop.LinkDown : Drop.LinkRefused,
            this.#packet.load(frame),
          ),
        )
    })
    return Drop.None
  }

  /** Nothing to do: the stream writes by itself. */
  flush(): void {}

  close(): void {
    if (!this.#open) return
    this.#open = false
    this.#device.release()
  }

  /** No effect: the device's waiting read always keeps the process alive. */
  ref(): void {}

  /** No effect: the device's waiting read always keeps the process alive. */
  unref(): void {}

  #input(chunk: Uint8Array): void {
    if (!this.#open) return
    const receiver = this.#receiver as LinkReceiver
    this.#guard(() => receiver.input(this.#packet.load(chunk)))
    this.#guard(() => receiver.idle())
  }

  #fail(error: Error): void {
    if (!this.#open) return
    this.#open = false
    this.#guard(() => this.#receiver?.failed(error, true))
  }

  /** An exception thrown into the stream would stop it: it surfaces as an uncaught one instead. */
  #guard(call: () => void): void {
    try {
      call()
    } catch (error) {
      queueMicrotask(() => {
        throw error
      })
    }
  }
}

function isDown(error: Error): boolean {
  return (error as { code?: string }).code === 'EIO'
}
