import { describe, expect, test } from 'vitest'
import { Address } from '../../src/base/address.ts'
import { ManualClock } from '../../src/base/clock.ts'
import type { Packet } from '../../src/base/packet.ts'
import { PathMtuProber } from '../../src/ip/icmp/path-mtu-prober.ts'
import { PmtuMode } from '../../src/ip/routing/pmtu-mode.ts'
import { Segment } from '../../src/link/segment.ts'
import { Stack } from '../../src/stack.ts'
import * as udp from '../../src/wire/udp.ts'
import * as udpOptions from '../../src/wire/udp-options.ts'
import { HOST4, HOST6, makeHost, PEER4, PEER6 } from '../host.ts'
import { udp as datagram, hex, ipv4, ipv6, pattern } from '../packet.ts'
import { slowChecksum } from '../twins/checksum.ts'

type Read = readonly [payload: string, options: (readonly [kind: number, data: string])[]]

/** What a program that reads options gets of one packet. */
function deliver(family: 4 | 6, message: ArrayLike<number>): Read[] {
  const { stack, link } = makeHost()
  const seen: Read[] = []
  const endpoint = stack.udp.createEndpoint(family, {
    receive: (packet) => {
      const options = udpOptions.read(packet).map(({ kind, data }) => [kind, hex(data)] as const)
      seen.push([hex(packet.copy()), options])
    },
    flush: () => {},
    icmp: () => {},
  })
  expect(endpoint.bind(family === 4 ? Address.ANY4 : Address.ANY6, 7)).toBe('')
  link.receive(family === 4 ? ipv4(message) : ipv6(message))
  expect(stack.drops).toEqual([])
  return seen
}

/**
 * A surplus area by the obvious code: padding, the checksum over it all and its length (RFC 9868
 * section 9), options.
 */
function area(payload: number, options: readonly number[], checksum?: number): number[] {
  const pad = payload % 2 === 1 ? [0] : []
  const length = pad.length + 2 + options.length
  const right = slowChecksum(Uint8Array.from([length >> 8, length & 255, 0, 0, ...options])) || 0xffff
  const value = checksum ?? right
  return [...pad, value >> 8, value & 255, ...options]
}

const REQUEST = [6, 6, 1, 2, 3, 4]

