/**
 * UDP of one host: from the port table to the endpoints, and from endpoints to IP. Rules and error
 * codes are Linux's (udp_sendmsg, udp_err).
 */
import { Address, isMulticast } from '../base/address.ts'
import type { Clock } from '../base/clock.ts'
import { Drop } from '../base/drop.ts'
import { Cast, ChecksumState, HEADROOM, MAX_PACKET, Packet } from '../base/packet.ts'
import type { Random } from '../base/random.ts'
import type { Counters } from '../ip/counters.ts'
import { type IcmpError, type IcmpErrorSink, isTooBig } from '../ip/icmp/icmp-error.ts'
import type { Quote } from '../ip/icmp/quote.ts'
import type { IpLayer, UpperLayer } from '../ip/ip-layer.ts'
import type { Nic } from '../ip/nic/nic.ts'
import type { OwnOptions } from '../ip/own-options.ts'
import { PmtuMode } from '../ip/routing/pmtu-mode.ts'
import type { Route } from '../ip/routing/route-table.ts'
import * as icmpv4 from '../wire/icmpv4.ts'
import * as icmpv6 from '../wire/icmpv6.ts'
import { UDP } from '../wire/protocol.ts'
import * as udp from '../wire/udp.ts'
import { checkBind, needsNic, sourceOf } from './bind.ts'
import { Endpoint, type EndpointMembership, type EndpointReceiver, type SendOptions } from './endpoint.ts'
import type { Errno, IcmpErrno } from './errno.ts'
import { PortTable } from './port-table.ts'
import { destinationForAny, route4 } from './route4.ts'
import { checkOwnSource, route6 } from './route6.ts'

