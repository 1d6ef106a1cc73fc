/** TCP through a NAT: each requirement of RFC 5382, and what RFC 7857 adds. */
import { afterEach, describe, expect, test } from 'vitest'
import { Drop } from '../../../src/base/drop.ts'
import { ChecksumState, Packet } from '../../../src/base/packet.ts'
import { PmtuMode } from '../../../src/ip/routing/pmtu-mode.ts'
import type { LinkReceiver } from '../../../src/link/link.ts'
import { Network } from '../../../src/network/network.ts'
import type { NatSettings } from '../../../src/network/settings.ts'
import * as ipv4 from '../../../src/wire/ipv4.ts'
import * as tcp from '../../../src/wire/tcp.ts'
import { icmp, pattern, tcp as segment, segmentPacket, u16 } from '../../packet.ts'
import { listen } from '../host.ts'
import { sendTransport, TcpEnd } from '../transport-end.ts'

let network: Network
afterEach(() => network.close())

const { SYN, ACK, FIN, RST, PSH } = tcp
const OUTSIDE = '203.0.113.1'
const IN1 = '192.168.0.1'
const OUT1 = '198.51.100.2'
const OUT2 = '198.51.101.2'

/**
 * Two hosts behind a NAT, and two servers in the outside: `in1` and `in2`, `gate`, `out1` and
 * `out2`, each with an end of TCP.
 */
async function make(settings: Partial<NatSettings> = {}, medium: 'ip' | 'ethernet' = 'ip') {
  network = new Network({ seed: 1 })
  for (const name of ['in1', 'in2', 'out1', 'out2']) network.host(name, { icmpRateLimit: false })
  network.router('gate', { icmpRateLimit: false })
  network.router('core')
  network.connect('in1', 'gate', { subnet: '192.168.0.0/24', medium })
  network.connect('in2', 'gate', { subnet: '192.168.1.0/24', medium })
  network.connect('gate', 'core', { subnet: '203.0.113.0/24', medium })
  network.connect('core', 'out1', { subnet: '198.51.100.0/24' })
  network.connect('core', 'out2', { subnet: '198.51.101.0/24' })
  const nat = network.nat('gate', { outside: 'core', ...settings })
  await network.run()
  const end = (name: string) => new TcpEnd(network.stack(name), network.address(name), () => network.now)
  const [in1, in2, out1, out2] = ['in1', 'in2', 'out1', 'out2'].map(end) as [TcpEnd, TcpEnd, TcpEnd, TcpEnd]
  return { nat, in1, in2, out1, out2 }
}

type Made = Awaited<ReturnType<typeof make>>

/** in1:5000 opens a connection to out1:80. */
async function open({ in1, out1 }: Pick<Made, 'in1' | 'out1'>) {
  in1.send(5000, `${OUT1}:80`, SYN)
  await network.runFor(1)
  out1.send(80, `${OUTSIDE}:5000`, SYN | ACK)
  await network.runFor(1)
  in1.send(5000, `${OUT1}:80`, ACK)
  await network.runFor(1)
  expect(out1.take()).toHaveLength(2)
  expect(in1.take()).toHaveLength(1)
}

const state = ({ nat }: Pick<Made, 'nat'>) =>
  nat.mappings.flatMap(({ connections }) => connections ?? []).map((each) => each.state)
const dropped = () =>
  network.drops('gate').flatMap(({ reason, count }) => (reason.startsWith('Wire') ? `${reason} ${count}` : []))

/** ICMP messages that reach a host, as type.code and the quoted packet. */
function errorsAt(name: string) {
  const errors: { kind: string; time: number; quote: Uint8Array }[] = []
  network.filter(name, null)
  const { icmp: receiver } = network.stack(name).ip
  const before = receiver.input4.bind(receiver)
  receiver.input4 = (packet, nic) => {
    const { bytes, view, transport: at, end } = packet
    errors.push({
      kind: `${view.getUint8(at)}.${view.getUint8(at + 1)}`,
      time: network.now,
      quote: bytes.slice(at + 8, end),
    })
    return before(packet, nic)
  }
  return errors
}

