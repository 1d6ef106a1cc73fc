/**
 * What RFC 4787, 5508, 6864 and 7857 ask of a NAT, requirement by requirement, as far as
 * nat.test.ts and nat-tcp.test.ts do not show it.
 */
import { afterEach, describe, expect, test } from 'vitest'
import { Drop } from '../../../src/base/drop.ts'
import { readCapture } from '../../../src/link/capture/capture-reader.ts'
import type { NatBehaviour } from '../../../src/network/nat/nat-options.ts'
import { Network } from '../../../src/network/network.ts'
import type { NatSettings } from '../../../src/network/settings.ts'
import type { Stack } from '../../../src/stack.ts'
import * as packets from '../../packet.ts'
import { listen } from '../host.ts'
import { sendTransport, TcpEnd } from '../transport-end.ts'

let network: Network
afterEach(() => network.close())

const [IN1, IN2, OUTSIDE, OUT1] = ['192.168.0.1', '192.168.1.1', '203.0.113.1', '198.51.100.2']
const FREE = { icmpRateLimit: false, icmpRateLimitPerDestination: false } as const

/** in1, in2 – gate – core – out1, out2. */
async function make(settings: Partial<NatSettings> = {}, outsideMtu = 1500) {
  network = new Network({ seed: 1 })
  const hosts = ['in1', 'in2', 'out1', 'out2'].map((name) => network.host(name, FREE))
  network.router('gate', FREE)
  network.router('core', FREE)
  network.connect('in1', 'gate', { subnet: '192.168.0.0/24' })
  network.connect('in2', 'gate', { subnet: '192.168.1.0/24' })
  network.connect('gate', 'core', { subnet: '203.0.113.0/24', mtu: outsideMtu })
  network.connect('core', 'out1', { subnet: '198.51.100.0/24' })
  network.connect('core', 'out2', { subnet: '198.51.101.0/24' })
  const nat = network.nat('gate', { outside: 'core', ...settings })
  // The routes are there from here on.
  await network.run()
  const [in1, in2, out1, out2] = hosts as [Stack, Stack, Stack, Stack]
  return { nat, in1, in2, out1, out2 }
}

/** The ICMP errors that a socket hears of. */
function errorsAt({ socket }: ReturnType<typeof listen>): string[] {
  const errors: string[] = []
  socket.on('icmp', ({ type, code, offender }) => errors.push(`${type}.${code} ${offender}`))
  return errors
}

/** The packets that leave the NAT on its cable, in order. */
function outsidePackets(): () => packets.Bytes[] {
  const chunks: Uint8Array[] = []
  network.capture((chunk) => chunks.push(chunk), { of: ['gate-core'] })
  return () =>
    [...readCapture(Buffer.concat(chunks))]
      .filter(({ bytes, direction }) => direction === 'out' && packets.source(bytes) === OUTSIDE)
      .map(({ bytes }) => bytes)
}

const BEHAVIOURS: NatBehaviour[] = ['endpoint-independent', 'address-dependent', 'address-and-port-dependent']
/** How much of the remote end a behaviour depends on. */
const depth = (behaviour: NatBehaviour) => BEHAVIOURS.indexOf(behaviour)

describe.each(BEHAVIOURS)('RFC 4787 REQ-1 and REQ-8: %s mapping', (mapping) => {
  test.each(BEHAVIOURS)('with %s filtering', async (filtering) => {
    const { in1, out1, out2 } = await make({ mapping, filtering })
    const servers = [listen(network, out1, 9), listen(network, out1, 10), listen(network, out2, 9)]
    const client = listen(network, in1, 5000)
    client.socket.send('x', 9, 'out1')
    await network.run()
    // Everybody answers to the port that the first one saw.
    for (const [at, { socket }] of servers.entries()) socket.send(`from ${at}`, 5000, OUTSIDE)
    await network.run()
    expect(client.received.map(({ text }) => text)).toEqual(
      ['from 0', 'from 1', 'from 2'].filter((_, at) => [true, depth(filtering) < 2, depth(filtering) < 1][at]),
    )
    client.socket.send('x', 10, 'out1')
    client.socket.send('x', 9, 'out2')
    await network.run()
    const ports = servers.map(({ received }) => received[0]?.info.port)
    expect(ports.map((port) => port === 5000)).toEqual([true, depth(mapping) < 2, depth(mapping) < 1])
  })
})

