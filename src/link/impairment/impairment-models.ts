/**
 * Which frames a fault hits, and how long a frame takes: the models behind {@link Impairments}.
 *
 * A model is a function that may keep a state: make one for each direction of each link. Any
 * function of the same shape is a model too.
 */
import type { Packet } from '../../base/packet.ts'
import type { Random } from '../../base/random.ts'

/** Whether this frame is hit; called once for each frame, in their order. */
export type Chooser = (packet: Packet, random: Random) => boolean

/** How many milliseconds this frame takes. */
export type Delay = (packet: Packet, random: Random) => number

/**
 * When the last bit of a frame of `length` bytes has left, in milliseconds of the clock, if the
 * sender turns to it at `start`.
 */
export type Rate = (length: number, start: number) => number

// ── which frames ──

/**
 * Each frame with this probability. With a correlation (0 to 1, the autocorrelation between
 * neighbors) hits come in runs while their share stays the same: after a hit the next is one with
 * probability p + c(1 - p), after a miss with p(1 - c).
 */
export function bernoulli(probability: number, correlation = 0): Chooser {
  checkProbability('probability', probability)
  checkProbability('correlation', correlation)
  if (correlation === 0) return (_packet, random) => random.float() < probability
  let hit: boolean | null = null
  return (_packet, random) => {
    const chance =
      hit === null ? probability : hit ? probability + correlation * (1 - probability) : probability * (1 - correlation)
    hit = random.float() < chance
    return hit
  }
}

export interface GilbertElliott {
  /** Probability, at each frame, of going from the good state to the bad one; often called p. */
  toBad: number
  /** Probability of going back, often called r: bad phases last 1 / toGood frames on average. */
  toGood: number
  /** Probability of a hit in the good state. Default 0. */
  inGood?: number
  /** Probability of a hit in the bad state. Default 1. */
  inBad?: number
}

/**
 * Bursts from a chain of two states (Gilbert 1960, Elliott 1963), beginning in the good one. In the
 * long run the share of frames hit is (inGood · toGood + inBad · toBad) / (toGood + toBad).
 */
export function gilbertElliott({ toBad, toGood, inGood = 0, inBad = 1 }: GilbertElliott): Chooser {
  for (const [name, value] of Object.entries({ toBad, toGood, inGood, inBad })) checkProbability(name, value)
  let bad = false
  return (_packet, random) => {
    const hit = random.float() < (bad ? inBad : inGood)
    if (random.float() < (bad ? toGood : toBad)) bad = !bad
    return hit
  }
}

/** Frames of `from` to `to` bytes, link header included, each with the probability. */
export function bySize(from: number, to: number = Number.POSITIVE_INFINITY, probability = 1): Chooser {
  checkProbability('probability', probability)
  return (packet, random) => {
    const length = packet.end - packet.start
    return length >= from && length <= to && random.float() < probability
  }
}

/**
 * `'..x'`: every third frame, again and again; `x` is a hit and `.` is none.
 * @throws {RangeError} for an empty pattern or other characters
 */
export function pattern(text: string): Chooser {
  if (!/^[.x]+$/.test(text))
    throw new RangeError(`The pattern '${text}' has to consist of 'x' for a hit and '.' for none.`)
  let at = -1
  return () => {
    at = (at + 1) % text.length
    return text[at] === 'x'
  }
}

/** The frames with these numbers, the first frame being 1; each once. */
export function frames(...numbers: number[]): Chooser {
  const chosen = new Set(numbers)
  let count = 0
  return () => chosen.has(++count)
}

/** A chooser of frames that also says which of their bits are wrong. */
export interface BitErrors extends Chooser {
  /**
   * Their offsets in the frame, ascending; none of most frames. `length`: bytes of the frame on the
   * wire, where those are more than the packet's.
   */
  bitsOf(packet: Packet, random: Random, length?: number): readonly number[]
}

const NO_BITS: readonly number[] = []

/**
 * Noise flips each bit with this probability, whatever happens to the others. So it hits
 * 1 - (1 - rate)^bits of the frames, some of them more than once, and some so that no checksum
 * shows it.
 */
export function bitErrorRate(rate: number): BitErrors {
  checkProbability('rate', rate)
  const spared = Math.log1p(-rate)
  /** Bits until the next wrong one: geometric, so that a frame without errors costs one draw. */
  const skip = (random: Random) => {
    if (rate === 0) return Number.POSITIVE_INFINITY
    // Above 0, with 53 bits: those of one draw are too coarse for the rates of good wires.
    const chance = 1 - (random.float() + random.float() / 0x1_0000_0000)
    return Math.floor(Math.log(chance) / spared)
  }
  const bitsOf = (packet: Packet, random: Random, length = packet.end - packet.start) => {
    const end = 8 * length
    let at = skip(random)
    if (at >= end) return NO_BITS
    const bits: number[] = []
    for (; at < end; at += 1 + skip(random)) bits.push(at)
    return bits
  }
  const isHit: Chooser = (packet, random) => bitsOf(packet, random).length > 0
  return Object.assign(isHit, { bitsOf })
}

