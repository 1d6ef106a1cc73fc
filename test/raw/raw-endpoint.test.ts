/** Raw endpoints by themselves; `test/differential/raw.test.ts` compares them with the kernel's. */
import { describe, expect, test } from 'vitest'
import { Address } from '../../src/base/address.ts'
import { ChecksumState, Packet } from '../../src/base/packet.ts'
import type { IcmpError } from '../../src/ip/icmp/icmp-error.ts'
import type { RawOptions } from '../../src/raw/raw-options.ts'
import type { RawMessage } from '../../src/raw/raw-queue.ts'
import { dropCount, HOST4, HOST6, makeHost, open, PEER4, PEER6 } from '../host.ts'
import {
  checksumsHold,
  datagram,
  destination,
  dontFragment,
  flowLabel,
  fragmentHeader,
  hex,
  hopLimit,
  icmpKind,
  icmpPacket,
  identification,
  ipOptions,
  ipv4,
  ipv6,
  pattern,
  protocol,
  source,
  trafficClass,
  udp,
  udpChecksum,
  upper,
} from '../packet.ts'

const OWN = 253
const peers = { 4: PEER4, 6: PEER6 } as const
const hosts = { 4: HOST4, 6: HOST6 } as const

function packetOf(family: 4 | 6, payload: Uint8Array, next = OWN, ends = {}): Uint8Array {
  return family === 4 ? ipv4(payload, { protocol: next, ...ends }) : ipv6(payload, { next, ...ends })
}

/** A host with a raw endpoint that keeps what it gets. */
function listening(options: RawOptions, host = makeHost()) {
  const messages: Uint8Array[] = []
  const errors: { error: IcmpError; errno: string; quoted: string }[] = []
  const raw = host.stack.openRaw({
    receive: (packet) => messages.push(packet.copy()),
    icmp: (error, errno, quoted) => errors.push({ error, errno, quoted: hex(quoted) }),
    ...options,
  })
  return { ...host, raw, messages, errors }
}

async function take(messages: AsyncIterable<RawMessage>, count: number): Promise<RawMessage[]> {
  const taken: RawMessage[] = []
  for await (const message of messages) if (taken.push(message) === count) break
  return taken
}

