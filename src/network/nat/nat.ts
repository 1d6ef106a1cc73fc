/**
 * A NAT of IPv4 addresses and ports (RFC 3022) with the behaviours that RFC 4787 tells apart, for
 * UDP and for the echo messages and errors of ICMP (RFC 5508). It sits on the ports of a router:
 * what leaves by the outside port gets the outside address, and what comes in by it goes back.
 *
 * Fragments are put together first and taken apart again behind, in whatever order they come (RFC
 * 4787 section 11).
 */
import { type Address, formatWords, MAPPED } from '../../base/address.ts'
import { update } from '../../base/checksum.ts'
import type { Clock } from '../../base/clock.ts'
import { Drop } from '../../base/drop.ts'
import type { Packet } from '../../base/packet.ts'
import type { Random } from '../../base/random.ts'
import { Counters } from '../../ip/counters.ts'
import { Fragmenter } from '../../ip/fragments/fragmenter.ts'
import { REASSEMBLY_MEMORY, Reassembler } from '../../ip/fragments/reassembler.ts'
import type { Stack } from '../../stack.ts'
import * as ethernet from '../../wire/ethernet.ts'
import * as icmpv4 from '../../wire/icmpv4.ts'
import * as ipv4 from '../../wire/ipv4.ts'
import { ICMPV4, UDP } from '../../wire/protocol.ts'
import type { PacketHook, Port } from '../nodes/port.ts'
import { linkHeaderLength } from '../observe/ip-frame.ts'
import type { Lineage } from '../observe/lineage.ts'
import { NatPorts } from './nat-ports.ts'

/**
 * What a mapping, or a filter, depends on besides the inside address and port: RFC 4787 sections
 * 4.1 and 5.
 */
export type NatBehaviour = 'endpoint-independent' | 'address-dependent' | 'address-and-port-dependent'

export interface NatOptions {
  /**
   * When an inside endpoint keeps its outside port. Default endpoint-independent (RFC 4787 REQ-1).
   */
  mapping?: NatBehaviour
  /**
   * Who may send to an outside port. Default address-and-port-dependent, which is the strictest,
   * and the commonest.
   */
  filtering?: NatBehaviour
  /** Whether inside hosts reach each other by their outside addresses (REQ-9). Default true. */
  hairpin?: boolean
  /**
   * Milliseconds after the last packet from inside when a mapping ends: REQ-5 asks for 2 minutes or
   * more. Default 5 minutes.
   */
  timeout?: number
  /** Whether incoming packets prolong a mapping too (REQ-6 leaves it open). Default false. */
  inboundRefresh?: boolean
  /**
   * Whether the outside port is the inside one where that is free. Default true; else it is random.
   */
  preservePorts?: boolean
}

/** One line of `nat.mappings`. */
export interface NatMapping {
  protocol: 'udp' | 'icmp'
  /** `address:port`; for ICMP the identifier of echo messages stands for the port. */
  inside: string
  outside: string
  /** Milliseconds until it ends. */
  left: number
}

interface Mapping {
  readonly protocol: number
  readonly key: string
  readonly address: number
  readonly port: number
  readonly outsidePort: number
  lastUsed: number
  /**
   * When this mapping last sent to an address, or to an address and port; the latest is the last
   * one.
   */
  readonly peers: Map<string, number>
}

/** RFC 5508 section 3.2 asks for 60 seconds or more. */
const ICMP_TIMEOUT = 60_000
/** Stands for the protocol of ICMP errors, which have no ports, among hairpin packets. */
const ERROR = -1
/**
 * Remote ends that one mapping remembers; of more, the one that was sent to longest ago is
 * forgotten.
 */
const PEERS = 1024
/** Hairpin packets that may be within the router at a time. */
const HAIRPINS = 1024

/** The mappings of one protocol. */
class Outside {
  readonly protocol: number
  readonly ports: NatPorts
  /** By outside port, in the order of their last use. */
  readonly mappings = new Map<number, Mapping>()
  constructor(protocol: number, random: Random) {
    this.protocol = protocol
    this.ports = new NatPorts(random)
  }
}

export class Nat implements PacketHook {
  readonly #stack: Stack
  readonly #outside: Port
  /** The outside address. */
  readonly #address: number
  readonly #clock: Clock
  readonly #lineage: Lineage
  readonly #options: Required<NatOptions>
  readonly #byInside = new Map<string, Mapping>()
  readonly #udp: Outside
  readonly #icmp: Outside
  /**
   * Packets between two inside hosts, by their ends behind the translation of the destination:
   * whose source is to be translated too.
   */
  readonly #hairpins = new Map<string, number>()
  readonly #reassembler: Reassembler
  readonly #fragmenter = new Fragmenter()

