/// <reference lib="esnext.disposable" preserve="true" />
/**
 * Hosts, routers, switches and segments, their cables and the time that they share. Everything in a
 * network has its own seeded randomness, so that the same seed gives the same bytes at the same
 * times, whatever else is added.
 */
import { Address, type Family, parseCidr } from '../base/address.ts'
import { type Clock, SystemClock, type Timer } from '../base/clock.ts'
import { Drop, type DropLayer, type DropName, dropLayer, dropName } from '../base/drop.ts'
import { KeyedHash } from '../base/hash.ts'
import { SeededRandom, SystemRandom } from '../base/random.ts'
import type { Nic } from '../ip/nic/nic.ts'
import { MIN_PMTU6 } from '../ip/routing/path-mtu.ts'
import type { Route } from '../ip/routing/route-table.ts'
import { Capture } from '../link/capture/capture.ts'
import type { Link, Medium } from '../link/link.ts'
import { Segment } from '../link/segment.ts'
import { type SocketRow, Stack, type StackOptions } from '../stack.ts'
import { installRoutes, type Member, type RoutedNode } from './addressing/routing.ts'
import { Nat, type NatOptions } from './nat/nat.ts'
import { Cable, type CableEnd, impairEnd } from './nodes/cable.ts'
import { Domain, Subnets } from './nodes/domain.ts'
import { type FilterSpec, filterGate } from './nodes/filter.ts'
import { type Gate, Port, type PortContext, type PortOwner } from './nodes/port.ts'
import { Switch } from './nodes/switch.ts'
import { ipOffset, summarize } from './observe/ip-frame.ts'
import { type Datagram, type DatagramFilter, explain, Lineage } from './observe/lineage.ts'
import { type ReplayOptions, replay } from './observe/replay.ts'
import { IMPAIRMENTS, type ImpairmentSpec } from './scenario/impairment-spec.ts'
import { checkOptions } from './scenario/options.ts'
import { type Duration, milliseconds } from './time/duration.ts'
import { installTimers } from './time/timers.ts'
import { HostClock, ProgramClock, VirtualTime } from './time/virtual-time.ts'

// Read once: a program under test may replace the globals by fake ones.
const { setTimeout } = globalThis

export interface NetworkOptions {
  /** All chance comes from it. Default: drawn, and to be read from `network.seed`. */
  seed?: number | string
  /**
   * Simulated time, which moves only in `run`, `runFor` and `step`, or the machine's. Default
   * `virtual`.
   */
  clock?: 'virtual' | 'real'
  /**
   * How many datagrams' lives are remembered, the last ones; 0 for none, which is faster. Default
   * 10 000.
   */
  lineage?: number
}

/** What a {@link Stack} may be told, but for what the network gives. */
export type HostOptions = Omit<StackOptions, 'name' | 'clock' | 'random' | 'hosts' | 'forwarding'>

export interface SegmentSettings {
  /** Bytes. Default 1500. */
  mtu?: number
  /** One prefix, or one of each family. Default: numbered, of both families. */
  subnet?: string | readonly string[]
  /** What the way through it costs in routes. Default 1. */
  cost?: number
}

/**
 * The faults of both directions lie beside the other settings; those of one direction go before
 * them, name by name.
 */
export interface ConnectOptions extends Omit<ImpairmentSpec, 'mtu'> {
  /** Default: the two ends' names with a dash. */
  name?: string
  /**
   * Bytes; both ends know it. Default 1500. A lower `mtu` in `forward` or `back` is a black hole.
   */
  mtu?: number
  /** Between two hosts or routers. Default `ip`, which has no ARP and no Neighbor Discovery. */
  medium?: Medium
  /**
   * Between two hosts or routers: one prefix, or one of each family. Default: numbered, of both
   * families.
   */
  subnet?: string | readonly string[]
  /**
   * Addresses by node, with or without prefix length. Default: the next free ones of the subnet.
   */
  addresses?: Readonly<Record<string, string | readonly string[]>>
  /** What the way over it costs in routes. Default 1. */
  cost?: number
  /** From the first node to the second. */
  forward?: ImpairmentSpec
  /** From the second node to the first. */
  back?: ImpairmentSpec
}

export interface AttachOptions {
  /** The host or router that gets the link. */
  to: string
  /** Its addresses on the link, with prefix lengths. */
  addresses: readonly string[]
  /** The other side's address, when it is everybody's way to all that is not in the network. */
  gateway?: string
}

