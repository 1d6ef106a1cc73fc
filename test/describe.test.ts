import { describe, expect, test } from 'vitest'
import { describeLine, describe as inWords } from '../src/describe.ts'
import { readVectors } from './vectors/read.ts'

/** Hex with blanks. */
const hex = (text: string) => Uint8Array.from(Buffer.from(text.replace(/\s/g, ''), 'hex'))
const line = (text: string, medium?: 'ip' | 'ethernet') => describeLine(inWords(hex(text), medium))

// Sent by Linux 6.18 into a TUN device, captured there.
/** `socat - UDP:10.9.0.2:99`, payload "hi\n". */
const udp4 = `45 00 00 1f 03 59 40 00 40 11 23 61 0a 09 00 01 0a 09 00 02
  99 64 00 63 00 0b df 92 68 69 0a`
/** `socat - UDP:[fd09::2]:99`, payload "hi\n". */
const udp6 = `60 0b a0 9f 00 0b 11 40 fd 09 00 00 00 00 00 00 00 00 00 00 00 00 00 01
  fd 09 00 00 00 00 00 00 00 00 00 00 00 00 00 02
  8a 2c 00 63 00 0b 08 c9 68 69 0a`
/** `ping -R 10.9.0.2`: an echo request behind a Record Route option. */
const ping4 = `4f 00 00 7c af 4b 40 00 40 01 3b 08 0a 09 00 01 0a 09 00 02
  01 07 27 08 0a 09 00 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
  00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
  08 00 da cb 25 5d 00 01 7e 10 01 6b 00 00 00 00 b8 87 01 00 00 00 00 00
  10 11 12 13 14 15 16 17 18 19 1a 1b 1c 1d 1e 1f 20 21 22 23 24 25 26 27
  28 29 2a 2b 2c 2d 2e 2f 30 31 32 33 34 35 36 37`

test('a datagram is one line', () => {
  expect(line(udp4)).toBe('IPv4 10.9.0.1 > 10.9.0.2 ttl 64 id 857 DF length 31, UDP 39268 > 99 payload 3')
  expect(line(udp6)).toBe('IPv6 fd09::1 > fd09::2 hlim 64 flow 0xba09f length 51, UDP 35372 > 99 payload 3')
})

test('an echo request tells its identifier, number and size, whatever options are in front of it', () => {
  expect(line(ping4)).toBe(
    'IPv4 10.9.0.1 > 10.9.0.2 ttl 64 id 44875 DF length 124, ICMP echo request id 9565 seq 1 payload 56',
  )
})

test('an error tells what it quotes, even when the quote is cut short', () => {
  // IPv4 header and checksums worked out by hand; the quote is the datagram above without its
  // payload.
  const quote = udp4.replace('68 69 0a', '')
  const text = line(`45 00 00 38 00 00 00 00 40 01 66 b1 0a 09 00 02 0a 09 00 01 03 03 1f 66 00 00 00 00 ${quote}`)
  expect(text).toMatch(
    /^IPv4 10\.9\.0\.2 > 10\.9\.0\.1 .*, ICMP port unreachable, quoting IPv4 10\.9\.0\.1 > .*, UDP 39268 > 99/,
  )
})

test('a fragment tells its place, and only the first one has ports', () => {
  const first =
    '60 00 00 00 00 18 2c 40 fd09 0000 0000 0000 0000 0000 0000 0001 fd09 0000 0000 0000 0000 0000 0000 ' +
    '0002 11 00 00 01 00 00 00 07'
  expect(line(`${first} 8a 2c 00 63 00 20 08 c9 00 00 00 00 00 00 00 00`)).toMatch(
    /length 64, frag 0\+ id 7, UDP 35372 > 99 payload 24$/,
  )
  const last = first.replace('00 01 00 00 00 07', '00 10 00 00 00 07')
  expect(line(`${last} 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00`)).toMatch(
    /frag 16 id 7, UDP fragment of 16 bytes$/,
  )
})

test('extension headers are named in their order', () => {
  const packet =
    '60 00 00 00 00 18 00 40 fe80 0000 0000 0000 0000 0000 0000 0001 ff02 0000 0000 0000 0000 0000 0000 0016'
  const options = '3a 00 05 02 00 00 01 00'
  expect(line(`${packet} ${options} 8f 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00`)).toMatch(
    /hop-by-hop options, MLDv2 report 0 records \[IcmpChecksum\]$/,
  )
})