describe('mappings (REQ-1, REQ-7)', () => {
  /** Outside ports of in1:5000 towards out1:80, out1:81 and out2:80. */
  async function portsSeen(mapping: NatSettings['mapping'] & string) {
    const { in1, out1, out2 } = await make({ mapping })
    for (const to of [`${OUT1}:80`, `${OUT1}:81`, `${OUT2}:80`]) in1.send(5000, to, SYN)
    await network.run()
    return [...out1.received, ...out2.received].map(({ from }) => Number(from.split(':')[1]))
  }

  test('of TCP are endpoint-independent: one for all', async () => {
    expect(await portsSeen('endpoint-independent')).toEqual([5000, 5000, 5000])
  })

  test('of TCP may depend on the address, or on the port too', async () => {
    const byAddress = await portsSeen('address-dependent')
    expect(new Set(byAddress).size).toBe(2)
    expect(byAddress[1]).toBe(5000)
    network.close()
    expect(new Set(await portsSeen('address-and-port-dependent')).size).toBe(3)
  })

  test('of TCP share no port, and keep theirs where it is free', async () => {
    const { in1, in2, out1, nat } = await make()
    in1.send(5000, `${OUT1}:80`, SYN)
    in2.send(5000, `${OUT1}:80`, SYN)
    listen(network, network.stack('in1'), 5000).socket.send('x', 9, OUT1)
    await network.run()
    const ports = out1.received.map(({ from }) => Number(from.split(':')[1]))
    expect(ports[0]).toBe(5000)
    expect(ports[1]).not.toBe(5000)
    // A port of UDP is another one.
    const all = nat.mappings.map(({ protocol, outside }) => `${protocol} ${outside}`)
    expect(new Set(all)).toEqual(new Set([`tcp ${OUTSIDE}:5000`, `tcp ${OUTSIDE}:${ports[1]}`, `udp ${OUTSIDE}:5000`]))
  })
})

