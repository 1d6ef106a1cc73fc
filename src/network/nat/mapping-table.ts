/**
 * The mappings of a NAT (RFC 4787 sections 4 and 5): which outside port an inside endpoint has, how
 * long, and who may send to it. It sees no packet.
 */
import { MAPPED } from '../../base/address.ts'
import { AddressMap } from '../../base/address-map.ts'
import type { Clock } from '../../base/clock.ts'
import type { KeyedHash } from '../../base/hash.ts'
import { type Hashed, HashTable } from '../../base/hash-table.ts'
import type { Random } from '../../base/random.ts'
import { ICMPV4, UDP } from '../../wire/protocol.ts'
import type { NatBehaviour, NatOptions } from './nat-options.ts'
import { NatPorts } from './nat-ports.ts'

/** RFC 5508 section 3.2 asks for 60 seconds or more. */
const ICMP_TIMEOUT = 60_000
/**
 * Remote ends that one mapping remembers; of more, the one that was sent to longest ago is
 * forgotten.
 */
const PEERS = 1024

/** A remote end to which a mapping sent. */
interface Peer {
  lastSent: number
}

export class Mapping implements Hashed<Mapping> {
  readonly hash: number
  chain: Mapping | null = null
  readonly protocol: number
  /** The inside endpoint; for ICMP the identifier of echo messages stands for the port. */
  readonly address: number
  readonly port: number
  /** The remote end, as far as the mapping depends on it; else 0. */
  readonly remote: number
  readonly remotePort: number
  readonly outsidePort: number
  /** How many were made before. */
  readonly serial: number
  lastUsed = 0
  /** Those of its protocol that were used before and after it. */
  older: Mapping | null = null
  newer: Mapping | null = null
  /** By address, and port where the filter depends on it. */
  readonly peers: AddressMap<Peer>

  constructor(
    hash: KeyedHash,
    protocol: number,
    address: number,
    port: number,
    remote: number,
    remotePort: number,
    outsidePort: number,
    serial: number,
  ) {
    this.hash = keyHash(hash, protocol, address, port, remote, remotePort)
    this.protocol = protocol
    this.address = address
    this.port = port
    this.remote = remote
    this.remotePort = remotePort
    this.outsidePort = outsidePort
    this.serial = serial
    this.peers = new AddressMap(hash)
  }
}

/** The outside ports of one protocol, and the mappings that have them, by their last use. */
class Outside {
  readonly timeout: number
  readonly ports: NatPorts
  readonly isUsed: (port: number) => boolean
  readonly mappings = new Map<number, Mapping>()
  oldest: Mapping | null = null
  newest: Mapping | null = null

  constructor(random: Random, timeout: number, isUsed: (port: number) => boolean) {
    this.ports = new NatPorts(random)
    this.timeout = timeout
    this.isUsed = isUsed
  }

  add(mapping: Mapping): void {
    this.ports.take(mapping.outsidePort)
    this.mappings.set(mapping.outsidePort, mapping)
    this.#link(mapping)
  }

  remove(mapping: Mapping): void {
    this.ports.release(mapping.outsidePort)
    this.mappings.delete(mapping.outsidePort)
    this.#unlink(mapping)
  }

  /** The mapping is the one that was used last. */
  used(mapping: Mapping): void {
    if (mapping === this.newest) return
    this.#unlink(mapping)
    this.#link(mapping)
  }

  clear(): void {
    this.ports.clear()
    this.mappings.clear()
    this.oldest = this.newest = null
  }

  #link(mapping: Mapping): void {
    mapping.older = this.newest
    mapping.newer = null
    if (this.newest === null) this.oldest = mapping
    else this.newest.newer = mapping
    this.newest = mapping
  }

  #unlink(mapping: Mapping): void {
    if (mapping.older === null) this.oldest = mapping.newer
    else mapping.older.newer = mapping.newer
    if (mapping.newer === null) this.newest = mapping.older
    else mapping.newer.older = mapping.older
  }
}

export class MappingTable {
  readonly #clock: Clock
  readonly #hash: KeyedHash
  readonly #mapping: NatBehaviour
  readonly #filtering: NatBehaviour
  readonly #preservePorts: boolean
  readonly #byInside = new HashTable<Mapping>()
  readonly #udp: Outside
  readonly #icmp: Outside
  #made = 0

  /** `hasSocket`: the router has a UDP socket on this port, which no mapping may get. */
  constructor(
    clock: Clock,
    hash: KeyedHash,
    random: Random,
    options: Required<NatOptions>,
    hasSocket: (port: number) => boolean,
  ) {
    const { mapping, filtering, preservePorts, timeout } = options
    this.#clock = clock
    this.#hash = hash
    this.#mapping = mapping
    this.#filtering = filtering
    this.#preservePorts = preservePorts
    this.#udp = new Outside(random, timeout, hasSocket)
    this.#icmp = new Outside(random, Math.max(ICMP_TIMEOUT, timeout), () => false)
  }

