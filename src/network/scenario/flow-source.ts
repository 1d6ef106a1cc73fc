/** One flow of a scenario: what it sends when, and what comes of it. */
import { Address } from '../../base/address.ts'
import { SeededRandom } from '../../base/random.ts'
import { PmtuMode } from '../../ip/routing/pmtu-mode.ts'
import type { Stack } from '../../stack.ts'
import type { Endpoint } from '../../udp/endpoint.ts'
import type { Network } from '../network.ts'
import { milliseconds } from '../time/duration.ts'
import { Arrivals } from './arrivals.ts'
import type { FlowSockets } from './flow-sockets.ts'
import { bitsPerSecond } from './impairment-spec.ts'
import type { FlowResult, RunWatcher } from './run-types.ts'
import { type FlowSpec, flowPorts, type Scenario } from './scenario-types.ts'
import { FlowCounts } from './tally.ts'

const MODES: Record<string, PmtuMode> = {
  off: PmtuMode.Dont,
  want: PmtuMode.Want,
  do: PmtuMode.Do,
  probe: PmtuMode.Probe,
}

export class Flow {
  readonly index: number
  readonly from: string
  readonly to: string
  readonly echoes: boolean
  readonly fromPort: number
  readonly port: number
  readonly counts = new FlowCounts()
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
  readonly #arrivals = new Arrivals()
  readonly #errors: Record<string, number> = {}
  /** When the next one is due. */
  #due = 0

  constructor(
    network: Network,
    scenario: Scenario,
    spec: FlowSpec,
    index: number,
    seed: number | string,
    sockets: FlowSockets,
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
    const { now } = this.#network
    if (this.#arrivals.add(number, sent, now, length)) this.#watch?.arrived(this.index, number, now)
  }

  result(): FlowResult {
    const failed = Object.values(this.#errors).reduce((sum, each) => sum + each, 0)
    const sent = this.#sent.length - failed
    const { received, duplicated, reordered, throughput, latency } = this.#arrivals
    return {
      name: this.#name,
      from: this.from,
      to: this.to,
      mode: this.echoes ? 'echo' : 'one-way',
      sent,
      received,
      lost: sent - received,
      duplicated,
      reordered,
      throughput,
      latency,
      fragments: this.counts.fragments,
      errors: this.#errors,
      icmp: Object.fromEntries(this.counts.icmp),
      drops: this.counts.drops,
    }
  }
}
