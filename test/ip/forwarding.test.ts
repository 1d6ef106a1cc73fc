import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../src/base/clock.ts'
import { SeededRandom } from '../../src/base/random.ts'
import { Stack, type StackOptions } from '../../src/stack.ts'
import {
  address,
  type Bytes,
  checksum,
  hex,
  icmp,
  ip4,
  ip6,
  join,
  options,
  pattern,
  u8,
  u32,
  udp,
} from '../differential/raw-ip.ts'
import { TestLink } from '../differential/stack-host.ts'
import { open, send } from '../host.ts'
import { destination, icmpBody, icmpKind, source } from '../packet.ts'

/** A router between 192.0.2.0/24 on the left and 198.51.100.0/24 on the right. */
function router(options: StackOptions = {}, mtu = 1500) {
  const stack = new Stack({ clock: new ManualClock(), forwarding: true, icmpRateLimit: false, ...options })
  const left = new TestLink('left')
  const right = new TestLink('right', mtu)
  stack.addNic(left, { addresses: ['192.0.2.1/24', '2001:db8:1::1/64', 'fe80::1/64'] })
  stack.addNic(right, { addresses: ['198.51.100.1/24', '2001:db8:2::1/64', 'fe80::2/64'] })
  left.take()
  right.take()
  return { stack, left, right }
}

const FROM4 = '192.0.2.7'
const TO4 = '198.51.100.7'
const FROM6 = '2001:db8:1::7'
const TO6 = '2001:db8:2::7'

const packet4 = (fields: Partial<Parameters<typeof ip4>[0]> = {}, length = 20) =>
  ip4({
    source: FROM4,
    destination: TO4,
    ttl: 9,
    payload: udp({ from: FROM4, to: TO4, payload: pattern(length) }),
    ...fields,
  })
const packet6 = (fields: Partial<Parameters<typeof ip6>[0]> = {}, length = 20) =>
  ip6({
    source: FROM6,
    destination: TO6,
    hopLimit: 9,
    payload: udp({ from: FROM6, to: TO6, payload: pattern(length) }),
    ...fields,
  })

const only = (packets: Bytes[]): Bytes => {
  expect(packets).toHaveLength(1)
  return packets[0] as Bytes
}
const drops = (stack: Stack) => stack.drops.map(({ reason }) => reason)

