/** Flows of a scenario: who sends what when, and what became of it. */
import { Address } from '../../base/address.ts'
import { SeededRandom } from '../../base/random.ts'
import { PmtuMode } from '../../ip/routing/pmtu-mode.ts'
import type { Stack } from '../../stack.ts'
import type { Endpoint } from '../../udp/endpoint.ts'
import type { Network } from '../network.ts'
import type { Datagram } from '../observe/datagram.ts'
import { icmpName } from '../observe/icmp-names.ts'
import { milliseconds } from '../time/duration.ts'
import { bitsPerSecond } from './impairment-spec.ts'
import { buildScenario, type FlowSpec, flowPorts, type Scenario } from './scenario.ts'

/** Where and why parts of a flow's datagrams were discarded. */
export interface FlowDrop {
  node: string
  /** `''` within the host. */
  nic: string
  reason: string
  count: number
}

/** Milliseconds: one way, or there and back for an echo flow. */
export interface Latency {
  min: number
  mean: number
  p50: number
  p90: number
  p99: number
  max: number
}

export interface FlowResult {
  name: string
  from: string
  to: string
  mode: 'one-way' | 'echo'
  /** Datagrams that left. */
  sent: number
  /** Datagrams that arrived, each counted once; at the sender again for an echo flow. */
  received: number
  lost: number
  /** Copies beyond the first. */
  duplicated: number
  /** Datagrams that arrived behind a later one (RFC 4737 section 3.3). */
  reordered: number
  /** Payload bits a second, from the first to the last arrival. */
  throughput: number
  latency: Latency | null
  /**
   * Fragments into which datagrams were cut, where that was done first: by the sender or by a
   * router.
   */
  fragments: number
  /** Sends that failed, by errno. */
  errors: Record<string, number>
  /** ICMP messages that the datagrams caused, by name. */
  icmp: Record<string, number>
  /** Each fragment and copy counts. */
  drops: FlowDrop[]
}

export interface ScenarioResult {
  seed: number | string
  /** Milliseconds of simulated time when all was over. */
  time: number
  /** Whether it was stopped before. */
  interrupted: boolean
  flows: FlowResult[]
}

export interface RunOptions {
  /** Instead of the scenario's. */
  seed?: number | string
  /** Gets a pcapng stream of all links. */
  capture?: (chunk: Uint8Array) => void
  /** Given, before the run, what ends it early: the result is then what there was. */
  started?: (stop: () => void) => void
  /** Told of each datagram, for those who want more than counts. */
  watch?: RunWatcher
}

/**
 * Flows are given by their number in the scenario, their datagrams by a number from 0 each. Times
 * are milliseconds of simulated time.
 */
export interface RunWatcher {
  /** A datagram left; `length` is bytes of payload. */
  sent(flow: number, number: number, time: number, length: number): void
  /** Its first copy arrived; back at the sender for an echo flow. */
  arrived(flow: number, number: number, time: number): void
  /**
   * The life of a datagram, when nothing more is expected to happen to it; of whichever flow it is,
   * or was caused by, or -1. In the order in which they were sent.
   */
  ended(datagram: Datagram, flow: number): void
}

/** Payload of each datagram: the flow's number, and the datagram's. */
const HEADER = 8
/** Datagrams whose lives are remembered at a time. */
const REMEMBERED = 20_000
/**
 * Fragments wait so long for the rest (RFC 8200 section 4.5): behind it what was discarded is
 * known.
 */
const REASSEMBLY = 61_000
const MODES: Record<string, PmtuMode> = {
  off: PmtuMode.Dont,
  want: PmtuMode.Want,
  do: PmtuMode.Do,
  probe: PmtuMode.Probe,
}

/**
 * Runs a scenario in simulated time to its end, and counts. @throws {ScenarioError} for what cannot
 * be built
 */
export async function runScenario(scenario: Scenario, options: RunOptions = {}): Promise<ScenarioResult> {
  const seed = options.seed ?? scenario.seed ?? 1
  const { watch } = options
  const network = buildScenario(scenario, { seed, lineage: REMEMBERED })
  try {
    if (options.capture !== undefined) network.capture(options.capture)
    const sockets = new Sockets(network)
    const flows = (scenario.flows ?? []).map(
      (spec, index) => new Flow(network, scenario, spec, index, seed, sockets, watch),
    )
    sockets.flows = flows
    const tally = new Tally(flows)
    const ended = (datagram: Datagram) => {
      const flow = tally.add(datagram)
      watch?.ended(datagram, flow?.index ?? -1)
    }
    network.onForget(ended)
    let paused = false
    options.started?.(() => {
      paused = true
      network.pause()
    })
    for (const flow of flows) flow.start()
    await network.run()
    const time = network.now
    if (!paused) await network.runFor(REASSEMBLY)
    for (const datagram of network.datagrams()) ended(datagram)
    return { seed, time, interrupted: paused, flows: flows.map((flow) => flow.result()) }
  } finally {
    network.close()
  }
}

