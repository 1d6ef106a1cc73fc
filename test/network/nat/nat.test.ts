import { afterEach, describe, expect, test } from 'vitest'
import { Address, MAPPED } from '../../../src/base/address.ts'
import { Drop } from '../../../src/base/drop.ts'
import { HEADROOM, Packet } from '../../../src/base/packet.ts'
import { SeededRandom } from '../../../src/base/random.ts'
import type { Route } from '../../../src/ip/routing/route-table.ts'
import { Network } from '../../../src/network/network.ts'
import type { NatSettings } from '../../../src/network/settings.ts'
import * as icmpv4 from '../../../src/wire/icmpv4.ts'
import * as ipv4 from '../../../src/wire/ipv4.ts'
import * as udp from '../../../src/wire/udp.ts'
import { listen } from '../host.ts'

let network: Network
afterEach(() => network.close())

/**
 * Two hosts behind a NAT, and two servers in the outside: `in1` and `in2`, `gate`, `out1` and
 * `out2`.
 */
function make(settings: Partial<NatSettings> = {}, medium: 'ip' | 'ethernet' = 'ip') {
  network = new Network({ seed: 1 })
  const [in1, in2, out1, out2] = ['in1', 'in2', 'out1', 'out2'].map((name) =>
    network.host(name, { icmpRateLimit: false }),
  )
  network.router('gate')
  network.router('core')
  network.connect('in1', 'gate', { subnet: '192.168.0.0/24', medium })
  network.connect('in2', 'gate', { subnet: '192.168.1.0/24', medium })
  network.connect('gate', 'core', { subnet: '203.0.113.0/24', medium })
  network.connect('core', 'out1', { subnet: '198.51.100.0/24' })
  network.connect('core', 'out2', { subnet: '198.51.101.0/24' })
  const nat = network.nat('gate', { outside: 'core', ...settings })
  return { nat, in1, in2, out1, out2 } as { nat: typeof nat } & Record<
    'in1' | 'in2' | 'out1' | 'out2',
    NonNullable<typeof in1>
  >
}

const OUTSIDE = '203.0.113.1'

describe('a NAT', () => {
  test('gives what leaves the outside address, and answers their way back', async () => {
    const { in1, out1, nat } = make()
    const server = listen(network, out1, 9)
    const client = listen(network, in1, 5000)
    client.socket.send('question', 9, 'out1')
    await network.run()
    expect(server.received.map(({ text, from }) => [text, from])).toEqual([['question', `${OUTSIDE}:5000`]])
    server.socket.send('answer', 5000, OUTSIDE)
    await network.run()
    expect(client.received.map(({ text, from }) => [text, from])).toEqual([['answer', '198.51.100.2:9']])
    expect(nat.mappings).toEqual([
      { protocol: 'udp', inside: '192.168.0.1:5000', outside: `${OUTSIDE}:5000`, left: 300_000 },
    ])
    expect(network.explain(network.datagrams({ from: 'in1' })[0] ?? 0)).toContain(
      `NAT on eth2: 192.168.0.1:5000 > 198.51.100.2:9 becomes ${OUTSIDE}:5000 > 198.51.100.2:9`,
    )
  })

  test('shares no port: the second host with the same one gets another of the same parity', async () => {
    const { in1, in2, out1 } = make()
    const server = listen(network, out1, 9)
    for (const host of [in1, in2]) listen(network, host, 5001).socket.send('x', 9, 'out1')
    await network.run()
    const ports = server.received.map(({ info }) => info.port)
    expect(new Set(ports).size).toBe(2)
    expect(ports[0]).toBe(5001)
    expect((ports[1] as number) % 2).toBe(1)
    expect(ports[1]).toBeGreaterThan(1023)
  })

  test('works on Ethernet too', async () => {
    const { in1, out1 } = make({}, 'ethernet')
    const server = listen(network, out1, 9)
    const client = listen(network, in1, 5000)
    client.socket.send(new Uint8Array(4000), 9, 'out1')
    await network.runFor('5s')
    expect(server.received.map(({ text, from }) => [text, from])).toEqual([['4000 bytes', `${OUTSIDE}:5000`]])
    server.socket.send(new Uint8Array(5000), 5000, OUTSIDE)
    await network.runFor('5s')
    expect(client.received.map(({ text }) => text)).toEqual(['5000 bytes'])
  })

  test('lets nothing in to inside addresses, nor to ports that nobody has', async () => {
    const { in1, out1 } = make()
    const inside = listen(network, in1, 5000)
    const { socket } = listen(network, out1, 9)
    socket.send('x', 5000, '192.168.0.1')
    socket.send('y', 5000, OUTSIDE)
    await network.run()
    expect(inside.received).toEqual([])
    expect(network.drops('gate')).toMatchObject([{ nic: 'eth2', reason: 'WireNatUnmapped', count: 2 }])
  })

  test("leaves the router's own sockets their ports", async () => {
    const { in1, out1 } = make()
    const own = listen(network, network.stack('gate'), 5000)
    const server = listen(network, out1, 9)
    listen(network, in1, 5000).socket.send('x', 9, 'out1')
    server.socket.send('to the router', 5000, OUTSIDE)
    await network.run()
    expect(own.received.map(({ text }) => text)).toEqual(['to the router'])
    expect(server.received.map(({ info }) => info.port === 5000)).toEqual([false])
  })
})

