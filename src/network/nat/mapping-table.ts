/**
 * The mappings of a NAT (RFC 4787 sections 4 and 5, RFC 5382 sections 4 and 5): which outside port
 * an inside endpoint has, how long, and who may send to it. It sees no packet.
 */
import type { Clock } from '../../base/clock.ts'
import type { KeyedHash } from '../../base/hash.ts'
import { HashTable } from '../../base/hash-table.ts'
import type { Random } from '../../base/random.ts'
import { ICMPV4, TCP, UDP } from '../../wire/protocol.ts'
import { RST } from '../../wire/tcp.ts'
import { keyHash, Mapping, portThatCounts, remoteAddress } from './mapping.ts'
import type { NatBehaviour, NatOptions } from './nat-options.ts'
import { OutsidePorts } from './outside-ports.ts'
import { TcpTracker } from './tcp-tracker.ts'

export { Mapping } from './mapping.ts'

/** RFC 5508 section 3.2 asks for 60 seconds or more. */
const ICMP_TIMEOUT = 60_000
/**
 * Remote ends that one mapping remembers; of more, the one that was sent to longest ago is
 * forgotten.
 */
const PEERS = 1024

export class MappingTable {
  readonly #clock: Clock
  readonly #hash: KeyedHash
  readonly #mapping: NatBehaviour
  readonly #filtering: NatBehaviour
  readonly #preservePorts: boolean
  readonly #preserveParity: boolean
  readonly #inboundRefresh: boolean
  readonly #byInside = new HashTable<Mapping>()
  readonly #udp: OutsidePorts
  readonly #tcp: OutsidePorts
  readonly #icmp: OutsidePorts
  readonly #tracker: TcpTracker
  #made = 0

  /** `hasSocket`: the router has a UDP socket on this port, which no mapping may get. */
  constructor(
    clock: Clock,
    hash: KeyedHash,
    random: Random,
    options: Required<NatOptions>,
    hasSocket: (port: number) => boolean,
  ) {
    const { mapping, filtering, preservePorts, preserveParity, inboundRefresh, timeout } = options
    const { tcpOpeningTimeout, tcpTimeout, tcpClosingTimeout } = options
    this.#clock = clock
    this.#hash = hash
    this.#mapping = mapping
    this.#filtering = filtering
    this.#preservePorts = preservePorts
    this.#preserveParity = preserveParity
    this.#inboundRefresh = inboundRefresh
    this.#udp = new OutsidePorts(random, [timeout], hasSocket)
    this.#tcp = new OutsidePorts(random, [tcpOpeningTimeout, tcpTimeout, tcpClosingTimeout], () => false)
    this.#icmp = new OutsidePorts(random, [Math.max(ICMP_TIMEOUT, timeout)], () => false)
    this.#tracker = new TcpTracker(clock, this.#tcp, options)
  }

  /**
   * The mapping for a packet from inside, made if there is none; `null` when no port is free, and
   * for a TCP segment that opens nothing. `flags` are those of TCP.
   */
  map(protocol: number, address: number, port: number, to: number, toPort: number, flags = 0): Mapping | null {
    let mapping = this.inside(protocol, address, port, to, toPort)
    if (mapping === null) {
      if (protocol === TCP && (flags & RST) !== 0) return null
      mapping = this.#make(protocol, address, port, to, toPort)
      if (mapping === null) return null
    }
    if (protocol === TCP) {
      this.#tracker.passes(mapping, to, toPort, true, flags)
      return mapping
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

  /** Whether a remote end may send to a mapping (RFC 4787 section 5, RFC 5382 section 4.3). */
  lets(mapping: Mapping, from: number, fromPort: number): boolean {
    if (this.#filtering === 'endpoint-independent') return true
    const { protocol, peers } = mapping
    if (protocol === TCP) {
      if (this.#tracker.find(mapping, from, fromPort) !== null) return true
      return this.#filtering === 'address-dependent' && this.#tracker.knows(mapping, from)
    }
    const address = remoteAddress(this.#filtering, from)
    const peer = peers.get(0, 0, address, portThatCounts(this.#filtering, protocol, fromPort))
    return peer !== undefined && this.#clock.now() - peer.lastSent <= this.#of(protocol).queue.timeout
  }

  /** A packet that the filter lets in passes to a mapping. */
  received(mapping: Mapping, from: number, fromPort: number, flags: number): void {
    if (mapping.protocol === TCP) this.#tracker.passes(mapping, from, fromPort, false, flags)
    else if (this.#inboundRefresh) this.used(mapping)
  }

  /** The mapping, not one of TCP, holds from now on for the whole timeout. */
  used(mapping: Mapping): void {
    const outside = this.#of(mapping.protocol)
    outside.move(mapping, outside.queue, this.#clock.now() + outside.queue.timeout)
  }

  /** Milliseconds until a mapping ends; below 0 when it has. */
  left({ endsAt }: Mapping): number {
    return endsAt - this.#clock.now()
  }

  /** The mappings that hold now, in the order of their making. */
  get all(): Mapping[] {
    return [...this.#udp.mappings.values(), ...this.#tcp.mappings.values(), ...this.#icmp.mappings.values()]
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
    this.#tcp.clear()
    this.#icmp.clear()
  }

  #of(protocol: number): OutsidePorts {
    return protocol === UDP ? this.#udp : protocol === TCP ? this.#tcp : this.#icmp
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
   * No port is shared (RFC 4787 REQ-3, RFC 5382 REQ-7); whether it is a well-known one (REQ-3 a)
   * stays, and so does its parity (REQ-4) if that is asked for. 0 when none is free.
   */
  #freePort(protocol: number, port: number): number {
    const { ports, isUsed, queues } = this.#of(protocol)
    // Mappings that have ended give their ports back.
    for (const queue of queues) while (queue.oldest !== null && this.#held(queue.oldest) === null);
    if (this.#preservePorts && !ports.isTaken(port) && !isUsed(port)) return port
    return ports.choose(this.#preserveParity ? port : null, protocol !== ICMPV4 && port < 1024, isUsed)
  }
}
