/** Which node belongs to which broadcast domain; domains join when a cable joins two switches. */
import { MIN_PMTU6 } from '../../ip/routing/path-mtu.ts'
import { blaming } from './blame.ts'
import { Domain, type Subnets } from './domain.ts'

/** What a domain may be told. */
export interface DomainSettings {
  readonly subnet?: string | readonly string[]
  readonly cost?: number
}

/** A node as this table sees it: a switch or a segment shares its domain with all that connect. */
export interface DomainNode {
  readonly name: string
}

export class DomainTable {
  readonly #subnets: Subnets
  readonly #domains = new Map<DomainNode, Domain>()

  constructor(subnets: Subnets) {
    this.#subnets = subnets
  }

  /**
   * Gives a switch or a segment a domain.
   * @throws {TypeError | RangeError} for a subnet that does not fit
   */
  add(node: DomainNode, settings: DomainSettings): void {
    this.#domains.set(node, this.create(settings))
  }

  /**
   * A domain that belongs to no node.
   * @throws {TypeError | RangeError} for a subnet that does not fit
   */
  create({ subnet, cost = 1 }: DomainSettings): Domain {
    const domain = new Domain()
    domain.cost = cost
    if (subnet !== undefined)
      domain.prefixes = blaming('subnet', () => this.#subnets.given(typeof subnet === 'string' ? [subnet] : subnet))
    return domain
  }

  /**
   * The domain of a cable between two nodes: their own when both are hosts, else the one of the
   * switch or segment. Two of those join their domains.
   * @throws {Error} for a loop of switches, and for domains that cannot join
   */
  ofCable(a: DomainNode, b: DomainNode, settings: DomainSettings): Domain {
    const shared = [a, b].flatMap((node) => this.#domains.get(node) ?? [])
    const [first, second] = shared
    if (first === undefined) return this.create(settings)
    if (settings.subnet !== undefined)
      throw new Error(`subnet: The subnet belongs to ${this.#domains.has(a) ? a.name : b.name}, not to the cable.`)
    return second === undefined ? first : this.#join(a, b, first, second)
  }

  #join(a: DomainNode, b: DomainNode, first: Domain, second: Domain): Domain {
    if (first === second)
      throw new Error(
        `${a.name} and ${b.name} are joined already: a loop of switches would pass broadcasts round for ever.`,
      )
    if (first.members.length > 0 && second.members.length > 0)
      throw new Error(`${a.name} and ${b.name} have hosts in different subnets already: connect switches before hosts.`)
    const [kept, gone] =
      second.members.length > 0 || (first.prefixes.length === 0 && second.prefixes.length > 0)
        ? [second, first]
        : [first, second]
    if (gone.prefixes.length > 0)
      throw new Error(`${a.name} and ${b.name} have a subnet each: give one to one of them.`)
    for (const [node, domain] of this.#domains) if (domain === gone) this.#domains.set(node, kept)
    return kept
  }
}

/**
 * @throws {RangeError} for an IPv6 subnet where no host can have an address of it (RFC 8200 section
 * 5)
 */
export function checkIpv6Mtu(subnet: string | readonly string[] | undefined, mtu: number): void {
  const six = [subnet ?? []].flat().find((text) => text.includes(':'))
  if (six !== undefined && mtu < MIN_PMTU6)
    throw new RangeError(
      `subnet: ${six} cannot be used here: IPv6 needs an MTU of ${MIN_PMTU6} at least, and it is ${mtu}.`,
    )
}
