/// <reference lib="esnext.disposable" preserve="true" />
/**
 * Hosts, routers, switches and segments, their cables and the time that they share. Everything in a
 * network has its own seeded randomness, so that the same seed gives the same bytes at the same
 * times, whatever else is added.
 *
 * This is the public face: each call is checked here and done by one of the rooms below.
 */
import type { Family } from '../base/address.ts'
import type { Clock, Timer } from '../base/clock.ts'
import { Drop } from '../base/drop.ts'
import { KeyedHash } from '../base/hash.ts'
import { SeededRandom, SystemRandom } from '../base/random.ts'
import type { Nic } from '../ip/nic/nic.ts'
import type { Link } from '../link/link.ts'
import { Segment } from '../link/segment.ts'
import { type SocketRow, Stack } from '../stack.ts'
import { Subnets } from './addressing/domain.ts'
import { checkIpv6Mtu, DomainTable } from './addressing/domain-table.ts'
import { Numbering } from './addressing/numbering.ts'
import { RouteUpdates } from './addressing/route-updates.ts'
import type { Nat } from './nat/nat.ts'
import { placeNat } from './nat/place-nat.ts'
import type { Cable } from './nodes/cable.ts'
import { Cabling } from './nodes/cabling.ts'
import { type FilterSpec, filterGate } from './nodes/filter.ts'
import { Graph } from './nodes/graph.ts'
import { kindOf, type NodeKind, StackNode } from './nodes/node.ts'
import { heal, partition } from './nodes/partition.ts'
import { Switch } from './nodes/switch.ts'
import { type CaptureSettings, Captures } from './observe/captures.ts'
import type { Datagram, DatagramFilter } from './observe/datagram.ts'
import { type DropRow, dropRows } from './observe/drops.ts'
import { explainAll } from './observe/explain.ts'
import { isSentBy } from './observe/ip-frame.ts'
import { type LifeListener, Lineage } from './observe/lineage.ts'
import { type ReplayOptions, replay } from './observe/replay.ts'
import { checkOptions } from './scenario/options.ts'
import type {
  AttachOptions,
  ConnectOptions,
  HostOptions,
  NatSettings,
  NetworkOptions,
  SegmentSettings,
  SwitchSettings,
  TimerOptions,
} from './settings.ts'
import { ProgramChance } from './time/chance.ts'
import type { Duration } from './time/duration.ts'
import { isClock, Running } from './time/running.ts'

/** It has more members than other classes because it is the whole of a public interface. */
export class Network {
  readonly seed: number | string
  readonly clock: Clock
  readonly #random: SeededRandom
  /** What programs draw, which goes on when it is installed again. */
  readonly #chance: ProgramChance
  readonly #time: Running
  readonly #graph = new Graph()
  readonly #domains: DomainTable
  readonly #numbering: Numbering
  readonly #cabling: Cabling
  readonly #routes: RouteUpdates
  readonly #lineage: Lineage
  readonly #captures: Captures
  readonly #atClose: (() => void)[] = []