describe('RFC 4787', () => {
  test('REQ-10: a payload that names inside addresses is left alone', async () => {
    const { in1, out1 } = await make()
    const server = listen(network, out1, 5060)
    const text = `Via: SIP/2.0/UDP ${IN1}:5060`
    listen(network, in1, 5060).socket.send(text, 5060, 'out1')
    await network.run()
    expect(server.received.map((each) => each.text)).toEqual([text])
  })

  test('REQ-11: a host whose port is taken gets the same mapping and filtering as the first', async () => {
    const { in1, in2, out1, out2 } = await make()
    const [one, two] = [listen(network, out1, 9), listen(network, out2, 9)]
    const clients = [in1, in2].map((host) => listen(network, host, 5000))
    for (const name of ['out1', 'out2']) for (const { socket } of clients) socket.send('x', 9, name)
    await network.run()
    const ports = [one, two].map(({ received }) => received.map(({ info }) => info.port))
    expect(ports[0]).toEqual(ports[1])
    const stranger = listen(network, out1, 10)
    for (const port of ports[0] ?? []) stranger.socket.send('uninvited', port, OUTSIDE)
    await network.run()
    expect(clients.map(({ received }) => received)).toEqual([[], []])
  })

  test('REQ-12 a: an error comes in from whatever address, past the strictest filter', async () => {
    const { in1 } = await make({ filtering: 'address-and-port-dependent' })
    const client = listen(network, in1, 5000)
    const errors = errorsAt(client)
    await network.run()
    client.socket.setTTL(2)
    client.socket.send('x', 9, 'out1')
    await network.run()
    expect(errors).toEqual(['11.0 203.0.113.2'])
  })

  test('REQ-13: what is too long for the outside draws Fragmentation Needed, or is fragmented in order', async () => {
    const { in1, out1 } = await make({}, 1000)
    const seen = outsidePackets()
    const server = listen(network, out1, 9)
    const client = listen(network, in1, 5000)
    const errors = errorsAt(client)
    client.socket.send(new Uint8Array(1400), 9, 'out1')
    await network.run()
    expect(errors).toEqual(['3.4 192.168.0.2'])
    expect(server.received).toEqual([])
    sendTransport(
      in1,
      IN1,
      OUT1,
      17,
      packets.udp(new Uint8Array(1400), 4, { source: IN1, destination: OUT1, sourcePort: 5000, destinationPort: 9 }),
    )
    await network.run()
    expect(server.received.map(({ text, from }) => [text, from])).toEqual([['1400 bytes', `${OUTSIDE}:5000`]])
    const offsets = seen().map(packets.fragmentOffset)
    expect(offsets).toEqual([0, 976])
  })

  test('REQ-14 a: a flood of fragments without their others keeps nobody from sending', async () => {
    const { in1, in2, out1 } = await make()
    const server = listen(network, out1, 9)
    const attacker = in2.ip.identification
    for (let i = 0; i < 3000; i++) {
      Object.assign(attacker, { next: () => i })
      const cable = network.cable('in2', 'gate')
      if (i === 0) cable.impair({ loss: { frames: Array.from({ length: 3000 }, (_, at) => 2 * at + 2) } }, 'in2')
      sendTransport(
        in2,
        IN2,
        OUT1,
        17,
        packets.udp(new Uint8Array(2000), 4, { source: IN2, destination: OUT1, destinationPort: 9 }),
      )
    }
    await network.runFor('1s')
    const client = listen(network, in1, 5000)
    client.socket.send('short', 9, 'out1')
    client.socket.send(new Uint8Array(4000), 9, 'out1')
    await network.runFor('1s')
    expect(server.received.map(({ text }) => text)).toEqual(['short', '4000 bytes'])
  })
})

