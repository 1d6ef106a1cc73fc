/**
 * What a switch learns of multicast groups by looking into the frames that pass (RFC 4541): behind
 * which ports are members, and behind which ones routers.
 */
import type { Packet } from '../../base/packet.ts'
import * as ethernet from '../../wire/ethernet.ts'
import { addressKey } from '../../wire/hardware-address.ts'
import * as igmp from '../../wire/igmp.ts'
import * as ipv4 from '../../wire/ipv4.ts'
import * as ipv6 from '../../wire/ipv6.ts'
import * as mld from '../../wire/mld.ts'
import { HOP_BY_HOP, ICMPV6, IGMP } from '../../wire/protocol.ts'
import { ipOffset } from '../observe/ip-frame.ts'
import type { Port } from './port.ts'

/** Milliseconds without a report (RFC 9776 section 8.4, Group Membership Interval). */
const MEMBER = 260_000
/** Milliseconds without a query (RFC 9776 section 8.5, Other Querier Present Interval). */
const ROUTER = 255_000
/** Groups that are remembered; the oldest goes first. */
const GROUPS = 1024

/** Records that, without a source, want nobody any more: MODE_IS_INCLUDE, CHANGE_TO_INCLUDE. */
const LEAVING = new Set([1, 3])
/** BLOCK_OLD_SOURCES says nothing of other sources. */
const BLOCK = 6

/** What a frame says of groups; `null` for nothing. */
type Message = 'query' | 'report' | 'unknown' | null

export class GroupSnooper {
  readonly #now: () => number
  /** By hardware address: until when a port counts as a member's. */
  readonly #members = new Map<number, Map<Port, number>>()
  readonly #routers = new Map<Port, number>()

  constructor(now: () => number) {
    this.#now = now
  }

  /** The ports that a frame to a group is for, the one that it came by among them; `null`: all. */
  portsFor(packet: Packet, from: Port): Iterable<Port> | null {
    const at = ipOffset(packet, 'ethernet')
    if (at < 0) return null
    const six = ipv4.version(packet.view, at) === 6
    const message = six ? this.#noteMld(packet, at, from) : this.#noteIgmp(packet, at, from)
    // Reports are for routers: another host that heard one might keep its own back.
    if (message === 'report') return this.#current(this.#routers)
    // RFC 4541 section 2.1.1 (3).
    if (message === 'unknown') return null
    if (six ? isLinkScope6(packet.view, at) : isLinkScope4(packet.view, at)) return null
    const { view, start } = packet
    const key = addressKey(ethernet.destinationHigh(view, start), ethernet.destinationLow(view, start))
    const members = this.#members.get(key)
    return new Set([...(members === undefined ? [] : this.#current(members)), ...this.#current(this.#routers)])
  }

  *#current(ports: Map<Port, number>): Iterable<Port> {
    const now = this.#now()
    for (const [port, until] of ports) {
      if (until > now) yield port
      else ports.delete(port)
    }
  }

  #noteIgmp({ view, end }: Packet, at: number, from: Port): Message {
    const message = at + ipv4.headerLength(view, at)
    if (ipv4.protocol(view, at) !== IGMP || end - message < igmp.HEADER) return null
    switch (igmp.type(view, message)) {
      case igmp.QUERY:
        // RFC 4541 section 2.1.1 (1 b): switches that ask for routers have no address.
        if (ipv4.source(view, at) !== 0) this.#query(from)
        return 'query'
      case igmp.REPORT_V1:
      case igmp.REPORT_V2:
        this.#join(key4(view, message + 4), from)
        return 'report'
      case igmp.LEAVE:
        this.#leave(key4(view, message + 4), from)
        return 'report'
      case igmp.REPORT_V3:
        this.#records(view, message, end, igmp.RECORD_HEADER, 4, from, (record) => key4(view, record + 4))
        return 'report'
      default:
        return 'unknown'
    }
  }

  #noteMld({ view, end }: Packet, at: number, from: Port): Message {
    const options = at + ipv6.HEADER
    if (ipv6.nextHeader(view, at) !== HOP_BY_HOP || end - options < 8) return null
    const message = options + (view.getUint8(options + 1) + 1) * 8
    if (view.getUint8(options) !== ICMPV6 || end - message < mld.REPORT_HEADER) return null
    const type = view.getUint8(message)
    if (type !== mld.REPORT_V2 && end - message < mld.HEADER) return null
    switch (type) {
      case mld.QUERY:
        this.#query(from)
        return 'query'
      case mld.REPORT_V1:
        this.#join(key6(view, message + 8), from)
        return 'report'
      case mld.DONE:
        this.#leave(key6(view, message + 8), from)
        return 'report'
      case mld.REPORT_V2:
        this.#records(view, message, end, mld.RECORD_HEADER, 16, from, (record) => key6(view, record + 4))
        return 'report'
      default:
        return null
    }
  }

  /** The records of an IGMPv3 or MLDv2 report, which differ in the length of their addresses. */
  #records(
    view: DataView,
    message: number,
    end: number,
    header: number,
    width: number,
    from: Port,
    keyOf: (record: number) => number,
  ): void {
    let record = message + 8
    for (let left = view.getUint16(message + 6); left > 0 && record + header <= end; left--) {
      const [type, auxiliary, sources] = [view.getUint8(record), view.getUint8(record + 1), view.getUint16(record + 2)]
      if (sources === 0 && LEAVING.has(type)) this.#leave(keyOf(record), from)
      else if (type !== BLOCK) this.#join(keyOf(record), from)
      record += header + sources * width + auxiliary * 4
    }
  }

  #query(from: Port): void {
    this.#routers.set(from, this.#now() + ROUTER)
  }

  #join(key: number, from: Port): void {
    const members = this.#members.get(key) ?? new Map<Port, number>()
    members.set(from, this.#now() + MEMBER)
    this.#members.set(key, members)
    const [oldest] = this.#members.keys()
    if (this.#members.size > GROUPS && oldest !== undefined) this.#members.delete(oldest)
  }

  /** At once, as where one host is behind a port: nobody is asked who is left. */
  #leave(key: number, from: Port): void {
    const members = this.#members.get(key)
    members?.delete(from)
    if (members?.size === 0) this.#members.delete(key)
  }
}

/** The hardware address of an IPv4 group (RFC 1112 section 6.4). */
function key4(view: DataView, at: number): number {
  return addressKey(0x0100, ethernet.group4Low(view.getUint32(at)))
}

/** That of an IPv6 group (RFC 2464 section 7). */
function key6(view: DataView, at: number): number {
  return addressKey(0x3333, view.getUint32(at + 12))
}

/** 224.0.0.0/24, which goes everywhere (RFC 4541 section 2.1.2). */
function isLinkScope4(view: DataView, at: number): boolean {
  return view.getUint32(at + 16) >>> 8 === 0xe00000
}

/** ff01::/16 and ff02::/16, whatever their flags: Neighbor Discovery needs them. */
function isLinkScope6(view: DataView, at: number): boolean {
  return (view.getUint16(at + 24) & 0xf) <= 2
}