export interface NatSettings extends Omit<NatOptions, 'timeout'> {
  /** The cable, or the node at its other end, that leads outside. */
  outside: string
  timeout?: Duration
}

export interface CaptureSettings {
  /** Names of nodes or cables. Default: all, also those that come later. */
  of?: readonly string[]
  /** The most bytes of a frame that are kept. Default: all. */
  snapLength?: number
}

/** One reason for which something was discarded. */
export interface DropRow {
  node: string
  /** The nic at which, or on whose wire, it happened; `null` within the host. */
  nic: string | null
  reason: DropName
  layer: DropLayer
  count: number
}

/** A wire for any number of hosts, made by `network.segment`. */
interface Lan {
  readonly name: string
  readonly wire: Segment
}

/** A host or a router. */
class Host implements PortOwner, RoutedNode {
  readonly name: string
  readonly stack: Stack
  readonly forwards: boolean
  readonly ports: Port[] = []
  readonly places: { domain: Domain; member: Member }[] = []
  routes: Route[] = []
  outputGate: Gate | null = null
  inputGate: Gate | null = null
  seen = 0
  portReports = false
  receiving: Port | null = null
  nat: Nat | null = null

  constructor(name: string, stack: Stack, forwards: boolean) {
    this.name = name
    this.stack = stack
    this.forwards = forwards
  }
}

type Node = Host | Switch | Lan

export class Network {
  readonly seed: number | string
  readonly clock: Clock
  readonly #virtual: VirtualTime | null
  readonly #start: number
  readonly #random: SeededRandom
  readonly #lineage: Lineage
  readonly #context: PortContext
  readonly #nodes = new Map<string, Node>()
  readonly #cables = new Map<string, Cable>()
  /** Domains of segments and switches, which join when switches do. */
  readonly #domains = new Map<Node, Domain>()
  readonly #subnets = new Subnets()
  readonly #names = new Map<string, readonly string[]>()
  /** Those of everything, also of what is added later. */
  readonly #captures = new Set<Capture>()
  #routesStale = false
  #restoreTimers: (() => void) | null = null
  #closed = false

  /**
   * @throws {TypeError | RangeError} for unknown options, and values that do not fit; so do all
   * methods that have options
   */
  constructor(options: NetworkOptions = {}) {
    checkOptions('network', options, 'new Network')
    const { clock = 'virtual', lineage = 10_000 } = options
    this.seed = options.seed ?? new SystemRandom().uint32()
    this.#random = new SeededRandom(this.seed)
    this.#virtual = clock === 'virtual' ? new VirtualTime() : null
    this.clock = this.#virtual?.clock ?? new SystemClock()
    this.#start = this.clock.now()
    this.#lineage = new Lineage(lineage, () => this.now)
    const programsRan = this.#virtual?.programsRan ?? (() => {})
    this.#context = { clock: this.clock, lineage: this.#lineage, programsRan }
  }

  // ── what there is ──

  /** Adds a host. @throws {Error} when the name is taken */
  host(name: string, options: HostOptions = {}): Stack {
    return this.#addHost(name, options, false)
  }

  /** Adds a host that forwards. @throws {Error} when the name is taken */
  router(name: string, options: HostOptions = {}): Stack {
    return this.#addHost(name, options, true)
  }

