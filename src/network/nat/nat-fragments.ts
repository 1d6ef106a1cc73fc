/**
 * Puts fragments together for a NAT and takes them apart again behind it, in whatever order they
 * come (RFC 4787 section 11), link headers included.
 */
import type { Clock } from '../../base/clock.ts'
import { Drop } from '../../base/drop.ts'
import type { Packet } from '../../base/packet.ts'
import type { Random } from '../../base/random.ts'
import { Counters } from '../../ip/counters.ts'
import { Fragmenter, type FragmentSink } from '../../ip/fragments/fragmenter.ts'
import { REASSEMBLY_MEMORY, Reassembler } from '../../ip/fragments/reassembler.ts'
import * as ipv4 from '../../wire/ipv4.ts'

/** More than any link's header: Ethernet's with its tags. */
const LINK_HEADER = 64

/** What all fragments of a packet get in front, and where they go. */
interface Way {
  readonly linkHeader: Uint8Array
  length: number
  next: (packet: Packet) => Drop
}

const sendFragment: FragmentSink<Way> = (fragment, { linkHeader, length, next }) => {
  fragment.start -= length
  for (let i = 0; i < length; i++) fragment.bytes[fragment.start + i] = linkHeader[i] as number
  return next(fragment)
}

export class NatFragments {
  readonly #reassembler: Reassembler
  readonly #fragmenter = new Fragmenter()
  readonly #way: Way = { linkHeader: new Uint8Array(LINK_HEADER), length: 0, next: () => Drop.None }
  /** That of the fragment which completed a packet. */
  readonly #linkHeader = new Uint8Array(LINK_HEADER)

  /** `dropped` is told of fragments that are discarded. */
  constructor(clock: Clock, random: Random, dropped: (drop: Drop, packet: Packet) => void) {
    const counters = new Counters()
    counters.onDrop((reason, _layer, packet) => dropped(Drop[reason], packet))
    this.#reassembler = new Reassembler(4, clock, random, counters, { timedOut: () => {} }, REASSEMBLY_MEMORY)
  }

  static isFragment(packet: Packet, at: number): boolean {
    return ipv4.moreFragments(packet.view, at) || ipv4.fragmentOffset(packet.view, at) > 0
  }

  /**
   * Takes a fragment whose IP header is at `at`.
   * @returns the whole packet, with the link header in front; `null` as long as fragments are
   *   missing; the fragment itself when it is malformed, for the stack to refuse
   */
  add(packet: Packet, at: number): Packet | null {
    const { start, end, trace, cast, nic } = packet
    const header = at - start
    for (let i = 0; i < header; i++) this.#linkHeader[i] = packet.bytes[start + i] as number
    packet.start = at
    if (ipv4.parse(packet) !== Drop.None) {
      packet.start = start
      return packet
    }
    const whole = this.#reassembler.add(packet)
    packet.start = start
    packet.end = end
    if (whole === null) return null
    whole.start -= header
    for (let i = 0; i < header; i++) whole.bytes[whole.start + i] = this.#linkHeader[i] as number
    whole.trace = trace
    whole.cast = cast
    whole.nic = nic
    return whole
  }

  /**
   * Sends a packet with `header` bytes of link header, in fragments where it is longer than `mtu`.
   */
  send(packet: Packet, header: number, mtu: number, next: (packet: Packet) => Drop): Drop {
    const { start, end } = packet
    if (end - start - header <= mtu) return next(packet)
    const way = this.#way
    way.length = header
    way.next = next
    for (let i = 0; i < header; i++) way.linkHeader[i] = packet.bytes[start + i] as number
    packet.start += header
    return this.#fragmenter.fragment4(packet, mtu, way, sendFragment)
  }

  close(): void {
    this.#reassembler.close()
  }
}