describe('sequences of segments (REQ-2)', () => {
  test.each(['ip', 'ethernet'] as const)(
    'a three-way handshake from inside, data, and a close, over %s',
    async (medium) => {
      const made = await make({}, medium)
      const { in1, out1 } = made
      await open(made)
      expect(state(made)).toEqual(['established'])
      in1.send(5000, `${OUT1}:80`, ACK | PSH, { sequence: 2 }, pattern(1000))
      await network.runFor(1)
      out1.send(80, `${OUTSIDE}:5000`, ACK | FIN)
      await network.runFor(1)
      expect(state(made)).toEqual(['FIN from outside'])
      in1.send(5000, `${OUT1}:80`, ACK | FIN)
      await network.runFor(1)
      expect(state(made)).toEqual(['closed'])
      out1.send(80, `${OUTSIDE}:5000`, ACK)
      await network.runFor(1)
      expect(out1.take()).toEqual([`${OUTSIDE}:5000 > ${OUT1}:80 P.`, `${OUTSIDE}:5000 > ${OUT1}:80 F.`])
      expect(in1.take()).toEqual([`${OUT1}:80 > ${IN1}:5000 F.`, `${OUT1}:80 > ${IN1}:5000 .`])
      expect(dropped()).toEqual([])
      const [first] = network.datagrams({ from: 'in1', protocol: 'tcp' })
      expect(network.explain(first?.id ?? 0)).toContain(
        `NAT on eth2: ${IN1}:5000 > ${OUT1}:80 becomes ${OUTSIDE}:5000 > ${OUT1}:80`,
      )
    },
  )

  test('a handshake from outside, to a mapping whose filter lets it in', async () => {
    const made = await make({ filtering: 'endpoint-independent' })
    const { in1, out1, out2 } = made
    await open(made)
    out2.send(4000, `${OUTSIDE}:5000`, SYN)
    await network.runFor(1)
    expect(state(made)).toEqual(['established', 'SYN from outside'])
    in1.send(5000, `${OUT2}:4000`, SYN | ACK)
    await network.runFor(1)
    out2.send(4000, `${OUTSIDE}:5000`, ACK)
    await network.runFor(1)
    expect(state(made)).toEqual(['established', 'established'])
    expect(in1.take()).toEqual([`${OUT2}:4000 > ${IN1}:5000 S`, `${OUT2}:4000 > ${IN1}:5000 .`])
    expect(out2.take()).toEqual([`${OUTSIDE}:5000 > ${OUT2}:4000 S.`])
    expect(out1.take()).toEqual([])
  })

  test('a simultaneous open: SYNs cross, and both are answered', async () => {
    const made = await make()
    const { in1, out1 } = made
    // The other side's own NAT let it out before ours let in.
    out1.send(80, `${OUTSIDE}:5000`, SYN)
    await network.runFor(1000)
    in1.send(5000, `${OUT1}:80`, SYN)
    await network.runFor(1)
    out1.send(80, `${OUTSIDE}:5000`, SYN)
    await network.runFor(1)
    in1.send(5000, `${OUT1}:80`, SYN | ACK)
    out1.send(80, `${OUTSIDE}:5000`, SYN | ACK)
    await network.runFor(1)
    expect(in1.take()).toEqual([`${OUT1}:80 > ${IN1}:5000 S`, `${OUT1}:80 > ${IN1}:5000 S.`])
    expect(out1.take()).toEqual([`${OUTSIDE}:5000 > ${OUT1}:80 S`, `${OUTSIDE}:5000 > ${OUT1}:80 S.`])
    expect(state(made)).toEqual(['established'])
  })

  test('a refusal comes back as it is', async () => {
    const made = await make()
    const { in1, out1 } = made
    in1.send(5000, `${OUT1}:80`, SYN)
    await network.runFor(1)
    out1.send(80, `${OUTSIDE}:5000`, RST | ACK)
    await network.runFor(1)
    expect(in1.take()).toEqual([`${OUT1}:80 > ${IN1}:5000 R.`])
    expect(state(made)).toEqual(['reset'])
  })

  test('a RST from inside without a connection opens none', async () => {
    const made = await make()
    made.in1.send(5000, `${OUT1}:80`, RST)
    await network.run()
    expect(made.out1.take()).toEqual([])
    expect(made.nat.mappings).toEqual([])
    expect(dropped()).toEqual(['WireNatUnmapped 1'])
  })

  test('a connection that is older than the NAT is picked up from inside', async () => {
    const made = await make()
    await open(made)
    made.nat.clear()
    made.out1.send(80, `${OUTSIDE}:5000`, ACK)
    await network.runFor(1)
    expect(made.in1.take()).toEqual([])
    made.in1.send(5000, `${OUT1}:80`, ACK | PSH, {}, [1])
    await network.runFor(1)
    expect(state(made)).toEqual(['picked up'])
    made.out1.send(80, `${OUTSIDE}:5000`, ACK)
    await network.runFor(1)
    expect(made.in1.take()).toHaveLength(1)
    expect(state(made)).toEqual(['established'])
  })
})

describe('the filter (REQ-3)', () => {
  /** Who is heard of out1:80 (whom in1 called), out1:81 and out2:80. */
  async function heard(filtering: NatSettings['filtering'] & string) {
    const { in1, out1, out2 } = await make({ filtering })
    in1.send(5000, `${OUT1}:80`, SYN)
    await network.runFor(1)
    out1.send(80, `${OUTSIDE}:5000`, SYN | ACK)
    out1.send(81, `${OUTSIDE}:5000`, SYN)
    out2.send(80, `${OUTSIDE}:5000`, SYN)
    await network.runFor(1)
    return [in1.received.map(({ from }) => from), dropped()]
  }

  test('of TCP is endpoint-independent, when that is wanted', async () => {
    expect(await heard('endpoint-independent')).toEqual([[`${OUT1}:80`, `${OUT1}:81`, `${OUT2}:80`], []])
  })

  test('of TCP is address-dependent, when that is wanted', async () => {
    expect(await heard('address-dependent')).toEqual([[`${OUT1}:80`, `${OUT1}:81`], ['WireNatFiltered 1']])
  })

  test('of TCP is address-and-port-dependent by default', async () => {
    expect(await heard('address-and-port-dependent')).toEqual([[`${OUT1}:80`], ['WireNatFiltered 2']])
  })
})

