/**
 * The addresses of one host: own ones, anycast ones and broadcast addresses of its networks, and
 * the routes that come with them.
 */
import { type Address, isLinkLocal, MAPPED, Prefix } from '../base/address.ts'
import { AddressMap } from '../base/address-map.ts'
import type { KeyedHash } from '../base/hash.ts'
import type { Packet } from '../base/packet.ts'
import type { NicAddress } from './nic/nic-address.ts'
import type { NicList, RouteNic } from './routing/route-nic.ts'
import type { Route, RouteTable } from './routing/route-table.ts'

const MULTICAST6 = Prefix.parse('ff00::/8')

interface OwnAddress {
  readonly address: Address
  readonly nic: RouteNic
  readonly anycast: boolean
}

export class OwnAddresses {
  readonly #nics: NicList
  readonly #routes: RouteTable
  /** Own addresses and the nics that have them. An anycast one is a destination only. */
  readonly #local: AddressMap<OwnAddress[]>
  /** Directed broadcast addresses, by word: their nics, once for each address that brings one. */
  readonly #broadcasts = new Map<number, RouteNic[]>()

  constructor(nics: NicList, routes: RouteTable, hash: KeyedHash) {
    this.#nics = nics
    this.#routes = routes
    this.#local = new AddressMap(hash)
  }

  // ── changes ──

  /** A nic has another address: the routes that come with it are those that Linux's kernel adds. */
  add(nic: RouteNic, { address, prefix }: NicAddress): void {
    this.#addLocal({ address, nic, anycast: false })
    const add = (to: Prefix, over: RouteNic, kind: Route['kind'], source: Address | null, metric: number) =>
      this.#routes.add({ prefix: to, nic: over, gateway: null, metric, source, mtu: 0, kind })
    add(host(address), this.#loopback, 'local', address, 0)
    if (nic.isLoopback) {
      // Linux: the whole of 127.0.0.0/8 is local.
      if (prefix.length < (address.family === 4 ? 32 : 128)) add(prefix, nic, 'local', address, 0)
    } else {
      // Linux: kernel routes have metric 0 in IPv4 and 256 in IPv6.
      add(prefix, nic, 'unicast', address.family === 4 ? address : null, address.family === 4 ? 0 : 256)
    }
    const { broadcast } = prefix
    if (broadcast !== null) {
      add(host(broadcast), nic, 'broadcast', address, 0)
      const { w3 } = broadcast
      this.#broadcasts.set(w3, [...(this.#broadcasts.get(w3) ?? []), nic])
    }
    if (nic.isLoopback || address.family === 4) return
    if (!this.#routes.to(MULTICAST6).some((route) => route.nic === nic)) add(MULTICAST6, nic, 'multicast', null, 256)
  }

  /** A nic has one address less: its routes go, those that another address needs too stay. */
  remove(nic: RouteNic, { address, prefix }: NicAddress): void {
    this.#removeLocal({ address, nic, anycast: false })
    const { broadcast } = prefix
    const stillUsed = nic.addresses.some((each) => each.prefix.equals(prefix))
    for (const route of this.#routes.list()) {
      const own = route.kind === 'local' && route.prefix.equals(host(address)) && route.source?.equals(address)
      const connected = route.nic === nic && route.gateway === null && route.prefix.equals(prefix)
      const cast =
        broadcast !== null && route.kind === 'broadcast' && route.nic === nic && route.prefix.address.equals(broadcast)
      if (own || ((connected || cast) && !stillUsed)) this.#routes.remove(route)
    }
    if (broadcast !== null) {
      const nics = [...(this.#broadcasts.get(broadcast.w3) ?? [])]
      nics.splice(nics.indexOf(nic), 1)
      if (nics.length > 0) this.#broadcasts.set(broadcast.w3, nics)
      else this.#broadcasts.delete(broadcast.w3)
    }
  }

  /**
   * A router's nic has an anycast address: packets to it are for this host too (Linux: a route of
   * type anycast in the local table).
   */
  addAnycast(nic: RouteNic, address: Address): void {
    this.#addLocal({ address, nic, anycast: true })
    this.#routes.add({
      prefix: host(address),
      nic: this.#loopback,
      gateway: null,
      metric: 0,
      source: null,
      mtu: 0,
      kind: 'anycast',
    })
  }

  removeAnycast(nic: RouteNic, address: Address): void {
    this.#removeLocal({ address, nic, anycast: true })
    const route = this.#routes.list().find(({ kind, prefix }) => kind === 'anycast' && prefix.address.equals(address))
    if (route !== undefined) this.#routes.remove(route)
  }

  get #loopback(): RouteNic {
    return this.#nics[1] as RouteNic
  }

  #addLocal(own: OwnAddress): void {
    const { w0, w1, w2, w3 } = own.address
    const known = this.#local.get(w0, w1, w2, w3)
    if (known === undefined) this.#local.set(w0, w1, w2, w3, [own])
    else known.push(own)
  }

