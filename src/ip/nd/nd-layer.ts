/**
 * Neighbor Discovery of one nic: address resolution and unreachability detection (RFC 4861 section
 * 7), duplicate address detection (RFC 4862 section 5.4). What routers say goes on to
 * `router-discovery.ts` and `router-advertiser.ts`.
 */
import { Address, isUnspecified } from '../../base/address.ts'
import type { Clock, Timer } from '../../base/clock.ts'
import { Drop } from '../../base/drop.ts'
import { Cast, HEADROOM, type Packet } from '../../base/packet.ts'
import type { Random } from '../../base/random.ts'
import * as ethernet from '../../wire/ethernet.ts'
import { formatHardwareAddress } from '../../wire/hardware-address.ts'
import * as ipv6 from '../../wire/ipv6.ts'
import * as ndp from '../../wire/ndp.ts'
import type { AddressOwner } from '../nic/address-owner.ts'
import type { FrameSender } from '../nic/frame-sender.ts'
import type { LinkHost } from '../nic/link-host.ts'
import type { Neighbor } from '../nic/neighbor.ts'
import { type NeighborProtocol, NeighborTable, Override } from '../nic/neighbor-table.ts'
import type { NicAddress } from '../nic/nic-address.ts'
import { MIN_PMTU6 } from '../routing/path-mtu.ts'
import { NdSender } from './nd-sender.ts'
import { RouterAdvertiser } from './router-advertiser.ts'
import { type DiscoveringNic, RouterDiscovery } from './router-discovery.ts'
import type { SlaacAddresses } from './slaac.ts'

/**
 * MAX_RTR_SOLICITATION_DELAY: a random time in front of the first solicitation (RFC 4862 section
 * 5.4.2).
 */
const DETECTION_DELAY = 1000
/**
 * MAX_ANYCAST_DELAY_TIME: a random time in front of an answer for an anycast address (RFC 4861
 * section 10).
 */
const MAX_ANYCAST_DELAY = 1000
/** How many such answers may wait. Linux: proxy_qlen. */
const MAX_DELAYED = 64

/** An address for which duplicates are looked for. */
interface Detection {
  readonly added: NicAddress
  timer: Timer
}

/** The nic of the layer. */
export interface NdNic extends DiscoveringNic {
  /** Whether this is an anycast address of the nic, which is a router's then. */
  isAnycast(w0: number, w1: number, w2: number, w3: number): boolean
}

export class NdLayer implements NeighborProtocol {
  readonly family = 6
  readonly neighbors: NeighborTable
  readonly discovery: RouterDiscovery
  readonly advertiser: RouterAdvertiser
  readonly #frames: FrameSender
  readonly #nic: NdNic
  readonly #owner: AddressOwner
  readonly #host: LinkHost
  readonly #sender: NdSender
  readonly #clock: Clock
  readonly #random: Random
  #detections: Detection[] = []
  /** Answers for anycast addresses that wait. */
  readonly #delayed = new Set<Timer>()

