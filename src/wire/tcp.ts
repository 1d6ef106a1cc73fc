/**
 * TCP's header: RFC 9293 section 3.1. This stack has no TCP; routers, NATs, captures and dumps read
 * that of others.
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +-------------------------------+-------------------------------+
 *     |          Source Port          |       Destination Port        |
 *     +-------------------------------+-------------------------------+
 *     |                        Sequence Number                        |
 *     +---------------------------------------------------------------+
 *     |                    Acknowledgment Number                      |
 *     +-------+-----+-+---------------+-------------------------------+
 *     | Offset|Rsrvd|A|     Flags     |            Window             |
 *     +-------+-----+-+---------------+-------------------------------+
 *     |           Checksum            |         Urgent Pointer        |
 *     +-------------------------------+-------------------------------+
 *     |   Options ...
 */
import { isComplete, sumLong } from '../base/checksum.ts'
import { Drop } from '../base/drop.ts'
import { ChecksumState, type Packet } from '../base/packet.ts'
import * as ipv4 from './ipv4.ts'
import * as ipv6 from './ipv6.ts'
import { TCP } from './protocol.ts'
import { type Fields, hex, hexBytes } from './text.ts'

const SOURCE_PORT = 0
const DESTINATION_PORT = 2
export const SEQUENCE = 4
const ACKNOWLEDGMENT = 8
const DATA_OFFSET = 12
export const FLAGS = 13
const WINDOW = 14
export const CHECKSUM = 16
const URGENT_POINTER = 18
/** Without options. */
export const HEADER = 20

export const FIN = 0x01
export const SYN = 0x02
export const RST = 0x04
export const PSH = 0x08
export const ACK = 0x10
const URG = 0x20
export const CWR = 0x80

/** RFC 9293 section 3.2, RFC 7323, RFC 2018, RFC 2385, RFC 5482, RFC 5925, RFC 8684, RFC 7413. */
const END_OF_OPTIONS = 0
const NO_OPERATION = 1
const MAXIMUM_SEGMENT_SIZE = 2
const WINDOW_SCALE = 3
const SACK_PERMITTED = 4
const SACK = 5
const TIMESTAMPS = 8
const OTHERS: Record<number, string> = { 19: 'md5', 28: 'uto', 29: 'tcp-ao', 30: 'mptcp', 34: 'tfo' }

/** As tcpdump writes them, from the lowest bit up; the last one is RFC 9768's AE. */
const FLAG_NAMES = ['F', 'S', 'R', 'P', '.', 'U', 'E', 'W', 'e'] as const

/** Checks the segment at `packet.transport`, which ends at `packet.end`. */
export function parse(packet: Packet): Drop {
  const { view, transport, end } = packet
  if (end - transport < HEADER) return Drop.TcpTooShort
  const header = dataOffset(view, transport)
  if (header < HEADER || header > end - transport) return Drop.TcpHeaderLength
  if (packet.checksumState !== ChecksumState.None) return Drop.None
  const length = end - transport
  const pseudo =
    packet.family === 4
      ? ipv4.pseudoHeaderSum(view, packet.network, length)
      : ipv6.pseudoHeaderSum(view, packet.network, TCP, length)
  return isComplete(sumLong(packet, transport, end, pseudo)) ? Drop.None : Drop.TcpChecksum
}

export function sourcePort(view: DataView, at: number): number {
  return view.getUint16(at + SOURCE_PORT)
}

export function destinationPort(view: DataView, at: number): number {
  return view.getUint16(at + DESTINATION_PORT)
}

export function sequence(view: DataView, at: number): number {
  return view.getUint32(at + SEQUENCE)
}

export function acknowledgment(view: DataView, at: number): number {
  return view.getUint32(at + ACKNOWLEDGMENT)
}

/** Bytes of the header as it says itself. */
export function dataOffset(view: DataView, at: number): number {
  return (view.getUint8(at + DATA_OFFSET) >>> 4) * 4
}

/** The eight bits of the last byte of flags. */
export function flags(view: DataView, at: number): number {
  return view.getUint8(at + FLAGS)
}

export function window(view: DataView, at: number): number {
  return view.getUint16(at + WINDOW)
}

export function checksum(view: DataView, at: number): number {
  return view.getUint16(at + CHECKSUM)
}

export function urgentPointer(view: DataView, at: number): number {
  return view.getUint16(at + URGENT_POINTER)
}