test('a NAT without a free port drops what would need one, until mappings have ended', async () => {
  const { in1, in2, out1, nat } = make()
  const server = listen(network, out1, 9)
  // Even well-known ports: 511 there are, and the first host has them all.
  for (let port = 2; port < 1024; port += 2) listen(network, in1, port).socket.send('x', 9, 'out1')
  await network.run()
  expect(nat.mappings).toHaveLength(511)
  const late = listen(network, in2, 10)
  late.socket.send('y', 9, 'out1')
  await network.run()
  expect(server.received.filter(({ text }) => text === 'y')).toEqual([])
  expect(network.datagrams({ from: 'in2' })).toHaveLength(1)
  await network.runFor('6m')
  expect(nat.mappings).toEqual([])
  late.socket.send('y', 9, 'out1')
  await network.run()
  expect(server.received.filter(({ text }) => text === 'y').map(({ info }) => info.port)).toEqual([10])
})

describe('the mapping (RFC 4787 section 4.1)', () => {
  /** Outside ports of one inside endpoint towards out1:9, out1:10 and out2:9. */
  async function portsSeen(mapping: NatSettings['mapping'] & string) {
    const { in1, out1, out2 } = make({ mapping })
    const servers = [listen(network, out1, 9), listen(network, out1, 10), listen(network, out2, 9)]
    const { socket } = listen(network, in1, 5000)
    socket.send('x', 9, 'out1')
    socket.send('x', 10, 'out1')
    socket.send('x', 9, 'out2')
    await network.run()
    return servers.map(({ received }) => received[0]?.info.port)
  }

  test('endpoint-independent: one for all', async () => {
    expect(await portsSeen('endpoint-independent')).toEqual([5000, 5000, 5000])
  })

  test('address-dependent: one for each address', async () => {
    const [a, b, c] = await portsSeen('address-dependent')
    expect([a, b]).toEqual([5000, 5000])
    expect(c).not.toBe(5000)
  })

  test('address-and-port-dependent: one for each endpoint', async () => {
    const ports = await portsSeen('address-and-port-dependent')
    expect(new Set(ports).size).toBe(3)
  })
})

