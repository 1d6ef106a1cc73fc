/**
 * One sequence of packets through two hosts, and what differs. These differences are no
 * differences:
 *
 * - IPv4 Identification, and the header checksum with it: any value is right where it is unique
 *   (RFC 6864 section 4).
 * - IPv6 flow label: any value, 0 included (RFC 6437 section 3).
 * - IPv6 fragment Identification: any unique value (RFC 8200 section 4.5).
 * - The times that a host writes into timestamp options and an ICMP Timestamp Reply, and the ICMP
 *   checksum over them: each must be that of the host's own clock (RFC 791 section 3.1, RFC 792).
 * - An ICMP checksum of 0xffff for 0: both are right for a message of zeros (RFC 1071 section 2).
 *
 * A checksum that is masked is verified first. What a host sends when it thinks fit (MLD and IGMP
 * reports, Neighbor Discovery, Time Exceeded after a reassembly) is left out: other tests look at
 * it.
 */

import {
  fragmentOffset,
  headerLength,
  icmpCode,
  icmpType,
  isIcmp,
  nextHeader,
  protocol,
  source,
  sourceBytes,
  version,
} from '../packet.ts'
import type { Delivered, Host } from './host.ts'
import { type Listed, listed } from './listed.ts'
import { address, type Bytes, checksum, hex } from './raw-ip.ts'
import { ANYCAST6, HOST_LINK_LOCAL, HOST4, HOST6, OUTSIDE_LINK_LOCAL, OUTSIDE4, OUTSIDE6 } from './world.ts'

export interface Outcome {
  sent: string[]
  delivered: string[]
}

/** How late an answer may be read, in milliseconds. */
const PROMPT = 5000
const DAY = 86_400_000
/** In place of a right time. */
const TIME = 0xee

export function run(host: Host, packet: Bytes, link = 0): Outcome {
  host.input(packet, link)
  const delivered = host.delivered().map(describe)
  const sent: string[] = []
  for (let by = 0; by < host.links; by++)
    for (const each of host.receive(by)) {
      const text = comparable(each, host.timeOfDay())
      if (text !== '') sent.push(by === 0 ? text : `${text} by link ${by}`)
    }
  return { sent, delivered }
}

export function same(a: Outcome, b: Outcome): boolean {
  return sameList(a.sent, b.sent) && sameList(a.delivered, b.delivered)
}

function sameList(a: string[], b: string[]): boolean {
  return a.length === b.length && a.every((each, at) => each === b[at])
}

function describe({ port, error, from, payload, hopLimit, tos }: Delivered): string {
  return error === '' ? `${port} <- ${from} hops ${hopLimit} tos ${tos} ${payload}` : `${port} ${error}`
}

const OWN = new Set(
  [HOST4, HOST6, OUTSIDE4, OUTSIDE6, HOST_LINK_LOCAL, OUTSIDE_LINK_LOCAL, ...ANYCAST6].map((each) =>
    hex(address(each)),
  ),
)

/** Whether it comes from the host itself; a report of multicast groups may come from nobody. */
function isOwn(bytes: Bytes): boolean {
  if (OWN.has(hex(sourceBytes(bytes)))) return true
  return source(bytes) === '::' && nextHeader(bytes) === 0 && isIcmp(bytes) && icmpType(bytes) === 143
}