describe('a SYN that nobody inside waits for (REQ-4)', () => {
  test.each([
    ['to a port that nobody has', 6000],
    ['to a port of somebody else’s', 5000],
  ])('%s is answered with Port Unreachable after six seconds', async (_where, port) => {
    const made = await make()
    await open(made)
    const errors = errorsAt('out2')
    const begin = network.now
    made.out2.send(4000, `${OUTSIDE}:${port}`, SYN, { sequence: 7 })
    await network.runFor(5999)
    expect(errors).toEqual([])
    // Sent again: the first one counts.
    made.out2.send(4000, `${OUTSIDE}:${port}`, SYN, { sequence: 7 })
    await network.runFor(10_000)
    expect(errors.map(({ kind, time }) => [kind, time - begin])).toEqual([['3.3', 6000]])
    const quote = new Packet().load(errors[0]?.quote as Uint8Array)
    expect(ipv4.source(quote.view, quote.start)).toBe(0xc6336502 | 0)
    expect(tcp.sequence(quote.view, quote.start + 20)).toBe(7)
    expect(made.in1.take()).toEqual([])
    expect(network.explain({ from: 'out2' })).toMatch(/DROPPED at eth2: WireNat(Unmapped|Filtered)/)
    expect(network.explain({ from: 'out2' })).toMatch(
      /answered with datagram \d+: ICMP port unreachable|answered with datagram/,
    )
  })

  test('is forgotten in silence when the inside opens the same connection meanwhile', async () => {
    const { in1, out1 } = await make()
    const errors = errorsAt('out1')
    out1.send(80, `${OUTSIDE}:5000`, SYN)
    await network.runFor(5000)
    in1.send(5000, `${OUT1}:80`, SYN)
    await network.runFor(10_000)
    expect(errors).toEqual([])
  })

  test('draws no error when the policy forbids it', async () => {
    const { out1 } = await make()
    network.filter('gate', { icmp: 0 })
    const errors = errorsAt('out1')
    out1.send(80, `${OUTSIDE}:5000`, SYN)
    await network.runFor(10_000)
    expect(errors).toEqual([])
  })

  test('draws none when it is no SYN alone, and when there are too many', async () => {
    const { out1 } = await make()
    const errors = errorsAt('out1')
    for (const flags of [SYN | ACK, ACK, RST, FIN | ACK]) out1.send(80, `${OUTSIDE}:5000`, flags)
    await network.runFor(10_000)
    expect(errors).toEqual([])
    for (let port = 1; port <= 300; port++) out1.send(port, `${OUTSIDE}:5000`, SYN)
    await network.runFor(10_000)
    expect(errors).toHaveLength(256)
  })
})