describe('the filtering (RFC 4787 section 5)', () => {
  /** Which of out1:9 (who was written to), out1:10 and out2:9 are heard. */
  async function heard(filtering: NatSettings['filtering'] & string) {
    const { in1, out1, out2 } = make({ filtering })
    const servers = [listen(network, out1, 9), listen(network, out1, 10), listen(network, out2, 9)]
    const { socket, received } = listen(network, in1, 5000)
    socket.send('x', 9, 'out1')
    await network.run()
    for (const server of servers) server.socket.send('y', 5000, OUTSIDE)
    await network.run()
    return {
      heard: received.map(({ from }) => from),
      drops: network.drops('gate').map(({ reason, count }) => [reason, count]),
    }
  }

  test('endpoint-independent: everybody', async () => {
    expect(await heard('endpoint-independent')).toEqual({
      heard: ['198.51.100.2:9', '198.51.100.2:10', '198.51.101.2:9'],
      drops: [],
    })
  })

  test('address-dependent: all ports of the address', async () => {
    expect(await heard('address-dependent')).toEqual({
      heard: ['198.51.100.2:9', '198.51.100.2:10'],
      drops: [['WireNatFiltered', 1]],
    })
  })

  test('address-and-port-dependent: the one endpoint', async () => {
    expect(await heard('address-and-port-dependent')).toEqual({
      heard: ['198.51.100.2:9'],
      drops: [['WireNatFiltered', 2]],
    })
  })
})

describe('hairpinning (RFC 4787 section 6)', () => {
  test('two inside hosts reach each other by their outside addresses, and see those', async () => {
    const { in1, in2, out1 } = make({ filtering: 'endpoint-independent' })
    listen(network, out1, 9)
    const one = listen(network, in1, 5000)
    const two = listen(network, in2, 6000)
    two.socket.send('x', 9, 'out1')
    await network.run()
    one.socket.send(new Uint8Array(3000), 6000, OUTSIDE)
    await network.run()
    expect(two.received.map(({ text, from }) => [text, from])).toEqual([['3000 bytes', `${OUTSIDE}:5000`]])
    two.socket.send('back', 5000, OUTSIDE)
    await network.run()
    expect(one.received.map(({ text, from }) => [text, from])).toEqual([['back', `${OUTSIDE}:6000`]])
  })

  test('not when it is switched off', async () => {
    const { in1, in2, out1 } = make({ filtering: 'endpoint-independent', hairpin: false })
    listen(network, out1, 9)
    const two = listen(network, in2, 6000)
    two.socket.send('x', 9, 'out1')
    await network.run()
    listen(network, in1, 5000).socket.send('y', 6000, OUTSIDE)
    await network.run()
    expect(two.received).toEqual([])
  })
})

describe('the timer of a mapping', () => {
  test('ends it, and is set back by what leaves but not by what comes in', async () => {
    const { in1, out1 } = make({ timeout: '2m' })
    const server = listen(network, out1, 9)
    const client = listen(network, in1, 5000)
    const ask = () => client.socket.send('x', 9, 'out1')
    const answer = () => server.socket.send('y', 5000, OUTSIDE)
    ask()
    network.at('100s', ask)
    network.at('200s', answer)
    network.at('219s', answer)
    network.at('221s', answer)
    await network.runFor('5m')
    expect(client.received.map(({ time }) => time)).toEqual([200_000, 219_000])
  })

  test('is set back by what comes in when that is wanted', async () => {
    const { in1, out1 } = make({ timeout: '2m', inboundRefresh: true, filtering: 'endpoint-independent' })
    const server = listen(network, out1, 9)
    const client = listen(network, in1, 5000)
    client.socket.send('x', 9, 'out1')
    network.at('100s', () => server.socket.send('y', 5000, OUTSIDE))
    network.at('210s', () => server.socket.send('z', 5000, OUTSIDE))
    await network.runFor('5m')
    expect(client.received.map(({ text }) => text)).toEqual(['y', 'z'])
  })
})

