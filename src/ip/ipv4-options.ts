/**
 * IPv4 options: RFC 791 section 3.1, RFC 1122 section 3.2.1.8, Router Alert RFC 2113; what to do
 * with them today: RFC 7126.
 *
 *     +--------+--------+--------+------//------+
 *     |  Type  | Length | Pointer| data         |   Type: copy flag, 2 bits class, 5 bits number
 *     +--------+--------+--------+------//------+
 *
 * Nothing here runs for a header of 20 bytes. What is malformed, what is recorded and what is sent
 * back follow Linux (ip_options_compile, ip_options_echo). Offsets are bytes from the start of the
 * IP header, as in a Parameter Problem's pointer.
 */
import { Drop } from '../base/drop.ts'
import type { Packet } from '../base/packet.ts'
import * as ipv4 from '../wire/ipv4.ts'
import type { ReceivedOptions } from './received-options.ts'

export const END = 0
export const NO_OPERATION = 1
export const RECORD_ROUTE = 7
export const TIMESTAMP = 68
export const LOOSE_SOURCE_ROUTE = 131
export const STRICT_SOURCE_ROUTE = 137
const ROUTER_ALERT = 148

/** Low four bits of a timestamp option's fourth byte. */
const TIMES_ONLY = 0
const TIMES_AND_ADDRESSES = 1
const PRESPECIFIED = 3

/** The 40 bytes behind the fixed header. */
export const MAX_OPTIONS = ipv4.MAX_HEADER - ipv4.HEADER

const NO_ROUTE_BACK: Answer = { bytes: new Uint8Array(0), firstHop: 0 }

/** The options of a packet that answers one. */
export interface Answer {
  readonly bytes: Uint8Array
  /** Where the answer goes first, by a source route that goes back, as a word; 0 without one. */
  readonly firstHop: number
}

/** What options ask of their host. */
export interface OptionsHost {
  /**
   * The own address that a received packet's route or timestamp records: its destination when that
   * is ours.
   */
  recordedAddress(packet: Packet): number
  /**
   * Whether a prespecified timestamp is for this host: any address that is not another host's
   * unicast one.
   */
  isPrespecified(word: number): boolean
  /** Whether a stop of a source route is this host. */
  isOwnStop(word: number): boolean
  /** Milliseconds since midnight, Universal Time (RFC 791). */
  timeOfDay(): number
}

export class Ipv4Options {
  readonly #host: OptionsHost

  constructor(host: OptionsHost) {
    this.#host = host
  }

  /**
   * Checks the options of a received packet, fills in its route and timestamp, and notes in `found`
   * what there is. The header checksum is left as it was: a router rewrites it, and what goes up
   * needs none.
   * @returns `Drop.IpOption`, with `problem` and `pointer` set, when one is malformed
   */
  receive(packet: Packet, found: ReceivedOptions): Drop {
    const { view, network, transport } = packet
    found.clear()
    let route = false
    let timestamp = false
    for (let at = network + ipv4.HEADER; at < transport; ) {
      const type = view.getUint8(at)
      if (type === END) {
        for (at++; at < transport; at++) view.setUint8(at, END)
        break
      }
      if (type === NO_OPERATION) {
        at++
        continue
      }
      const length = transport - at < 2 ? 0 : view.getUint8(at + 1)
      let wrong = length < 2 || length > transport - at ? at : 0
      switch (wrong === 0 ? type : NO_OPERATION) {
        case LOOSE_SOURCE_ROUTE:
        case STRICT_SOURCE_ROUTE:
          if (length < 3) wrong = at + 1
          else if (view.getUint8(at + 2) < 4) wrong = at + 2
          // RFC 1812 section 5.2.4.1: one at most.
          else if (found.sourceRoute !== 0) wrong = at
          else {
            found.sourceRoute = at - network
            found.strict = type === STRICT_SOURCE_ROUTE
          }
          break
        case RECORD_ROUTE:
          wrong = route ? at : this.#recordRoute(packet, at, length, found)
          route = true
          break
        case TIMESTAMP:
          wrong = timestamp ? at : this.#recordTime(packet, at, length, found)
          timestamp = true
          break
        case ROUTER_ALERT:
          if (length < 4) wrong = at + 1
          else found.routerAlert = view.getUint16(at + 2) === 0
          break
      }
      if (wrong !== 0) return malformed(packet, wrong)
      at += length
    }
    return Drop.None
  }