/** The packet as text, what may differ masked; `''` for what hosts send unasked. */
export function comparable(packet: Bytes, now: number): string {
  const bytes = packet.slice()
  if (!isOwn(bytes)) return forwarded(bytes, now)
  if (version(bytes) === 4) {
    const header = headerLength(bytes)
    const isMessage = isIcmp(bytes)
    if (protocol(bytes) === 2 || (isMessage && icmpType(bytes) === 11 && icmpCode(bytes) === 1)) return ''
    if (checksum(bytes.subarray(0, header)) !== 0) return `BAD IPV4 CHECKSUM ${hex(bytes)}`
    bytes.fill(0, 4, 6)
    bytes.fill(0, 10, 12)
    if (isMessage && bytes[header + 2] === 0xff && bytes[header + 3] === 0xff) bytes.fill(0, header + 2, header + 4)
    maskTimes(bytes, 0, now)
    if (isMessage && fragmentOffset(bytes) === 0) {
      const right = checksum(bytes.subarray(header)) === 0
      const replied = icmpType(bytes) === 14 && [12, 16].filter((at) => maskTime(bytes, header + at, now)).length > 0
      const quoted = [3, 11, 12].includes(icmpType(bytes)) && maskTimes(bytes, header + 8, now)
      if ((replied || quoted) && right) bytes.fill(0, header + 2, header + 4)
    }
    return `${hex(bytes.subarray(0, header))} ${hex(bytes.subarray(header))}`
  }
  const next = nextHeader(bytes)
  const type = icmpType(bytes)
  const upkeep = (type >= 130 && type <= 137) || type === 143 || (type === 3 && icmpCode(bytes) === 1)
  if (upkeep && next !== 44 && isIcmp(bytes)) return ''
  bytes[1] = (bytes[1] as number) & 0xf0
  bytes.fill(0, 2, 4)
  if (next === 44) bytes.fill(0, 44, 48)
  return `${hex(bytes.subarray(0, 40))} ${hex(bytes.subarray(40))}`
}

/** What a router passes on is not its own: only a time that it writes may differ. */
function forwarded(bytes: Bytes, now: number): string {
  if ((bytes[0] as number) >>> 4 !== 4) return `${hex(bytes.subarray(0, 40))} ${hex(bytes.subarray(40))}`
  const header = ((bytes[0] as number) & 15) * 4
  const right = checksum(bytes.subarray(0, header)) === 0
  if (right && maskTimes(bytes, 0, now)) bytes.fill(0, 10, 12)
  return `${hex(bytes.subarray(0, header))} ${hex(bytes.subarray(header))}`
}

/**
 * Masks the times in the timestamp options of the IPv4 header at `start`. @returns whether there
 * were any
 */
function maskTimes(bytes: Bytes, start: number, now: number): boolean {
  const end = Math.min(start + ((bytes[start] as number) & 15) * 4, bytes.length)
  let found = false
  for (let at = start + 20; at + 3 < end && bytes[at] !== 0; ) {
    const length = bytes[at] === 1 ? 1 : (bytes[at + 1] as number)
    if (length === 0) return found
    if (bytes[at] === 68) {
      const [first, entry] = (bytes[at + 3] as number) % 16 === 0 ? [4, 4] : [8, 8]
      const used = Math.min((bytes[at + 2] as number) - 1, length)
      for (let slot = first; slot + 4 <= used; slot += entry) if (maskTime(bytes, at + slot, now)) found = true
    }
    at += length
  }
  return found
}

/** Masks the time at `at`, if it is one of the last seconds. */
function maskTime(bytes: Bytes, at: number, now: number): boolean {
  if (at + 4 > bytes.length) return false
  const time = new DataView(bytes.buffer, bytes.byteOffset).getUint32(at)
  if (time >= DAY || (now - time + DAY) % DAY > PROMPT) return false
  bytes.fill(TIME, at, at + 4)
  return true
}

/**
 * Both hosts' answers to each packet of a sequence; `''` when they agree everywhere, or differ as
 * listed; those that were met are added to `seen`.
 */
export function difference(
  kernel: Host,
  stack: Host,
  packets: readonly Bytes[],
  seen: Set<Listed>,
  accepted: readonly Listed[] = listed,
  link = 0,
): string {
  for (const [at, packet] of packets.entries()) {
    const expected = run(kernel, packet, link)
    const actual = run(stack, packet, link)
    if (!same(expected, actual)) {
      const reason = accepted.find(({ explains }) => explains(packets.slice(0, at + 1), expected, actual))
      if (reason !== undefined) {
        seen.add(reason)
        continue
      }
      const lines = [`packet ${at} of ${packets.length}, by link ${link}: ${hex(packet)}`]
      if (at > 0) lines.push(...packets.slice(0, at).map((each) => `  after ${hex(each)}`))
      lines.push(
        ...expected.delivered.map((each) => `  kernel delivered ${each}`),
        ...expected.sent.map((each) => `  kernel sent ${each}`),
      )
      lines.push(
        ...actual.delivered.map((each) => `  stack delivered ${each}`),
        ...actual.sent.map((each) => `  stack sent ${each}`),
      )
      return lines.join('\n')
    }
  }
  return ''
}