describe('the timers (REQ-5, RFC 7857 section 2)', () => {
  const MINUTE = 60_000

  test('an established connection may be silent for 2 hours and 4 minutes', async () => {
    const made = await make()
    await open(made)
    await network.runFor(124 * MINUTE - 100)
    made.out1.send(80, `${OUTSIDE}:5000`, ACK)
    await network.runFor(1)
    expect(made.in1.take()).toHaveLength(1)
    // Both directions prolong it.
    await network.runFor(124 * MINUTE - 100)
    expect(state(made)).toEqual(['established'])
    await network.runFor(101)
    expect(made.nat.mappings).toEqual([])
    made.out1.send(80, `${OUTSIDE}:5000`, ACK)
    await network.runFor(1)
    expect(made.in1.take()).toEqual([])
    expect(dropped()).toEqual(['WireNatUnmapped 1'])
  })

  test('one that opens, closes or was reset may be for 4 minutes', async () => {
    const made = await make()
    const { in1, out1, nat } = made
    const left = () => nat.mappings.map((each) => Math.round(each.left / MINUTE))
    in1.send(5000, `${OUT1}:80`, SYN)
    await network.runFor(1)
    expect(left()).toEqual([4])
    out1.send(80, `${OUTSIDE}:5000`, SYN | ACK)
    await network.runFor(1)
    expect(left()).toEqual([124])
    in1.send(5000, `${OUT1}:80`, FIN | ACK)
    await network.runFor(1)
    expect(left()).toEqual([124])
    out1.send(80, `${OUTSIDE}:5000`, FIN | ACK)
    await network.runFor(2 * MINUTE)
    // What comes after the end prolongs nothing.
    in1.send(5000, `${OUT1}:80`, ACK)
    await network.runFor(1)
    expect(left()).toEqual([2])
    await network.runFor(2 * MINUTE)
    expect(left()).toEqual([])
  })

  test('each of the three can be set', async () => {
    const made = await make({ tcpTimeout: '20s', tcpOpeningTimeout: '3s', tcpClosingTimeout: '5s' })
    const { in1, out1, nat } = made
    const left = () => nat.mappings.map((each) => Math.round(each.left / 1000))
    in1.send(5000, `${OUT1}:80`, SYN)
    await network.runFor(1)
    expect(left()).toEqual([3])
    out1.send(80, `${OUTSIDE}:5000`, SYN | ACK)
    await network.runFor(1)
    expect(left()).toEqual([20])
    out1.send(80, `${OUTSIDE}:5000`, RST)
    await network.runFor(1)
    expect(left()).toEqual([5])
    network.close()
    await expect(make({ tcpTimeout: 0 })).rejects.toThrow('The tcpTimeout 0 of a NAT has to be above 0 ms.')
  })

  test('after a RST the mapping holds for 4 minutes, and what follows shows that it was forged', async () => {
    const made = await make()
    await open(made)
    made.out1.send(80, `${OUTSIDE}:5000`, RST)
    await network.runFor(3 * MINUTE)
    expect(made.in1.take()).toEqual([`${OUT1}:80 > ${IN1}:5000 R`])
    expect(state(made)).toEqual(['reset'])
    made.in1.send(5000, `${OUT1}:80`, ACK | PSH, {}, [1])
    await network.runFor(5 * MINUTE)
    expect(state(made)).toEqual(['established'])
  })

  test('RSTs from inside that refuse SYNs from outside hold no mapping open (RFC 7857 section 7.1)', async () => {
    const made = await make({ filtering: 'endpoint-independent', tcpOpeningTimeout: '10s' })
    made.in1.send(5000, `${OUT1}:80`, SYN)
    for (let i = 0; i < 3; i++) {
      await network.runFor(3000)
      made.out2.send(4000 + i, `${OUTSIDE}:5000`, SYN)
      await network.runFor(10)
      made.in1.send(5000, `${OUT2}:${4000 + i}`, RST | ACK)
      await network.runFor(10)
      expect(made.out2.take().at(-1)).toBe(`${OUTSIDE}:5000 > ${OUT2}:${4000 + i} R.`)
    }
    await network.runFor(1000)
    expect(made.nat.mappings).toEqual([])
  })

  test('SYNs from outside alone hold no mapping open', async () => {
    const made = await make({ filtering: 'endpoint-independent', tcpOpeningTimeout: '10s' })
    made.in1.send(5000, `${OUT1}:80`, SYN)
    for (let i = 0; i < 4; i++) {
      await network.runFor(3000)
      made.out2.send(4000 + i, `${OUTSIDE}:5000`, SYN)
    }
    expect(made.nat.mappings).toEqual([])
    network.close()
    const kept = await make({ filtering: 'endpoint-independent', tcpOpeningTimeout: '10s', inboundRefresh: true })
    kept.in1.send(5000, `${OUT1}:80`, SYN)
    for (let i = 0; i < 4; i++) {
      await network.runFor(3000)
      kept.out2.send(4000 + i, `${OUTSIDE}:5000`, SYN)
    }
    expect(kept.nat.mappings).toHaveLength(1)
  })
})

test('no payload is looked into (REQ-6): there are no ALGs', async () => {
  const { in1, out1 } = await make()
  const text = Uint8Array.from(Buffer.from('PORT 192,168,0,1,19,136\r\n'))
  in1.send(5000, `${OUT1}:21`, ACK | PSH, {}, text)
  await network.run()
  expect(Buffer.from(out1.received[0]?.bytes.subarray(20) ?? [])).toEqual(Buffer.from(text))
})