  constructor(stack: Stack, outside: Port, address: Address, random: Random, lineage: Lineage, options: NatOptions) {
    const { mapping = 'endpoint-independent', filtering = 'address-and-port-dependent', timeout = 300_000 } = options
    if (!(timeout > 0)) throw new RangeError(`The timeout ${timeout} of a NAT has to be above 0 ms.`)
    this.#stack = stack
    this.#outside = outside
    this.#address = address.w3
    this.#clock = stack.clock
    this.#udp = new Outside(UDP, random)
    this.#icmp = new Outside(ICMPV4, random)
    this.#lineage = lineage
    const { hairpin = true, inboundRefresh = false, preservePorts = true } = options
    this.#options = { mapping, filtering, timeout, hairpin, inboundRefresh, preservePorts }
    const counters = new Counters()
    counters.onDrop((reason, _layer, packet) => outside.dropped(Drop[reason], packet))
    this.#reassembler = new Reassembler(4, stack.clock, random, counters, { timedOut: () => {} }, REASSEMBLY_MEMORY)
  }

  /** The outside address. */
  get address(): string {
    return text(this.#address)
  }

  /** The mappings that hold now. */
  get mappings(): NatMapping[] {
    const now = this.#clock.now()
    return [...this.#byInside.values()]
      .filter((each) => this.#holds(each))
      .map((each) => ({
        protocol: each.protocol === UDP ? 'udp' : 'icmp',
        inside: `${text(each.address)}:${each.port}`,
        outside: `${this.address}:${each.outsidePort}`,
        left: this.#timeout(each.protocol) - (now - each.lastUsed),
      }))
  }

  /** Forgets all mappings, as a router that starts anew. */
  clear(): void {
    this.#byInside.clear()
    for (const { mappings, ports } of [this.#udp, this.#icmp]) {
      mappings.clear()
      ports.clear()
    }
    this.#hairpins.clear()
  }

  close(): void {
    this.#reassembler.close()
  }

  // ── the hook ──

  output(packet: Packet, port: Port, next: (packet: Packet) => Drop): Drop {
    return this.#whole(packet, port, (whole, at) => {
      const drop = port === this.#outside ? this.#goOut(whole, at) : this.#goBackIn(whole, at)
      if (drop === Drop.None) return this.#fit(whole, port, next)
      port.dropped(drop, whole)
      return Drop.None
    })
  }

  input(packet: Packet, port: Port, next: (packet: Packet) => void): void {
    this.#whole(packet, port, (whole, at) => {
      const drop = port === this.#outside ? this.#comeIn(whole, at) : this.#turnBack(whole, at)
      if (drop !== Drop.None) port.dropped(drop, whole)
      else next(whole)
      return Drop.None
    })
  }

