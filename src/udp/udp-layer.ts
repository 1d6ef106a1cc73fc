/** UDP of one host: from the port table to the endpoints, and from endpoints to IP. Rules and error codes are Linux's (udp_sendmsg, udp_err). */
import { Address, isMulticast } from '../base/address.ts'
import type { Clock } from '../base/clock.ts'
import { Drop } from '../base/drop.ts'
import { Cast, ChecksumState, HEADROOM, MAX_PACKET, Packet } from '../base/packet.ts'
import type { Random } from '../base/random.ts'
import type { Counters } from '../ip/counters.ts'
import { type IcmpErrorSink, isTooBig } from '../ip/icmp.ts'
import type { IcmpExtension } from '../ip/icmp-extensions.ts'
import * as icmpv4 from '../ip/icmpv4.ts'
import * as icmpv6 from '../ip/icmpv6.ts'
import type { IpLayer, UpperLayer } from '../ip/ip-layer.ts'
import type { OwnOptions } from '../ip/ipv4-options.ts'
import type { Nic } from '../ip/nic.ts'
import { UDP } from '../ip/protocol.ts'
import { PmtuMode, type Route } from '../ip/route-table.ts'
import { Endpoint, type EndpointMembership, type EndpointReceiver, type Errno, type SendOptions } from './endpoint.ts'
import { PortTable } from './port-table.ts'
import * as udp from './udp.ts'

/** Payload that the transmit packet holds until a longer one is sent: simulations have thousands of hosts. */
const USUAL_PAYLOAD = 2048
/** Linux: IP_MAX_MEMBERSHIPS (net.ipv4.igmp_max_memberships). */
const MAX_MEMBERSHIPS = 20
/** Linux: net.ipv4.igmp_max_msf and net.ipv6.mld_max_msf. */
const MAX_SOURCES4 = 10
const MAX_SOURCES6 = 64

export class UdpLayer implements UpperLayer, IcmpErrorSink {
  readonly ports: PortTable
  readonly #ip: IpLayer
  readonly #clock: Clock
  readonly #counters: Counters
  readonly #flowSecret: number
  #tx: Packet | null = null
  /** Endpoints with datagrams that their receivers have not been told to deliver. */
  #ready: Endpoint[] = []
  #flushing: Endpoint[] = []

  constructor(ip: IpLayer, clock: Clock, random: Random, counters: Counters) {
    this.#ip = ip
    this.#clock = clock
    this.#counters = counters
    this.#flowSecret = random.uint32() | 0
    this.ports = new PortTable(random, ip.hash)
  }

  createEndpoint(family: 4 | 6, receiver: EndpointReceiver): Endpoint {
    return new Endpoint(this, family, receiver)
  }

  // ── up ──

