/**
 * Where packets that are too long end: what can be known of it from the answers of routers and of
 * the host, and no more.
 */
import type { IcmpError } from '../ip/icmp/icmp-error.ts'
import { isTooBig } from '../ip/icmp/icmp-error.ts'
import { isTimeExceeded } from './icmp-text.ts'

export type Answer =
  | { kind: 'reply' }
  | { kind: 'error'; error: IcmpError }
  | { kind: 'none' }
  | { kind: 'unsent'; errno: string }

/** Where the limit is. */
export interface Limit {
  /**
   * The router in front of the narrow link, by its number on the way, which is the last one that
   * longer packets reach; 0 is this host.
   */
  hop: number
  /** `null` for a router that does not tell, and for this host. */
  address: string | null
  /** Whether the router says so itself. */
  reported: boolean
  /**
   * The last router that may be in front of it, where there are several: from `hop` to this one
   * none has answered.
   */
  until?: number
  /**
   * `back`: longer packets arrive, and what is as long does not come back. `there or back`: the
   * host does not tell which.
   */
  way?: 'back' | 'there or back'
}

/** What asks. */
export interface LimitProber {
  /** An echo request of so many bytes, never fragmented; it ends after `hopLimit` hops. */
  ask(size: number, hopLimit: number): Promise<Answer>
  /** Whether a datagram of so many bytes draws an error from the host, which is short. */
  arrives(size: number): Promise<boolean>
  /** Lets a router whose errors are limited gather strength. */
  rest(): Promise<void>
}

/**
 * Follows packets of one byte more than `mtu` hop by hop: those reach a hop whose router answers
 * them, and do not reach one that answers shorter ones only. All hops are asked, up to the host: an
 * error that was lost, or held back by a limit, is corrected by a later hop.
 * @returns `null` when that is not found
 */
export async function findLimit(
  prober: LimitProber,
  mtu: number,
  link: number,
  lastHop: number,
): Promise<Limit | null> {
  if (mtu >= link) return { hop: 0, address: null, reported: true }
  let reached: { hop: number; address: string | null } = { hop: 0, address: null }
  /** The first hop behind `reached` that shorter packets reach. */
  let beyond = 0
  for (let hop = 1; hop <= lastHop; hop++) {
    let long = await prober.ask(mtu + 1, hop)
    let short: Answer = { kind: 'none' }
    if (long.kind === 'none') {
      short = await prober.ask(mtu, hop)
      // Its errors may be limited, and the shorter packet has come at the right time.
      if (short.kind !== 'none' && beyond === 0) {
        await prober.rest()
        long = await prober.ask(mtu + 1, hop)
      }
    }
    if (long.kind === 'error') {
      const { error } = long
      if (isTooBig(error.family, error.type, error.code))
        return { hop: hop - 1, address: `${error.offender}`, reported: true }
      if (!isTimeExceeded(error.family, error.type)) return null
      reached = { hop, address: `${error.offender}` }
      beyond = 0
      continue
    }
    if (long.kind !== 'none') return null
    if (short.kind === 'unsent') return null
    if (short.kind === 'none') continue
    if (beyond === 0) beyond = hop
    if (short.kind === 'reply') return atHost(prober, mtu, hop, reached, beyond)
  }
  return beyond === 0 ? null : between(reached, beyond)
}

function between(reached: { hop: number; address: string | null }, beyond: number): Limit {
  return { ...reached, reported: false, ...(beyond > reached.hop + 1 ? { until: beyond - 1 } : {}) }
}

/** A long request that the host does not answer may have reached it: its reply is as long. */
async function atHost(
  prober: LimitProber,
  mtu: number,
  host: number,
  reached: { hop: number; address: string | null },
  beyond: number,
): Promise<Limit> {
  const limit = between(reached, beyond)
  // A router on the way has shown where it is.
  if (beyond < host) return limit
  if (await prober.arrives(mtu + 1)) return { hop: host, address: null, reported: false, way: 'back' }
  return (await prober.arrives(mtu)) ? limit : { ...limit, way: 'there or back' }
}

/** The limit as a sentence. */
export function limitText({ hop, address, reported, until, way }: Limit, mtu: number): string {
  if (way === 'back') return `limited on the way back: ${mtu + 1} bytes arrive, and an answer as long does not`
  const orBack = way === undefined ? '' : ', or on the way back'
  if (until !== undefined)
    return `limited by a link behind one between hop ${hop} and hop ${until}${orBack}: none says so`
  const where = hop === 0 ? 'this host' : `hop ${hop}, ${address ?? 'which does not answer'}`
  return `limited by the link behind ${where}${orBack}${reported || hop === 0 ? '' : ', which does not say so'}`
}