/** The endpoints of all flows, one for each host, family and port. */
class Sockets {
  flows: readonly Flow[] = []
  readonly #network: Network
  readonly #endpoints = new Map<string, Endpoint>()

  constructor(network: Network) {
    this.#network = network
  }

  get(host: string, family: 4 | 6, port: number): Endpoint {
    const key = `${host} ${family} ${port}`
    return this.#endpoints.get(key) ?? this.#open(key, host, family, port)
  }

  #open(key: string, host: string, family: 4 | 6, port: number): Endpoint {
    const stack = this.#network.stack(host)
    /** Echoes that wait until the datagram is taken in. */
    const waiting: (() => void)[] = []
    const endpoint: Endpoint = stack.udp.createEndpoint(family, {
      receive: (packet, sourcePort) => {
        const { start, end, view } = packet
        endpoint.release(end - start)
        if (end - start < HEADER) return
        const flow = this.flows[view.getUint32(start)]
        const number = view.getUint32(start + 4)
        if (flow === undefined) return
        if (flow.echoes && host === flow.to) {
          const to = new Address(packet.s0, packet.s1, packet.s2, packet.s3)
          waiting.push(() => flow.answer(endpoint, stack, number, end - start, to, sourcePort))
        } else flow.arrived(number, end - start)
      },
      flush: () => {
        for (const answer of waiting.splice(0)) answer()
      },
      icmp() {},
    })
    const errno = endpoint.bind(family === 4 ? Address.ANY4 : Address.ANY6, port)
    if (errno !== '') throw new Error(`${host}: the port ${port} of a flow cannot be opened: ${errno}`)
    endpoint.ipv6Only = family === 6
    this.#endpoints.set(key, endpoint)
    return endpoint
  }
}

class Flow {
  readonly index: number
  readonly from: string
  readonly to: string
  readonly echoes: boolean
  readonly fromPort: number
  readonly port: number
  readonly counts = { fragments: 0, icmp: new Map<string, number>(), drops: new Map<string, FlowDrop>() }
  readonly #name: string
  readonly #network: Network
  readonly #spec: FlowSpec
  readonly #stack: Stack
  readonly #endpoint: Endpoint
  readonly #address: Address
  readonly #random: SeededRandom
  readonly #watch: RunWatcher | undefined
  readonly #stop: number
  readonly #count: number
  /** When each datagram left. */
  readonly #sent: number[] = []
  /** How often each arrived. */
  readonly #copies: number[] = []
  readonly #latencies: number[] = []
  readonly #errors: Record<string, number> = {}
  #received = 0
  #bytes = 0
  #duplicated = 0
  #reordered = 0
  #highest = -1
  #firstArrival = 0
  #lastArrival = 0
  /** When the next one is due. */
  #due = 0

  constructor(
    network: Network,
    scenario: Scenario,
    spec: FlowSpec,
    index: number,
    seed: number | string,
    sockets: Sockets,
    watch: RunWatcher | undefined,
  ) {
    const { name, from, fromPort, port } = flowPorts(spec, index)
    const { to, family = 4, count, stop, start = 0, mode = 'one-way' } = spec
    this.#network = network
    this.#watch = watch
    this.#spec = spec
    this.index = index
    this.#name = name
    this.from = from
    this.to = to
    this.fromPort = fromPort
    this.port = port
    this.echoes = mode === 'echo'
    this.#stack = network.stack(from)
    this.#endpoint = sockets.get(from, family, fromPort)
    sockets.get(to, family, port)
    this.#address = Address.parse(spec.address ?? network.address(to, family))
    this.#random = new SeededRandom(`${seed} flow ${index} ${name}`)
    this.#count = count ?? Number.POSITIVE_INFINITY
    this.#stop =
      stop !== undefined
        ? milliseconds(stop)
        : count !== undefined
          ? Number.POSITIVE_INFINITY
          : milliseconds(scenario.duration ?? '10s')
    this.#due = milliseconds(start)
  }

  start(): void {
    if (this.#due < this.#stop) this.#network.clock.schedule(this.#due - this.#network.now, () => this.#turn())
  }

  #turn(): void {
    const { pattern = 'constant' } = this.#spec
    const burst = typeof pattern === 'object' ? pattern.burst : 1
    let gap = 0
    for (let i = 0; i < burst && this.#sent.length < this.#count; i++) gap += this.#sendOne()
    for (const { link } of this.#stack.nics) link.flush()
    this.#due += pattern === 'poisson' ? -Math.log(1 - this.#random.float()) * gap : gap
    if (this.#sent.length < this.#count && this.#due < this.#stop)
      this.#network.clock.schedule(this.#due - this.#network.now, () => this.#turn())
  }

  /** @returns milliseconds that it takes at the flow's rate */
  #sendOne(): number {
    const { size = 1000, rate = 100, ttl, tos, dontFragment = 'want' } = this.#spec
    const length =
      typeof size === 'number' ? size : size.uniform[0] + this.#random.below(size.uniform[1] - size.uniform[0] + 1)
    const number = this.#sent.length
    this.#sent.push(this.#network.now)
    const errno = this.#send(this.#endpoint, number, length, this.#address, this.port, {
      pmtuMode: MODES[dontFragment] as PmtuMode,
      ...(ttl === undefined ? {} : { hopLimit: ttl }),
      ...(tos === undefined ? {} : { tos }),
    })
    if (errno !== '') this.#errors[errno] = (this.#errors[errno] ?? 0) + 1
    else this.#watch?.sent(this.index, number, this.#network.now, length)
    return typeof rate === 'number' ? 1000 / rate : (length * 8000) / bitsPerSecond(rate)
  }

