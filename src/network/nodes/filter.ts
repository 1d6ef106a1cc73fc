import * as icmpv4 from '../../wire/icmpv4.ts'
import * as icmpv6 from '../../wire/icmpv6.ts'
import { ICMPV4, ICMPV6 } from '../../wire/protocol.ts'
import { ipOffset, isUpkeep, type Summary, summarize } from '../observe/ip-frame.ts'
import type { Gate } from './port.ts'
import { portBlock } from './port-block.ts'

/**
 * Messages a second, and perhaps how many may pass at once after a silence. Default burst: a
 * twentieth of the rate, 1 at least, which is Linux's proportion (icmp_msgs_per_sec 1000,
 * icmp_msgs_burst 50).
 */
export type MessageRate = number | { rate: number; burst?: number }

/**
 * What a node lets not pass. What keeps a link alive (ARP, Neighbor Discovery, group membership)
 * always passes.
 */
export interface FilterSpec {
  /**
   * ICMP messages of every kind per second that pass, its own and others', echo included; 0 for
   * none, as behind a firewall. Default: all.
   */
  icmp?: MessageRate
  /**
   * ICMP errors per second that pass, its own and others'; 0 for none, which makes path MTU
   * discovery and traceroute fail while ping works. Default: all.
   */
  icmpErrors?: MessageRate
  /**
   * Ports whose packets do not pass, from them or to them: `80/tcp`, `5000-5010/udp`; or a whole
   * protocol: `sctp`. Of a packet in fragments the first one is discarded. Default: none.
   */
  block?: readonly string[]
  /** Discards the packets for which it answers true. */
  drop?: (packet: Summary) => boolean
}

/** A filter in place, and what its limits have left. */
export interface FilterGate extends Gate {
  readonly limits: { readonly icmp: TokenBucket; readonly icmpErrors: TokenBucket }
}

/**
 * `before`: the filter in whose place it comes; a limit that stays the same is not filled up again.
 */
export function filterGate(spec: FilterSpec, now: () => number, before: FilterGate | null = null): FilterGate {
  const { block = [], drop } = spec
  const icmp = limitOf(spec.icmp, now, before?.limits.icmp)
  const icmpErrors = limitOf(spec.icmpErrors, now, before?.limits.icmpErrors)
  const isBlocked = portBlock(block)
  const gate: Gate = (packet, medium) => {
    const at = ipOffset(packet, medium)
    if (at < 0 || isUpkeep(packet, at)) return true
    const summary = summarize(packet, at)
    if (isBlocked(summary) || drop?.(summary) === true) return false
    if (summary.protocol !== (summary.family === 4 ? ICMPV4 : ICMPV6)) return true
    return (!isError(summary) || icmpErrors.take()) && icmp.take()
  }
  return Object.assign(gate, { limits: { icmp, icmpErrors } })
}

function limitOf(spec: MessageRate = Number.POSITIVE_INFINITY, now: () => number, before?: TokenBucket): TokenBucket {
  const { rate, burst = Math.max(1, rate / 20) } = typeof spec === 'number' ? { rate: spec } : spec
  return before?.rate === rate && before.burst === burst ? before : new TokenBucket(rate, burst, now)
}

class TokenBucket {
  readonly rate: number
  readonly burst: number
  readonly #now: () => number
  #tokens: number
  #refilled: number

  /** Full to begin with; `rate` a second. */
  constructor(rate: number, burst: number, now: () => number) {
    this.rate = rate
    this.burst = burst
    this.#now = now
    this.#tokens = rate === 0 ? 0 : burst
    this.#refilled = now()
  }

  /** Whether one more may pass. */
  take(): boolean {
    if (this.rate === Number.POSITIVE_INFINITY) return true
    const time = this.#now()
    if (this.rate > 0) this.#tokens = Math.min(this.burst, this.#tokens + ((time - this.#refilled) * this.rate) / 1000)
    this.#refilled = time
    if (this.#tokens < 1) return false
    this.#tokens--
    return true
  }
}

function isError({ family, type }: Summary): boolean {
  return type !== null && (family === 4 ? icmpv4 : icmpv6).isError(type)
}
