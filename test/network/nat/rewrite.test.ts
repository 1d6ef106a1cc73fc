/** What is rewritten, against checksums that are computed anew. */
import { expect, test } from 'vitest'
import { finish, sum } from '../../../src/base/checksum.ts'
import { ChecksumState, Packet } from '../../../src/base/packet.ts'
import { SeededRandom } from '../../../src/base/random.ts'
import { completeChecksum } from '../../../src/link/checksum-offload.ts'
import { PacketEnds, quoteAt } from '../../../src/network/nat/packet-ends.ts'
import { setAddress, setPort, translateQuote } from '../../../src/network/nat/rewrite.ts'

const random = new SeededRandom('rewrite')
const bytes = (length: number) => Array.from({ length }, () => random.below(256))
const word = (value: number) => [(value >> 8) & 255, value & 255]

/** A packet whose IP header has `options` bytes of options, with its checksums right. */
function packet(protocol: number, upper: readonly number[], options = 0): number[] {
  const made = [0x45 + options / 4, 0, ...word(20 + options + upper.length), ...bytes(4), 64, protocol, 0, 0]
  return [...made, ...bytes(8), ...Array.from({ length: options }, () => 1), ...upper]
}

const udp = (payload: number, checksum = 1) => [...bytes(4), ...word(8 + payload), ...word(checksum), ...bytes(payload)]
/** A header of 20 bytes. */
const tcp = (payload: number) => [...bytes(12), 0x50, ...bytes(3), 0, 0, ...bytes(2 + payload)]
const echo = (payload: number) => [8, 0, 0, 0, ...bytes(4 + payload)]

/** The same bytes with all checksums computed anew. */
function summed(text: readonly number[]): number[] {
  const out = [...text]
  const header = ((out[0] as number) & 15) * 4
  const put = (at: number, value: number) => out.splice(at, 2, ...word(value))
  const total = (from: number, initial: number) =>
    finish(sum(new DataView(Uint8Array.from(out).buffer), from, out.length, initial))
  put(10, 0)
  put(10, finish(sum(new DataView(Uint8Array.from(out.slice(0, header)).buffer), 0, header, 0)))
  if (out[9] === 17 && (out[header + 6] !== 0 || out[header + 7] !== 0)) {
    put(header + 6, 0)
    const pseudo = sum(new DataView(Uint8Array.from(out.slice(12, 20)).buffer), 0, 8, 17 + out.length - header)
    put(header + 6, total(header, pseudo) || 0xffff)
  }
  // Of a quote there may be no more than eight bytes.
  if (out[9] === 6 && out.length - header >= 20) {
    put(header + 16, 0)
    const pseudo = sum(new DataView(Uint8Array.from(out.slice(12, 20)).buffer), 0, 8, 6 + out.length - header)
    put(header + 16, total(header, pseudo))
  }
  if (out[9] === 1) {
    put(header + 2, 0)
    put(header + 2, total(header, 0))
  }
  return out
}

function load(text: readonly number[]): Packet {
  return new Packet().load(Uint8Array.from(text))
}

const text = ({ bytes: all, start, end }: Packet) => [...all.subarray(start, end)]

test.each([
  ['UDP', (i: number) => packet(17, udp(i % 40), (i % 3) * 4)],
  ['UDP without a checksum', (i: number) => packet(17, udp(i % 40, 0))],
  ['TCP', (i: number) => packet(6, tcp(i % 40), (i % 3) * 4)],
  ['echo', (i: number) => packet(1, echo(i % 40), (i % 3) * 4)],
])('%s with another end has the checksums of a packet that was made so', (_name, make) => {
  const ends = new PacketEnds()
  for (let i = 0; i < 200; i++)
    for (const end of ['source', 'destination'] as const) {
      const lent = load(summed(make(i)))
      expect(ends.read(lent, lent.start)).toBe(true)
      const address = random.uint32() | 0
      const port = random.below(65_536)
      setAddress(lent, lent.start, end, address)
      setPort(lent, ends, end, port)
      expect(text(lent)).toEqual(summed(text(lent)))
      expect(lent.view.getInt32(lent.start + (end === 'source' ? 12 : 16))).toBe(address)
      expect(ends.read(lent, lent.start)).toBe(true)
      expect(end === 'source' ? ends.sourcePort : ends.destinationPort).toBe(port)
    }
})

