/**
 * A packet quoted by an ICMP error or a Redirect: where its headers are in the message, and what
 * they say. One object serves all messages; it is lent for the call.
 */
import { Address, MAPPED } from '../../base/address.ts'
import { Packet } from '../../base/packet.ts'
import * as icmpv4 from '../../wire/icmpv4.ts'
import * as ipv4 from '../../wire/ipv4.ts'
import * as ipv6 from '../../wire/ipv6.ts'
import { ICMPV4, ICMPV6, UDP } from '../../wire/protocol.ts'

const NO_BYTES = new DataView(new ArrayBuffer(0))

/**
 * What a quote has of its upper-layer header at least: the 8 bytes of RFC 792, and so both ports of
 * a datagram.
 */
const MIN_UPPER = 8

export class Quote {
  /** The bytes of the message around it. */
  view: DataView = NO_BYTES
  family: 4 | 6 = 4
  /** Offset of the quoted IP header. */
  network = 0
  /** Offset of the quoted upper-layer header, of which there are 8 bytes at least. */
  transport = 0
  /** Offset after the last quoted byte. */
  end = 0
  /** Of the upper layer. */
  protocol = 0
  /** Bytes; of a later IPv6 fragment `protocol` is the fragment header's. */
  fragmentOffset = 0
  /** Source address, four words as in {@link Address}. */
  s0 = 0
  s1 = 0
  s2 = 0
  s3 = 0
  /** Destination address. */
  d0 = 0
  d1 = 0
  d2 = 0
  d3 = 0
  /** Of the message: the nic by which it came, and whether this host sent it. */
  #nic = 0
  #looped = 0
  /** Made for the first error about a datagram. */
  #answer: Packet | null = null

  /**
   * Reads the packet quoted at `at … end` of a message of the same family.
   * @returns `false` when it is too short
   */
  open(message: Packet, at: number, end: number): boolean {
    this.view = message.view
    this.network = at
    this.end = end
    this.#nic = message.nic
    this.#looped = message.looped
    return message.family === 4 ? this.#open4(at, end) : this.#open6(at, end)
  }

  /**
   * An IP header and 8 bytes. Its checksum may be wrong after NAT, and its length may be cut: only
   * the addresses count.
   */
  #open4(at: number, end: number): boolean {
    const { view } = this
    if (end - at < ipv4.HEADER) return false
    const header = ipv4.headerLength(view, at)
    if (header < ipv4.HEADER || end - at < header + MIN_UPPER) return false
    this.family = 4
    this.transport = at + header
    this.protocol = ipv4.protocol(view, at)
    this.fragmentOffset = ipv4.fragmentOffset(view, at)
    this.s0 = 0
    this.s1 = 0
    this.s2 = MAPPED
    this.s3 = ipv4.source(view, at)
    this.d0 = 0
    this.d1 = 0
    this.d2 = MAPPED
    this.d3 = ipv4.destination(view, at)
    return true
  }

  /**
   * The quoted packet is cut, and a router may have changed it: what must be right is where it came
   * from and went to.
   */
  #open6(at: number, end: number): boolean {
    const { view } = this
    if (end - at < ipv6.HEADER) return false
    const upper = ipv6.skip(view, ipv6.nextHeader(view, at), at + ipv6.HEADER, end)
    if (upper < 0 || end - (upper >> 8) < MIN_UPPER) return false
    this.family = 6
    this.transport = upper >> 8
    this.protocol = upper & 0xff
    this.fragmentOffset = 0
    this.s0 = view.getInt32(at + ipv6.SOURCE)
    this.s1 = view.getInt32(at + ipv6.SOURCE + 4)
    this.s2 = view.getInt32(at + ipv6.SOURCE + 8)
    this.s3 = view.getInt32(at + ipv6.SOURCE + 12)
    this.d0 = view.getInt32(at + ipv6.DESTINATION)
    this.d1 = view.getInt32(at + ipv6.DESTINATION + 4)
    this.d2 = view.getInt32(at + ipv6.DESTINATION + 8)
    this.d3 = view.getInt32(at + ipv6.DESTINATION + 12)
    return true
  }

  get source(): Address {
    return new Address(this.s0, this.s1, this.s2, this.s3)
  }

  get destination(): Address {
    return new Address(this.d0, this.d1, this.d2, this.d3)
  }

  /** Bytes of the quoted packet as its IP header says, however many of them are quoted. */
  get totalLength(): number {
    const { view, network } = this
    return this.family === 4 ? ipv4.totalLength(view, network) : ipv6.payloadLength(view, network) + ipv6.HEADER
  }

  get isUdp(): boolean {
    return this.protocol === UDP
  }

  /** Whether it is an ICMP message of its family. */
  get isIcmp(): boolean {
    return this.protocol === (this.family === 4 ? ICMPV4 : ICMPV6)
  }

  /** Type of the quoted ICMP message. */
  get icmpType(): number {
    return icmpv4.type(this.view, this.transport)
  }

  /** Of the quoted echo message. */
  get identifier(): number {
    return icmpv4.identifier(this.view, this.transport)
  }

  /** Of the quoted echo message. */
  get sequence(): number {
    return icmpv4.sequence(this.view, this.transport)
  }

  /**
   * A packet as it would answer the quoted one, its addresses exchanged: a key for tables that are
   * looked up with received packets. It has no bytes.
   */
  get answer(): Packet {
    this.#answer ??= new Packet(0)
    const answer = this.#answer
    answer.family = this.family
    answer.protocol = this.protocol
    answer.nic = this.#nic
    answer.looped = this.#looped
    answer.s0 = this.d0
    answer.s1 = this.d1
    answer.s2 = this.d2
    answer.s3 = this.d3
    answer.d0 = this.s0
    answer.d1 = this.s1
    answer.d2 = this.s2
    answer.d3 = this.s3
    return answer
  }
}
