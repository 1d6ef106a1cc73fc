/**
 * ARP of one nic: answers for this host's addresses, asks for others', and notices when somebody
 * else uses ours.
 *
 * RFC 826 with the rules of RFC 1122 section 2.3.2; RFC 5227 for probes, announcements and
 * conflicts; where these leave a choice, Linux (arp_process with its default settings: any address
 * of the host is answered for on any nic, gratuitous messages make no entry).
 */
import { Address, MAPPED } from '../../base/address.ts'
import type { Clock, Timer } from '../../base/clock.ts'
import { Drop } from '../../base/drop.ts'
import { Cast, HEADROOM, Packet } from '../../base/packet.ts'
import type { Random } from '../../base/random.ts'
import * as arp from '../../wire/arp.ts'
import * as ethernet from '../../wire/ethernet.ts'
import { formatHardwareAddress } from '../../wire/hardware-address.ts'
import * as ipv4 from '../../wire/ipv4.ts'
import type { RouteNic } from '../routing/route-nic.ts'
import type { AddressOwner } from './address-owner.ts'
import type { FrameSender } from './frame-sender.ts'
import type { LinkHost } from './link-host.ts'
import type { Neighbor } from './neighbor.ts'
import { type NeighborProtocol, NeighborTable, Override } from './neighbor-table.ts'
import type { NicAddress } from './nic-address.ts'

/** RFC 5227 section 1.1, in milliseconds. */
const PROBE_WAIT = 1000
const PROBE_COUNT = 3
const PROBE_MIN = 1000
const PROBE_MAX = 2000
const ANNOUNCE_WAIT = 2000
const ANNOUNCE_COUNT = 2
const ANNOUNCE_INTERVAL = 2000
const DEFEND_INTERVAL = 10_000

/**
 * Linux: LOCKTIME. After an answer others are not believed for so long: the first of several wins.
 */
const LOCK_TIME = 1000

/** An address that is being probed for. */
interface Probe {
  readonly added: NicAddress
  sent: number
  timer: Timer
}

export class ArpLayer implements NeighborProtocol {
  readonly family = 4
  readonly neighbors: NeighborTable
  readonly #frames: FrameSender
  readonly #nic: RouteNic
  readonly #owner: AddressOwner
  readonly #host: LinkHost
  readonly #clock: Clock
  readonly #random: Random
  #probes: Probe[] = []
  /** When each own address, by word, was last defended. */
  readonly #defended = new Map<number, number>()
  readonly #tx = new Packet(HEADROOM + arp.LENGTH)

  constructor(frames: FrameSender, nic: RouteNic, owner: AddressOwner, host: LinkHost, clock: Clock, random: Random) {
    this.#frames = frames
    this.#nic = nic
    this.#owner = owner
    this.#host = host
    this.#clock = clock
    this.#random = random
    this.neighbors = new NeighborTable(this, clock, random, host.counters, host.neighborLimits, host.waiting, host.hash)
  }

