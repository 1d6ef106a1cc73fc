/**
 * Where the stack and Linux differ, and may: each with the document that says so. A difference that
 * none of these explains is a defect.
 *
 * A row names the packet and what became of it at both hosts, not more: the answer that only one of
 * them gives, the delivery that only one of them makes. Where a packet may be a fragment, the rest
 * of its datagram is looked at as well, and no other packet.
 */

import { destinationBytes, sourceBytes } from '../packet.ts'
import type { Outcome } from './compare.ts'
import { address, type Bytes, fromHex, hex } from './raw-ip.ts'
import { ANYCAST6 } from './world.ts'

export interface Listed {
  readonly what: string
  readonly why: string
  /** Whether this is why the last of the packets was treated differently. */
  explains(packets: readonly Bytes[], kernel: Outcome, stack: Outcome): boolean
}

const OWN4 = 0x0a090001
const BROADCAST4 = 0x0a0900ff
const OUTSIDE_BROADCAST4 = 0x0a0800ff
const OWN6 = hex(address('fd09::1'))
/** Of the addresses of a host or router, and of a router's anycast addresses. */
const SOLICITED6 = ['ff02::1:ff00:1', 'ff02::1:ff00:2', 'ff02::1:ff00:0'].map((each) => hex(address(each)))
const GROUPS6 = [hex(address('ff15::1:2:3')), hex(address('ff02::1')), SOLICITED6[0]]
const ANYCAST = ANYCAST6.map((each) => hex(address(each)))
const ANY6 = '0'.repeat(32)
const MAPPED6 = '00000000000000000000ffff'

/** TCP, UDP-Lite, PIM. */
const FOREIGN = [6, 136, 103]
const UDP = 17
const ICMPV4 = 1
const ICMPV6 = 58
const ROUTING = 43
const FRAGMENT = 44
/** Hop-by-hop, routing, fragment, authentication and destination options headers. */
const EXTENSIONS = [0, ROUTING, FRAGMENT, 51, 60]

const LOOSE_SOURCE_ROUTE = 131
const STRICT_SOURCE_ROUTE = 137
const CIPSO = 134
const CALIPSO = 7
const IOAM = 0x31

// ── packets ──

const last = (packets: readonly Bytes[]) => packets[packets.length - 1] as Bytes
const byte = (bytes: Bytes, at: number) => bytes[at] ?? 0
const short = (bytes: Bytes, at: number) => (byte(bytes, at) << 8) | byte(bytes, at + 1)
const word = (bytes: Bytes, at: number) => ((short(bytes, at) << 16) | short(bytes, at + 2)) >>> 0
const isVersion = (bytes: Bytes, version: number) => byte(bytes, 0) >>> 4 === version
const header4 = (bytes: Bytes) => (byte(bytes, 0) & 15) * 4
const source = (bytes: Bytes) => hex(sourceBytes(bytes))
const destination = (bytes: Bytes) => hex(destinationBytes(bytes))
const destination4 = (bytes: Bytes) => word(bytes, 16)

/** An IPv4 address or group of the host that datagrams can go to. */
const isHosts4 = (w: number) => w === OWN4 || w === BROADCAST4 || w === 0xffffffff || w >>> 28 === 0xe
const isHosts6 = (bytes: Bytes) => destination(bytes) === OWN6 || GROUPS6.includes(destination(bytes))

/** A payload length of 0 where a hop-by-hop header is due. */
const isJumbo = (bytes: Bytes) => isVersion(bytes, 6) && short(bytes, 4) === 0 && byte(bytes, 6) === 0

/** IPv4 options up to a malformed one: `[type, offset in the packet, length]`. */
function options4(packet: Bytes): [number, number, number][] {
  const all: [number, number, number][] = []
  if (!isVersion(packet, 4)) return all
  const end = Math.min(header4(packet), packet.length)
  for (let at = 20; at < end && packet[at] !== 0; ) {
    const length = packet[at] === 1 ? 1 : at + 1 < end ? byte(packet, at + 1) : 0
    if (length === 0 || (length === 1 && packet[at] !== 1) || at + length > end) break
    all.push([byte(packet, at), at, length])
    at += length
  }
  return all
}