  /** @returns what is wrong, or 0 */
  #recordRoute(packet: Packet, at: number, length: number, found: ReceivedOptions): number {
    const { view } = packet
    if (length < 3) return at + 1
    const pointer = view.getUint8(at + 2)
    if (pointer < 4) return at + 2
    if (pointer > length) return 0
    if (pointer + 3 > length) return at + 2
    found.routeSlot = at + pointer - 1
    view.setInt32(found.routeSlot, this.#host.recordedAddress(packet))
    view.setUint8(at + 2, pointer + 4)
    return 0
  }

  #recordTime(packet: Packet, at: number, length: number, found: ReceivedOptions): number {
    const { view } = packet
    if (length < 4) return at + 1
    const pointer = view.getUint8(at + 2)
    if (pointer < 5) return at + 2
    const kind = view.getUint8(at + 3) & 15
    const slot = at + pointer - 1
    if (pointer > length) {
      if (kind === PRESPECIFIED) return 0
      // The count of hosts that had no room must not overflow.
      if (view.getUint8(at + 3) >>> 4 === 15) return at + 3
      view.setUint8(at + 3, view.getUint8(at + 3) + 0x10)
      return 0
    }
    if (pointer + 3 > length) return at + 2
    if (kind === TIMES_ONLY) {
      view.setUint32(slot, this.#host.timeOfDay())
      view.setUint8(at + 2, pointer + 4)
    } else if (kind === TIMES_AND_ADDRESSES || kind === PRESPECIFIED) {
      if (pointer + 7 > length) return at + 2
      if (kind === TIMES_AND_ADDRESSES) {
        view.setInt32(slot, this.#host.recordedAddress(packet))
        found.timestampSlot = slot
      } else if (!this.#host.isPrespecified(view.getInt32(slot))) return 0
      view.setUint32(slot + 4, this.#host.timeOfDay())
      view.setUint8(at + 2, pointer + 8)
    }
    return 0
  }

  /**
   * Finds the next stop of a source route for which this host is the present destination, and makes
   * it `packet.d3`; without one the packet is for this host. Stops that are this host as well are
   * passed over. The route itself stays as it came, for an error to quote, until it is forwarded.
   * @returns `Drop.IpOption` when there is room for a part of a stop only: the pointer of the route
   *   is wrong
   */
  followRoute(packet: Packet, found: ReceivedOptions): Drop {
    const { view, network } = packet
    const at = network + found.sourceRoute
    const length = view.getUint8(at + 1)
    for (let pointer = view.getUint8(at + 2); pointer <= length; pointer += 4) {
      if (pointer + 3 > length) return Drop.IpOption
      packet.d3 = view.getInt32(at + pointer - 1)
      if (!this.#host.isOwnStop(packet.d3)) {
        found.stopSlot = at + pointer - 1
        return Drop.None
      }
      view.setInt32(network + ipv4.DESTINATION, packet.d3)
    }
    return Drop.None
  }

  /**
   * The options that answer a received packet's: its route and timestamp, and its source route in
   * reverse (RFC 1122 section 3.2.2.6); {@link recordAll} adds this host's entries. Empty when
   * there is nothing to send back; `null` when an entry that is due has room for a part of it only,
   * so that nothing can be answered.
   */
  echo(packet: Packet): Answer | null {
    const { bytes, network, transport } = packet
    // Options from a malformed one on count for nothing.
    const limit = packet.problem >= 0 ? network + packet.pointer : transport
    const route = find(packet, RECORD_ROUTE, limit)
    const timestamp = find(packet, TIMESTAMP, limit)
    const routeLength = route === 0 ? 0 : (bytes[route + 1] as number)
    const timestampLength = timestamp === 0 ? 0 : (bytes[timestamp + 1] as number)
    if ((route !== 0 && !hasRoom(packet, route)) || (timestamp !== 0 && !hasRoom(packet, timestamp))) return null
    const { bytes: back, firstHop } = reverse(
      packet,
      find(packet, LOOSE_SOURCE_ROUTE, limit) || find(packet, STRICT_SOURCE_ROUTE, limit),
    )
    const options = new Uint8Array((routeLength + timestampLength + back.length + 3) & ~3)
    options.set(bytes.subarray(route, route + routeLength))
    options.set(bytes.subarray(timestamp, timestamp + timestampLength), routeLength)
    options.set(back, routeLength + timestampLength)
    return { bytes: options, firstHop }
  }

  /** Adds the sender's entry to the route or timestamp at `at` of a packet on its way out. */
  #record(packet: Packet, at: number): void {
    const { view } = packet
    const length = view.getUint8(at + 1)
    const pointer = view.getUint8(at + 2)
    if (pointer > length || !hasRoom(packet, at)) return
    const slot = at + pointer - 1
    let size = 4
    if (view.getUint8(at) === RECORD_ROUTE) view.setInt32(slot, packet.s3)
    else {
      const kind = view.getUint8(at + 3) & 15
      if (kind === TIMES_ONLY) view.setUint32(slot, this.#host.timeOfDay())
      else {
        if (kind === TIMES_AND_ADDRESSES) view.setInt32(slot, packet.s3)
        else if (kind !== PRESPECIFIED || pointer + 7 > length || !this.#host.isPrespecified(view.getInt32(slot)))
          return
        view.setUint32(slot + 4, this.#host.timeOfDay())
        size = 8
      }
    }
    view.setUint8(at + 2, pointer + size)
  }

  /** Adds this host's entries to routes and timestamps, in place, of a packet on its way out. */
  recordAll(packet: Packet, at: number, end: number): void {
    for (let option = at; option < end; ) {
      const type = packet.bytes[option] as number
      if (type === END) return
      if (type === RECORD_ROUTE || type === TIMESTAMP) this.#record(packet, option)
      option += type === NO_OPERATION ? 1 : (packet.bytes[option + 1] as number)
    }
  }
}

/**
 * The source route at `at` as far as it was gone, backwards and ending at the packet's source;
 * empty without one.
 */
function reverse(packet: Packet, at: number): Answer {
  if (at === 0) return NO_ROUTE_BACK
  const { view } = packet
  const gone = (Math.min(view.getUint8(at + 2), view.getUint8(at + 1) + 1) >> 2) - 1
  // RFC 1122 section 3.2.1.8: the route back is right even if the source is the first that was
  // recorded.
  const stops = gone > 0 && view.getInt32(at + 3) === packet.s3 ? gone - 1 : gone
  if (stops <= 0) return NO_ROUTE_BACK
  const bytes = new Uint8Array(3 + stops * 4)
  bytes.set([view.getUint8(at), bytes.length, 4])
  const slots = new DataView(bytes.buffer)
  for (let stop = 1; stop < stops; stop++) slots.setInt32(stop * 4 - 1, view.getInt32(at + (gone - stop) * 4 - 1))
  slots.setInt32(stops * 4 - 1, packet.s3)
  return { bytes, firstHop: view.getInt32(at + gone * 4 - 1) }
}

/** Offset in the buffer of the first whole option of a type that ends before `limit`, or 0. */
function find(packet: Packet, wanted: number, limit: number): number {
  const { bytes, network, transport } = packet
  for (let at = network + ipv4.HEADER; at < transport; ) {
    const type = bytes[at] as number
    if (type === END) return 0
    const length = type === NO_OPERATION ? 1 : (bytes[at + 1] as number)
    if (length === 0 || at + length > limit) return 0
    if (type === wanted) return at
    at += length
  }
  return 0
}

/**
 * Whether a route or timestamp is full, or has room for the whole of the entry that is due (as far
 * as Linux asks for it).
 */
function hasRoom(packet: Packet, at: number): boolean {
  const { view } = packet
  const left = view.getUint8(at + 1) - view.getUint8(at + 2) + 1
  if (left <= 0) return true
  if (view.getUint8(at) === RECORD_ROUTE) return left >= 4
  switch (view.getUint8(at + 3) & 15) {
    case TIMES_ONLY:
    case PRESPECIFIED:
      return left >= 4
    case TIMES_AND_ADDRESSES:
      return left >= 8
    default:
      return true
  }
}

function malformed(packet: Packet, at: number): Drop {
  packet.problem = 0
  packet.pointer = at - packet.network
  return Drop.IpOption
}