describe('RFC 5508', () => {
  test('REQ-1: a query other than an echo, a timestamp request, is translated and answered', async () => {
    const { in1, in2, out1, nat } = await make({ preservePorts: false })
    const seen = outsidePackets()
    const answers: string[] = []
    const chunks: Uint8Array[] = []
    network.capture((chunk) => chunks.push(chunk), { of: ['in1-gate', 'in2-gate'] })
    const query = packets.icmp(13, 0, 0x0007_0001, new Uint8Array(12), 4)
    sendTransport(in1, IN1, OUT1, 1, query)
    sendTransport(in2, IN2, OUT1, 1, query)
    await network.run()
    for (const { bytes, direction } of readCapture(Buffer.concat(chunks)))
      if (direction === 'out' && packets.icmpType(bytes) === 14)
        answers.push(
          `${packets.destination(bytes)} ${packets.icmpRest(bytes).toString(16)} ${packets.checksumsHold(bytes)}`,
        )
    expect(answers.sort()).toEqual([`${IN1} 70001 true`, `${IN2} 70001 true`])
    const identifiers = seen().map((each) => packets.icmpRest(each) >>> 16)
    expect(new Set(identifiers).size).toBe(2)
    expect(nat.mappings.map(({ protocol }) => protocol)).toEqual(['icmp', 'icmp'])
    expect(out1.counters.four.IcmpInTimestamps).toBe(2)
  })

  test('REQ-1 a: one identifier has one mapping, whatever hosts outside are asked', async () => {
    const { in1, nat } = await make({ preservePorts: false })
    const seen = outsidePackets()
    const query = packets.icmp(13, 0, 0x0007_0001, new Uint8Array(12), 4)
    for (const host of [OUT1, '198.51.101.2']) sendTransport(in1, IN1, host, 1, query)
    await network.run()
    expect(nat.mappings.map(({ inside }) => inside)).toEqual([`${IN1}:7`])
    const left = seen()
    expect(left.map((each) => packets.destination(each))).toEqual([OUT1, '198.51.101.2'])
    expect(new Set(left.map((each) => packets.icmpRest(each) >>> 16)).size).toBe(1)
  })

  /** An inside host has sent from port 5000 to out1:9; an error about that comes in. */
  async function errorAbout(quote: packets.Ipv4Fields & packets.UdpFields, fields: { checksum?: number } = {}) {
    const { in1, out1 } = await make()
    listen(network, out1, 9)
    const client = listen(network, in1, 5000)
    const errors = errorsAt(client)
    client.socket.send('x', 9, 'out1')
    await network.run()
    const ends = { source: OUTSIDE, destination: OUT1, sourcePort: 5000, destinationPort: 9 }
    const quoted = packets.datagram([1], 4, { ...ends, ...quote })
    sendTransport(out1, OUT1, OUTSIDE, 1, packets.icmp(3, 1, 0, quoted, 4, fields))
    await network.run()
    return { errors, drops: network.drops('gate').map(({ reason, count }) => `${reason} ${count}`) }
  }

  test('REQ-3: an error with a wrong checksum is dropped in silence', async () => {
    expect(await errorAbout({})).toEqual({ errors: [`3.1 ${OUT1}`], drops: [] })
    network.close()
    expect(await errorAbout({}, { checksum: 0x1234 })).toEqual({ errors: [], drops: ['IcmpChecksum 1'] })
  })

  test('REQ-3 a: so is one that quotes a header with a wrong checksum', async () => {
    expect(await errorAbout({ headerChecksum: 0x1234 })).toEqual({ errors: [], drops: ['IcmpChecksum 1'] })
  })

  test('REQ-3 b, c: the ports behind options are found, and the checksum that is quoted may be wrong', async () => {
    expect(await errorAbout({ options: [1, 1, 1, 1], checksum: 0x1234 })).toEqual({
      errors: [`3.1 ${OUT1}`],
      drops: [],
    })
  })

  test('REQ-4: an error that no mapping asked for goes no further', async () => {
    expect((await errorAbout({ sourcePort: 6000 })).errors).toEqual([])
  })

  test('REQ-5: an error from inside about what never came in does not leave', async () => {
    const { in1 } = await make()
    const seen = outsidePackets()
    const quoted = packets.datagram([1], 4, { source: OUT1, destination: IN1, sourcePort: 9, destinationPort: 5000 })
    sendTransport(in1, IN1, OUT1, 1, packets.icmp(3, 3, 0, quoted, 4))
    await network.run()
    expect(seen()).toEqual([])
    expect(network.drops('gate')).toMatchObject([{ reason: 'WireNatUnmapped', count: 1 }])
  })

  test('REQ-8: who finds no free port is told so, by Administratively Prohibited', async () => {
    const { in1, in2, out1 } = await make()
    listen(network, out1, 9)
    // All even well-known ports.
    for (let port = 2; port < 1024; port += 2) listen(network, in1, port).socket.send('x', 9, 'out1')
    await network.run()
    const late = listen(network, in2, 10)
    const errors = errorsAt(late)
    late.socket.send('y', 9, 'out1')
    late.socket.send('and back', 2, OUTSIDE)
    await network.run()
    expect(errors).toEqual(['3.13 192.168.1.2', `3.13 ${OUTSIDE}`])
    expect(network.explain(network.datagrams({ from: 'in2' })[0] ?? 0)).toContain('WireNatUnmapped')
  })

  test('REQ-10: the NAT itself answers echoes, and says when the hop limit ends at it', async () => {
    const { in1, out1 } = await make()
    const replies: string[] = []
    for (const [name, host, to] of [
      ['in1', in1, '192.168.0.2'],
      ['out1', out1, OUTSIDE],
    ] as const) {
      const { Address } = await import('../../../src/base/address.ts')
      const echo = host.ip.icmp.openEcho(4, { reply: () => replies.push(name), error: () => {} })
      echo.send(Address.parse(to), 1, new Uint8Array(8))
    }
    const client = listen(network, in1, 5000)
    const errors = errorsAt(client)
    await network.run()
    client.socket.setTTL(1)
    client.socket.send('x', 9, 'out1')
    await network.run()
    expect(replies.sort()).toEqual(['in1', 'out1'])
    expect(errors).toEqual(['11.0 192.168.0.2'])
  })
})

