/**
 * Takes Ethernet frames apart that stand for many: what is behind the Ethernet header is split
 * (`tun-offload.ts`), and each part gets that header.
 */
import type { Packet } from '../../base/packet.ts'
import { ETHER_TYPE, HEADER, IPV4, IPV6 } from '../../wire/ethernet.ts'
import { Splitter, VNET_HEADER } from './tun-offload.ts'
import * as vnet from './vnet-header.ts'

export class FrameSplitter {
  readonly #splitter = new Splitter()

  /**
   * Hands on the parts of the frame at `packet.start`, whose vnet header is in front of that.
   * @returns how many there are; 0 when the header does not fit the frame: the packet is as it was
   */
  split(packet: Packet, take: (part: Packet) => void): number {
    const { bytes, view, start } = packet
    const type = view.getUint16(start + ETHER_TYPE)
    if (type !== IPV4 && type !== IPV6) return 0
    const header = bytes.slice(start, start + HEADER)
    const at = start + HEADER - VNET_HEADER
    bytes.copyWithin(at, start - VNET_HEADER, start)
    vnet.skip(view, at, HEADER)
    packet.start = at
    const count = this.#splitter.split(packet, (part) => {
      part.start -= HEADER
      part.bytes.set(header, part.start)
      take(part)
    })
    if (count === 0) {
      packet.start = start
      bytes.set(header, start)
    }
    return count
  }
}