  input(packet: Packet, nic: Nic): Drop {
    const drop = udp.parse(packet)
    if (drop !== Drop.None && (drop !== Drop.UdpZeroChecksum || !this.#takesZeroChecksum(packet))) return drop
    const { view, transport } = packet
    const sourcePort = udp.sourcePort(view, transport)
    const destinationPort = udp.destinationPort(view, transport)
    if (packet.cast !== Cast.Unicast && this.#isGroup(packet)) return this.#inputGroup(packet, nic, sourcePort, destinationPort)
    const endpoint = this.ports.lookup(packet, sourcePort, destinationPort)
    if (endpoint === null) return Drop.UdpNoPort
    return this.#deliver(endpoint, packet, sourcePort)
  }

  /** RFC 6936 section 4: one socket's matter, which is chosen by the addresses that no checksum covers. */
  #takesZeroChecksum(packet: Packet): boolean {
    if (packet.cast !== Cast.Unicast) return false
    const { view, transport } = packet
    return this.ports.lookup(packet, udp.sourcePort(view, transport), udp.destinationPort(view, transport))?.takesZeroChecksum === true
  }

  /** A unicast packet in a broadcast frame is still for one socket. */
  #isGroup(packet: Packet): boolean {
    return isMulticast(packet.d0, packet.d1, packet.d2, packet.d3) || (packet.family === 4 && this.#ip.isBroadcast4(packet.d3))
  }

  #deliver(endpoint: Endpoint, packet: Packet, sourcePort: number): Drop {
    const drop = endpoint.deliver(packet, sourcePort)
    if (drop === Drop.None) {
      if (packet.family === 4) this.#counters.UdpInDatagrams++
      else this.#counters.Udp6InDatagrams++
    }
    return drop
  }

  /** Every endpoint that matches gets a copy; nobody is told when none does (RFC 1122 section 3.2.2). */
  #inputGroup(packet: Packet, nic: Nic, sourcePort: number, destinationPort: number): Drop {
    let drop: Drop = Drop.UdpNoPort
    for (const endpoint of this.ports.candidates(packet, sourcePort, destinationPort)) {
      if (!PortTable.matches(endpoint, packet, sourcePort)) continue
      if (packet.cast === Cast.Multicast && !allowsSource(endpoint, packet, nic.index)) {
        if (drop === Drop.UdpNoPort) drop = Drop.UdpSourceFilter
        continue
      }
      const result = this.#deliver(endpoint, packet, sourcePort)
      if (drop !== Drop.None) drop = result
      else if (result !== Drop.None) this.#counters.drop(result, packet)
    }
    return drop
  }

  markReady(endpoint: Endpoint): void {
    this.#ready.push(endpoint)
  }

  /** The end of a wake-up: receivers hand on what they collected. A receiver that throws does not keep the others waiting. */
  idle(): void {
    if (this.#ready.length === 0) return
    const batch = this.#ready
    this.#ready = this.#flushing
    this.#flushing = batch
    let at = 0
    try {
      for (; at < batch.length; at++) {
        const endpoint = batch[at] as Endpoint
        endpoint.ready = false
        endpoint.receiver.flush()
      }
    } finally {
      if (++at < batch.length) this.#clock.soon(() => this.idle())
      for (; at < batch.length; at++) this.#ready.push(batch[at] as Endpoint)
      // As a rule there is one: setting the length would free the array's memory each time.
      while (batch.length > 0) batch.pop()
    }
  }

  isSender(quote: Packet): boolean {
    return this.#senderOf(quote) !== null
  }

  icmpError(
    quote: Packet,
    type: number,
    code: number,
    mtu: number,
    pointer: number,
    offender: Address,
    extensions: readonly IcmpExtension[],
  ): Drop {
    const endpoint = this.#senderOf(quote)
    if (endpoint === null) return Drop.IcmpUnmatched
    const { view, transport } = quote
    const sourcePort = udp.sourcePort(view, transport)
    const destinationPort = udp.destinationPort(view, transport)
    const source = new Address(quote.s0, quote.s1, quote.s2, quote.s3)
    const destination = new Address(quote.d0, quote.d1, quote.d2, quote.d3)
    const family = quote.family as 4 | 6
    if (isTooBig(family, type, code)) this.#ip.reportMtu(quote, destination, mtu)
    if (!endpoint.hasRoomFor(extensions)) return Drop.IcmpErrorsFull
    const reported = errnoOf(family, type, code, endpoint.dontFragment)
    const wanted = endpoint.receiveErrors || (reported.hard && endpoint.remoteAddress !== null)
    endpoint.receiver.icmp(
      { family, type, code, mtu, pointer, offender, destination, destinationPort, source, sourcePort, extensions },
      wanted ? reported.errno : '',
    )
    return Drop.None
  }

  /** The endpoint that sends such datagrams as the quoted one: seen from our side its destination is the remote end. */
  #senderOf(quote: Packet): Endpoint | null {
    swapAddresses(quote)
    const endpoint = this.ports.lookup(quote, udp.destinationPort(quote.view, quote.transport), udp.sourcePort(quote.view, quote.transport))
    swapAddresses(quote)
    return endpoint
  }

  // ── binding ──