  close(): void {
    for (const { timer } of this.#probes) timer.cancel()
    this.#probes = []
    this.neighbors.close()
  }

  // ── received ──

  /** The ARP message at `packet.start`, behind the Ethernet header. */
  input(packet: Packet): Drop {
    const drop = arp.parse(packet)
    if (drop !== Drop.None) return drop
    const { view, start } = packet
    const high = arp.senderHigh(view, start)
    const low = arp.senderLow(view, start)
    // A switch in a loop, or a wire that echoes: what we said is no news.
    if (high === this.#frames.high && low === this.#frames.low) return Drop.None
    const from = arp.sender(view, start)
    const to = arp.target(view, start)
    if (this.#isConflict(from, to, high, low)) return Drop.AddressConflict
    const asksUs = arp.operation(view, start) === arp.REQUEST && this.#answersFor(to)
    // A probe's sender has no address yet (RFC 5227 section 2.1.1): there is nothing to learn.
    if (from !== 0) this.#learn(packet, from, asksUs)
    if (asksUs) this.#send(arp.REPLY, to, high, low, from, high, low)
    return Drop.None
  }

  /**
   * RFC 826: an entry that is there is updated whatever the operation; one is made only for who
   * asks for us.
   */
  #learn(packet: Packet, from: number, asksUs: boolean): void {
    const { view, start } = packet
    const { neighbors } = this
    const known = asksUs ? neighbors.findOrAdd(Address.fromIPv4(from)) : neighbors.find(0, 0, MAPPED, from)
    if (known === null) return
    const solicited = arp.operation(view, start) === arp.REPLY && packet.cast === Cast.Unicast
    const gratuitous = from === arp.target(view, start)
    const mayReplace = asksUs || gratuitous || this.#clock.now() - known.updated > LOCK_TIME
    neighbors.update(
      known,
      arp.senderHigh(view, start),
      arp.senderLow(view, start),
      solicited ? 'REACHABLE' : 'STALE',
      mayReplace ? Override.Replace : Override.None,
    )
  }

  #answersFor(word: number): boolean {
    return word >>> 24 !== 127 && this.#host.addresses.isLocal(0, 0, MAPPED, word)
  }

  // ── asked ──

  solicit(neighbor: Neighbor, unicast: boolean, packet: Uint8Array | null): void {
    const source = this.#sourceFor(neighbor.address, packet)
    if (source === null) return
    const target = neighbor.address.w3
    if (unicast) this.#send(arp.REQUEST, source, neighbor.high, neighbor.low, target, neighbor.high, neighbor.low)
    else this.#send(arp.REQUEST, source, ethernet.BROADCAST_HIGH, ethernet.BROADCAST_LOW, target, 0, 0)
  }

  transmit(packet: Packet, neighbor: Neighbor): void {
    const drop = this.#frames.transmit(packet, neighbor.high, neighbor.low, ethernet.IPV4)
    if (drop !== Drop.None) this.#host.counters.drop(drop, packet)
  }

  unreachable(packet: Packet): void {
    if (ipv4.parse(packet) !== Drop.None) return
    this.#host.neighborUnreachable(packet, this.#nic)
  }

  lost({ address }: Neighbor): void {
    this.#host.neighborLost(this.#nic, address)
  }

  /**
   * Linux, arp_announce 0: the waiting packet's source if it is ours, else an address of the
   * target's network, else any of the nic, or of the host.
   */
  #sourceFor(target: Address, packet: Uint8Array | null): number | null {
    if (packet !== null) {
      const source = Address.fromBytes(packet.subarray(ipv4.SOURCE, ipv4.SOURCE + 4))
      if (this.#answersFor(source.w3)) return source.w3
    }
    const own = this.#nic.addresses.filter(({ address }) => address.family === 4)
    const best = own.find(({ prefix }) => prefix.contains(target)) ?? own[0]
    if (best !== undefined) return best.address.w3
    for (const nic of this.#host.nics)
      for (const { address } of nic.addresses) if (address.family === 4 && !address.isLoopback) return address.w3
    return null
  }

  // ── own addresses ──

  /**
   * Probes for an address before it is used (RFC 5227 section 2.1.1); the nic is told what came
   * out.
   */
  check(added: NicAddress): void {
    const probe: Probe = {
      added,
      sent: 0,
      timer: this.#after(this.#random.float() * PROBE_WAIT, () => this.#probe(probe)),
    }
    this.#probes.push(probe)
  }

  #probe(probe: Probe): void {
    if (probe.sent === PROBE_COUNT) {
      this.stopCheck(probe.added)
      this.#owner.checkPassed(probe.added)
      return
    }
    probe.sent++
    this.#send(arp.REQUEST, 0, ethernet.BROADCAST_HIGH, ethernet.BROADCAST_LOW, probe.added.address.w3, 0, 0)
    const next = probe.sent === PROBE_COUNT ? ANNOUNCE_WAIT : PROBE_MIN + this.#random.float() * (PROBE_MAX - PROBE_MIN)
    probe.timer = this.#after(next, () => this.#probe(probe))
  }

  stopCheck(added: NicAddress): void {
    this.#probes.find((each) => each.added === added)?.timer.cancel()
    this.#probes = this.#probes.filter((each) => each.added !== added)
  }

  /**
   * The address is in use now: `thorough` (it was probed for) announces it twice, else it is
   * announced once.
   */
  assigned({ address }: NicAddress, thorough: boolean): void {
    this.#announce(address.w3)
    for (let i = 1; thorough && i < ANNOUNCE_COUNT; i++)
      this.#after(ANNOUNCE_INTERVAL * i, () => {
        if (this.#owner.has(address)) this.#announce(address.w3)
      })
  }

  /** A request for one's own address, which updates others' entries (RFC 5227 section 2.3). */
  #announce(word: number): void {
    this.#send(arp.REQUEST, word, ethernet.BROADCAST_HIGH, ethernet.BROADCAST_LOW, word, 0, 0)
  }

  /** RFC 5227 sections 2.1.1 (addresses probed for) and 2.4 (addresses in use). */
  #isConflict(from: number, to: number, high: number, low: number): boolean {
    const probe = this.#probes.find(({ added }) => added.address.w3 === from || (from === 0 && added.address.w3 === to))
    if (probe !== undefined) {
      this.stopCheck(probe.added)
      this.#owner.checkFailed(probe.added, formatHardwareAddress(high, low))
      return true
    }
    if (from === 0) return false
    const used = this.#nic.addresses.find(({ address }) => address.is(0, 0, MAPPED, from))
    if (used === undefined) return false
    this.#owner.conflict(used.address, formatHardwareAddress(high, low))
    // Section 2.4 (c): defend for ever, but not in a duel.
    const now = this.#clock.now()
    const last = this.#defended.get(from)
    if (last === undefined || now - last >= DEFEND_INTERVAL) {
      this.#defended.set(from, now)
      this.#announce(from)
    }
    return true
  }

  #after(delay: number, callback: () => void): Timer {
    return this.#clock.schedule(delay, callback)
  }

  #send(
    operation: number,
    sender: number,
    toHigh: number,
    toLow: number,
    target: number,
    targetHigh: number,
    targetLow: number,
  ): void {
    const packet = this.#tx
    packet.reset(HEADROOM, HEADROOM + arp.LENGTH)
    packet.family = 0
    const { high, low } = this.#frames
    arp.encode(packet.view, HEADROOM, operation, high, low, sender, targetHigh, targetLow, target)
    const drop = this.#frames.transmit(packet, toHigh, toLow, ethernet.ARP)
    if (drop !== Drop.None) this.#host.counters.drop(drop, packet)
  }
}
