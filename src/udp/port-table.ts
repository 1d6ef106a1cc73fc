/**
 * Which endpoint has a port: conflicts when binding, and the best match for a datagram, with
 * Linux's rules (udp_lib_get_port, udp4_lib_lookup).
 *
 * One bucket per port. A crowded bucket is hashed by addresses, so that a datagram beside thousands
 * of sockets on its port stays a few probes.
 */
import { type Address, MAPPED } from '../base/address.ts'
import { KeyedHash } from '../base/hash.ts'
import type { Packet } from '../base/packet.ts'
import type { Random } from '../base/random.ts'

/** Linux: net.ipv4.ip_local_port_range. */
const EPHEMERAL_FIRST = 32_768
const EPHEMERAL_LAST = 60_999

/** An endpoint as the table sees it: what it is bound and connected to. */
export interface PortHolder {
  readonly family: 4 | 6
  readonly localAddress: Address
  readonly localPort: number
  readonly localNic: number
  readonly remoteAddress: Address | null
  readonly remotePort: number
  readonly remoteNic: number
  readonly boundNic: number
  readonly reuseAddress: boolean
  readonly reusePort: boolean
  readonly ipv6Only: boolean
  readonly dualStack: boolean
}

const NONE: readonly never[] = []

/** How often a random port is tried before all are looked at. */
const TRIES = 16
/** With more endpoints than this a bucket finds them by hash. */
const CROWDED = 8

class Bucket<E extends PortHolder> {
  /** Newest first: among equals the last one bound wins, as in Linux. */
  readonly endpoints: E[] = []
  crowd: Crowd<E> | null = null
  reuseGroups = 0
}

/**
 * The endpoints of a crowded port by what they are bound and connected to (Linux: udp_ehash,
 * udp_hash2), each list newest first. A list has whoever shares the hash; keys are compared by
 * {@link score}.
 */
class Crowd<E extends PortHolder> {
  readonly #hash: KeyedHash
  /** Connected ones, by both addresses and the remote port. */
  readonly #flows = new Map<number, E[]>()
  /** Those bound to an address, by it. */
  readonly #locals = new Map<number, E[]>()
  /** Those bound to any. */
  readonly any: E[] = []
  /** What was found last among the connected ones: as a rule the next datagram's, too. */
  last: E | null = null

  constructor(hash: KeyedHash) {
    this.#hash = hash
  }

  add(endpoint: E): void {
    this.last = null
    const { table, key, list } = this.#placeOf(endpoint)
    list.unshift(endpoint)
    table?.set(key, list)
  }

  /** One that was added, with the addresses that it had then. */
  remove(endpoint: E): void {
    this.last = null
    const { table, key, list } = this.#placeOf(endpoint)
    list.splice(list.indexOf(endpoint), 1)
    if (list.length === 0) table?.delete(key)
  }

  /** Those that may be connected to the sender of a datagram. */
  flow(packet: Packet, sourcePort: number): readonly E[] | undefined {
    const { s0, s1, s2, s3, d0, d1, d2, d3 } = packet
    return this.#flows.get(this.#hash.flow(s0, s1, s2, s3, d0, d1, d2, d3, sourcePort, 0))
  }

  /** Those that may be bound to the destination of a datagram. */
  local(packet: Packet): readonly E[] | undefined {
    return this.#locals.get(this.#hash.address(packet.d0, packet.d1, packet.d2, packet.d3))
  }

  /** The longest list but that of any. */
  get longestChain(): number {
    return [...this.#flows.values(), ...this.#locals.values()].reduce(
      (longest, { length }) => Math.max(longest, length),
      0,
    )
  }

  #keyOf({ localAddress: to, remoteAddress: from, remotePort }: E): number {
    if (from === null) return this.#hash.address(to.w0, to.w1, to.w2, to.w3)
    return this.#hash.flow(from.w0, from.w1, from.w2, from.w3, to.w0, to.w1, to.w2, to.w3, remotePort, 0)
  }

  /** The list of an endpoint, and where it stands; those bound to any are in no table. */
  #placeOf(endpoint: E): { table: Map<number, E[]> | null; key: number; list: E[] } {
    if (endpoint.localAddress.isUnspecified) return { table: null, key: 0, list: this.any }
    const table = endpoint.remoteAddress === null ? this.#locals : this.#flows
    const key = this.#keyOf(endpoint)
    return { table, key, list: table.get(key) ?? [] }
  }
}

export class PortTable<E extends PortHolder> {
  readonly #buckets = new Map<number, Bucket<E>>()
  readonly #random: Random
  readonly #hash: KeyedHash