  bind(endpoint: Endpoint, address: Address, port: number, nic: number): Errno {
    if (endpoint.closed) return 'EBADF'
    if (endpoint.isBound) return 'EINVAL'
    if (endpoint.family === 4 && address.family === 6 && !address.isUnspecified) return 'EAFNOSUPPORT'
    if (endpoint.family === 6 && address.family === 4 && endpoint.ipv6Only) return 'EINVAL'
    const over = nic === 0 ? endpoint.boundNic : nic
    if (needsNic(address) && over === 0) return 'EINVAL'
    if (!address.isUnspecified && !this.#bindable(address, over)) return 'EADDRNOTAVAIL'
    const before = endpoint.localAddress
    endpoint.localAddress = endpoint.family === 4 && address.isUnspecified ? Address.ANY4 : address
    endpoint.localNic = needsNic(address) ? over : 0
    const chosen = port === 0 ? this.ports.freePort(endpoint) : port
    const error = chosen === 0 || (port !== 0 && this.ports.conflicts(endpoint, port)) ? 'EADDRINUSE' : ''
    if (error !== '') {
      endpoint.localAddress = before
      endpoint.localNic = 0
      return error
    }
    endpoint.localPort = chosen
    this.ports.add(endpoint)
    return ''
  }

  /** Own addresses, groups and broadcast addresses may be bound to; a link-local one on its own nic only. */
  #bindable(address: Address, nic: number): boolean {
    const { w0, w1, w2, w3 } = address
    if (address.isMulticast) return true
    if (address.family === 4) return this.#ip.isLocal(w0, w1, w2, w3) || this.#ip.isBroadcast4(w3)
    if (!address.isLinkLocal) return this.#ip.isLocal(w0, w1, w2, w3)
    return nic !== 0 && (this.#ip.nicByIndex(nic)?.hasAddress(address) ?? false)
  }

  connect(endpoint: Endpoint, to: Address, port: number, zone: number): Errno {
    if (endpoint.closed) return 'EBADF'
    const address = loopbackForAny(endpoint, to)
    if (endpoint.family === 4 && address.family === 6) return 'EAFNOSUPPORT'
    if (endpoint.family === 6 && address.family === 4 && endpoint.ipv6Only) return 'ENETUNREACH'
    if (needsNic(address) && zone === 0 && endpoint.boundNic === 0 && !(address.isMulticast && endpoint.multicastNic !== 0)) return 'EINVAL'
    const error = this.#resolve(endpoint, address, this.#leavingNic(endpoint, address, zone, null), null)
    if (error !== '') return error
    if (!endpoint.isBound) {
      const bound = this.bind(endpoint, endpoint.family === 4 ? Address.ANY4 : Address.ANY6, 0, 0)
      if (bound !== '') return bound
    }
    if (endpoint.remoteAddress !== null) this.disconnect(endpoint)
    this.ports.remove(endpoint)
    if (endpoint.localAddress.isUnspecified && endpoint.routeSource !== null) {
      endpoint.localAddress = endpoint.routeSource
      endpoint.pinned = true
    }
    endpoint.remoteAddress = address
    endpoint.remotePort = port
    endpoint.remoteNic = address.isLinkLocal || address.isMulticast ? zone : 0
    this.ports.add(endpoint)
    return ''
  }

  disconnect(endpoint: Endpoint): void {
    this.ports.remove(endpoint)
    endpoint.remoteAddress = null
    endpoint.remotePort = 0
    endpoint.remoteNic = 0
    if (endpoint.pinned) {
      endpoint.localAddress = endpoint.family === 4 ? Address.ANY4 : Address.ANY6
      endpoint.pinned = false
    }
    endpoint.routeTo = null
    if (endpoint.isBound && !endpoint.closed) this.ports.add(endpoint)
  }

  close(endpoint: Endpoint): void {
    for (const { group, nic } of [...endpoint.memberships]) this.leave(endpoint, group, nic)
    if (endpoint.isBound) this.ports.remove(endpoint)
    endpoint.route = null
    endpoint.routeTo = null
  }

  // ── down ──

  /** The transmit packet with `length` bytes of payload to fill at `packet.start`; valid until the next call into the stack. */
  beginSend(length: number): Packet {
    // Longer than any datagram: `send` says EMSGSIZE; the bytes do not matter.
    const end = HEADROOM + Math.min(length, MAX_PACKET)
    if (this.#tx === null || this.#tx.capacity < end)
      this.#tx = new Packet(HEADROOM + (length <= USUAL_PAYLOAD ? USUAL_PAYLOAD : MAX_PACKET))
    this.#tx.reset(HEADROOM, end)
    return this.#tx
  }

  send(endpoint: Endpoint, packet: Packet, to: Address | null, toPort: number, zone: number, options: SendOptions | null): Errno {
    if (endpoint.closed) return 'EBADF'
    const given = to ?? endpoint.remoteAddress
    if (given === null) return 'EDESTADDRREQ'
    const port = to === null ? endpoint.remotePort : toPort
    if (port === 0) return 'EINVAL'
    const address = loopbackForAny(endpoint, given)
    const four = address.family === 4
    if (!four && endpoint.family === 4) return 'EINVAL'
    if (
      four &&
      endpoint.family === 6 &&
      (endpoint.ipv6Only || (endpoint.localAddress.family === 6 && !endpoint.localAddress.isUnspecified))
    )
      return 'ENETUNREACH'
    if (!endpoint.isBound) {
      const error = this.bind(endpoint, endpoint.family === 4 ? Address.ANY4 : Address.ANY6, 0, 0)
      if (error !== '') return error
    }
    const length = packet.end - packet.start
    if (length > (four ? udp.MAX_PAYLOAD4 : udp.MAX_PAYLOAD6)) return 'EMSGSIZE'
    const firstHop = four ? endpoint.firstHop : null
    const error = this.#resolve(
      endpoint,
      firstHop ?? address,
      this.#leavingNic(endpoint, address, to === null ? endpoint.remoteNic : zone, options),
      options,
    )
    if (error !== '') return error
    const route = endpoint.route as Route
    const source = endpoint.routeSource as Address
    const multicast = address.isMulticast

    packet.family = four ? 4 : 6
    packet.protocol = UDP
    packet.tos = options?.tos ?? endpoint.tos
    packet.hopLimit =
      options?.hopLimit ??
      (multicast ? endpoint.multicastHopLimit : endpoint.hopLimit < 0 ? this.#ip.hopLimitOver(route.nic, packet.family) : endpoint.hopLimit)
    packet.flowLabel = four ? 0 : this.#flowLabel(endpoint, source, address, port)
    // For links whose atomic datagrams are numbered.
    packet.identification = endpoint.sent++ & 0xffff
    packet.s0 = source.w0
    packet.s1 = source.w1
    packet.s2 = source.w2
    packet.s3 = source.w3
    packet.d0 = address.w0
    packet.d1 = address.w1
    packet.d2 = address.w2
    packet.d3 = address.w3
    const surplus = options?.surplus ?? 0
    packet.end -= surplus
    packet.start -= udp.HEADER
    udp.encode(packet.view, packet.start, packet.end, endpoint.localPort, port)
    const loop =
      endpoint.routeBroadcast || (multicast && endpoint.multicastLoop && route.nic.isMember(address.w0, address.w1, address.w2, address.w3))
    const mode = options?.dontFragment ?? endpoint.dontFragment
    const pseudo = pseudoHeaderSum(packet)
    if (!four && endpoint.sendsZeroChecksum) {
      // The field is 0.
    } else if (route.nic.link.offload.checksum && !loop && surplus === 0 && firstHop === null) {
      udp.encodePartialChecksum(packet.view, packet.start, pseudo)
      // What has to be fragmented is completed by IP.
      packet.checksumState = ChecksumState.Partial
    } else udp.encodeChecksum(packet, packet.start, packet.end, pseudo)
    packet.end += surplus
    if (firstHop !== null) {
      const wrong = this.#beginSourceRoute(endpoint, packet, route, firstHop)
      if (wrong !== '') return wrong
    }
    const drop = this.#ip.output(packet, route, mode, loop, four ? endpoint.sentOptions : null)
    if (drop === Drop.None) {
      if (four) this.#counters.UdpOutDatagrams++
      else this.#counters.Udp6OutDatagrams++
      return ''
    }
    // Nothing is lost yet in the first two: the caller knows, and may try again.
    if (drop === Drop.IpDontFragment) return 'EMSGSIZE'
    if (drop === Drop.LinkQueueFull) return 'ENOBUFS'
    this.#counters.drop(drop, packet)
    return drop === Drop.LinkDown ? 'ENETDOWN' : ''
  }

  /** RFC 6437 section 3: one label per flow (addresses, ports, protocol), not to be predicted without a secret of 96 bits, never 0. */
  #flowLabel(endpoint: Endpoint, source: Address, to: Address, port: number): number {
    if (endpoint.flowPort === port) return endpoint.flowLabel
    const ports = (endpoint.localPort << 16) | port
    const hash = this.#ip.hash.flow(source.w0, source.w1, source.w2, source.w3, to.w0, to.w1, to.w2, to.w3, ports, this.#flowSecret)
    endpoint.flowPort = port
    endpoint.flowLabel = hash & 0xfffff || 1
    return endpoint.flowLabel
  }

  /** The first hop goes into the header, the destination to the end of the route: only the checksum is that of the way's two ends. */
  #beginSourceRoute(endpoint: Endpoint, packet: Packet, route: Route, firstHop: Address): Errno {
    const { sent, last, strict } = endpoint.ownOptions as OwnOptions
    if (strict && route.gateway !== null) return 'ENETUNREACH'
    // No way leads to a group or a broadcast address by single hosts.
    if (!this.#ip.isUnicast4(packet.d3)) return 'EINVAL'
    new DataView(sent.buffer).setInt32(last, packet.d3)
    packet.d3 = firstHop.w3
    return ''
  }

  /** The nic a datagram must leave by, or 0 for what the route says. */
  #leavingNic(endpoint: Endpoint, address: Address, zone: number, options: SendOptions | null): number {
    if (options?.nic !== undefined && options.nic !== 0) return options.nic
    if (endpoint.boundNic !== 0) return endpoint.boundNic
    if (zone !== 0) return zone
    if (address.isMulticast) {
      if (endpoint.multicastNic !== 0) return endpoint.multicastNic
    } else if (!address.isLimitedBroadcast) return 0
    // Linux: a group or 255.255.255.255 leaves by the nic of the bound address.
    const { localAddress } = endpoint
    if (localAddress.isUnspecified || localAddress.isMulticast) return 0
    return this.#ip.nicOf(localAddress)?.index ?? 0
  }