const isSourceRoute = ([type]: [number, number, number]) => type === LOOSE_SOURCE_ROUTE || type === STRICT_SOURCE_ROUTE

/** Headers of an IPv6 packet as far as they go: `[next header, offset of the header]`. */
function chain(packet: Bytes): [number, number][] {
  const all: [number, number][] = []
  if (!isVersion(packet, 6)) return all
  const bytes = isJumbo(packet) ? packet : packet.subarray(0, 40 + short(packet, 4))
  let next = byte(bytes, 6)
  let at = 40
  for (;;) {
    all.push([next, at])
    if (at + 2 > bytes.length || !EXTENSIONS.includes(next)) return all
    const length = next === FRAGMENT ? 8 : next === 51 ? (byte(bytes, at + 1) + 2) * 4 : (byte(bytes, at + 1) + 1) * 8
    // What follows a later fragment's header is no header.
    if (next === FRAGMENT && short(bytes, at + 2) >= 8) return all
    next = byte(bytes, at)
    at += length
  }
}

/** Types of the options in the hop-by-hop header. */
function hopByHopOptions(packet: Bytes): number[] {
  const all: number[] = []
  if (!isVersion(packet, 6) || byte(packet, 6) !== 0) return all
  const end = Math.min(packet.length, hopByHopEnd(packet))
  for (let at = 42; at < end; at += packet[at] === 0 ? 1 : byte(packet, at + 1) + 2) all.push(byte(packet, at))
  return all
}

const hopByHopEnd = (packet: Bytes) => 48 + byte(packet, 41) * 8

/** What the fragments of a datagram share; `''` for what is no fragment. */
function fragmentKey(packet: Bytes): string {
  if (isVersion(packet, 4))
    return (short(packet, 6) & 0x3fff) === 0
      ? ''
      : hex(packet.subarray(12, 20)) + packet[9] + hex(packet.subarray(4, 6))
  const found = chain(packet).find(([next]) => next === FRAGMENT)
  return found === undefined
    ? ''
    : source(packet) + destination(packet) + hex(packet.subarray(found[1] + 4, found[1] + 8))
}

/** The last packet, and what came before of the datagram that it is a fragment of. */
function datagram(packets: readonly Bytes[]): readonly Bytes[] {
  const key = fragmentKey(last(packets))
  return key === '' ? [last(packets)] : packets.filter((each) => fragmentKey(each) === key)
}

/** The IPv4 payload that the last packet has, or completes. */
function payload4(packets: readonly Bytes[]): Bytes {
  const whole = new Uint8Array(65_536)
  for (const each of datagram(packets))
    whole.set(each.subarray(header4(each), short(each, 2)), (short(each, 6) & 0x1fff) * 8)
  return whole
}

const hasCipso = (packet: Bytes) => options4(packet).some(([type]) => type === CIPSO)
const hasLinuxOption = (packet: Bytes) => hopByHopOptions(packet).some((type) => type === IOAM || type === CALIPSO)
const hasLinuxRouting = (packet: Bytes) =>
  chain(packet).some(([next, at]) => next === ROUTING && [3, 4].includes(byte(packet, at + 2)))

/** A first fragment whose last header names an extension header that is not there. */
function lacksHeader(packet: Bytes): boolean {
  const headers = chain(packet)
  const [next, at] = headers.at(-1) ?? [59, 0]
  const end = Math.min(packet.length, 40 + short(packet, 4))
  return (
    headers.some(([each]) => each === FRAGMENT) && EXTENSIONS.includes(next) && at + (next === FRAGMENT ? 4 : 2) > end
  )
}

/**
 * An IPv4 fragment that ends past the longest packet: the stack refuses it at once, Linux when the
 * datagram is whole.
 */
function endsTooFar(packet: Bytes): boolean {
  if (!isVersion(packet, 4) || fragmentKey(packet) === '') return false
  return (short(packet, 6) & 0x1fff) * 8 + short(packet, 2) - header4(packet) > 65_515
}

