/**
 * Who the demo's stack talks to: the Linux kernel behind a TUN device, or a second stack on a wire
 * in memory.
 */
import { spawn } from 'node:child_process'
import * as kernelDgram from 'node:dgram'
import { once } from 'node:events'
import { Address } from '../base/address.ts'
import { Drop } from '../base/drop.ts'
import { HEADROOM, Packet } from '../base/packet.ts'
import { openTun } from '../link/device/tun.ts'
import type { Link, LinkReceiver } from '../link/link.ts'
import { Segment } from '../link/segment.ts'
import * as icmpv4 from '../wire/icmpv4.ts'
import * as icmpv6 from '../wire/icmpv6.ts'
import * as ipv4 from '../wire/ipv4.ts'
import * as ipv6 from '../wire/ipv6.ts'
import { ICMPV4, ICMPV6 } from '../wire/protocol.ts'
import '../socket-api/dgram/dgram.ts'
import { Stack } from '../stack.ts'

export type Family = 4 | 6

/** How long an answer may take on a machine with other work: so many milliseconds, so often. */
const TICK = 100
const TICKS = 50

/**
 * Calls back when an answer has not come in time. Between two ticks what waits is taken: a process
 * that was not let run has not waited.
 * @returns stops the waiting
 */
export function afterPatience(callback: () => void): () => void {
  let ticks = 0
  const timer = setInterval(() => {
    if (++ticks < TICKS) return
    clearInterval(timer)
    callback()
  }, TICK)
  return () => clearInterval(timer)
}

/** The stack's and the peer's addresses. */
export const OWN = { 4: '10.9.0.2', 6: 'fd09::2' } as const
export const PEER = { 4: '10.9.0.1', 6: 'fd09::1' } as const
export const PREFIX_LENGTH = { 4: 24, 6: 64 } as const

/** What the demo uses of a socket: the kernel's and ours have it alike. */
export interface DemoSocket extends NodeJS.EventEmitter {
  bind(port: number, address: string, callback: () => void): unknown
  connect(port: number, address: string, callback: () => void): unknown
  send(message: string): void
  send(message: Uint8Array, port: number, address: string): void
  setTTL(ttl: number): unknown
  close(): unknown
}

export interface Dgram {
  createSocket(type: 'udp4' | 'udp6'): DemoSocket
}

export interface Peer {
  /** `the Linux kernel` */
  readonly name: string
  /** `kernel` */
  readonly short: string
  readonly kind: 'tun' | 'memory'
  /** What carries the packets, and why it is this. */
  readonly wire: string
  /** To be given to the demo's stack. */
  readonly link: Link
  readonly families: readonly Family[]
  readonly dgram: Dgram
  /** Sends an echo request with `size` bytes to the stack; `null` when the peer has no means to. */
  ping(family: Family, size: number): Promise<'answered' | 'no answer' | null>
  close(): void
}

const cidr = (addresses: typeof OWN | typeof PEER, family: Family) => `${addresses[family]}/${PREFIX_LENGTH[family]}`

/**
 * The kernel behind a TUN device; to be called in a network namespace of one's own.
 * @throws {Error} when no TUN device can be opened
 */
export function kernelPeer(): Peer {
  const { device, families } = openDevice()
  return {
    name: 'the Linux kernel',
    short: 'kernel',
    kind: 'tun',
    wire:
      `TUN device ${device.interfaceName}, MTU ${device.mtu}, in a private network namespace: your network ` +
      'is not touched',
    link: device,
    families,
    dgram: kernelDgram,
    async ping(family, size) {
      const seconds = (TICK * TICKS) / 1000
      const options = [`-${family}`, '-c', '1', '-W', `${seconds}`, '-s', `${size}`]
      const child = spawn('ping', [...options, OWN[family]], { stdio: 'ignore' })
      try {
        const [code] = (await once(child, 'exit')) as [number | null]
        return code === 0 ? 'answered' : 'no answer'
      } catch {
        return null
      }
    },
    close() {},
  }
}

/** A kernel without IPv6 still shows the rest. */
function openDevice(): { device: ReturnType<typeof openTun>; families: readonly Family[] } {
  const name = 'tungram0'
  try {
    return { device: openTun({ name, offload: false, peer: [cidr(PEER, 4), cidr(PEER, 6)] }), families: [4, 6] }
  } catch {
    return { device: openTun({ name, offload: false, peer: [cidr(PEER, 4)] }), families: [4] }
  }
}