  /** Puts route, source and flow label for a destination into the endpoint's cache. */
  #resolve(endpoint: Endpoint, address: Address, nic: number, options: SendOptions | null): Errno {
    const ip = this.#ip
    if (
      options?.source === undefined &&
      endpoint.routeTo !== null &&
      endpoint.routeGeneration === ip.routes.generation &&
      endpoint.routeNic === nic &&
      endpoint.routeTo.equals(address)
    ) {
      if (endpoint.dontRoute && (endpoint.route as Route).gateway !== null) return 'ENETUNREACH'
      return endpoint.broadcast || !endpoint.routeBroadcast ? '' : 'EACCES'
    }
    endpoint.routeTo = null
    const { w0, w1, w2, w3 } = address
    const route = ip.route(w0, w1, w2, w3, this.#isOwnOn(address, nic) ? 0 : nic)
    if (route === null) return 'ENETUNREACH'
    if (route.kind === 'unreachable') return 'EHOSTUNREACH'
    if (route.kind === 'prohibit') return 'EACCES'
    if (route.kind === 'blackhole') return 'EINVAL'
    if (endpoint.dontRoute && route.gateway !== null) return 'ENETUNREACH'
    // Another link's broadcast address is one host's there (Linux: only the nic's own route is of type broadcast).
    endpoint.routeBroadcast = address.family === 4 && ip.isBroadcastOn(route.nic, w3)
    if (endpoint.routeBroadcast && !endpoint.broadcast) return 'EACCES'
    const source = this.#source(endpoint, route, address, options)
    if (typeof source === 'string') return source
    endpoint.route = route
    endpoint.routeSource = source
    endpoint.routeNic = nic
    endpoint.routeGeneration = ip.routes.generation
    // Made when a datagram of IPv6 is sent.
    endpoint.flowPort = 0
    // Another receiver's begin anew: nobody sees how many the others got.
    if (endpoint.sentTo === null || !endpoint.sentTo.equals(address)) {
      endpoint.sentTo = address
      endpoint.sent = 0
    }
    if (options?.source === undefined) endpoint.routeTo = address
    return ''
  }

