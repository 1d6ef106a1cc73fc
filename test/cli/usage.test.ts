import { describe, expect, test } from 'vitest'
import { address, cidr, integer, interfaceAddress, port, scoped, target, UsageError } from '../../src/cli/usage.ts'

describe('an option on the command line', () => {
  test('an option is a whole number within bounds, decimal or hexadecimal', () => {
    expect(integer('tos', '0xb8', 0, 255)).toBe(184)
    expect(integer('count', '12', 1, 100)).toBe(12)
    expect(integer('count', undefined, 1, 100)).toBeUndefined()
    for (const text of ['', ' 5', '-1', '1.5', '1e3', '256', 'x', '0x'])
      expect(() => integer('tos', text, 0, 255), text).toThrow(UsageError)
    expect(() => integer('ttl', '0', 1, 255)).toThrow("--ttl takes a whole number from 1 to 255, not '0'")
  })

  test('an option is a port from 1 to 65535', () => {
    expect(port('--port', '65535')).toBe(65535)
    for (const text of ['0', '65536', 'http']) expect(() => port('--port', text), text).toThrow(UsageError)
    expect(() => port('PORT', '0')).toThrow("PORT takes a whole number from 1 to 65535, not '0'")
  })

  test('an option is an address, with or without a prefix length', () => {
    expect(`${address('gateway', '10.9.0.1')}`).toBe('10.9.0.1')
    expect(() => address('gateway', '10.9.0.1/24')).toThrow(UsageError)
    expect(`${cidr('peer', 'fd09::1/64').prefix}`).toBe('fd09::/64')
    expect(() => cidr('peer', '10.9.0.1/33')).toThrow(/^--peer: /)
    const { address: near, far, prefix } = interfaceAddress('peer', '10.9.0.1 peer 10.9.0.2')
    expect([`${near}`, `${far}`, `${prefix}`]).toEqual(['10.9.0.1', '10.9.0.2', '10.9.0.2/32'])
    expect(() => interfaceAddress('peer', '10.9.0.1 pear 10.9.0.2')).toThrow(/^--peer: /)
    expect(scoped('gateway', 'fe80::1%tun0')).toMatchObject({ text: 'fe80::1%tun0', zone: 'tun0' })
    expect(() => scoped('gateway', '10.9.0.1/24')).toThrow(UsageError)
  })

  test('an option is an address and a port, IPv6 in brackets', () => {
    expect(target('to', '10.9.0.1:5000')).toMatchObject({ text: '10.9.0.1', port: 5000 })
    expect(target('to', '[fd09::1]:5000')).toMatchObject({ text: 'fd09::1', port: 5000 })
    expect(target('to', '[fe80::1%tun0]:5000')).toMatchObject({ text: 'fe80::1%tun0', port: 5000 })
    for (const text of [
      '10.9.0.1',
      '10.9.0.1:',
      '10.9.0.1:0',
      ':5000',
      'fd09::1:5000',
      '[10.9.0.1]:5000',
      'localhost:5000',
      '[fd09::1]:70000',
    ])
      expect(() => target('to', text), text).toThrow(UsageError)
  })
})
