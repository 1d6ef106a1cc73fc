/**
 * A host for tests: a stack on a clock that stands still, with one link whose frames the test puts
 * in and takes out.
 */
import { Address } from '../src/base/address.ts'
import { ManualClock } from '../src/base/clock.ts'
import { Drop } from '../src/base/drop.ts'
import { Packet } from '../src/base/packet.ts'
import { SeededRandom } from '../src/base/random.ts'
import type { IcmpError } from '../src/ip/icmp/icmp-error.ts'
import type { Nic } from '../src/ip/nic/nic.ts'
import { type Link, type LinkReceiver, type Medium, NO_OFFLOAD, type Offload } from '../src/link/link.ts'
import { Stack, type StackOptions } from '../src/stack.ts'
import type { Endpoint, EndpointReceiver } from '../src/udp/endpoint.ts'
import { HOST4, HOST6, PEER4, PEER6 } from './packet.ts'

/** A link whose far end is the test. */
export class TestLink implements Link {
  readonly name: string
  readonly medium: Medium
  readonly mtu: number
  readonly offload: Offload
  readonly hardwareAddress: Uint8Array | null
  readonly loopback = false
  /** Frames that the stack sent. */
  readonly sent: Uint8Array[] = []
  /** What `send` answers. */
  answer: Drop = Drop.None
  closed = false
  readonly #packet = new Packet()
  #receiver: LinkReceiver | null = null

  /** With a hardware address it is an Ethernet link. */
  constructor(name = 'eth0', mtu = 1500, offload: Offload = NO_OFFLOAD, hardwareAddress: Uint8Array | null = null) {
    this.name = name
    this.medium = hardwareAddress === null ? 'ip' : 'ethernet'
    this.hardwareAddress = hardwareAddress
    this.mtu = mtu
    this.offload = offload
  }

  attach(receiver: LinkReceiver): void {
    this.#receiver = receiver
  }

  send(packet: Packet): Drop {
    if (this.closed) return Drop.LinkDown
    if (this.answer !== Drop.None) return this.answer
    this.sent.push(packet.copy())
    return Drop.None
  }

  flush(): void {}

  close(): void {
    this.closed = true
  }

  ref(): void {}
  unref(): void {}

  /** Frames arrive, all in one wake-up. */
  receive(...frames: readonly Uint8Array[]): void {
    for (const frame of frames) (this.#receiver as LinkReceiver).input(this.#packet.load(frame))
    ;(this.#receiver as LinkReceiver).idle()
  }

  /** As `receive`, for a frame with marks of the link. */
  receivePacket(packet: Packet): void {
    ;(this.#receiver as LinkReceiver).input(packet)
    ;(this.#receiver as LinkReceiver).idle()
  }

  /** The frames sent since the last call. */
  take(): Uint8Array[] {
    return this.sent.splice(0)
  }

  fail(error: Error, fatal: boolean): void {
    this.#receiver?.failed(error, fatal)
  }
}

export interface Received {
  readonly payload: Uint8Array
  readonly from: string
  readonly port: number
  readonly to: string
  readonly hopLimit: number
  readonly tos: number
  readonly nic: number
  readonly fragments: number
}

/**
 * The upper side of an endpoint: keeps what comes; gives the receive buffer back at once unless
 * told to hold it.
 */
export class Mailbox implements EndpointReceiver {
  readonly received: Received[] = []
  readonly errors: { error: IcmpError; errno: string }[] = []
  flushes = 0
  hold = false
  endpoint: Endpoint | null = null

  receive(packet: Packet, port: number): void {
    this.received.push({
      payload: packet.copy(),
      from: new Address(packet.s0, packet.s1, packet.s2, packet.s3).toString(),
      port,
      to: new Address(packet.d0, packet.d1, packet.d2, packet.d3).toString(),
      hopLimit: packet.hopLimit,
      tos: packet.tos,
      nic: packet.nic,
      fragments: packet.fragments,
    })
    if (!this.hold) this.endpoint?.release(packet.end - packet.start)
  }

  flush(): void {
    this.flushes++
  }

  icmp(error: IcmpError, errno: string): void {
    this.errors.push({ error, errno })
  }
}

export interface Host {
  readonly stack: Stack
  readonly clock: ManualClock
  readonly link: TestLink
  readonly nic: Nic
}

export { HOST4, HOST6, PEER4, PEER6 }

/**
 * The host of the captures in `test/vectors`: the addresses above, and a router to everywhere else.
 * No limit on ICMP errors.
 */
export function makeHost(options: StackOptions & { mtu?: number; offload?: Offload } = {}): Host {
  const clock = new ManualClock()
  const stack = new Stack({ clock, random: new SeededRandom('host'), icmpRateLimit: false, ...options })
  const link = new TestLink('eth0', options.mtu, options.offload)
  const six = link.mtu >= 1280
  const nic = stack.addNic(link, { addresses: [`${HOST4}/24`, ...(six ? [`${HOST6}/64`, 'fe80::20/64'] : [])] })
  stack.addRoute({ to: 'default', via: '198.51.100.1' })
  if (six) stack.addRoute({ to: 'default', via: '2001:db8:b::1' })
  return { stack, clock, link, nic }
}

/** An endpoint with its mailbox, bound to a port of any address unless told otherwise. */
export function open(
  stack: Stack,
  family: 4 | 6,
  port = 0,
  address = family === 4 ? '0.0.0.0' : '::',
  prepare = (_: Endpoint) => {},
) {
  const mailbox = new Mailbox()
  const endpoint = stack.udp.createEndpoint(family, mailbox)
  mailbox.endpoint = endpoint
  prepare(endpoint)
  const error = endpoint.bind(Address.parse(address), port)
  if (error !== '') throw new Error(`bind: ${error}`)
  return { endpoint, mailbox }
}

/** Sends bytes; returns the errno name or `''`. */
export function send(
  endpoint: Endpoint,
  payload: Uint8Array,
  address: string | null,
  port: number,
  options: Parameters<Endpoint['send']>[4] = null,
  nic = 0,
): string {
  const packet = endpoint.beginSend(payload.length)
  // A payload longer than any datagram is refused whatever its bytes.
  packet.bytes.set(payload.subarray(0, packet.length), packet.start)
  return endpoint.send(packet, address === null ? null : Address.parse(address), port, nic, options)
}

/** How often a reason was counted. */
export function dropCount(stack: Stack, reason: keyof typeof Drop): number {
  return stack.counters.dropCount(Drop[reason])
}