  /** Whether what is sent to the address over the nic (0 for any) stays here: a link-local address is one of its link's (RFC 4007 section 6). */
  #isOwnOn(address: Address, nic: number): boolean {
    if (nic === 0 || address.family === 4 || !address.isLinkLocal) return this.#isOwn(address)
    return this.#ip.nicByIndex(nic)?.hasAddress(address) ?? false
  }

  #isOwn(address: Address): boolean {
    return this.#ip.isLocal(address.w0, address.w1, address.w2, address.w3)
  }

  #source(endpoint: Endpoint, route: Route, address: Address, options: SendOptions | null): Address | Errno {
    if (options?.source !== undefined) return this.#isOwn(options.source) ? options.source : 'EINVAL'
    const { localAddress } = endpoint
    const bound =
      !localAddress.isUnspecified && !localAddress.isMulticast && !(localAddress.family === 4 && this.#ip.isBroadcast4(localAddress.w3))
    if (bound && localAddress.family === address.family) return localAddress
    // To an own address the datagram comes from that very address.
    const own = route.kind === 'local' && this.#ip.nicOf(address) !== undefined && !address.isLoopback
    return (own ? address : this.#ip.selectSource(route, address.w0, address.w1, address.w2, address.w3)) ?? 'EADDRNOTAVAIL'
  }

  pathMtu(endpoint: Endpoint, address: Address, nic: number): number {
    const { w0, w1, w2, w3 } = address
    const route = this.#ip.route(w0, w1, w2, w3, nic === 0 ? endpoint.boundNic : nic)
    return route === null ? 0 : this.#ip.mtuTo(route, w0, w1, w2, w3)
  }

  // ── groups ──

  join(endpoint: Endpoint, group: Address, nic: number): Errno {
    const over = this.#groupNic(endpoint, group, nic)
    if (typeof over === 'string') return over
    if (findMembership(endpoint, group, over.index) !== undefined) return 'EADDRINUSE'
    return this.#joinNic(endpoint, { group, nic: over.index, exclude: true, sources: [] }, over)
  }

  leave(endpoint: Endpoint, group: Address, nic: number): Errno {
    if (!group.isMulticast) return 'EINVAL'
    const found = endpoint.memberships.find((each) => each.group.equals(group) && (nic === 0 || each.nic === nic))
    if (found === undefined) return nic !== 0 && this.#ip.nicByIndex(nic) === undefined ? 'ENODEV' : 'EADDRNOTAVAIL'
    endpoint.memberships = endpoint.memberships.filter((each) => each !== found)
    this.#ip.nicByIndex(found.nic)?.leave(found)
    return ''
  }

  joinSource(endpoint: Endpoint, group: Address, source: Address, nic: number): Errno {
    const over = this.#groupNic(endpoint, group, nic)
    if (typeof over === 'string') return over
    if (source.family !== group.family) return 'EINVAL'
    const found = findMembership(endpoint, group, over.index)
    if (found === undefined) return this.#joinNic(endpoint, { group, nic: over.index, exclude: false, sources: [source] }, over)
    // RFC 3678 section 4.1.3: INCLUDE and EXCLUDE do not mix.
    if (found.exclude) return 'EINVAL'
    if (found.sources.some((each) => each.equals(source))) return 'EADDRNOTAVAIL'
    return this.#setSources(found, [...found.sources, source])
  }

  leaveSource(endpoint: Endpoint, group: Address, source: Address, nic: number): Errno {
    if (!group.isMulticast) return 'EINVAL'
    const found = endpoint.memberships.find((each) => each.group.equals(group) && (nic === 0 || each.nic === nic))
    if (found === undefined || found.exclude) return 'EINVAL'
    const rest = found.sources.filter((each) => !each.equals(source))
    if (rest.length === found.sources.length) return 'EADDRNOTAVAIL'
    return rest.length === 0 ? this.leave(endpoint, group, found.nic) : this.#setSources(found, rest)
  }

  blockSource(endpoint: Endpoint, group: Address, source: Address, nic: number): Errno {
    const found = this.#joinedForAny(endpoint, group, source, nic)
    if (found === undefined) return 'EINVAL'
    if (found.sources.some((each) => each.equals(source))) return 'EADDRNOTAVAIL'
    return this.#setSources(found, [...found.sources, source])
  }

  unblockSource(endpoint: Endpoint, group: Address, source: Address, nic: number): Errno {
    const found = this.#joinedForAny(endpoint, group, source, nic)
    if (found === undefined) return 'EINVAL'
    const rest = found.sources.filter((each) => !each.equals(source))
    return rest.length === found.sources.length ? 'EADDRNOTAVAIL' : this.#setSources(found, rest)
  }

  #joinedForAny(endpoint: Endpoint, group: Address, source: Address, nic: number): EndpointMembership | undefined {
    if (source.family !== group.family) return undefined
    return endpoint.memberships.find((each) => each.exclude && each.group.equals(group) && (nic === 0 || each.nic === nic))
  }

  #setSources(membership: EndpointMembership, sources: Address[]): Errno {
    if (sources.length > (membership.group.family === 4 ? MAX_SOURCES4 : MAX_SOURCES6)) return 'ENOBUFS'
    membership.sources = sources
    this.#ip.nicByIndex(membership.nic)?.memberships.changed(membership)
    return ''
  }

  #groupNic(endpoint: Endpoint, group: Address, index: number): Nic | Errno {
    if (!group.isMulticast || (group.family === 6 && endpoint.family === 4)) return 'EINVAL'
    if (index !== 0) return this.#ip.nicByIndex(index) ?? 'ENODEV'
    const route = this.#ip.route(group.w0, group.w1, group.w2, group.w3, 0)
    return route === null ? 'ENODEV' : route.nic
  }

  #joinNic(endpoint: Endpoint, membership: EndpointMembership, nic: Nic): Errno {
    if (endpoint.family === 4 && endpoint.memberships.length >= MAX_MEMBERSHIPS) return 'ENOBUFS'
    endpoint.memberships.push(membership)
    nic.join(membership)
    return ''
  }
}