describe('RFC 7857', () => {
  test('section 5: TCP and UDP of one inside port have mappings of their own', async () => {
    const { in1, out1, nat } = await make()
    listen(network, in1, 5000).socket.send('x', 9, 'out1')
    new TcpEnd(out1, OUT1, () => network.now)
    new TcpEnd(in1, IN1, () => network.now).send(5000, `${OUT1}:80`, 2)
    await network.run()
    expect(nat.mappings.map(({ protocol, inside, left }) => [protocol, inside, left > 0])).toEqual([
      ['tcp', `${IN1}:5000`, true],
      ['udp', `${IN1}:5000`, true],
    ])
  })

  test('section 6: who may send to a UDP mapping may not send TCP to its port, nor the other way', async () => {
    const { in1, out1 } = await make({ filtering: 'endpoint-independent' })
    const client = listen(network, in1, 5000)
    client.socket.send('x', 9, 'out1')
    const inside = new TcpEnd(in1, IN1, () => network.now)
    inside.send(6000, `${OUT1}:80`, 2)
    await network.run()
    const outside = new TcpEnd(out1, OUT1, () => network.now)
    outside.send(80, `${OUTSIDE}:5000`, 2)
    outside.send(80, `${OUTSIDE}:6000`, 2)
    const server = listen(network, out1, 9)
    server.socket.send('to the port of TCP', 6000, OUTSIDE)
    server.socket.send('to its own', 5000, OUTSIDE)
    await network.runFor('1s')
    expect(client.received.map(({ text }) => text)).toEqual(['to its own'])
    expect(network.drops('gate').map(({ reason, count }) => [reason, count])).toEqual([['WireNatUnmapped', 2]])
  })

  test('section 7: what the filter discards holds no mapping open, even where what comes in does', async () => {
    const { in1, out1, out2, nat } = await make({ timeout: '2m', inboundRefresh: true })
    const [server, stranger] = [listen(network, out1, 9), listen(network, out2, 9)]
    listen(network, in1, 5000).socket.send('x', 9, 'out1')
    network.at('60s', () => server.socket.send('an answer', 5000, OUTSIDE))
    for (const time of ['100s', '150s'] as const) network.at(time, () => stranger.socket.send('', 5000, OUTSIDE))
    await network.runFor('170s')
    // 2 minutes from the answer.
    expect(nat.mappings.map(({ left }) => Math.round(left / 1000))).toEqual([10])
    expect(network.drops('gate').map(({ reason, count }) => [reason, count])).toEqual([['WireNatFiltered', 2]])
  })

  test('section 7.1: the errors that an inside host sends about what comes in hold no mapping open', async () => {
    const { in1, out1, nat } = await make({ timeout: '2m' })
    const server = listen(network, out1, 9)
    const errors = errorsAt(server)
    const client = listen(network, in1, 5000)
    client.socket.send('x', 9, 'out1')
    await network.run()
    client.socket.close()
    network.at('100s', () => server.socket.send('nobody', 5000, OUTSIDE))
    await network.runFor('110s')
    expect(errors).toEqual([`3.3 ${OUTSIDE}`])
    expect(nat.mappings.map(({ left }) => left < 20_000)).toEqual([true])
  })

  test.each([
    [true, 0, 0],
    [false, 30, 70],
  ])('section 8: the parity of ports is kept where preserveParity is %s', async (preserveParity, least, most) => {
    const { in1, out1 } = await make({ preservePorts: false, preserveParity })
    const server = listen(network, out1, 9)
    for (let port = 20_000; port < 20_200; port += 2) listen(network, in1, port).socket.send('x', 9, 'out1')
    await network.run()
    expect(server.received).toHaveLength(100)
    const odd = server.received.filter(({ info }) => info.port % 2 === 1).length
    expect(odd).toBeGreaterThanOrEqual(least)
    expect(odd).toBeLessThanOrEqual(most)
  })

  test('section 12: the NAT answers requests to its address itself, also by the identifier of a mapping', async () => {
    const { in1, in2, out1, nat } = await make({ filtering: 'endpoint-independent' })
    const echo = (sequence: number) => packets.icmp(8, 0, 0x0007_0000 + sequence, new Uint8Array(8), 4)
    // Outside, the identifier 7 is in2's from here on.
    sendTransport(in2, IN2, OUT1, 1, echo(1))
    await network.run()
    expect(nat.mappings).toMatchObject([{ inside: `${IN2}:7`, outside: `${OUTSIDE}:7` }])
    const chunks: Uint8Array[] = []
    network.capture((chunk) => chunks.push(chunk), { of: ['in1-gate', 'in2-gate', 'core-out1'] })
    sendTransport(in1, IN1, OUTSIDE, 1, echo(2))
    sendTransport(out1, OUT1, OUTSIDE, 1, echo(3))
    await network.run()
    const seen = [...readCapture(Buffer.concat(chunks))]
      .filter(({ direction }) => direction === 'out')
      .map(({ bytes }) => [
        packets.icmpType(bytes),
        packets.source(bytes),
        packets.destination(bytes),
        packets.icmpRest(bytes).toString(16),
        packets.checksumsHold(bytes),
      ])
    expect(seen.sort()).toEqual([
      [0, OUTSIDE, IN1, '70002', true],
      [0, OUTSIDE, OUT1, '70003', true],
      [8, IN1, OUTSIDE, '70002', true],
      [8, OUT1, OUTSIDE, '70003', true],
    ])
    expect(nat.mappings).toHaveLength(1)
  })

  test('section 9: ports that are not kept are drawn at random', async () => {
    const { in1, out1 } = await make({ preservePorts: false })
    const server = listen(network, out1, 9)
    for (let port = 20_000; port < 20_200; port++) listen(network, in1, port).socket.send('x', 9, 'out1')
    await network.run()
    const ports = server.received.map(({ info }) => info.port)
    expect(new Set(ports).size).toBe(200)
    // Of 200 draws from 64512 ports the neighbors of neighbors are few, and all quarters have some.
    const steps = ports.slice(1).filter((port, at) => Math.abs(port - (ports[at] as number)) < 300)
    expect(steps.length).toBeLessThan(12)
    const quarters = new Set(ports.map((port) => Math.floor((port - 1024) / 16_128)))
    expect([...quarters].sort()).toEqual([0, 1, 2, 3])
  })
})

