/**
 * The codecs, one namespace a protocol: `parse` checks the bytes in a packet, getters read the
 * fields of a header that was checked, `encode` writes one. `ipv4.parse(packet)` answers
 * `Drop.None` or the name of what is wrong. No Node module.
 *
 * @module tungram/wire
 */
export { Drop, type DropLayer, type DropName, dropLayer, dropName } from '../base/drop.ts'
export { Cast, ChecksumState, Packet } from '../base/packet.ts'
export * as arp from './arp.ts'
export { checkPacket } from './check.ts'
export * as ethernet from './ethernet.ts'
export * as hardwareAddress from './hardware-address.ts'
export * as icmpExtensions from './icmp-extensions.ts'
export * as icmpv4 from './icmpv4.ts'
export * as icmpv6 from './icmpv6.ts'
export * as igmp from './igmp.ts'
export * as ipv4 from './ipv4.ts'
export * as ipv6 from './ipv6.ts'
export * as mld from './mld.ts'
export * as ndp from './ndp.ts'
export * as protocol from './protocol.ts'
export * as sctp from './sctp.ts'
export * as tcp from './tcp.ts'
export type { Fields } from './text.ts'
export * as udp from './udp.ts'
export * as udpOptions from './udp-options.ts'