describe('a router', () => {
  test('passes a packet on with one hop less and a checksum that is right (RFC 1812 5.3.1, RFC 1624)', () => {
    const { left, right } = router()
    for (let id = 0; id < 0x1_0000; id += 251) {
      left.input(packet4({ id, ttl: 2 + (id % 200) }))
      const out = only(right.take())
      expect(out[8]).toBe(1 + (id % 200))
      expect(checksum(out.subarray(0, 20))).toBe(0)
    }
    left.input(packet6())
    expect(hex(only(right.take()))).toBe(hex(packet6({ hopLimit: 8 })))
  })

  test('counts what it passes on', () => {
    const { stack, left } = router()
    left.input(packet4())
    left.input(packet6())
    expect(stack.counters.IpForwDatagrams).toBe(1)
    expect(stack.counters.Ip6OutForwDatagrams).toBe(1)
  })

  test('says Time Exceeded from the nic it came by when the hops are used up (RFC 1812 5.3.1, RFC 4443 3.3)', () => {
    const { stack, left, right } = router()
    for (const hops of [0, 1]) {
      left.input(packet4({ ttl: hops }))
      const error = only(left.take())
      expect(source(error)).toBe('192.0.2.1')
      expect(icmpKind(error)).toEqual([11, 0])
      expect(hex(icmpBody(error))).toBe(hex(packet4({ ttl: hops })))
      left.input(packet6({ hopLimit: hops }))
      const error6 = only(left.take())
      expect(hex(error6.subarray(8, 24))).toBe('20010db8000100000000000000000001')
      expect(icmpKind(error6)).toEqual([3, 0])
    }
    expect(right.take()).toHaveLength(0)
    expect(drops(stack)).toEqual(['IpHopLimitExceeded'])
  })

  test('says Fragmentation Needed and Packet Too Big with the MTU of the next link (RFC 1191 4, RFC 4443 3.2)', () => {
    const { left, right } = router({}, 1300)
    left.input(packet4({ df: true }, 1400))
    const error = only(left.take())
    expect(icmpKind(error)).toEqual([3, 4])
    expect(hex(error.subarray(26, 28))).toBe('0514')
    left.input(packet6({}, 1400))
    const error6 = only(left.take())
    expect(icmpKind(error6)).toEqual([2, 0])
    expect(hex(error6.subarray(44, 48))).toBe('00000514')
    expect(right.take()).toHaveLength(0)
  })

  test('fragments IPv4 when DF is clear, fragments too (RFC 791 3.2, RFC 1812 5.2.6)', () => {
    const { left, right } = router({}, 1300)
    left.input(packet4({ id: 7 }, 1400))
    const whole = packet4({}, 1400).subarray(20)
    const [first, second] = right.take() as [Bytes, Bytes]
    expect(hex(first.subarray(4, 8))).toBe('00072000')
    expect(hex(second.subarray(4, 8))).toBe('000700a0')
    expect(hex(first.subarray(20)) + hex(second.subarray(20))).toBe(hex(whole))
    // A middle fragment stays a middle fragment.
    left.input(packet4({ id: 8, offset: 1400, mf: true, payload: pattern(1400) }))
    expect(right.take().map((each) => hex(each.subarray(6, 8)))).toEqual(['20af', '214f'])
  })

  test('copies options to later fragments by their copy bit (RFC 791 3.1)', () => {
    const { left, right } = router({}, 1300)
    left.input(packet4({ options: u8(0x5e, 4, 1, 2, 0xde, 4, 3, 4) }, 1400))
    const [first, second] = right.take() as [Bytes, Bytes]
    expect(hex(first.subarray(20, 28))).toBe('5e040102de040304')
    expect(hex(second.subarray(20, 28))).toBe('01010101de040304')
    expect(checksum(second.subarray(0, 28))).toBe(0)
  })

  test('records the address it sends from (RFC 1812 4.2.2.2)', () => {
    const { left, right } = router()
    left.input(packet4({ options: u8(7, 7, 4, 0, 0, 0, 0) }))
    const out = only(right.take())
    expect(hex(out.subarray(20, 28))).toBe('070708c633640100')
    expect(checksum(out.subarray(0, 28))).toBe(0)
  })

  test('refuses source routes unless told otherwise, and follows them then (RFC 7126 4.3)', () => {
    const options = u8(131, 7, 4, 198, 51, 100, 7)
    const refusing = router()
    refusing.left.input(packet4({ destination: '192.0.2.1', options }))
    expect(drops(refusing.stack)).toEqual(['IpSourceRoute'])
    const following = router({ sourceRoute: true })
    following.left.input(packet4({ destination: '192.0.2.1', options }))
    const out = only(following.right.take())
    expect(destination(out)).toBe('198.51.100.7')
    expect(hex(out.subarray(20, 28))).toBe('830708c633640100')
    expect(checksum(out.subarray(0, 28))).toBe(0)
  })

  test.each([
    ['a loopback source', { source: '127.0.0.1' }, 'IpMartianSource'],
    ['a source of 240.0.0.0/4', { source: '240.0.0.1' }, 'IpMartianSource'],
    ['a destination of 240.0.0.0/4', { destination: '240.0.0.1' }, 'IpMartianDestination'],
    ['a destination of 0.0.0.0/8', { destination: '0.1.2.3' }, 'IpMartianDestination'],
    ['a destination of 127.0.0.0/8', { destination: '127.0.0.2' }, 'IpMartianDestination'],
    ['a link-local source', { source: '169.254.1.1' }, 'IpBeyondScope'],
    ['a group', { destination: '239.1.2.3' }, 'IpNotMember'],
    ['a group as source', { source: '224.0.0.1' }, 'IpMartianSource'],
  ])('does not forward %s (RFC 1812 5.3.7, RFC 3927 7)', (_what, fields, reason) => {
    const { stack, left, right } = router()
    left.input(packet4(fields))
    expect(right.take()).toHaveLength(0)
    expect(drops(stack)).toEqual([reason])
  })

  test.each([
    ['255.255.255.255', 'the limited broadcast address'],
    ['192.0.2.255', 'that of the link it came by'],
    ['198.51.100.255', 'that of another link of its own (RFC 2644)'],
  ])(
    'takes a broadcast to %s, %s, for itself and passes it on to nobody (RFC 919 7, RFC 1812 5.3.5)',
    (destination) => {
      const { stack, left, right } = router()
      const { mailbox } = open(stack, 4, 7000)
      left.input(packet4({ destination, payload: udp({ from: FROM4, to: destination }) }))
      expect([...left.take(), ...right.take()]).toEqual([])
      expect(mailbox.received.map(({ to }) => to)).toEqual([destination])
      expect(drops(stack)).toEqual([])
    },
  )

  test('keeps DSCP, ECN and flow label of what it passes on (RFC 2474 3, RFC 3168 5.1, RFC 6437 3)', () => {
    const { left, right } = router()
    for (const tos of [0, 0xb8, 0xbb, 3]) {
      left.input(packet4({ tos }))
      expect(only(right.take())[1]).toBe(tos)
      left.input(packet6({ trafficClass: tos, flowLabel: 0xabcde }))
      expect(hex(only(right.take()).subarray(0, 4))).toBe(((0x60000000 | (tos << 20) | 0xabcde) >>> 0).toString(16))
    }
  })

  test('says Beyond Scope for a link-local source, and nothing for other martians (RFC 4007 9)', () => {
    const { stack, left, right } = router()
    left.input(packet6({ source: 'fe80::9' }))
    expect(icmpKind(only(left.take()))).toEqual([1, 2])
    for (const source of ['::', '::1', 'ff02::1']) left.input(packet6({ source }))
    expect(left.take()).toHaveLength(0)
    expect(right.take()).toHaveLength(0)
    expect(drops(stack)).toEqual(['IpMartianSource', 'IpBeyondScope'])
  })

  test('says that there is no route, or that it is prohibited (RFC 1812 5.2.7.1, RFC 4443 3.1)', () => {
    const { stack, left } = router()
    stack.addRoute({ to: '203.0.113.0/24', kind: 'prohibit' })
    stack.addRoute({ to: '203.0.112.0/24', kind: 'unreachable' })
    stack.addRoute({ to: '203.0.111.0/24', kind: 'blackhole' })
    stack.addRoute({ to: '2001:db8:9::/48', kind: 'prohibit' })
    const answer = (packet: Bytes, at: number) => {
      left.input(packet)
      return left.take().map((each) => [...each.subarray(at, at + 2)])
    }
    expect(answer(packet4({ destination: '203.0.110.1' }), 20)).toEqual([[3, 0]])
    expect(answer(packet4({ destination: '203.0.113.1' }), 20)).toEqual([[3, 13]])
    expect(answer(packet4({ destination: '203.0.112.1' }), 20)).toEqual([[3, 1]])
    expect(answer(packet4({ destination: '203.0.111.1' }), 20)).toEqual([])
    expect(answer(packet6({ destination: '2001:db8:8::1' }), 40)).toEqual([[1, 0]])
    expect(answer(packet6({ destination: '2001:db8:9::1' }), 40)).toEqual([[1, 1]])
  })

  test('answers for a bad hop-by-hop option on its way through (RFC 8200 4.2)', () => {
    const { left, right } = router()
    left.input(packet6({ next: 0, payload: u8(17, 0, 0x9e, 2, 0, 0, 1, 0, ...pattern(20)) }))
    expect(icmpKind(only(left.take()))).toEqual([4, 2])
    expect(right.take()).toHaveLength(0)
  })

  test('checks the reverse path: loose by any route, strict by this nic (RFC 3704)', () => {
    const strange = packet4({ source: '203.0.113.1' })
    const wrongSide = packet4({ source: '198.51.100.9' })
    const passed = (reversePath: 'off' | 'loose' | 'strict', packet: Bytes) => {
      const { left, right } = router({ reversePath })
      left.input(packet)
      return right.take().length
    }
    expect([passed('off', strange), passed('off', wrongSide)]).toEqual([1, 1])
    expect([passed('loose', strange), passed('loose', wrongSide)]).toEqual([0, 1])
    expect([passed('strict', strange), passed('strict', wrongSide), passed('strict', packet4())]).toEqual([0, 0, 1])
  })

  test(
    'lends what has a Router Alert to whoever asked for it, and passes on what is not taken (RFC 2113 2.1, ' +
      'RFC 2711 2.1)',
    () => {
      const { stack, left, right } = router()
      const alert4 = (value: number) => packet4({ options: u8(148, 4, 0, value) })
      const alert6 = (value: number) => packet6({ next: 0, payload: options(17, u8(5, 2, 0, value)) })
      const padded6 = packet6({ next: 0, payload: options(17, u8(0, 0x1e, 1, 9, 5, 2, 1, 0)) })
      for (const packet of [alert4(0), alert6(0)]) left.input(packet)
      expect(right.take()).toHaveLength(2)
      const seen: [number, string, string][] = []
      let takes = false
      stack.ip.onRouterAlert = (packet, nic, value) => {
        seen.push([value, nic.name, hex(packet.bytes.slice(packet.network, packet.networkEnd))])
        return takes
      }
      const all = [alert4(0), alert6(0), alert6(7), padded6]
      for (const packet of all) left.input(packet)
      expect(right.take()).toHaveLength(4)
      takes = true
      for (const packet of all) left.input(packet)
      expect(right.take()).toEqual([])
      const expected = all.map((packet, at) => [[0, 0, 7, 256][at], 'left', hex(packet)])
      expect(seen).toEqual([...expected, ...expected])
      expect(stack.drops).toEqual([])
      // Other values of RFC 2113 are reserved, packets without the option and those for us are
      // nobody's business.
      const echo = ip4({
        source: FROM4,
        destination: '192.0.2.1',
        protocol: 1,
        options: u8(148, 4, 0, 0),
        payload: icmp(8, 0, u32(1), u8()),
      })
      for (const packet of [alert4(1), packet4(), packet6(), packet4({ options: u8(1) }), echo]) left.input(packet)
      expect(right.take()).toHaveLength(4)
      expect(seen).toHaveLength(8)
    },
  )

  test('is a host too: what is for its own addresses stays', () => {
    const { left, right } = router()
    left.input(
      ip4({ source: FROM4, destination: '198.51.100.1', protocol: 1, payload: icmp(8, 0, u32(1), pattern(4)) }),
    )
    expect(left.take()).toHaveLength(1)
    expect(right.take()).toHaveLength(0)
  })
})

