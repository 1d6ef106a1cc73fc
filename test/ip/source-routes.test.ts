import { describe, expect, test } from 'vitest'
import { Address } from '../../src/base/address.ts'
import { ManualClock } from '../../src/base/clock.ts'
import { checkOwn } from '../../src/ip/own-options.ts'
import { Stack, type StackOptions } from '../../src/stack.ts'
import { type Bytes, checksum, hex, icmp, ip4, pattern, u8, u32, udp } from '../differential/raw-ip.ts'
import { TestLink } from '../differential/stack-host.ts'
import { HOST4, makeHost, open, PEER4, send } from '../host.ts'

const LOOSE = 131
const STRICT = 137
const octets = (...addresses: string[]) => addresses.flatMap((each) => [...Address.parse(each).toBytes()])
const route = (type: number, pointer: number, ...addresses: string[]) =>
  u8(type, 3 + addresses.length * 4, pointer, ...octets(...addresses))

describe('a source route of our own (RFC 791 section 3.1, RFC 1122 section 3.2.1.8)', () => {
  const FIRST = '198.51.100.5'
  const sendBy = (options: Uint8Array, to = PEER4) => {
    const host = makeHost()
    const { endpoint, mailbox } = open(host.stack, 4, 5000)
    expect(endpoint.setIpOptions(options)).toBe('')
    return { ...host, endpoint, mailbox, errno: send(endpoint, pattern(4), to, 9), sent: host.link.take() as Bytes[] }
  }

  test.each([
    ['loose', LOOSE],
    ['strict', STRICT],
  ])('%s: the first hop is the destination in the header, and ours the last one of the route', (_, type) => {
    const { errno, sent } = sendBy(route(type, 4, FIRST, '203.0.113.6'))
    expect([errno, sent.length]).toEqual(['', 1])
    const packet = sent[0] as Bytes
    expect(hex(packet.subarray(16, 20))).toBe(hex(u8(...octets(FIRST))))
    expect(hex(packet.subarray(20, 32))).toBe(hex(u8(...route(type, 4, '203.0.113.6', PEER4), 0)))
    expect(checksum(packet.subarray(0, 32))).toBe(0)
    // The checksum is the one that is right where the datagram arrives in the end.
    const arrived = udp({ from: HOST4, to: PEER4, sourcePort: 5000, port: 9, payload: pattern(4) })
    expect(hex(packet.subarray(32))).toBe(hex(arrived))
  })

  test('that is strict begins on a link of this host: else ENETUNREACH', () => {
    expect(sendBy(route(STRICT, 4, '203.0.113.6'))).toMatchObject({ errno: 'ENETUNREACH', sent: [] })
    expect(sendBy(route(LOOSE, 4, '203.0.113.6')).sent).toHaveLength(1)
  })

  test('does not end at a group or a broadcast address: EINVAL', () => {
    for (const to of ['239.1.2.3', '198.51.100.255'])
      expect(sendBy(route(LOOSE, 4, FIRST), to)).toMatchObject({ errno: 'EINVAL', sent: [] })
  })

  test('reads back as it was given, and goes away with empty options', () => {
    const given = u8(...route(LOOSE, 4, FIRST), 0)
    const { endpoint, link } = sendBy(given)
    expect(endpoint.ipOptions).toEqual(given)
    expect(endpoint.setIpOptions(u8())).toBe('')
    expect(endpoint.ipOptions).toBe(null)
    send(endpoint, pattern(4), PEER4, 9)
    const [packet] = link.take() as [Bytes]
    expect(packet.length).toBe(32)
    expect(hex(packet.subarray(16, 20))).toBe(hex(u8(...octets(PEER4))))
  })

  test('goes into every fragment, which the copy bit asks for', () => {
    const host = makeHost({ mtu: 576 })
    const { endpoint } = open(host.stack, 4, 5000)
    endpoint.setIpOptions(route(LOOSE, 4, FIRST))
    expect(send(endpoint, pattern(1000), PEER4, 9)).toBe('')
    const sent = host.link.take() as Bytes[]
    expect(sent.length).toBeGreaterThan(1)
    for (const each of sent)
      expect(hex(each.subarray(16, 28))).toBe(hex(u8(...octets(FIRST), ...route(LOOSE, 4, PEER4), 0)))
  })

  test.each([
    ['with a pointer past the first hop', route(LOOSE, 8, FIRST, PEER4)],
    ['without a hop', u8(LOOSE, 3, 4)],
    ['whose length is not that of addresses', u8(LOOSE, 8, 4, 1, 2, 3, 4, 5)],
    ['that is the second one', u8(...route(LOOSE, 4, FIRST), ...route(STRICT, 4, FIRST))],
    ['that is cut', route(LOOSE, 4, FIRST, PEER4).subarray(0, 8)],
  ])('%s is refused', (_, options) => {
    expect(checkOwn(options)).toBe(null)
  })
})

