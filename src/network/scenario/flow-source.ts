/** One flow of a scenario: what it sends when, and what comes of it. */
import { Address } from '../../base/address.ts'
import { wholeNanoseconds } from '../../base/clock.ts'
import { SeededRandom } from '../../base/random.ts'
import { PmtuMode } from '../../ip/routing/pmtu-mode.ts'
import type { Stack } from '../../stack.ts'
import type { Endpoint, SendOptions } from '../../udp/endpoint.ts'
import type { Network } from '../network.ts'
import { milliseconds } from '../time/duration.ts'
import { Arrivals } from './arrivals.ts'
import type { FlowSockets } from './flow-sockets.ts'
import { bitsPerSecond } from './impairment-spec.ts'
import { delayVariationOf, jitterOf, lossPatternOf, nineDigits, reorderingOf } from './metrics.ts'
import * as payload from './payload.ts'
import type { FlowResult, RunWatcher } from './run-types.ts'
import { type FlowSpec, flowPorts, type Scenario } from './scenario-types.ts'
import { isIn, type Span, spanOf } from './span.ts'
import { FlowCounts } from './tally.ts'

const MODES: Record<string, PmtuMode> = {
  off: PmtuMode.Dont,
  want: PmtuMode.Want,
  do: PmtuMode.Do,
  probe: PmtuMode.Probe,
}

export class Flow {
  readonly index: number
  readonly identity: number
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
  readonly label: string
  /** Sizes and gaps have a stream each, so that another size leaves the times as they are. */
  readonly #sizes: SeededRandom
  readonly #gaps: SeededRandom
  readonly #watch: RunWatcher | undefined
  readonly #stop: number
  /** What the header of each datagram says. */
  readonly #header: SendOptions
  readonly #count: number
  /** When each datagram left. */
  readonly #sent: number[] = []
  readonly #arrivals = new Arrivals()
  readonly #errors: Record<string, number> = {}
  #corrupted = 0
  /** Numbers of those that could not be sent. */
  readonly #failed = new Set<number>()
  /** What is counted: datagrams that left in it. */
  readonly #span: Span
  /** When the next one is due. */
  #due = 0

  constructor(
    network: Network,
    scenario: Scenario,
    spec: FlowSpec,
    index: number,
    label: string,
    seed: number | string,
    sockets: FlowSockets,
    watch: RunWatcher | undefined,
  ) {
    const { name, from, fromPort, port } = flowPorts(spec, index)
    const { to, family = 4, count, stop, start = 0, mode = 'one-way', ttl, tos, dontFragment = 'want' } = spec
    this.#network = network
    this.#watch = watch
    this.#spec = spec
    this.index = index
    this.#name = name
    this.identity = payload.identityOf(`${seed} ${label}`)
    this.from = from
    this.to = to
    this.fromPort = fromPort
    this.port = port
    this.echoes = mode === 'echo'
    this.#stack = network.stack(from)
    this.#endpoint = sockets.get(from, family, fromPort)
    sockets.get(to, family, port)
    this.#address = Address.parse(spec.address ?? network.address(to, family))
    this.label = label
    const random = new SeededRandom(seed).fork(`flow ${label}`)
    this.#sizes = random.fork('sizes')
    this.#gaps = random.fork('gaps')
    this.#count = count ?? Number.POSITIVE_INFINITY
    this.#stop =
      stop !== undefined
        ? milliseconds(stop)
        : count !== undefined
          ? Number.POSITIVE_INFINITY
          : milliseconds(scenario.duration ?? '10s')
    this.#due = milliseconds(start)
    this.#span = spanOf(scenario)
    this.#header = {
      pmtuMode: MODES[dontFragment] as PmtuMode,
      ...(ttl === undefined ? {} : { hopLimit: ttl }),
      ...(tos === undefined ? {} : { tos }),
    }
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
    // Whole nanoseconds: the last bits of a logarithm may differ between engines.
    this.#due += pattern === 'poisson' ? wholeNanoseconds(-Math.log(1 - this.#gaps.float()) * gap) : gap
    if (this.#sent.length < this.#count && this.#due < this.#stop)
      this.#network.clock.schedule(this.#due - this.#network.now, () => this.#turn())
  }