describe.each([4, 6] as const)('a raw endpoint over IPv%i', (family) => {
  test('takes what nobody else speaks, which is then not answered', () => {
    const { raw, link, stack, messages } = listening({ family, protocol: OWN })
    link.receive(packetOf(family, pattern(20)))
    expect(messages).toEqual([pattern(20)])
    expect(link.take()).toEqual([])
    expect(stack.drops).toEqual([])
    raw.close()
    link.receive(packetOf(family, pattern(20)))
    expect(messages.length).toBe(1)
    expect(link.take().map(icmpKind)).toEqual([family === 4 ? [3, 2] : [4, 1]])
    expect(dropCount(stack, 'IpUnknownProtocol')).toBe(1)
  })

  test('gets a copy of a datagram that its socket gets, too', () => {
    const { stack, link, messages } = listening({ family, protocol: 17 })
    const { mailbox } = open(stack, family, 7)
    link.receive(datagram([1, 2, 3], family))
    expect(messages.map(hex)).toEqual([hex(udp([1, 2, 3], family))])
    expect(mailbox.received.map(({ payload }) => payload)).toEqual([Uint8Array.of(1, 2, 3)])
  })

  test('does not touch what is behind it: a listener may move the bounds of the packet', () => {
    const host = makeHost()
    host.stack.openRaw({
      family,
      protocol: 17,
      receive: (packet) => {
        packet.start = packet.end
        packet.end = 0
      },
    })
    const { mailbox } = open(host.stack, family, 7)
    host.link.receive(datagram([1, 2, 3], family))
    expect(mailbox.received.map(({ payload }) => payload)).toEqual([Uint8Array.of(1, 2, 3)])
  })

  test('sees the checksum that a device left out', () => {
    const { link, messages } = listening({ family, protocol: 17 })
    const whole = datagram(pattern(9), family)
    const at = family === 4 ? 26 : 46
    const packet = new Packet().load(whole)
    packet.bytes.set([0, 0], packet.start + at)
    packet.checksumState = ChecksumState.Partial
    link.receivePacket(packet)
    expect(messages.map(hex)).toEqual([hex(upper(whole))])
  })

  test('gives messages one by one, with their header and what it says', async () => {
    const { link, stack, nic } = makeHost()
    const raw = stack.openRaw({ family, protocol: OWN })
    const fields = family === 4 ? { ttl: 9, tos: 0xb8 } : { hopLimit: 9, trafficClass: 0xb8, flowLabel: 0x12345 }
    const packet = packetOf(family, pattern(8), OWN, fields)
    link.receive(packet)
    const [message] = await take(raw, 1)
    const header = family === 4 ? 20 : 40
    expect(message).toEqual({
      payload: pattern(8),
      header: packet.slice(0, header),
      source: Address.parse(peers[family]),
      destination: Address.parse(hosts[family]),
      nic: nic.index,
      hopLimit: 9,
      tos: 0xb8,
      flowLabel: family === 4 ? 0 : 0x12345,
      fragments: 1,
    })
  })

  test('gives a reassembled packet as one', async () => {
    const { link, stack } = makeHost()
    const raw = stack.openRaw({ family, protocol: OWN })
    const parts = [pattern(64).subarray(0, 48), pattern(64).subarray(48)] as const
    for (const [index, part] of parts.entries())
      link.receive(
        family === 4
          ? ipv4(part, { protocol: OWN, offset: index * 48, moreFragments: index === 0 })
          : ipv6([...fragmentHeader(OWN, index * 48, index === 0), ...part], { next: 44 }),
      )
    const [message] = await take(raw, 1)
    expect([message?.payload, message?.fragments, message?.header.length]).toEqual([
      pattern(64),
      2,
      family === 4 ? 20 : 40,
    ])
  })

  test('ends its iterations when it is closed, and when the stack is, after what waits', async () => {
    const { link, stack } = makeHost()
    const [one, other] = [stack.openRaw({ family, protocol: OWN }), stack.openRaw({ family, protocol: OWN + 1 })]
    const waiting = take(other, 5)
    link.receive(packetOf(family, pattern(1)), packetOf(family, pattern(2)))
    one.close()
    expect((await take(one, 5)).map(({ payload }) => payload.length)).toEqual([1, 2])
    stack.close()
    expect(await waiting).toEqual([])
    expect([other.closed, other.send(pattern(1), peers[family])]).toEqual([true, 'EBADF'])
    const late = stack.openRaw({ family, protocol: OWN })
    expect([late.closed, await take(late, 1)]).toEqual([true, []])
  })

  test('discards what has no room, with a name, and takes more when there is some again', async () => {
    const { link, stack } = makeHost()
    const raw = stack.openRaw({ family, protocol: OWN })
    raw.receiveBuffer = 2000
    const packet = packetOf(family, pattern(400))
    link.receive(packet, packet, packet)
    expect(dropCount(stack, 'IpRawReceiveBuffer')).toBe(1)
    // The endpoint speaks the protocol: nobody is told that there is none.
    expect(link.take()).toEqual([])
    await take(raw, 2)
    link.receive(packet)
    expect((await take(raw, 1)).length).toBe(1)
  })

  test('hands its messages to one listener, or to iterations, not to both', () => {
    const { raw } = listening({ family, protocol: OWN })
    expect(() => raw[Symbol.asyncIterator]()).toThrow('open it without receive to iterate over them')
  })

  test('hears of errors with the bytes that they quote', () => {
    const { link, errors } = listening({ family, protocol: OWN })
    const mine = packetOf(family, pattern(16), OWN, { source: hosts[family], destination: peers[family] })
    const [type, code] = family === 4 ? [3, 2] : [4, 1]
    link.receive(icmpPacket(type, code, family === 4 ? 0 : 40, mine, family))
    expect(errors).toEqual([
      {
        errno: '',
        quoted: hex(pattern(16)),
        error: {
          family,
          type,
          code,
          mtu: 0,
          pointer: family === 4 ? 0 : 40,
          offender: Address.parse(peers[family]),
          destination: Address.parse(peers[family]),
          destinationPort: 0,
          source: Address.parse(hosts[family]),
          sourcePort: 0,
          extensions: [],
        },
      },
    ])
  })

  test('learns the MTU of a path, and asks for it', () => {
    const { link, raw } = listening({ family, protocol: OWN })
    expect([raw.pathMtu(peers[family]), raw.connect(peers[family])]).toEqual([1500, ''])
    const mine = packetOf(family, pattern(1400), OWN, { source: hosts[family], destination: peers[family] })
    link.receive(icmpPacket(family === 4 ? 3 : 2, family === 4 ? 4 : 0, 1300, mine.slice(0, 548), family))
    expect(raw.pathMtu(peers[family])).toBe(1300)
    raw.pmtuMode = 2
    expect(raw.send(pattern(1290), null)).toBe('EMSGSIZE')
  })

  test('leaves the path of a datagram to UDP, which knows its sender', () => {
    const { link, raw, stack } = listening({ family, protocol: 17 })
    const mine = packetOf(family, udp(pattern(1400), family, { sourcePort: 9 }), 17, {
      source: hosts[family],
      destination: peers[family],
    })
    const tooBig = icmpPacket(family === 4 ? 3 : 2, family === 4 ? 4 : 0, 1300, mine.slice(0, 548), family)
    link.receive(tooBig)
    expect(raw.pathMtu(peers[family])).toBe(1300)
    expect(stack.drops).toEqual([])
  })

  test('sends with the settings of one packet, which go before its own', () => {
    const { link, raw } = listening({ family, protocol: OWN })
    raw.hopLimit = 9
    raw.tos = 4
    expect(raw.send(pattern(4), peers[family])).toBe('')
    expect(raw.send(pattern(4), Address.parse(peers[family]), { hopLimit: 3, tos: 8, flowLabel: 77 })).toBe('')
    const [one, two] = link.take() as [Uint8Array, Uint8Array]
    expect([one, two].map((each) => [protocol(each), source(each), destination(each)])).toEqual(
      Array(2).fill([OWN, hosts[family], peers[family]]),
    )
    expect([one, two].map((each) => [hopLimit(each), trafficClass(each)])).toEqual([
      [9, 4],
      [3, 8],
    ])
    expect(upper(one)).toEqual(pattern(4))
    if (family === 6) expect([flowLabel(one) !== 0, flowLabel(two)]).toEqual([true, 77])
    else expect([dontFragment(one), identification(one)]).toEqual([true, 0])
  })

  test.each([{ hopLimit: 256 }, { hopLimit: -1 }, { tos: 256 }, { tos: 1.5 }, { flowLabel: 0x10_0000 }])(
    'refuses %o for one packet',
    (options) => {
      const { link, raw } = listening({ family, protocol: OWN })
      expect(raw.send(pattern(4), peers[family], options)).toBe('EINVAL')
      expect(link.take()).toEqual([])
    },
  )

  test('refuses malformed addresses with their text', () => {
    const { raw } = listening({ family, protocol: OWN })
    expect(() => raw.send(pattern(4), '300.1.1.1')).toThrow('300.1.1.1')
    expect(() => raw.bind('x')).toThrow(TypeError)
    expect(() => raw.connect('x')).toThrow(TypeError)
  })

  test('forgets the peer and the address that came with it', () => {
    const { raw } = listening({ family, protocol: OWN })
    expect(raw.connect(peers[family])).toBe('')
    expect([raw.localAddress.toString(), raw.remoteAddress?.toString()]).toEqual([hosts[family], peers[family]])
    expect(raw.bind(hosts[family])).toBe('EINVAL')
    raw.disconnect()
    expect([raw.localAddress.isUnspecified, raw.remoteAddress]).toEqual([true, null])
    expect([raw.bind(hosts[family]), raw.connect(peers[family])]).toEqual(['', ''])
    raw.disconnect()
    expect(raw.localAddress.toString()).toBe(hosts[family])
  })

  test('keeps its peer when another one cannot be reached', () => {
    const { raw, stack } = listening({ family, protocol: OWN })
    const near = family === 4 ? '198.51.100.9' : '2001:db8:b::9'
    expect(raw.connect(near)).toBe('')
    for (const route of stack.routes) if (route.gateway !== null) stack.removeRoute(route)
    expect(raw.connect(peers[family])).toBe('ENETUNREACH')
    expect(raw.connect(family === 4 ? PEER6 : PEER4)).toBe('EAFNOSUPPORT')
    expect(raw.remoteAddress?.toString()).toBe(near)
  })

  test('keeps to a nic', () => {
    const host = makeHost()
    const { raw, messages } = listening({ family, protocol: OWN }, host)
    raw.boundNic = host.nic.index + 1
    host.link.receive(packetOf(family, pattern(1)))
    raw.boundNic = host.nic.index
    host.link.receive(packetOf(family, pattern(2)))
    expect(messages).toEqual([pattern(2)])
  })

  test('takes whole packets for protocol 255 or when it is told to, and sends them as they are', () => {
    const { link, stack } = makeHost()
    const raw = stack.openRaw({ family, protocol: 255 })
    expect([raw.headerIncluded, stack.openRaw({ family, protocol: 1 }).headerIncluded]).toEqual([true, false])
    const packet = packetOf(family, pattern(7), 99, { source: '203.0.113.9', destination: peers[family], ttl: 0 })
    if (family === 6) packet.set(Address.parse('2001:db8:7::9').toBytes(), 8)
    // Without an address and a peer, the header says where it goes.
    expect(raw.send(packet)).toBe('')
    expect(link.take().map(hex)).toEqual([hex(packet)])
  })

  test('never takes more than the link can send for a whole packet', () => {
    const { link, stack } = makeHost()
    const raw = stack.openRaw({ family, protocol: 255 })
    const of = (length: number) =>
      packetOf(family, pattern(length), 99, { source: hosts[family], destination: peers[family] })
    const header = family === 4 ? 20 : 40
    expect(raw.send(of(1500 - header))).toBe('')
    expect(raw.send(of(1501 - header))).toBe('EMSGSIZE')
    expect(raw.send(pattern(header - 1), peers[family])).toBe('EINVAL')
    expect(link.take().length).toBe(1)
  })

  test('tells what the link says of a packet', () => {
    const { link, raw, stack } = listening({ family, protocol: OWN })
    link.answer = 2
    expect(raw.send(pattern(4), peers[family])).toBe('ENOBUFS')
    link.answer = 1
    expect(raw.send(pattern(4), peers[family])).toBe('ENETDOWN')
    expect(dropCount(stack, 'LinkDown')).toBe(1)
  })

  test('is opened and closed while another one listens', () => {
    const host = makeHost()
    const heard: string[] = []
    const first = host.stack.openRaw({
      family,
      protocol: OWN,
      receive: () => {
        heard.push('first')
        second.close()
        host.stack.openRaw({ family, protocol: OWN, receive: () => heard.push('third') })
      },
    })
    const second = host.stack.openRaw({ family, protocol: OWN, receive: () => heard.push('second') })
    host.link.receive(packetOf(family, pattern(1)))
    expect(heard).toEqual(['first'])
    first.close()
    host.link.receive(packetOf(family, pattern(1)))
    expect(heard).toEqual(['first', 'third'])
  })

  test('hears of no error any more when another one has closed it', () => {
    const host = makeHost()
    const heard: string[] = []
    host.stack.openRaw({
      family,
      protocol: OWN,
      icmp: () => {
        heard.push('first')
        second.close()
      },
    })
    const second = host.stack.openRaw({ family, protocol: OWN, icmp: () => heard.push('second') })
    const mine = packetOf(family, pattern(16), OWN, { source: hosts[family], destination: peers[family] })
    const [type, code] = family === 4 ? [3, 2] : [4, 1]
    host.link.receive(icmpPacket(type, code, family === 4 ? 0 : 40, mine, family))
    expect(heard).toEqual(['first'])
  })
})