describe('a router that follows source routes', () => {
  /** Between 192.0.2.0/24 and 198.51.100.0/24, with a gateway on the right to everywhere. */
  function router(options: StackOptions = {}) {
    const stack = new Stack({
      clock: new ManualClock(),
      forwarding: true,
      sourceRoute: true,
      icmpRateLimit: false,
      ...options,
    })
    const left = new TestLink('left')
    const right = new TestLink('right')
    stack.addNic(left, { addresses: ['192.0.2.1/24'] })
    stack.addNic(right, { addresses: ['198.51.100.1/24'] })
    stack.addRoute({ to: 'default', via: '198.51.100.254' })
    left.take()
    right.take()
    return { stack, left, right }
  }
  const from = '192.0.2.7'
  const by = (options: Bytes, destination = '192.0.2.1') =>
    ip4({ source: from, destination, ttl: 9, options, payload: udp({ from, to: destination, payload: pattern(8) }) })

  test('passes on by a strict one to a host on its links', () => {
    const { left, right } = router()
    left.input(by(route(STRICT, 4, '198.51.100.7')))
    const [out] = right.take() as [Bytes]
    expect(hex(out.subarray(16, 28))).toBe(hex(u8(...octets('198.51.100.7'), ...route(STRICT, 8, '198.51.100.1'), 0)))
    expect(checksum(out.subarray(0, 28))).toBe(0)
  })

  test(
    'says Source Route Failed when the next stop of a strict one is behind a gateway (RFC 1812 section ' + '5.2.7.1)',
    () => {
      const { stack, left, right } = router()
      left.input(by(route(STRICT, 4, '203.0.113.7')))
      const [error] = left.take() as [Bytes]
      expect([...error.subarray(20, 22)]).toEqual([3, 5])
      expect(right.take()).toEqual([])
      expect(stack.drops).toMatchObject([{ reason: 'IpSourceRoute', count: 1 }])
      // A loose one may go there.
      left.input(by(route(LOOSE, 4, '203.0.113.7')))
      expect(right.take()).toHaveLength(1)
    },
  )

  test('says Parameter Problem, with a pointer to the destination, about a strict one of which it is no stop', () => {
    const { stack, left, right } = router()
    left.input(by(route(STRICT, 4, '203.0.113.7'), '198.51.100.7'))
    const [error] = left.take() as [Bytes]
    expect([...error.subarray(20, 25)].filter((_, at) => at !== 2 && at !== 3)).toEqual([12, 0, 16])
    expect(right.take()).toEqual([])
    expect(stack.drops).toMatchObject([{ reason: 'IpSourceRoute', count: 1 }])
    left.input(by(route(LOOSE, 4, '203.0.113.7'), '198.51.100.7'))
    expect(right.take()).toHaveLength(1)
  })

  test('takes several stops that are its own at once, and what ends there', () => {
    const { stack, left, right } = router()
    left.input(by(route(LOOSE, 4, '198.51.100.1', '198.51.100.7')))
    const [out] = right.take() as [Bytes]
    expect(hex(out.subarray(16, 32))).toBe(
      hex(u8(...octets('198.51.100.7'), ...route(LOOSE, 12, '198.51.100.1', '198.51.100.1'), 0)),
    )
    const message = icmp(8, 0, u32(1), pattern(4))
    left.input(
      ip4({
        source: from,
        destination: '192.0.2.1',
        protocol: 1,
        options: route(LOOSE, 4, '198.51.100.1'),
        payload: message,
      }),
    )
    const [reply] = left.take() as [Bytes]
    expect(reply[((reply[0] as number) & 15) * 4]).toBe(0)
    expect(stack.drops).toEqual([])
  })

  test.each([
    [
      'by the stops that the request came by, backwards',
      ['203.0.113.1', '203.0.113.2', '203.0.113.3'],
      '203.0.113.3',
      ['203.0.113.2', '203.0.113.1', from],
    ],
    ['by the one stop that there was', ['203.0.113.1'], '203.0.113.1', [from]],
    [
      'without the source, where it was recorded as the first (RFC 1122 section 3.2.1.8)',
      [from, '203.0.113.2'],
      '203.0.113.2',
      [from],
    ],
    ['straight back when there was no stop but the source', [from], from, []],
  ])('answers %s (RFC 1122 section 3.2.2.6)', (_, gone, first, rest) => {
    const { left, right } = router()
    const options = route(LOOSE, 4 + gone.length * 4, ...gone)
    left.input(
      ip4({ source: from, destination: '192.0.2.1', protocol: 1, options, payload: icmp(8, 0, u32(1), pattern(4)) }),
    )
    const [reply] = [...left.take(), ...right.take()] as [Bytes]
    const header = ((reply[0] as number) & 15) * 4
    expect(hex(reply.subarray(16, 20))).toBe(hex(u8(...octets(first))))
    expect(hex(reply.subarray(20, header))).toBe(rest.length === 0 ? '' : hex(u8(...route(LOOSE, 4, ...rest), 0)))
    expect(hex(reply.subarray(header))).toBe(hex(icmp(0, 0, u32(1), pattern(4))))
  })

  test('says Parameter Problem about a route with room for a part of a stop', () => {
    const { stack, left } = router()
    left.input(by(u8(LOOSE, 7, 6, 198, 51, 100, 7)))
    const [error] = left.take() as [Bytes]
    expect([error[20], error[21], error[24]]).toEqual([12, 0, 22])
    expect(stack.drops).toMatchObject([{ reason: 'IpOption', count: 1 }])
  })

  test('records itself in a record route as well', () => {
    const { left, right } = router()
    left.input(by(u8(...route(LOOSE, 4, '198.51.100.7'), ...route(7, 4, '0.0.0.0', '0.0.0.0'))))
    const [out] = right.take() as [Bytes]
    expect(hex(out.subarray(20, 40))).toBe(
      hex(u8(...route(LOOSE, 8, '198.51.100.1'), ...route(7, 8, '198.51.100.1', '0.0.0.0'), 0, 0)),
    )
  })

  test('takes none to a group or a broadcast address', () => {
    const { stack, left, right } = router()
    for (const to of ['192.0.2.255', '224.0.0.1', '255.255.255.255'])
      left.input(by(route(LOOSE, 4, '198.51.100.7'), to))
    expect([...left.take(), ...right.take()]).toEqual([])
    expect(stack.drops).toMatchObject([{ reason: 'IpSourceRoute', count: 3 }])
  })

  test('is there for routers only: a host that follows them takes what ends there and passes nothing on', () => {
    const { stack, left, right } = router({ forwarding: false })
    left.input(by(route(LOOSE, 4, '198.51.100.7')))
    expect([...left.take(), ...right.take()]).toEqual([])
    expect(stack.drops).toMatchObject([{ reason: 'IpSourceRoute', count: 1 }])
  })
})

test('a datagram finds its way by a source route, and its checksum is right at the end', () => {
  const host = makeHost()
  const { endpoint } = open(host.stack, 4, 5000)
  endpoint.setIpOptions(route(LOOSE, 4, '198.51.100.5'))
  send(endpoint, pattern(100), PEER4, 7)
  const [out] = host.link.take() as [Bytes]
  const stack = new Stack({ clock: new ManualClock(), forwarding: true, sourceRoute: true })
  const [left, right] = [new TestLink('left'), new TestLink('right')]
  stack.addNic(left, { addresses: ['198.51.100.5/24'] })
  stack.addNic(right, { addresses: ['192.0.2.1/24'] })
  left.input(out)
  const [passed] = right.take() as [Bytes]
  const far = new Stack({ clock: new ManualClock(), sourceRoute: true })
  const link = new TestLink('far')
  far.addNic(link, { addresses: [`${PEER4}/24`] })
  const { mailbox } = open(far, 4, 7)
  link.input(passed)
  expect(mailbox.received.map(({ payload, from }) => [hex(payload), from])).toEqual([[hex(pattern(100)), HOST4]])
  expect(far.drops).toEqual([])
})