describe('a host', () => {
  test('discards what is for others in silence (RFC 1122 3.2.1.3)', () => {
    const { stack, left, right } = router({ forwarding: false })
    left.input(packet4())
    left.input(packet6())
    expect([...left.take(), ...right.take()]).toHaveLength(0)
    expect(stack.drops).toMatchObject([{ reason: 'IpNotForUs', count: 2 }])
  })

  test('takes a packet for the address of another nic only in the weak host model (RFC 1122 3.3.4.2)', () => {
    const echo = ip4({
      source: FROM4,
      destination: '198.51.100.1',
      protocol: 1,
      payload: icmp(8, 0, u32(1), pattern(4)),
    })
    const answers = (strongHost: boolean) => {
      const { left } = router({ forwarding: false, strongHost })
      left.input(echo)
      return left.take().length
    }
    expect([answers(false), answers(true)]).toEqual([1, 0])
  })

  test('keeps link-local addresses to their links (RFC 4007 6)', () => {
    const { left } = router({ forwarding: false })
    const to = { from: 'fe80::9', to: 'fe80::2' }
    left.input(ip6({ source: to.from, destination: to.to, next: 58, payload: icmp(128, 0, u32(1), pattern(4), to) }))
    expect(left.take()).toHaveLength(0)
  })
})