// ── how long ──

/** Every value from `low` to `high` is as likely as the others. */
export function uniform(low: number, high: number): Delay {
  if (!(low >= 0 && high >= low))
    throw new RangeError(`Delays from ${low} to ${high} ms are no range: it begins at 0 or more.`)
  return (_packet, random) => low + (high - low) * random.float()
}

/** The normal distribution; what would be below 0 is 0. */
export function normal(mean: number, deviation: number): Delay {
  checkPositive('mean', mean)
  checkPositive('deviation', deviation)
  return (_packet, random) => {
    // Marsaglia's polar method: square root and logarithm give the same bits on every engine, which
    // sine and cosine do not.
    for (;;) {
      const u = 2 * random.float() - 1
      const v = 2 * random.float() - 1
      const s = u * u + v * v
      if (s > 0 && s < 1) return Math.max(0, mean + deviation * u * Math.sqrt((-2 * Math.log(s)) / s))
    }
  }
}

/**
 * The Pareto distribution: never below `minimum`, with a tail that is the heavier the smaller the
 * shape. Its mean is minimum · shape / (shape - 1).
 */
export function pareto(minimum: number, shape: number): Delay {
  checkPositive('minimum', minimum)
  if (!(shape > 0)) throw new RangeError(`The shape ${shape} of a Pareto distribution has to be above 0.`)
  // 1 - float() is never 0.
  return (_packet, random) => minimum * Math.exp(-Math.log(1 - random.float()) / shape)
}

/**
 * A delay that tends to stay as it was: with probability `correlation` (0 to 1) a frame takes what
 * the one before took, so that delays `k` frames apart correlate by correlation^k, and their
 * distribution stays that of `delay`.
 */
export function correlated(delay: Delay, correlation: number): Delay {
  checkProbability('correlation', correlation)
  let last = -1
  return (packet, random) => {
    if (last < 0 || random.float() >= correlation) last = delay(packet, random)
    return last
  }
}

// ── how fast ──

/** Bytes that leave at one opportunity of a trace. */
const OPPORTUNITY = 1500

/**
 * A recorded link: each line of the text is a time in milliseconds, from 0, at which 1500 bytes may
 * leave; times do not fall, may repeat, and the record starts over at its last one. It is the
 * format of the traces of cellular links that Mahimahi replays. Time runs from the clock's 0.
 * @throws {RangeError} for a record that is empty, falls, or has something else in a line
 */
export function traceRate(text: string): Rate {
  const times = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map(Number)
  const period = times.at(-1) ?? 0
  const wrong = times.findIndex((time, index) => !(time >= (times[index - 1] ?? 0) && time < Number.POSITIVE_INFINITY))
  if (wrong >= 0)
    throw new RangeError(
      `Opportunity ${wrong + 1} of the trace is no time in milliseconds, or is before the one ahead of it.`,
    )
  if (period === 0) throw new RangeError('The trace has no opportunity to send after its beginning.')
  /** The opportunity that is used up next, counted over all rounds, and what is left of it. */
  let index = 0
  let left = 0
  const timeOf = (at: number) => Math.floor(at / times.length) * period + (times[at % times.length] as number)
  return (length, start) => {
    // What was not used in time is gone.
    if (timeOf(index) < start) {
      index = Math.max(index, (Math.ceil(start / period) - 1) * times.length)
      while (timeOf(index) < start) index++
      left = OPPORTUNITY
    } else if (left === 0) left = OPPORTUNITY
    for (let rest = length; ; ) {
      const part = Math.min(rest, left)
      rest -= part
      left -= part
      const time = timeOf(index)
      if (left === 0) {
        index++
        left = OPPORTUNITY
      }
      if (rest === 0) return time
    }
  }
}

function checkProbability(name: string, value: number): void {
  if (!(value >= 0 && value <= 1)) throw new RangeError(`The ${name} ${value} is out of range: 0 to 1.`)
}

function checkPositive(name: string, value: number): void {
  if (!(value >= 0 && value < Number.POSITIVE_INFINITY))
    throw new RangeError(`The ${name} ${value} is out of range: 0 or more milliseconds.`)
}