  /**
   * Calls `then` with the whole packet and the offset of its IP header; not at all as long as
   * fragments are missing. What is no IPv4 for this NAT to look at passes as it is.
   */
  #whole(packet: Packet, port: Port, then: (whole: Packet, at: number) => Drop): Drop {
    const header = linkHeaderLength(packet, port.medium)
    const { start, end } = packet
    if (header < 0 || end - start < header + ipv4.HEADER || packet.view.getUint8(start + header) >>> 4 !== 4)
      return then(packet, -1)
    if (header > 0 && ethernet.payloadType(packet.view, start + header) !== ethernet.IPV4) return then(packet, -1)
    const at = start + header
    if (!ipv4.moreFragments(packet.view, at) && ipv4.fragmentOffset(packet.view, at) === 0) return then(packet, at)
    const linkHeader = packet.bytes.slice(start, at)
    const { trace, cast, nic } = packet
    packet.start = at
    const drop = ipv4.parse(packet)
    if (drop !== Drop.None) {
      packet.start = start
      return then(packet, -1)
    }
    const rebuilt = this.#reassembler.add(packet)
    packet.start = start
    packet.end = end
    if (rebuilt === null) return Drop.None
    rebuilt.start -= header
    rebuilt.bytes.set(linkHeader, rebuilt.start)
    rebuilt.trace = trace
    rebuilt.cast = cast
    rebuilt.nic = nic
    return then(rebuilt, rebuilt.start + header)
  }

  /** Sends a packet that was put together here, in fragments again where it has to be. */
  #fit(packet: Packet, port: Port, next: (packet: Packet) => Drop): Drop {
    const header = linkHeaderLength(packet, port.medium)
    if (packet.end - packet.start - header <= port.mtu) return next(packet)
    const linkHeader = packet.bytes.slice(packet.start, packet.start + header)
    packet.start += header
    return this.#fragmenter.fragment4(packet, port.mtu, null, (fragment) => {
      fragment.start -= header
      fragment.bytes.set(linkHeader, fragment.start)
      return next(fragment)
    })
  }

  // ── the four ways through the router ──

  /** From inside, or the router's own, to the outside. */
  #goOut(packet: Packet, at: number): Drop {
    if (at < 0) return Drop.None
    const { view } = packet
    const own = ipv4.source(view, at) === this.#address
    const upper = at + ipv4.headerLength(view, at)
    const quoted = quoteAt(packet, at, upper)
    if (quoted >= 0) {
      // An error about a packet that came in: what it quotes was translated on its way (RFC 5508
      // section 4.2).
      const mapping = this.#mappingOfQuote(packet, quoted, 'destination')
      if (mapping !== null) translateQuote(packet, upper, quoted, 'destination', this.#address, mapping.outsidePort)
      if (!own) setAddress(packet, at, ipv4.SOURCE, this.#address)
      this.#note(packet, at)
      return Drop.None
    }
    if (own) return Drop.None
    const ports = portsOf(packet, at, upper)
    // Other protocols have no port to share the address by.
    if (ports === null) return Drop.WireNatUnmapped
    const destination = ipv4.destination(view, at)
    const mapping = this.#map(ports.protocol, ipv4.source(view, at), ports.source, destination, ports.destination)
    if (mapping === null) return Drop.WireNatUnmapped
    setAddress(packet, at, ipv4.SOURCE, this.#address)
    setPort(packet, upper, ports.sourceAt, mapping.outsidePort)
    this.#note(packet, at)
    return Drop.None
  }

  /** From the outside: back to the inside host that has the mapping. */
  #comeIn(packet: Packet, at: number): Drop {
    if (at < 0) return Drop.None
    const { view } = packet
    const destination = ipv4.destination(view, at)
    if (destination !== this.#address) {
      // Inside addresses mean nothing out there.
      const local = this.#stack.ip.isLocal(0, 0, MAPPED, destination)
      return local || destination >>> 28 === 0xe || this.#stack.ip.isBroadcast4(destination)
        ? Drop.None
        : Drop.WireNatUnmapped
    }
    const upper = at + ipv4.headerLength(view, at)
    const quoted = quoteAt(packet, at, upper)
    if (quoted >= 0) {
      const mapping = this.#mappingOfQuote(packet, quoted, 'source')
      if (mapping === null) return Drop.None
      translateQuote(packet, upper, quoted, 'source', mapping.address, mapping.port)
      setAddress(packet, at, ipv4.DESTINATION, mapping.address)
      this.#note(packet, at)
      return Drop.None
    }
    const ports = portsOf(packet, at, upper)
    if (ports === null) return Drop.None
    return this.#toInside(packet, at, upper, ports)
  }

  /** From inside, to the outside address: the way of a hairpin. */
  #turnBack(packet: Packet, at: number): Drop {
    if (at < 0 || !this.#options.hairpin || ipv4.destination(packet.view, at) !== this.#address) return Drop.None
    const { view } = packet
    const upper = at + ipv4.headerLength(view, at)
    const quoted = quoteAt(packet, at, upper)
    if (quoted >= 0) return this.#turnErrorBack(packet, at, upper, quoted)
    const ports = portsOf(packet, at, upper)
    if (ports === null) return Drop.None
    const source = ipv4.source(view, at)
    if (this.#heldOutside(ports.protocol, ports.destination) === null) return Drop.None
    // REQ-9: the other one sees the outside address and port of the sender.
    const own = this.#map(ports.protocol, source, ports.source, this.#address, ports.destination)
    if (own === null) return Drop.WireNatUnmapped
    const drop = this.#toInside(packet, at, upper, ports, this.#address, own.outsidePort)
    if (drop !== Drop.None) return drop
    const after = portsOf(packet, at, upper) as Ports
    this.#remember(
      ends(source, after.source, ipv4.destination(view, at), after.destination, after.protocol),
      own.outsidePort,
    )
    return Drop.None
  }

  /**
   * An inside host's error about a hairpin packet: each end of the quote gets the form in which its
   * sender knows it (RFC 5508 section 5).
   */
  #turnErrorBack(packet: Packet, at: number, upper: number, quoted: number): Drop {
    const sender = this.#mappingOfQuote(packet, quoted, 'source')
    if (sender === null) return Drop.None
    const receiver = this.#mappingOfQuote(packet, quoted, 'destination')
    if (receiver !== null) translateQuote(packet, upper, quoted, 'destination', this.#address, receiver.outsidePort)
    translateQuote(packet, upper, quoted, 'source', sender.address, sender.port)
    setAddress(packet, at, ipv4.DESTINATION, sender.address)
    this.#remember(ends(ipv4.source(packet.view, at), 0, sender.address, 0, ERROR), 0)
    return Drop.None
  }

  #remember(hairpin: string, outsidePort: number): void {
    // One that was dropped on its way through the router is never fetched.
    if (this.#hairpins.size === HAIRPINS) this.#hairpins.clear()
    this.#hairpins.set(hairpin, outsidePort)
  }

  /** To inside by an inside port: the second half of a hairpin. */
  #goBackIn(packet: Packet, at: number): Drop {
    if (at < 0 || this.#hairpins.size === 0) return Drop.None
    const { view } = packet
    const upper = at + ipv4.headerLength(view, at)
    const ports = portsOf(packet, at, upper)
    if (ports === null && quoteAt(packet, at, upper) < 0) return Drop.None
    const { source, destination, protocol } = ports ?? { source: 0, destination: 0, protocol: ERROR }
    const key = ends(ipv4.source(view, at), source, ipv4.destination(view, at), destination, protocol)
    const outsidePort = this.#hairpins.get(key)
    if (outsidePort === undefined) return Drop.None
    this.#hairpins.delete(key)
    setAddress(packet, at, ipv4.SOURCE, this.#address)
    if (ports !== null) setPort(packet, upper, ports.sourceAt, outsidePort)
    this.#note(packet, at)
    return Drop.None
  }

  /** Translates the destination, if there is a mapping that lets `from` in. */
  #toInside(
    packet: Packet,
    at: number,
    upper: number,
    ports: Ports,
    from = ipv4.source(packet.view, at),
    fromPort = ports.source,
  ): Drop {
    const mapping = this.#heldOutside(ports.protocol, ports.destination)
    if (mapping === null) {
      // The router's own sockets are behind the same address.
      const open = ports.protocol === ICMPV4 || this.#stack.udp.ports.endpoints(ports.destination).length > 0
      return open ? Drop.None : Drop.WireNatUnmapped
    }
    if (!this.#lets(mapping, from, fromPort)) return Drop.WireNatFiltered
    if (this.#options.inboundRefresh) this.#used(mapping)
    setAddress(packet, at, ipv4.DESTINATION, mapping.address)
    setPort(packet, upper, ports.destinationAt, mapping.port)
    this.#note(packet, at)
    return Drop.None
  }

  // ── mappings ──

  /** The mapping for a packet from inside, made if there is none; `null` when no port is free. */
  #map(protocol: number, address: number, port: number, to: number, toPort: number): Mapping | null {
    const now = this.#clock.now()
    const key = `${protocol}:${address}:${port}${remote(this.#options.mapping, protocol, to, toPort)}`
    let mapping = this.#held(this.#byInside.get(key))
    if (mapping === null) {
      const outsidePort = this.#freePort(protocol, port)
      if (outsidePort === 0) return null
      mapping = { protocol, key, address, port, outsidePort, lastUsed: now, peers: new Map() }
      this.#byInside.set(key, mapping)
      this.#outsideOf(protocol).ports.take(outsidePort)
    }
    this.#used(mapping)
    if (this.#options.filtering !== 'endpoint-independent') {
      const peer = remote(this.#options.filtering, protocol, to, toPort)
      mapping.peers.delete(peer)
      mapping.peers.set(peer, now)
      if (mapping.peers.size > PEERS) mapping.peers.delete(mapping.peers.keys().next().value as string)
    }
    return mapping
  }

  #outsideOf(protocol: number): Outside {
    return protocol === UDP ? this.#udp : this.#icmp
  }

  /** The mapping is the one that was used last. */
  #used(mapping: Mapping): void {
    mapping.lastUsed = this.#clock.now()
    const { mappings } = this.#outsideOf(mapping.protocol)
    mappings.delete(mapping.outsidePort)
    mappings.set(mapping.outsidePort, mapping)
  }

  #heldOutside(protocol: number, port: number): Mapping | null {
    return this.#held(this.#outsideOf(protocol).mappings.get(port))
  }

  /** The mapping, if it has not ended; one that has is forgotten. */
  #held(mapping: Mapping | undefined): Mapping | null {
    if (mapping === undefined) return null
    if (this.#holds(mapping)) return mapping
    this.#byInside.delete(mapping.key)
    const { mappings, ports } = this.#outsideOf(mapping.protocol)
    mappings.delete(mapping.outsidePort)
    ports.release(mapping.outsidePort)
    return null
  }

  #timeout(protocol: number): number {
    return protocol === UDP ? this.#options.timeout : Math.max(ICMP_TIMEOUT, this.#options.timeout)
  }

  #holds({ protocol, lastUsed }: Mapping): boolean {
    return this.#clock.now() - lastUsed <= this.#timeout(protocol)
  }

  #lets(mapping: Mapping, from: number, fromPort: number): boolean {
    if (this.#options.filtering === 'endpoint-independent') return true
    const sent = mapping.peers.get(remote(this.#options.filtering, mapping.protocol, from, fromPort))
    return sent !== undefined && this.#clock.now() - sent <= this.#timeout(mapping.protocol)
  }

  /**
   * No port is shared (REQ-3); its parity (REQ-4) and whether it is a well-known one (REQ-3 a)
   * stay. 0 when none is free.
   */
  #freePort(protocol: number, port: number): number {
    const { mappings, ports } = this.#outsideOf(protocol)
    // Mappings that have ended give their ports back: those that were not used for longest come
    // first.
    for (const mapping of mappings.values()) if (this.#held(mapping) !== null) break
    const isUsed = (each: number) => protocol === UDP && this.#stack.udp.ports.endpoints(each).length > 0
    if (this.#options.preservePorts && !ports.isTaken(port) && !isUsed(port)) return port
    return ports.choose(port, protocol === UDP && port < 1024, isUsed)
  }

  /**
   * The mapping of the packet that an ICMP error quotes, by its inside end's outside form (source)
   * or inside form (destination).
   */
  #mappingOfQuote(packet: Packet, quoted: number, end: 'source' | 'destination'): Mapping | null {
    const { view } = packet
    const upper = quoted + ipv4.headerLength(view, quoted)
    const ports = portsOf(packet, quoted, upper)
    if (ports === null) return null
    if (end === 'source')
      return ipv4.source(view, quoted) === this.#address ? this.#heldOutside(ports.protocol, ports.source) : null
    // Seen from inside: whichever mapping of the endpoint the packet came by; with dependent
    // mappings the sender tells which.
    const { mapping } = this.#options
    const from = remote(mapping, ports.protocol, ipv4.source(view, quoted), ports.source)
    return this.#held(
      this.#byInside.get(`${ports.protocol}:${ipv4.destination(view, quoted)}:${ports.destination}${from}`),
    )
  }

  #note(packet: Packet, at: number): void {
    if (this.#lineage.on) this.#lineage.translated(this.#stack.name, this.#outside.name, packet.trace, packet, at)
  }
}

