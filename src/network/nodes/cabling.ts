/** Plugs nodes into wires: makes cables, their ports and nics. */
import { Address } from '../../base/address.ts'
import type { SeededRandom } from '../../base/random.ts'
import type { Nic } from '../../ip/nic/nic.ts'
import type { Link } from '../../link/link.ts'
import { Segment } from '../../link/segment.ts'
import { Domain } from '../addressing/domain.ts'
import { checkIpv6Mtu, type DomainTable } from '../addressing/domain-table.ts'
import type { Numbering } from '../addressing/numbering.ts'
import { FaultModels } from '../scenario/fault-models.ts'
import { IMPAIRMENTS, type ImpairmentSpec } from '../scenario/impairment-spec.ts'
import type { AttachOptions, ConnectOptions } from '../settings.ts'
import { Cable, type CableEnd, impairEnd } from './cable.ts'
import { isLan, type Node, StackNode } from './node.ts'
import { Port, type PortContext } from './port.ts'
import { Switch } from './switch.ts'

/** What the cables of a network share. */
export interface CabledNetwork {
  readonly context: PortContext
  readonly random: SeededRandom
  readonly domains: DomainTable
  readonly numbering: Numbering
  /** Told of each new port before anything passes it. */
  portAdded(port: Port): void
}

/** The faults of one direction, and how they are described to begin with. */
interface Described {
  readonly faults: FaultModels
  readonly spec: ImpairmentSpec
}

export class Cabling {
  readonly #network: CabledNetwork

  constructor(network: CabledNetwork) {
    this.#network = network
  }

  /**
   * Joins two nodes with a cable of this name; options were checked.
   * @throws what `network.connect` throws
   */
  connect(a: Node, b: Node, name: string, options: ConnectOptions): Cable {
    if (isLan(a) && isLan(b))
      throw new Error(`The segments ${a.name} and ${b.name} need a switch or a router between them.`)
    const random = this.#network.random.fork(`cable ${name}`)
    const domain = this.#network.domains.ofCable(a, b, options)
    const mtu = options.mtu ?? (isLan(a) ? a.wire.mtu : isLan(b) ? b.wire.mtu : 1500)
    checkIpv6Mtu(options.subnet, mtu)
    const wire = this.#wire(a, b, name, random, options, mtu)
    for (const node of Object.keys(options.addresses ?? {}))
      if (node !== a.name && node !== b.name)
        throw new Error(`addresses.${node}: ${node} is no end of the cable ${name}.`)
    const both = bothWays(options)
    const forward = { faults: new FaultModels(), spec: { ...both, ...options.forward } }
    const back = { faults: new FaultModels(), spec: { ...both, ...options.back } }
    const end = (node: Node, out: Described, into: Described | null): CableEnd => {
      const { faults, spec } = out
      if (isLan(node)) return { node: node.name, port: null, nic: null }
      const nicName = `eth${node.ports.length}`
      const own = random.fork(node.name)
      const promiscuous = node instanceof Switch
      const link = wire.link({ name: nicName, mtu, promiscuous, random: own.fork('hardware address') })
      const port = this.#port(node, nicName, link, own)
      // Before there is a nic: a nic announces itself as soon as it is there.
      impairEnd(faults, port, 'send', spec)
      if (into !== null) impairEnd(into.faults, port, 'receive', into.spec)
      if (node instanceof Switch) node.addPort(port)
      const nic = node instanceof Switch ? null : this.#nic(node, port, domain, givenTo(node.name, options))
      return { node: node.name, port, nic }
    }
    // A segment's end has no port: what comes from it is impaired at the other end.
    const ends = [end(a, forward, isLan(b) ? back : null), end(b, back, isLan(a) ? forward : null)] as const
    return new Cable(name, ends, [forward.faults, back.faults])
  }

  /** Makes a link that was made elsewhere a nic of a host or router. */
  attach(host: StackNode, link: Link, options: AttachOptions): Nic {
    const domain = new Domain()
    const port = this.#port(host, link.name, link, this.#network.random.fork(`attached ${link.name}`))
    const nic = this.#nic(host, port, domain, options.addresses)
    if (options.gateway !== undefined) {
      const via = Address.parse(options.gateway).toString()
      const routes = host.stack.addRoute({ to: 'default', via })
      domain.prefixes = [...domain.prefixes, ...routes.map(({ prefix }) => prefix)]
    }
    return nic
  }

  #wire(a: Node, b: Node, name: string, random: SeededRandom, options: ConnectOptions, mtu: number): Segment {
    if (isLan(a)) return a.wire
    if (isLan(b)) return b.wire
    const medium = a instanceof StackNode && b instanceof StackNode ? (options.medium ?? 'ip') : 'ethernet'
    return new Segment({ name, clock: this.#network.context.clock, random: random.fork('addresses'), medium, mtu })
  }

  #port(node: StackNode | Switch, name: string, link: Link, random: SeededRandom): Port {
    const port = new Port(this.#network.context, node, name, link, random)
    this.#network.portAdded(port)
    return port
  }

  #nic(node: StackNode, port: Port, domain: Domain, given: readonly string[] | undefined): Nic {
    const nic = this.#network.numbering.addNic(node, port, domain, given)
    node.ports.push(port)
    if (node.nat !== null) port.hook = node.nat
    return nic
  }
}

/** The faults of both directions; the MTU of a cable is its own. */
function bothWays(options: ConnectOptions): ImpairmentSpec {
  const spec: Record<string, unknown> = {}
  for (const name of IMPAIRMENTS) if (name !== 'mtu' && options[name] !== undefined) spec[name] = options[name]
  return spec
}

/** The addresses that the options of a cable give to a node. */
function givenTo(name: string, { addresses = {} }: ConnectOptions): readonly string[] | undefined {
  const given = Object.hasOwn(addresses, name) ? addresses[name] : undefined
  return typeof given === 'string' ? [given] : given
}
