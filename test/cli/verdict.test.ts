import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../src/base/clock.ts'
import { Drop, type DropName } from '../../src/base/drop.ts'
import { HEADROOM, Packet } from '../../src/base/packet.ts'
import { SeededRandom } from '../../src/base/random.ts'
import { describeFrame } from '../../src/cli/frame-text.ts'
import { Judge } from '../../src/cli/verdict.ts'
import { describeLine } from '../../src/describe.ts'
import type { CapturedFrame } from '../../src/link/capture/pcapng.ts'
import type { Link, LinkReceiver } from '../../src/link/link.ts'
import { Stack } from '../../src/stack.ts'
import { segmentPacket } from '../packet.ts'

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replace(/\s/g, ''), 'hex'))

/** Fills header checksum and length of an IPv4 packet from 10.0.0.1. */
function ipv4(protocol: number, payload: Uint8Array, to = '0a000002', from = '0a000001', flags = '0000'): Uint8Array {
  const length = (20 + payload.length).toString(16).padStart(4, '0')
  const header = hex(`4500${length}0007${flags}40${protocol.toString(16).padStart(2, '0')}0000${from}${to}`)
  const view = new DataView(header.buffer)
  let sum = 0
  for (let at = 0; at < 20; at += 2) sum += view.getUint16(at)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  view.setUint16(10, ~sum & 0xffff)
  return new Uint8Array(Buffer.concat([header, payload]))
}

const datagram = hex('0fa0 0035 000c 0000 61626364')
const ENDS = { source: '10.0.0.1', destination: '10.0.0.2' }
const badDatagram = hex('0fa0 0035 000c 1234 61626364')
const echo = hex('0800 f7ff 0000 0000')
const ethernet = (type: string, payload: Uint8Array) =>
  new Uint8Array(Buffer.concat([hex(`020000000002 020000000001 ${type}`), payload]))
const arp = (operation: string, hardware = '0001') =>
  hex(`${hardware} 0800 06 04 ${operation} 020000000001 0a000001 000000000000 0a000002`)

const frame = (linkType: number, bytes: Uint8Array): CapturedFrame => ({
  interface: '',
  interfaceIndex: 0,
  linkType,
  time: 0n,
  bytes,
  originalLength: bytes.length,
  direction: 'unknown',
  comments: [],
})
const dropOf = (linkType: number, bytes: Uint8Array) => describeFrame(frame(linkType, bytes)).drop
const line = (linkType: number, bytes: Uint8Array) => describeLine(describeFrame(frame(linkType, bytes)))

/** A stack that a program made, with the address that the frames are for. */
function askStack(medium: 'ip' | 'ethernet', bytes: Uint8Array): DropName {
  let receiver: LinkReceiver | null = null
  const link: Link = {
    name: 'l0',
    medium,
    mtu: 1500,
    offload: { checksum: false },
    hardwareAddress: medium === 'ip' ? null : Uint8Array.of(2, 0, 0, 0, 0, 2),
    loopback: false,
    attach(given) {
      receiver = given
    },
    send: () => Drop.None,
    flush() {},
    close() {},
    ref() {},
    unref() {},
  }
  const stack = new Stack({ clock: new ManualClock(), random: new SeededRandom(1), dad: false })
  stack.addNic(link, { addresses: ['10.0.0.2/24'] })
  const seen: DropName[] = []
  const packet = new Packet(HEADROOM + bytes.length)
  stack.onDrop((reason, _layer, dropped) => {
    // There is no socket.
    if (dropped === packet && reason !== 'UdpNoPort') seen.push(reason)
  })
  packet.load(bytes)
  ;(receiver as unknown as LinkReceiver).input(packet)
  stack.close()
  return seen[0] ?? 'None'
}

