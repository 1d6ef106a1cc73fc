/**
 * Fragmentation to the MTU: RFC 791 section 3.2 (only copy-flagged options go into later
 * fragments), RFC 8200 section 4.5.
 *
 * The whole packet stays where it is; each fragment is put together in a packet of the fragmenter's
 * own and handed on at once.
 */
import { Drop } from '../../base/drop.ts'
import { copyBytes, HEADROOM, MAX_PACKET, Packet } from '../../base/packet.ts'
import * as ipv4 from '../../wire/ipv4.ts'
import * as ipv6 from '../../wire/ipv6.ts'

/**
 * Takes one fragment, lent; anything but None stops the rest. `over` is what the caller gave with
 * the packet, so that no packet needs a closure.
 */
export type FragmentSink<T> = (fragment: Packet, over: T) => Drop

export class Fragmenter {
  #packet: Packet | null = null

  /**
   * Sends the IPv4 packet at `packet.start`, whose header is complete, as fragments of at most
   * `mtu` bytes.
   */
  fragment4<T>(packet: Packet, mtu: number, over: T, sink: FragmentSink<T>): Drop {
    const { view, start } = packet
    const fragment = this.#begin(packet)
    const header = ipv4.headerLength(view, start)
    const payloadEnd = packet.end
    // A fragment that is forwarded may be a fragment already.
    const baseOffset = ipv4.fragmentOffset(view, start)
    const moreAfter = ipv4.moreFragments(view, start)
    const room = Math.max(8, (mtu - header) & ~7)
    const at = HEADROOM
    copyBytes(packet, start, fragment, at, header)
    for (let from = start + header; from < payloadEnd; from += room) {
      const length = Math.min(room, payloadEnd - from)
      copyBytes(packet, from, fragment, at + header, length)
      fragment.start = at
      fragment.end = at + header + length
      ipv4.patchFragment(
        fragment.view,
        at,
        header + length,
        baseOffset + from - start - header,
        moreAfter || from + length < payloadEnd,
      )
      const drop = sink(fragment, over)
      if (drop !== Drop.None) return drop
      if (from === start + header && header > ipv4.HEADER) blankUncopiedOptions(fragment, at, header)
    }
    return Drop.None
  }

  /**
   * Sends the IPv6 packet at `packet.start`, whose header is complete, as fragments of at most
   * `mtu` bytes. The unfragmentable part is the fixed header and `unfragmentable` bytes of
   * extension headers; `nextHeaderAt` is the offset, from `packet.start`, of the field that names
   * the first header of the fragmentable part.
   */
  fragment6<T>(
    packet: Packet,
    mtu: number,
    identification: number,
    unfragmentable: number,
    nextHeaderAt: number,
    over: T,
    sink: FragmentSink<T>,
  ): Drop {
    const { view, start } = packet
    const fragment = this.#begin(packet)
    const header = ipv6.HEADER + unfragmentable
    const next = view.getUint8(start + nextHeaderAt)
    const payloadEnd = packet.end
    const room = (mtu - header - ipv6.FRAGMENT_HEADER) & ~7
    if (room < 8) return Drop.LinkMtuExceeded
    const at = HEADROOM
    const behind = at + header + ipv6.FRAGMENT_HEADER
    copyBytes(packet, start, fragment, at, header)
    fragment.bytes[at + nextHeaderAt] = 44
    for (let from = start + header; from < payloadEnd; from += room) {
      const length = Math.min(room, payloadEnd - from)
      copyBytes(packet, from, fragment, behind, length)
      fragment.start = at
      fragment.end = behind + length
      ipv6.setPayloadLength(fragment.view, at, fragment.end - at - ipv6.HEADER)
      ipv6.encodeFragmentHeader(
        fragment.view,
        at + header,
        next,
        from - start - header,
        from + length < payloadEnd,
        identification,
      )
      const drop = sink(fragment, over)
      if (drop !== Drop.None) return drop
    }
    return Drop.None
  }

  #begin(whole: Packet): Packet {
    this.#packet ??= new Packet(HEADROOM + MAX_PACKET)
    const fragment = this.#packet
    fragment.reset(HEADROOM, HEADROOM)
    fragment.family = whole.family
    fragment.nic = whole.nic
    fragment.looped = whole.looped
    fragment.trace = whole.trace
    fragment.cast = whole.cast
    fragment.s0 = whole.s0
    fragment.s1 = whole.s1
    fragment.s2 = whole.s2
    fragment.s3 = whole.s3
    fragment.d0 = whole.d0
    fragment.d1 = whole.d1
    fragment.d2 = whole.d2
    fragment.d3 = whole.d3
    fragment.n0 = whole.n0
    fragment.n1 = whole.n1
    fragment.n2 = whole.n2
    fragment.n3 = whole.n3
    return fragment
  }
}

/** Turns options without the copy bit into No Operation, as Linux does in `ip_options_fragment`. */
function blankUncopiedOptions(fragment: Packet, at: number, header: number): void {
  const { bytes } = fragment
  for (let option = at + ipv4.HEADER; option < at + header; ) {
    const type = bytes[option] as number
    if (type === 0) return
    if (type === 1) {
      option++
      continue
    }
    const length = bytes[option + 1] as number
    if (length < 2 || option + length > at + header) return
    if ((type & 0x80) === 0) bytes.fill(1, option, option + length)
    option += length
  }
}
