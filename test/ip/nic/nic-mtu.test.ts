import { describe, expect, test } from 'vitest'
import { NicMtu } from '../../../src/ip/nic/nic-mtu.ts'
import type { Link } from '../../../src/link/link.ts'

function makeMtu(most = 1500) {
  const link = { mtu: most }
  const told: string[] = []
  const mtu = new NicMtu(
    link as Link,
    'eth0',
    most,
    (carried) => told.push(carried ? 'carried IPv6' : 'did not carry IPv6'),
    () => told.push('advertised'),
  )
  return { link, mtu, told: () => told.splice(0) }
}

describe('the MTU of a nic', () => {
  test("follows the link's, unless it was set lower", () => {
    const { link, mtu } = makeMtu()
    link.mtu = 9000
    mtu.follow()
    expect(mtu.value).toBe(9000)
    mtu.set(1400)
    link.mtu = 1450
    mtu.follow()
    expect(mtu.value).toBe(1400)
    link.mtu = 1300
    mtu.follow()
    expect(mtu.value).toBe(1300)
    link.mtu = 1500
    mtu.follow()
    expect(mtu.value).toBe(1400)
  })

  test("follows it again after it was set to the link's own", () => {
    const { link, mtu } = makeMtu()
    mtu.set(1400)
    mtu.set(1500)
    link.mtu = 9000
    mtu.follow()
    expect(mtu.value).toBe(9000)
  })

  test.each([67, 1501, 1000.5, Number.NaN])('is never %d', (wrong) => {
    const { mtu, told } = makeMtu()
    expect(() => mtu.set(wrong)).toThrow(RangeError)
    expect([mtu.value, told()]).toEqual([1500, []])
  })

  test('tells of a change alone, and whether IPv6 was carried before', () => {
    const { mtu, told } = makeMtu()
    mtu.set(1500)
    expect(told()).toEqual([])
    mtu.set(1279)
    expect([mtu.carriesIpv6, told()]).toEqual([false, ['carried IPv6']])
    mtu.set(1280)
    expect([mtu.carriesIpv6, told()]).toEqual([true, ['did not carry IPv6']])
  })

  test('is what routers advertise for IPv6, where that is less', () => {
    const { mtu, told } = makeMtu()
    mtu.advertised = 1400
    mtu.advertised = 1400
    expect([mtu.of(4), mtu.of(6), told()]).toEqual([1500, 1400, ['advertised']])
    mtu.set(1300)
    expect(mtu.of(6)).toBe(1300)
  })
})