function swapAddresses(packet: Packet): void {
  const { s0, s1, s2, s3 } = packet
  packet.s0 = packet.d0
  packet.s1 = packet.d1
  packet.s2 = packet.d2
  packet.s3 = packet.d3
  packet.d0 = s0
  packet.d1 = s1
  packet.d2 = s2
  packet.d3 = s3
}

/** Linux: sending to any reaches this host. */
function loopbackForAny(endpoint: Endpoint, address: Address): Address {
  if (!address.isUnspecified) return address
  return address.family === 4 || endpoint.family === 4 ? Address.LOOPBACK4 : Address.LOOPBACK6
}

function findMembership(endpoint: Endpoint, group: Address, nic: number): EndpointMembership | undefined {
  return endpoint.memberships.find((each) => each.nic === nic && each.group.equals(group))
}

/** Linux: ip_mc_sf_allow with IP_MULTICAST_ALL, its default: a socket without a membership of its own hears every group of the nic. */
function allowsSource(endpoint: Endpoint, packet: Packet, nic: number): boolean {
  for (const { group, nic: index, exclude, sources } of endpoint.memberships) {
    if (index !== nic || !group.is(packet.d0, packet.d1, packet.d2, packet.d3)) continue
    for (const source of sources) if (source.is(packet.s0, packet.s1, packet.s2, packet.s3)) return !exclude
    return exclude
  }
  // Linux: a udp6 socket has IPV6_MULTICAST_ALL, but no IP_MULTICAST_ALL.
  return endpoint.family === packet.family
}

