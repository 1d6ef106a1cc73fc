/** TCP and SCTP on their way through a network: filters, marks, faults, captures and lives. */
import { afterEach, describe, expect, test } from 'vitest'
import { Drop } from '../../../src/base/drop.ts'
import { Packet } from '../../../src/base/packet.ts'
import { describeLine, describe as inWords } from '../../../src/describe.ts'
import { readCapture } from '../../../src/link/capture/capture-reader.ts'
import { Network } from '../../../src/network/network.ts'
import * as ipv4 from '../../../src/wire/ipv4.ts'
import * as ipv6 from '../../../src/wire/ipv6.ts'
import * as tcp from '../../../src/wire/tcp.ts'
import { pattern, tcp as segment } from '../../packet.ts'
import { chain } from '../host.ts'
import { sendTransport, TcpEnd } from '../transport-end.ts'

let network: Network
afterEach(() => network.close())

async function make(family: 4 | 6 = 4) {
  network = new Network({ seed: 1 })
  const { a, b } = chain(network)
  await network.run()
  const now = () => network.now
  const [client, server] = [
    new TcpEnd(a, network.address('a', family), now),
    new TcpEnd(b, network.address('b', family), now),
  ]
  const to = family === 4 ? network.address('b') : `[${network.address('b', 6)}]`
  return { a, b, client, server, to }
}

describe.each([4, 6] as const)('a segment over IPv%s', (family) => {
  test('crosses routers as it is, delays and loss included, and explain tells of it', async () => {
    const { client, server, to } = await make(family)
    network.cable('r1', 'r2').impair({ delay: 5, loss: { frames: [2] } })
    for (let i = 0; i < 3; i++) client.send(5000, `${to}:80`, tcp.ACK | tcp.PSH, { sequence: i }, pattern(100))
    await network.run()
    expect(server.received.map(({ time, bytes }) => [time, bytes[7]])).toEqual([
      [5, 0],
      [5, 2],
    ])
    for (const { packet: bytes } of server.received) {
      const packet = new Packet().load(bytes)
      expect(family === 4 ? ipv4.parse(packet) : ipv6.parse(packet)).toBe(Drop.None)
      expect(tcp.parse(packet)).toBe(Drop.None)
    }
    const lives = network.datagrams({ protocol: 'tcp', port: 80 })
    expect(lives.map(({ packet }) => packet.flags)).toEqual(['P.', 'P.', 'P.'])
    expect(network.explain(lives[1] as (typeof lives)[number])).toMatch(
      /^datagram 2: TCP .*:5000 > .*:80 Flags \[P\.\], sent by a\n.*DROPPED at eth1: WireLoss/s,
    )
    expect(network.datagrams({ protocol: 'udp' })).toEqual([])
  })
})

test('segments are fragmented on the way, and are one datagram still', async () => {
  const { a, client, server, to } = await make()
  client.send(5000, `${to}:80`, tcp.ACK, {}, pattern(2000))
  await network.run()
  expect(server.received.map(({ bytes }) => bytes.length)).toEqual([2020])
  expect(network.datagrams({ protocol: 'tcp' })).toHaveLength(1)
  expect(network.explain({ from: 'a' })).toContain('fragment of')
  expect(a.drops).toEqual([])
})

test('filters know the ports of TCP and SCTP', async () => {
  const { a, b, client, server, to } = await make()
  const seen: string[] = []
  network.filter('r1', {
    drop: ({ protocol, destinationPort, flags }) => {
      seen.push(`${protocol} ${destinationPort} ${flags}`)
      return protocol === 6 && destinationPort === 81 && flags === 'S'
    },
  })
  client.send(5000, `${to}:80`, tcp.SYN)
  client.send(5000, `${to}:81`, tcp.SYN)
  client.send(5000, `${to}:81`, tcp.ACK)
  sendTransport(a, network.address('a'), network.address('b'), 132, Uint8Array.of(0, 7, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0))
  await network.run()
  expect(seen).toEqual(['6 80 S', '6 81 S', '6 81 .', '132 8 null'])
  expect(server.take()).toEqual([
    expect.stringMatching(/:80 S$/),
    expect.stringMatching(/:81 \.$/),
    expect.stringMatching(/:8 $/),
  ])
  expect(network.explain({ protocol: 'sctp' })).toMatch(/^datagram 4: SCTP .*:7 > .*:8, sent by a\n/)
  expect(b.drops.map(({ reason }) => reason)).toEqual(['IpUnknownProtocol'])
})

test.each([
  [['80/tcp'], [81, 4000]],
  [['80-81/tcp'], [4000]],
  [['tcp'], []],
  [['5000/tcp'], []],
  [
    ['80/udp', 'sctp', '82/tcp'],
    [80, 81, 4000],
  ],
] as const)('a filter that blocks %s lets pass what goes to %s', async (block, ports) => {
  const { client, server, to } = await make()
  network.filter('r1', { block })
  for (const port of [80, 81, 4000]) client.send(5000, `${to}:${port}`, tcp.SYN)
  await network.run()
  expect(server.received.map((each) => Number(each.to.split(':')[1]))).toEqual(ports)
  expect(network.drops('r1').reduce((sum, { count }) => sum + count, 0)).toBe(3 - ports.length)
})

test('what blocks nothing is refused, and told what would', async () => {
  await make()
  for (const entry of ['80', 'tcp/80', '80/icmp', '81-80/tcp', '65536/udp', ''])
    expect(() => network.filter('r1', { block: [entry] }), entry).toThrow(/80\/tcp|pattern|block/)
})

test('CoDel marks segments of a connection that has ECN, instead of dropping them', async () => {
  const { a, server } = await make()
  network.cable('r1', 'r2').impair({ rate: '1Mbit', queue: { codel: { ecn: true } } })
  const source = network.address('a')
  const destination = network.address('b')
  for (let i = 0; i < 100; i++)
    network.at(i * 4, () => {
      const bytes = segment(pattern(1000), 4, { source, destination, sequence: i })
      sendTransport(a, source, destination, 6, bytes, { tos: 2 })
    })
  await network.run()
  expect(server.received).toHaveLength(100)
  const marked = server.received.filter(({ tos }) => (tos & 3) === 3)
  expect(marked.length).toBeGreaterThan(1)
  for (const { packet: bytes } of marked) {
    const packet = new Packet().load(bytes)
    expect(ipv4.parse(packet)).toBe(Drop.None)
    expect(tcp.parse(packet)).toBe(Drop.None)
  }
})

test('a capture has the segments, and a dump shows them in tcpdump’s words', async () => {
  const { client, to } = await make()
  const chunks: Uint8Array[] = []
  network.capture((chunk) => chunks.push(chunk.slice()), { of: ['b'] })
  client.send(5000, `${to}:443`, tcp.SYN, { sequence: 9, window: 64_240, options: [2, 4, 5, 0xb4] })
  await network.run()
  const lines = [...readCapture(Buffer.concat(chunks))].map(({ bytes }) => describeLine(inWords(bytes)))
  expect(lines).toEqual([
    expect.stringMatching(/, TCP 5000 > 443 Flags \[S\], seq 9, win 64240, options \[mss 1460\], payload 0$/),
  ])
})