  /** The mapping for a packet from inside, made if there is none; `null` when no port is free. */
  map(protocol: number, address: number, port: number, to: number, toPort: number): Mapping | null {
    let mapping = this.inside(protocol, address, port, to, toPort)
    if (mapping === null) {
      mapping = this.#make(protocol, address, port, to, toPort)
      if (mapping === null) return null
    }
    this.used(mapping)
    if (this.#filtering !== 'endpoint-independent') this.#sent(mapping, to, toPort)
    return mapping
  }

  /** The mapping of an inside endpoint towards a remote one; `null` when there is none. */
  inside(protocol: number, address: number, port: number, to: number, toPort: number): Mapping | null {
    const remote = remoteAddress(this.#mapping, to)
    const remotePort = portThatCounts(this.#mapping, protocol, toPort)
    const hash = keyHash(this.#hash, protocol, address, port, remote, remotePort)
    for (let each = this.#byInside.head(hash); each !== null; each = each.chain)
      if (
        each.address === address &&
        each.port === port &&
        each.protocol === protocol &&
        each.remote === remote &&
        each.remotePort === remotePort
      )
        return this.#held(each)
    return null
  }

  /** The mapping that has an outside port; `null` when none has. */
  outside(protocol: number, port: number): Mapping | null {
    const mapping = this.#of(protocol).mappings.get(port)
    return mapping === undefined ? null : this.#held(mapping)
  }

  /** Whether a remote end may send to a mapping (RFC 4787 section 5). */
  lets({ protocol, peers }: Mapping, from: number, fromPort: number): boolean {
    if (this.#filtering === 'endpoint-independent') return true
    const address = remoteAddress(this.#filtering, from)
    const peer = peers.get(0, 0, address, portThatCounts(this.#filtering, protocol, fromPort))
    return peer !== undefined && this.#clock.now() - peer.lastSent <= this.#of(protocol).timeout
  }

  /** The mapping holds from now on for the whole timeout. */
  used(mapping: Mapping): void {
    mapping.lastUsed = this.#clock.now()
    this.#of(mapping.protocol).used(mapping)
  }

  /** Milliseconds until a mapping ends; below 0 when it has. */
  left({ protocol, lastUsed }: Mapping): number {
    return this.#of(protocol).timeout - (this.#clock.now() - lastUsed)
  }

  /** The mappings that hold now, in the order of their making. */
  get all(): Mapping[] {
    return [...this.#udp.mappings.values(), ...this.#icmp.mappings.values()]
      .filter((each) => this.left(each) >= 0)
      .sort((a, b) => a.serial - b.serial)
  }

  /** Mappings that a lookup may have to compare. */
  get longestChain(): number {
    return this.#byInside.longestChain
  }

  clear(): void {
    this.#byInside.clear()
    this.#udp.clear()
    this.#icmp.clear()
  }

  #of(protocol: number): Outside {
    return protocol === UDP ? this.#udp : this.#icmp
  }

  #make(protocol: number, address: number, port: number, to: number, toPort: number): Mapping | null {
    const outsidePort = this.#freePort(protocol, port)
    if (outsidePort === 0) return null
    const remote = remoteAddress(this.#mapping, to)
    const remotePort = portThatCounts(this.#mapping, protocol, toPort)
    const serial = this.#made++
    const made = new Mapping(this.#hash, protocol, address, port, remote, remotePort, outsidePort, serial)
    this.#byInside.add(made)
    this.#of(protocol).add(made)
    return made
  }

  /** The mapping, if it has not ended; one that has is forgotten. */
  #held(mapping: Mapping): Mapping | null {
    if (this.left(mapping) >= 0) return mapping
    this.#byInside.remove(mapping)
    this.#of(mapping.protocol).remove(mapping)
    return null
  }

  #sent({ protocol, peers }: Mapping, to: number, toPort: number): void {
    const address = remoteAddress(this.#filtering, to)
    const port = portThatCounts(this.#filtering, protocol, toPort)
    const peer = peers.get(0, 0, address, port) ?? { lastSent: 0 }
    peer.lastSent = this.#clock.now()
    // It is the newest one then.
    peers.set(0, 0, address, port, peer)
    if (peers.size > PEERS) peers.deleteOldest()
  }

  /**
   * No port is shared (REQ-3); its parity (REQ-4) and whether it is a well-known one (REQ-3 a)
   * stay. 0 when none is free.
   */
  #freePort(protocol: number, port: number): number {
    const outside = this.#of(protocol)
    const { ports, isUsed } = outside
    // Mappings that have ended give their ports back: those that were not used for longest.
    let { oldest } = outside
    while (oldest !== null && this.#held(oldest) === null) oldest = outside.oldest
    if (this.#preservePorts && !ports.isTaken(port) && !isUsed(port)) return port
    return ports.choose(port, protocol === UDP && port < 1024, isUsed)
  }
}

/** The remote address as far as a behaviour depends on it, else 0. */
function remoteAddress(behaviour: NatBehaviour, address: number): number {
  return behaviour === 'endpoint-independent' ? 0 : address
}

/** The same for the port. An echo message has none at the remote end (RFC 5508 section 3.2). */
function portThatCounts(behaviour: NatBehaviour, protocol: number, port: number): number {
  return behaviour === 'address-and-port-dependent' && protocol !== ICMPV4 ? port : 0
}

function keyHash(
  hash: KeyedHash,
  protocol: number,
  address: number,
  port: number,
  remote: number,
  remotePort: number,
): number {
  return hash.flow(0, 0, MAPPED, address, 0, 0, MAPPED, remote, (port << 16) | remotePort, protocol)
}