  #send(
    endpoint: Endpoint,
    number: number,
    length: number,
    to: Address,
    port: number,
    options: Parameters<Endpoint['send']>[4],
  ): string {
    const packet = endpoint.beginSend(length)
    const { start, end, view } = packet
    packet.bytes.fill(0, start, end)
    view.setUint32(start, this.index)
    view.setUint32(start + 4, number)
    return endpoint.send(packet, to, port, 0, options)
  }

  /** The receiver's echo. */
  answer(endpoint: Endpoint, stack: Stack, number: number, length: number, to: Address, port: number): void {
    this.#send(endpoint, number, length, to, port, null)
    for (const { link } of stack.nics) link.flush()
  }

  arrived(number: number, length: number): void {
    const sent = this.#sent[number]
    if (sent === undefined) return
    const copies = (this.#copies[number] ?? 0) + 1
    this.#copies[number] = copies
    if (copies > 1) {
      this.#duplicated++
      return
    }
    const { now } = this.#network
    if (this.#received++ === 0) this.#firstArrival = now
    else this.#bytes += length
    this.#lastArrival = now
    this.#latencies.push(now - sent)
    this.#watch?.arrived(this.index, number, now)
    if (number < this.#highest) this.#reordered++
    else this.#highest = number
  }

  result(): FlowResult {
    const failed = Object.values(this.#errors).reduce((sum, each) => sum + each, 0)
    const sent = this.#sent.length - failed
    const span = this.#lastArrival - this.#firstArrival
    return {
      name: this.#name,
      from: this.from,
      to: this.to,
      mode: this.echoes ? 'echo' : 'one-way',
      sent,
      received: this.#received,
      lost: sent - this.#received,
      duplicated: this.#duplicated,
      reordered: this.#reordered,
      throughput: span > 0 ? (this.#bytes * 8000) / span : 0,
      latency: latencyOf(this.#latencies),
      fragments: this.counts.fragments,
      errors: this.#errors,
      icmp: Object.fromEntries(this.counts.icmp),
      drops: [...this.counts.drops.values()],
    }
  }
}

/** Counts, from the lives of datagrams, what happened to those of flows. */
class Tally {
  readonly #flows = new Map<string, Flow>()
  /** Datagrams that a flow's datagram caused, which are younger and come later. */
  readonly #caused = new Map<number, Flow>()

  constructor(flows: readonly Flow[]) {
    for (const flow of flows) {
      this.#flows.set(`${flow.from} ${flow.fromPort} ${flow.port}`, flow)
      // Behind a NAT the answer goes to another port.
      if (flow.echoes) this.#flows.set(`${flow.to} ${flow.port}`, flow)
    }
  }

  /** @returns the flow to which it belongs, or for whose datagram it was sent */
  add({ id, from, packet, events }: Datagram): Flow | undefined {
    const cause = this.#caused.get(id)
    if (cause !== undefined) {
      this.#caused.delete(id)
      if (packet.type !== null)
        increment(cause.counts.icmp, icmpName(packet.family, packet.type, packet.code as number))
      return cause
    }
    if (packet.sourcePort === null) return undefined
    const flow =
      this.#flows.get(`${from} ${packet.sourcePort} ${packet.destinationPort}`) ??
      this.#flows.get(`${from} ${packet.sourcePort}`)
    if (flow === undefined) return undefined
    /** Nodes to which it came in fragments. */
    const cut = new Set<string>()
    for (const { what, node, nic, reason, packet: seen, value } of events) {
      if (what === 'arrived' && seen?.fragment) cut.add(node)
      else if ((what === 'sent' || what === 'forwarded') && seen?.fragment && !cut.has(node)) flow.counts.fragments++
      else if (what === 'caused') this.#caused.set(value, flow)
      else if (what === 'dropped') {
        const key = `${node} ${nic} ${reason}`
        const row = flow.counts.drops.get(key) ?? { node, nic, reason: reason as string, count: 0 }
        row.count++
        flow.counts.drops.set(key, row)
      }
    }
    return flow
  }
}

function increment(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}

function latencyOf(latencies: readonly number[]): Latency | null {
  if (latencies.length === 0) return null
  const sorted = Float64Array.from(latencies).sort()
  // The nearest rank.
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] as number
  const mean = sorted.reduce((sum, each) => sum + each, 0) / sorted.length
  return { min: at(0), mean, p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) }
}