describe('a link with two addresses (RFC 3021)', () => {
  const pair = (own: string) => {
    const stack = new Stack({ clock: new ManualClock(), icmpRateLimit: false })
    const link = new TestLink('pair')
    stack.addNic(link, { addresses: [`${own}/31`] })
    link.take()
    const { endpoint, mailbox } = open(stack, 4, 7000)
    return { stack, link, endpoint, mailbox }
  }

  test.each([
    ['192.0.2.0', '192.0.2.1'],
    ['192.0.2.1', '192.0.2.0'],
  ])(
    'has no network and no broadcast address: %s sends to %s and hears it, without the permission to broadcast',
    (own, other) => {
      const { stack, link, endpoint, mailbox } = pair(own)
      expect(send(endpoint, pattern(4), other, 9)).toBe('')
      expect(hex(only(link.take()).subarray(12, 20))).toBe(hex(join(address(own), address(other))))
      link.input(ip4({ source: other, destination: own, payload: udp({ from: other, to: own }) }))
      expect(mailbox.received).toHaveLength(1)
      // Errors answer it, as they do any one host (RFC 1122 section 3.2.2).
      link.input(ip4({ source: other, destination: own, payload: udp({ from: other, to: own, port: 9 }) }))
      expect(icmpKind(only(link.take()))).toEqual([3, 3])
      expect(drops(stack)).toEqual(['UdpNoPort'])
    },
  )

  test('takes the limited broadcast', () => {
    const { link, mailbox } = pair('192.0.2.0')
    link.input(
      ip4({
        source: '192.0.2.1',
        destination: '255.255.255.255',
        payload: udp({ from: '192.0.2.1', to: '255.255.255.255' }),
      }),
    )
    expect(mailbox.received).toHaveLength(1)
  })
})