describe('ICMP through a NAT (RFC 5508)', () => {
  test('an error about a packet from inside reaches its socket, checksums and all', async () => {
    const { in1 } = make()
    const { socket } = listen(network, in1, 5000)
    const errors: string[] = []
    socket.on('icmp', ({ type, code, destination }) =>
      errors.push(`${type}.${code} ${destination.address}:${destination.port}`),
    )
    socket.send('nobody there', 99, '198.51.100.2')
    await network.run()
    expect(errors).toEqual(['3.3 198.51.100.2:99'])
    expect(network.drops().filter(({ reason }) => reason !== 'UdpNoPort')).toEqual([])
  })

  test('an error about a packet from outside tells the sender its own addresses', async () => {
    const { in1, out1 } = make({ filtering: 'endpoint-independent' })
    const server = listen(network, out1, 9)
    const client = listen(network, in1, 5000)
    const errors: string[] = []
    server.socket.on('icmp', ({ type, code, offender, destination }) =>
      errors.push(`${type}.${code} ${offender} ${destination.address}:${destination.port}`),
    )
    client.socket.send('x', 9, 'out1')
    await network.run()
    client.socket.close()
    server.socket.send('too late', 5000, OUTSIDE)
    await network.run()
    expect(errors).toEqual([`3.3 ${OUTSIDE} ${OUTSIDE}:5000`])
  })

  test('an error about a hairpin packet shows its sender nothing but outside addresses (REQ-7)', async () => {
    const { in1, in2, out1 } = make({ filtering: 'endpoint-independent' })
    listen(network, out1, 9)
    const two = listen(network, in2, 6000)
    two.socket.send('x', 9, 'out1')
    await network.run()
    two.socket.close()
    const one = listen(network, in1, 5000)
    const errors: string[] = []
    one.socket.on('icmp', ({ type, code, offender, destination }) =>
      errors.push(`${type}.${code} ${offender} ${destination.address}:${destination.port}`),
    )
    one.socket.send('nobody there', 6000, OUTSIDE)
    await network.run()
    expect(errors).toEqual([`3.3 ${OUTSIDE} ${OUTSIDE}:6000`])
  })

  test('an error neither prolongs a mapping nor ends it (REQ-6, RFC 4787 REQ-12)', async () => {
    const { in1, out1, nat } = make({ timeout: '2m' })
    const server = listen(network, out1, 9)
    const client = listen(network, in1, 5000)
    client.socket.on('icmp', () => errors++)
    let errors = 0
    client.socket.send('x', 9, 'out1')
    network.at('100s', () => {
      const datagram = new Uint8Array([0x13, 0x88, 0, 9, 0, 9, 0, 0])
      const quote = [0x45, 0, 0, 29, 0, 0, 0x40, 0, 64, 17, 0xd4, 0x98, 203, 0, 113, 1, 198, 51, 100, 2, ...datagram]
      const error = new Packet().load(Uint8Array.from([3, 1, 0, 0, 0, 0, 0, 0, ...quote]))
      icmpv4.encode(error, error.start, error.end, 3, 1, 0)
      const to = Address.parse(OUTSIDE)
      const from = Address.parse('198.51.100.2')
      Object.assign(error, { family: 4, protocol: 1, hopLimit: 64, tos: 0, s0: 0, s1: 0, s2: MAPPED, s3: from.w3 })
      Object.assign(error, { d0: 0, d1: 0, d2: MAPPED, d3: to.w3 })
      const { ip } = out1
      expect(ip.output(error, ip.route(0, 0, MAPPED, to.w3, 0) as Route, 0)).toBe(Drop.None)
    })
    await network.runFor('101s')
    expect(errors).toBe(1)
    expect(nat.mappings.map(({ left }) => left)).toEqual([19_000])
    server.socket.send('still there', 5000, OUTSIDE)
    await network.runFor('10s')
    expect(client.received.map(({ text }) => text)).toEqual(['still there'])
    await network.runFor('10s')
    expect(nat.mappings).toEqual([])
  })

  test('echo requests have mappings of their own, by identifier, for a minute or more (REQ-1, REQ-2)', async () => {
    const { in1, in2, nat } = make({ timeout: '5s', preservePorts: false })
    const replies: string[] = []
    await network.run()
    const ping = (name: 'in1' | 'in2', host: typeof in1) => {
      const echo = host.ip.icmp.openEcho(4, {
        reply: (packet, sequence) => replies.push(`${name} ${sequence} ${packet.length}`),
        error: () => {},
      })
      echo.send(Address.parse('198.51.100.2'), 7, new Uint8Array(30))
      return echo
    }
    const [one, two] = [ping('in1', in1), ping('in2', in2)]
    await network.runFor('1s')
    expect(replies.sort()).toEqual(['in1 7 30', 'in2 7 30'])
    const mappings = nat.mappings.filter(({ protocol }) => protocol === 'icmp')
    expect(mappings.map(({ inside }) => inside).sort()).toEqual([
      `192.168.0.1:${one.identifier}`,
      `192.168.1.1:${two.identifier}`,
    ])
    expect(new Set(mappings.map(({ outside }) => outside)).size).toBe(2)
    await network.runFor('58s')
    expect(nat.mappings).toHaveLength(2)
    await network.runFor('2s')
    expect(nat.mappings).toEqual([])
  })

  test('path MTU discovery from inside works over it', async () => {
    const { in1 } = make()
    const far = network.host('far')
    network.connect('core', far, { mtu: 1000, subnet: '198.51.102.0/24' })
    const server = listen(network, far, 9)
    const { socket } = listen(network, in1, 5000)
    socket.send(new Uint8Array(1400), 9, 'far')
    await network.run()
    socket.send(new Uint8Array(1400), 9, 'far')
    await network.run()
    expect(server.received.map(({ text }) => text)).toEqual(['1400 bytes'])
  })
})

