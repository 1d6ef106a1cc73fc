/** A stack on a link of its own, driven in lock step. */
import { Address } from '../../src/base/address.ts'
import { ManualClock } from '../../src/base/clock.ts'
import { Drop } from '../../src/base/drop.ts'
import { Packet } from '../../src/base/packet.ts'
import { SeededRandom } from '../../src/base/random.ts'
import type { Nic } from '../../src/ip/nic/nic.ts'
import type { PmtuMode } from '../../src/ip/routing/pmtu-mode.ts'
import { type Link, type LinkReceiver, NO_OFFLOAD } from '../../src/link/link.ts'
import { Stack, type StackOptions } from '../../src/stack.ts'
import type { Endpoint } from '../../src/udp/endpoint.ts'
import type { Delivered, Host, SocketPlan } from './host.ts'
import type { Bytes } from './raw-ip.ts'

/** A link whose other end is the test. */
export class TestLink implements Link {
  readonly name: string
  readonly medium = 'ip'
  readonly mtu: number
  readonly offload = NO_OFFLOAD
  readonly hardwareAddress = null
  readonly loopback = false
  receiver: LinkReceiver | null = null
  sent: Bytes[] = []
  readonly #packet = new Packet()

  constructor(name = 'test0', mtu = 1500) {
    this.name = name
    this.mtu = mtu
  }

  attach(receiver: LinkReceiver): void {
    this.receiver = receiver
  }

  send(packet: Packet): Drop {
    this.sent.push(packet.copy())
    return Drop.None
  }

  /** A packet arrives. */
  input(bytes: Bytes): void {
    this.receiver?.input(this.#packet.load(bytes))
    this.receiver?.idle()
  }

  /** What was sent since the last call. */
  take(): Bytes[] {
    const taken = this.sent
    this.sent = []
    return taken
  }

  flush(): void {}
  close(): void {}
  ref(): void {}
  unref(): void {}
}

export class StackHost implements Host {
  /** Starts at noon, so that no time of day is 0. */
  readonly clock = new ManualClock(Date.UTC(2000, 0, 1, 12))
  readonly link: TestLink
  readonly #links: TestLink[]
  readonly stack: Stack
  readonly nic: Nic
  /** By family and port, in the order of their opening. */
  readonly #endpoints = new Map<string, Endpoint>()
  #delivered: Delivered[] = []

  constructor(addresses: readonly string[], mtu = 1500, options: StackOptions = {}, device = 'test0') {
    this.link = new TestLink(device, mtu)
    this.#links = [this.link]
    this.stack = new Stack({
      clock: this.clock,
      random: new SeededRandom(1),
      icmpRateLimit: false,
      reassemblyMemory: 2 ** 30,
      ...options,
    })
    this.nic = this.stack.addNic(this.link, { addresses })
  }

  get links(): number {
    return this.#links.length
  }

  addLink(name: string, addresses: readonly string[], mtu: number): void {
    const link = new TestLink(name, mtu)
    this.#links.push(link)
    this.stack.addNic(link, { addresses })
  }

  open(plan: SocketPlan): void {
    const { port } = plan
    const endpoint = this.stack.udp.createEndpoint(plan.family, {
      receive: (packet, sourcePort) => {
        const { view } = packet
        const word = (value: number) => (value >>> 0).toString(16).padStart(8, '0')
        let from = word(packet.s3)
        if (plan.family === 6) from = word(packet.s0) + word(packet.s1) + word(packet.s2) + from
        const payload = Buffer.from(view.buffer, packet.start, packet.end - packet.start).toString('hex')
        this.#delivered.push({
          port,
          error: '',
          from: `${from}:${sourcePort}`,
          payload,
          hopLimit: packet.hopLimit,
          tos: packet.tos,
        })
        endpoint.release(packet.end - packet.start)
      },
      flush: () => {},
      icmp: (_error, errno) => {
        if (errno !== '') this.#delivered.push({ port, error: errno, from: '', payload: '', hopLimit: 0, tos: 0 })
      },
    })
    endpoint.ipv6Only = plan.family === 6 && plan.dual !== true
    const any = plan.family === 6 ? '::' : '0.0.0.0'
    let error = endpoint.bind(Address.parse(plan.address ?? any), port)
    if (error === '' && plan.peer !== undefined) error = endpoint.connect(Address.parse(plan.peer), plan.peerPort ?? 0)
    if (error === '' && plan.group !== undefined)
      error = endpoint.groups.join(Address.parse(plan.group), this.nic.index)
    if (error !== '') throw new Error(`${JSON.stringify(plan)}: ${error}`)
    this.#endpoints.set(`${plan.family} ${port}`, endpoint)
    this.receive()
  }

  send(family: 4 | 6, port: number, payload: Bytes, to: string, toPort: number): string {
    const endpoint = this.#find(family, port)
    const packet = endpoint.beginSend(payload.length)
    packet.bytes.set(payload.subarray(0, packet.end - packet.start), packet.start)
    return endpoint.send(packet, Address.parse(to), toPort, 0, null)
  }

  setMtuDiscover(family: 4 | 6, port: number, mode: number): void {
    this.#find(family, port).pmtuMode = mode as PmtuMode
  }

  knownMtu(family: 4 | 6, port: number): number {
    const endpoint = this.#find(family, port)
    return endpoint.pathMtu(endpoint.remoteAddress as Address)
  }

  #find(family: 4 | 6, port: number): Endpoint {
    return this.#endpoints.get(`${family} ${port}`) as Endpoint
  }

  input(packet: Bytes, link = 0): void {
    this.#links[link]?.input(packet)
  }

  receive(link = 0): Bytes[] {
    this.clock.settle()
    return this.#links[link]?.take() ?? []
  }

  delivered(): Delivered[] {
    const taken = this.#delivered
    this.#delivered = []
    // Sockets are read in the order of their opening.
    const order = [...this.#endpoints.values()].map((each) => each.localPort)
    return taken.length < 2 ? taken : taken.sort((a, b) => order.indexOf(a.port) - order.indexOf(b.port))
  }

  timeOfDay(): number {
    return this.clock.wallTime() % 86_400_000
  }

  close(): void {
    this.stack.close()
  }
}
