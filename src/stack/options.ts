/** What the parts of a host are made with, and the checks of what a program gives. */
import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import type { IdentificationSource } from '../ip/fragments/identification.ts'
import { DESTINATION_RATE, type Rate } from '../ip/icmp/error-limit.ts'
import type { AddressGeneration } from '../ip/nd/interface-identifier.ts'
import {
  NEIGHBOR_LIMITS,
  NEIGHBOR_MINIMUM,
  type NeighborLimits,
  type NeighborOptions,
} from '../ip/nic/neighbor-limits.ts'
import type { ReversePath } from '../ip/routing/reverse-path.ts'
import type { RouteKind } from '../ip/routing/route-table.ts'

/** Settings of a stack. */
export interface StackOptions {
  /** The host's name, for messages. Default `host`. */
  name?: string
  /** Default: the machine's own time. */
  clock?: Clock
  /** Default: the platform's cryptographic generator. */
  random?: Random
  /**
   * ICMP errors per second, with bursts of about 50; 0 for none, `false` for no limit, per
   * destination neither. Default 1000.
   */
  icmpRateLimit?: number | false
  /**
   * ICMP errors per second to one destination, with bursts of six times as many; `false` for no
   * limit. Default 1.
   */
  icmpRateLimitPerDestination?: number | false
  /** TTL and hop limit of what is sent without one of its own, 1 to 255. Default 64. */
  hopLimit?: number
  /**
   * Duplicate address detection of IPv6 addresses on Ethernet; see {@link NicOptions.dad}. Default
   * true.
   */
  dad?: boolean
  /** A router: packets for others go on their way. Default `false`. */
  forwarding?: boolean
  /**
   * Takes only packets for an address of the very nic they came by (RFC 1122 section 3.3.4.2).
   * Default `false`, as Linux.
   */
  strongHost?: boolean
  /**
   * Discards packets whose source is not reached at all (`loose`) or by another nic (`strict`; RFC
   * 3704). Default `off`.
   */
  reversePath?: ReversePath
  /** Becomes `stack.hosts`; stacks may share it. Default: a map of its own. */
  hosts?: Map<string, readonly string[]>
  /**
   * Bytes of fragments, per family, that may wait for the rest of their datagrams; a quarter is any
   * one source's share. Default 4 MiB.
   */
  reassemblyMemory?: number
  /**
   * Where IPv4 Identifications come from: `counter`, one for each destination as in Linux, does not
   * repeat one for a long time; `random` numbers do. Default `counter`.
   */
  identification?: 'counter' | 'random'
  /** Follows IPv4 source routes instead of refusing such packets (RFC 7126). Default `false`. */
  sourceRoute?: boolean
  /**
   * Believes redirects of its routers for five minutes (RFC 1122 section 3.2.2.2, RFC 4861 section
   * 8.3). Default `true`; a router never does.
   */
  acceptRedirects?: boolean
  /**
   * A router tells hosts on Ethernet of better first hops on their link (RFC 1812 section 5.2.7.2,
   * RFC 4861 section 8.2). Default `false`.
   */
  sendRedirects?: boolean
  /**
   * How nics make their own IPv6 addresses; see {@link NicOptions.addressGeneration}. Default
   * `eui64`.
   */
  addressGeneration?: AddressGeneration
  /**
   * Temporary IPv6 addresses on Ethernet; see {@link NicOptions.temporaryAddresses}. Default false.
   */
  temporaryAddresses?: boolean
  /**
   * How many neighbors each nic remembers, and how much may wait for their hardware addresses.
   * Defaults: Linux's, see {@link NeighborOptions}.
   */
  neighborLimits?: NeighborOptions
}

