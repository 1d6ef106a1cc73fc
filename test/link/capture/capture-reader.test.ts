import { describe, expect, test } from 'vitest'
import { CaptureReader, readCapture } from '../../../src/link/capture/capture-reader.ts'
import {
  CaptureFormatError,
  enhancedPacket,
  interfaceDescription,
  sectionHeader,
} from '../../../src/link/capture/pcapng.ts'

const hex = (listing: string) => Uint8Array.from(Buffer.from(listing.replace(/#.*$/gm, '').replace(/\s/g, ''), 'hex'))

const SECTION = '0a0d0d0a 1c000000 4d3c2b1a 0100 0000 ffffffffffffffff 1c000000'
const INTERFACE = '01000000 14000000 6500 0000 00000000 14000000'
const PACKET = '06000000 24000000 00000000 00000000 01000000 01000000 01000000 aa000000 24000000'
const PCAP = 'd4c3b2a1 0200 0400 00000000 00000000 ffff0000 65000000'
const PCAP_PACKET = '01000000 02000000 01000000 01000000 aa'

const files = {
  pcapng: new Uint8Array(
    Buffer.concat([
      sectionHeader('x'),
      interfaceDescription({ name: 'tun0', linkType: 101, snapLength: 0, hardwareAddress: null }),
      enhancedPacket(0, 77n, Uint8Array.of(1, 2, 3, 4, 5), 5, 'out', ['a comment']),
      enhancedPacket(0, 78n, new Uint8Array(300).fill(7), 300, 'in', []),
      hex(`${SECTION} ${INTERFACE} ${PACKET}`),
    ]),
  ),
  pcap: hex(`${PCAP} ${PCAP_PACKET} ${PCAP_PACKET} 01000000 02000000 00000000 00000000 ${PCAP_PACKET}`),
}

describe.each(['pcapng', 'pcap'] as const)('a %s file in pieces', (kind) => {
  const whole = [...readCapture(files[kind])]

  test.each([1, 2, 3, 5, 7, 13, 64, 1000])('of %i bytes gives the same frames', (size) => {
    const reader = new CaptureReader()
    const frames = []
    for (let at = 0; at < files[kind].length; at += size)
      for (const frame of reader.push(files[kind].subarray(at, at + size)))
        frames.push({ ...frame, bytes: frame.bytes.slice() })
    reader.end()
    expect(frames).toEqual(whole)
    expect(frames.length).toBeGreaterThan(2)
  })

  test('tells of every end within a record, at the record', () => {
    for (let end = 0; end < files[kind].length; end++) {
      const failure = (read: () => void) => {
        try {
          read()
        } catch (error) {
          return (error as Error).message
        }
        return ''
      }
      const piecemeal = failure(() => {
        const reader = new CaptureReader()
        for (let at = 0; at < end; at++) for (const _ of reader.push(files[kind].subarray(at, at + 1)));
        reader.end()
      })
      expect(piecemeal).toBe(failure(() => [...readCapture(files[kind].subarray(0, end))]))
    }
  })
})

test.each([
  [
    'a packet longer in the file than it was',
    `${PCAP} 01000000 02000000 02000000 01000000 aabb`,
    'of 1 bytes has 2 bytes in the file (at byte 24)',
  ],
  [
    'a packet beyond the snapshot length',
    `${PCAP.replace('ffff0000', '01000000')} 01000000 02000000 02000000 02000000 aabb`,
    'snapshot length is 1',
  ],
  [
    'a fraction of more than a second',
    `${PCAP} 01000000 40420f00 00000000 00000000`,
    'more than a second: 1000000 (at byte 28)',
  ],
  [
    'a section that is shorter than it says',
    `${SECTION.replace('ffffffffffffffff', '6400000000000000')} ${INTERFACE}`,
    'ends at byte 128',
  ],
  [
    'a time resolution of two bytes',
    `${SECTION} 01000000 1c000000 6500 0000 00000000 0900 0200 0900 0000 1c000000`,
    'if_tsresol has 2 bytes',
  ],
  [
    'flags of two bytes',
    `${SECTION} ${INTERFACE} 06000000 28000000 00000000 00000000 01000000 00000000 00000000 0200 0200 ` +
      '01000000 28000000',
    'epb_flags has 2',
  ],
  [
    'options behind their end',
    `${SECTION} ${INTERFACE} 06000000 28000000 00000000 00000000 01000000 00000000 00000000 0000 0000 ` +
      '01000000 28000000',
    '4 bytes behind the end',
  ],
  [
    'a pcapng packet beyond its snapshot length',
    `${SECTION} ${INTERFACE.replace('00000000 14', '01000000 14')} ` +
      `${PACKET.replace('01000000 01000000 aa', '02000000 02000000 aa')}`,
    'snapshot length is 1',
  ],
  [
    'a simple packet in a block too long',
    `${SECTION} ${INTERFACE} 03000000 18000000 04000000 01020304 00000000 18000000`,
    'has 8 bytes for a packet of 4',
  ],
])('%s is told, once, and read', (_what, listing, message) => {
  const warnings: string[] = []
  const twice = hex(listing)
  expect(() => [...readCapture(twice, (warning) => warnings.push(warning))]).not.toThrow()
  expect(warnings).toEqual([expect.stringContaining(message)])
})

test.each([
  ['a minor version of pcap that nobody knows', PCAP.replace('0400', '0500'), 'Version 2.5 of pcap'],
  ['a minor version of pcapng that nobody knows', SECTION.replace('0100 0000', '0100 0300'), 'Version 1.3 of pcapng'],
  [
    'a resolution finer than any clock',
    `${SECTION} 01000000 1c000000 6500 0000 00000000 0900 0100 20000000 1c000000`,
    'too fine',
  ],
  ['a length that no frame has', `${PCAP} 01000000 02000000 01000400 01000400`, 'cannot be 262145 bytes long'],
  ['a length that no block has', `${SECTION} 06000000 04000001 00000000`, 'of 16777220 bytes is longer than any'],
])('%s is an error', (_what, listing, message) => {
  expect(() => [...readCapture(hex(listing))]).toThrow(CaptureFormatError)
  expect(() => [...readCapture(hex(listing))]).toThrow(message)
})

test('the lengths of old pcap files stand in the other order', () => {
  const [frame] = [...readCapture(hex(`${PCAP.replace('0400', '0200')} 01000000 02000000 09000000 01000000 aa`))]
  expect([frame?.bytes.length, frame?.originalLength]).toEqual([1, 9])
})
