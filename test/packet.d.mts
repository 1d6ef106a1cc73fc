/** Types of the plain JavaScript beside it, which benchmarks run as it is. */
type Octets = ArrayLike<number>

export interface RawIpv4 {
  readonly source: Octets
  readonly destination: Octets
  readonly protocol: number
  readonly ttl?: number | undefined
  readonly tos?: number | undefined
  readonly identification?: number | undefined
  readonly flags?: number | undefined
  readonly options?: Octets | undefined
  readonly version?: number | undefined
  readonly ihl?: number | undefined
  readonly totalLength?: number | undefined
  readonly headerChecksum?: number | undefined
}

export interface RawIpv6 {
  readonly source: Octets
  readonly destination: Octets
  readonly next: number
  readonly hopLimit?: number | undefined
  readonly trafficClass?: number | undefined
  readonly flowLabel?: number | undefined
  readonly version?: number | undefined
  readonly payloadLength?: number | undefined
}

export interface RawUdp {
  readonly source: Octets
  readonly destination: Octets
  readonly sourcePort: number
  readonly destinationPort: number
  readonly length?: number | undefined
  readonly checksum?: number | undefined
}

export const BROADCAST_MAC: Uint8Array
export function checksum(bytes: Octets, sum?: number): number
export function pseudo(source: Octets, destination: Octets, protocol: number, length: number): number
export function mac(text: string): Uint8Array
export function address(text: string): Uint8Array
export function groupMac(address: Uint8Array): Uint8Array
export function ethernet(destination: Octets, source: Octets, type: number, payload: Octets): Uint8Array
export function arp(operation: number, senderMac: Octets, sender: Octets, targetMac: Octets, target: Octets): Uint8Array
export function ipv4(fields: RawIpv4, payload: Octets): Uint8Array
export function ipv6(fields: RawIpv6, payload: Octets): Uint8Array
export function udp(fields: RawUdp, payload: Octets): Uint8Array
export function icmp(
  type: number,
  code: number,
  rest: number,
  body: Octets,
  addresses?: { readonly source: Octets; readonly destination: Octets } | null,
): Uint8Array
export function igmp(type: number, code: number, rest: number, body: Octets): Uint8Array
export function fragmentHeader(next: number, offset: number, more: boolean, identification: number): Uint8Array
