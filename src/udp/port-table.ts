/**
 * Which endpoint has a port: conflicts when binding, and the best match for a datagram, with Linux's rules (udp_lib_get_port, udp4_lib_lookup).
 *
 * One bucket per port. Connected endpoints of a crowded bucket have a map of their own, so that thousands of flows on one port stay one probe.
 */
import { MAPPED } from '../base/address.ts'
import type { Packet } from '../base/packet.ts'
import type { Random } from '../base/random.ts'
import type { Endpoint } from './endpoint.ts'

/** Linux: net.ipv4.ip_local_port_range. */
const EPHEMERAL_FIRST = 32_768
const EPHEMERAL_LAST = 60_999

/** From how many connected endpoints a bucket keeps the map. */
const CROWDED = 8

class Bucket {
  /** Newest first: among equals the last one bound wins, as in Linux. */
  readonly endpoints: Endpoint[] = []
  connected = 0
  byPeer: Map<number, Endpoint[]> | null = null
  reuseGroups = 0
}

export class PortTable {
  readonly #buckets = new Map<number, Bucket>()
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  /** The endpoints of one port, newest first. */
  endpoints(port: number): readonly Endpoint[] {
    return this.#buckets.get(port)?.endpoints ?? []
  }

  all(): Endpoint[] {
    return [...this.#buckets.values()].flatMap((bucket) => bucket.endpoints)
  }

  /** Whether another endpoint keeps this one, with its present address and options, from the port. */
  conflicts(endpoint: Endpoint, port: number): boolean {
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

  /** A random free ephemeral port (RFC 6056 section 3.3.1), or 0 when all are taken. */
  freePort(endpoint: Endpoint): number {
    const count = EPHEMERAL_LAST - EPHEMERAL_FIRST + 1
    const first = this.#random.below(count)
    for (let i = 0; i < count; i++) {
      const port = EPHEMERAL_FIRST + ((first + i) % count)
      // Sharing options do not count here: a port of one's own is asked for.
      const taken = this.#buckets.get(port)?.endpoints.some((other) => addressesClash(endpoint, other)) ?? false
      if (!taken) return port
    }
    return 0
  }

  add(endpoint: Endpoint): void {
    let bucket = this.#buckets.get(endpoint.localPort)
    if (bucket === undefined) {
      bucket = new Bucket()
      this.#buckets.set(endpoint.localPort, bucket)
    }
    bucket.endpoints.unshift(endpoint)
    if (endpoint.reusePort) bucket.reuseGroups++
    if (endpoint.remoteAddress !== null) this.connected(endpoint)
  }

  remove(endpoint: Endpoint): void {
    const bucket = this.#buckets.get(endpoint.localPort)
    const at = bucket?.endpoints.indexOf(endpoint) ?? -1
    if (bucket === undefined || at < 0) return
    if (endpoint.remoteAddress !== null) this.disconnected(endpoint)
    if (endpoint.reusePort) bucket.reuseGroups--
    bucket.endpoints.splice(at, 1)
    if (bucket.endpoints.length === 0) this.#buckets.delete(endpoint.localPort)
  }

  /** The endpoint has a peer now. */
  connected(endpoint: Endpoint): void {
    const bucket = this.#buckets.get(endpoint.localPort)
    if (bucket === undefined) return
    bucket.connected++
    if (bucket.byPeer !== null) addPeer(bucket.byPeer, endpoint)
    else if (bucket.connected > CROWDED) {
      bucket.byPeer = new Map()
      for (const each of bucket.endpoints) if (each.remoteAddress !== null) addPeer(bucket.byPeer, each)
    }
  }

  /** The endpoint is about to lose its peer. */
  disconnected(endpoint: Endpoint): void {
    const bucket = this.#buckets.get(endpoint.localPort)
    if (bucket === undefined || endpoint.remoteAddress === null) return
    bucket.connected--
    if (bucket.byPeer === null) return
    const { w0, w1, w2, w3 } = endpoint.remoteAddress
    const key = peerKey(w0, w1, w2, w3, endpoint.remotePort)
    const rest = (bucket.byPeer.get(key) ?? []).filter((each) => each !== endpoint)
    if (rest.length > 0) bucket.byPeer.set(key, rest)
    else bucket.byPeer.delete(key)
    if (bucket.connected === 0) bucket.byPeer = null
  }

  /**
   * The best endpoint for a unicast datagram: exact address before any, connected before not, the right family before dual-stack, a device binding
   * before none; among equals of one reusePort group the flow's hash decides.
   */
  lookup(packet: Packet, sourcePort: number, destinationPort: number): Endpoint | null {
    const bucket = this.#buckets.get(destinationPort)
    if (bucket === undefined) return null
    let best: Endpoint | null = null
    let bestScore = -1
    if (bucket.byPeer !== null) {
      const candidates = bucket.byPeer.get(peerKey(packet.s0, packet.s1, packet.s2, packet.s3, sourcePort))
      if (candidates !== undefined) {
        for (const endpoint of candidates) {
          const value = score(endpoint, packet, sourcePort)
          if (value > bestScore) {
            bestScore = value
            best = endpoint
          }
        }
        if (best !== null) return best
      }
      if (bucket.connected === bucket.endpoints.length) return null
    }
    let equals = 0
    const { endpoints } = bucket
    for (let i = 0; i < endpoints.length; i++) {
      const endpoint = endpoints[i] as Endpoint
      const value = score(endpoint, packet, sourcePort)
      if (value > bestScore) {
        bestScore = value
        best = endpoint
        equals = 1
      } else if (value === bestScore) equals++
    }
    if (best === null || equals === 1 || !best.reusePort || bucket.reuseGroups < 2) return best
    return pickByFlow(endpoints, packet, sourcePort, bestScore, equals)
  }

  /** Whether a group or broadcast datagram is for this endpoint, its memberships aside. */
  static matches(endpoint: Endpoint, packet: Packet, sourcePort: number): boolean {
    return score(endpoint, packet, sourcePort) >= 0
  }
}

/** Linux: inet_rcv_saddr_equal with wildcards. */
function addressesClash(a: Endpoint, b: Endpoint): boolean {
  const aAny = a.localAddress.isUnspecified
  const bAny = b.localAddress.isUnspecified
  if (!aAny && !bAny) return a.localAddress.equals(b.localAddress) && (a.localNic === 0 || b.localNic === 0 || a.localNic === b.localNic)
  return overlaps(a, aAny, b) && overlaps(b, bAny, a)
}

/** Whether an endpoint bound to any covers the other's family. */
function overlaps(endpoint: Endpoint, any: boolean, other: Endpoint): boolean {
  if (!any) return true
  const wanted = other.localAddress.isUnspecified ? other.family : other.localAddress.family
  if (endpoint.family === 4) return wanted === 4 || (other.localAddress.isUnspecified && other.dualStack)
  return wanted === 6 || !endpoint.ipv6Only
}

/** -1 when the endpoint must not have the datagram; the higher the better. */
function score(endpoint: Endpoint, packet: Packet, sourcePort: number): number {
  let value = 0
  if (packet.family === 4) {
    if (endpoint.family === 4) value = 1
    else if (endpoint.ipv6Only) return -1
  } else if (endpoint.family === 4) return -1
  const local = endpoint.localAddress
  if (local.isUnspecified) {
    // Bound to ::ffff:0.0.0.0: IPv4 only.
    if (endpoint.family === 6 && packet.family === 6 && local.w2 === MAPPED) return -1
  } else {
    if (local.w3 !== packet.d3 || local.w2 !== packet.d2 || local.w1 !== packet.d1 || local.w0 !== packet.d0) return -1
    // What we send to a link-local address of our own comes by the loopback nic.
    if (endpoint.localNic !== 0 && endpoint.localNic !== packet.nic && packet.looped === 0) return -1
    value += 16
  }
  const remote = endpoint.remoteAddress
  if (remote !== null) {
    if (endpoint.remotePort !== sourcePort) return -1
    if (remote.w3 !== packet.s3 || remote.w2 !== packet.s2 || remote.w1 !== packet.s1 || remote.w0 !== packet.s0) return -1
    value += 8
  }
  if (endpoint.boundNic !== 0) {
    if (endpoint.boundNic !== packet.nic) return -1
    value += 4
  }
  return value
}

/** The one of `equals` best endpoints that the flow's hash points to. */
function pickByFlow(
  endpoints: readonly Endpoint[],
  packet: Packet,
  sourcePort: number,
  bestScore: number,
  equals: number,
): Endpoint | null {
  const hash = peerKey(packet.s0, packet.s1, packet.s2, packet.s3 ^ Math.imul(packet.d3, 0x9e3779b1), sourcePort)
  let left = (hash >>> 0) % equals
  for (const endpoint of endpoints) if (score(endpoint, packet, sourcePort) === bestScore && left-- === 0) return endpoint
  return null
}

function addPeer(map: Map<number, Endpoint[]>, endpoint: Endpoint): void {
  if (endpoint.remoteAddress === null) return
  const { w0, w1, w2, w3 } = endpoint.remoteAddress
  const key = peerKey(w0, w1, w2, w3, endpoint.remotePort)
  const list = map.get(key)
  if (list === undefined) map.set(key, [endpoint])
  else list.unshift(endpoint)
}

function peerKey(w0: number, w1: number, w2: number, w3: number, port: number): number {
  let h = Math.imul(w3 ^ Math.imul(port, 0x9e3779b1), 0x85ebca6b) ^ Math.imul(w2 === MAPPED ? 0 : w2, 0xc2b2ae35)
  h ^= Math.imul(w1, 0x27d4eb2f) ^ Math.imul(w0, 0x165667b1)
  return (h ^ (h >>> 15)) | 0
}
