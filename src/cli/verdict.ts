/**
 * What a stack would say of a captured frame: the frame goes into one, whose address is always the
 * one that the frame is for, so that there is no other rule here than the stack's own.
 *
 * What the stack says for want of a socket, a role or an earlier request is not the frame's fault
 * and left out.
 */
import { Address, MAPPED } from '../base/address.ts'
import { ManualClock } from '../base/clock.ts'
import { Drop, type DropLayer, type DropName, dropName } from '../base/drop.ts'
import { HEADROOM, Packet } from '../base/packet.ts'
import { SeededRandom } from '../base/random.ts'
import type { Nic } from '../ip/nic/nic.ts'
import { type Link, type LinkReceiver, type Medium, NO_OFFLOAD } from '../link/link.ts'
import { Stack } from '../stack.ts'
import * as arp from '../wire/arp.ts'
import * as ethernet from '../wire/ethernet.ts'
import * as ipv4 from '../wire/ipv4.ts'
import * as ipv6 from '../wire/ipv6.ts'
import * as ndp from '../wire/ndp.ts'
import { ICMPV6, SCTP, TCP } from '../wire/protocol.ts'
import * as sctp from '../wire/sctp.ts'
import * as tcp from '../wire/tcp.ts'

/**
 * How a frame came: by a wire of one of the two kinds (on Ethernet for another station perhaps), or
 * over the loopback of the host of the capture.
 */
export type Passage = Place | 'other host'
type Place = Medium | 'loopback'

const NOT_THE_FRAMES_FAULT: ReadonlySet<DropName> = new Set<DropName>([
  'UdpNoPort',
  'IpNoRoute',
  'IcmpUnmatched',
  'IcmpRateLimited',
  'IcmpRedirect',
  'IcmpAmbiguousSource',
  'NdIgnored',
  'FragmentTimeout',
  'FragmentMemory',
])

/** The hardware address of the stacks, that of no sender most likely. */
const OWN = Uint8Array.of(0x02, 0x7e, 0x5a, 0xc3, 0x91, 0xd4)

/**
 * Both directions of a conversation, and two more, each have a stack that is the receiver and not
 * the sender.
 */
const STACKS = 4
/** Addresses and groups of a stack at most. */
const MOST_ADDRESSES = 32

/** Milliseconds that time moves on at most from one frame to the next. */
const LONGEST_PAUSE = 600_000

/** Takes everything that a stack sends, and forgets it. */
class Sink implements Link {
  readonly name = 'wire'
  readonly medium: Medium
  readonly mtu: number
  readonly offload = NO_OFFLOAD
  readonly hardwareAddress: Uint8Array | null
  readonly loopback = false

  constructor(medium: Medium) {
    this.medium = medium
    this.mtu = 65_535
    this.hardwareAddress = medium === 'ip' ? null : OWN
  }

  attach(_receiver: LinkReceiver): void {}
  send(): Drop {
    return Drop.None
  }
  flush(): void {}
  close(): void {}
  ref(): void {}
  unref(): void {}
}

/** A stack and what it is addressed as. */
class Receiver {
  readonly clock = new ManualClock()
  readonly stack: Stack
  readonly #nic: Nic
  readonly #own = new Map<string, Address>()
  readonly #groups = new Map<string, { group: Address; exclude: boolean; sources: [] }>()

  constructor(passage: Place) {
    this.stack = new Stack({ clock: this.clock, random: new SeededRandom(1), dad: false, icmpRateLimit: 0 })
    this.#nic =
      passage === 'loopback'
        ? this.stack.loopback
        : this.stack.addNic(new Sink(passage), { linkLocal: false, acceptRouterAdvertisements: false })
  }

  has(key: string): boolean {
    return this.#own.has(key)
  }

