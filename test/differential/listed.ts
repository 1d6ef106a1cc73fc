/**
 * Where the stack and Linux differ, and may: each with the document that says so. A difference that none of these explains is a defect.
 */
import type { Outcome } from './compare.ts'
import { address, type Bytes, hex } from './raw-ip.ts'

export interface Listed {
  readonly what: string
  readonly why: string
  /** Whether this is why the last of the packets was treated differently. */
  /** The hosts' states differ afterwards: what follows in the sequence is not compared. */
  readonly ends?: boolean
  explains(packets: readonly Bytes[], kernel: Outcome, stack: Outcome): boolean
}

const isSilent = ({ sent, delivered }: Outcome) => sent.length === 0 && delivered.length === 0
const last = (packets: readonly Bytes[]) => packets[packets.length - 1] as Bytes
const byte = (bytes: Bytes, at: number) => bytes[at] ?? 0
const isVersion = (bytes: Bytes, version: number) => byte(bytes, 0) >>> 4 === version
const word = (bytes: Bytes, at: number) =>
  ((byte(bytes, at) << 24) | (byte(bytes, at + 1) << 16) | (byte(bytes, at + 2) << 8) | byte(bytes, at + 3)) >>> 0
const source4 = (bytes: Bytes) => word(bytes, 12)
const destination4 = (bytes: Bytes) => word(bytes, 16)
const OWN4 = 0x0a090001
const BROADCAST4 = 0x0a0900ff

/** TCP, UDP-Lite, PIM. */
const FOREIGN = [6, 136, 103]

/** Headers of an IPv6 packet as far as they go: `[next header, offset of the header]`. */
function chain(packet: Bytes): [number, number][] {
  const bytes = packet.subarray(0, 40 + ((byte(packet, 4) << 8) | byte(packet, 5)))
  const all: [number, number][] = []
  let next = byte(bytes, 6)
  let at = 40
  for (;;) {
    all.push([next, at])
    if (at + 2 > bytes.length || ![0, 43, 44, 51, 60].includes(next)) return all
    const length = next === 44 ? 8 : next === 51 ? (byte(bytes, at + 1) + 2) * 4 : (byte(bytes, at + 1) + 1) * 8
    // What follows a later fragment's header is no header.
    if (next === 44 && ((byte(bytes, at + 2) << 8) | byte(bytes, at + 3)) >= 8) return all
    next = byte(bytes, at)
    at += length
  }
}

/** An IPv4 address or group of the host that datagrams can go to. */
const isHosts4 = (w: number) => w === OWN4 || w === BROADCAST4 || w === 0xffffffff || w >>> 28 === 0xe
const isHosts6 = (bytes: Bytes) => OWN6.includes(hex(bytes.subarray(24, 40)))
const OWN6 = ['fd09::1', 'ff15::1:2:3', 'ff02::1', 'ff02::1:ff00:1'].map((each) => hex(address(each)))