// ── outcomes ──

const isSilent = ({ sent, delivered }: Outcome) => sent.length === 0 && delivered.length === 0

interface Answer {
  readonly protocol: number
  readonly type: number
  readonly code: number
  /** A Parameter Problem's. */
  readonly pointer: number
}

/**
 * The packet that was the only answer to the last one, an ICMP message to its source, maybe by its
 * source route; nothing was delivered.
 */
function answer(packets: readonly Bytes[], { sent, delivered }: Outcome): Answer | null {
  if (sent.length !== 1 || delivered.length !== 0) return null
  const [header = '', rest = ''] = (sent[0] as string).split(' ')
  const bytes = fromHex(header)
  const message = fromHex(rest)
  const four = isVersion(bytes, 4)
  const route = options4(bytes).find(isSourceRoute)
  const to =
    route === undefined ? destination(bytes) : hex(bytes.subarray(route[1] + route[2] - 4, route[1] + route[2]))
  if (to !== source(last(packets))) return null
  const pointer = four ? byte(message, 4) : word(message, 4)
  return { protocol: byte(bytes, four ? 9 : 6), type: byte(message, 0), code: byte(message, 1), pointer }
}

/** Whether the only answer was an ICMP error of this type and code. */
function isError(packets: readonly Bytes[], outcome: Outcome, type: number, code: number): boolean {
  const said = answer(packets, outcome)
  return (
    said !== null && (said.protocol === ICMPV4 || said.protocol === ICMPV6) && said.type === type && said.code === code
  )
}

/** Whether the only answer was a Parameter Problem about a byte in `from … to`. */
function isProblem(packets: readonly Bytes[], outcome: Outcome, from: number, to: number): boolean {
  const said = answer(packets, outcome)
  if (said === null) return false
  const { protocol, type, code, pointer } = said
  const problem = protocol === ICMPV4 ? type === 12 && code === 0 : protocol === ICMPV6 && type === 4
  return problem && pointer >= from && pointer < to
}

/** Whether an answer, maybe in fragments, was all that was sent, and nothing delivered. */
const isReply = (packets: readonly Bytes[], { sent, delivered }: Outcome) =>
  sent.length > 0 && delivered.length === 0 && sent.every((each) => each.slice(48, 80) === source(last(packets)))

/** Whether the last packet, maybe in fragments, was all that was sent, and nothing delivered. */
const isForwarded = (packets: readonly Bytes[], { sent, delivered }: Outcome) =>
  sent.length > 0 &&
  delivered.length === 0 &&
  sent.every((each) => {
    const header = fromHex(each.split(' ')[0] as string)
    return source(header) === source(last(packets)) && destination(header) === destination(last(packets))
  })

/** Whether datagrams were delivered, all from this address, and nothing sent. */
const isDelivery = ({ sent, delivered }: Outcome, from: string) =>
  sent.length === 0 &&
  delivered.length > 0 &&
  delivered.every((each) => each.includes(` <- ${from}:`) || each.includes(` <- ${MAPPED6}${from}:`))

/** Whether nothing happened but that one socket was told of an error. */
const isReport = ({ sent, delivered }: Outcome) =>
  sent.length === 0 && delivered.length === 1 && / E[A-Z]+$/.test(delivered[0] as string)

/** Whether a packet was delivered, reported or drew one answer. */
const isTreated = (packets: readonly Bytes[], outcome: Outcome) =>
  isDelivery(outcome, source(last(packets))) || isReport(outcome) || answer(packets, outcome) !== null

