/**
 * A NAT of IPv4 addresses and ports (RFC 3022) with the behaviours that RFC 4787 tells apart, for
 * UDP, for TCP (RFC 5382), and for the echo messages and errors of ICMP (RFC 5508). It sits on the
 * ports of a router: what leaves by the outside port gets the outside address, and what comes in by
 * it goes back.
 *
 * This file has the four ways of a packet through the router; what it remembers is in
 * `mapping-table.ts` and `hairpins.ts`, the changes of bytes are in `rewrite.ts`.
 */
import { type Address, formatWords, MAPPED } from '../../base/address.ts'
import { Drop } from '../../base/drop.ts'
import { HEADROOM, Packet } from '../../base/packet.ts'
import type { Random } from '../../base/random.ts'
import { ErrorReason } from '../../ip/icmp/error-reasons.ts'
import type { RouteNic } from '../../ip/routing/route-nic.ts'
import type { Stack } from '../../stack.ts'
import * as ethernet from '../../wire/ethernet.ts'
import * as ipv4 from '../../wire/ipv4.ts'
import { ICMPV4, TCP, UDP } from '../../wire/protocol.ts'
import { ACK, RST, SYN } from '../../wire/tcp.ts'
import type { PacketHook, Port } from '../nodes/port.ts'
import { linkHeaderLength } from '../observe/ip-frame.ts'
import type { Lineage } from '../observe/lineage.ts'
import { Hairpins } from './hairpins.ts'
import { type Mapping, MappingTable } from './mapping-table.ts'
import { NatFragments } from './nat-fragments.ts'
import { type NatOptions, readNatOptions } from './nat-options.ts'
import { isDamaged, PacketEnds, quoteAt } from './packet-ends.ts'
import { setAddress, setIdentification, setPort, translateQuote } from './rewrite.ts'
import { stateName } from './tcp-session.ts'
import { sessionsOf } from './tcp-tracker.ts'
import { type KeptPacket, UnsolicitedSyns } from './unsolicited-syns.ts'

/** One line of `nat.mappings`. */
export interface NatMapping {
  protocol: 'udp' | 'tcp' | 'icmp'
  /** `address:port`; for ICMP the identifier of echo messages stands for the port. */
  inside: string
  outside: string
  /** Milliseconds until it ends. */
  left: number
  /** TCP: its connections. */
  connections?: NatConnection[]
}

/** A TCP connection through a NAT. */
export interface NatConnection {
  /** `address:port`. */
  remote: string
  /**
   * `SYN from inside`, `SYN from outside`, `picked up` (it was there before the NAT),
   * `established`, `FIN from inside`, `FIN from outside`, `closed` or `reset`.
   */
  state: string
  /** Milliseconds until it is forgotten. */
  left: number
}

/** Stands for the protocol of ICMP errors, which have no ports, among hairpin packets. */
const ERROR = -1

export class Nat implements PacketHook {
  readonly #stack: Stack
  readonly #outside: Port
  /** The outside address. */
  readonly #address: number
  readonly #lineage: Lineage
  readonly #options: Required<NatOptions>
  readonly #mappings: MappingTable
  readonly #hairpins: Hairpins
  readonly #fragments: NatFragments
  readonly #syns: UnsolicitedSyns
  /** Ports and addresses of the packet in transit, and of the packet that it quotes. */
  readonly #ends = new PacketEnds()
  readonly #quotedEnds = new PacketEnds()

  constructor(stack: Stack, outside: Port, address: Address, random: Random, lineage: Lineage, options: NatOptions) {
    this.#stack = stack
    this.#outside = outside
    this.#address = address.w3
    this.#lineage = lineage
    this.#options = readNatOptions(options)
    const { clock, ip } = stack
    this.#mappings = new MappingTable(clock, ip.hash, random, this.#options, (port) => this.#hasSocket(port))
    this.#hairpins = new Hairpins(ip.hash)
    this.#syns = new UnsolicitedSyns(clock, ip.hash, (syn) => this.#refuse(syn))
    this.#fragments = new NatFragments(clock, random, (drop, packet) => outside.dropped(drop, packet))
  }

  /** The outside address. */
  get address(): string {
    return text(this.#address)
  }

  /** The mappings that hold now. */
  get mappings(): NatMapping[] {
    return this.#mappings.all.map((each) => ({
      protocol: each.protocol === UDP ? 'udp' : each.protocol === TCP ? 'tcp' : 'icmp',
      inside: `${text(each.address)}:${each.port}`,
      outside: `${this.address}:${each.outsidePort}`,
      left: this.#mappings.left(each),
      ...(each.protocol === TCP ? { connections: this.#connections(each) } : {}),
    }))
  }