describe('RFC 6864 section 5.3.1, RFC 7857 section 10', () => {
  /** Both inside hosts give all their packets the same Identification. */
  function sameNumbers(...hosts: Stack[]): void {
    for (const { ip } of hosts) Object.assign(ip.identification, { next: () => 7 })
  }

  test('datagrams of two inside hosts with one Identification leave with two, and come together', async () => {
    const { in1, in2, out1 } = await make()
    const seen = outsidePackets()
    const server = listen(network, out1, 9)
    sameNumbers(in1, in2)
    for (const [host, source] of [
      [in1, IN1],
      [in2, IN2],
    ] as const) {
      const message = packets.udp(new Uint8Array(2000).fill(source === IN1 ? 1 : 2), 4, {
        source,
        destination: OUT1,
        sourcePort: 5000,
        destinationPort: 9,
      })
      expect(sendTransport(host, source, OUT1, 17, message)).toBe(Drop.None)
    }
    await network.run()
    expect(server.received.map(({ text }) => text)).toEqual(['2000 bytes', '2000 bytes'])
    const numbers = seen().map(packets.identification)
    expect(numbers).toHaveLength(4)
    expect(new Set(numbers).size).toBe(2)
    expect(
      seen().every(
        (each) => packets.checksumsHold(each) || packets.moreFragments(each) || packets.fragmentOffset(each) > 0,
      ),
    ).toBe(true)
  })

  test('so do those that turn back to the inside', async () => {
    const { in1, in2, out1 } = await make({ filtering: 'endpoint-independent' })
    const target = listen(network, in2, 6000)
    target.socket.send('x', 9, 'out1')
    await network.run()
    sameNumbers(in1, out1)
    const chunks: Uint8Array[] = []
    network.capture((chunk) => chunks.push(chunk), { of: ['in2-gate'] })
    for (const [host, source, port] of [
      [in1, IN1, 5000],
      [in1, IN1, 5001],
    ] as const)
      sendTransport(
        host,
        source,
        OUTSIDE,
        17,
        packets.udp([1], 4, { source, destination: OUTSIDE, sourcePort: port, destinationPort: 6000 }),
      )
    await network.run()
    expect(target.received.map(({ text }) => text.length)).toEqual([1, 1])
    const numbers = [...readCapture(Buffer.concat(chunks))]
      .filter(({ direction }) => direction === 'out')
      .map(({ bytes }) => packets.identification(bytes))
    expect(new Set(numbers).size).toBe(2)
  })

  test('an atomic datagram needs none, and keeps what it has', async () => {
    const { in1, out1 } = await make()
    const seen = outsidePackets()
    listen(network, out1, 9)
    listen(network, in1, 5000).socket.send('x', 9, 'out1')
    await network.run()
    expect(seen().map((each) => [packets.dontFragment(each), packets.checksumsHold(each)])).toEqual([[true, true]])
  })
})