describe.each([4, 6] as const)('UDP options over IPv%i (RFC 9868)', (family) => {
  const peer = family === 4 ? PEER4 : PEER6

  test.each([0, 1, 4, 5, 33])(
    'UDP options behind %i bytes of user data are read as the obvious code writes them',
    (size) => {
      const message = [
        ...datagram(pattern(size), family),
        ...area(size, [1, ...REQUEST, 4, 4, 5, 0, 77, 3, 9, 0, 0, 0]),
      ]
      expect(deliver(family, message)).toEqual([
        [
          hex(pattern(size)),
          [
            [6, '01020304'],
            [4, '0500'],
            [77, '09'],
          ],
        ],
      ])
    },
  )

  test.each([0, 1, 4, 5, 33])(
    'behind %i bytes of user data are sent so, and the checksum of the datagram does not count them',
    (size) => {
      for (const checksum of [false, true]) {
        const { stack, link } = makeHost({ offload: { ...makeHost().link.offload, checksum } })
        const endpoint = stack.udp.createEndpoint(family, { receive: () => {}, flush: () => {}, icmp: () => {} })
        endpoint.bind(family === 4 ? Address.ANY4 : Address.ANY6, 5000)
        const options = [udpOptions.wordOption(udpOptions.REQUEST, 0x01020304), { kind: 77, data: Uint8Array.of(9) }]
        const surplus = udpOptions.size(options, size) + 2
        const packet = endpoint.beginSend(size + surplus)
        packet.bytes.set(pattern(size + surplus), packet.start)
        udpOptions.write(packet, surplus, options)
        expect(endpoint.send(packet, Address.parse(peer), 9, 0, { surplus })).toBe('')
        const sent = link.take()[0] as Uint8Array
        const fields = { source: family === 4 ? HOST4 : HOST6, destination: peer, sourcePort: 5000, destinationPort: 9 }
        const expected = [...datagram(pattern(size), family, fields), ...area(size, [...REQUEST, 77, 3, 9, 0, 0])]
        expect(hex(sent.subarray(family === 4 ? 20 : 40))).toBe(hex(Uint8Array.from(expected)))
      }
    },
  )

  test.each([
    ['with a wrong checksum', area(4, REQUEST, 0x1234)],
    ['without a checksum, while the datagram has one', area(4, REQUEST, 0)],
    ['with another byte than 0 behind the end', area(4, [...REQUEST, 0, 1])],
    ['with an option of length 0', area(4, [6, 0, 1, 2, 3, 4])],
    ['with an option that is cut', area(4, [6, 6, 1, 2])],
    ['with an option of another length than its kind has', area(4, [6, 5, 1, 2, 3])],
    ['with more than seven times no operation', area(4, [1, 1, 1, 1, 1, 1, 1, 1, ...REQUEST])],
    ['with an extended length that is cut', area(4, [77, 255, 1])],
    ['of one byte', [0]],
  ])('%s are none, and the user data is delivered', (_, surplus) => {
    expect(deliver(family, [...datagram(pattern(4), family), ...surplus])).toEqual([[hex(pattern(4)), []]])
  })

  test('UDP options behind padding that is not 0 are none', () => {
    const surplus = area(5, REQUEST)
    surplus[0] = 1
    expect(deliver(family, [...datagram(pattern(5), family), ...surplus])).toEqual([[hex(pattern(5)), []]])
  })

  test('UDP options end in front of one that is not safe to ignore', () => {
    const message = [...datagram(pattern(4), family), ...area(4, [...REQUEST, 200, 2, 77, 2])]
    expect(deliver(family, message)).toEqual([[hex(pattern(4)), [[6, '01020304']]]])
  })

  test('UDP options come through fragments of the IP packet', () => {
    const [near, far] = [makeHost({ mtu: 1280 }), makeHost()]
    far.nic.addAddress(`${peer}/${family === 4 ? 32 : 128}`)
    const seen: Read[] = []
    const receiver = far.stack.udp.createEndpoint(family, {
      receive: (packet) =>
        seen.push([hex(packet.copy()), udpOptions.read(packet).map(({ kind, data }) => [kind, hex(data)] as const)]),
      flush: () => {},
      icmp: () => {},
    })
    receiver.bind(Address.parse(peer), 9)
    far.nic.removeAddress(Address.parse(family === 4 ? HOST4 : HOST6))
    const endpoint = near.stack.udp.createEndpoint(family, { receive: () => {}, flush: () => {}, icmp: () => {} })
    const options = [udpOptions.wordOption(udpOptions.REQUEST, 7)]
    const surplus = udpOptions.size(options, 3000)
    const packet = endpoint.beginSend(3000 + surplus)
    packet.bytes.set(pattern(3000), packet.start)
    udpOptions.write(packet, surplus, options)
    expect(endpoint.send(packet, Address.parse(peer), 9, 0, { surplus })).toBe('')
    const fragments = near.link.take()
    expect(fragments.length).toBeGreaterThan(2)
    far.link.receive(...fragments)
    expect(seen).toEqual([[hex(pattern(3000)), [[6, '00000007']]]])
  })

  test('UDP options of more than 252 bytes have the extended length', () => {
    const { stack, link } = makeHost()
    const endpoint = stack.udp.createEndpoint(family, { receive: () => {}, flush: () => {}, icmp: () => {} })
    const options = [252, 253, 600].map((length) => ({ kind: 77, data: pattern(length) }))
    const surplus = udpOptions.size(options, 3)
    const packet = endpoint.beginSend(3 + surplus)
    expect(() => udpOptions.write(packet, surplus - 2, options)).toThrow(RangeError)
    udpOptions.write(packet, surplus, options)
    endpoint.send(packet, Address.parse(peer), 9, 0, { surplus })
    const upper = (link.take()[0] as Uint8Array).subarray(family === 4 ? 20 : 40)
    expect(upper.length).toBe(8 + 3 + 1 + 2 + 254 + 257 + 604)
    const swapped = datagram(upper.subarray(8, 11), family)
    const read = deliver(family, [...swapped, ...upper.subarray(11)])
    expect(read[0]?.[1].map(([, data]) => data)).toEqual(options.map(({ data }) => hex(data)))
  })
})