/**
 * What of the remote end counts; one of echo messages has no port of its own (RFC 5508 section
 * 3.2).
 */
function remote(behaviour: NatBehaviour, protocol: number, address: number, port: number): string {
  if (behaviour === 'endpoint-independent') return ''
  return behaviour === 'address-dependent' || protocol === ICMPV4 ? `>${address}` : `>${address}:${port}`
}

function ends(
  source: number,
  sourcePort: number,
  destination: number,
  destinationPort: number,
  protocol: number,
): string {
  return `${protocol}:${source}:${sourcePort}:${destination}:${destinationPort}`
}

function text(word: number): string {
  return formatWords(0, 0, MAPPED, word)
}

/**
 * The two ports of a packet and where they are; an echo message has its identifier at both ends.
 */
interface Ports {
  protocol: number
  source: number
  destination: number
  sourceAt: number
  destinationAt: number
}

/** `null` for what has neither ports nor an identifier. */
function portsOf(packet: Packet, at: number, upper: number): Ports | null {
  const { view, end } = packet
  if (end - upper < 8) return null
  const protocol = ipv4.protocol(view, at)
  if (protocol === UDP)
    return {
      protocol,
      source: view.getUint16(upper),
      destination: view.getUint16(upper + 2),
      sourceAt: upper,
      destinationAt: upper + 2,
    }
  if (protocol !== ICMPV4) return null
  const type = icmpv4.type(view, upper)
  if (type !== icmpv4.ECHO && type !== icmpv4.ECHO_REPLY) return null
  const identifier = icmpv4.identifier(view, upper)
  return { protocol, source: identifier, destination: identifier, sourceAt: upper + 4, destinationAt: upper + 4 }
}