export const listed: Listed[] = [
  {
    what: 'a source of 127.0.0.0/8 to 255.255.255.255 is discarded; Linux delivers it',
    why: 'RFC 1122 3.2.1.3 (g)',
    explains: (packets, kernel, stack) =>
      isVersion(last(packets), 4) &&
      byte(last(packets), 12) === 127 &&
      destination4(last(packets)) === 0xffffffff &&
      isDelivery(kernel, source(last(packets))) &&
      isSilent(stack),
  },
  {
    what:
      'a packet from a broadcast address of its link is discarded; Linux treats it as any other unless ' +
      'rp_filter is on',
    why: 'RFC 1122 3.2.1.3 (a source that is no single host), RFC 1812 4.2.3.1',
    explains: (packets, _kernel, stack) =>
      isVersion(last(packets), 4) &&
      (word(last(packets), 12) === BROADCAST4 || word(last(packets), 12) === OUTSIDE_BROADCAST4) &&
      isSilent(stack),
  },
  {
    what: 'an ICMPv6 redirect is never answered by an error; Linux counts it among what may be',
    why: 'RFC 4443 2.4 (e.2)',
    explains: (packets, kernel, stack) => {
      const [next, at] = chain(last(packets)).at(-1) ?? [59, 0]
      const redirect = next === ICMPV6 && byte(last(packets), at) === 137
      return redirect && [1, 2, 3, 4].includes(answer(packets, kernel)?.type ?? 0) && isSilent(stack)
    },
  },
  {
    what: 'a host that does not forward is silent about bad options in packets for others; Linux reports them',
    why: 'RFC 1122 3.2.1.3',
    explains: (packets, kernel, stack) =>
      isVersion(last(packets), 4) &&
      !isHosts4(destination4(last(packets))) &&
      isProblem(packets, kernel, 20, header4(last(packets))) &&
      isSilent(stack),
  },
  {
    what:
      'an ICMP error that quotes a later fragment is not believed, for it quotes no ports; Linux takes the ' +
      'payload for ports',
    why: 'RFC 791 3.2',
    explains: (packets, kernel, stack) =>
      isVersion(last(packets), 4) &&
      byte(last(packets), 9) === ICMPV4 &&
      (short(payload4(packets), 8 + 6) & 0x1fff) !== 0 &&
      isReport(kernel) &&
      isSilent(stack),
  },
  {
    what: 'an unknown security option (CIPSO) is ignored; a Linux with NetLabel refuses it',
    why: 'RFC 1122 3.2.1.8',
    explains: (packets, kernel) => {
      const own = options4(last(packets)).find(([type]) => type === CIPSO)
      if (own !== undefined) return isProblem(packets, kernel, own[1], own[1] + own[2]) || isSilent(kernel)
      return datagram(packets).some(hasCipso) && isSilent(kernel)
    },
  },
  {
    what:
      'a packet with a source route is refused in silence, whatever else is wrong with it; Linux reports ' +
      'that if the route goes back that far',
    why: 'RFC 7126 4.3 and 4.4',
    explains: (packets, kernel, stack) => {
      const route = options4(last(packets)).find(isSourceRoute)
      return (
        route !== undefined &&
        isProblem(packets, kernel, route[1] + route[2], header4(last(packets))) &&
        isSilent(stack)
      )
    },
  },
  {
    what: 'there is no TCP, no UDP-Lite and no PIM; Linux has all three',
    why: 'RFC 1122 3.2.2.1 (Protocol Unreachable)',
    explains: (packets, kernel, stack) =>
      isVersion(last(packets), 4) &&
      FOREIGN.includes(byte(last(packets), 9)) &&
      isSilent(kernel) &&
      isError(packets, stack, 3, 2),
  },
  {
    what: 'there is no TCP, no UDP-Lite and no PIM over IPv6; Linux has all three',
    why: 'RFC 8200 4 (Parameter Problem 1)',
    explains: (packets, kernel, stack) =>
      datagram(packets).some((each) => chain(each).some(([next]) => FOREIGN.includes(next))) &&
      isSilent(kernel) &&
      isError(packets, stack, 4, 1),
  },
  {
    what: 'an IPv4-mapped source is discarded in IPv6; Linux delivers it',
    why: 'RFC 6890 2.2.3',
    explains: (packets, kernel, stack) =>
      isVersion(last(packets), 6) &&
      source(last(packets)).startsWith(MAPPED6) &&
      isDelivery(kernel, source(last(packets))) &&
      isSilent(stack),
  },
  {
    what: 'a host that does not forward is silent about packets for others; Linux says that it has no route to them',
    why: 'RFC 4443 3.1 (a router, or the originating node)',
    explains: (packets, kernel, stack) =>
      isVersion(last(packets), 6) &&
      !isHosts6(last(packets)) &&
      byte(last(packets), 24) !== 0xff &&
      isError(packets, kernel, 1, 0) &&
      isSilent(stack),
  },
  {
    what: 'a host that does not forward is silent about hop-by-hop options of packets for others; Linux reports them',
    why: 'RFC 8200 4.3 (nodes on the way need not look at them)',
    explains: (packets, kernel, stack) =>
      isVersion(last(packets), 6) &&
      !isHosts6(last(packets)) &&
      byte(last(packets), 6) === 0 &&
      isProblem(packets, kernel, 42, hopByHopEnd(last(packets))) &&
      isSilent(stack),
  },
  {
    what:
      "the solicited-node groups of one's addresses are heard on every link; Linux leaves them out where " +
      'there are no neighbors',
    why: 'RFC 4291 2.8',
    explains: (packets, kernel, stack) =>
      isVersion(last(packets), 6) &&
      SOLICITED6.includes(destination(last(packets))) &&
      isSilent(kernel) &&
      (isTreated(packets, stack) || isReply(packets, stack)),
  },
  {
    what: 'a UDP length of 0 is too short in IPv6 as well; Linux takes it for a jumbogram of the length of the packet',
    why: 'RFC 2675 4 (only behind a Jumbo Payload option), RFC 768',
    explains: (packets, kernel, stack) =>
      datagram(packets).some((each) => chain(each).some(([next, at]) => next === UDP && short(each, at + 4) === 0)) &&
      (isDelivery(kernel, source(last(packets))) || isError(packets, kernel, 1, 4)) &&
      isSilent(stack),
  },
  {
    what:
      'routing headers of types 3 and 4 are as unknown as others; Linux knows them and discards them while ' +
      'they are not enabled',
    why: 'RFC 8200 4.4',
    explains: (packets, kernel, stack) =>
      datagram(packets).some(hasLinuxRouting) && isSilent(kernel) && isTreated(packets, stack),
  },
  {
    what: 'the IOAM and CALIPSO options are as unknown as others; Linux discards them while they are not enabled',
    why: 'RFC 8200 4.2 (their types ask to be skipped), RFC 9486, RFC 5570',
    explains: (packets, kernel, stack) =>
      datagram(packets).some(hasLinuxOption) &&
      isSilent(kernel) &&
      (isTreated(packets, stack) || isForwarded(packets, stack)),
  },
  {
    what:
      'a first fragment that ends right in front of an extension header draws Parameter Problem 3; Linux ' +
      'looks at its length only',
    why: 'RFC 8200 4.5, RFC 7112 5',
    explains: (packets, kernel, stack) =>
      lacksHeader(last(packets)) &&
      (isSilent(kernel) || isProblem(packets, kernel, 4, 5)) &&
      isError(packets, stack, 4, 3),
  },
  {
    what:
      'a payload length of 0 and no Jumbo Payload option draw Parameter Problem 0; Linux takes the rest of ' +
      'the frame for the payload',
    why: 'RFC 2675 3',
    explains: (packets, kernel, stack) => {
      if (!datagram(packets).some(isJumbo)) return false
      // That the jumbogram is cut short is the first thing that Linux sees; here it is that one
      // must not be in fragments.
      const fragment = chain(last(packets)).find(([next]) => next === FRAGMENT)?.[1] ?? -1
      return (
        isSilent(stack) ||
        isProblem(packets, stack, 4, 5) ||
        (isSilent(kernel) && isProblem(packets, stack, fragment, fragment + 1))
      )
    },
  },
]