/** A second stack; `reason` says why it is not the kernel. */
export function memoryPeer(reason: string): Peer {
  const segment = new Segment({ name: 'wire' })
  const link = segment.link({ name: 'wire0' })
  const pinger = new Pinger(segment.link({ name: 'wire1' }))
  const stack = new Stack({ name: 'peer' })
  stack.addNic(pinger, { addresses: [cidr(PEER, 4), cidr(PEER, 6)] })
  return {
    name: 'a second tungram stack',
    short: 'peer',
    kind: 'memory',
    wire: `a wire in memory, MTU ${segment.mtu}, ${reason}`,
    link,
    families: [4, 6],
    dgram: stack.dgram,
    ping: (family, size) => pinger.ping(family, size),
    close: () => stack.close(),
  }
}

const IDENTIFIER = 0x7467

/**
 * A Link around a Link that sends echo requests and keeps the replies to them: what `ping` is to
 * the kernel.
 */
class Pinger implements Link {
  readonly #inner: Link
  #sequence = 0
  /** Called when the reply with the number `#sequence` has come. */
  #answered = () => {}

  constructor(inner: Link) {
    this.#inner = inner
  }

  get name() {
    return this.#inner.name
  }
  get medium() {
    return this.#inner.medium
  }
  get mtu() {
    return this.#inner.mtu
  }
  get offload() {
    return this.#inner.offload
  }
  get hardwareAddress() {
    return this.#inner.hardwareAddress
  }
  get loopback() {
    return this.#inner.loopback
  }

  attach(receiver: LinkReceiver): void {
    this.#inner.attach({
      input: (packet) => {
        if (this.#isReply(packet)) this.#answered()
        else receiver.input(packet)
      },
      idle: () => receiver.idle(),
      dropped: (drop, packet) => receiver.dropped(drop, packet),
      failed: (error, fatal) => receiver.failed(error, fatal),
      changed: () => receiver.changed?.(),
    })
  }

  send(packet: Packet): Drop {
    return this.#inner.send(packet)
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

  ping(family: Family, size: number): Promise<'answered' | 'no answer'> {
    this.#inner.send(this.#request(family, size))
    return new Promise((resolve) => {
      const stop = afterPatience(() => resolve('no answer'))
      this.#answered = () => {
        stop()
        resolve('answered')
      }
    })
  }

  #request(family: Family, size: number): Packet {
    const packet = new Packet()
    const from = Address.parse(PEER[family])
    const to = Address.parse(OWN[family])
    const rest = (IDENTIFIER << 16) | ++this.#sequence
    packet.reset(HEADROOM, HEADROOM + icmpv4.HEADER + size)
    packet.hopLimit = 64
    packet.setAddresses(from, to)
    if (family === 4) {
      packet.start -= ipv4.HEADER
      packet.protocol = ICMPV4
      ipv4.encode(packet, packet.start, ipv4.HEADER)
      icmpv4.encode(packet, HEADROOM, packet.end, icmpv4.ECHO, 0, rest)
    } else {
      packet.start -= ipv6.HEADER
      ipv6.encode(packet, packet.start, ICMPV6)
      icmpv6.encode(packet, packet.start, HEADROOM, packet.end, icmpv6.ECHO_REQUEST, 0, rest)
    }
    return packet
  }

  #isReply(packet: Packet): boolean {
    const { view, start } = packet
    const isIPv4 = ipv4.version(view, start) === 4
    if (
      (isIPv4 ? ipv4.parse(packet) : ipv6.parse(packet)) !== Drop.None ||
      packet.protocol !== (isIPv4 ? ICMPV4 : ICMPV6)
    )
      return false
    const at = packet.transport
    if ((isIPv4 ? icmpv4.parse(packet) : icmpv6.parse(packet)) !== Drop.None) return false
    const type = icmpv4.type(view, at)
    return (
      type === (isIPv4 ? icmpv4.ECHO_REPLY : icmpv6.ECHO_REPLY) &&
      icmpv4.identifier(view, at) === IDENTIFIER &&
      icmpv4.sequence(view, at) === this.#sequence
    )
  }
}