/**
 * Offset of the IP header that an ICMP error quotes; -1 for other packets, and for quotes too short
 * to be used.
 */
function quoteAt(packet: Packet, at: number, upper: number): number {
  const { view, end } = packet
  if (ipv4.protocol(view, at) !== ICMPV4 || end - upper < icmpv4.HEADER || !icmpv4.isError(icmpv4.type(view, upper)))
    return -1
  const quoted = upper + icmpv4.HEADER
  if (end - quoted < ipv4.HEADER || ipv4.version(view, quoted) !== 4) return -1
  return end - quoted >= ipv4.headerLength(view, quoted) + 8 ? quoted : -1
}

/** Where the checksum is that covers the bytes behind an IP header: its offset, -1 for none. */
function checksumAt(packet: Packet, at: number, upper: number): number {
  const { view, end } = packet
  const protocol = ipv4.protocol(view, at)
  if (protocol === UDP) return end - upper >= 8 && view.getUint16(upper + 6) !== 0 ? upper + 6 : -1
  return protocol === ICMPV4 ? upper + 2 : -1
}

/** Changes 16 bits and, incrementally, the checksums at these offsets that cover them. */
function setWord(packet: Packet, at: number, value: number, checksums: readonly number[]): void {
  const { view } = packet
  const before = view.getUint16(at)
  if (before === value) return
  view.setUint16(at, value)
  for (const sum of checksums) if (sum >= 0) view.setUint16(sum, update(view.getUint16(sum), before, value))
}

