/**
 * TCP's header: RFC 9293 section 3.1. This stack has no TCP, but ports and flags are what one looks
 * for in a capture.
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +-------------------------------+-------------------------------+
 *     |          Source Port          |       Destination Port        |
 *     +-------------------------------+-------------------------------+
 *     |                        Sequence Number                        |
 *     +---------------------------------------------------------------+
 *     |                    Acknowledgment Number                      |
 *     +-------+-------+---------------+-------------------------------+
 *     | Offset| Rsrvd |     Flags     |            Window             |
 *     +-------+-------+---------------+-------------------------------+
 *     |           Checksum            |         Urgent Pointer        |
 *     +-------------------------------+-------------------------------+
 *     |   Options ...
 */
import { type Fields, hex } from './text.ts'

/** Without options. */
const HEADER = 20

/** From the lowest bit up. */
const FLAGS = ['F', 'S', 'R', 'P', '.', 'U', 'E', 'W'] as const

/** Bytes of the header at `at … end`, of which there are 8 at least; all of them when it is cut. */
export function headerLength(view: DataView, at: number, end: number): number {
  const available = end - at
  return available < HEADER ? available : Math.min(Math.max(offset(view, at), HEADER), available)
}

/** Bytes of the header as it says itself. */
function offset(view: DataView, at: number): number {
  return (view.getUint8(at + 12) >>> 4) * 4
}

function flags(view: DataView, at: number): string {
  return FLAGS.filter((_, bit) => (view.getUint8(at + 13) >>> bit) & 1).join('') || 'none'
}

/** One line: ports and, of a header that is whole, flags and length of the payload. */
export function describe(view: DataView, at: number, end: number): string {
  const ports = `TCP ${view.getUint16(at)} > ${view.getUint16(at + 2)}`
  if (end - at < HEADER) return ports
  return `${ports} flags ${flags(view, at)} payload ${end - at - headerLength(view, at, end)}`
}

/** Every field that is there. */
export function fields(view: DataView, at: number, end: number): Fields {
  const begin: Fields = [
    ['source port', `${view.getUint16(at)}`],
    ['destination port', `${view.getUint16(at + 2)}`],
    ['sequence number', `${view.getUint32(at + 4)}`],
  ]
  if (end - at < HEADER) return begin
  return [
    ...begin,
    ['acknowledgment number', `${view.getUint32(at + 8)}`],
    ['header length', `${offset(view, at)}`],
    ['flags', flags(view, at)],
    ['window', `${view.getUint16(at + 14)}`],
    ['checksum', hex(view.getUint16(at + 16), 4)],
    ['urgent pointer', `${view.getUint16(at + 18)}`],
  ]
}