test('a datagram without a checksum may leave out that of its options, too', () => {
  expect(deliver(4, [...datagram(pattern(4), 4, { checksum: 0 }), ...area(4, REQUEST, 0)])).toEqual([
    [hex(pattern(4)), [[6, '01020304']]],
  ])
})

test('the additional checksum is CRC-32C, by the examples of RFC 3720 section B.4', () => {
  expect(udpOptions.crc32c(new Uint8Array(32))).toBe(0x8a9136aa)
  expect(udpOptions.crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43)
  expect(udpOptions.crc32c(Uint8Array.from({ length: 32 }, (_, at) => at))).toBe(0x46dd794e)
})

test.each([4, 6] as const)(
  'a prober finds the MTU of a path over IPv%i by requests and responses alone (RFC 9869)',
  (family) => {
    const clock = new ManualClock()
    const [near, beyond] = [new Segment({ clock, mtu: 1500 }), new Segment({ clock, mtu: 1380 })]
    const [host, router, target] = [new Stack({ clock }), new Stack({ clock, forwarding: true }), new Stack({ clock })]
    const net = family === 4 ? ['192.0.2.', '198.51.100.', 24] : ['2001:db8:1::', '2001:db8:2::', 64]
    host.addNic(near.link(), { addresses: [`${net[0]}1/${net[2]}`] })
    router.addNic(near.link(), { name: 'near', addresses: [`${net[0]}2/${net[2]}`] })
    router.addNic(beyond.link(), { name: 'far', addresses: [`${net[1]}2/${net[2]}`] })
    target.addNic(beyond.link(), { addresses: [`${net[1]}1/${net[2]}`] })
    host.addRoute({ to: 'default', via: `${net[0]}2` })
    target.addRoute({ to: 'default', via: `${net[1]}2` })
    // A router whose errors do not come back.
    router.ip.icmp.sendError = () => {}
    const headers = (family === 4 ? 20 : 40) + udp.HEADER

    const open = (stack: Stack, receive: (packet: Packet, port: number) => void) => {
      const endpoint = stack.udp.createEndpoint(family, {
        receive: (packet, port) => {
          endpoint.release(packet.end - packet.start)
          receive(packet, port)
        },
        flush: () => {},
        icmp: () => {},
      })
      endpoint.bind(family === 4 ? Address.ANY4 : Address.ANY6, 7000)
      return endpoint
    }
    /**
     * No user data: what is in front of the options may be lost without harm, and is given to nobody.
     */
    const sendOption = (
      endpoint: ReturnType<typeof open>,
      to: string,
      option: udpOptions.UdpOption,
      surplus: number,
    ) => {
      const packet = endpoint.beginSend(surplus)
      udpOptions.write(packet, surplus, [option])
      return endpoint.send(packet, Address.parse(to), 7000, 0, { surplus, pmtuMode: PmtuMode.Probe })
    }

    const answers: (() => void)[] = []
    const far = open(target, (packet) => {
      const request = udpOptions.read(packet).find(({ kind }) => kind === udpOptions.REQUEST)
      if (request === undefined) return
      const option = { kind: udpOptions.RESPONSE, data: request.data }
      answers.push(() => sendOption(far, `${net[0]}1`, option, udpOptions.size([option], 0)))
      clock.soon(() => answers.shift()?.())
    })
    const tokens = new Map<number, number>()
    const own = open(host, (packet) => {
      const response = udpOptions.read(packet).find(({ kind }) => kind === udpOptions.RESPONSE)
      const size = response === undefined ? undefined : tokens.get(udpOptions.wordOf(response))
      if (size !== undefined) prober.acknowledged(size)
    })
    let token = host.random.uint32()
    const prober = new PathMtuProber({
      clock,
      max: 1500,
      precision: 1,
      send: (size) => {
        token = (token + 1) >>> 0
        tokens.set(token, size)
        expect(sendOption(own, `${net[1]}1`, udpOptions.wordOption(udpOptions.REQUEST, token), size - headers)).toBe('')
      },
    })
    prober.start()
    for (let step = 0; step < 5000 && prober.state !== 'complete'; step++) clock.step()
    expect([prober.state, prober.size]).toEqual(['complete', 1380])
    prober.stop()
  },
)
