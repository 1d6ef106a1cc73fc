/** What a raw endpoint is opened with, and its settings. */
import type { Packet } from '../base/packet.ts'
import type { IcmpError } from '../ip/icmp/icmp-error.ts'
import { checkOwn, type OwnOptions } from '../ip/own-options.ts'
import { PmtuMode } from '../ip/routing/pmtu-mode.ts'
import { DEFAULT_BUFFER } from '../udp/endpoint-options.ts'
import type { Errno, IcmpErrno } from '../udp/errno.ts'
import type { SendOptions } from '../udp/send-options.ts'
import { DESTINATION_OPTIONS, FRAGMENT, HOP_BY_HOP, ICMPV6, NO_NEXT_HEADER, RAW, ROUTING } from '../wire/protocol.ts'

/** A listener's message, lent: `packet.start … packet.end` is what is behind the IP header. */
export type RawReceiver = (packet: Packet) => void

/**
 * An ICMP error about a packet that such an endpoint sends. `errno` is what Linux reports to a
 * connected socket, `''` when it reports nothing; `quoted` is what the error quotes of the packet,
 * from behind its IP header on, 8 bytes at least.
 */
export type RawErrorListener = (error: IcmpError, errno: IcmpErrno, quoted: Uint8Array) => void

/** How `stack.openRaw` opens an endpoint. */
export interface RawOptions {
  family: 4 | 6
  /**
   * The protocol number in the IP header, 0 to 255. Over IPv6 no extension header: IP reads those.
   */
  protocol: number
  /**
   * `send` takes whole packets, with an IP header (IP_HDRINCL, IPV6_HDRINCL). Default: for protocol
   * 255 only, as Linux.
   */
  headerIncluded?: boolean
  /**
   * IPv6: where the upper layer's header has its checksum (IPV6_CHECKSUM), in bytes, even. It is
   * computed in what is sent, over the pseudo-header too, and verified in what arrives. Default:
   * none; always 2 for ICMPv6 (RFC 3542 section 3.1).
   */
  checksumOffset?: number
  /** Default: what arrives waits for `for await`. Called as packets arrive, before UDP and ICMP. */
  receive?: RawReceiver
  icmp?: RawErrorListener
}

/** Settings of one packet, which go before those of its endpoint. */
export interface RawSendOptions extends Omit<SendOptions, 'surplus'> {
  /** IPv6, 0 to 0xfffff. Default: one for each pair of addresses (RFC 6437). */
  flowLabel?: number
}

/** Fields that a program sets; each one's socket option in Linux is in its comment. */
export class RawSettings {
  /** IP_TTL, IPV6_UNICAST_HOPS. -1: the stack's default (64). */
  hopLimit = -1
  /** IP_MULTICAST_TTL, IPV6_MULTICAST_HOPS. */
  multicastHopLimit = 1
  /** IP_MULTICAST_LOOP: what is sent to a group also comes to this host's members. */
  multicastLoop = true
  /** IP_MULTICAST_IF: index of the nic by which groups are reached; 0 lets the route decide. */
  multicastNic = 0
  /** IP_TOS, IPV6_TCLASS. */
  tos = 0
  /** IP_MTU_DISCOVER. */
  pmtuMode: PmtuMode = PmtuMode.Want
  /** SO_BROADCAST. */
  broadcast = false
  /** SO_DONTROUTE: only destinations on a directly attached network. */
  dontRoute = false
  /** SO_BINDTODEVICE: index of the nic to which the endpoint keeps, both ways; 0 for all. */
  boundNic = 0
  /** IP_RECVERR: each error has its `errno`, not only hard ones at an endpoint with a peer. */
  receiveErrors = false
  /** SO_RCVBUF: bytes that may wait for `for await`, 512 for each message besides its own. */
  receiveBuffer = DEFAULT_BUFFER
  /** @internal As {@link setIpOptions} checked them; `null` for none. It alone writes them. */
  ownOptions: OwnOptions | null = null
  /** @internal */
  readonly multicastSource4 = null

  /**
   * IP_OPTIONS: options of every IPv4 packet sent, but for whole ones; an empty array takes them
   * away. See {@link EndpointOptions.setIpOptions}.
   * @returns EINVAL when they are longer than 40 bytes or malformed
   */
  setIpOptions(options: Uint8Array): Errno {
    const checked = checkOwn(options)
    if (checked === null) return 'EINVAL'
    this.ownOptions = checked.given.length === 0 ? null : checked
    return ''
  }

  /** @internal */
  get multicastNic4(): number {
    return this.multicastNic
  }

  /** @internal */
  get multicastNic6(): number {
    return this.multicastNic
  }
}

const IP_READS = [HOP_BY_HOP, ROUTING, FRAGMENT, DESTINATION_OPTIONS, NO_NEXT_HEADER]

/**
 * @throws {TypeError} for a family that there is not, or options that do not go together
 * @throws {RangeError} for a protocol or an offset out of range
 */
export function checkRawOptions(options: RawOptions): void {
  const { family, protocol, checksumOffset, headerIncluded } = options
  if (family !== 4 && family !== 6) throw new TypeError(`family ${String(family)} is none: give 4 or 6.`)
  if (!Number.isInteger(protocol) || protocol < 0 || protocol > 255)
    throw new RangeError(
      `protocol ${String(protocol)} is out of range: an IP header has 0 to 255. ` +
        'For experiments there are 253 and 254 (RFC 3692).',
    )
  if (family === 6 && IP_READS.includes(protocol))
    throw new RangeError(
      `protocol ${protocol} is an IPv6 extension header, which IP itself reads: ` +
        'give the protocol behind it, or write such a header with headerIncluded.',
    )
  for (const name of ['receive', 'icmp'] as const) {
    const listener: unknown = options[name]
    if (listener !== undefined && typeof listener !== 'function')
      throw new TypeError(`${name} is no function: give one, or leave it out.`)
  }
  if (checksumOffset === undefined) return
  if (family === 4) throw new TypeError('checksumOffset is for IPv6: over IPv4 write the checksum into what you send.')
  if (headerIncluded === true || protocol === RAW)
    throw new TypeError('checksumOffset and whole packets (headerIncluded) do not go together: write the checksum.')
  if (!Number.isInteger(checksumOffset) || checksumOffset < 0 || checksumOffset > 0xfffe || checksumOffset % 2 !== 0)
    throw new RangeError(`checksumOffset ${String(checksumOffset)} is none: an even number of bytes, 0 to 65534.`)
  if (protocol === ICMPV6 && checksumOffset !== 2)
    throw new RangeError(`checksumOffset ${checksumOffset} is wrong: ICMPv6 has its checksum at 2.`)
}
