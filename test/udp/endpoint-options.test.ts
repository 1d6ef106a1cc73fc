import { describe, expect, test } from 'vitest'
import { Address } from '../../src/base/address.ts'
import { dropCount, makeHost, open, PEER4, PEER6, send } from '../host.ts'
import { datagram, pattern, udpChecksum } from '../packet.ts'

describe.each([4, 6] as const)(
  'a socket that takes neighbors only (GTSM, RFC 5082 section 3), over IPv%i',
  (family) => {
    test('wants the hop limit that was received to be 255, or what it says', () => {
      const { stack, link } = makeHost()
      const { endpoint, mailbox } = open(stack, family, 7)
      endpoint.minHopLimit = 255
      for (const hops of [254, 1, 0, 255])
        link.receive(datagram([hops], family, family === 4 ? { ttl: hops } : { hopLimit: hops }))
      expect(mailbox.received.map(({ hopLimit }) => hopLimit)).toEqual([255])
      expect(dropCount(stack, 'UdpHopLimit')).toBe(3)
      // Nobody is told that there is a socket.
      expect(link.take()).toEqual([])
      endpoint.minHopLimit = 254
      link.receive(datagram([], family, family === 4 ? { ttl: 254 } : { hopLimit: 254 }))
      expect(mailbox.received).toHaveLength(2)
      expect(endpoint.queued).toBe(0)
    })

    test('is heard by such a one when it sends with 255', () => {
      const { stack, link } = makeHost()
      const { endpoint } = open(stack, family, 7)
      endpoint.hopLimit = 255
      send(endpoint, pattern(4), family === 4 ? PEER4 : PEER6, 9)
      expect(link.take()[0]?.[family === 4 ? 8 : 7]).toBe(255)
    })
  },
)

describe('a socket of a tunnel over IPv6 (RFC 6935, RFC 6936)', () => {
  const zero = (fields: Parameters<typeof datagram>[2] = {}) => datagram([1, 2, 3], 6, { checksum: 0, ...fields })

  test('takes datagrams without a checksum when it was told to, and only then', () => {
    const { stack, link } = makeHost()
    const { endpoint, mailbox } = open(stack, 6, 7)
    link.receive(zero())
    expect(dropCount(stack, 'UdpZeroChecksum')).toBe(1)
    endpoint.takesZeroChecksum = true
    link.receive(zero(), datagram([4], 6), datagram([5], 6, { checksum: 0x1234 }))
    expect(mailbox.received.map(({ payload }) => [...payload])).toEqual([[1, 2, 3], [4]])
    expect(dropCount(stack, 'UdpChecksum')).toBe(1)
    // Another port's sockets are not concerned, nor are closed ports and groups.
    open(stack, 6, 8)
    link.receive(zero({ destinationPort: 8 }), zero({ destinationPort: 9 }), zero({ destination: 'ff02::1' }))
    expect(dropCount(stack, 'UdpZeroChecksum')).toBe(4)
    expect(link.take()).toEqual([])
  })

  test('that is connected takes them from its peer alone', () => {
    const { stack, link } = makeHost()
    const { endpoint, mailbox } = open(stack, 6, 7)
    endpoint.takesZeroChecksum = true
    endpoint.connect(Address.parse(PEER6), 40_000)
    link.receive(zero(), zero({ sourcePort: 40_001 }), zero({ source: '2001:db8:a::11' }))
    expect(mailbox.received).toHaveLength(1)
    expect(dropCount(stack, 'UdpZeroChecksum')).toBe(2)
  })

  test.each([false, true])(
    'sends them when it was told to, over IPv6 alone (a device that completes checksums: %o)',
    (checksum) => {
      const { stack, link } = makeHost({ offload: { ...makeHost().link.offload, checksum } })
      const { endpoint } = open(stack, 6, 5000)
      endpoint.sendsZeroChecksum = true
      send(endpoint, pattern(4), PEER6, 9)
      expect(udpChecksum(link.take()[0] as Uint8Array)).toBe(0)
      send(endpoint, pattern(4), PEER4, 9)
      expect(udpChecksum(link.take()[0] as Uint8Array)).not.toBe(0)
      endpoint.sendsZeroChecksum = false
      send(endpoint, pattern(4), PEER6, 9)
      expect(udpChecksum(link.take()[0] as Uint8Array)).not.toBe(0)
    },
  )
})