  /** @returns milliseconds that it takes at the flow's rate */
  #sendOne(): number {
    const { size = 1000, rate = 100 } = this.#spec
    const length =
      typeof size === 'number' ? size : size.uniform[0] + this.#sizes.below(size.uniform[1] - size.uniform[0] + 1)
    const number = this.#sent.length
    this.#sent.push(this.#network.now)
    const packet = this.#endpoint.beginSend(length)
    payload.write(packet.view, packet.start, packet.end, this.identity, number)
    const errno = this.#endpoint.send(packet, this.#address, this.port, 0, this.#header)
    if (errno !== '') {
      this.#failed.add(number)
      if (this.isMeasured(this.#network.now)) this.#errors[errno] = (this.#errors[errno] ?? 0) + 1
    } else this.#watch?.sent(this.index, number, this.#network.now, length)
    return typeof rate === 'number' ? 1000 / rate : (length * 8000) / bitsPerSecond(rate)
  }

  /** The receiver's echo. */
  answer(endpoint: Endpoint, stack: Stack, bytes: Uint8Array, to: Address, port: number): void {
    const packet = endpoint.beginSend(bytes.length)
    packet.bytes.set(bytes, packet.start)
    endpoint.send(packet, to, port, 0, null)
    for (const { link } of stack.nics) link.flush()
  }

  damaged(): void {
    if (this.isMeasured(this.#network.now)) this.#corrupted++
  }

  /** Whether what left at a time is counted. */
  isMeasured(time: number): boolean {
    return isIn(this.#span, time)
  }

  arrived(number: number, length: number): void {
    const sent = this.#sent[number]
    if (sent === undefined) return
    const { now } = this.#network
    if (!this.isMeasured(sent) || this.#arrivals.add(number, sent, now, length))
      this.#watch?.arrived(this.index, number, now)
  }

  /** Of those sent, with what was delivered and is not what was sent. */
  knownLost(lost: number): number {
    const { sent, received } = this.result()
    return Math.min(sent - received, lost + this.#corrupted)
  }

  /** `lost`: how many are known to be, when there may be others in flight. */
  result(lost?: number): FlowResult {
    // Loops: a run has millions of them.
    const numbers: number[] = []
    for (const [number, time] of this.#sent.entries())
      if (this.isMeasured(time) && !this.#failed.has(number)) numbers.push(number)
    const sent = numbers.length
    const firstSent = numbers[0] === undefined ? 0 : (this.#sent[numbers[0]] as number)
    const { received, duplicated, reordered, throughput, latency, all } = this.#arrivals
    const { from, to } = this.#span
    const span = (Number.isFinite(to) ? to : this.#arrivals.lastTime) - Math.max(from, firstSent)
    const reordering = reorderingOf(all)
    const isOver = lost === undefined
    // What is in flight when a run is cut short is at its end.
    const lastArrived = all.reduce((high, { number }) => Math.max(high, number), -1)
    const decided = isOver ? numbers : numbers.filter((number) => number <= lastArrived)
    return {
      name: this.#name,
      from: this.from,
      to: this.to,
      mode: this.echoes ? 'echo' : 'one-way',
      sent,
      received,
      lost: lost ?? sent - received,
      inFlight: lost === undefined ? 0 : sent - received - lost,
      duplicated,
      reordered,
      corrupted: this.#corrupted,
      throughput,
      goodput: span > 0 ? nineDigits((this.#arrivals.bytes * 8000) / span) : 0,
      latency,
      jitter: jitterOf(all),
      delayVariation: delayVariationOf(all),
      reordering: { ...reordering, ratio: nineDigits(reordering.ratio) },
      lossPattern: lossPatternOf(decided.map((number) => !this.#arrivals.has(number))),
      fragments: this.counts.fragments,
      errors: this.#errors,
      icmp: Object.fromEntries(this.counts.icmp),
      icmpReached: Object.fromEntries(this.counts.icmpReached),
      drops: this.counts.drops,
      marks: this.counts.marks,
    }
  }
}
