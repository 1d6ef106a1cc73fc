/**
 * What each direction of each cable did in a run: how much it carried, how busy it was, and what
 * waited before it.
 */
import { wholeNanoseconds } from '../../base/clock.ts'
import { type Drop, dropName } from '../../base/drop.ts'
import type { Packet } from '../../base/packet.ts'
import type { WireMeter } from '../../link/impairment/wire-meter.ts'
import type { Network } from '../network.ts'
import { nineDigits, rank } from './metrics.ts'
import type { HopResult, QueueFigures, Volume } from './run-types.ts'
import { isIn, type Span } from './span.ts'

/** What the figures of a direction are kept under. */
type HopName = Pick<HopResult, 'link' | 'from' | 'to' | 'nic'>

/** Begins to count on all cables. Results are of the span, and of nothing behind the time given. */
export function openHops(network: Network, span: Span): { results(time: number): HopResult[] } {
  // A network's time begins at 0, its clock's need not.
  const origin = network.clock.now() - network.now
  const clocked = { from: span.from + origin, to: span.to + origin }
  const hops: HopCounts[] = []
  for (const cable of network.cables)
    cable.meter((from, to) => {
      const hop = new HopCounts({ link: cable.name, from: from.node, to: to.node, nic: from.port?.name ?? '' }, clocked)
      hops.push(hop)
      return hop
    })
  return { results: (time) => hops.map((hop) => hop.result(time + origin)) }
}

/** The number of frames, or bytes, that wait: for how long it was how large. */
class Level {
  readonly #span: Span
  #value = 0
  #since = 0
  /** Milliseconds by value, where there are few; and the value times milliseconds. */
  readonly #durations: number[] | null
  #area = 0
  max = 0

  constructor(span: Span, hasRanks: boolean) {
    this.#span = span
    this.#durations = hasRanks ? [] : null
  }

  change(by: number, time: number): void {
    this.until(time)
    this.#value += by
  }

  /** Counts the value that there is up to a time. */
  until(time: number): void {
    if (time === this.#since) return
    const duration = overlap(this.#span, this.#since, time)
    this.#since = time
    if (duration === 0) return
    const value = this.#value
    this.#area += value * duration
    if (value > this.max) this.max = value
    if (this.#durations !== null) this.#durations[value] = (this.#durations[value] ?? 0) + duration
  }

  /** Over a time in milliseconds. */
  mean(length: number): number {
    return length > 0 ? nineDigits(this.#area / length) : 0
  }

  /** What it did not exceed in a share of the time. */
  rank(share: number): number {
    const durations = this.#durations ?? []
    const all = durations.reduce((sum, duration) => sum + duration, 0)
    let passed = 0
    for (const [value, duration = 0] of durations.entries()) {
      passed += duration
      // Sums of the same parts may differ in their last bits.
      if (passed >= share * all * (1 - 1e-12)) return value
    }
    return 0
  }
}

class HopCounts implements WireMeter {
  readonly #name: HopName
  readonly #span: Span
  readonly #offered: Volume = { frames: 0, bytes: 0 }
  readonly #sent: Volume = { frames: 0, bytes: 0 }
  readonly #drops = new Map<Drop, number>()
  #marks = 0
  /** Frames that wait, and since when. */
  readonly #waiting = new Map<Packet, number>()
  readonly #length: Level
  readonly #bytes: Level
  #waits = new Float64Array(64)
  #waitCount = 0
  /** Since when a frame is being sent; NaN while none is. */
  #busySince = Number.NaN
  #busy = 0
  /** Whether a frame has met a rate. */
  #hasRate = false

  constructor(name: HopName, span: Span) {
    this.#name = name
    this.#span = span
    this.#length = new Level(span, true)
    this.#bytes = new Level(span, false)
  }

  offered(frames: number, bytes: number, time: number): void {
    if (isIn(this.#span, time)) add(this.#offered, frames, bytes)
  }

  queued(packet: Packet, time: number): void {
    this.#hasRate = true
    this.#waiting.set(packet, time)
    this.#length.change(1, time)
    this.#bytes.change(packet.length, time)
  }

  taken(packet: Packet, time: number, isSent: boolean): void {
    if (isSent) this.#busySince = time
    const since = this.#waiting.get(packet)
    // One that waited before anybody counted.
    if (since === undefined) return
    this.#waiting.delete(packet)
    this.#length.change(-1, time)
    this.#bytes.change(-packet.length, time)
    if (isSent && isIn(this.#span, time)) this.#addWait(time - since)
  }

  sent(frames: number, bytes: number, time: number): void {
    if (!Number.isNaN(this.#busySince)) this.#busy += overlap(this.#span, this.#busySince, time)
    this.#busySince = Number.NaN
    if (isIn(this.#span, time)) add(this.#sent, frames, bytes)
  }

  marked(time: number): void {
    if (isIn(this.#span, time)) this.#marks++
  }

  dropped(drop: Drop, time: number): void {
    if (isIn(this.#span, time)) this.#drops.set(drop, (this.#drops.get(drop) ?? 0) + 1)
  }

  /** What there was until `time`, by the clock. */
  result(time: number): HopResult {
    const length = Math.max(0, Math.min(this.#span.to, time) - this.#span.from)
    const sending = Number.isNaN(this.#busySince) ? 0 : overlap(this.#span, this.#busySince, time)
    return {
      ...this.#name,
      // Copies: a run goes on for what waits for fragments.
      offered: { ...this.#offered },
      sent: { ...this.#sent },
      utilization: !this.#hasRate || length === 0 ? null : nineDigits((this.#busy + sending) / length),
      queue: this.#hasRate ? this.#queue(time, length) : null,
      marks: this.#marks,
      drops: Object.fromEntries([...this.#drops].map(([drop, count]) => [dropName(drop), count])),
    }
  }

  #queue(time: number, length: number): QueueFigures {
    this.#length.until(time)
    this.#bytes.until(time)
    const waits = this.#waits.slice(0, this.#waitCount).sort()
    return {
      length: {
        mean: this.#length.mean(length),
        p50: this.#length.rank(0.5),
        p95: this.#length.rank(0.95),
        p99: this.#length.rank(0.99),
        max: this.#length.max,
      },
      bytes: { mean: this.#bytes.mean(length), max: this.#bytes.max },
      wait:
        waits.length === 0
          ? null
          : {
              mean: wholeNanoseconds(waits.reduce((sum, each) => sum + each, 0) / waits.length),
              p50: wholeNanoseconds(rank(waits, 0.5)),
              p95: wholeNanoseconds(rank(waits, 0.95)),
              p99: wholeNanoseconds(rank(waits, 0.99)),
              max: wholeNanoseconds(rank(waits, 1)),
            },
    }
  }

  #addWait(wait: number): void {
    if (this.#waitCount === this.#waits.length) {
      const grown = new Float64Array(this.#waits.length * 2)
      grown.set(this.#waits)
      this.#waits = grown
    }
    this.#waits[this.#waitCount++] = wait
  }
}

function add(volume: Volume, frames: number, bytes: number): void {
  volume.frames += frames
  volume.bytes += bytes
}

/** How much of a stretch of time is in the span. */
function overlap({ from, to }: Span, start: number, end: number): number {
  return Math.max(0, Math.min(end, to) - Math.max(start, from))
}
