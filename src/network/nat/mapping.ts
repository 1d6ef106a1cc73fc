/**
 * A mapping of a NAT, and how far its key depends on the remote end (RFC 4787 section 4.1).
 */
import { MAPPED } from '../../base/address.ts'
import { AddressMap } from '../../base/address-map.ts'
import type { KeyedHash } from '../../base/hash.ts'
import type { Hashed } from '../../base/hash-table.ts'
import { ICMPV4 } from '../../wire/protocol.ts'
import type { NatBehaviour } from './nat-options.ts'
import type { TcpSession } from './tcp-session.ts'

/** A remote end to which a mapping sent. */
export interface Peer {
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
  /** In milliseconds of the clock. */
  endsAt = 0
  /** Those of its timeout, and which of them end before and after it. */
  queue: Queue | null = null
  older: Mapping | null = null
  newer: Mapping | null = null
  /** By address, and port where the filter depends on it. Not of TCP. */
  readonly peers: AddressMap<Peer>
  /** TCP only, by address and port of the remote end. */
  readonly sessions: AddressMap<TcpSession>

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
    this.sessions = new AddressMap(hash)
  }
}

/** The mappings that have one timeout, by the time of their end. */
export class Queue {
  /** Milliseconds. */
  readonly timeout: number
  oldest: Mapping | null = null
  newest: Mapping | null = null

  constructor(timeout: number) {
    this.timeout = timeout
  }

  add(mapping: Mapping): void {
    mapping.queue = this
    mapping.older = this.newest
    mapping.newer = null
    if (this.newest === null) this.oldest = mapping
    else this.newest.newer = mapping
    this.newest = mapping
  }

  remove(mapping: Mapping): void {
    if (mapping.older === null) this.oldest = mapping.newer
    else mapping.older.newer = mapping.newer
    if (mapping.newer === null) this.newest = mapping.older
    else mapping.newer.older = mapping.older
  }
}

/** The remote address as far as a behaviour depends on it, else 0. */
export function remoteAddress(behaviour: NatBehaviour, address: number): number {
  return behaviour === 'endpoint-independent' ? 0 : address
}

/** The same for the port. An echo message has none at the remote end (RFC 5508 section 3.2). */
export function portThatCounts(behaviour: NatBehaviour, protocol: number, port: number): number {
  return behaviour === 'address-and-port-dependent' && protocol !== ICMPV4 ? port : 0
}

export function keyHash(
  hash: KeyedHash,
  protocol: number,
  address: number,
  port: number,
  remote: number,
  remotePort: number,
): number {
  return hash.flow(0, 0, MAPPED, address, 0, 0, MAPPED, remote, (port << 16) | remotePort, protocol)
}