/** The sum over the packet's addresses, protocol and length, before the IP header exists. */
function pseudoHeaderSum(packet: Packet): number {
  const { s0, s1, s2, s3, d0, d1, d2, d3 } = packet
  const total = halves(s3) + halves(d3) + UDP + packet.end - packet.start
  if (packet.family === 4) return total
  return total + halves(s0) + halves(s1) + halves(s2) + halves(d0) + halves(d1) + halves(d2)
}

function halves(word: number): number {
  return (word >>> 16) + (word & 0xffff)
}

/** What an error means to a program (Linux: icmp_err_convert, icmpv6_err_convert). A hard one reaches a connected socket unasked. */
interface Reported {
  readonly errno: Errno
  readonly hard: boolean
}

const soft = (errno: Errno): Reported => ({ errno, hard: false })
const hard = (errno: Errno): Reported => ({ errno, hard: true })

/** By code. */
const UNREACHABLE4 = [
  soft('ENETUNREACH'),
  soft('EHOSTUNREACH'),
  hard('ENOPROTOOPT'),
  hard('ECONNREFUSED'),
  hard('EMSGSIZE'),
  soft('EOPNOTSUPP'),
  hard('ENETUNREACH'),
  hard('EHOSTDOWN'),
  hard('ENONET'),
  hard('ENETUNREACH'),
  hard('EHOSTUNREACH'),
  soft('ENETUNREACH'),
  soft('EHOSTUNREACH'),
  hard('EHOSTUNREACH'),
  hard('EHOSTUNREACH'),
  hard('EHOSTUNREACH'),
]
const UNREACHABLE6 = [
  soft('ENETUNREACH'),
  hard('EACCES'),
  soft('EHOSTUNREACH'),
  soft('EHOSTUNREACH'),
  hard('ECONNREFUSED'),
  hard('EACCES'),
  hard('EACCES'),
]
const SILENT = soft('')
const PROTOCOL = hard('EPROTO')
const TOO_BIG = hard('EMSGSIZE')
const HOST_UNREACHABLE = soft('EHOSTUNREACH')

function errnoOf(family: 4 | 6, type: number, code: number, mode: PmtuMode): Reported {
  if (isTooBig(family, type, code)) return mode === PmtuMode.Dont ? SILENT : TOO_BIG
  if (family === 4) {
    if (type === icmpv4.PARAMETER_PROBLEM) return PROTOCOL
    if (type === icmpv4.TIME_EXCEEDED) return HOST_UNREACHABLE
    return UNREACHABLE4[code] ?? SILENT
  }
  if (type === icmpv6.TIME_EXCEEDED) return HOST_UNREACHABLE
  return type === icmpv6.DESTINATION_UNREACHABLE ? (UNREACHABLE6[code] ?? PROTOCOL) : PROTOCOL
}

/** Whether an IPv6 address means nothing without a link: a link-local one, and groups of scope 1 and 2 (Linux: __ipv6_addr_needs_scope_id). */
function needsNic(address: Address): boolean {
  if (address.family === 4) return false
  const scope = (address.w0 >>> 16) & 15
  return address.isLinkLocal || (address.isMulticast && (scope === 1 || scope === 2))
}