/**
 * Payload that the transmit packet holds until a longer one is sent: simulations have thousands of
 * hosts.
 */
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
  readonly #beforeEndpoint: (() => void) | null
  #tx: Packet | null = null
  /** Endpoints with datagrams that their receivers have not been told to deliver. */
  #ready: Endpoint[] = []
  #flushing: Endpoint[] = []

  /** `beforeEndpoint` is called before each endpoint is made; see `stack.beforeUse`. */
  constructor(
    ip: IpLayer,
    clock: Clock,
    random: Random,
    counters: Counters,
    beforeEndpoint: (() => void) | null = null,
  ) {
    this.#ip = ip
    this.#beforeEndpoint = beforeEndpoint
    this.#clock = clock
    this.#counters = counters
    this.#flowSecret = random.uint32() | 0
    this.ports = new PortTable(random, ip.hash)
  }

  createEndpoint(family: 4 | 6, receiver: EndpointReceiver): Endpoint {
    this.#beforeEndpoint?.()
    return new Endpoint(this, family, receiver)
  }

  // ── up ──

  input(packet: Packet, nic: Nic): Drop {
    const drop = udp.parse(packet)
    if (drop !== Drop.None && (drop !== Drop.UdpZeroChecksum || !this.#takesZeroChecksum(packet))) return drop
    const { view, transport } = packet
    const sourcePort = udp.sourcePort(view, transport)
    const destinationPort = udp.destinationPort(view, transport)
    if (packet.cast !== Cast.Unicast && this.#isGroup(packet))
      return this.#inputGroup(packet, nic, sourcePort, destinationPort)
    const endpoint = this.ports.lookup(packet, sourcePort, destinationPort)
    if (endpoint === null) return Drop.UdpNoPort
    return this.#deliver(endpoint, packet, sourcePort)
  }

  /**
   * RFC 6936 section 4: one socket's matter, which is chosen by the addresses that no checksum
   * covers.
   */
  #takesZeroChecksum(packet: Packet): boolean {
    if (packet.cast !== Cast.Unicast) return false
    const { view, transport } = packet
    return (
      this.ports.lookup(packet, udp.sourcePort(view, transport), udp.destinationPort(view, transport))
        ?.takesZeroChecksum === true
    )
  }

  /** A unicast packet in a broadcast frame is still for one socket. */
  #isGroup(packet: Packet): boolean {
    return (
      isMulticast(packet.d0, packet.d1, packet.d2, packet.d3) ||
      (packet.family === 4 && this.#ip.isBroadcast4(packet.d3))
    )
  }

  #deliver(endpoint: Endpoint, packet: Packet, sourcePort: number): Drop {
    const drop = endpoint.deliver(packet, sourcePort)
    if (drop === Drop.None) this.#counters.of(packet.family).UdpInDatagrams++
    return drop
  }

  /**
   * Every endpoint that matches gets a copy; nobody is told when none does (RFC 1122 section
   * 3.2.2).
   */
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

  /**
   * The end of a wake-up: receivers hand on what they collected. A receiver that throws does not
   * keep the others waiting.
   */
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

  isSender(quote: Quote): boolean {
    return this.#senderOf(quote) !== null
  }

  icmpError(quote: Quote, error: IcmpError): Drop {
    const endpoint = this.#senderOf(quote)
    if (endpoint === null) return Drop.IcmpUnmatched
    const { family, type, code, mtu, destination, extensions } = error
    if (isTooBig(family, type, code)) this.#ip.reportMtu(destination, mtu, quote.totalLength)
    if (!endpoint.hasRoomFor(extensions)) return Drop.IcmpErrorsFull
    const reported = errnoOf(family, type, code, endpoint.pmtuMode)
    const wanted = endpoint.receiveErrors || (reported.hard && endpoint.remoteAddress !== null)
    endpoint.receiver.icmp(error, wanted ? reported.errno : '')
    return Drop.None
  }

  /**
   * The endpoint that sends such datagrams as the quoted one: the one that would get the answer.
   */
  #senderOf({ answer, view, transport }: Quote): Endpoint | null {
    return this.ports.lookup(answer, udp.destinationPort(view, transport), udp.sourcePort(view, transport))
  }

  // ── binding ──

  bind(endpoint: Endpoint, address: Address, port: number, nic: number): Errno {
    if (endpoint.closed) return 'EBADF'
    if (endpoint.isBound) return 'EINVAL'
    const scoped = needsNic(address)
    const over = scoped && nic !== 0 ? nic : endpoint.device
    const wrong = checkBind(this.#ip, endpoint, address, over)
    if (wrong !== '') return wrong
    const before = endpoint.localAddress
    endpoint.localAddress = endpoint.family === 4 && address.isUnspecified ? Address.ANY4 : address
    endpoint.localNic = scoped ? over : 0
    const chosen = port === 0 ? this.ports.freePort(endpoint) : port
    const error = chosen === 0 || (port !== 0 && this.ports.conflicts(endpoint, port)) ? 'EADDRINUSE' : ''
    if (error !== '') {
      endpoint.localAddress = before
      endpoint.localNic = 0
      return error
    }
    endpoint.sourceAddress = sourceOf(this.#ip, endpoint, endpoint.localAddress)
    // Linux: who is bound to an IPv6 address speaks IPv6 alone.
    if (address.family === 6 && !address.isUnspecified) endpoint.ipv6Only = true
    endpoint.localPort = chosen
    this.ports.add(endpoint)
    return ''
  }

  connect(endpoint: Endpoint, to: Address, port: number, zone: number): Errno {
    if (endpoint.closed) return 'EBADF'
    const address = to.isUnspecified ? destinationForAny(this.#ip, endpoint, to, null) : to
    const four = address.family === 4
    if (endpoint.family === 4 && !four) return 'EAFNOSUPPORT'
    if (endpoint.family === 6 && four && endpoint.ipv6Only) return 'ENETUNREACH'
    let nic = 0
    if (needsNic(address)) {
      if (zone !== 0 && endpoint.device !== 0 && zone !== endpoint.device) return 'EINVAL'
      nic = zone || endpoint.device || (address.isMulticast ? endpoint.multicastNic6 : 0)
      if (nic === 0) return 'EINVAL'
    }
    const error = this.#resolve(endpoint, address, this.#leavingNic(endpoint, address, to, nic, null), null)
    if (error !== '') return error
    if (!endpoint.isBound) {
      const bound = this.bind(endpoint, endpoint.family === 4 ? Address.ANY4 : Address.ANY6, 0, 0)
      if (bound !== '') return bound
    }
    if (endpoint.remoteAddress !== null) this.#forgetPeer(endpoint)
    this.ports.remove(endpoint)
    if (endpoint.localAddress.isUnspecified && endpoint.routeSource !== null) {
      // Linux: who is bound to ::ffff:0.0.0.0 keeps the address.
      endpoint.unpinned = endpoint.localAddress.family === endpoint.family ? endpoint.localAddress : null
      endpoint.localAddress = endpoint.routeSource
      endpoint.sourceAddress = endpoint.routeSource
    }
    endpoint.sourceAddress ??= endpoint.routeSource
    endpoint.remoteAddress = address
    endpoint.remotePort = port
    endpoint.remoteNic = nic
    this.ports.add(endpoint)
    return ''
  }

  disconnect(endpoint: Endpoint): void {
    this.#forgetPeer(endpoint)
    // Linux: the nic goes with the peer, whatever it came from.
    endpoint.localNic = 0
    endpoint.boundNic = 0
    endpoint.routeTo = null
  }

  #forgetPeer(endpoint: Endpoint): void {
    this.ports.remove(endpoint)
    endpoint.remoteAddress = null
    endpoint.remotePort = 0
    endpoint.remoteNic = 0
    if (endpoint.unpinned !== null) {
      endpoint.localAddress = endpoint.unpinned
      endpoint.sourceAddress = sourceOf(this.#ip, endpoint, endpoint.unpinned)
      endpoint.unpinned = null
    }
    if (endpoint.isBound && !endpoint.closed) this.ports.add(endpoint)
  }

  close(endpoint: Endpoint): void {
    for (const { group, nic } of [...endpoint.memberships]) this.leave(endpoint, group, nic)
    if (endpoint.isBound) this.ports.remove(endpoint)
    endpoint.route = null
    endpoint.routeTo = null
  }

  // ── down ──

  /**
   * The transmit packet with `length` bytes of payload to fill at `packet.start`; valid until the
   * next call into the stack.
   */
  beginSend(length: number): Packet {
    // Longer than any datagram: `send` says EMSGSIZE; the bytes do not matter.
    const end = HEADROOM + Math.min(length, MAX_PACKET)
    if (this.#tx === null || this.#tx.capacity < end)
      this.#tx = new Packet(HEADROOM + (length <= USUAL_PAYLOAD ? USUAL_PAYLOAD : MAX_PACKET))
    this.#tx.reset(HEADROOM, end)
    return this.#tx
  }

  send(
    endpoint: Endpoint,
    packet: Packet,
    to: Address | null,
    toPort: number,
    zone: number,
    options: SendOptions | null,
  ): Errno {
    if (endpoint.closed) return 'EBADF'
    const given = to ?? endpoint.remoteAddress
    if (given === null) return 'EDESTADDRREQ'
    const port = to === null ? endpoint.remotePort : toPort
    if (port === 0) return 'EINVAL'
    const address = given.isUnspecified ? destinationForAny(this.#ip, endpoint, given, options) : given
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
    const over = to === null ? 0 : zone
    if (!four && options !== null) {
      const wrong = checkOwnSource(this.#ip, options, (needsNic(address) && over) || endpoint.device)
      if (wrong !== '') return wrong
    }
    const nic = this.#leavingNic(endpoint, address, given, over, options)
    const error = this.#resolve(endpoint, firstHop ?? address, nic, options)
    if (error !== '') return error
    const route = endpoint.route as Route
    const source = endpoint.routeSource as Address
    const multicast = address.isMulticast

    packet.family = four ? 4 : 6
    packet.protocol = UDP
    packet.tos = options?.tos ?? endpoint.tos
    packet.hopLimit =
      options?.hopLimit ??
      (multicast
        ? endpoint.multicastHopLimit
        : endpoint.hopLimit < 0
          ? this.#ip.hopLimitOver(route.nic, packet.family)
          : endpoint.hopLimit)
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
      endpoint.routeBroadcast ||
      (multicast && endpoint.multicastLoop && route.nic.isMember(address.w0, address.w1, address.w2, address.w3))
    const mode = options?.pmtuMode ?? endpoint.pmtuMode
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
      this.#counters.of(packet.family).UdpOutDatagrams++
      return ''
    }
    // Nothing is lost yet in the first two: the caller knows, and may try again.
    if (drop === Drop.IpDontFragment) return 'EMSGSIZE'
    if (drop === Drop.LinkQueueFull) return 'ENOBUFS'
    this.#counters.drop(drop, packet)
    return drop === Drop.LinkDown ? 'ENETDOWN' : ''
  }

  /**
   * RFC 6437 section 3: one label per flow (addresses, ports, protocol), not to be predicted
   * without a secret of 96 bits, never 0.
   */
  #flowLabel(endpoint: Endpoint, source: Address, to: Address, port: number): number {
    if (endpoint.flowPort === port) return endpoint.flowLabel
    const ports = (endpoint.localPort << 16) | port
    const hash = this.#ip.hash.flow(
      source.w0,
      source.w1,
      source.w2,
      source.w3,
      to.w0,
      to.w1,
      to.w2,
      to.w3,
      ports,
      this.#flowSecret,
    )
    endpoint.flowPort = port
    endpoint.flowLabel = hash & 0xfffff || 1
    return endpoint.flowLabel
  }

  /**
   * The first hop goes into the header, the destination to the end of the route: only the checksum
   * is that of the way's two ends.
   */
  #beginSourceRoute(endpoint: Endpoint, packet: Packet, route: Route, firstHop: Address): Errno {
    const { sent, last, strict } = endpoint.ownOptions as OwnOptions
    if (strict && route.gateway !== null) return 'ENETUNREACH'
    // No way leads to a group or a broadcast address by single hosts.
    if (!this.#ip.isUnicast4(packet.d3)) return 'EINVAL'
    new DataView(sent.buffer).setInt32(last, packet.d3)
    packet.d3 = firstHop.w3
    return ''
  }

  /**
   * The nic that is asked for, or 0 for what the route says. `given` is the destination as it was
   * given.
   */
  #leavingNic(endpoint: Endpoint, address: Address, given: Address, zone: number, options: SendOptions | null): number {
    const own = options?.nic ?? 0
    if (address.family === 4) {
      // 0.0.0.0 is this host, whatever is asked for.
      if (given.isUnspecified && given.family === 4) return 0
      return own || endpoint.device || (address.isMulticast ? endpoint.multicastNic4 : 0)
    }
    // A zone that says nothing about the address is passed over, as in Linux.
    const scoped = zone !== 0 && needsNic(address) ? zone : 0
    return own || scoped || endpoint.device || (address.isMulticast ? endpoint.multicastNic6 : 0)
  }

  /** Puts route, source and flow label for a destination into the endpoint's cache. */
  #resolve(endpoint: Endpoint, address: Address, nic: number, options: SendOptions | null): Errno {
    const ip = this.#ip
    const usual = options === null || (options.source === undefined && options.nic === undefined)
    if (
      usual &&
      endpoint.routeTo !== null &&
      endpoint.routeGeneration === ip.routes.generation &&
      endpoint.routeNic === nic &&
      endpoint.routeTo.equals(address)
    ) {
      if (endpoint.dontRoute && (endpoint.route as Route).gateway !== null) return 'ENETUNREACH'
      return endpoint.broadcast || !endpoint.routeBroadcast ? '' : 'EACCES'
    }
    endpoint.routeTo = null
    const from = options?.source ?? endpoint.sourceAddress
    const error =
      address.family === 4
        ? route4(ip, endpoint, address, address.isMulticast ? (from ?? endpoint.multicastSource4) : from, nic)
        : route6(ip, endpoint, address, from?.isUnspecified && from.family === 6 ? endpoint.sourceAddress : from, nic)
    if (error !== '') return error
    endpoint.routeNic = nic
    endpoint.routeGeneration = ip.routes.generation
    // Made when a datagram of IPv6 is sent.
    endpoint.flowPort = 0
    // Another receiver's begin anew: nobody sees how many the others got.
    if (endpoint.sentTo === null || !endpoint.sentTo.equals(address)) {
      endpoint.sentTo = address
      endpoint.sent = 0
    }
    if (usual) endpoint.routeTo = address
    return ''
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
    if (found === undefined)
      return this.#joinNic(endpoint, { group, nic: over.index, exclude: false, sources: [source] }, over)
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
    return endpoint.memberships.find(
      (each) => each.exclude && each.group.equals(group) && (nic === 0 || each.nic === nic),
    )
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
    return (route === null ? undefined : this.#ip.nicByIndex(route.nic.index)) ?? 'ENODEV'
  }

  #joinNic(endpoint: Endpoint, membership: EndpointMembership, nic: Nic): Errno {
    if (endpoint.family === 4 && endpoint.memberships.length >= MAX_MEMBERSHIPS) return 'ENOBUFS'
    endpoint.memberships.push(membership)
    nic.join(membership)
    return ''
  }
}

function findMembership(endpoint: Endpoint, group: Address, nic: number): EndpointMembership | undefined {
  return endpoint.memberships.find((each) => each.nic === nic && each.group.equals(group))
}

/**
 * Linux: ip_mc_sf_allow with IP_MULTICAST_ALL, its default: a socket without a membership of its
 * own hears every group of the nic.
 */
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

/**
 * What an error means to a program (Linux: icmp_err_convert, icmpv6_err_convert). A hard one
 * reaches a connected socket unasked.
 */
interface Reported {
  readonly errno: IcmpErrno
  readonly hard: boolean
}

const soft = (errno: IcmpErrno): Reported => ({ errno, hard: false })
const hard = (errno: IcmpErrno): Reported => ({ errno, hard: true })

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