/**
 * Bytes of the header at `at … end`, of which there are 8 at least, as far as they are there: also
 * of one that `parse` refuses.
 */
export function headerLength(view: DataView, at: number, end: number): number {
  const available = end - at
  return available < HEADER ? available : Math.min(Math.max(dataOffset(view, at), HEADER), available)
}

/** `S.`, as tcpdump writes them; `none` without any. */
export function flagsText(view: DataView, at: number): string {
  const bits = view.getUint16(at + DATA_OFFSET) & 0x1ff
  return FLAG_NAMES.filter((_, bit) => (bits >>> bit) & 1).join('') || 'none'
}

/** `mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7`, as tcpdump writes the options in `at … end`. */
export function optionsText(view: DataView, at: number, end: number): string {
  const words: string[] = []
  while (at < end) {
    const kind = view.getUint8(at)
    if (kind === NO_OPERATION) {
      words.push('nop')
      at++
      continue
    }
    if (kind === END_OF_OPTIONS) {
      words.push('eol')
      break
    }
    const length = at + 1 < end ? view.getUint8(at + 1) : 0
    if (length < 2 || at + length > end) {
      words.push('[bad opt]')
      break
    }
    words.push(optionText(view, kind, at + 2, at + length))
    at += length
  }
  return words.join(',')
}

/** One option, whose content is `at … end`. */
function optionText(view: DataView, kind: number, at: number, end: number): string {
  const length = end - at
  if (kind === MAXIMUM_SEGMENT_SIZE && length === 2) return `mss ${view.getUint16(at)}`
  if (kind === WINDOW_SCALE && length === 1) return `wscale ${view.getUint8(at)}`
  if (kind === SACK_PERMITTED && length === 0) return 'sackOK'
  if (kind === TIMESTAMPS && length === 8) return `TS val ${view.getUint32(at)} ecr ${view.getUint32(at + 4)}`
  if (kind === SACK && length > 0 && length % 8 === 0) {
    let blocks = ''
    for (let edge = at; edge < end; edge += 8) blocks += `{${view.getUint32(edge)}:${view.getUint32(edge + 4)}}`
    return `sack ${length / 8} ${blocks}`
  }
  const name = OTHERS[kind] ?? `unknown-${kind}`
  return length === 0 ? name : `${name} 0x${hexBytes(view, at, end)}`
}

/**
 * One line, in tcpdump's words: ports and, of a header that is whole, flags, numbers, window,
 * options and length of the payload. Numbers are those of the segment, not relative ones.
 */
export function describe(view: DataView, at: number, end: number): string {
  const ports = `TCP ${sourcePort(view, at)} > ${destinationPort(view, at)}`
  if (end - at < HEADER) return ports
  const header = headerLength(view, at, end)
  const payload = end - at - header
  const first = sequence(view, at)
  const bits = flags(view, at)
  const numbered = payload > 0 || (bits & (SYN | FIN | RST)) !== 0
  return [
    `${ports} Flags [${flagsText(view, at)}]`,
    ...(numbered ? [`seq ${first}${payload > 0 ? `:${(first + payload) >>> 0}` : ''}`] : []),
    ...((bits & ACK) !== 0 ? [`ack ${acknowledgment(view, at)}`] : []),
    `win ${window(view, at)}`,
    ...((bits & URG) !== 0 ? [`urg ${urgentPointer(view, at)}`] : []),
    ...(header > HEADER ? [`options [${optionsText(view, at + HEADER, at + header)}]`] : []),
    `payload ${payload}`,
  ].join(', ')
}

/** Every field that is there. */
export function fields(view: DataView, at: number, end: number): Fields {
  const begin: Fields = [
    ['source port', `${sourcePort(view, at)}`],
    ['destination port', `${destinationPort(view, at)}`],
    ['sequence number', `${sequence(view, at)}`],
  ]
  if (end - at < HEADER) return begin
  const header = headerLength(view, at, end)
  return [
    ...begin,
    ['acknowledgment number', `${acknowledgment(view, at)}`],
    ['header length', `${dataOffset(view, at)}`],
    ['flags', flagsText(view, at)],
    ['window', `${window(view, at)}`],
    ['checksum', hex(checksum(view, at), 4)],
    ['urgent pointer', `${urgentPointer(view, at)}`],
    ...(header > HEADER ? [['options', optionsText(view, at + HEADER, at + header)] as const] : []),
  ]
}