describe('the reason in brackets', () => {
  test.each([
    ['a sound datagram', 'None', ipv4(17, datagram)],
    ['a wrong checksum', 'UdpChecksum', ipv4(17, badDatagram)],
    ['a protocol that nobody speaks', 'IpUnknownProtocol', ipv4(99, datagram)],
    ['a length below the header', 'UdpLength', ipv4(17, hex('0fa0 0035 0003 0000 61626364'))],
    [
      'a header checksum that is wrong',
      'IpChecksum',
      ipv4(17, datagram).map((byte, at) => (at === 10 ? byte ^ 1 : byte)),
    ],
    ['a source that no packet may have', 'IpMartianSource', ipv4(17, datagram, '0a000002', 'e0000001')],
    ['an echo request', 'None', ipv4(1, echo)],
    ['an IGMP report with a wrong checksum', 'GroupReportMalformed', ipv4(2, hex('1600 0000 e1010101'), 'e1010101')],
    ['no IP at all', 'IpVersion', hex('00000000')],
  ] as const)('%s: %s, on both media, as the stack itself says', (_what, reason, bytes) => {
    expect(dropOf(101, bytes)).toBe(reason)
    expect(askStack('ip', bytes)).toBe(reason)
    expect(dropOf(1, ethernet('0800', bytes))).toBe(reason)
    expect(askStack('ethernet', ethernet('0800', bytes))).toBe(reason)
  })

  test.each([
    ['a sound segment', 'None', segmentPacket(Uint8Array.of(1, 2, 3), 4, ENDS)],
    ['a TCP checksum that is wrong', 'TcpChecksum', segmentPacket([], 4, { ...ENDS, checksum: 7 })],
    ['a data offset of 0', 'TcpHeaderLength', ipv4(6, new Uint8Array(20))],
    ['19 bytes of TCP', 'TcpTooShort', ipv4(6, new Uint8Array(19))],
    ['SCTP', 'None', ipv4(132, new Uint8Array(12))],
    ['11 bytes of SCTP', 'SctpTooShort', ipv4(132, new Uint8Array(11))],
  ] as const)('that the stack has no TCP and no SCTP is no fault of %s: %s', (_what, reason, bytes) => {
    expect(dropOf(101, bytes)).toBe(reason)
    expect(dropOf(1, ethernet('0800', bytes))).toBe(reason)
  })

  test.each([
    ['a tag', 'FrameVlanTagged', ethernet('8100 0005 0800', ipv4(17, datagram))],
    ['a tag that has a priority only', 'None', ethernet('8100 6000 0800', ipv4(17, datagram))],
    ['ARP behind such a tag', 'None', ethernet('8100 6000 0806', arp('0001'))],
    ['an unknown type', 'FrameUnknownType', ethernet('88b5', datagram)],
    ['the wrong type', 'IpVersion', ethernet('86dd', ipv4(17, datagram))],
    ['ARP of another hardware', 'ArpMalformed', ethernet('0806', arp('0001', '0006'))],
    ['ARP', 'None', ethernet('0806', arp('0001'))],
    ['a reverse request', 'ArpMalformed', ethernet('0806', arp('0003'))],
    ['a frame that is too short', 'FrameTooShort', hex('0200')],
    ['no packet behind the header', 'FrameTooShort', ethernet('0800', new Uint8Array(0))],
  ] as const)('of the link layer: %s: %s', (_what, reason, bytes) => {
    expect(dropOf(1, bytes)).toBe(reason)
    expect(askStack('ethernet', bytes)).toBe(reason)
  })

  test('a request to all of a group is discarded, a datagram to it is for who has joined', () => {
    expect(dropOf(101, ipv4(1, echo, 'e0000001'))).toBe('IcmpEchoBroadcast')
    expect(dropOf(101, ipv4(17, datagram, 'e1010101'))).toBe('None')
    expect(dropOf(101, ipv4(17, datagram, 'ffffffff'))).toBe('None')
  })

  test('both directions of a conversation are sound, whoever was first', () => {
    const judge = new Judge()
    const hosts = ['0a000001', '0a000002', '0a000003', '0a000004', '0a000005', '0a000006']
    for (let round = 0; round < 3; round++)
      for (const from of hosts)
        for (const to of hosts) if (from !== to) expect(judge.judge(ipv4(17, datagram, to, from), 'ip')).toBe('None')
    for (const from of hosts) expect(judge.judge(ipv4(17, datagram, from, from), 'ip')).toBe('IpMartianSource')
    for (let i = 0; i < hosts.length; i++)
      expect(judge.judge(ipv4(17, datagram, '0a000001', 'c0000201'), 'ip')).toBe('None')
  })

  test('what is wrong with a datagram in fragments is told of the one that makes it whole', () => {
    const long = new Uint8Array(24)
    long.set(hex('0fa0 0035 0018 1234'))
    const judge = new Judge()
    expect(judge.judge(ipv4(17, long.subarray(0, 16), '0a000002', '0a000001', '2000'), 'ip')).toBe('None')
    expect(judge.judge(ipv4(17, long.subarray(16), '0a000002', '0a000001', '0002'), 'ip')).toBe('UdpChecksum')
    // Half a minute later fragments of the same number are another datagram's.
    expect(judge.judge(ipv4(17, long.subarray(0, 16), '0a000002', '0a000001', '2000'), 'ip', 60_000_000_000n)).toBe(
      'None',
    )
    expect(judge.judge(ipv4(17, long.subarray(0, 16), '0a000002', '0a000001', '2000'), 'ip', 120_000_000_000n)).toBe(
      'None',
    )
  })

  test("a host's own loopback has addresses that no wire may have", () => {
    const local = ipv4(17, datagram, '7f000001', '7f000001')
    expect(dropOf(101, local)).toBe('IpMartianSource')
    expect(dropOf(0, new Uint8Array([2, 0, 0, 0, ...local]))).toBe('None')
    expect(dropOf(1, new Uint8Array([...new Uint8Array(12), 8, 0, ...local]))).toBe('None')
  })

  test('what was cut off by the capture is not judged', () => {
    expect(describeFrame({ ...frame(101, ipv4(17, datagram).subarray(0, 24)), originalLength: 32 }).drop).toBe('None')
  })
})

