/**
 * Packetization Layer Path MTU Discovery: RFC 8899 sections 4 and 5. Finds how long a packet may be
 * without relying on ICMP: probes of growing sizes either are acknowledged or are not.
 *
 * The prober knows no protocol. It asks for probes and is told of acknowledgements, of validated
 * too-big reports and of losses; sizes are bytes as the program counts them, as long as it always
 * counts alike. {@link probePath} runs it over ICMP echo, where a size is a whole IP packet's.
 */
import type { Address } from '../../base/address.ts'
import type { Clock, Timer } from '../../base/clock.ts'
import * as icmpv4 from '../../wire/icmpv4.ts'
import * as ipv4 from '../../wire/ipv4.ts'
import * as ipv6 from '../../wire/ipv6.ts'
import { PmtuMode } from '../routing/pmtu-mode.ts'
import type { Icmp } from './icmp.ts'
import { isTooBig } from './icmp-error.ts'

/** Section 5.2. */
export type ProberState = 'disabled' | 'base' | 'search' | 'complete' | 'error'

export interface ProberOptions {
  clock: Clock
  /**
   * The largest size worth a probe: the MTU of the first link, less what the program does not
   * count.
   */
  max: number
  /** BASE_PLPMTU, which nearly every path carries. Default 1200. */
  base?: number
  /** MIN_PLPMTU, to which the error state falls back. Default the base. */
  min?: number
  /** MAX_PROBES: unanswered probes of one size before it counts as too long. Default 3. */
  maxProbes?: number
  /**
   * PROBE_TIMER: how long an acknowledgement may take, in milliseconds. Default 15000; section
   * 5.1.1 wants more than 1000 in general use.
   */
  probeTimeout?: number
  /** PMTU_RAISE_TIMER: when a complete search is done again, in milliseconds. Default 600000. */
  raiseAfter?: number
  /**
   * CONFIRMATION_TIMER: how often a complete search's size is probed again, to notice a black hole,
   * in milliseconds. Default 30000.
   */
  confirmEvery?: number
  /** The search ends when the size is known this closely, in bytes. Default 8. */
  precision?: number
  /**
   * Sends a probe of exactly this size, not to be fragmented. Losing it must not hurt. May be
   * called from within any method but `stop`.
   */
  send(size: number): void
  /** The size or the state has changed. */
  changed?(size: number, state: ProberState): void
  /** After `stop`. */
  stopped?(): void
}

export class PathMtuProber {
  readonly #options: Required<Omit<ProberOptions, 'changed' | 'stopped'>> & Pick<ProberOptions, 'changed' | 'stopped'>
  #state: ProberState = 'disabled'
  #size: number
  /** The smallest size that is believed too long. */
  #limit: number
  /** The size being probed, and how often it has gone unanswered. */
  #probed = 0
  #unanswered = 0
  #timer: Timer | null = null
  #raise: Timer | null = null

  /** @throws {RangeError} unless 0 < min <= base <= max */
  constructor(options: ProberOptions) {
    const {
      base = 1200,
      min = base,
      maxProbes = 3,
      probeTimeout = 15_000,
      raiseAfter = 600_000,
      confirmEvery = 30_000,
      precision = 8,
    } = options
    if (!(min > 0 && min <= base && base <= options.max))
      throw new RangeError(
        `A prober needs 0 < min <= base <= max, not min ${min}, base ${base} and max ${options.max}.`,
      )
    this.#options = { ...options, base, min, maxProbes, probeTimeout, raiseAfter, confirmEvery, precision }
    this.#size = min
    this.#limit = options.max + 1
  }

  get state(): ProberState {
    return this.#state
  }

  /** The size that may be used now (PLPMTU). */
  get size(): number {
    return this.#size
  }