  /** Forgets all mappings, as a router that starts anew. */
  clear(): void {
    this.#mappings.clear()
    this.#hairpins.clear()
    this.#syns.clear()
  }

  close(): void {
    this.#syns.clear()
    this.#fragments.close()
  }

  // ── the hook ──

  output(packet: Packet, port: Port, next: (packet: Packet) => Drop): Drop {
    const header = ipv4Header(packet, port)
    if (header < 0) return next(packet)
    const whole = this.#whole(packet, header)
    if (whole === null) return Drop.None
    const at = whole.start + header
    // A fragment that could not be put together: the stack beyond refuses it.
    if (NatFragments.isFragment(whole, at)) return next(whole)
    const drop = port === this.#outside ? this.#goOut(whole, at) : this.#goBackIn(whole, at)
    if (drop === Drop.None) return this.#fragments.send(whole, header, port.mtu, next)
    port.dropped(drop, whole)
    return Drop.None
  }

  input(packet: Packet, port: Port, next: (packet: Packet) => void): void {
    const header = ipv4Header(packet, port)
    if (header < 0) {
      next(packet)
      return
    }
    const whole = this.#whole(packet, header)
    if (whole === null) return
    const at = whole.start + header
    let drop: Drop = Drop.None
    if (!NatFragments.isFragment(whole, at))
      drop = port === this.#outside ? this.#comeIn(whole, at) : this.#turnBack(whole, at)
    if (drop !== Drop.None) port.dropped(drop, whole)
    else next(whole)
  }