  #removeLocal({ address, nic, anycast }: OwnAddress): void {
    const { w0, w1, w2, w3 } = address
    const rest = (this.#local.get(w0, w1, w2, w3) ?? []).filter(
      (each) => !(each.nic === nic && each.anycast === anycast && each.address.equals(address)),
    )
    if (rest.length > 0) this.#local.set(w0, w1, w2, w3, rest)
    else this.#local.delete(w0, w1, w2, w3)
  }

  // ── questions ──

  /** The IPv4 words of all own and broadcast addresses; some may be there twice. */
  words4(): number[] {
    const words = [...this.#broadcasts.keys()]
    for (const [first] of this.#local.values()) if (first?.address.family === 4) words.push(first.address.w3)
    return words
  }

  /**
   * Whether the address is one of this host's; an anycast address, which is no source, does not
   * count.
   */
  isLocal(w0: number, w1: number, w2: number, w3: number): boolean {
    const hosts = this.#local.get(w0, w1, w2, w3)
    if (hosts !== undefined)
      for (const { address, anycast } of hosts) if (!anycast && address.is(w0, w1, w2, w3)) return true
    return w2 === MAPPED && w0 === 0 && w1 === 0 && w3 >>> 24 === 127 && this.#hasLoopback4()
  }

  #hasLoopback4(): boolean {
    const loopback = this.#nics[1]
    return loopback?.isUp === true && loopback.addresses.some(({ address }) => address.family === 4)
  }

  /** Whether packets to the IPv6 address are for this host: its own addresses and anycast ones. */
  isDestination6(w0: number, w1: number, w2: number, w3: number): boolean {
    const hosts = this.#local.get(w0, w1, w2, w3)
    if (hosts !== undefined) for (const { address } of hosts) if (address.is(w0, w1, w2, w3)) return true
    return false
  }

  /**
   * Whether a packet that came by the nic is for an address of this host: a link-local one is its
   * link's (RFC 4007 section 6).
   */
  isLocalOn(nic: RouteNic, packet: Packet): boolean {
    const { d0, d1, d2, d3, looped } = packet
    return this.isLocal(d0, d1, d2, d3) && (looped === 1 || d0 >>> 22 !== 0x3fa || nic.hasWords(d0, d1, d2, d3))
  }

  /**
   * Whether a packet that came by the nic is for an anycast address of this host: a link-local one
   * is its link's, too.
   */
  isAnycastOn(nic: RouteNic, { d0, d1, d2, d3 }: Packet): boolean {
    const hosts = this.#local.get(d0, d1, d2, d3)
    if (hosts === undefined) return false
    const linkLocal = isLinkLocal(d0, d1, d2, d3)
    return hosts.some((each) => each.anycast && each.address.is(d0, d1, d2, d3) && (!linkLocal || each.nic === nic))
  }

  /** The index of the nic that has the address, or 0. */
  nicOf(address: Address): number {
    const { w0, w1, w2, w3 } = address
    const hosts = this.#local.get(w0, w1, w2, w3)
    const found = hosts?.find((each) => !each.anycast && each.address.equals(address))
    if (found !== undefined) return found.nic.index
    return this.isLocal(w0, w1, w2, w3) ? this.#loopback.index : 0
  }

  /** Whether an IPv4 word is the limited or a directed broadcast address of ours. */
  isBroadcast4(word: number): boolean {
    return word === -1 || this.#broadcasts.has(word)
  }

  /**
   * Whether an IPv4 word is the limited broadcast address or, on this nic's link, a directed one.
   */
  isBroadcastOn(nic: RouteNic, word: number): boolean {
    return word === -1 || this.#broadcasts.get(word)?.includes(nic) === true
  }

  /**
   * Whether an IPv4 word can be one host's address (RFC 1122 section 3.2.2: "does not define a
   * single host").
   */
  isUnicast4(word: number): boolean {
    return word >>> 28 < 0xe && !this.isBroadcast4(word) && word >>> 24 !== 0
  }
}

/** The prefix of one address alone. */
function host(address: Address): Prefix {
  return new Prefix(address, address.family === 4 ? 32 : 128)
}
