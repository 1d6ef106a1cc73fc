/**
 * The fixed IPv6 header: RFC 8200 section 3.
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +-------+---------------+---------------------------------------+
 *     |Version| Traffic Class |              Flow Label               |
 *     +-------+---------------+-------+---------------+---------------+
 *     |        Payload Length         |  Next Header  |   Hop Limit   |
 *     +-------------------------------+---------------+---------------+
 *     |                    Source Address (16 bytes)                  |
 *     |                  Destination Address (16 bytes)               |
 *     +---------------------------------------------------------------+
 */
import { formatWords6 } from '../base/address.ts'
import { sum } from '../base/checksum.ts'
import type { Packet } from '../base/packet.ts'
import { type Fields, hex, protocolText, tosText } from './text.ts'

export const PAYLOAD_LENGTH = 4
export const NEXT_HEADER = 6
export const HOP_LIMIT = 7
export const SOURCE = 8
export const DESTINATION = 24
export const HEADER = 40

export function trafficClass(view: DataView, at: number): number {
  return (view.getUint16(at) >>> 4) & 0xff
}

export function flowLabel(view: DataView, at: number): number {
  return view.getUint32(at) & 0xfffff
}

/** Bytes behind the fixed header. */
export function payloadLength(view: DataView, at: number): number {
  return view.getUint16(at + PAYLOAD_LENGTH)
}

export function nextHeader(view: DataView, at: number): number {
  return view.getUint8(at + NEXT_HEADER)
}

export function hopLimit(view: DataView, at: number): number {
  return view.getUint8(at + HOP_LIMIT)
}

export function sourceText(view: DataView, at: number): string {
  const from = at + SOURCE
  return formatWords6(view.getInt32(from), view.getInt32(from + 4), view.getInt32(from + 8), view.getInt32(from + 12))
}

export function destinationText(view: DataView, at: number): string {
  const from = at + DESTINATION
  return formatWords6(view.getInt32(from), view.getInt32(from + 4), view.getInt32(from + 8), view.getInt32(from + 12))
}

/** Both addresses of the header at `at`. */
export function readAddresses(packet: Packet, at: number): void {
  const { view } = packet
  packet.s0 = view.getInt32(at + SOURCE)
  packet.s1 = view.getInt32(at + SOURCE + 4)
  packet.s2 = view.getInt32(at + SOURCE + 8)
  packet.s3 = view.getInt32(at + SOURCE + 12)
  packet.d0 = view.getInt32(at + DESTINATION)
  packet.d1 = view.getInt32(at + DESTINATION + 4)
  packet.d2 = view.getInt32(at + DESTINATION + 8)
  packet.d3 = view.getInt32(at + DESTINATION + 12)
}

/**
 * Writes the fixed header at `at` for the packet that ends at `packet.end`, from the packet's
 * fields; `next` is the first next header.
 */
export function encode(packet: Packet, at: number, next: number): void {
  const view = packet.view
  view.setInt32(at, 0x60000000 | (packet.tos << 20) | packet.flowLabel)
  view.setUint16(at + PAYLOAD_LENGTH, packet.end - at - HEADER)
  view.setUint8(at + NEXT_HEADER, next)
  view.setUint8(at + HOP_LIMIT, packet.hopLimit)
  view.setInt32(at + SOURCE, packet.s0)
  view.setInt32(at + SOURCE + 4, packet.s1)
  view.setInt32(at + SOURCE + 8, packet.s2)
  view.setInt32(at + SOURCE + 12, packet.s3)
  view.setInt32(at + DESTINATION, packet.d0)
  view.setInt32(at + DESTINATION + 4, packet.d1)
  view.setInt32(at + DESTINATION + 8, packet.d2)
  view.setInt32(at + DESTINATION + 12, packet.d3)
}

export function setPayloadLength(view: DataView, at: number, length: number): void {
  view.setUint16(at + PAYLOAD_LENGTH, length)
}

/**
 * The unfolded sum of the pseudo-header of RFC 8200 section 8.1; `protocol` is the upper layer's.
 */
export function pseudoHeaderSum(view: DataView, at: number, protocol: number, length: number): number {
  return sum(view, at + SOURCE, at + HEADER, protocol + length)
}

/** One line: addresses, hop limit, traffic class, flow label. */
export function describe(view: DataView, at: number): string {
  const tos = trafficClass(view, at)
  const flow = flowLabel(view, at)
  return [
    `IPv6 ${sourceText(view, at)} > ${destinationText(view, at)}`,
    `hlim ${hopLimit(view, at)}`,
    ...(tos === 0 ? [] : [`class 0x${tos.toString(16).padStart(2, '0')}`]),
    ...(flow === 0 ? [] : [`flow 0x${flow.toString(16).padStart(5, '0')}`]),
    `length ${payloadLength(view, at) + HEADER}`,
  ].join(' ')
}

/** Every field of the fixed header. */
export function fields(view: DataView, at: number): Fields {
  return [
    ['version', '6'],
    ['traffic class', tosText(trafficClass(view, at))],
    ['flow label', hex(flowLabel(view, at), 5)],
    ['payload length', `${payloadLength(view, at)}`],
    ['next header', protocolText(nextHeader(view, at))],
    ['hop limit', `${hopLimit(view, at)}`],
    ['source', sourceText(view, at)],
    ['destination', destinationText(view, at)],
  ]
}