describe('hairpinning (REQ-8)', () => {
  test('two inside hosts connect by their outside addresses, and see those', async () => {
    const { in1, in2, out1 } = await make({ filtering: 'endpoint-independent' })
    in2.send(6000, `${OUT1}:80`, SYN)
    await network.runFor(1)
    in1.send(5000, `${OUTSIDE}:6000`, SYN)
    await network.runFor(1)
    in2.send(6000, `${OUTSIDE}:5000`, SYN | ACK)
    await network.runFor(1)
    expect(in2.take()).toEqual([`${OUTSIDE}:5000 > 192.168.1.1:6000 S`])
    expect(in1.take()).toEqual([`${OUTSIDE}:6000 > ${IN1}:5000 S.`])
    expect(out1.received).toHaveLength(1)
  })

  test('a simultaneous open of two inside hosts works, and its early SYN draws no error', async () => {
    const { in1, in2, out1 } = await make()
    const errors = errorsAt('in1')
    // Both are known outside already.
    in1.send(5000, `${OUT1}:80`, SYN)
    in2.send(6000, `${OUT1}:80`, SYN)
    await network.runFor(1)
    in1.send(5000, `${OUTSIDE}:6000`, SYN)
    await network.runFor(1000)
    expect(in2.take()).toEqual([])
    in2.send(6000, `${OUTSIDE}:5000`, SYN)
    await network.runFor(1)
    expect(in1.take()).toEqual([`${OUTSIDE}:6000 > ${IN1}:5000 S`])
    in1.send(5000, `${OUTSIDE}:6000`, SYN | ACK)
    await network.runFor(10_000)
    expect(in2.take()).toEqual([`${OUTSIDE}:5000 > 192.168.1.1:6000 S.`])
    expect(errors).toEqual([])
    expect(out1.received).toHaveLength(2)
  })

  test('a SYN back to the inside that is not wanted draws the error too', async () => {
    const { in1, in2 } = await make()
    const errors = errorsAt('in1')
    in2.send(6000, `${OUT1}:80`, SYN)
    await network.runFor(1)
    in1.send(5000, `${OUTSIDE}:6000`, SYN)
    await network.runFor(10_000)
    expect(errors.map(({ kind }) => kind)).toEqual(['3.3'])
    expect(in2.take()).toEqual([])
  })
})

describe('ICMP errors about TCP (REQ-9, REQ-10)', () => {
  /** out1 says port unreachable about a segment of in1:5000, of which `length` bytes are quoted. */
  function refuse(length: number) {
    const quoted = segmentPacket(pattern(30), 4, {
      source: OUTSIDE,
      destination: OUT1,
      sourcePort: 5000,
      destinationPort: 80,
      sequence: 77,
    }).subarray(0, 20 + length)
    sendTransport(network.stack('out1'), OUT1, OUTSIDE, 1, icmp(3, 3, 0, quoted, 4))
  }

  test.each([8, 18, 20, 50])(
    'come to the inside host with its own addresses in the %i bytes that they quote',
    async (length) => {
      const made = await make()
      await open(made)
      const errors = errorsAt('in1')
      refuse(length)
      await network.runFor(1)
      expect(errors.map(({ kind }) => kind)).toEqual(['3.3'])
      const quote = errors[0]?.quote as Uint8Array
      // What the inside host sent, checksum and all.
      const own = segmentPacket(pattern(30), 4, {
        source: IN1,
        destination: OUT1,
        sourcePort: 5000,
        destinationPort: 80,
        sequence: 77,
      })
      expect([...quote]).toEqual([...own.subarray(0, 20 + length)])
    },
  )

  test('end no mapping and prolong none', async () => {
    const made = await make()
    await open(made)
    await network.runFor(60_000)
    const before = made.nat.mappings[0]?.left as number
    refuse(20)
    await network.runFor(1)
    expect(made.nat.mappings[0]?.left).toBe(before - 1)
    made.out1.send(80, `${OUTSIDE}:5000`, ACK)
    await network.runFor(1)
    expect(made.in1.take()).toHaveLength(1)
  })

  test('from inside show their receiver nothing but outside addresses', async () => {
    const made = await make()
    await open(made)
    const errors = errorsAt('out1')
    // in1 answers a segment as a stack without TCP does.
    made.out1.send(80, `${OUTSIDE}:5000`, ACK, { sequence: 5 }, pattern(40))
    await network.runFor(1)
    const [came] = made.in1.received
    sendTransport(network.stack('in1'), IN1, OUT1, 1, icmp(3, 2, 0, came?.packet ?? [], 4))
    await network.runFor(1)
    expect(errors.map(({ kind }) => kind)).toEqual(['3.2'])
    const quote = new Packet().load(errors[0]?.quote as Uint8Array)
    expect(ipv4.parse(quote)).toBe(Drop.None)
    expect(tcp.parse(quote)).toBe(Drop.None)
    expect(tcp.destinationPort(quote.view, quote.transport)).toBe(5000)
    expect(ipv4.destination(quote.view, quote.network)).toBe(0xcb007101 | 0)
  })

  test('Fragmentation Needed lets path MTU discovery from inside work', async () => {
    await make()
    const far = network.host('far')
    network.connect('core', far, { mtu: 1000, subnet: '198.51.102.0/24' })
    await network.run()
    const errors = errorsAt('in1')
    const ends = { source: IN1, destination: '198.51.102.2', sourcePort: 5000, destinationPort: 80 }
    const bytes = segment(pattern(1400), 4, ends)
    sendTransport(network.stack('in1'), IN1, '198.51.102.2', 6, bytes, { mode: PmtuMode.Do })
    await network.run()
    expect(errors.map(({ kind }) => kind)).toEqual(['3.4'])
    const quote = new Packet().load(errors[0]?.quote as Uint8Array)
    expect(ipv4.source(quote.view, quote.start)).toBe(0xc0a80001 | 0)
    expect(tcp.sourcePort(quote.view, quote.start + 20)).toBe(5000)
  })
})

