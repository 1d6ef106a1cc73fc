/** TCP on the wire: what Linux sent and tcpdump read, and what is wrong with a header. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Drop } from '../../src/base/drop.ts'
import { ChecksumState, Packet } from '../../src/base/packet.ts'
import { SeededRandom } from '../../src/base/random.ts'
import * as ipv4 from '../../src/wire/ipv4.ts'
import * as ipv6 from '../../src/wire/ipv6.ts'
import * as tcp from '../../src/wire/tcp.ts'
import { fromHex, pattern, tcp as segment, segmentPacket, u16, u32 } from '../packet.ts'
import { testWith } from '../skips.ts'

function load(bytes: Uint8Array, family: 4 | 6 = 4): Packet {
  const packet = new Packet().load(bytes)
  expect(family === 4 ? ipv4.parse(packet) : ipv6.parse(packet)).toBe(Drop.None)
  if (family === 6) expect(ipv6.walk(packet)).toBe(Drop.None)
  expect(packet.protocol).toBe(6)
  return packet
}

// Sent by Linux 6.18 over its loopback, which leaves checksums incomplete; the words are those of
// `tcpdump -S`.
const SYN = `45 00 00 3c af 78 40 00 40 06 8d 41 7f 00 00 01 7f 00 00 01
  93 64 01 bb 0a e4 4c 61 00 00 00 00 a0 02 ff d7 fe 30 00 00
  02 04 ff d7 04 02 08 0a 24 d6 36 43 00 00 00 00 01 03 03 0a`
const PUSH = `45 00 00 3a af 7a 40 00 40 06 8d 41 7f 00 00 01 7f 00 00 01
  93 64 01 bb 0a e4 4c 62 0f 80 4e e9 80 18 00 40 fe 2e 00 00
  01 01 08 0a 24 d6 36 47 1a 39 36 d7 68 65 6c 6c 6f 0a`

test('a SYN of Linux is read field by field, and in the words of tcpdump', () => {
  const { view, transport: at, end } = load(fromHex(SYN))
  expect([tcp.sourcePort(view, at), tcp.destinationPort(view, at)]).toEqual([37_732, 443])
  expect([tcp.sequence(view, at), tcp.acknowledgment(view, at)]).toEqual([182_733_921, 0])
  expect([tcp.dataOffset(view, at), tcp.flags(view, at), tcp.window(view, at)]).toEqual([40, tcp.SYN, 65_495])
  expect([tcp.checksum(view, at), tcp.urgentPointer(view, at)]).toEqual([0xfe30, 0])
  expect(tcp.describe(view, at, end)).toBe(
    'TCP 37732 > 443 Flags [S], seq 182733921, win 65495, options [mss 65495,sackOK,TS val 618018371 ecr ' +
      '0,nop,wscale 10], payload 0',
  )
  expect(Object.fromEntries(tcp.fields(view, at, end))).toEqual({
    'source port': '37732',
    'destination port': '443',
    'sequence number': '182733921',
    'acknowledgment number': '0',
    'header length': '40',
    flags: 'S',
    window: '65495',
    checksum: '0xfe30',
    'urgent pointer': '0',
    options: 'mss 65495,sackOK,TS val 618018371 ecr 0,nop,wscale 10',
  })
})

test('data tells its first and last number', () => {
  const { view, transport: at, end } = load(fromHex(PUSH))
  expect(tcp.describe(view, at, end)).toBe(
    'TCP 37732 > 443 Flags [P.], seq 182733922:182733928, ack 260067049, win 64, options [nop,nop,TS val ' +
      '618018375 ecr 439957207], payload 6',
  )
})

describe.each([4, 6] as const)('a segment over IPv%s', (family) => {
  test('is sound with the right checksum, and every flipped bit makes it wrong', () => {
    const packet = load(segmentPacket(pattern(37), family, { options: [2, 4, 5, 0xb4] }), family)
    expect(tcp.parse(packet)).toBe(Drop.None)
    for (let at = packet.transport; at < packet.end; at++) {
      // A flipped bit of the data offset may be noticed as that.
      packet.view.setUint8(at, packet.view.getUint8(at) ^ 1)
      expect(tcp.parse(packet), `byte ${at - packet.transport}`).toBe(Drop.TcpChecksum)
      packet.view.setUint8(at, packet.view.getUint8(at) ^ 1)
    }
  })

  test('is not summed where the device did, or has it still to do', () => {
    const packet = load(segmentPacket(pattern(9), family, { checksum: 1 }), family)
    expect(tcp.parse(packet)).toBe(Drop.TcpChecksum)
    for (const state of [ChecksumState.Verified, ChecksumState.Partial]) {
      packet.checksumState = state
      expect(tcp.parse(packet)).toBe(Drop.None)
    }
  })

  test('that is cut, or whose header says another length than there is, has a name', () => {
    const whole = segmentPacket([], family, { options: [1, 1, 1, 1] })
    const header = family === 4 ? 20 : 40
    const packet = load(whole, family)
    for (let length = 0; length < 20; length++) {
      packet.end = packet.transport + length
      expect(tcp.parse(packet)).toBe(Drop.TcpTooShort)
    }
    for (let length = 20; length < 24; length++) {
      packet.end = packet.transport + length
      expect(tcp.parse(packet)).toBe(Drop.TcpHeaderLength)
    }
    packet.end = packet.transport + 24
    for (let words = 0; words < 16; words++) {
      packet.bytes[packet.transport + 12] = words << 4
      const wrong = words < 5 || words > 6
      expect(tcp.parse(packet) === Drop.TcpHeaderLength, `${words} words behind ${header}`).toBe(wrong)
    }
  })
})

test('no cut and no changed byte makes the words throw', () => {
  const random = new SeededRandom('tcp words')
  for (let round = 0; round < 3000; round++) {
    const bytes = segment(pattern(random.below(9)), 4, {
      options: Array.from({ length: random.below(11) * 4 }, () => random.below(round % 2 === 0 ? 256 : 12)),
      flags: random.below(512),
    })
    if (round % 3 === 0) bytes[random.below(bytes.length)] = random.below(256)
    const view = new DataView(bytes.buffer)
    for (let end = 8; end <= bytes.length; end++) {
      tcp.describe(view, 0, end)
      tcp.fields(view, 0, end)
    }
  }
})

const present = spawnSync('tcpdump', ['--version']).status === 0
testWith(present, 'the program tcpdump')('the words of a segment are those of tcpdump', () => {
  const random = new SeededRandom('tcp and tcpdump')
  const options: readonly (readonly number[])[] = [
    [],
    [2, 4, 5, 0xb4],
    [2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 1, 3, 3, 7],
    [1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8],
    [1, 1, 5, 10, 0, 0, 0, 9, 0, 0, 0, 20],
    [1, 1, 5, 18, 0, 0, 0, 9, 0, 0, 0, 20, 0, 0, 1, 0, 0, 0, 2, 0],
    [3, 3, 14, 0],
    [4, 2, 1, 0],
    [253, 4, 1, 2],
  ]
  const packets = Array.from({ length: 400 }, (_, round) => {
    const flags = round < 256 ? round : random.below(256)
    return segmentPacket(pattern(round % 3 === 0 ? 0 : random.below(300)), 4, {
      sourcePort: random.below(65_536),
      // No protocol of its own that tcpdump would look into.
      destinationPort: 40_001,
      sequence: random.uint32(),
      acknowledgment: random.uint32(),
      window: random.below(65_536),
      urgent: random.below(100),
      flags,
      options: options[round % options.length] as readonly number[],
    })
  })
  const little = (value: number) => u32(value).reverse()
  const file = [
    ...[0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, ...new Uint8Array(8), 0, 0, 1, 0, 101, 0, 0, 0],
    ...packets.flatMap((each) => [
      ...new Uint8Array(8),
      ...little(each.length),
      ...little(each.length),
      ...Array.from(each),
    ]),
  ]
  const folder = mkdtempSync(join(tmpdir(), 'tungram-tcp-'))
  try {
    writeFileSync(join(folder, 'tcp.pcap'), Uint8Array.from(file))
    const { stdout } = spawnSync('tcpdump', ['-nn', '-S', '-t', '-r', join(folder, 'tcp.pcap')], { encoding: 'utf8' })
    const theirs = stdout.trimEnd().split('\n')
    expect(theirs).toHaveLength(packets.length)
    packets.forEach((bytes, index) => {
      const { view, transport: at, end } = load(bytes)
      const ours = tcp.describe(view, at, end)
      const words = (theirs[index] as string)
        .replace(/^IP [\d.]+\.(\d+) > [\d.]+\.(\d+): /, 'TCP $1 > $2 ')
        // Ours has the length of the payload under the name that other lines have.
        .replace(/, length (\d+).*$/, ', payload $1')
        // What it says of options that it does not read differs between versions.
        .replace(/unknown-253 0x\w+/, 'unknown-253 0x0102')
      expect(ours).toBe(words)
    })
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('the builders of tests say what they write', () => {
  expect([...segment([7], 4, { sourcePort: 1, destinationPort: 2, flags: 0x112 }).subarray(0, 14)]).toEqual([
    ...u16(1),
    ...u16(2),
    ...u32(1),
    ...u32(0),
    ...u16(0x5112),
  ])
})
