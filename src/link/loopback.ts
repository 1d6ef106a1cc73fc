import type { Clock } from '../base/clock.ts'
import { Drop } from '../base/drop.ts'
import type { Packet } from '../base/packet.ts'
import { KeepAlive } from './keep-alive.ts'
import type { Link, LinkReceiver, Offload } from './link.ts'
import { DEFAULT_QUEUE_BYTES, Inbox } from './memory/inbox.ts'

export interface LoopbackOptions {
  /** Default `lo`. */
  name?: string
  /** Default 65536, as Linux's. */
  mtu?: number
  /**
   * Bytes that may wait to come back, 12 a frame added; above it `send` returns
   * `Drop.LinkQueueFull`. Default 4 MiB.
   */
  queueBytes?: number
  /**
   * Declares {@link Offload.checksum}: checksums need not be computed, as on Linux's `lo`; captures
   * show them incomplete. Default false.
   */
  checksumOffload?: boolean
}

/** The link whose frames come back to the stack that sent them, in the next turn of the clock. */
export class Loopback implements Link {
  readonly name: string
  readonly medium = 'ip'
  readonly mtu: number
  readonly offload: Offload
  readonly hardwareAddress = null
  readonly loopback = true
  readonly #inbox: Inbox
  readonly #keepAlive = new KeepAlive()
  #closed = false

  constructor(clock: Clock, options: LoopbackOptions = {}) {
    this.name = options.name ?? 'lo'
    this.mtu = options.mtu ?? 65536
    this.offload = { checksum: options.checksumOffload ?? false }
    this.#inbox = new Inbox(clock, options.queueBytes ?? DEFAULT_QUEUE_BYTES, this.offload.checksum)
  }

  attach(receiver: LinkReceiver): void {
    this.#inbox.attach(receiver, this.name)
  }

  send(packet: Packet): Drop {
    if (this.#closed) return Drop.LinkDown
    if (packet.end - packet.start > this.mtu) return Drop.LinkMtuExceeded
    return this.#inbox.put(packet)
  }

  flush(): void {}

  close(): void {
    this.#closed = true
    this.#inbox.close()
    this.#keepAlive.off()
  }

  ref(): void {
    if (!this.#closed) this.#keepAlive.on()
  }

  unref(): void {
    this.#keepAlive.off()
  }
}
