/**
 * The receive buffer of one endpoint: which datagrams and ICMP errors have room in it, and when
 * their receiver is told. The bytes themselves wait in the receiver.
 */
import { Drop } from '../base/drop.ts'
import type { Packet } from '../base/packet.ts'
import type { IcmpError } from '../ip/icmp/icmp-error.ts'
import type { IcmpExtension } from '../wire/icmp-extensions.ts'
import type { IcmpErrno } from './errno.ts'

/** The upper side of an endpoint. */
export interface EndpointReceiver {
  /**
   * A datagram: its payload is `packet.start … packet.end`, lent for the call. Called from within
   * the input of a packet, never from within `send`; what must not run there (programs' listeners)
   * waits for `flush`. The endpoint has counted its charge in bytes against the receive buffer, and
   * the receiver gives them back with `release`.
   */
  receive(packet: Packet, sourcePort: number): void
  /** After the last datagram of one wake-up. */
  flush(): void
  /**
   * An ICMP error that was checked to concern this endpoint; `errno` is what Linux reports on a
   * connected socket, `''` when it reports nothing. What a receiver keeps of it is its own affair;
   * sockets charge it to the receive buffer.
   */
  icmp(error: IcmpError, errno: IcmpErrno): void
}

/** The options that decide what is taken. */
export interface ReceiveLimits {
  /** Bytes. */
  readonly receiveBuffer: number
  readonly minHopLimit: number
}

/** Is told, once a wake-up, of a queue that waits for its `flush`. */
export interface ReadyHost {
  add(queue: ReceiveQueue): void
}

/**
 * What one waiting datagram costs of the receive buffer: its bytes and bookkeeping (Linux counts
 * its `truesize`, 768 bytes for a small one).
 */
export function charge(length: number): number {
  return length + 512
}

/**
 * What one waiting ICMP error costs of it (Linux: sock_queue_err_skb, a quote's `truesize`), and
 * its extensions besides.
 */
function errorCharge(extensions: readonly IcmpExtension[]): number {
  let cost = 768
  for (const { payload } of extensions) cost += 512 + payload.length
  return cost
}

export class ReceiveQueue {
  readonly receiver: EndpointReceiver
  readonly #limits: ReceiveLimits
  readonly #host: ReadyHost
  #charged = 0
  /** In the host's list of those that wait for `flush`. */
  #ready = false

  constructor(receiver: EndpointReceiver, limits: ReceiveLimits, host: ReadyHost) {
    this.receiver = receiver
    this.#limits = limits
    this.#host = host
  }

  /** Bytes that wait for the program, bookkeeping included. */
  get charged(): number {
    return this.#charged
  }

  /**
   * Offers a datagram; drops it when the receive buffer is full (as Linux: only when it is already
   * over the limit).
   */
  deliver(packet: Packet, sourcePort: number): Drop {
    const limits = this.#limits
    if (packet.hopLimit < limits.minHopLimit) return Drop.UdpHopLimit
    const cost = charge(packet.end - packet.start)
    if (this.#charged !== 0 && this.#charged + cost > limits.receiveBuffer) return Drop.UdpReceiveBuffer
    this.#charged += cost
    this.receiver.receive(packet, sourcePort)
    this.#markReady()
    return Drop.None
  }

  /** The program has taken, or lost, a datagram of `length` bytes. */
  release(length: number): void {
    this.#charged -= charge(length)
  }

  /** Whether an ICMP error may wait, too. */
  hasRoomFor(extensions: readonly IcmpExtension[]): boolean {
    return this.#charged + errorCharge(extensions) <= this.#limits.receiveBuffer
  }

  /** The receiver keeps an ICMP error for the program, and wants to be flushed. */
  chargeError(extensions: readonly IcmpExtension[]): void {
    this.#charged += errorCharge(extensions)
    this.#markReady()
  }

  /** The program has taken it. */
  releaseError(extensions: readonly IcmpExtension[]): void {
    this.#charged -= errorCharge(extensions)
  }

  /** The end of a wake-up: the receiver hands on what it collected. */
  flush(): void {
    this.#ready = false
    this.receiver.flush()
  }

  #markReady(): void {
    if (this.#ready) return
    this.#ready = true
    this.#host.add(this)
  }
}