describe('checksums', () => {
  test('of translated segments are those computed anew, also of fragments in any order', async () => {
    const { in1, out1 } = await make()
    network.cable('in1', 'gate').impair({ delay: 5, reordering: { frames: [202] } }, 'in1')
    for (let i = 0; i < 200; i++) in1.send(1024 + i, `${OUT1}:80`, ACK, { sequence: i * 7919 }, pattern(i, i))
    await network.run()
    const options = { source: IN1, destination: OUT1, sourcePort: 2000, destinationPort: 80 }
    sendTransport(network.stack('in1'), IN1, OUT1, 6, segment(pattern(4000), 4, options))
    await network.run()
    expect(out1.received).toHaveLength(201)
    for (const { packet: bytes } of out1.received) {
      const packet = new Packet().load(bytes)
      expect(ipv4.parse(packet)).toBe(Drop.None)
      expect(tcp.parse(packet)).toBe(Drop.None)
    }
    expect(out1.received.at(-1)?.bytes).toHaveLength(4020)
  })

  test('that were left to a device are completed on the way', async () => {
    const made = await make()
    await open(made)
    const options = { source: OUT1, destination: OUTSIDE, sourcePort: 80, destinationPort: 5000 }
    const bytes = segmentPacket(pattern(99), 4, options)
    // The pseudo-header's sum alone.
    const words = [0xc633, 0x6402, 0xcb00, 0x7101, 6, bytes.length - 20]
    const pseudo = words.reduce((total, word) => total + word, 0)
    bytes.set(u16((pseudo & 0xffff) + (pseudo >>> 16)), 36)
    const came = new Packet().load(bytes)
    came.checksumState = ChecksumState.Partial
    // As from a device that is attached outside.
    const port = network.stack('gate').nic('eth2')?.link as unknown as LinkReceiver
    port.input(came)
    port.idle()
    await network.runFor(1)
    expect(made.in1.received).toHaveLength(1)
    const packet = new Packet().load(made.in1.received[0]?.packet as Uint8Array)
    expect(ipv4.parse(packet)).toBe(Drop.None)
    expect(tcp.parse(packet)).toBe(Drop.None)
  })
})

test('a segment that is shorter than its header, and other protocols, are not translated', async () => {
  const { out1 } = await make()
  sendTransport(network.stack('in1'), IN1, OUT1, 6, new Uint8Array(19))
  sendTransport(network.stack('in1'), IN1, OUT1, 132, new Uint8Array(40))
  await network.run()
  expect(out1.received).toEqual([])
  expect(dropped()).toEqual(['WireNatUnmapped 2'])
})
