/**
 * Where the stack and Linux differ, and may: each with the document that says so. A difference that none of these explains is a defect.
 */
import type { Outcome } from './compare.ts'
import type { Bytes } from './raw-ip.ts'

export interface Listed {
  readonly what: string
  readonly why: string
  /** Whether this is why the last of the packets was treated differently. */
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

/** Headers of an IPv6 packet as far as they go: `[next header, offset of the header]`. */
function chain(bytes: Bytes): [number, number][] {
  const all: [number, number][] = []
  let next = byte(bytes, 6)
  let at = 40
  for (;;) {
    all.push([next, at])
    if (at + 2 > bytes.length || ![0, 43, 44, 60].includes(next)) return all
    const length = next === 44 ? 8 : (byte(bytes, at + 1) + 1) * 8
    // What follows a later fragment's header is no header.
    if (next === 44 && ((byte(bytes, at + 2) << 8) | byte(bytes, at + 3)) >= 8) return all
    next = byte(bytes, at)
    at += length
  }
}

/** An IPv4 address or group of the host that datagrams can go to. */
const isHosts4 = (w: number) => w === OWN4 || w === BROADCAST4 || w === 0xffffffff || w >>> 28 === 0xe
const isHosts6 = (bytes: Bytes) =>
  byte(bytes, 24) === 0xff || (word(bytes, 24) === 0xfd090000 && word(bytes, 28) === 0 && word(bytes, 32) === 0 && word(bytes, 36) === 1)

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
      return isVersion(bytes, 4) && bytes[9] === 1 && offset !== 0 && kernel.delivered.length === 1 && isSilent(stack)
    },
  },
  {
    what: 'an unknown security option (CIPSO) is ignored; a Linux with NetLabel refuses it',
    why: 'RFC 1122 3.2.1.8',
    explains: (packets) =>
      packets.some((bytes) => isVersion(bytes, 4) && byte(bytes, 0) > 0x45 && bytes.subarray(20, (byte(bytes, 0) & 15) * 4).includes(134)),
  },
  {
    what: 'there is no TCP and no UDP-Lite; Linux has both',
    why: 'RFC 1122 3.2.2.1 (Protocol Unreachable), RFC 8200 4 (Parameter Problem 1)',
    explains: (packets) =>
      packets.some(
        (bytes) =>
          (isVersion(bytes, 4) ? [6, 136] : []).includes(byte(bytes, 9)) ||
          (isVersion(bytes, 6) && chain(bytes).some(([next]) => next === 6 || next === 136)),
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
    explains: (packets, kernel, stack) =>
      isVersion(last(packets), 6) && kernel.sent.length === 0 && stack.sent.length === 1 && (stack.sent[0] as string).includes(' 0403'),
  },
]
