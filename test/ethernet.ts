/** Hosts on Ethernet for tests, and frames written by the obvious code. */
import { Address } from '../src/base/address.ts'
import { ManualClock } from '../src/base/clock.ts'
import { SeededRandom } from '../src/base/random.ts'
import type { Nic } from '../src/ip/nic/nic.ts'
import { NO_OFFLOAD } from '../src/link/link.ts'
import { type NicOptions, Stack, type StackOptions } from '../src/stack.ts'
import { TestLink } from './host.ts'
import { type Ipv6Fields, icmpPacket } from './packet.ts'

/**
 * The stations of `test/vectors/ethernet.hex`: this host is the first one, unless told otherwise.
 */
export const OUR_MAC = '02:00:00:00:00:01'
export const PEER_MAC = '02:00:00:00:00:02'
export const OTHER_MAC = '02:00:00:00:00:03'
export const BROADCAST = 'ff:ff:ff:ff:ff:ff'
export const OUR4 = '10.0.0.1'
export const PEER4 = '10.0.0.2'
export const OUR6 = '2001:db8::1'
export const PEER6 = '2001:db8::2'
export const OUR_LINK_LOCAL = 'fe80::ff:fe00:1'
export const PEER_LINK_LOCAL = 'fe80::ff:fe00:2'