export const listed: Listed[] = [
  {
    what: 'a source of 127.0.0.0/8 to 255.255.255.255 is discarded; Linux delivers it',
    why: 'RFC 1122 3.2.1.3 (g)',
    explains: (packets, _kernel, stack) =>
      isVersion(last(packets), 4) && source4(last(packets)) >>> 24 === 127 && destination4(last(packets)) === 0xffffffff && isSilent(stack),
  },
  {
    what: 'no error goes to a broadcast address that was a source; Linux sends one',
    why: 'RFC 1122 3.2.2',
    explains: (packets, _kernel, stack) =>
      isVersion(last(packets), 4) && [BROADCAST4, 0xffffffff].includes(source4(last(packets))) && stack.sent.length === 0,
  },
  {
    what: 'a host that does not forward is silent about bad options in packets for others; Linux reports them',
    why: 'RFC 1122 3.2.1.3',
    explains: (packets, _kernel, stack) =>
      isVersion(last(packets), 4) && byte(last(packets), 0) > 0x45 && !isHosts4(destination4(last(packets))) && isSilent(stack),
  },
  {
    what: 'an ICMP error that quotes a later fragment is not believed, for it quotes no ports; Linux takes the payload for ports',
    why: 'RFC 791 3.2',
    explains: (packets, kernel, stack) => {
      const bytes = last(packets)
      const quote = (byte(bytes, 0) & 15) * 4 + 8
      const offset = ((byte(bytes, quote + 6) & 0x1f) << 8) | byte(bytes, quote + 7)
      const inPieces = ((byte(bytes, 6) & 0x3f) | byte(bytes, 7)) !== 0
      const reported = kernel.delivered.length === 1 && (kernel.delivered[0] as string).includes(' E')
      return isVersion(bytes, 4) && bytes[9] === 1 && (offset !== 0 || inPieces) && reported && isSilent(stack)
    },
  },
  {
    what: 'an unknown security option (CIPSO) is ignored; a Linux with NetLabel refuses it',
    why: 'RFC 1122 3.2.1.8',
    explains: (packets) =>
      packets.some((bytes) => isVersion(bytes, 4) && byte(bytes, 0) > 0x45 && bytes.subarray(20, (byte(bytes, 0) & 15) * 4).includes(134)),
  },
  {
    what: 'a packet with a source route is refused in silence, whatever else is wrong with it; Linux reports that if the route goes back that far',
    why: 'RFC 7126 4.3 and 4.4',
    explains: (packets, _kernel, stack) =>
      isSilent(stack) &&
      isVersion(last(packets), 4) &&
      byte(last(packets), 0) > 0x45 &&
      last(packets)
        .subarray(20, (byte(last(packets), 0) & 15) * 4)
        .some((each) => each === 131 || each === 137),
  },
  {
    what: 'times in timestamp options are those of two clocks',
    why: 'RFC 791 3.1',
    explains: (packets, kernel, stack) =>
      kernel.sent.length === stack.sent.length &&
      isVersion(last(packets), 4) &&
      byte(last(packets), 0) > 0x45 &&
      last(packets)
        .subarray(20, (byte(last(packets), 0) & 15) * 4)
        .includes(68),
  },
  {
    what: 'there is no TCP, no UDP-Lite and no PIM; Linux has all three',
    why: 'RFC 1122 3.2.2.1 (Protocol Unreachable), RFC 8200 4 (Parameter Problem 1)',
    explains: (packets) =>
      packets.some((bytes) =>
        isVersion(bytes, 4)
          ? FOREIGN.includes(byte(bytes, 9))
          : isVersion(bytes, 6) && chain(bytes).some(([next]) => FOREIGN.includes(next)),
      ),
  },
  {
    what: 'an IPv4-mapped source is discarded in IPv6; Linux delivers it',
    why: 'RFC 6890 2.2.3',
    explains: (packets, _kernel, stack) => {
      const bytes = last(packets)
      return isVersion(bytes, 6) && word(bytes, 8) === 0 && word(bytes, 12) === 0 && word(bytes, 16) === 0xffff && isSilent(stack)
    },
  },
  {
    what: 'a host that does not forward is silent about packets for others; Linux says that it has no route to them',
    why: 'RFC 4443 3.1 (a router, or the originating node)',
    explains: (packets, _kernel, stack) => isVersion(last(packets), 6) && !isHosts6(last(packets)) && isSilent(stack),
  },
  {
    what: "the solicited-node groups of one's addresses are heard on every link; Linux leaves them out where there are no neighbors",
    why: 'RFC 4291 2.8',
    explains: (packets) => {
      const bytes = last(packets)
      return isVersion(bytes, 6) && word(bytes, 24) === 0xff020000 && word(bytes, 32) === 1 && word(bytes, 36) === 0xff000001
    },
  },
  {
    what: 'a UDP length of 0 is too short in IPv6 as well; Linux takes it for a jumbogram of the length of the packet',
    why: 'RFC 2675 4 (only behind a Jumbo Payload option), RFC 768',
    explains: (packets) =>
      packets.some(
        (bytes) =>
          isVersion(bytes, 6) && chain(bytes).some(([next, at]) => next === 17 && byte(bytes, at + 4) === 0 && byte(bytes, at + 5) === 0),
      ),
  },
  {
    what: 'routing headers of types 3 and 4 are as unknown as others; Linux knows them and discards them while they are not enabled',
    why: 'RFC 8200 4.4',
    explains: (packets) =>
      packets.some(
        (bytes) => isVersion(bytes, 6) && chain(bytes).some(([next, at]) => next === 43 && [3, 4].includes(byte(bytes, at + 2))),
      ),
  },
  {
    what: 'the IOAM and CALIPSO options are as unknown as others; Linux discards them while they are not enabled',
    why: 'RFC 8200 4.2 (their types ask to be skipped), RFC 9486, RFC 5570',
    explains: (packets) =>
      packets.some(
        (bytes) =>
          isVersion(bytes, 6) &&
          byte(bytes, 6) === 0 &&
          bytes.subarray(42, 48 + byte(bytes, 41) * 8).some((each) => each === 0x31 || each === 7),
      ),
  },
  {
    what: 'a first fragment that ends right in front of an extension header draws Parameter Problem 3; Linux keeps it',
    why: 'RFC 8200 4.5, RFC 7112 5',
    ends: true,
    explains: (packets) =>
      packets.some((bytes) => {
        const headers = isVersion(bytes, 6) ? chain(bytes) : []
        const [next, at] = headers[headers.length - 1] ?? [59, 0]
        const end = Math.min(bytes.length, 40 + ((byte(bytes, 4) << 8) | byte(bytes, 5)))
        return headers.some(([each]) => each === 44) && [0, 43, 44, 51, 60].includes(next) && at + (next === 44 ? 4 : 2) > end
      }),
  },
  {
    what: 'a payload length of 0 is no payload; Linux takes the rest of the frame for a jumbogram when a hop-by-hop header is due',
    why: 'RFC 2675 3 (only with the Jumbo Payload option)',
    explains: (packets) =>
      packets.some((bytes) => isVersion(bytes, 6) && byte(bytes, 4) === 0 && byte(bytes, 5) === 0 && byte(bytes, 6) === 0),
  },
]

/**
 * A too-big report that Linux believes and the stack does not: about an ICMP message (the stack believes those only that quote an echo reply it
 * sent), about a later fragment, or about a packet that comes from no
 * address of the host. The hosts know different path MTUs afterwards, so the random traffic leaves these out.
 */
export function isUnvalidatedTooBig(bytes: Bytes): boolean {
  if (isVersion(bytes, 4)) {
    const message = (byte(bytes, 0) & 15) * 4
    const quote = message + 8
    if (byte(bytes, 9) !== 1 || byte(bytes, message) !== 3 || byte(bytes, message + 1) !== 4) return false
    return (
      byte(bytes, quote + 9) !== 17 ||
      word(bytes, quote + 12) !== OWN4 ||
      (((byte(bytes, quote + 6) & 0x1f) << 8) | byte(bytes, quote + 7)) !== 0
    )
  }
  const [next, at] = chain(bytes).at(-1) ?? [59, 0]
  if (next !== 58 || byte(bytes, at) !== 2) return false
  const quote = bytes.subarray(at + 8)
  return chain(quote).at(-1)?.[0] !== 17 || hex(quote.subarray(8, 24)) !== OWN6[0]
}
