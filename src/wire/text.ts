/** Fields as a dump prints them: numbers in hex, protocols and ECN by name. */
import { DESTINATION_OPTIONS, FRAGMENT, HOP_BY_HOP, ICMPV4, ICMPV6, IGMP, ROUTING, SCTP, TCP, UDP } from './protocol.ts'

/** Each field as name and value, in the header's order. */
export type Fields = readonly (readonly [string, string])[]

export const extensionNames: Record<number, string> = {
  [HOP_BY_HOP]: 'hop-by-hop options',
  [ROUTING]: 'routing header',
  [FRAGMENT]: 'fragment header',
  [DESTINATION_OPTIONS]: 'destination options',
}

export const protocolNames: Record<number, string> = {
  [ICMPV4]: 'ICMP',
  [IGMP]: 'IGMP',
  [TCP]: 'TCP',
  [UDP]: 'UDP',
  [ICMPV6]: 'ICMPv6',
  [SCTP]: 'SCTP',
}

/** `17 (UDP)`. */
export function protocolText(protocol: number): string {
  const name = protocolNames[protocol] ?? extensionNames[protocol]
  return name === undefined ? `${protocol}` : `${protocol} (${name})`
}

const ecnNames = ['Not-ECT', 'ECT(1)', 'ECT(0)', 'CE'] as const

/** `0x02 (DSCP 0, ECT(0))`. */
export function tosText(tos: number): string {
  return `${hex(tos, 2)} (DSCP ${tos >>> 2}, ${ecnNames[tos & 3]})`
}

/** `0x0800`, of so many digits. */
export function hex(value: number, digits: number): string {
  return `0x${value.toString(16).padStart(digits, '0')}`
}

/** At most 32 bytes as hex digits. */
export function hexBytes(view: DataView, at: number, end: number): string {
  let text = ''
  for (let i = at; i < Math.min(end, at + 32); i++) text += view.getUint8(i).toString(16).padStart(2, '0')
  return end - at > 32 ? `${text}… (${end - at} bytes)` : text
}

/** `0x0800`, and the name of those that have one here. */
export function typeText(type: number): string {
  const name = typeNames[type]
  return name === undefined ? hex(type, 4) : `${hex(type, 4)} (${name})`
}

const typeNames: Record<number, string> = { 2048: 'IPv4', 34525: 'IPv6', 2054: 'ARP', 33024: 'VLAN', 34984: 'VLAN' }