/** Settings of a nic, for `stack.addNic`. */
export interface NicOptions {
  /** Default: the link's name. */
  name?: string
  /** Interface addresses with prefix length: `192.0.2.7/24`, `2001:db8::7/64`. */
  addresses?: readonly string[]
  /** Below the link's MTU; default the link's. */
  mtu?: number
  /**
   * Ethernet: IPv6 addresses are used only when no other host has answered for them (RFC 4862
   * section 5.4), which takes 1 to 2 s (`nic.addressesReady()`); `false` uses them at once.
   * Default: the stack's `dad`.
   */
  dad?: boolean
  /** Ethernet: the same for IPv4 addresses (RFC 5227), which takes 4 to 7 s. Default false. */
  conflictDetection?: boolean
  /**
   * Ethernet: a link-local IPv6 address made from the hardware address, when none is among
   * `addresses`. Default true.
   */
  linkLocal?: boolean
  /**
   * Ethernet: routes and addresses from router advertisements; a stack with `forwarding` takes
   * none. Default true.
   */
  acceptRouterAdvertisements?: boolean
  /**
   * Ethernet: `eui64` makes the link-local address and those from routers' prefixes of the hardware
   * address (RFC 4291 appendix A), `stable-privacy` of a secret and the prefix (RFC 7217), so that
   * they tell neither the hardware address nor that two networks have the same host. Default: the
   * stack's.
   */
  addressGeneration?: AddressGeneration
  /**
   * The secret of `stable-privacy`, 32 hexadecimal digits: the same one gives the same addresses.
   * Default: drawn, for as long as the nic is there.
   */
  stableSecret?: string
  /**
   * Ethernet: beside each address from a router's prefix a random one (RFC 8981), which is
   * preferred as a source (Linux: use_tempaddr 2), for a day at most, and receives for two.
   * Default: the stack's.
   */
  temporaryAddresses?: boolean
}

/** A route to be, for `stack.addRoute`. */
export interface RouteOptions {
  /** `default` (the family is the gateway's, or both), or a prefix. */
  to: string
  /** The gateway; without one the destination is on the link. */
  via?: string
  /** Name of the nic to leave by; found from the gateway when left out. */
  nic?: string
  /** Lower wins among equal prefixes. Default 0. */
  metric?: number
  /** Source address to prefer. */
  source?: string
  /** MTU for this route, below the nic's. */
  mtu?: number
  /** Default `unicast`. */
  kind?: RouteKind
}

/**
 * @throws {RangeError} for what is no whole number from 0, for thresholds out of order, and for no
 * entry at all
 */
export function readNeighborLimits(options: NeighborOptions = {}): NeighborLimits {
  const limits = { ...NEIGHBOR_LIMITS }
  for (const name of Object.keys(NEIGHBOR_LIMITS) as (keyof NeighborOptions)[]) {
    const given = options[name]
    if (given === undefined) continue
    if (!Number.isSafeInteger(given) || given < 0)
      throw new RangeError(`neighborLimits.${name} ${given} is out of range: a whole number from 0.`)
    limits[name] = given
  }
  const { gcThresh1, gcThresh2, gcThresh3 } = limits
  if (gcThresh3 < NEIGHBOR_MINIMUM.gcThresh3)
    throw new RangeError(`neighborLimits.gcThresh3 ${gcThresh3} leaves no room for a neighbor: 1 or more.`)
  if (gcThresh1 > gcThresh2 || gcThresh2 > gcThresh3)
    throw new RangeError(
      `neighborLimits are out of order: gcThresh1 ${gcThresh1}, gcThresh2 ${gcThresh2}, gcThresh3 ` +
        `${gcThresh3}; each at most the next.`,
    )
  return limits
}

export function checkGeneration(generation: unknown): void {
  if (generation !== 'eui64' && generation !== 'stable-privacy')
    throw new TypeError(`addressGeneration '${generation}' is unknown: expected 'eui64' or 'stable-privacy'.`)
}

export function readSecret(text: string | undefined): Uint8Array | null {
  if (text === undefined) return null
  if (!/^[0-9a-f]{32}$/i.test(text)) throw new TypeError('stableSecret has to be 32 hexadecimal digits: 128 bits.')
  return Uint8Array.from(text.match(/../g) as string[], (pair) => Number.parseInt(pair, 16))
}

/**
 * The limit per destination; no limit for the whole host means none per destination either, unless
 * one is given.
 */
export function destinationRate(
  host: number | false | undefined,
  destination: number | false | undefined,
): Rate | null {
  if (destination === false || (host === false && destination === undefined)) return null
  const perSecond = destination ?? DESTINATION_RATE.perSecond
  return { perSecond, burst: Math.max(1, perSecond * DESTINATION_RATE.burst) }
}

/** @throws {TypeError} for one that there is not */
export function readIdentification(source: IdentificationSource = 'counter'): IdentificationSource {
  if (source !== 'counter' && source !== 'random')
    throw new TypeError(`identification '${source}' is unknown: expected 'counter' or 'random'.`)
  return source
}