/** All that was sent, without the IP headers. */
const payloads = ({ sent }: Outcome) => sent.map((each) => each.split(' ')[1]).join('')

/** All that was sent, without IPv4 options and header checksums. */
const withoutOptions = ({ sent }: Outcome) =>
  sent
    .map((each) => {
      const [header = '', ...rest] = each.split(' ')
      return [header.slice(0, 20), header.slice(24, 40), ...rest].join(' ')
    })
    .join()

/** What a packet can have met at a router whether or not it was to go on from there. */
const isPassed = (packets: readonly Bytes[], outcome: Outcome) =>
  isForwarded(packets, outcome) ||
  isError(packets, outcome, 11, 0) ||
  isError(packets, outcome, 3, 4) ||
  isProblem(packets, outcome, 20, header4(last(packets)))

/** Where routers differ, besides. */
export const listedOfRoutersAlone: Listed[] = [
  {
    what: 'packets from and to 169.254.0.0/16 are not forwarded; Linux forwards them',
    why: 'RFC 3927 7',
    explains: (packets, kernel, stack) =>
      isVersion(last(packets), 4) &&
      [12, 16].some((at) => short(last(packets), at) === 0xa9fe) &&
      isPassed(packets, kernel) &&
      isSilent(stack),
  },
  {
    what: 'packets from and to 240.0.0.0/4 and 0.0.0.0/8 are not forwarded; Linux forwards them',
    why: 'RFC 1812 5.3.7, RFC 6890 2.2.2',
    explains: (packets, kernel, stack) =>
      isVersion(last(packets), 4) &&
      [12, 16].some((at) => byte(last(packets), at) >= 240 || byte(last(packets), at) === 0) &&
      isPassed(packets, kernel) &&
      isSilent(stack),
  },
  {
    what: 'packets from :: are not forwarded; Linux forwards them to the link that they came by',
    why: 'RFC 4291 2.5.2',
    explains: (packets, kernel, stack) =>
      isVersion(last(packets), 6) && source(last(packets)) === ANY6 && isForwarded(packets, kernel) && isSilent(stack),
  },
  {
    what: 'packets to :: are discarded in silence; Linux says that it has no route to them',
    why: 'RFC 4291 2.5.2 (never a destination)',
    explains: (packets, kernel, stack) =>
      isVersion(last(packets), 6) &&
      destination(last(packets)) === ANY6 &&
      isError(packets, kernel, 1, 0) &&
      isSilent(stack),
  },
  {
    what:
      'a router that forwards no groups is silent about hop-by-hop options of packets to groups that it is ' +
      'not in; Linux reports them',
    why: 'RFC 8200 4.3 (nodes on the way need not look at them)',
    explains: (packets, kernel, stack) =>
      isVersion(last(packets), 6) &&
      byte(last(packets), 24) === 0xff &&
      !isHosts6(last(packets)) &&
      byte(last(packets), 6) === 0 &&
      isProblem(packets, kernel, 42, hopByHopEnd(last(packets))) &&
      isSilent(stack),
  },
  {
    what: 'no error goes to a source in 240.0.0.0/4 or 0.0.0.0/8; Linux sends one if it has a route there',
    why: 'RFC 1122 3.2.2 (an address that is no single host)',
    explains: (packets, kernel, stack) =>
      isVersion(last(packets), 4) &&
      (byte(last(packets), 12) >= 240 || byte(last(packets), 12) === 0) &&
      (isError(packets, kernel, 3, 2) ||
        isError(packets, kernel, 3, 3) ||
        isProblem(packets, kernel, 20, header4(last(packets)))) &&
      isSilent(stack),
  },
  {
    what:
      'the MTU of the next link decides what is too long; Linux also refuses or fragments what its own way ' +
      'to the destination is too narrow for',
    why: 'RFC 4443 3.2 (the MTU of the outgoing link), RFC 1812 5.2.6',
    explains: (packets, kernel, stack) => {
      const packet = last(packets)
      if (!isForwarded(packets, stack)) return false
      if (isVersion(packet, 6)) {
        const said = answer(packets, kernel)
        // What a Packet Too Big has in the place of a pointer is the MTU.
        return said?.protocol === ICMPV6 && said.type === 2 && said.pointer < 40 + short(packet, 4)
      }
      if (isError(packets, kernel, 3, 4)) return stack.sent.length === 1
      return (
        isForwarded(packets, kernel) && kernel.sent.length > stack.sent.length && payloads(kernel) === payloads(stack)
      )
    },
  },
  {
    what:
      'options without the copy bit stay in the first piece of a later fragment that is fragmented again; ' +
      'Linux has all of them in all pieces',
    why: 'RFC 791 3.2 (procedure, step 7)',
    explains: (packets, kernel, stack) =>
      isVersion(last(packets), 4) &&
      (short(last(packets), 6) & 0x1fff) !== 0 &&
      header4(last(packets)) > 20 &&
      isForwarded(packets, kernel) &&
      kernel.sent.length > 1 &&
      withoutOptions(kernel) === withoutOptions(stack),
  },
  {
    what:
      'an echo request to a group or an anycast address is answered by the way back, whichever that is; ' +
      'Linux answers by the link it came by only',
    why: 'RFC 4443 4.2 (SHOULD be answered)',
    explains: (packets, kernel, stack) =>
      isVersion(last(packets), 6) &&
      (byte(last(packets), 24) === 0xff || ANYCAST.includes(destination(last(packets)))) &&
      isSilent(kernel) &&
      isReply(packets, stack),
  },
]