  /** Adds a learning Ethernet switch. @throws {Error} when the name is taken */
  switch(name: string, options: Omit<SegmentSettings, 'mtu'> = {}): Switch {
    this.#checkName(name)
    checkOptions('switch', options, `switch ${name}`)
    const made = new Switch(name, () => this.clock.now(), new KeyedHash(this.#random.fork(`switch ${name}`)))
    this.#nodes.set(name, made)
    this.#domains.set(made, this.#newDomain(options))
    return made
  }

  /**
   * Adds an Ethernet wire to which any number of nodes connect. @throws {Error} when the name is
   * taken
   */
  segment(name: string, options: SegmentSettings = {}): void {
    this.#checkName(name)
    checkOptions('segment', options, `segment ${name}`)
    const wire = new Segment({
      name,
      clock: this.clock,
      random: this.#random.fork(`segment ${name}`),
      medium: 'ethernet',
      mtu: options.mtu ?? 1500,
    })
    checkIpv6Mtu(options.subnet, wire.mtu)
    const lan = { name, wire }
    this.#nodes.set(name, lan)
    this.#domains.set(lan, this.#newDomain(options))
  }

  /**
   * Joins two nodes with a cable.
   * @throws {Error} for unknown nodes, a loop of switches, a name that is taken
   * @throws {TypeError | RangeError} for subnets that overlap, addresses that do not fit, faults
   *   out of range
   */
  connect(a: string | Stack | Switch, b: string | Stack | Switch, options: ConnectOptions = {}): Cable {
    const first = this.#node(a)
    const second = this.#node(b)
    if (first === second) throw new Error(`${first.name} cannot be connected to itself.`)
    checkOptions('connect', options, `cable ${first.name}-${second.name}`)
    const name = this.#cableName(options.name, `${first.name}-${second.name}`)
    const random = this.#random.fork(`cable ${name}`)
    const ends = this.#ends(first, second, name, random, options)
    const cable = new Cable(name, ends, () => {
      for (const node of [first, second]) if (node instanceof Host) node.stack.ip.routes.generation++
    })
    this.#cables.set(name, cable)
    this.#changed()
    return cable
  }

  /**
   * Joins a real device, or any other link, as a nic of a host or router: what is behind it and the
   * network see each other. Real time only.
   * @returns the nic, named as the link
   * @throws {Error} in virtual time, and for an unknown host
   */
  attach(link: Link, options: AttachOptions): Nic {
    checkOptions('attach', options, `link ${link.name}`)
    if (this.#virtual !== null)
      throw new Error(`The link ${link.name} lives in real time: make the network with clock: 'real'.`)
    const host = this.#host(options.to)
    const domain = new Domain()
    const port = this.#newPort(host, link.name, link, this.#random.fork(`attached ${link.name}`))
    const nic = this.#addNic(host, port, domain, options.addresses)
    if (options.gateway !== undefined) {
      const gateway = Address.parse(options.gateway)
      for (const each of host.stack.addRoute({ to: 'default', via: gateway.toString() }))
        domain.prefixes = [...domain.prefixes, each.prefix]
    }
    this.#changed()
    return nic
  }

  /** The stack of a host or router. @throws {Error} when there is none of this name */
  stack(name: string): Stack {
    return this.#host(name).stack
  }

  /** A cable by its name, or the one between two nodes. @throws {Error} when there is none */
  cable(nameOrNode: string, other?: string): Cable {
    const found =
      other === undefined
        ? this.#cables.get(nameOrNode)
        : [...this.#cables.values()].find(({ ends }) =>
            [nameOrNode, other].every((name) => ends.some(({ node }) => node === name)),
          )
    if (found !== undefined) return found
    const what = other === undefined ? `is named ${nameOrNode}` : `joins ${nameOrNode} and ${other}`
    throw new Error(`No cable ${what}: there are ${list([...this.#cables.keys()])}.`)
  }

  /** All cables, in the order of their making. */
  get cables(): readonly Cable[] {
    return [...this.#cables.values()]
  }

  /** The names of all nodes by kind, in the order of their making. */
  get nodes(): { name: string; kind: 'host' | 'router' | 'switch' | 'segment' }[] {
    return [...this.#nodes.values()].map((node) => ({ name: node.name, kind: kindOf(node) }))
  }

  /** The first address that a host got, of a family. @throws {Error} when it has none */
  address(name: string, family: Family = 4): string {
    this.#host(name)
    const found = this.#names.get(name)?.find((text) => text.includes(':') === (family === 6))
    if (found === undefined)
      throw new Error(
        `${name} has no IPv${family} address: connect it first${family === 6 ? `, with an MTU of ${MIN_PMTU6} or more` : ''}.`,
      )
    return found
  }

  // ── routes ──

  /**
   * Computes all routes anew, over the cables that are up, as a routing protocol would when it has
   * settled. Done by itself when something was connected; not when a cable goes up or down.
   */
  updateRoutes(): void {
    this.#routesStale = false
    installRoutes([...this.#nodes.values()].filter((node) => node instanceof Host))
  }

  // ── faults ──

  /**
   * Lets a node discard some of what it would send on; `null` ends that. @throws {Error} for an
   * unknown host or router
   */
  filter(node: string, spec: FilterSpec | null): void {
    const host = this.#host(node)
    if (spec !== null) checkOptions('filter', spec, `filter of ${node}`)
    host.outputGate = spec === null ? null : filterGate(spec, () => this.clock.now())
  }

  /**
   * Hosts of different groups no longer hear each other, whatever lies between: packets are lost
   * where they arrive. Hosts of no group are not touched. One group alone is cut off from all other
   * hosts.
   * @throws {Error} for an unknown host, or one that is named twice
   */
  partition(...groups: (readonly string[])[]): void {
    const groupOf = new Map<string, number>()
    for (const [index, names] of groups.entries())
      for (const name of names) {
        if (groupOf.has(this.#host(name).name)) throw new Error(`${name} is in two groups of the partition.`)
        groupOf.set(name, index)
      }
    if (groups.length === 1)
      for (const node of this.#nodes.values())
        if (node instanceof Host && !node.forwards && !groupOf.has(node.name)) groupOf.set(node.name, 1)
    this.heal()
    const owners = new Map<string, string>()
    for (const [name, addresses] of this.#names) for (const address of addresses) owners.set(address, name)
    for (const [name, group] of groupOf) {
      const host = this.#host(name)
      host.inputGate = (packet, medium) => {
        const at = ipOffset(packet, medium)
        if (at < 0) return true
        const { source, destination } = summarize(packet, at)
        const from = groupOf.get(owners.get(source) ?? '')
        // What a router only passes on is another one's matter.
        return from === undefined || from === group || (host.forwards && owners.get(destination) !== name)
      }
    }
  }

  /** Ends a partition. */
  heal(): void {
    for (const node of this.#nodes.values()) if (node instanceof Host) node.inputGate = null
  }

  /**
   * Makes a router translate IPv4 addresses and ports between its other cables, the inside, and the
   * one outside.
   * @throws {Error} when it is no router, has one already, or has no such cable
   */
  nat(router: string, settings: NatSettings): Nat {
    const host = this.#host(router)
    checkOptions('nat', settings, `NAT of ${router}`)
    const { outside, timeout, ...options } = settings
    if (!host.forwards) throw new Error(`${router} is no router, and has nothing to translate.`)
    if (host.nat !== null) throw new Error(`${router} has a NAT already.`)
    const place = this.cables
      .filter(
        ({ name, ends }) =>
          ends.some(({ node }) => node === router) && (name === outside || ends.some(({ node }) => node === outside)),
      )
      .flatMap(({ ends }) => ends.filter(({ node }) => node === router))[0]
    if (place === undefined) throw new Error(`${router} has no cable to, or named, ${outside}.`)
    const port = place.port as Port
    const address = place.nic?.addresses.find((each) => each.address.family === 4)?.address
    if (address === undefined) throw new Error(`${router} has no IPv4 address on the cable outside.`)
    const random = this.#random.fork(`nat ${router}`)
    host.nat = new Nat(host.stack, port, address, random, this.#lineage, {
      ...options,
      ...(timeout === undefined ? {} : { timeout: milliseconds(timeout) }),
    })
    for (const each of host.ports) each.hook = host.nat
    return host.nat
  }

  // ── time ──

  /** Milliseconds since the network was made. */
  get now(): number {
    return this.clock.now() - this.#start
  }

  /**
   * Does something when the network is so old; what lies in the past is done next.
   * @throws {TypeError | RangeError} for what is no duration
   */
  at(time: Duration, action: () => void): Timer {
    return this.clock.schedule(milliseconds(time) - this.now, () => {
      this.#context.programsRan()
      action()
    })
  }

  /**
   * Runs until a promise has settled, and gives its value; without one, until nothing is on its
   * way, and no scripted event or program's timer is left. Stacks' own timers (the age of a
   * neighbor or a path MTU, a fragment that does not come) are not waited for. In real time it
   * waits for the promise.
   * @throws what the promise is rejected with; {Error} when it has not settled after `limit`
   *   (default one hour of the network's time), and when the network is running already
   */
  async run(): Promise<void>
  async run<T>(until: PromiseLike<T>, limit?: Duration): Promise<T>
  async run<T>(until?: PromiseLike<T>, limit: Duration = '1h'): Promise<T | undefined> {
    const deadline = this.now + milliseconds(limit)
    this.#settle()
    const virtual = this.#virtual
    if (virtual === null) {
      if (until === undefined)
        throw new Error('Real time runs by itself, and does not end: wait for a promise, or use runFor.')
      return await until
    }
    if (until === undefined) {
      await virtual.drive(Number.POSITIVE_INFINITY, () => !this.#closed, true)
      return undefined
    }
    let settled = false
    const note = () => {
      settled = true
    }
    until.then(note, note)
    await virtual.drive(Number.POSITIVE_INFINITY, () => !settled && !this.#closed && this.now <= deadline)
    if (settled) return await until
    const why = this.#closed
      ? 'the network was closed'
      : this.now > deadline
        ? `${deadline} ms have passed in the network`
        : virtual.clock.pending > 0
          ? 'the network was paused'
          : `nothing is left to happen in the network after ${this.now} ms`
    throw new Error(`The promise that run waits for has not settled: ${why}.`)
  }

  /**
   * Runs for a span of time.
   * @throws {Error} when the network is running already
   */
  async runFor(duration: Duration): Promise<void> {
    const span = milliseconds(duration)
    this.#settle()
    if (this.#virtual === null) await new Promise((resolve) => setTimeout(resolve, span))
    else await this.#virtual.drive(this.clock.now() + span, () => !this.#closed)
  }

  /**
   * Lets the next thing happen, and programs react. @returns false when nothing is left
   * @throws {Error} in real time, and when the network is running already
   */
  async step(): Promise<boolean> {
    this.#settle()
    const virtual = this.#needVirtual('step')
    const before = virtual.steps
    await virtual.drive(Number.POSITIVE_INFINITY, () => virtual.steps === before && !this.#closed, true)
    return virtual.steps > before
  }

  /** Ends the run that is going on, after what is just happening. @throws {Error} in real time */
  pause(): void {
    this.#needVirtual('pause').pause()
  }

  /**
   * Puts the network's time behind setTimeout, setInterval, setImmediate, Date, performance.now and
   * AbortSignal.timeout of the whole process, and in Node behind `node:timers` and
   * `node:timers/promises`, whose names may have been imported before.
   * @returns what puts the former ones back; `close` does so too
   * @throws {Error} in real time, and when it is done already
   */
  installTimers(): () => void {
    const virtual = this.#needVirtual('installTimers')
    if (this.#restoreTimers !== null) throw new Error("The network's timers are installed already.")
    const restore = installTimers(new ProgramClock(virtual))
    this.#restoreTimers = () => {
      this.#restoreTimers = null
      restore()
    }
    return this.#restoreTimers
  }

  // ── looking in ──

  /** The remembered datagrams that a filter describes, or all, oldest first. */
  datagrams(filter: DatagramFilter = {}): Datagram[] {
    return this.#lineage.find(filter)
  }

  /**
   * Names the one listener for datagrams that are about to be forgotten, the oldest when there are
   * more than `lineage`; or none.
   */
  onForget(listener: ((datagram: Datagram) => void) | null): void {
    this.#lineage.onForget = listener
  }

  /**
   * The life of a datagram in words, hop by hop: of one, or of all that a filter describes.
   * @throws {Error} when the datagram is not remembered
   */
  explain(which: Datagram | number | DatagramFilter): string {
    const found =
      typeof which === 'number' ? [this.#lineage.get(which)] : 'events' in which ? [which] : this.datagrams(which)
    return found
      .map((datagram) => {
        if (datagram === undefined) throw new Error(`Datagram ${which} is not remembered.`)
        return explain(datagram, (id) => this.#lineage.get(id))
      })
      .join('\n\n')
  }

  /** What was discarded, by node, nic and reason; of one node, or of all. */
  drops(node?: string): DropRow[] {
    const rows: DropRow[] = []
    const add = (name: string, nic: string | null, code: Drop, count: number) => {
      if (count > 0) rows.push({ node: name, nic, reason: dropName(code), layer: dropLayer(code), count })
    }
    const named = node === undefined ? this.#nodes.values() : [this.#node(node)]
    for (const each of named) {
      if (!('ports' in each)) continue
      const within = new Map<Drop, number>(each.stack?.drops.map(({ reason, count }) => [Drop[reason], count]))
      for (const port of each.ports)
        for (const [drop, count] of port.drops) {
          add(each.name, port.name, drop, count)
          within.set(drop, (within.get(drop) ?? 0) - count)
        }
      for (const [drop, count] of within) add(each.name, null, drop, count)
    }
    return rows
  }

  /** Sockets that are open, by host. */
  sockets(): (SocketRow & { host: string })[] {
    return [...this.#nodes.values()].flatMap((node) =>
      node instanceof Host ? node.stack.netstat().sockets.map((row) => ({ host: node.name, ...row })) : [],
    )
  }

  /**
   * Writes what passes to one pcapng stream: an interface for each nic, named `host.eth0`, comments
   * with the number of the datagram and the reason of a drop. A packet shows at each nic that it
   * leaves or reaches.
   * @returns what ends it
   * @throws {Error} for a name that is no node and no cable
   */
  capture(sink: (chunk: Uint8Array) => void, settings: CaptureSettings = {}): () => void {
    checkOptions('capture', settings, 'capture')
    const { of, snapLength } = settings
    const ports = of === undefined ? this.#allPorts() : new Set(of.flatMap((name) => this.#portsOf(name)))
    const capture = new Capture(sink, { clock: this.clock, ...(snapLength === undefined ? {} : { snapLength }) })
    if (of === undefined) this.#captures.add(capture)
    for (const port of ports) port.startCapture(capture)
    return () => {
      this.#captures.delete(capture)
      for (const port of this.#allPorts()) port.stopCapture(capture)
    }
  }

  /**
   * Sends the packets of a capture file from a host, with the pauses between them that they had.
   * @returns how many packets that is
   * @throws {CaptureFormatError} for a file that is none; {Error} for an unknown host
   */
  replay(host: string, file: Uint8Array, options: ReplayOptions = {}): number {
    checkOptions('replay', options, `replay from ${host}`)
    this.#settle()
    return replay(this.#host(host).stack, this.clock, file, options)
  }

  /** Closes all stacks, gives timers back. Safe to call twice. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#restoreTimers?.()
    for (const node of this.#nodes.values()) {
      if (node instanceof Host) {
        node.nat?.close()
        node.stack.close()
      } else if (node instanceof Switch) for (const port of node.ports) port.close()
    }
  }

  [Symbol.dispose](): void {
    this.close()
  }

  // ── within ──

  #addHost(name: string, options: HostOptions, forwards: boolean): Stack {
    this.#checkName(name)
    checkOptions('host', options, `${forwards ? 'router' : 'host'} ${name}`)
    const stack = new Stack({
      // Nobody else gives addresses here, so there is no duplicate to look for.
      dad: false,
      ...options,
      name,
      clock: this.#virtual === null ? this.clock : new HostClock(this.#virtual),
      random: this.#random.fork(`host ${name}`),
      hosts: this.#names,
      forwarding: forwards,
    })
    const host = new Host(name, stack, forwards)
    stack.onDrop((reason, _layer, packet) => {
      if (host.portReports) return
      this.#lineage.dropped(name, '', packet.trace, reason)
      host.receiving?.noteDrop(Drop[reason], packet.trace)
    })
    this.#nodes.set(name, host)
    return stack
  }

  #ends(a: Node, b: Node, name: string, random: SeededRandom, options: ConnectOptions): readonly [CableEnd, CableEnd] {
    if (isLan(a) && isLan(b))
      throw new Error(`The segments ${a.name} and ${b.name} need a switch or a router between them.`)
    const domain = this.#domainOf(a, b, options)
    const mtu = options.mtu ?? (isLan(a) ? a.wire.mtu : isLan(b) ? b.wire.mtu : 1500)
    checkIpv6Mtu(options.subnet, mtu)
    const lan = isLan(a) ? a : isLan(b) ? b : null
    const medium = a instanceof Host && b instanceof Host ? (options.medium ?? 'ip') : 'ethernet'
    const wire = lan?.wire ?? new Segment({ name, clock: this.clock, random: random.fork('addresses'), medium, mtu })
    for (const node of Object.keys(options.addresses ?? {}))
      if (node !== a.name && node !== b.name)
        throw new Error(`addresses.${node}: ${node} is no end of the cable ${name}.`)
    const both = Object.fromEntries(IMPAIRMENTS.filter((each) => each !== 'mtu').map((each) => [each, options[each]]))
    const forward = { ...both, ...options.forward }
    const back = { ...both, ...options.back }
    const end = (node: Node, out: ImpairmentSpec, other: Node, into: ImpairmentSpec): CableEnd => {
      if (isLan(node)) return { node: node.name, port: null, nic: null }
      const nicName = `eth${node.ports.length}`
      const link = wire.link({ name: nicName, mtu, promiscuous: node instanceof Switch })
      const port = this.#newPort(node, nicName, link, random.fork(node.name))
      // A nic announces itself as soon as it is there.
      impairEnd(port, out, isLan(other) ? into : null)
      if (node instanceof Switch) {
        node.addPort(port)
        return { node: node.name, port, nic: null }
      }
      const { addresses = {} } = options
      const given = Object.hasOwn(addresses, node.name) ? addresses[node.name] : undefined
      return {
        node: node.name,
        port,
        nic: this.#addNic(node, port, domain, typeof given === 'string' ? [given] : given),
      }
    }
    return [end(a, forward, b, back), end(b, back, a, forward)]
  }

  #newPort(node: Host | Switch, name: string, link: Link, random: SeededRandom): Port {
    const port = new Port(this.#context, node, name, link, random)
    for (const capture of this.#captures) port.startCapture(capture)
    return port
  }

  /**
   * Two hosts have a domain of their own; segments and switches share theirs with all that connect.
   */
  #domainOf(a: Node, b: Node, options: ConnectOptions): Domain {
    const shared = [a, b].flatMap((node) => this.#domains.get(node) ?? [])
    const [first, second] = shared
    if (first === undefined) return this.#newDomain(options)
    if (options.subnet !== undefined)
      throw new Error(`subnet: The subnet belongs to ${a instanceof Host ? b.name : a.name}, not to the cable.`)
    if (second === undefined) return first
    if (first === second)
      throw new Error(
        `${a.name} and ${b.name} are joined already: a loop of switches would pass broadcasts round for ever.`,
      )
    if (first.members.length > 0 && second.members.length > 0)
      throw new Error(`${a.name} and ${b.name} have hosts in different subnets already: connect switches before hosts.`)
    const [kept, gone] =
      second.members.length > 0 || (first.prefixes.length === 0 && second.prefixes.length > 0)
        ? [second, first]
        : [first, second]
    if (gone.prefixes.length > 0)
      throw new Error(`${a.name} and ${b.name} have a subnet each: give one to one of them.`)
    for (const [node, domain] of this.#domains) if (domain === gone) this.#domains.set(node, kept)
    return kept
  }

  #newDomain({ subnet, cost = 1 }: { subnet?: string | readonly string[]; cost?: number }): Domain {
    const domain = new Domain()
    domain.cost = cost
    if (subnet !== undefined)
      domain.prefixes = placed('subnet', () => this.#subnets.given(typeof subnet === 'string' ? [subnet] : subnet))
    return domain
  }

  #addNic(host: Host, port: Port, domain: Domain, given: readonly string[] | undefined): Nic {
    const addresses =
      given === undefined
        ? this.#freeAddresses(domain, port.mtu)
        : given.map((text) => placed(`addresses.${host.name}`, () => this.#givenAddress(domain, text)))
    const nic = placed(`addresses.${host.name}`, () => host.stack.addNic(port, { name: port.name, addresses }))
    host.ports.push(port)
    if (host.nat !== null) port.hook = host.nat
    const parsed = addresses.map((text) => parseCidr(text).address)
    const gateways = ([4, 6] as const).flatMap((family) => parsed.find((each) => each.family === family) ?? [])
    const member: Member = { node: host, nic, gateways }
    domain.members.push(member)
    host.places.push({ domain, member })
    const all = [...(this.#names.get(host.name) ?? []), ...parsed.map(String)]
    // IPv4 first, as in a hosts file.
    this.#names.set(host.name, [
      ...all.filter((each) => !each.includes(':')),
      ...all.filter((each) => each.includes(':')),
    ])
    return nic
  }

  #freeAddresses(domain: Domain, mtu: number): string[] {
    if (domain.prefixes.length === 0) domain.prefixes = this.#subnets.next(mtu < MIN_PMTU6 ? [4] : [4, 6])
    const addresses = domain.prefixes
      .filter(({ family }) => family === 4 || mtu >= MIN_PMTU6)
      .map((prefix) => domain.newAddress(prefix))
    domain.nextHost()
    return addresses
  }

  #givenAddress(domain: Domain, text: string): string {
    const { address, prefix } = parseCidr(text)
    let within = domain.prefixes.find((each) => each.contains(address))
    if (within === undefined && text.includes('/')) {
      this.#subnets.claim(prefix)
      domain.prefixes = [...domain.prefixes, prefix]
      within = prefix
    }
    if (within === undefined)
      throw new RangeError(
        `${address} is in no subnet of its cable (${list(domain.prefixes.map(String))}); add a prefix length.`,
      )
    if (!domain.take(address)) throw new Error(`another node has the address ${address}.`)
    return `${address}/${within.length}`
  }

  #changed(): void {
    if (this.#routesStale) return
    this.#routesStale = true
    queueMicrotask(() => this.#settle())
  }

  #settle(): void {
    if (this.#routesStale && !this.#closed) this.updateRoutes()
  }

  #needVirtual(what: string): VirtualTime {
    if (this.#virtual === null)
      throw new Error(`${what} is for virtual time; this network was made with clock: 'real'.`)
    return this.#virtual
  }

  #checkName(name: string): void {
    if (this.#nodes.has(name)) throw new Error(`The network has a node named ${name} already.`)
    if (typeof name !== 'string' || !/^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/.test(name))
      throw new TypeError(
        `'${name}' is no name for a node: letters, digits, dots, dashes, beginning and ending with a letter or digit.`,
      )
  }

  #cableName(given: string | undefined, proposed: string): string {
    if (given !== undefined && this.#cables.has(given))
      throw new Error(`The network has a cable named ${given} already.`)
    if (given !== undefined) return given
    let name = proposed
    for (let number = 2; this.#cables.has(name); number++) name = `${proposed}-${number}`
    return name
  }

  #node(which: string | Stack | Switch): Node {
    const name = typeof which === 'string' ? which : which.name
    const node = this.#nodes.get(name)
    if (node === undefined) throw new Error(`No node is named ${name}: there are ${list([...this.#nodes.keys()])}.`)
    if (typeof which !== 'string' && which !== node && !('stack' in node && node.stack === which))
      throw new Error(`${name} is of another network.`)
    return node
  }

  #host(name: string): Host {
    const node = this.#node(name)
    if (!(node instanceof Host)) throw new Error(`${name} is a ${kindOf(node)}, no host and no router.`)
    return node
  }

  #allPorts(): Port[] {
    return [...this.#nodes.values()].flatMap((node) => ('ports' in node ? node.ports : []))
  }

  #portsOf(name: string): Port[] {
    const cable = this.#cables.get(name)
    if (cable !== undefined) return cable.ends.flatMap(({ port }) => port ?? [])
    const node = this.#nodes.get(name)
    if (node === undefined) throw new Error(`Neither a node nor a cable is named ${name}.`)
    if ('ports' in node) return node.ports
    return this.cables
      .filter(({ ends }) => ends.some((end) => end.node === name))
      .flatMap(({ ends }) => ends.flatMap(({ port }) => port ?? []))
  }
}

function isLan(node: Node): node is Lan {
  return 'wire' in node
}

/** @throws what `make` throws, with the option that is to blame in front: `subnet: …` */
function placed<T>(option: string, make: () => T): T {
  try {
    return make()
  } catch (error) {
    const Kind = error instanceof RangeError ? RangeError : error instanceof TypeError ? TypeError : Error
    throw new Kind(`${option}: ${(error as Error).message}`, { cause: error })
  }
}

/**
 * @throws {RangeError} for an IPv6 subnet where nobody can have an address of it (RFC 8200 section
 * 5)
 */
function checkIpv6Mtu(subnet: string | readonly string[] | undefined, mtu: number): void {
  const six = [subnet ?? []].flat().find((text) => text.includes(':'))
  if (six !== undefined && mtu < MIN_PMTU6)
    throw new RangeError(
      `subnet: ${six} cannot be used here: IPv6 needs an MTU of ${MIN_PMTU6} at least, and it is ${mtu}.`,
    )
}

function kindOf(node: Node): 'host' | 'router' | 'switch' | 'segment' {
  if (node instanceof Host) return node.forwards ? 'router' : 'host'
  return node instanceof Switch ? 'switch' : 'segment'
}

function list(names: readonly string[]): string {
  return names.length === 0
    ? 'none'
    : names.length <= 8
      ? names.join(', ')
      : `${names.slice(0, 8).join(', ')} and ${names.length - 8} more`
}
