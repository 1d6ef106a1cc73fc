/** Gives nics their addresses: given ones, or the next free ones of their domain. */
import { Address, type Cidr, type Family, Prefix, parseCidr } from '../../base/address.ts'
import type { Nic } from '../../ip/nic/nic.ts'
import { MIN_PMTU6 } from '../../ip/routing/path-mtu.ts'
import type { Link } from '../../link/link.ts'
import { list } from '../list.ts'
import { blaming } from './blame.ts'
import type { Domain, Subnets } from './domain.ts'
import type { Member, RoutedDomain, RoutedNode } from './routed.ts'

/** The node that gets a nic. */
export interface NumberedNode extends RoutedNode {
  readonly name: string
  readonly places: { domain: RoutedDomain; member: Member }[]
}

export class Numbering {
  /** Addresses by the name of their node, IPv4 first: the hosts file of the whole network. */
  readonly names: Map<string, readonly string[]>
  readonly #names = new Map<string, string[]>()
  readonly #subnets: Subnets

  constructor(subnets: Subnets) {
    this.#subnets = subnets
    this.names = this.#names
  }

  /** The first address of a node, of a family. @throws {Error} when it has none */
  address(name: string, family: Family): string {
    const found = this.names.get(name)?.find((text) => text.includes(':') === (family === 6))
    if (found === undefined)
      throw new Error(
        `${name} has no IPv${family} address: connect it ` +
          `first${family === 6 ? `, with an MTU of ${MIN_PMTU6} or more` : ''}.`,
      )
    return found
  }

  /**
   * Adds a nic over `link` to a node, with the given addresses or the next free ones, and the node
   * to the domain.
   * @throws {TypeError | RangeError | Error} for addresses that do not fit, with the option's name
   */
  addNic(node: NumberedNode, link: Link, domain: Domain, given: readonly string[] | undefined): Nic {
    const option = `addresses.${node.name}`
    const addresses =
      given === undefined
        ? this.#free(domain, link.mtu)
        : given.map((text) => blaming(option, () => this.#given(domain, text, node.stack.dad)))
    const nic = blaming(option, () => node.stack.addNumberedNic(link, { name: link.name }, addresses))
    const four = addresses.find(({ address }) => address.family === 4)
    const six = addresses.find(({ address }) => address.family === 6)
    const gateways = [four, six].filter((each) => each !== undefined).map(({ address }) => address)
    const member: Member = { node, nic, gateways }
    domain.members.push(member)
    node.places.push({ domain, member })
    for (const { address } of addresses) this.#addName(node.name, address)
    return nic
  }

  /** IPv4 first, each family in the order of the nics. */
  #addName(name: string, address: Address): void {
    const known = this.#names.get(name)
    if (known === undefined) this.#names.set(name, [address.toString()])
    else if (address.family === 6) known.push(address.toString())
    else {
      let at = known.length
      while (at > 0 && known[at - 1]?.includes(':')) at--
      known.splice(at, 0, address.toString())
    }
  }

  /**
   * Gives several nodes an address that is in no subnet.
   * @throws {TypeError | RangeError | Error} for one that is in a subnet, or cannot be a host's
   */
  share(text: string, nodes: readonly (NumberedNode & { readonly anycast: Prefix[] })[]): void {
    const address = Address.parse(text)
    if (address.isMulticast || address.isUnspecified) throw new Error(`${text} is not the address of a host.`)
    const prefix = new Prefix(address, address.family === 4 ? 32 : 128)
    this.#subnets.claim(prefix)
    for (const node of nodes) {
      node.stack.loopback.addAddress(`${address}/${prefix.length}`)
      node.anycast.push(prefix)
    }
  }

  #free(domain: Domain, mtu: number): Cidr[] {
    if (domain.prefixes.length === 0) domain.prefixes = this.#subnets.next(mtu < MIN_PMTU6 ? [4] : [4, 6])
    const addresses = domain.prefixes
      .filter(({ family }) => family === 4 || mtu >= MIN_PMTU6)
      .map((prefix) => domain.newAddress(prefix))
    domain.nextHost()
    return addresses
  }

  /** One that looks for duplicates may be given an address of IPv6 that another node has. */
  #given(domain: Domain, text: string, looks: boolean): Cidr {
    const { address, prefix } = parseCidr(text)
    let within = domain.prefixes.find((each) => each.contains(address))
    if (within === undefined && text.includes('/')) {
      this.#subnets.claim(prefix)
      domain.prefixes = [...domain.prefixes, prefix]
      within = prefix
    }
    if (within === undefined)
      throw new RangeError(
        `${address} is in no subnet of its cable (${list(domain.prefixes.map(String))}); add a prefix length.`,
      )
    if (!domain.take(address) && !(looks && address.family === 6))
      throw new Error(
        `another node has the address ${address}.` +
          (address.family === 6 ? ' With dad: true the host looks for that itself.' : ''),
      )
    return { address, prefix: within }
  }
}
