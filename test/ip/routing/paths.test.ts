import { describe, expect, test } from 'vitest'
import { Address, Prefix } from '../../../src/base/address.ts'
import { ManualClock } from '../../../src/base/clock.ts'
import { PathMtu } from '../../../src/ip/routing/path-mtu.ts'
import { Paths } from '../../../src/ip/routing/paths.ts'
import type { RouteNic } from '../../../src/ip/routing/route-nic.ts'
import { type Route, RouteTable } from '../../../src/ip/routing/route-table.ts'

function makePaths() {
  const eth0 = { index: 2, isUp: true, mtuOf: () => 1500 }
  const nic = eth0 as unknown as RouteNic
  const routes = new RouteTable()
  const pathMtu = new PathMtu(new ManualClock())
  const paths = new Paths([undefined, undefined, nic], routes, pathMtu)
  const add = (to: string, via: string | null, fields: Partial<Route> = {}) =>
    routes.add({
      prefix: Prefix.parse(to),
      nic,
      gateway: via === null ? null : Address.parse(via),
      metric: 0,
      source: null,
      mtu: 0,
      kind: 'unicast',
      ...fields,
    })
  const route = (to: string, over = 0) => {
    const { w0, w1, w2, w3 } = Address.parse(to)
    return paths.route(w0, w1, w2, w3, over)
  }
  const mtuTo = (to: string) => {
    const { w0, w1, w2, w3 } = Address.parse(to)
    return paths.mtuTo(route(to) as Route, w0, w1, w2, w3)
  }
  return { eth0, add, route, mtuTo, pathMtu, paths }
}

describe('the path to a group', () => {
  test('takes the default route when no nic is asked for', () => {
    const { add, route } = makePaths()
    add('0.0.0.0/0', '10.0.0.1')
    expect(route('239.1.1.1')?.gateway?.toString()).toBe('10.0.0.1')
  })

  test('is on the link of the nic that is asked for, with or without a route', () => {
    const { add, route } = makePaths()
    expect(route('239.1.1.1', 2)?.gateway).toBe(null)
    add('0.0.0.0/0', '10.0.0.1')
    for (const to of ['239.1.1.1', 'ff0e::5', '255.255.255.255']) expect(route(to, 2)?.gateway).toBe(null)
  })

  test('has the MTU of a route for groups, and not that of the default route', () => {
    const { add, route } = makePaths()
    add('0.0.0.0/0', '10.0.0.1', { mtu: 900 })
    expect(route('239.1.1.1', 2)?.mtu).toBe(0)
    add('239.0.0.0/8', '10.0.0.1', { mtu: 800 })
    expect(route('239.1.1.1', 2)?.mtu).toBe(800)
  })

  test('is none over a nic that is down or gone', () => {
    const { eth0, route } = makePaths()
    expect(route('239.1.1.1', 7)).toBe(null)
    eth0.isUp = false
    expect(route('239.1.1.1', 2)).toBe(null)
  })
})

describe('the MTU of a path', () => {
  test("is the least of the nic's, the route's and what was reported", () => {
    const { add, mtuTo, pathMtu, paths } = makePaths()
    add('192.0.2.0/24', '10.0.0.1')
    add('198.51.100.0/24', '10.0.0.1', { mtu: 1400 })
    expect([mtuTo('192.0.2.1'), mtuTo('198.51.100.1')]).toEqual([1500, 1400])
    expect(paths.reportMtu(Address.parse('198.51.100.1'), 1450, 1500)).toBe(0)
    expect(paths.reportMtu(Address.parse('198.51.100.1'), 1300, 1500)).toBe(1300)
    expect(mtuTo('198.51.100.1')).toBe(1300)
    pathMtu.clear()
    expect(mtuTo('198.51.100.1')).toBe(1400)
  })

  test('is not reported for a destination without a route', () => {
    expect(makePaths().paths.reportMtu(Address.parse('192.0.2.1'), 1300, 1500)).toBe(0)
  })
})