  /**
   * @throws {TypeError | RangeError} for unknown options, and values that do not fit; so do all
   * methods that have options
   */
  constructor(options: NetworkOptions = {}) {
    const { clock = 'virtual', lineage = 10_000 } = options
    // Nobody can look into a clock.
    checkOptions('network', isClock(clock) ? { ...options, clock: 'real' } : options, 'new Network')
    this.seed = options.seed ?? new SystemRandom().uint32()
    this.#random = new SeededRandom(this.seed)
    this.#chance = new ProgramChance((host) => this.#random.fork(`program on ${host}`))
    this.#routes = new RouteUpdates(() => this.#graph.hosts)
    this.#time = new Running(clock, () => this.#routes.settle())
    this.clock = this.#time.clock
    this.#lineage = new Lineage(lineage, () => this.now)
    this.#captures = new Captures(this.#graph, this.clock)
    const subnets = new Subnets()
    this.#domains = new DomainTable(subnets)
    this.#numbering = new Numbering(subnets)
    this.#cabling = new Cabling({
      context: { clock: this.clock, lineage: this.#lineage, programsRan: this.#time.programsRan },
      random: this.#random,
      domains: this.#domains,
      numbering: this.#numbering,
      portAdded: (port) => this.#captures.portAdded(port),
    })
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
  switch(name: string, options: SwitchSettings = {}): Switch {
    this.#graph.checkName(name)
    checkOptions('switch', options, `switch ${name}`)
    const hash = new KeyedHash(this.#random.fork(`switch ${name}`))
    const made = new Switch(name, () => this.clock.now(), hash, options.snooping === true)
    this.#graph.addNode(made)
    this.#domains.add(made, options)
    return made
  }

  /**
   * Adds an Ethernet wire to which any number of nodes connect. @throws {Error} when the name is
   * taken
   */
  segment(name: string, options: SegmentSettings = {}): void {
    this.#graph.checkName(name)
    checkOptions('segment', options, `segment ${name}`)
    const { mtu = 1500, subnet } = options
    const random = this.#random.fork(`segment ${name}`)
    const wire = new Segment({ name, clock: this.clock, random, medium: 'ethernet', mtu })
    checkIpv6Mtu(subnet, wire.mtu)
    const lan = { name, wire }
    this.#graph.addNode(lan)
    this.#domains.add(lan, options)
  }

  /**
   * Joins two nodes with a cable.
   * @throws {Error} for unknown nodes, a loop of switches, a name that is taken
   * @throws {TypeError | RangeError} for subnets that overlap, addresses that do not fit, faults
   *   out of range
   */
  connect(a: string | Stack | Switch, b: string | Stack | Switch, options: ConnectOptions = {}): Cable {
    const first = this.#graph.node(a)
    const second = this.#graph.node(b)
    if (first === second) throw new Error(`${first.name} cannot be connected to itself.`)
    const proposed = `${first.name}-${second.name}`
    checkOptions('connect', options, `cable ${proposed}`)
    const name = this.#graph.newCableName(options.name, proposed)
    const cable = this.#cabling.connect(first, second, name, options)
    this.#graph.addCable(cable)
    this.#routes.changed()
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
    if (this.#time.isVirtual)
      throw new Error(`The link ${link.name} lives in real time: make the network with clock: 'real'.`)
    const nic = this.#cabling.attach(this.#graph.host(options.to), link, options)
    this.#routes.changed()
    return nic
  }

  /** The stack of a host or router. @throws {Error} when there is none of this name */
  stack(name: string): Stack {
    return this.#graph.host(name).stack
  }

  /** A cable by its name, or the one between two nodes. @throws {Error} when there is none */
  cable(nameOrNode: string, other?: string): Cable {
    return this.#graph.cable(nameOrNode, other)
  }

  /** All cables, in the order of their making. */
  get cables(): readonly Cable[] {
    return this.#graph.cables
  }

  /** The names of all nodes by kind, in the order of their making. */
  get nodes(): { name: string; kind: NodeKind }[] {
    return this.#graph.nodes.map((node) => ({ name: node.name, kind: kindOf(node) }))
  }

  /** The first address that a host got, of a family. @throws {Error} when it has none */
  address(name: string, family: Family = 4): string {
    return this.#numbering.address(this.#graph.host(name).name, family)
  }

  /**
   * Gives hosts one address besides their own: routers send what is for it to the nearest of them
   * (anycast, RFC 4786), by the costs of routes. It is no part of any subnet.
   * @throws {Error} for an unknown host, fewer than two, or an address that cannot be a host's
   * @throws {TypeError | RangeError} for malformed text, and an address of a subnet
   */
  anycast(address: string, ...hosts: (string | Stack)[]): void {
    if (hosts.length < 2) throw new Error(`${address}: an anycast address is that of two hosts or more.`)
    const nodes = hosts.map((host) => this.#graph.host(typeof host === 'string' ? host : host.name))
    this.#numbering.share(address, nodes)
    this.#routes.changed()
  }

  // ── routes ──

  /**
   * Computes all routes anew, over the cables that are up, as a routing protocol would when it has
   * settled. Done by itself when something was connected; not when a cable goes up or down.
   */
  updateRoutes(): void {
    this.#routes.update()
  }

  // ── faults ──

  /**
   * Lets a node discard some of what it would send on; `null` ends that. @throws {Error} for an
   * unknown host or router
   */
  filter(node: string, spec: FilterSpec | null): void {
    const host = this.#graph.host(node)
    if (spec !== null) checkOptions('filter', spec, `filter of ${node}`)
    host.outputGate = spec === null ? null : filterGate(spec, () => this.clock.now(), host.outputGate)
  }

  /**
   * Hosts of different groups no longer hear each other, whatever lies between: packets are lost
   * where they arrive. Hosts of no group are not touched. One group alone is cut off from all other
   * hosts.
   * @throws {Error} for an unknown host, or one that is named twice
   */
  partition(...groups: (readonly string[])[]): void {
    partition(this.#graph, this.#numbering.names, groups)
  }

  /** Ends a partition. */
  heal(): void {
    heal(this.#graph.hosts)
  }

  /**
   * Makes a router translate IPv4 addresses and ports between its other cables, the inside, and the
   * one outside.
   * @throws {Error} when it is no router, has one already, or has no such cable
   */
  nat(router: string, settings: NatSettings): Nat {
    const host = this.#graph.host(router)
    checkOptions('nat', settings, `NAT of ${router}`)
    return placeNat(host, settings, this.#graph.cables, this.#random, this.#lineage)
  }

  // ── time ──

  /** Milliseconds since the network was made. */
  get now(): number {
    return this.#time.now
  }

  /**
   * Does something when the network is so old; what lies in the past is done next.
   * @throws {TypeError | RangeError} for what is no duration
   */
  at(time: Duration, action: () => void): Timer {
    return this.#time.at(time, action)
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
    return await this.#time.run(until, limit)
  }

  /**
   * Runs for a span of time.
   * @throws {Error} when the network is running already
   */
  async runFor(duration: Duration): Promise<void> {
    await this.#time.runFor(duration)
  }

  /**
   * Lets the next thing happen, and programs react. @returns false when nothing is left
   * @throws {Error} in real time, and when the network is running already
   */
  async step(): Promise<boolean> {
    return await this.#time.step()
  }

  /** Ends the run that is going on, after what is just happening. @throws {Error} in real time */
  pause(): void {
    this.#time.pause()
  }

  /**
   * Puts the network's time behind setTimeout, setInterval, setImmediate, Date, performance.now and
   * AbortSignal.timeout of the whole process, and in Node behind `node:timers` and
   * `node:timers/promises`, whose names may have been imported before. With `random: true` the
   * process's chance comes from the seed as well: for tests only, as keys can then be guessed.
   * @returns what puts the former ones back; `close` does so too
   * @throws {Error} in real time, and when it is done already; {TypeError} for unknown options
   */
  installTimers(options: TimerOptions = {}): () => void {
    checkOptions('installTimers', options, 'installTimers')
    return this.#time.installTimers(options.random === true ? this.#chance : null)
  }

  // ── looking in ──

  /**
   * The lives until now of the remembered datagrams that a filter describes, or all, oldest
   * first.
   */
  datagrams(filter: DatagramFilter = {}): Datagram[] {
    return [...this.#lineage.find(filter)]
  }

  /** @internal All that are remembered, oldest first, each made when it is asked for. */
  eachDatagram(): Iterable<Datagram> {
    return this.#lineage.find({})
  }

  /**
   * Names the one listener for datagrams that are about to be forgotten, the oldest when there are
   * more than `lineage`; or none.
   */
  onForget(listener: ((datagram: Datagram) => void) | null): void {
    this.#lineage.onForget = listener
  }

  /** @internal Names the one listener for routes that were computed. */
  onRoutes(listener: () => void): void {
    this.#routes.onUpdate = listener
  }

  /**
   * Names the one listener for what happens to datagrams, remembered or not; or none. Before there
   * is traffic.
   * @internal
   */
  onLife(listener: LifeListener | null): void {
    this.#lineage.listener = listener
  }

  /**
   * What is to be called for each message to a host that no program is told of: time then goes on
   * without a turn for programs.
   * @internal
   */
  unheard(host: string): () => void {
    const node = this.#graph.host(host)
    return () => {
      node.seen++
    }
  }

  /**
   * The life of a datagram in words, hop by hop: of one, or of all that a filter describes.
   * @throws {Error} when the datagram is not remembered
   */
  explain(which: Datagram | number | DatagramFilter): string {
    return explainAll(this.#lineage, which)
  }

  /** What was discarded, by node, nic and reason; of one node, or of all. */
  drops(node?: string): DropRow[] {
    const nodes = node === undefined ? this.#graph.nodes : [this.#graph.node(node)]
    return dropRows(nodes.filter((each) => 'ports' in each))
  }

  /** Sockets that are open, by host. */
  sockets(): (SocketRow & { host: string })[] {
    return this.#graph.hosts.flatMap(({ name, stack }) =>
      stack.netstat().sockets.map((row) => ({ host: name, ...row })),
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
    return this.#captures.start(sink, settings)
  }

  /**
   * Sends the packets of a capture file from a host, with the pauses between them that they had.
   * @returns how many packets that is
   * @throws {CaptureFormatError} for a file that is none; {Error} for an unknown host
   */
  replay(host: string, file: Uint8Array, options: ReplayOptions = {}): number {
    checkOptions('replay', options, `replay from ${host}`)
    this.#routes.settle()
    return replay(this.#graph.host(host).stack, this.clock, file, options)
  }

  /** Closes all stacks, gives timers back. Safe to call twice. */
  close(): void {
    if (this.#time.isClosed) return
    this.#routes.close()
    this.#time.close()
    for (const node of this.#graph.nodes) {
      if (node instanceof StackNode) {
        node.nat?.close()
        node.stack.close()
      } else if (node instanceof Switch) for (const port of node.ports) port.close()
    }
    for (const callback of this.#atClose) callback()
  }

  /** @internal */
  get closed(): boolean {
    return this.#time.isClosed
  }

  /** @internal */
  atClose(callback: () => void): void {
    this.#atClose.push(callback)
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #addHost(name: string, options: HostOptions, forwards: boolean): Stack {
    this.#graph.checkName(name)
    checkOptions('host', options, `${forwards ? 'router' : 'host'} ${name}`)
    const stack = new Stack({
      // Nobody else gives addresses here, so there is no duplicate to look for.
      dad: false,
      ...options,
      name,
      clock: this.#time.hostClock(),
      random: this.#random.fork(`host ${name}`),
      hosts: this.#numbering.names,
      forwarding: forwards,
    })
    const host = new StackNode(name, stack, forwards)
    stack.onDrop((reason, _layer, packet) => {
      if (host.portReports) return
      this.#lineage.dropped(name, '', packet, reason, packet.trace === 0 && isSentBy(stack, packet))
      host.receiving?.noteDrop(Drop[reason], packet.trace)
    })
    this.#graph.addNode(host)
    return stack
  }
}