test('a packet that a stack would discard is marked with the reason', () => {
  expect(line(udp4.replace('23 61', '23 62'))).toMatch(/payload 3 \[IpChecksum\]$/)
  expect(line(udp4.replace('68 69', '68 6a'))).toMatch(/payload 3 \[UdpChecksum\]$/)
  expect(line(udp6.replace('08 c9', '00 00'))).toMatch(/\[UdpZeroChecksum\]$/)
  expect(line('70 00')).toBe('no IP packet: 2 bytes, version 7 [IpTooShort]')
  expect(line('')).toBe('no IP packet: 0 bytes, version 0 [IpTooShort]')
})

test('a packet of which the capture kept only a part is not called wrong', () => {
  const bytes = hex(udp4).subarray(0, 28)
  expect(describeLine(inWords(bytes, 'ip', false))).toMatch(/UDP 39268 > 99 payload 3$/)
  expect(describeLine(inWords(bytes))).toMatch(/\[IpTotalLength\]$/)
})

test('Ethernet comes in front, tags are stepped over, and another protocol is named', () => {
  const addresses = '02 00 00 00 00 02 02 00 00 00 00 01'
  const start = /^02:00:00:00:00:01 > 02:00:00:00:00:02, IPv4 10\.9\.0\.1/
  expect(line(`${addresses} 08 00 ${udp4}`, 'ethernet')).toMatch(start)
  expect(line(`${addresses} 81 00 00 05 08 00 ${udp4} 00 00`, 'ethernet')).toMatch(start)
  expect(line(`${addresses} 08 06 00 01`, 'ethernet')).toBe('02:00:00:00:00:01 > 02:00:00:00:00:02 ARP')
  expect(line(addresses, 'ethernet')).toBe('Ethernet, cut short')
})

test('what finds neighbors and manages groups is told in the words of its own protocol', () => {
  const told = readVectors('ethernet').map(({ bytes }) => describeLine(inWords(bytes, 'ethernet')).split(', ').at(-1))
  expect(told.slice(1)).toEqual([
    'ARP 10.0.0.2 is at 02:00:00:00:00:02',
    'ND who has fe80::ff:fe00:1',
    'ND who has 2001:db8::2',
    'override)',
    'ND router solicitation',
    'IGMPv3 query general',
    'IGMPv2 query general',
    'IGMPv3 query 239.7.7.7',
    'IGMPv3 query 239.7.7.7',
    'IGMPv3 report 2 records',
    'IGMPv3 report 2 records',
    'IGMPv2 report 239.1.2.4',
    'IGMPv2 leave 239.1.2.4',
    'MLDv1 query general',
    'MLDv2 query ff3e::4321',
    'MLDv2 report 1 records',
    'MLDv2 report 1 records',
    'MLDv1 report ff15::1235',
    'MLDv1 done ff15::1235',
  ])
  const [request, , , , advertisement] = readVectors('ethernet').map(({ bytes }) =>
    describeLine(inWords(bytes, 'ethernet')),
  )
  expect(request).toMatch(/ARP who has 10\.0\.0\.2, tell 10\.0\.0\.1$/)
  expect(advertisement).toMatch(/ND 2001:db8::2 answers \(solicited, override\)$/)
})

test.each(readVectors('ethernet'))('no cut throws: $name', ({ bytes }) => {
  for (let length = 0; length <= bytes.length; length++) describeLine(inWords(bytes.subarray(0, length), 'ethernet'))
})

test('every field is listed in the order of the header', () => {
  const { layers } = inWords(hex(udp4))
  expect(layers.map(({ name, at, length }) => [name, at, length])).toEqual([
    ['IPv4', 0, 20],
    ['UDP', 20, 8],
    ['payload', 28, 3],
  ])
  expect(layers[1]?.fields).toEqual([
    ['source port', '39268'],
    ['destination port', '99'],
    ['length', '11'],
    ['checksum', '0xdf92'],
  ])
  expect(layers[0]?.fields).toContainEqual(['TOS', '0x00 (DSCP 0, Not-ECT)'])
  expect(layers[2]?.fields).toEqual([['bytes', '68690a']])
})

describe.each([
  ['IPv4', udp4],
  ['IPv6', udp6],
  ['options', ping4],
])('%s', (_, text) => {
  test('no truncation and no changed byte throws', () => {
    const bytes = hex(text)
    for (let length = 0; length < bytes.length; length++)
      expect(inWords(bytes.subarray(0, length)).drop).not.toBe('None')
    for (let at = 0; at < bytes.length; at++) {
      for (let value = 0; value < 256; value++) {
        const changed = bytes.slice()
        changed[at] = value
        expect(describeLine(inWords(changed))).not.toBe('')
      }
    }
  })
})