  constructor(
    frames: FrameSender,
    nic: NdNic,
    owner: AddressOwner & SlaacAddresses,
    host: LinkHost,
    clock: Clock,
    random: Random,
  ) {
    this.#frames = frames
    this.#nic = nic
    this.#owner = owner
    this.#host = host
    this.#clock = clock
    this.#random = random
    const { counters, neighborLimits, waiting, hash, routes } = host
    this.neighbors = new NeighborTable(this, clock, random, counters, neighborLimits, waiting, hash)
    this.#sender = new NdSender(frames, nic, counters)
    this.discovery = new RouterDiscovery(this.#sender, this.neighbors, nic, owner, routes, clock, random)
    this.advertiser = new RouterAdvertiser(this.#sender, nic, clock, random)
  }

  close(): void {
    this.discovery.close()
    this.advertiser.stop()
    for (const { timer } of this.#detections) timer.cancel()
    this.#detections = []
    for (const timer of this.#delayed) timer.cancel()
    this.#delayed.clear()
    this.neighbors.close()
  }

  // ── received ──

  /** An ICMPv6 message of type 133 to 137 at `packet.transport`, its checksum verified. */
  input(packet: Packet): Drop {
    const drop = ndp.parse(packet)
    if (drop !== Drop.None) return drop
    const { counters } = this.#host
    switch (packet.view.getUint8(packet.transport)) {
      case ndp.NEIGHBOR_SOLICITATION:
        counters.six.IcmpInNeighborSolicits++
        return this.#solicitation(packet)
      case ndp.NEIGHBOR_ADVERTISEMENT:
        counters.six.IcmpInNeighborAdvertisements++
        return this.#advertisement(packet)
      case ndp.ROUTER_SOLICITATION:
        counters.six.IcmpInRouterSolicits++
        if (!this.advertiser.isActive) return Drop.NdIgnored
        this.#learnSource(packet)
        this.advertiser.solicited()
        return Drop.None
      case ndp.ROUTER_ADVERTISEMENT:
        counters.six.IcmpInRouterAdvertisements++
        if (!this.discovery.isActive) return Drop.NdIgnored
        this.#learnSource(packet)
        this.discovery.advertised(packet)
        return Drop.None
      default:
        return Drop.NdIgnored
    }
  }

  /** RFC 4861 section 7.2.3, RFC 4862 section 5.4.3. */
  #solicitation(packet: Packet): Drop {
    const target = targetOf(packet)
    const fromNobody = isUnspecified(packet.s0, packet.s1, packet.s2, packet.s3)
    const detection = this.#detections.find(({ added }) => added.address.equals(target))
    if (detection !== undefined) {
      // Not our own solicitation that came back: another host that tries the same address. One that
      // only asks for it gets no answer yet.
      if (!fromNobody || this.#isOwnFrame(packet)) return Drop.None
      return this.#duplicate(detection, packet)
    }
    const own = this.#owner.has(target)
    if (!own && !this.#nic.isAnycast(target.w0, target.w1, target.w2, target.w3)) return Drop.NdIgnored
    this.#learnSource(packet)
    const to = fromNobody ? ndp.ALL_NODES : new Address(packet.s0, packet.s1, packet.s2, packet.s3)
    const flags = fromNobody ? 0 : ndp.SOLICITED
    if (!own) return this.#advertiseAnycast(target, flags, to, packet.cast === Cast.Unicast)
    this.#advertise(target, target, flags | ndp.OVERRIDE, to)
    return Drop.None
  }

  /**
   * RFC 4861 section 7.2.7: whoever answers first is believed, so answers neither override another
   * router's nor come all at once. The one router that is asked alone need not wait (Linux).
   */
  #advertiseAnycast(target: Address, flags: number, to: Address, atOnce: boolean): Drop {
    const advertise = () => {
      const source = this.#sourceFor(target, null)
      if (source !== null && this.#nic.isAnycast(target.w0, target.w1, target.w2, target.w3))
        this.#advertise(target, source, flags, to)
    }
    if (atOnce) {
      advertise()
      return Drop.None
    }
    if (this.#delayed.size >= MAX_DELAYED) return Drop.NdQueueFull
    const timer = this.#clock.schedule(this.#random.float() * MAX_ANYCAST_DELAY, () => {
      this.#delayed.delete(timer)
      advertise()
    })
    this.#delayed.add(timer)
    return Drop.None
  }

  /** RFC 4861 section 7.2.5, RFC 4862 section 5.4.4. */
  #advertisement(packet: Packet): Drop {
    const { view, transport } = packet
    const target = targetOf(packet)
    const detection = this.#detections.find(({ added }) => added.address.equals(target))
    if (detection !== undefined) return this.#duplicate(detection, packet)
    if (this.#owner.has(target)) {
      if (this.#isOwnFrame(packet)) return Drop.None
      this.#owner.conflict(target, senderOf(packet))
      return Drop.AddressConflict
    }
    // An advertisement that nobody asked for makes no entry.
    const neighbor = this.neighbors.find(target.w0, target.w1, target.w2, target.w3)
    if (neighbor === null || neighbor.state === 'FAILED') return Drop.None
    const flags = ndp.flags(view, transport)
    const solicited = (flags & ndp.SOLICITED) !== 0
    const option = ndp.findOption(packet, ndp.TARGET_LINK_ADDRESS, ndp.LINK_ADDRESS_OPTION)
    if (option !== 0) {
      const override =
        neighbor.state === 'INCOMPLETE' || (flags & ndp.OVERRIDE) !== 0 ? Override.Replace : Override.Doubt
      const high = ndp.linkAddressHigh(view, option)
      const low = ndp.linkAddressLow(view, option)
      this.neighbors.update(neighbor, high, low, solicited ? 'REACHABLE' : 'STALE', override)
      if (neighbor.high !== high || neighbor.low !== low) return Drop.None
    } else if (neighbor.state === 'INCOMPLETE') return Drop.None
    else if (solicited) this.neighbors.confirm(neighbor)
    if (solicited) this.discovery.routerFound(target)
    const isRouter = (flags & ndp.ROUTER) !== 0
    // Section 7.2.5: a router that became a host is no default router any more.
    if (neighbor.isRouter && !isRouter) this.discovery.routerGone(target)
    neighbor.isRouter = isRouter
    return Drop.None
  }

  /**
   * Makes or updates the entry of who sent a solicitation or a router's message (sections 6.2.6,
   * 6.3.4, 7.2.3).
   */
  #learnSource(packet: Packet): void {
    const option = ndp.findOption(packet, ndp.SOURCE_LINK_ADDRESS, ndp.LINK_ADDRESS_OPTION)
    if (option === 0 || isUnspecified(packet.s0, packet.s1, packet.s2, packet.s3)) return
    const { view, transport } = packet
    const neighbor = this.neighbors.findOrAdd(new Address(packet.s0, packet.s1, packet.s2, packet.s3))
    if (neighbor === null) return
    this.neighbors.update(
      neighbor,
      ndp.linkAddressHigh(view, option),
      ndp.linkAddressLow(view, option),
      'STALE',
      Override.Replace,
    )
    const kind = view.getUint8(transport)
    if (kind === ndp.ROUTER_ADVERTISEMENT) neighbor.isRouter = true
    else if (kind === ndp.ROUTER_SOLICITATION) neighbor.isRouter = false
  }

  /**
   * A redirect that was believed: its target is a neighbor now, and a router unless it is the
   * destination itself (RFC 4861 section 8.3).
   */
  redirected(packet: Packet, isRouter: boolean): void {
    const option = ndp.findOption(packet, ndp.TARGET_LINK_ADDRESS, ndp.LINK_ADDRESS_OPTION)
    if (option === 0) return
    const { view } = packet
    const neighbor = this.neighbors.findOrAdd(targetOf(packet))
    if (neighbor === null) return
    this.neighbors.update(
      neighbor,
      ndp.linkAddressHigh(view, option),
      ndp.linkAddressLow(view, option),
      'STALE',
      Override.Replace,
    )
    if (isRouter) neighbor.isRouter = true
  }

  // ── asked ──

  solicit(neighbor: Neighbor, unicast: boolean, packet: Uint8Array | null): void {
    const source = this.#sourceFor(neighbor.address, packet)
    if (source === null) return
    const { w0, w1, w2, w3 } = neighbor.address
    const { view } = this.#sender.begin()
    let end = ndp.encodeNeighbor(view, HEADROOM, 0, w0, w1, w2, w3)
    end = this.#sender.encodeOwnAddress(view, end, ndp.SOURCE_LINK_ADDRESS)
    if (unicast) this.#sender.send(ndp.NEIGHBOR_SOLICITATION, end, source, w0, w1, w2, w3)
    else
      this.#sender.send(
        ndp.NEIGHBOR_SOLICITATION,
        end,
        source,
        ndp.SOLICITED_NODE_0,
        0,
        ndp.SOLICITED_NODE_2,
        ndp.solicitedNode3(w3),
      )
  }

  transmit(packet: Packet, neighbor: Neighbor): void {
    const drop = this.#frames.transmit(packet, neighbor.high, neighbor.low, ethernet.IPV6)
    if (drop !== Drop.None) this.#host.counters.drop(drop, packet)
  }

  unreachable(packet: Packet): void {
    if (ipv6.parse(packet) !== Drop.None || ipv6.walk(packet) !== Drop.None) return
    this.#host.neighborUnreachable(packet, this.#nic)
  }

  lost({ address }: Neighbor): void {
    this.discovery.routerLost(address)
    this.#host.neighborLost(this.#nic, address)
  }

  /**
   * RFC 4861 section 7.2.2: the waiting packet's source if the nic has it; else one of the target's
   * scope.
   */
  #sourceFor(target: Address, packet: Uint8Array | null): Address | null {
    if (packet !== null) {
      const source = Address.fromBytes(packet.subarray(ipv6.SOURCE, ipv6.SOURCE + 16))
      if (this.#owner.has(source)) return source
    }
    const own = this.#nic.addresses.filter(({ address }) => address.family === 6)
    const best =
      own.find(({ prefix }) => prefix.contains(target)) ?? own.find(({ address }) => address.isLinkLocal) ?? own[0]
    return best?.address ?? null
  }

  #advertise(target: Address, source: Address, flags: number, to: Address): void {
    const { view } = this.#sender.begin()
    const router = this.#nic.isRouter ? ndp.ROUTER : 0
    let end = ndp.encodeNeighbor(view, HEADROOM, flags | router, target.w0, target.w1, target.w2, target.w3)
    end = this.#sender.encodeOwnAddress(view, end, ndp.TARGET_LINK_ADDRESS)
    const asker = this.neighbors.find(to.w0, to.w1, to.w2, to.w3)
    const isStranger = asker?.isUsed === false
    this.#sender.send(ndp.NEIGHBOR_ADVERTISEMENT, end, source, to.w0, to.w1, to.w2, to.w3)
    if (isStranger) this.neighbors.stillStranger(asker)
  }

  /**
   * Tells the sender of the packet at `packet.network … packet.networkEnd` that `target` is a
   * better first hop (RFC 4861 section 8.2): with the target's hardware address, if it is known,
   * and as much of the packet as the smallest MTU has room for.
   */
  redirect(packet: Packet, target: Address): void {
    const source = this.#nic.addresses.find(({ address }) => address.family === 6 && address.isLinkLocal)?.address
    if (source === undefined) return
    const { bytes, view } = this.#sender.begin(true)
    let end = ndp.encodeRedirect(view, HEADROOM, target, packet.d0, packet.d1, packet.d2, packet.d3)
    const neighbor = this.neighbors.find(target.w0, target.w1, target.w2, target.w3)
    if (neighbor?.isValid === true)
      end = ndp.encodeLinkAddress(view, end, ndp.TARGET_LINK_ADDRESS, neighbor.high, neighbor.low)
    const room = MIN_PMTU6 - ipv6.HEADER - (end - HEADROOM)
    // In units of 8 bytes; what is left of the packet is cut, as Linux does.
    const option = Math.min(room, ndp.REDIRECTED_PACKET + packet.networkEnd - packet.network) & ~7
    const quoted = packet.bytes.subarray(packet.network, packet.network + option - ndp.REDIRECTED_PACKET)
    bytes.set(quoted, ndp.encodeRedirectedHeader(view, end, option))
    this.#sender.send(ndp.REDIRECT, end + option, source, packet.s0, packet.s1, packet.s2, packet.s3)
  }

  // ── own addresses ──

  /**
   * Duplicate address detection (RFC 4862 section 5.4), one solicitation; the nic is told what came
   * out.
   */
  check(added: NicAddress): void {
    const detection: Detection = {
      added,
      timer: this.#clock.schedule(this.#random.float() * DETECTION_DELAY, () => {
        const { w0, w1, w2, w3 } = added.address
        const end = ndp.encodeNeighbor(this.#sender.begin().view, HEADROOM, 0, w0, w1, w2, w3)
        const group3 = ndp.solicitedNode3(w3)
        this.#sender.send(
          ndp.NEIGHBOR_SOLICITATION,
          end,
          Address.ANY6,
          ndp.SOLICITED_NODE_0,
          0,
          ndp.SOLICITED_NODE_2,
          group3,
        )
        detection.timer = this.#clock.schedule(this.neighbors.retransTime, () => {
          this.stopCheck(added)
          this.#owner.checkPassed(added)
        })
      }),
    }
    this.#detections.push(detection)
  }

  stopCheck(added: NicAddress): void {
    this.#detections.find((each) => each.added === added)?.timer.cancel()
    this.#detections = this.#detections.filter((each) => each.added !== added)
  }

  #duplicate({ added }: Detection, packet: Packet): Drop {
    this.stopCheck(added)
    this.#owner.checkFailed(added, senderOf(packet))
    return Drop.AddressConflict
  }

  /** The address is in use now: a first link-local one lets the host ask for routers. */
  assigned({ address }: NicAddress): void {
    if (address.isLinkLocal) this.discovery.start(address)
  }

  /** Whether the frame of a packet came from our own hardware address. */
  #isOwnFrame({ senderHigh, senderLow }: Packet): boolean {
    return senderHigh === this.#frames.high && senderLow === this.#frames.low
  }
}

/** The hardware address that the frame of a packet came from, as text. */
function senderOf({ senderHigh, senderLow }: Packet): string {
  return formatHardwareAddress(senderHigh, senderLow)
}

function targetOf(packet: Packet): Address {
  const { view, transport } = packet
  return new Address(
    ndp.target(view, transport, 0),
    ndp.target(view, transport, 1),
    ndp.target(view, transport, 2),
    ndp.target(view, transport, 3),
  )
}
