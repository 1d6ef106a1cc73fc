/**
 * Assigned Internet Protocol Numbers that this stack knows, IPv6 extension headers included (RFC
 * 8200 section 4).
 */
export const HOP_BY_HOP = 0
export const ICMPV4 = 1
export const IGMP = 2
export const TCP = 6
export const UDP = 17
export const ROUTING = 43
export const FRAGMENT = 44
export const ESP = 50
export const AUTHENTICATION = 51
export const ICMPV6 = 58
export const NO_NEXT_HEADER = 59
export const DESTINATION_OPTIONS = 60
export const SCTP = 132
/** Reserved; raw endpoints of it write whole packets (Linux: IPPROTO_RAW). */
export const RAW = 255