  /**
   * The packet itself, or the one that this fragment completes; `null` as long as some are missing.
   */
  #whole(packet: Packet, header: number): Packet | null {
    const at = packet.start + header
    return NatFragments.isFragment(packet, at) ? this.#fragments.add(packet, at) : packet
  }

  // ── the four ways through the router ──

  /** From inside, or the router's own, to the outside. */
  #goOut(packet: Packet, at: number): Drop {
    const { view } = packet
    const source = ipv4.source(view, at)
    const own = source === this.#address
    const quoted = quoteAt(packet, at)
    if (quoted >= 0) {
      // An error about a packet that came in: what it quotes was translated on its way (RFC 5508
      // section 4.2).
      if (isDamaged(packet, at, quoted)) return Drop.IcmpChecksum
      const mapping = this.#receiverOfQuote(packet, quoted)
      if (mapping !== null)
        translateQuote(packet, at, this.#quotedEnds, 'destination', this.#address, mapping.outsidePort)
      else if (!own) return Drop.WireNatUnmapped
      if (!own) this.#becomeSource(packet, at)
      this.#note(packet, at)
      return Drop.None
    }
    if (own) return Drop.None
    const ends = this.#ends
    // Other protocols have no port to share the address by.
    if (!ends.read(packet, at)) return Drop.WireNatUnmapped
    const { protocol, sourcePort, destinationPort, flags } = ends
    const destination = ipv4.destination(view, at)
    const mapping = this.#mappings.map(protocol, source, sourcePort, destination, destinationPort, flags)
    if (mapping === null) return this.#unmapped(packet, at, source, flags)
    if ((flags & SYN) !== 0) this.#syns.wanted(mapping.outsidePort, destination, destinationPort)
    this.#becomeSource(packet, at)
    setPort(packet, ends, 'source', mapping.outsidePort)
    this.#note(packet, at)
    return Drop.None
  }

  /** From the outside: back to the inside host that has the mapping. */
  #comeIn(packet: Packet, at: number): Drop {
    const { view } = packet
    const destination = ipv4.destination(view, at)
    // Inside addresses mean nothing out there.
    if (destination !== this.#address) return this.#isForRouter(destination) ? Drop.None : Drop.WireNatUnmapped
    const quoted = quoteAt(packet, at)
    if (quoted >= 0) {
      if (isDamaged(packet, at, quoted)) return Drop.IcmpChecksum
      const mapping = this.#senderOfQuote(packet, quoted)
      if (mapping === null) return Drop.None
      translateQuote(packet, at, this.#quotedEnds, 'source', mapping.address, mapping.port)
      setAddress(packet, at, 'destination', mapping.address)
      this.#note(packet, at)
      return Drop.None
    }
    const ends = this.#ends
    if (!ends.read(packet, at) || ends.isRequest) return Drop.None
    return this.#toInside(packet, at, ipv4.source(view, at), ends.sourcePort)
  }

  /** From inside, to the outside address: the way of a hairpin. */
  #turnBack(packet: Packet, at: number): Drop {
    const { view } = packet
    if (!this.#options.hairpin || ipv4.destination(view, at) !== this.#address) return Drop.None
    const quoted = quoteAt(packet, at)
    if (quoted >= 0) return this.#turnErrorBack(packet, at, quoted)
    const ends = this.#ends
    if (!ends.read(packet, at) || ends.protocol === ICMPV4) return Drop.None
    const { protocol, sourcePort, destinationPort, flags } = ends
    if (this.#mappings.outside(protocol, destinationPort) === null) return Drop.None
    // REQ-9: the other one sees the outside address and port of the sender.
    const source = ipv4.source(view, at)
    const own = this.#mappings.map(protocol, source, sourcePort, this.#address, destinationPort, flags)
    if (own === null) return this.#unmapped(packet, at, source, flags)
    if ((flags & SYN) !== 0) this.#syns.wanted(own.outsidePort, this.#address, destinationPort)
    const drop = this.#toInside(packet, at, this.#address, own.outsidePort)
    if (drop !== Drop.None) return drop
    // As it is now, and will be when it leaves.
    ends.read(packet, at)
    const destination = ipv4.destination(view, at)
    this.#hairpins.add(source, ends.sourcePort, destination, ends.destinationPort, protocol, own.outsidePort)
    return Drop.None
  }

  /**
   * An inside host's error about a hairpin packet: each end of the quote gets the form in which its
   * sender knows it (RFC 5508 section 5).
   */
  #turnErrorBack(packet: Packet, at: number, quoted: number): Drop {
    if (isDamaged(packet, at, quoted)) return Drop.IcmpChecksum
    const sender = this.#senderOfQuote(packet, quoted)
    if (sender === null) return Drop.None
    const receiver = this.#receiverOfQuote(packet, quoted)
    if (receiver !== null)
      translateQuote(packet, at, this.#quotedEnds, 'destination', this.#address, receiver.outsidePort)
    translateQuote(packet, at, this.#quotedEnds, 'source', sender.address, sender.port)
    setAddress(packet, at, 'destination', sender.address)
    this.#hairpins.add(ipv4.source(packet.view, at), 0, sender.address, 0, ERROR, 0)
    return Drop.None
  }

  /** To inside by an inside port: the second half of a hairpin. */
  #goBackIn(packet: Packet, at: number): Drop {
    if (this.#hairpins.size === 0) return Drop.None
    const { view } = packet
    const ends = this.#ends
    const hasPorts = ends.read(packet, at)
    if (!hasPorts && quoteAt(packet, at) < 0) return Drop.None
    const source = ipv4.source(view, at)
    const destination = ipv4.destination(view, at)
    const outsidePort = hasPorts
      ? this.#hairpins.take(source, ends.sourcePort, destination, ends.destinationPort, ends.protocol)
      : this.#hairpins.take(source, 0, destination, 0, ERROR)
    if (outsidePort < 0) return Drop.None
    this.#becomeSource(packet, at)
    if (hasPorts) setPort(packet, ends, 'source', outsidePort)
    this.#note(packet, at)
    return Drop.None
  }

  /**
   * Translates the destination of the packet whose ends were read, if there is a mapping that lets
   * `from` in.
   */
  #toInside(packet: Packet, at: number, from: number, fromPort: number): Drop {
    const ends = this.#ends
    const mapping = this.#mappings.outside(ends.protocol, ends.destinationPort)
    if (mapping === null) {
      // The router's own sockets are behind the same address.
      const open = ends.protocol === ICMPV4 || (ends.protocol === UDP && this.#hasSocket(ends.destinationPort))
      return open ? Drop.None : this.#keepOut(packet, at, from, fromPort, Drop.WireNatUnmapped)
    }
    if (!this.#mappings.lets(mapping, from, fromPort))
      return this.#keepOut(packet, at, from, fromPort, Drop.WireNatFiltered)
    this.#mappings.received(mapping, from, fromPort, ends.flags)
    setAddress(packet, at, 'destination', mapping.address)
    setPort(packet, ends, 'destination', mapping.port)
    this.#note(packet, at)
    return Drop.None
  }

  // ── TCP ──

  /** A SYN is not answered at once: the inside may open the same connection. */
  #keepOut(packet: Packet, at: number, from: number, fromPort: number, drop: Drop): Drop {
    const { flags, destinationPort } = this.#ends
    if ((flags & (SYN | ACK)) === SYN) this.#syns.add(packet, at, destinationPort, from, fromPort)
    return drop
  }

  /** RFC 5382 REQ-4: an error, Port Unreachable, for a SYN that nobody wanted. */
  #refuse(syn: KeptPacket): void {
    const nic = this.#stack.ip.nics.find(({ link }) => link === this.#outside)
    this.#sendError(syn, nic, ErrorReason.PortUnreachable)
  }

  #connections(mapping: Mapping): NatConnection[] {
    const now = this.#stack.clock.now()
    return sessionsOf(mapping, now).map(({ address, port, state, endsAt }) => ({
      remote: `${text(address)}:${port}`,
      state: stateName(state),
      left: endsAt - now,
    }))
  }

  // ── quotes ──

  /** The mapping by which the packet left that an ICMP error from outside quotes. */
  #senderOfQuote(packet: Packet, quoted: number): Mapping | null {
    const ends = this.#quotedEnds
    if (!ends.read(packet, quoted, true) || ipv4.source(packet.view, quoted) !== this.#address) return null
    return this.#mappings.outside(ends.protocol, ends.sourcePort)
  }

  /**
   * The mapping by which the packet came in that an inside host's ICMP error quotes. Where mappings
   * depend on the remote end, the quoted source is that.
   */
  #receiverOfQuote(packet: Packet, quoted: number): Mapping | null {
    const { view } = packet
    const ends = this.#quotedEnds
    if (!ends.read(packet, quoted, true)) return null
    const { protocol, destinationPort, sourcePort } = ends
    const destination = ipv4.destination(view, quoted)
    return this.#mappings.inside(protocol, destination, destinationPort, ipv4.source(view, quoted), sourcePort)
  }

  /**
   * The packet is the router's from here on. One that may be fragmented gets a number like those of
   * its own packets: two inside hosts may have given theirs the same (RFC 6864 section 5.3.1).
   */
  #becomeSource(packet: Packet, at: number): void {
    const { view } = packet
    setAddress(packet, at, 'source', this.#address)
    if (ipv4.dontFragment(view, at)) return
    const { identification } = this.#stack.ip
    const number = identification.next4(this.#address, ipv4.destination(view, at), ipv4.protocol(view, at))
    setIdentification(packet, at, number & 0xffff)
  }

  /** RFC 5508 REQ-8: the sender of what finds no free port is told. A RST asks for none. */
  #unmapped({ bytes, end, checksumState, trace }: Packet, at: number, source: number, flags: number): Drop {
    const nic = (flags & RST) === 0 ? this.#stack.ip.routes.lookup(0, 0, MAPPED, source, 0)?.nic : undefined
    const kept = { bytes: bytes.slice(at, end), checksumState, trace }
    // The stack is sending: it is not entered again.
    if (nic !== undefined) this.#stack.clock.soon(() => this.#sendError(kept, nic, ErrorReason.Prohibited))
    return Drop.WireNatUnmapped
  }

  #sendError({ bytes, checksumState, trace }: KeptPacket, nic: RouteNic | undefined, reason: ErrorReason): void {
    const { ip, name } = this.#stack
    const packet = new Packet(HEADROOM + bytes.length).load(bytes)
    packet.checksumState = checksumState
    if (nic === undefined || ipv4.parse(packet) !== Drop.None) return
    this.#lineage.beginInput(name, trace)
    ip.icmp.sendError(packet, nic, reason)
    this.#lineage.endInput()
  }

  /** Whether what comes to an address other than the outside one is for the router itself. */
  #isForRouter(destination: number): boolean {
    const { ip } = this.#stack
    return ip.isLocal(0, 0, MAPPED, destination) || destination >>> 28 === 0xe || ip.isBroadcast4(destination)
  }

  #hasSocket(port: number): boolean {
    return this.#stack.udp.ports.endpoints(port).length > 0
  }

  #note(packet: Packet, at: number): void {
    if (this.#lineage.on) this.#lineage.translated(this.#stack.name, this.#outside.name, packet.trace, packet, at)
  }
}

/** Bytes in front of the IPv4 header; -1 for what is no IPv4 packet, and passes as it is. */
function ipv4Header(packet: Packet, port: Port): number {
  const { view, start, end } = packet
  const header = linkHeaderLength(packet, port.medium)
  const at = start + header
  if (header < 0 || end - at < ipv4.HEADER || ipv4.version(view, at) !== 4) return -1
  return header > 0 && ethernet.payloadType(view, at) !== ethernet.IPV4 ? -1 : header
}

function text(word: number): string {
  return formatWords(0, 0, MAPPED, word)
}
