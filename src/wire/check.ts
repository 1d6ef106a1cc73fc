/** What is wrong with a packet by itself: the checks of the codecs, in the order of a stack. */
import { Drop } from '../base/drop.ts'
import type { Packet } from '../base/packet.ts'
import * as icmpv4 from './icmpv4.ts'
import * as icmpv6 from './icmpv6.ts'
import * as ipv4 from './ipv4.ts'
import * as ipv6 from './ipv6.ts'
import { ICMPV4, ICMPV6, SCTP, TCP, UDP } from './protocol.ts'
import * as sctp from './sctp.ts'
import * as tcp from './tcp.ts'
import * as udp from './udp.ts'

/**
 * Checks the IP packet at `packet.start` up to its upper layer's header, whoever it is for. A
 * fragment is checked as far as its own header.
 */
export function checkPacket(packet: Packet): Drop {
  const version = packet.length === 0 ? 0 : ipv4.version(packet.view, packet.start)
  let drop: Drop = version === 4 ? ipv4.parse(packet) : ipv6.parse(packet)
  if (drop === Drop.None && version === 6) drop = ipv6.walk(packet)
  if (drop !== Drop.None || packet.moreFragments !== 0 || packet.fragmentOffset !== 0) return drop
  if (packet.protocol === UDP) return udp.parse(packet)
  if (packet.protocol === TCP) return tcp.parse(packet)
  if (packet.protocol === SCTP) return sctp.parse(packet)
  if (packet.protocol === ICMPV4 && version === 4) return icmpv4.parse(packet)
  if (packet.protocol === ICMPV6 && version === 6) return icmpv6.parse(packet)
  return Drop.None
}
