/** What a program may say about router advertisements, checked. */
import { Prefix } from '../../base/address.ts'
import * as ndp from '../../wire/ndp.ts'

/** A prefix in Router Advertisements. Lifetimes in milliseconds, `Infinity` included. */
export interface AdvertisedPrefix {
  /** `2001:db8:1::/64`. */
  prefix: string
  /** Its addresses are on the link. Default true. */
  onLink?: boolean
  /** Hosts make addresses from it. Default true. */
  autonomous?: boolean
  /** Default 30 days. */
  validLifetime?: number
  /** Default 7 days. */
  preferredLifetime?: number
}

export type RouterPreference = 'high' | 'medium' | 'low'

/** A route in Router Advertisements (RFC 4191): that this router leads to a prefix. */
export interface AdvertisedRoute {
  /** `2001:db8:9::/48`; `::/0` says more of this router as a default one. */
  prefix: string
  /** Default `medium`. */
  preference?: RouterPreference
  /**
   * In milliseconds, `Infinity` included. Default that of the router, or three intervals when it is
   * no default one.
   */
  lifetime?: number
}

/** What a router tells the hosts of a link. Times in milliseconds. */
export interface AdvertiseOptions {
  prefixes?: readonly (string | AdvertisedPrefix)[]
  /** Default none. */
  routes?: readonly (string | AdvertisedRoute)[]
  /**
   * Whether hosts should take this router rather than others as their default one (RFC 4191).
   * Default `medium`.
   */
  preference?: RouterPreference
  /**
   * The longest time between two advertisements, 4000 to 1 800 000; the shortest is a third of it.
   * Default 600 000.
   */
  interval?: number
  /**
   * How long hosts keep this router as a default one; 0: not at all. At most 9 000 000. Default
   * three intervals.
   */
  lifetime?: number
  /** The hop limit that hosts should use; 0 says nothing. Default 64. */
  hopLimit?: number
  /** The link's MTU; 0 says nothing. Default 0. */
  mtu?: number
  /** How long a neighbor counts as reachable; 0 says nothing. Default 0. */
  reachableTime?: number
  /** Time between neighbor solicitations; 0 says nothing. Default 0. */
  retransTimer?: number
}

const DAY = 86_400_000
const DEFAULT_INTERVAL = 600_000
const MAX_LIFETIME = 9_000_000
/** {@link AdvertiseOptions} with all defaults. */
export interface AdvertiseSettings extends ndp.RouterFields {
  readonly interval: number
  readonly mtu: number
  readonly prefixes: readonly { prefix: Prefix; flags: number; valid: number; preferred: number }[]
  readonly routes: readonly { prefix: Prefix; preference: number; lifetime: number }[]
}

/** @throws {RangeError} for a value out of range; @throws {TypeError} for a malformed prefix */
export function readOptions(options: AdvertiseOptions): AdvertiseSettings {
  const { interval = DEFAULT_INTERVAL, hopLimit = 64, mtu = 0, reachableTime = 0, retransTimer = 0 } = options
  const { lifetime = Math.min(MAX_LIFETIME, 3 * interval) } = options
  check('interval', interval, 4000, 1_800_000)
  check('lifetime', lifetime, 0, MAX_LIFETIME)
  check('hopLimit', hopLimit, 0, 255)
  check('mtu', mtu, 0, 65_535)
  check('reachableTime', reachableTime, 0, 3_600_000)
  check('retransTimer', retransTimer, 0, 0xffffffff)
  const prefixes = (options.prefixes ?? []).map((given) => {
    const each = typeof given === 'string' ? { prefix: given } : given
    const prefix = readPrefix(each.prefix)
    const { onLink = true, autonomous = true, validLifetime = 30 * DAY, preferredLifetime = 7 * DAY } = each
    if (preferredLifetime > validLifetime)
      throw new RangeError(
        `The preferred lifetime of ${prefix} is longer than its valid lifetime: ${preferredLifetime} > ` +
          `${validLifetime} ms.`,
      )
    return {
      prefix,
      flags: (onLink ? ndp.ON_LINK : 0) | (autonomous ? ndp.AUTONOMOUS : 0),
      valid: validLifetime,
      preferred: preferredLifetime,
    }
  })
  const usual = lifetime === 0 ? 3 * interval : lifetime
  const routes = (options.routes ?? []).map((given) => {
    const each: AdvertisedRoute = typeof given === 'string' ? { prefix: given } : given
    const wanted = each.lifetime ?? usual
    check('route lifetime', wanted, 0, Number.POSITIVE_INFINITY)
    return { prefix: readPrefix(each.prefix), preference: readPreference(each.preference), lifetime: wanted }
  })
  const preference = readPreference(options.preference)
  return { interval, lifetime, hopLimit, preference, mtu, reachableTime, retransTimer, prefixes, routes }
}

function readPrefix(text: string): Prefix {
  const prefix = Prefix.parse(text)
  if (prefix.family !== 6) throw new TypeError(`Routers advertise IPv6 prefixes, not ${prefix}.`)
  return prefix
}

function readPreference(preference: RouterPreference = 'medium'): number {
  if (preference === 'high' || preference === 'medium' || preference === 'low') return ndp.PREFERENCE[preference]
  throw new RangeError(`The preference ${preference} of router advertisements is none: it is high, medium or low.`)
}

function check(name: string, value: number, low: number, high: number): void {
  if (!(value >= low && value <= high))
    throw new RangeError(`${name} ${value} of router advertisements is out of range: ${low} to ${high}.`)
}