  /** Confirms the base size, then searches. */
  start(): void {
    if (this.#state !== 'disabled') return
    this.#toBase(this.#options.max + 1)
  }

  /** No timer is left. */
  stop(): void {
    this.#timer?.cancel()
    this.#raise?.cancel()
    if (this.#state === 'disabled') return
    this.#state = 'disabled'
    this.#options.stopped?.()
  }

  /** A probe, or any packet, of this size arrived at the other end. */
  acknowledged(size: number): void {
    if (this.#state === 'disabled' || size < this.#probed || size > this.#options.max) return
    switch (this.#state) {
      case 'base':
      case 'error':
        this.#set(this.#options.base, 'search')
        this.#next()
        return
      case 'search':
        this.#set(size, 'search')
        if (size >= this.#limit) this.#limit = size + 1
        this.#next()
        return
      case 'complete':
        this.#unanswered = 0
        this.#wait(this.#options.confirmEvery, () => this.#confirm())
    }
  }

  /**
   * A too-big report, which the caller has checked to be about a packet of its own (section 4.6).
   * `size` is what fits, in the prober's sizes. Reports below the minimum, and those that the probe
   * contradicts, are ignored.
   */
  tooBig(size: number): void {
    const { min, base } = this.#options
    if (this.#state === 'disabled' || size < min) return
    if (size < base) {
      this.#fail()
      return
    }
    if (size < this.#size) {
      this.#toBase(size + 1)
      return
    }
    if (this.#state !== 'search' || size >= this.#probed) return
    this.#limit = size + 1
    // The report is a hint and no proof: the very size is probed next.
    if (size > this.#size) this.#probe(size)
    else this.#next()
  }

  /** Packets of the present size seem to vanish (section 4.3): start over. */
  lost(): void {
    if (this.#state === 'search' || this.#state === 'complete') this.#toBase(this.#options.max + 1)
  }

  #set(size: number, state: ProberState): void {
    if (size === this.#size && state === this.#state) return
    this.#size = size
    this.#state = state
    this.#options.changed?.(size, state)
  }

  #toBase(limit: number): void {
    this.#raise?.cancel()
    this.#limit = limit
    this.#set(Math.min(this.#options.base, limit - 1), 'base')
    this.#probe(this.#options.base)
  }

  #fail(): void {
    this.#limit = this.#options.max + 1
    this.#set(this.#options.min, 'error')
    this.#probe(this.#options.base)
  }

  /** The next size of the search: the largest at first, as most paths carry it, then halves. */
  #next(): void {
    const { max, precision } = this.#options
    const open = this.#limit - 1 - this.#size
    if (open <= 0 || (this.#limit <= max && open < precision)) {
      this.#complete()
      return
    }
    this.#probe(this.#limit > max ? max : this.#size + Math.ceil(open / 2))
  }

  #complete(): void {
    const { raiseAfter, confirmEvery, max } = this.#options
    this.#set(this.#size, 'complete')
    this.#probed = this.#size
    this.#unanswered = 0
    this.#raise?.cancel()
    this.#raise = this.#options.clock.schedule(raiseAfter, () => {
      // Section 5.3.3: the path may have become better.
      this.#limit = max + 1
      this.#set(this.#size, 'search')
      this.#next()
    })
    this.#wait(confirmEvery, () => this.#confirm())
  }

  #probe(size: number): void {
    this.#probed = size
    this.#unanswered = 0
    this.#sendProbe()
  }

  #sendProbe(): void {
    this.#wait(this.#options.probeTimeout, () => this.#timedOut())
    this.#options.send(this.#probed)
  }

  #confirm(): void {
    this.#wait(this.#options.probeTimeout, () => this.#timedOut())
    this.#options.send(this.#size)
  }

  #timedOut(): void {
    if (++this.#unanswered < this.#options.maxProbes) {
      this.#sendProbe()
      return
    }
    switch (this.#state) {
      case 'search':
        this.#limit = this.#probed
        this.#next()
        return
      case 'complete':
        this.lost()
        return
      default:
        this.#fail()
    }
  }

  #wait(delay: number, callback: () => void): void {
    this.#timer?.cancel()
    this.#timer = this.#options.clock.schedule(delay, callback)
  }
}

/**
 * A prober over echo requests to a host that answers them; its sizes are those of whole IP packets.
 * `stop` it when it is no longer wanted. `max` is the MTU of the link towards the host.
 */
export function probePath(icmp: Icmp, to: Address, options: Omit<ProberOptions, 'send'>): PathMtuProber {
  const headers = (to.family === 4 ? ipv4.HEADER : ipv6.HEADER) + icmpv4.HEADER
  const sizes = new Map<number, number>()
  let sequence = 0
  const echo = icmp.openEcho(to.family, {
    reply: (packet, number) => {
      const size = packet.end - packet.start + headers
      if (sizes.get(number) === size) prober.acknowledged(size)
    },
    error: ({ family, type, code, mtu }, number) => {
      // Section 4.6.1: a report is about a probe only when it claims less than the probe had.
      if (isTooBig(family, type, code) && mtu < (sizes.get(number) ?? 0)) prober.tooBig(mtu)
    },
  })
  echo.learnsMtu = false
  const prober = new PathMtuProber({
    ...options,
    stopped: () => {
      echo.close()
      options.stopped?.()
    },
    send: (size) => {
      sequence = (sequence + 1) & 0xffff
      sizes.set(sequence, size)
      sizes.delete((sequence - 16) & 0xffff)
      // A probe that cannot even leave is one that is not acknowledged.
      echo.send(to, sequence, new Uint8Array(size - headers), { dontFragment: PmtuMode.Probe })
    },
  })
  return prober
}
