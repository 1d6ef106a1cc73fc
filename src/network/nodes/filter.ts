import * as icmpv4 from '../../wire/icmpv4.ts'
import * as icmpv6 from '../../wire/icmpv6.ts'
import { ICMPV4, ICMPV6 } from '../../wire/protocol.ts'
import { ipOffset, isUpkeep, type Summary, summarize } from '../observe/ip-frame.ts'
import type { Gate } from './port.ts'
import { portBlock } from './port-block.ts'

/**
 * What a node lets not pass. What keeps a link alive (ARP, Neighbor Discovery, group membership)
 * always passes.
 */
export interface FilterSpec {
  /**
   * ICMP messages of every kind per second that pass, its own and others', echo included; 0 for
   * none, as behind a firewall. Default: all.
   */
  icmp?: number
  /**
   * ICMP errors per second that pass, its own and others'; 0 for none, which makes path MTU
   * discovery and traceroute fail while ping works. Default: all.
   */
  icmpErrors?: number
  /**
   * Ports whose packets do not pass, from them or to them: `80/tcp`, `5000-5010/udp`; or a whole
   * protocol: `sctp`. Of a packet in fragments the first one is discarded. Default: none.
   */
  block?: readonly string[]
  /** Discards the packets for which it answers true. */
  drop?: (packet: Summary) => boolean
}

/** ICMP messages that may pass at once after a silence. */
const BURST = 1

export function filterGate({ icmp, icmpErrors, block = [], drop }: FilterSpec, now: () => number): Gate {
  const mayPass = rateLimit(icmp, now)
  const errorMayPass = rateLimit(icmpErrors, now)
  const isBlocked = portBlock(block)
  return (packet, medium) => {
    const at = ipOffset(packet, medium)
    if (at < 0 || isUpkeep(packet, at)) return true
    const summary = summarize(packet, at)
    if (isBlocked(summary) || drop?.(summary) === true) return false
    if (summary.protocol !== (summary.family === 4 ? ICMPV4 : ICMPV6)) return true
    return (!isError(summary) || errorMayPass()) && mayPass()
  }
}

/** A token bucket that answers whether one more may pass. */
function rateLimit(perSecond: number | undefined, now: () => number): () => boolean {
  if (perSecond === undefined) return () => true
  let tokens = perSecond === 0 ? 0 : BURST
  let refilled = now()
  return () => {
    const time = now()
    if (perSecond > 0) tokens = Math.min(BURST, tokens + ((time - refilled) * perSecond) / 1000)
    refilled = time
    if (tokens < 1) return false
    tokens--
    return true
  }
}

function isError({ family, type }: Summary): boolean {
  return type !== null && (family === 4 ? icmpv4 : icmpv6).isError(type)
}