export const bytesOfMac = (text: string) => text.split(':').map((octet) => Number.parseInt(octet, 16))
export const bytesOf = (address: string) => [...Address.parse(address).toBytes()]
export const hex = (bytes: ArrayLike<number>) =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
const word = (value: number) => [(value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]

export interface EthernetHost {
  readonly stack: Stack
  readonly clock: ManualClock
  readonly link: TestLink
  readonly nic: Nic
  /** Frames sent since the last call, in hex. */
  take(): string[]
  /** Lets time pass and returns the frames sent meanwhile. */
  after(milliseconds: number): string[]
}

/**
 * The host of the captures: {@link OUR4} and {@link OUR6}, in use at once and the first words said,
 * unless options say otherwise.
 */
export function ethernetHost(options: StackOptions & NicOptions & { quiet?: boolean } = {}): EthernetHost {
  const clock = new ManualClock()
  const stack = new Stack({
    clock,
    random: new SeededRandom('ethernet'),
    icmpRateLimit: false,
    dad: false,
    ...options,
    name: 'host',
  })
  const link = new TestLink('eth0', 1500, NO_OFFLOAD, Uint8Array.from(bytesOfMac(OUR_MAC)))
  const nic = stack.addNic(link, {
    addresses: [`${OUR4}/24`, `${OUR6}/64`],
    acceptRouterAdvertisements: false,
    ...options,
    name: 'eth0',
  })
  const take = () => link.take().map(hex)
  const host: EthernetHost = {
    stack,
    clock,
    link,
    nic,
    take,
    after: (milliseconds) => {
      clock.advance(milliseconds)
      return take()
    },
  }
  // What is said about groups is not what most tests are about.
  if (options.quiet !== false) host.after(5000)
  return host
}

export function frame(destination: string, source: string, type: number, payload: ArrayLike<number>): Uint8Array {
  return Uint8Array.from([
    ...bytesOfMac(destination),
    ...bytesOfMac(source),
    type >>> 8,
    type & 255,
    ...Array.from(payload),
  ])
}

export interface ArpFields {
  readonly operation?: number
  readonly senderMac?: string
  readonly sender?: string
  readonly targetMac?: string
  readonly target?: string
}

/** The body of an ARP message: by default a request of the peer for us. */
export function arpBody(fields: ArpFields = {}): number[] {
  const { operation = 1, senderMac = PEER_MAC, sender = PEER4, targetMac = '00:00:00:00:00:00', target = OUR4 } = fields
  return [
    0,
    1,
    8,
    0,
    6,
    4,
    0,
    operation,
    ...bytesOfMac(senderMac),
    ...bytesOf(sender),
    ...bytesOfMac(targetMac),
    ...bytesOf(target),
  ]
}

/** A whole ARP frame; replies are for us alone, requests for all. */
export function arpFrame(fields: ArpFields & { to?: string } = {}): Uint8Array {
  return frame(
    fields.to ?? (fields.operation === 2 ? OUR_MAC : BROADCAST),
    fields.senderMac ?? PEER_MAC,
    0x0806,
    arpBody(fields),
  )
}

/** A link-layer address option: type 1 (source) or 2 (target). */
export function linkOption(type: number, mac: string): number[] {
  return [type, 1, ...bytesOfMac(mac)]
}

/** The hardware address of an IPv6 group. */
export function groupMac6(group: string): string {
  const last = bytesOf(group).slice(12)
  return ['33', '33', ...last.map((byte) => byte.toString(16).padStart(2, '0'))].join(':')
}

export function solicitedNode(address: string): string {
  const [a, b, c] = bytesOf(address).slice(13) as [number, number, number]
  return Address.fromBytes([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, a, b, c]).toString()
}

/**
 * A frame with an ICMPv6 message of Neighbor Discovery: `rest` is the second word, `body` what
 * follows it.
 */
export function ndFrame(
  type: number,
  rest: number,
  body: readonly number[],
  fields: Ipv6Fields & { code?: number; mac?: string; to?: string; checksum?: number } = {},
): Uint8Array {
  const { destination = OUR6, source = PEER6, mac = PEER_MAC } = fields
  const to = fields.to ?? (destination.startsWith('ff') ? groupMac6(destination) : OUR_MAC)
  return frame(
    to,
    mac,
    0x86dd,
    icmpPacket(type, fields.code ?? 0, rest, body, 6, { hopLimit: 255, ...fields, destination, source }),
  )
}

/** Somebody asks for an address of ours. */
export function solicitation(
  target: string,
  fields: Parameters<typeof ndFrame>[3] & { option?: readonly number[] } = {},
): Uint8Array {
  const { option = linkOption(1, fields.mac ?? PEER_MAC) } = fields
  return ndFrame(135, 0, [...bytesOf(target), ...option], { destination: solicitedNode(target), ...fields })
}

export const ROUTER = 0x80
export const SOLICITED = 0x40
export const OVERRIDE = 0x20

/** The peer says where an address is. */
export function advertisement(
  target: string,
  flags: number,
  fields: Parameters<typeof ndFrame>[3] & { option?: readonly number[] } = {},
): Uint8Array {
  const { option = linkOption(2, fields.mac ?? PEER_MAC) } = fields
  return ndFrame(136, flags << 24, [...bytesOf(target), ...option], fields)
}

export interface RouterFields {
  readonly hopLimit?: number
  /** Seconds. */
  readonly lifetime?: number
  /** Milliseconds. */
  readonly reachable?: number
  readonly retrans?: number
  readonly options?: readonly number[]
}

/** A router advertisement of the peer to all nodes. */
export function routerAdvertisement(router: RouterFields, fields: Parameters<typeof ndFrame>[3] = {}): Uint8Array {
  const { hopLimit = 0, lifetime = 1800, reachable = 0, retrans = 0, options = linkOption(1, PEER_MAC) } = router
  const rest = (hopLimit << 24) | lifetime
  return ndFrame(134, rest, [...word(reachable), ...word(retrans), ...options], {
    source: PEER_LINK_LOCAL,
    destination: 'ff02::1',
    ...fields,
  })
}

/** A prefix information option; lifetimes in seconds. */
export function prefixOption(prefix: string, length: number, valid: number, preferred: number, flags = 0xc0): number[] {
  return [3, 4, length, flags, ...word(valid), ...word(preferred), 0, 0, 0, 0, ...bytesOf(prefix)]
}

export function mtuOption(mtu: number): number[] {
  return [5, 1, 0, 0, ...word(mtu)]
}