test('a TCP segment shorter than its header has no ends, but a quote of eight bytes has', () => {
  const ends = new PacketEnds()
  for (let length = 8; length < 20; length++) {
    const lent = load(packet(6, tcp(0).slice(0, length)))
    expect(ends.read(lent, lent.start)).toBe(false)
    expect(ends.read(lent, lent.start, true)).toBe(true)
    expect(ends.checksumAt >= 0).toBe(length >= 18)
  }
})

test('a UDP checksum that comes to 0 is written as all ones, and 0 stays none (RFC 768)', () => {
  const ends = new PacketEnds()
  let ones = 0
  let zeros = 0
  const lent = load(summed(packet(17, udp(4))))
  ends.read(lent, lent.start)
  for (let port = 0; port < 65_536; port++) {
    setPort(lent, ends, 'source', port)
    const checksum = lent.view.getUint16(lent.start + 26)
    if (checksum === 0) zeros++
    if (checksum === 0xffff) ones++
  }
  expect(zeros).toBe(0)
  expect(ones).toBeGreaterThan(0)
  const none = load(summed(packet(17, udp(4, 0))))
  ends.read(none, none.start)
  setAddress(none, none.start, 'source', 7)
  setPort(none, ends, 'source', 7)
  expect(none.view.getUint16(none.start + 26)).toBe(0)
})

test.each([
  ['a UDP datagram', () => packet(17, udp(0))],
  ['a UDP datagram without a checksum', () => packet(17, udp(0, 0))],
  ['a TCP segment', () => packet(6, tcp(0))],
  ['eight bytes of a TCP segment', () => packet(6, tcp(0).slice(0, 8))],
  ['an echo request', () => packet(1, echo(0))],
  ['a packet with options', () => packet(17, udp(0), 8)],
])('an ICMP error that quotes %s stays whole when the quote changes', (_name, make) => {
  const ends = new PacketEnds()
  for (let i = 0; i < 200; i++)
    for (const end of ['source', 'destination'] as const) {
      const quote = summed(make())
      const lent = load(summed(packet(1, [3, 3, 0, 0, 0, 0, 0, 0, ...quote])))
      const quoted = quoteAt(lent, lent.start)
      expect(quoted).toBe(lent.start + 28)
      expect(ends.read(lent, quoted, true)).toBe(true)
      translateQuote(lent, lent.start, ends, end, random.uint32() | 0, random.below(65_536))
      const after = text(lent)
      expect(after).toEqual(summed(after))
      expect(after.slice(28)).toEqual(summed(after.slice(28)))
      expect(after.slice(28)).not.toEqual(quote)
    }
})

test.each([
  ['UDP', (i: number) => packet(17, udp(i % 40), (i % 3) * 4)],
  ['TCP', (i: number) => packet(6, tcp(i % 40), (i % 3) * 4)],
])('a Partial checksum of %s follows the addresses alone, and is completed to the right one', (_name, make) => {
  const ends = new PacketEnds()
  for (let i = 0; i < 200; i++)
    for (const end of ['source', 'destination'] as const) {
      const lent = load(summed(make(i)))
      const { view, start, end: stop } = lent
      const upper = start + (view.getUint8(start) & 15) * 4
      const protocol = view.getUint8(start + 9)
      // As a sender leaves it: the pseudo-header's sum.
      view.setUint16(
        upper + (protocol === 6 ? 16 : 6),
        ~finish(sum(view, start + 12, start + 20, protocol + stop - upper)),
      )
      lent.checksumState = ChecksumState.Partial
      expect(ends.read(lent, start)).toBe(true)
      setAddress(lent, start, end, random.uint32() | 0)
      setPort(lent, ends, end, random.below(65_536))
      completeChecksum(lent)
      expect(text(lent)).toEqual(summed(text(lent)))
    }
})

test('only errors with a usable quote of IPv4 have one', () => {
  const quote = packet(17, udp(0))
  const error = (message: readonly number[], protocol = 1) => load(packet(protocol, message))
  const at = (lent: Packet) => quoteAt(lent, lent.start)
  expect(at(error([3, 3, 0, 0, 0, 0, 0, 0, ...quote.slice(0, -1)]))).toBe(-1)
  expect(at(error([8, 0, 0, 0, 0, 0, 0, 0, ...quote]))).toBe(-1)
  expect(at(error([3, 3, 0, 0, 0, 0, 0, 0, 0x65, ...quote.slice(1)]))).toBe(-1)
  expect(at(error([3, 3, 0, 0, 0, 0, 0, 0, ...quote], 17))).toBe(-1)
  expect(at(error([3, 3, 0, 0]))).toBe(-1)
})