describe('ICMP errors', () => {
  const closed = (source: string) =>
    ip4({ source, destination: '192.0.2.1', payload: udp({ from: source, to: '192.0.2.1', port: 9 }) })

  test('are limited per destination: a burst of six, then one a second (RFC 1812 4.3.2.8, RFC 4443 2.4)', () => {
    const clock = new ManualClock()
    const { stack, left } = router({ clock, icmpRateLimit: 1000 })
    for (let i = 0; i < 10; i++) left.input(closed(FROM4))
    expect(left.take()).toHaveLength(6)
    expect(stack.counters.IcmpOutRateLimitHost).toBe(4)
    left.input(closed('192.0.2.8'))
    expect(left.take()).toHaveLength(1)
    clock.advance(1000)
    for (let i = 0; i < 3; i++) left.input(closed(FROM4))
    expect(left.take()).toHaveLength(1)
  })

  test(
    'are limited for the whole host: a burst of fifty, more or less, so that nobody can count what others ' +
      'were sent',
    () => {
      const bursts = Array.from({ length: 40 }, (_, seed) => {
        const clock = new ManualClock()
        const { left } = router({ clock, icmpRateLimit: 1000, random: new SeededRandom(seed) })
        for (let i = 2; i < 200; i++) left.input(closed(`192.0.2.${i}`))
        const first = left.take().length
        clock.advance(10)
        for (let i = 2; i < 200; i++) left.input(closed(`192.0.2.${i}`))
        return [first, left.take().length] as const
      })
      // An error costs one token on average (Linux: icmp_global_allow).
      const average = (at: 0 | 1) => bursts.reduce((sum, burst) => sum + burst[at], 0) / bursts.length
      expect(average(0)).toBeGreaterThan(47)
      expect(average(0)).toBeLessThan(54)
      expect(average(1)).toBeGreaterThan(8)
      expect(average(1)).toBeLessThan(13)
      expect(new Set(bursts.map(([first]) => first)).size).toBeGreaterThan(5)
    },
  )

  test('about the path MTU are not limited', () => {
    const { left } = router({ icmpRateLimit: 1 }, 1300)
    for (let i = 0; i < 100; i++) left.input(packet6({}, 1400))
    expect(left.take()).toHaveLength(100)
  })
})