/** What is said of hosts that do not forward does not hold for routers. */
export const listedOfRouters: Listed[] = [
  ...listed.filter(({ what }) => !what.startsWith('a host that does not forward')),
  ...listedOfRoutersAlone,
]

/**
 * What of a random sequence leaves both hosts with the same state: no too-big report that one host
 * alone believes, no fragment that one host alone keeps, and no fragments with which one of them
 * alone completes a datagram.
 */
export function comparableTraffic(packets: readonly Bytes[]): Bytes[] {
  const refused = new Set(packets.filter(lacksHeader).map(fragmentKey))
  return packets.filter(
    (each) => !isUnvalidatedTooBig(each) && !endsTooFar(each) && (lacksHeader(each) || !refused.has(fragmentKey(each))),
  )
}

/**
 * The same for routers: the path MTU that it learns of changes what Linux's passes on, as listed,
 * so none is told of one.
 */
export function comparableTransit(packets: readonly Bytes[]): Bytes[] {
  return comparableTraffic(packets).filter((each) => {
    if (isVersion(each, 4))
      return byte(each, 9) !== ICMPV4 || byte(each, header4(each)) !== 3 || byte(each, header4(each) + 1) !== 4
    const [next, at] = chain(each).at(-1) ?? [59, 0]
    return next !== ICMPV6 || byte(each, at) !== 2
  })
}

