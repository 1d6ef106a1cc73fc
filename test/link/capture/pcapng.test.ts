import { describe, expect, it } from 'vitest'
import { readCapture } from '../../../src/link/capture/capture-reader.ts'
import {
  type CapturedFrame,
  CaptureFormatError,
  enhancedPacket,
  interfaceDescription,
  sectionHeader,
  toNanoseconds,
} from '../../../src/link/capture/pcapng.ts'

/** Bytes of a hex listing; spaces and everything behind `#` are for the reader. */
function hex(listing: string): Uint8Array {
  return Uint8Array.from(Buffer.from(listing.replace(/#.*$/gm, '').replace(/\s/g, ''), 'hex'))
}

function join(...chunks: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(chunks))
}

function read(bytes: Uint8Array): CapturedFrame[] {
  return [...readCapture(bytes)]
}

/** What the reader says of a file, as the error it throws after the frames before it. */
function failure(bytes: Uint8Array): { frames: number; error: CaptureFormatError } {
  let frames = 0
  try {
    for (const _ of readCapture(bytes)) frames++
  } catch (error) {
    if (error instanceof CaptureFormatError) return { frames, error }
    throw error
  }
  throw new Error('The file was read to its end.')
}

// Written by hand from the tables of draft-ietf-opsawg-pcapng.
const BIG_SECTION = '0a0d0d0a 0000001c 1a2b3c4d 0001 0000 ffffffffffffffff 0000001c'
const LITTLE_SECTION = '0a0d0d0a 1c000000 4d3c2b1a 0100 0000 ffffffffffffffff 1c000000'

describe('writing pcapng', () => {
  it('begins a file with a section header that names the program', () => {
    expect(sectionHeader('tungram')).toEqual(
      hex(`0a0d0d0a 2c000000 4d3c2b1a 0100 0000 ffffffffffffffff
           0400 0700 74756e6772616d 00  # shb_userappl
           0000 0000 2c000000`),
    )
  })

  it('describes an interface with its name, address and resolution', () => {
    const hardwareAddress = Uint8Array.of(2, 0, 0, 0, 0, 1)
    expect(interfaceDescription({ name: 'eth0', linkType: 1, snapLength: 0x40000, hardwareAddress })).toEqual(
      hex(`01000000 34000000 0100 0000 00000400
           0200 0400 65746830       # if_name
           0600 0600 020000000001 0000 # if_MACaddr
           0900 0100 09 000000      # if_tsresol: nanoseconds
           0000 0000 34000000`),
    )
  })

  it('writes a packet with time, lengths, comments and direction', () => {
    expect(enhancedPacket(1, 0x0102030405060708n, Uint8Array.of(0x45, 1, 2, 3, 4), 9, 'in', ['why', 'é'])).toEqual(
      hex(`06000000 44000000 01000000 04030201 08070605 05000000 09000000
           45010203 04 000000
           0100 0300 776879 00
           0100 0200 c3a9 0000
           0200 0400 01000000
           0000 0000 44000000`),
    )
  })

  it('keeps all nanoseconds of a time in milliseconds', () => {
    expect(toNanoseconds(946_684_800_000.25)).toBe(946_684_800_000_250_000n)
    expect(toNanoseconds(1_753_000_000_123)).toBe(1_753_000_000_123_000_000n)
    expect(toNanoseconds(0.000001)).toBe(1n)
    expect(toNanoseconds(1.9999999)).toBe(2_000_000n)
  })
})

describe('reading pcapng', () => {
  it('reads back what was written', () => {
    const bytes = join(
      sectionHeader('x'),
      interfaceDescription({ name: 'tun0', linkType: 101, snapLength: 0, hardwareAddress: null }),
      interfaceDescription({ name: 'tap0', linkType: 1, snapLength: 0, hardwareAddress: null }),
      enhancedPacket(1, 1_700_000_000_123_456_789n, Uint8Array.of(1, 2, 3, 4, 5), 50, 'out', [
        'dropped: UdpNoPort (udp)',
        'again',
      ]),
      enhancedPacket(0, 5n, new Uint8Array(0), 0, 'unknown', []),
    )
    expect(read(bytes)).toEqual([
      {
        interface: 'tap0',
        interfaceIndex: 1,
        linkType: 1,
        time: 1_700_000_000_123_456_789n,
        bytes: Uint8Array.of(1, 2, 3, 4, 5),
        originalLength: 50,
        direction: 'out',
        comments: ['dropped: UdpNoPort (udp)', 'again'],
      },
      {
        interface: 'tun0',
        interfaceIndex: 0,
        linkType: 101,
        time: 5n,
        bytes: new Uint8Array(0),
        originalLength: 0,
        direction: 'unknown',
        comments: [],
      },
    ])
  })

  it('reads big-endian files with the default resolution of microseconds', () => {
    const bytes = hex(`${BIG_SECTION}
      00000001 00000014 0065 0000 00000000 00000014
      00000006 0000002c 00000000 0005f5e1 00000002 00000003 00000003 454647 00
      0002 0004 00000002 0000002c  # epb_flags outbound; the end of options may be missing`)
    expect(read(bytes)).toEqual([
      {
        interface: '',
        interfaceIndex: 0,
        linkType: 101,
        time: ((0x5f5e1n << 32n) + 2n) * 1000n,
        bytes: Uint8Array.of(0x45, 0x46, 0x47),
        originalLength: 3,
        direction: 'out',
        comments: [],
      },
    ])
  })

  it('reads resolutions of both bases and the offset of seconds', () => {
    const file = (options: string, length: string) =>
      hex(`${LITTLE_SECTION}
        01000000 ${length} 6500 0000 00000000 ${options} ${length}
        06000000 20000000 00000000 00000000 00040000 00000000 00000000 20000000`)
    const time = (options: string, length: string) => read(file(options, length))[0]?.time
    expect(time('0900 0100 03 000000', '1c000000')).toBe(1_024_000_000n)
    expect(time('0900 0100 8a 000000', '1c000000')).toBe(1_000_000_000n)
    expect(time('0900 0100 03 000000 0e00 0800 0a00000000000000', '28000000')).toBe(11_024_000_000n)
  })

  it('reads simple and obsolete packet blocks, and passes over blocks it does not know', () => {
    const bytes = hex(`${LITTLE_SECTION}
      01000000 14000000 6500 0000 04000000 14000000             # snapshot length 4
      03000000 14000000 09000000 01020304 14000000              # simple: 9 bytes, 4 kept
      05000000 10000000 deadbeef 10000000                       # interface statistics, cut short: not ours to judge
      02000000 24000000 0000 0000 00000000 07000000 01000000 01000000 aa000000 24000000 # obsolete`)
    expect(
      read(bytes).map(({ time, bytes: frame, originalLength }) => [time, Array.from(frame), originalLength]),
    ).toEqual([
      [0n, [1, 2, 3, 4], 9],
      [7000n, [0xaa], 1],
    ])
  })

  it('reads several sections of different byte order, each with interfaces of its own', () => {
    const bytes = hex(`${LITTLE_SECTION}
      01000000 14000000 6500 0000 00000000 14000000
      06000000 20000000 00000000 00000000 01000000 00000000 00000000 20000000
      ${BIG_SECTION}
      00000001 00000014 0001 0000 00000000 00000014
      00000006 00000020 00000000 00000000 00000002 00000000 00000000 00000020`)
    expect(read(bytes).map(({ linkType, time, interfaceIndex }) => [linkType, time, interfaceIndex])).toEqual([
      [101, 1000n, 0],
      [1, 2000n, 1],
    ])
  })

  it('names the place of damage, after the frames before it', () => {
    const start = `${LITTLE_SECTION} 01000000 14000000 6500 0000 00000000 14000000`
    const packet = '06000000 24000000 00000000 00000000 01000000 01000000 01000000 aa000000 24000000'
    const cases: [string, number, number, string][] = [
      [`${start} ${packet} 06000000 2400`, 1, 84, 'cut off in a block header'],
      [`${start} ${packet} ${packet.slice(0, 40)}`, 1, 84, 'cut off in a block of 36 bytes'],
      [`${start} ${packet.replace(/24000000$/, '28000000')}`, 0, 80, 'two lengths of a pcapng block differ: 36 and 40'],
      [`${start} 06000000 0b000000 00000000`, 0, 52, 'cannot be 11 bytes long'],
      [`${start} 06000000 0d000000 00000000 00000000`, 0, 52, 'cannot be 13 bytes long'],
      [
        `${start} ${packet.replace('24000000 00000000', '24000000 01000000')}`,
        0,
        56,
        'names interface 1 of a section that has 1',
      ],
      [
        `${start} ${packet.replace('01000000 01000000 01000000', '01000000 05000000 01000000')}`,
        0,
        68,
        'packet of 5 bytes is longer',
      ],
      [
        `${start} ${packet.replace('01000000 01000000 01000000', '01000000 ffffffff 01000000')}`,
        0,
        68,
        'is longer than its block',
      ],
      [`${start} 06000000 10000000 00000000 10000000`, 0, 48, 'packet block of 16 bytes is too short'],
      [
        `${start} 06000000 28000000 00000000 00000000 01000000 00000000 00000000 0100 0900 41414141 28000000`,
        0,
        76,
        'option of 9 bytes is longer',
      ],
      [`${start} 03000000 10000000 05000000 10000000`, 0, 56, 'packet of 5 bytes is longer'],
      [`${LITTLE_SECTION} 03000000 10000000 00000000 10000000`, 0, 28, 'before any interface'],
      ['0a0d0d0a 1c000000 4d3c2b1b 0100 0000 ffffffffffffffff 1c000000', 0, 8, 'byte-order magic'],
      ['0a0d0d0a 1c000000 4d3c2b1a 0200 0000 ffffffffffffffff 1c000000', 0, 12, 'Version 2 of pcapng'],
      ['0a0d0d0a 10000000 4d3c2b1a 10000000', 0, 0, 'section header of 16 bytes is too short'],
    ]
    for (const [listing, frames, offset, message] of cases) {
      const found = failure(hex(listing))
      expect([found.frames, found.error.offset, found.error.message]).toEqual([
        frames,
        offset,
        expect.stringContaining(message),
      ])
      expect(found.error.message).toContain(`(at byte ${offset}).`)
    }
  })

  it('fails cleanly for every truncation and every changed byte', () => {
    const section = sectionHeader('x')
    const description = interfaceDescription({ name: 'tun0', linkType: 101, snapLength: 0, hardwareAddress: null })
    const bytes = join(
      section,
      description,
      enhancedPacket(0, 77n, Uint8Array.of(1, 2, 3, 4, 5), 5, 'out', ['a comment']),
    )
    for (let end = 0; end < bytes.length; end++) {
      // A file that ends between blocks is whole.
      if (end === section.length || end === section.length + description.length)
        expect(read(bytes.subarray(0, end))).toEqual([])
      else expect(failure(bytes.subarray(0, end)).frames).toBe(0)
    }
    for (let at = 0; at < bytes.length; at++)
      for (const value of [0, 1, 0x7f, 0x80, 0xff]) {
        const changed = bytes.slice()
        changed[at] = value
        try {
          read(changed)
        } catch (error) {
          expect(error).toBeInstanceOf(CaptureFormatError)
        }
      }
  })
})

describe('reading pcap', () => {
  const header = (magic: string, linkType: string) => `${magic} 0002 0004 00000000 00000000 0000ffff ${linkType}`

  it('reads micro- and nanoseconds in both byte orders', () => {
    const big = '00000001 00000002 00000003 00000009 aabbcc'
    const little = 'd4c3b2a1 0200 0400 00000000 00000000 ffff0000 01000000 01000000 02000000 03000000 09000000 aabbcc'
    const frame = {
      interface: '',
      interfaceIndex: 0,
      bytes: Uint8Array.of(0xaa, 0xbb, 0xcc),
      originalLength: 9,
      direction: 'unknown',
      comments: [],
    }
    expect(read(hex(`${header('a1b2c3d4', '00000065')} ${big}`))).toEqual([
      { ...frame, linkType: 101, time: 1_000_002_000n },
    ])
    expect(read(hex(`${header('a1b23c4d', '00000001')} ${big}`))).toEqual([
      { ...frame, linkType: 1, time: 1_000_000_002n },
    ])
    expect(read(hex(little))).toEqual([{ ...frame, linkType: 1, time: 1_000_002_000n }])
    expect(read(hex(little.replace('d4c3b2a1', '4d3cb2a1')))).toEqual([{ ...frame, linkType: 1, time: 1_000_000_002n }])
  })

  it('leaves the bits about the frame check sequence out of the link type', () => {
    expect(read(hex(`${header('a1b2c3d4', '24000001')} 00000001 00000002 00000001 00000001 aa`))[0]?.linkType).toBe(1)
  })

  it('names the place where a file is cut off or is something else', () => {
    const whole = `${header('a1b2c3d4', '00000065')} 00000001 00000002 00000001 00000001 aa`
    expect(failure(hex(`${whole} 00000001`))).toMatchObject({ frames: 1, error: { offset: 41 } })
    expect(failure(hex(`${whole} 00000001 00000002 00000005 00000005 bb`)).error.message).toContain(
      'packet of 5 bytes (at byte 41)',
    )
    expect(failure(hex('a1b2c3d4 0002 0004')).error.message).toContain('file header')
    expect(failure(hex(whole.replace('0002 0004', '0003 0004'))).error.message).toContain('Version 3 of pcap')
    expect(failure(new Uint8Array(0)).error.message).toContain('empty')
    expect(failure(hex('4d')).error.message).toContain('too short')
    expect(failure(hex('1f8b0800')).error.message).toContain('gzip')
    expect(failure(hex('7f454c46')).error.message).toContain('0x7f454c46')
  })

  it('takes a window of a larger buffer', () => {
    const whole = hex(`ffffff ${header('a1b2c3d4', '00000065')} 00000001 00000002 00000001 00000001 aa`)
    expect(read(whole.subarray(3)).map(({ bytes }) => Array.from(bytes))).toEqual([[0xaa]])
  })
})