describe('link headers', () => {
  const sll = (packetType: string, protocol: string, payload: Uint8Array) =>
    new Uint8Array(Buffer.concat([hex(`${packetType} 0001 0006 0200000000010000 ${protocol}`), payload]))
  const sll2 = (packetType: string, protocol: string, payload: Uint8Array) =>
    new Uint8Array(Buffer.concat([hex(`${protocol} 0000 00000003 0001 ${packetType} 06 0200000000010000`), payload]))

  test('SLL and SLL2 say what they carry, and for whom', () => {
    expect(line(113, sll('0000', '0800', ipv4(17, datagram)))).toMatch(
      /^SLL to us from 02:00:00:00:00:01, IPv4 10.0.0.1 > 10.0.0.2 .*payload 4$/,
    )
    expect(line(276, sll2('01', '0806', arp('0001')))).toBe(
      'SLL2 broadcast from 02:00:00:00:00:01, ARP who has 10.0.0.2, tell 10.0.0.1',
    )
    expect(dropOf(113, sll('0003', '0800', ipv4(17, datagram)))).toBe('FrameOtherHost')
    expect(dropOf(276, sll2('00', '88b5', datagram))).toBe('FrameUnknownType')
    expect(dropOf(113, sll('0000', '86dd', ipv4(17, datagram)))).toBe('IpVersion')
    expect(line(113, hex('0000'))).toContain('SLL, cut short')
  })

  test('NULL and LOOP go by the family, in either byte order', () => {
    const of = (family: string) => new Uint8Array([...hex(family), ...ipv4(17, datagram)])
    for (const family of ['02000000', '00000002']) expect(line(0, of(family))).toMatch(/^IPv4 10.0.0.1 > 10.0.0.2/)
    expect(line(108, of('00000002'))).toMatch(/^IPv4/)
    for (const family of ['1e000000', '18000000', '1c000000', '0a000000', '0000001e'])
      expect(line(0, of(family))).toBe('no IPv6 packet: 32 bytes, version 4 [IpVersion]')
    expect(line(0, of('07000000'))).toBe('NULL family 7, 32 bytes [FrameUnknownType]')
  })

  test('tags are told with what they carry', () => {
    expect(line(1, ethernet('88a8 6007 8100 0005 0800', ipv4(17, datagram)))).toMatch(
      /^02:.* > 02:.*, IPv4 10.0.0.1 > .*, vlan 7 priority 3, vlan 5 \[FrameVlanTagged\]$/,
    )
  })

  test(
    'ARP is told by the name of its operation, lengths are never negative, mapped addresses are those of ' + 'IPv6',
    () => {
      expect(line(1, ethernet('0806', arp('0003')))).toContain('ARP reverse request from 10.0.0.1 for 10.0.0.2')
      expect(line(1, ethernet('0806', arp('0008')))).toContain('ARP inverse request')
      expect(line(1, ethernet('0806', arp('0063')))).toContain('ARP operation 99')
      expect(line(101, ipv4(17, hex('0001 0002 0003 0000 61626364')))).toContain('UDP 1 > 2 length 3 [UdpLength]')
      const mapped = hex('60000000 0000 3b40 00000000000000000000ffff01020304 00000000000000000000ffff05060708')
      expect(line(101, mapped)).toContain('IPv6 ::ffff:1.2.3.4 > ::ffff:5.6.7.8')
    },
  )
})
