/**
 * IPv6: what every node does with a packet's headers. The fixed header is in `ipv6-header.ts`, the
 * extension headers are in `ipv6-extensions.ts`; this namespace has both.
 */
import { Drop } from '../base/drop.ts'
import type { Packet } from '../base/packet.ts'
import { optionsHeader, withoutLength } from './ipv6-extensions.ts'
import { HEADER, HOP_LIMIT, NEXT_HEADER, PAYLOAD_LENGTH, readAddresses } from './ipv6-header.ts'
import { HOP_BY_HOP } from './protocol.ts'

export {
  ERRONEOUS_FIELD,
  encodeFragmentHeader,
  FRAGMENT_HEADER,
  INCOMPLETE_HEADER_CHAIN,
  isExtension,
  isSkipped,
  routerAlert,
  skip,
  skippedLength,
  UNKNOWN_NEXT_HEADER,
  UNKNOWN_OPTION,
  walk,
} from './ipv6-extensions.ts'
export {
  DESTINATION,
  describe,
  destinationText,
  encode,
  fields,
  flowLabel,
  HEADER,
  HOP_LIMIT,
  hopLimit,
  NEXT_HEADER,
  nextHeader,
  payloadLength,
  pseudoHeaderSum,
  readAddresses,
  SOURCE,
  setPayloadLength,
  sourceText,
  trafficClass,
} from './ipv6-header.ts'

/**
 * Reads the fixed header at `packet.start`, cuts the packet at Payload Length, fills its fields,
 * and processes a hop-by-hop header that comes first: what every node does, routers included.
 * `transport` and `protocol` are left at the next header; `walk` goes on from there.
 */
export function parse(packet: Packet): Drop {
  const view = packet.view
  const at = packet.start
  const available = packet.end - at
  packet.family = 6
  packet.network = at
  packet.problem = -1
  packet.fragments = 1
  packet.fragmentHeader = 0
  packet.fragmentOffset = 0
  packet.moreFragments = 0
  packet.identification = 0
  packet.dontFragment = 1
  if (available < HEADER) return Drop.IpTooShort
  const first = view.getUint32(at)
  if (first >>> 28 !== 6) return Drop.IpVersion
  const payload = view.getUint16(at + PAYLOAD_LENGTH)
  if (payload > available - HEADER) return Drop.IpTotalLength
  packet.networkEnd = packet.end = at + HEADER + payload
  packet.transport = at + HEADER
  packet.tos = (first >>> 20) & 0xff
  packet.flowLabel = first & 0xfffff
  packet.hopLimit = view.getUint8(at + HOP_LIMIT)
  packet.protocol = view.getUint8(at + NEXT_HEADER)
  packet.protocolAt = at + NEXT_HEADER
  readAddresses(packet, at)
  if (packet.protocol !== HOP_BY_HOP) return Drop.None
  return payload === 0 ? withoutLength(packet, at + available) : optionsHeader(packet, true)
}
