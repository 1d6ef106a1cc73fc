import { describe, expect, test } from 'vitest'
import { PmtuMode } from '../../src/ip/routing/pmtu-mode.ts'
import { icmpErrno } from '../../src/udp/icmp-errno.ts'

/** By code: errno and whether a connected socket hears of it unasked, as `net/ipv4/icmp.c` has them. */
const LINUX4 = [
  ['ENETUNREACH', false],
  ['EHOSTUNREACH', false],
  ['ENOPROTOOPT', true],
  ['ECONNREFUSED', true],
  ['EMSGSIZE', true],
  ['EOPNOTSUPP', false],
  ['ENETUNREACH', true],
  ['EHOSTDOWN', true],
  ['ENONET', true],
  ['ENETUNREACH', true],
  ['EHOSTUNREACH', true],
  ['ENETUNREACH', false],
  ['EHOSTUNREACH', false],
  ['EHOSTUNREACH', true],
  ['EHOSTUNREACH', true],
  ['EHOSTUNREACH', true],
] as const
/** As `net/ipv6/icmp.c` has them. */
const LINUX6 = [
  ['ENETUNREACH', false],
  ['EACCES', true],
  ['EHOSTUNREACH', false],
  ['EHOSTUNREACH', false],
  ['ECONNREFUSED', true],
  ['EACCES', true],
  ['EACCES', true],
] as const

const of = (family: 4 | 6, type: number, code: number, mode: PmtuMode = PmtuMode.Want) => {
  const { errno, hard } = icmpErrno(family, type, code, mode)
  return [errno, hard]
}

describe('what an ICMP error means to a program', () => {
  test('is Linux’s for every code of Destination Unreachable', () => {
    expect(LINUX4.map((_, code) => of(4, 3, code))).toEqual(LINUX4)
    expect(LINUX6.map((_, code) => of(6, 1, code))).toEqual(LINUX6)
  })

  test('is nothing for a code that IPv4 does not know, and a protocol error in IPv6', () => {
    expect([of(4, 3, 16), of(4, 3, 255)]).toEqual([
      ['', false],
      ['', false],
    ])
    expect(of(6, 1, 7)).toEqual(['EPROTO', true])
  })

  test('is an unreachable host when the hop limit ran out, and a protocol error for a parameter problem', () => {
    expect([of(4, 11, 0), of(6, 3, 0), of(4, 11, 1), of(6, 3, 1)]).toEqual(Array(4).fill(['EHOSTUNREACH', false]))
    expect([of(4, 12, 0), of(6, 4, 0)]).toEqual(Array(2).fill(['EPROTO', true]))
  })

  test('is EMSGSIZE for what is too big, but nothing to a program that lets it be fragmented', () => {
    for (const mode of [PmtuMode.Want, PmtuMode.Do, PmtuMode.Probe])
      expect([of(4, 3, 4, mode), of(6, 2, 0, mode)]).toEqual(Array(2).fill(['EMSGSIZE', true]))
    expect([of(4, 3, 4, PmtuMode.Dont), of(6, 2, 0, PmtuMode.Dont)]).toEqual(Array(2).fill(['', false]))
  })
})
