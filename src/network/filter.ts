import { ICMPV4, ICMPV6 } from '../ip/protocol.ts'
import { ipOffset, isUpkeep, type Summary, summarize } from './ip-frame.ts'
import type { Gate } from './port.ts'

/** What a node lets not pass. What keeps a link alive (ARP, Neighbor Discovery, group membership) always passes. */
export interface FilterSpec {
  /** ICMP messages per second that pass, its own and others'; 0 for none, which makes path MTU discovery fail. Default: all. */
  icmp?: number
  /** Discards the packets for which it answers true. */
  drop?: (packet: Summary) => boolean
}

/** ICMP messages that may pass at once after a silence. */
const BURST = 1

/** @throws {RangeError} for a rate below 0 */
export function filterGate({ icmp = Number.POSITIVE_INFINITY, drop }: FilterSpec, now: () => number): Gate {
  if (!(icmp >= 0)) throw new RangeError(`icmp: ${icmp} is out of range: 0 or more messages per second.`)
  let tokens = icmp === 0 ? 0 : BURST
  let refilled = now()
  const takeToken = () => {
    const time = now()
    if (icmp > 0 && icmp < Number.POSITIVE_INFINITY) tokens = Math.min(BURST, tokens + ((time - refilled) * icmp) / 1000)
    refilled = time
    if (tokens < 1) return false
    if (icmp < Number.POSITIVE_INFINITY) tokens--
    return true
  }
  return (packet, medium) => {
    const at = ipOffset(packet, medium)
    if (at < 0 || isUpkeep(packet, at)) return true
    const summary = summarize(packet, at)
    if (drop?.(summary) === true) return false
    return summary.protocol === (summary.family === 4 ? ICMPV4 : ICMPV6) ? takeToken() : true
  }
}