/**
 * A too-big report that one host believes: about an ICMP message (the stack believes those only
 * that quote an echo reply it sent), about a later IPv4 fragment, about a packet that comes from no
 * address of the host, or in a packet that Linux discards, as listed. One that comes in fragments
 * cannot be told.
 */
function isUnvalidatedTooBig(bytes: Bytes): boolean {
  if (isVersion(bytes, 4)) {
    const message = header4(bytes)
    const quote = message + 8
    if (byte(bytes, 9) !== ICMPV4 || byte(bytes, message) !== 3 || byte(bytes, message + 1) !== 4) return false
    const protocol = byte(bytes, quote + 9)
    const invalid = word(bytes, quote + 12) !== OWN4 || (short(bytes, quote + 6) & 0x1fff) !== 0
    return fragmentKey(bytes) !== '' || hasCipso(bytes) || protocol === ICMPV4 || (protocol === UDP && invalid)
  }
  const [next, at] = chain(bytes).at(-1) ?? [59, 0]
  if (next !== ICMPV6 || byte(bytes, at) !== 2) return false
  const quote = bytes.slice(at + 8)
  // Linux does not look at its version.
  quote[0] = 0x60
  const quoted = chain(quote).at(-1)?.[0]
  if (fragmentKey(bytes) !== '' || hasLinuxOption(bytes) || hasLinuxRouting(bytes)) return true
  return quoted === ICMPV6 || (quoted === UDP && source(quote) !== OWN6)
}