describe('fragments through a NAT', () => {
  test('get through in any order', async () => {
    const { in1, out1 } = make()
    const server = listen(network, out1, 9)
    network.cable('in1', 'gate').impair({ delay: 5, reordering: { frames: [3] } }, 'in1')
    listen(network, in1, 5000).socket.send(new Uint8Array(4000), 9, 'out1')
    await network.run()
    expect(server.received.map(({ text, from }) => [text, from])).toEqual([['4000 bytes', `${OUTSIDE}:5000`]])
  })
})

test('translated checksums are those of the packet computed anew, for random packets', async () => {
  const { in1, out1 } = make()
  const random = new SeededRandom('checksums')
  const server = listen(network, out1, 9)
  let wrong = 0
  let seen = 0
  // The capture shows the packets as they are on the wire behind the NAT.
  const { readCapture } = await import('../../../src/link/capture/capture-reader.ts')
  const chunks: Uint8Array[] = []
  network.capture((chunk) => chunks.push(chunk), { of: ['gate-core'] })
  for (let i = 0; i < 200; i++) {
    const socket = in1.dgram.createSocket('udp4')
    const payload = Uint8Array.from({ length: random.below(64) }, () => random.below(256))
    socket.send(payload, 9, 'out1', () => socket.close())
    await network.run()
  }
  for (const frame of readCapture(Buffer.concat(chunks))) {
    if (frame.direction !== 'out') continue
    seen++
    const packet = new Packet().load(frame.bytes)
    expect(ipv4.parse(packet)).toBe(Drop.None)
    expect(packet.start).toBe(HEADROOM)
    if (udp.parse(packet) !== Drop.None || udp.checksum(packet.view, packet.transport) === 0) wrong++
  }
  expect([seen, wrong, server.received.length]).toEqual([200, 0, 200])
})

test('settings that make no sense are refused', () => {
  expect(() => make({ timeout: 0 })).toThrow('timeout')
  network.close()
  expect(() => make({ mapping: 'symmetric' as 'address-dependent' })).toThrow(
    'mapping: "symmetric" is not allowed; there are endpoint-independent',
  )
  network.close()
  expect(() => make({ outside: 'nowhere' })).toThrow('gate has no cable to, or named, nowhere.')
  network.close()
  make()
  expect(() => network.nat('gate', { outside: 'core' })).toThrow('gate has a NAT already.')
})