/**
 * Changes an address of the IP header, its checksum, and the one of UDP, whose pseudo-header has
 * the addresses.
 */
function setAddress(packet: Packet, at: number, field: number, address: number): void {
  const upper = at + ipv4.headerLength(packet.view, at)
  const udp = ipv4.protocol(packet.view, at) === UDP ? checksumAt(packet, at, upper) : -1
  const sums = [at + ipv4.HEADER_CHECKSUM, udp]
  setWord(packet, at + field, address >>> 16, sums)
  setWord(packet, at + field + 2, address & 0xffff, sums)
  keepNonzero(packet, udp)
}

/** Changes a port, or the identifier of an echo message. */
function setPort(packet: Packet, upper: number, field: number, port: number): void {
  // The identifier is at 4, where UDP has its length.
  const icmp = field === upper + 4
  const sum = icmp ? upper + 2 : packet.view.getUint16(upper + 6) !== 0 ? upper + 6 : -1
  setWord(packet, field, port, [sum])
  if (!icmp) keepNonzero(packet, sum)
}

/** RFC 768: a UDP checksum of 0 means none, so a computed 0 is written as all ones. */
function keepNonzero(packet: Packet, sum: number): void {
  if (sum >= 0 && packet.view.getUint16(sum) === 0) packet.view.setUint16(sum, 0xffff)
}

/**
 * Changes one end of the packet that an ICMP error quotes, with all checksums: those of the quoted
 * headers and the message's own, which covers every byte that changes (RFC 5508 section 4). The
 * quoted UDP checksum is there when the quote is 8 bytes long or more.
 */
function translateQuote(
  packet: Packet,
  icmp: number,
  quoted: number,
  end: 'source' | 'destination',
  address: number,
  port: number,
): void {
  const before = packet.bytes.slice(quoted, packet.end)
  const upper = quoted + ipv4.headerLength(packet.view, quoted)
  const ports = portsOf(packet, quoted, upper) as Ports
  setAddress(packet, quoted, end === 'source' ? ipv4.SOURCE : ipv4.DESTINATION, address)
  setPort(packet, upper, end === 'source' ? ports.sourceAt : ports.destinationAt, port)
  // The message's checksum takes all changes in, word by word.
  const { view } = packet
  const old = new DataView(before.buffer)
  let sum = view.getUint16(icmp + 2)
  for (let at = 0; at + 1 < before.length && quoted + at < upper + 8; at += 2) {
    const was = old.getUint16(at)
    const is = view.getUint16(quoted + at)
    if (was !== is) sum = update(sum, was, is)
  }
  view.setUint16(icmp + 2, sum)
}
