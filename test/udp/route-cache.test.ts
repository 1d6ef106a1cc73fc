import { describe, expect, test } from 'vitest'
import { Address } from '../../src/base/address.ts'
import { HOST4, makeHost, open, PEER4, PEER6, send } from '../host.ts'
import { pattern } from '../packet.ts'

/** A host that counts how often its route table is asked. */
function counting() {
  const host = makeHost()
  const { routes } = host.stack.ip
  const lookup = routes.lookup.bind(routes)
  let asked = 0
  routes.lookup = (...args) => {
    asked++
    return lookup(...args)
  }
  /** Whether the datagram asked for a route. */
  const asks = (...args: Parameters<typeof send>) => {
    const before = asked
    expect(send(...args)).toBe('')
    return asked !== before
  }
  return { ...host, asks }
}

describe.each([
  [4, PEER4, '192.0.2.11'],
  [6, PEER6, '2001:db8:a::11'],
] as const)('the route of the last destination, over IPv%i', (family, peer, other) => {
  test('is asked for once, and again for another destination', () => {
    const { stack, asks } = counting()
    const { endpoint } = open(stack, family)
    expect([peer, peer, other, other, peer].map((to) => asks(endpoint, pattern(1), to, 9))).toEqual([
      true,
      false,
      true,
      false,
      true,
    ])
  })

  test('is asked for again when routes, the peer or the settings of one datagram are others', () => {
    const { stack, asks, nic } = counting()
    const { endpoint } = open(stack, family)
    const again = (options: Parameters<typeof send>[4] = null) => asks(endpoint, pattern(1), peer, 9, options)
    expect([again(), again()]).toEqual([true, false])
    stack.addRoute({ to: family === 4 ? '203.0.113.0/24' : '2001:db8:9::/48', nic: 'eth0' })
    expect([again(), again()]).toEqual([true, false])
    expect([again({ tos: 4 }), again({ nic: nic.index }), again(), again()]).toEqual([false, true, true, false])
    endpoint.connect(Address.parse(peer), 9)
    endpoint.disconnect()
    expect([again(), again()]).toEqual([true, false])
  })

  test('is not used when a setting forbids it now', () => {
    const { stack, asks } = counting()
    const { endpoint } = open(stack, family)
    asks(endpoint, pattern(1), peer, 9)
    endpoint.dontRoute = true
    expect(send(endpoint, pattern(1), peer, 9)).toBe('ENETUNREACH')
  })
})

test('a remembered broadcast route needs the permission each time', () => {
  const { stack } = makeHost()
  const { endpoint } = open(stack, 4)
  endpoint.broadcast = true
  expect(send(endpoint, pattern(1), '198.51.100.255', 9)).toBe('')
  endpoint.broadcast = false
  expect(send(endpoint, pattern(1), '198.51.100.255', 9)).toBe('EACCES')
})

test('another source for groups counts at once', () => {
  const { stack, link, nic } = makeHost()
  nic.addAddress('198.51.100.21/24')
  const { endpoint } = open(stack, 4)
  const source = () => Address.fromBytes((link.take()[0] as Uint8Array).subarray(12, 16)).toString()
  expect(send(endpoint, pattern(1), '239.1.1.1', 9)).toBe('')
  expect(source()).toBe(HOST4)
  endpoint.multicastSource4 = Address.parse('198.51.100.21')
  expect(send(endpoint, pattern(1), '239.1.1.1', 9)).toBe('')
  expect(source()).toBe('198.51.100.21')
})