  add(key: string, address: Address): void {
    const [oldest] = this.#own.keys()
    if (this.#own.size >= MOST_ADDRESSES) this.remove(oldest as string)
    this.#own.set(key, address)
    this.#nic.addAddress(`${address}/${address.family === 4 ? 32 : 128}`)
  }

  remove(key: string): void {
    const address = this.#own.get(key)
    this.#own.delete(key)
    if (address !== undefined) this.#nic.removeAddress(address)
  }

  join(key: string, group: Address): void {
    if (this.#groups.has(key)) return
    const [oldest] = this.#groups.keys()
    if (this.#groups.size >= MOST_ADDRESSES) {
      this.#nic.leave(this.#groups.get(oldest as string) as { group: Address; exclude: boolean; sources: [] })
      this.#groups.delete(oldest as string)
    }
    const subscriber = { group, exclude: true, sources: [] as [] }
    this.#groups.set(key, subscriber)
    this.#nic.join(subscriber)
  }

  input(packet: Packet): void {
    this.#nic.input(packet)
    this.#nic.idle()
  }
}

/** Judges the frames of a capture in their order; fragments are put together as they come. */
export class Judge {
  readonly #receivers = new Map<Place, Receiver[]>()
  readonly #packet = new Packet()
  #time = -1n
  #drop: DropName = 'None'
  #judged: Packet | null = null
  readonly #note = (reason: DropName, _layer: DropLayer, packet: Packet): void => {
    // What the stack answers has come by no nic, and what becomes of it is another matter.
    if (packet !== this.#judged && packet.nic === 0) return
    if (this.#drop !== 'None' || NOT_THE_FRAMES_FAULT.has(reason)) return
    this.#drop = reason === 'IpUnknownProtocol' ? unspoken(packet) : reason
  }

  /**
   * The reason for which the frame is discarded, `'None'` for a sound one; `time` is nanoseconds.
   */
  judge(bytes: Uint8Array, way: Passage, time = 0n): DropName {
    const passage = way === 'other host' ? 'ethernet' : way
    const packet = HEADROOM + bytes.length <= this.#packet.capacity ? this.#packet : new Packet(HEADROOM + bytes.length)
    packet.load(bytes)
    this.#passTime(time)
    const { view, start, end } = packet
    let at = start
    if (passage === 'ethernet' && end - start >= ethernet.HEADER) {
      // A frame for one station is for this one.
      if (way === 'ethernet' && (view.getUint8(start) & 1) === 0) packet.bytes.set(OWN, start)
      at += Math.max(ethernet.HEADER, ethernet.headerLength(packet))
    }
    const arpFrame = passage === 'ethernet' && at > start && ethernet.payloadType(view, at) === ethernet.ARP
    const receiver = arpFrame ? this.#forArp(view, at, end) : this.#forPacket(passage, packet, at)
    this.#drop = 'None'
    this.#judged = packet
    receiver.stack.onDrop(this.#note)
    receiver.input(packet)
    receiver.stack.onDrop(null)
    return this.#drop
  }

  /** Timers run, of fragments above all. */
  #passTime(time: bigint): void {
    const passed = this.#time < 0n ? 0 : Number(time - this.#time) / 1e6
    if (passed < 1 && this.#time >= 0n && passed >= 0) return
    this.#time = time
    if (passed <= 0) return
    for (const receivers of this.#receivers.values())
      for (const { clock } of receivers) clock.advance(Math.min(passed, LONGEST_PAUSE))
  }

  #forArp(view: DataView, at: number, end: number): Receiver {
    if (end - at < arp.LENGTH) return this.#any('ethernet')
    const sender = arp.sender(view, at)
    const target = arp.target(view, at)
    return this.#find('ethernet', sender === target ? null : word4(target), word4(sender))
  }

  #forPacket(passage: Place, packet: Packet, at: number): Receiver {
    const { view, end } = packet
    const version = end > at ? ipv4.version(view, at) : 0
    if (version === 4 && end - at >= ipv4.HEADER)
      return this.#find(passage, word4(ipv4.destination(view, at)), word4(ipv4.source(view, at)))
    if (version !== 6 || end - at < ipv6.HEADER) return this.#any(passage)
    const words = (from: number) =>
      new Address(view.getInt32(from), view.getInt32(from + 4), view.getInt32(from + 8), view.getInt32(from + 12))
    // Who asks for an address, or tells of it, is another station than the one that has it here.
    const isIcmp = ipv6.nextHeader(view, at) === ICMPV6 && end - at >= ipv6.HEADER + ndp.NEIGHBOR_HEADER
    const type = isIcmp ? view.getUint8(at + ipv6.HEADER) : 0
    const asked = type === ndp.NEIGHBOR_SOLICITATION || type === ndp.NEIGHBOR_ADVERTISEMENT
    return this.#find(passage, words(at + 24), words(at + 8), asked ? words(at + ipv6.HEADER + 8) : null)
  }

  #any(passage: Place): Receiver {
    return this.#of(passage)[0] as Receiver
  }

  /** A stack that is `to`, and neither `from` nor `other`. */
  #find(passage: Place, to: Address | null, from: Address, other: Address | null = null): Receiver {
    const receivers = this.#of(passage)
    if (to === null || passage === 'loopback') {
      // On its loopback a host talks to itself.
      const own = receivers[0] as Receiver
      if (to === null) own.remove(`${from}`)
      else if (isHost(to) && !to.isLoopback && !own.has(`${to}`)) own.add(`${to}`, to)
      return own
    }
    const key = `${to}`
    const foreign = `${from}`
    const third = other === null ? foreign : `${other}`
    const host = isHost(to)
    const free = receivers.filter(
      (each) => (!each.has(foreign) || foreign === key) && (!each.has(third) || third === key),
    )
    let found = host ? free.find((each) => each.has(key)) : free[0]
    if (found === undefined) {
      found = free[0] ?? (receivers[0] as Receiver)
      if (foreign !== key) found.remove(foreign)
      if (third !== key) found.remove(third)
      if (host) found.add(key, to)
    }
    if (to.isMulticast) found.join(key, to)
    return found
  }

  #of(passage: Place): Receiver[] {
    let receivers = this.#receivers.get(passage)
    if (receivers === undefined) {
      receivers = Array.from({ length: passage === 'loopback' ? 1 : STACKS }, () => new Receiver(passage))
      this.#receivers.set(passage, receivers)
    }
    return receivers
  }
}

/**
 * This stack has neither TCP nor SCTP, which is not the packet's fault; their own checks are made.
 */
function unspoken(packet: Packet): DropName {
  if (packet.protocol === TCP) return dropName(tcp.parse(packet))
  if (packet.protocol === SCTP) return dropName(sctp.parse(packet))
  return 'IpUnknownProtocol'
}

function word4(word: number): Address {
  return new Address(0, 0, MAPPED, word)
}

/** Whether a nic can have the address. */
function isHost(address: Address): boolean {
  if (address.isMulticast || address.isUnspecified || address.isLoopback) return false
  return address.family === 6 || (address.w3 >>> 28 < 0xe && address.w3 >>> 24 !== 0)
}