describe('a raw endpoint', () => {
  test('writes and verifies the checksum of an upper layer over IPv6', () => {
    const { link, raw, messages, stack } = listening({ family: 6, protocol: 17, checksumOffset: 6 })
    const message = udp(pattern(9), 6, { source: HOST6, destination: PEER6, checksum: 0xffff })
    expect(raw.send(message, PEER6)).toBe('')
    const [sent] = link.take() as [Uint8Array]
    expect(checksumsHold(sent)).toBe(true)
    expect(udpChecksum(sent)).not.toBe(0xffff)
    link.receive(datagram([1], 6), datagram([2], 6, { checksum: 0x1234 }))
    expect(messages.map((each) => each[8])).toEqual([1])
    expect(dropCount(stack, 'IpRawChecksum')).toBe(1)
    expect(raw.send(pattern(7), PEER6)).toBe('EINVAL')
  })

  test('adds IPv4 options, in which a source route begins with the first hop', () => {
    const { link, raw } = listening({ family: 4, protocol: OWN })
    expect(raw.setIpOptions(Uint8Array.of(131, 7, 4, 192, 0, 2, 77))).toBe('')
    expect(raw.send(pattern(4), PEER4)).toBe('')
    const [sent] = link.take() as [Uint8Array]
    expect([destination(sent), hex(ipOptions(sent))]).toEqual(['192.0.2.77', '830704c000020a00'])
    expect(checksumsHold(sent)).toBe(true)
  })

  test('with a link-local peer keeps to its link, and asks which one it is', () => {
    const { raw, messages, link, nic } = listening({ family: 6, protocol: OWN })
    expect(raw.connect('fe80::9')).toBe('EINVAL')
    expect(raw.connect('fe80::9', nic.index)).toBe('')
    link.receive(ipv6(pattern(3), { next: OWN, source: 'fe80::9', destination: 'fe80::20' }))
    expect(messages).toEqual([pattern(3)])
    expect(raw.send(pattern(4), null)).toBe('')
    expect(link.take().map((each) => source(each))).toEqual(['fe80::20'])
  })

  test('believes a redirect about its own packets', () => {
    const { link, raw, stack } = listening({ family: 4, protocol: OWN })
    expect(raw.send(pattern(8), PEER4)).toBe('')
    const [mine] = link.take() as [Uint8Array]
    link.receive(icmpPacket(5, 1, 0xc6336463, mine, 4, { source: '198.51.100.1' }))
    expect(stack.drops).toEqual([])
    expect(stack.pathTo(PEER4)?.route.gateway?.toString()).toBe('198.51.100.99')
    raw.close()
    link.receive(icmpPacket(5, 1, 0xc6336462, mine, 4, { source: '198.51.100.1' }))
    expect(dropCount(stack, 'IcmpUnmatched')).toBe(1)
  })
})