  /** `hash`: the stack's. */
  constructor(random: Random, hash = new KeyedHash(random)) {
    this.#random = random
    this.#hash = hash
  }

  /** The endpoints of one port, newest first. */
  endpoints(port: number): readonly E[] {
    return this.#buckets.get(port)?.endpoints ?? []
  }

  /** The endpoints of one port among which those are that a group or broadcast datagram is for. */
  candidates(packet: Packet, sourcePort: number, port: number): readonly E[] {
    const bucket = this.#buckets.get(port)
    if (bucket === undefined) return NONE
    const { crowd } = bucket
    if (crowd === null) return bucket.endpoints
    const flow = crowd.flow(packet, sourcePort) ?? NONE
    const local = crowd.local(packet) ?? NONE
    return flow.length === 0 && local.length === 0 ? crowd.any : [...flow, ...local, ...crowd.any]
  }

  /** Endpoints that a lookup may have to compare, of those bound to an address. */
  get longestChain(): number {
    return [...this.#buckets.values()].reduce(
      (most, { crowd, endpoints }) => Math.max(most, crowd?.longestChain ?? endpoints.length),
      0,
    )
  }

  all(): E[] {
    return [...this.#buckets.values()].flatMap((bucket) => bucket.endpoints)
  }

  /**
   * Whether another endpoint keeps this one, with its present address and options, from the port.
   */
  conflicts(endpoint: E, port: number): boolean {
    const bucket = this.#buckets.get(port)
    if (bucket === undefined) return false
    for (const other of bucket.endpoints) {
      if (other === endpoint) continue
      if (endpoint.reuseAddress && other.reuseAddress) continue
      if (endpoint.reusePort && other.reusePort) continue
      if (endpoint.boundNic !== 0 && other.boundNic !== 0 && endpoint.boundNic !== other.boundNic) continue
      if (addressesClash(endpoint, other)) return true
    }
    return false
  }

  /**
   * A random free ephemeral port, each as likely as any other (RFC 6056 section 3.3.2; the next
   * free one behind a random one would as a rule be the first behind a taken range), or 0 when all
   * are taken.
   */
  freePort(endpoint: E): number {
    const count = EPHEMERAL_LAST - EPHEMERAL_FIRST + 1
    for (let i = 0; i < TRIES; i++) {
      const port = EPHEMERAL_FIRST + this.#random.below(count)
      if (!this.#isTaken(endpoint, port)) return port
    }
    const free: number[] = []
    for (let port = EPHEMERAL_FIRST; port <= EPHEMERAL_LAST; port++) if (!this.#isTaken(endpoint, port)) free.push(port)
    return free.length === 0 ? 0 : (free[this.#random.below(free.length)] as number)
  }

  /** Sharing options do not count here: a port of one's own is asked for. */
  #isTaken(endpoint: E, port: number): boolean {
    const bucket = this.#buckets.get(port)
    return bucket?.endpoints.some((other) => addressesClash(endpoint, other)) ?? false
  }

  add(endpoint: E): void {
    let bucket = this.#buckets.get(endpoint.localPort)
    if (bucket === undefined) {
      bucket = new Bucket()
      this.#buckets.set(endpoint.localPort, bucket)
    }
    bucket.endpoints.unshift(endpoint)
    if (endpoint.reusePort) bucket.reuseGroups++
    if (bucket.crowd !== null) bucket.crowd.add(endpoint)
    else if (bucket.endpoints.length > CROWDED) {
      bucket.crowd = new Crowd(this.#hash)
      for (const each of bucket.endpoints.toReversed()) bucket.crowd.add(each)
    }
  }

  remove(endpoint: E): void {
    const bucket = this.#buckets.get(endpoint.localPort)
    if (bucket === undefined) return
    const at = bucket.endpoints.indexOf(endpoint)
    if (at < 0) return
    bucket.crowd?.remove(endpoint)
    if (endpoint.reusePort) bucket.reuseGroups--
    bucket.endpoints.splice(at, 1)
    if (bucket.endpoints.length === 0) this.#buckets.delete(endpoint.localPort)
  }

  /**
   * The best endpoint for a unicast datagram: exact address before any, connected before not, the
   * right family before dual-stack, a device binding before none; among equals of one reusePort
   * group the flow's hash decides.
   */
  lookup(packet: Packet, sourcePort: number, destinationPort: number): E | null {
    const bucket = this.#buckets.get(destinationPort)
    if (bucket === undefined) return null
    const { crowd, endpoints } = bucket
    if (crowd === null) return this.#best(endpoints, packet, sourcePort, bucket)
    // In the order of their scores: no endpoint of a later list is better than one of an earlier
    // list.
    const { last } = crowd
    if (last !== null && score(last, packet, sourcePort) >= 0) return last
    const flow = crowd.flow(packet, sourcePort)
    const connected = flow === undefined ? null : this.#best(flow, packet, sourcePort, bucket)
    if (connected !== null) {
      // One alone: which of several is the best one depends on the datagram's nic.
      if (flow?.length === 1) crowd.last = connected
      return connected
    }
    const local = crowd.local(packet)
    const bound = local === undefined ? null : this.#best(local, packet, sourcePort, bucket)
    return bound ?? this.#best(crowd.any, packet, sourcePort, bucket)
  }

  #best(endpoints: readonly E[], packet: Packet, sourcePort: number, { reuseGroups }: Bucket<E>): E | null {
    let best: E | null = null
    let bestScore = -1
    let equals = 0
    for (let i = 0; i < endpoints.length; i++) {
      const endpoint = endpoints[i] as E
      const value = score(endpoint, packet, sourcePort)
      if (value > bestScore) {
        bestScore = value
        best = endpoint
        equals = 1
      } else if (value === bestScore) equals++
    }
    if (best === null || equals === 1 || !best.reusePort || reuseGroups < 2) return best
    return this.#pickByFlow(endpoints, packet, sourcePort, bestScore, equals)
  }

  /** The one of `equals` best endpoints that the flow's hash points to. */
  #pickByFlow(
    endpoints: readonly E[],
    packet: Packet,
    sourcePort: number,
    bestScore: number,
    equals: number,
  ): E | null {
    const { s0, s1, s2, s3, d0, d1, d2, d3 } = packet
    let left = (this.#hash.flow(s0, s1, s2, s3, d0, d1, d2, d3, sourcePort, 1) >>> 0) % equals
    for (const endpoint of endpoints)
      if (score(endpoint, packet, sourcePort) === bestScore && left-- === 0) return endpoint
    return null
  }

  /** Whether a group or broadcast datagram is for this endpoint, its memberships aside. */
  static matches(endpoint: PortHolder, packet: Packet, sourcePort: number): boolean {
    return score(endpoint, packet, sourcePort) >= 0
  }
}

/** Linux: inet_rcv_saddr_equal with wildcards. */
function addressesClash(a: PortHolder, b: PortHolder): boolean {
  if (!a.localAddress.isUnspecified && !b.localAddress.isUnspecified)
    return a.localAddress.equals(b.localAddress) && (a.localNic === 0 || b.localNic === 0 || a.localNic === b.localNic)
  return covers(a, b) && covers(b, a)
}

/** Whether an endpoint has datagrams of the family that the other one is bound for. */
function covers(endpoint: PortHolder, other: PortHolder): boolean {
  const wanted = other.localAddress.isUnspecified ? other.family : other.localAddress.family
  if (endpoint.family === 4) return wanted === 4 || (other.localAddress.isUnspecified && other.dualStack)
  return wanted === 6 || !endpoint.ipv6Only
}

/** -1 when the endpoint must not have the datagram; the higher the better. */
function score(endpoint: PortHolder, packet: Packet, sourcePort: number): number {
  let value = 0
  if (packet.family === 4) {
    if (endpoint.family === 4) value = 1
    else if (endpoint.ipv6Only) return -1
  }
  const local = endpoint.localAddress
  if (local.isUnspecified) {
    // Bound to 0.0.0.0, which has the words of ::ffff:0.0.0.0, or to that: IPv4 only.
    if (packet.family === 6 && local.w2 === MAPPED) return -1
  } else {
    if (local.w3 !== packet.d3 || local.w2 !== packet.d2 || local.w1 !== packet.d1 || local.w0 !== packet.d0) return -1
    // What we send to a link-local address of our own comes by the loopback nic.
    if (endpoint.localNic !== 0 && endpoint.localNic !== packet.nic && packet.looped === 0) return -1
    value += 16
  }
  const remote = endpoint.remoteAddress
  if (remote !== null) {
    if (endpoint.remotePort !== sourcePort) return -1
    if (remote.w3 !== packet.s3 || remote.w2 !== packet.s2 || remote.w1 !== packet.s1 || remote.w0 !== packet.s0)
      return -1
    if (endpoint.remoteNic !== 0 && endpoint.remoteNic !== packet.nic && packet.looped === 0) return -1
    value += 8
  }
  if (endpoint.boundNic !== 0) {
    if (endpoint.boundNic !== packet.nic) return -1
    value += 4
  }
  return value
}
