import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Address, MAPPED, Prefix } from '../../../src/base/address.ts'
import type { Nic } from '../../../src/ip/nic/nic.ts'
import { type Route, RouteTable } from '../../../src/ip/routing/route-table.ts'
import { slowLookup } from '../../twins/route-table.ts'
import { sourceOf } from './route-source.ts'

const nics = [1, 2, 3].map((index) => ({ index, name: `eth${index}`, isUp: true }) as unknown as Nic)

function route(prefix: string, nic = 1, metric = 0): Route {
  return {
    prefix: Prefix.parse(prefix),
    nic: nics[nic - 1] as Nic,
    gateway: null,
    metric,
    source: null,
    mtu: 0,
    kind: 'unicast',
  }
}

function lookup(table: RouteTable, to: string, nic = 0): Route | null {
  const { w0, w1, w2, w3 } = Address.parse(to)
  return table.lookup(w0, w1, w2, w3, nic)
}

function tableOf(...routes: Route[]): RouteTable {
  const table = new RouteTable()
  for (const each of routes) table.add(each)
  return table
}

describe('a route table', () => {
  test('has no route when it is empty', () => {
    expect(lookup(tableOf(), '192.0.2.1')).toBe(null)
  })

  test('prefers the longest prefix, whatever the order and metric', () => {
    const routes = [
      route('0.0.0.0/0'),
      route('10.1.2.0/24', 2, 999),
      route('10.0.0.0/8'),
      route('10.1.0.0/16', 3),
      route('10.1.2.3/32', 1, 5),
    ]
    const table = tableOf(...routes)
    const found = (to: string) => lookup(table, to)?.prefix.toString()
    expect(['10.1.2.3', '10.1.2.4', '10.1.3.1', '10.2.0.1', '11.0.0.1'].map(found)).toEqual([
      '10.1.2.3/32',
      '10.1.2.0/24',
      '10.1.0.0/16',
      '10.0.0.0/8',
      '0.0.0.0/0',
    ])
  })

  test('prefers the lowest metric among equal prefixes, and then the first', () => {
    const routes = [route('10.0.0.0/8', 1, 20), route('10.0.0.0/8', 2, 10), route('10.0.0.0/8', 3, 10)]
    const table = tableOf(...routes)
    expect(lookup(table, '10.0.0.1')).toBe(routes[1])
    expect(lookup(table, '10.0.0.1', 3)).toBe(routes[2])
    expect(lookup(table, '10.0.0.1', 1)).toBe(routes[0])
    expect(lookup(table, '10.0.0.1', 7)).toBe(null)
  })

  test('passes over a nic that is down', () => {
    const down = { index: 9, name: 'down', isUp: false } as unknown as Nic
    const table = tableOf({ ...route('10.1.0.0/16'), nic: down }, route('10.0.0.0/8'))
    expect(lookup(table, '10.1.0.1')?.prefix.length).toBe(8)
  })

  test('keeps the families apart, though they share one form', () => {
    const table = tableOf(route('::/0'), route('0.0.0.0/0', 2))
    expect(lookup(table, '192.0.2.1')?.nic.index).toBe(2)
    expect(lookup(table, '2001:db8::1')?.nic.index).toBe(1)
    expect(lookup(tableOf(route('::/0'), route('::/90')), '192.0.2.1')).toBe(null)
    expect(lookup(tableOf(route('0.0.0.0/0')), '::1')).toBe(null)
  })

  test('forgets a removed route, and says whether it knew it', () => {
    const [a, b] = [route('10.0.0.0/8'), route('10.0.0.0/8', 2, 5)]
    const table = tableOf(a, b)
    expect(table.remove(a)).toBe(true)
    expect(table.remove(a)).toBe(false)
    expect(lookup(table, '10.0.0.1')).toBe(b)
    expect(table.remove(b)).toBe(true)
    expect([lookup(table, '10.0.0.1'), table.size]).toEqual([null, 0])
  })

  test('forgets all routes of a nic', () => {
    const table = tableOf(route('10.0.0.0/8', 1), route('11.0.0.0/8', 1), route('10.0.0.0/8', 2, 7))
    table.removeNic(nics[0] as Nic)
    expect(table.list().map(({ nic }) => nic.index)).toEqual([2])
    expect(lookup(table, '10.0.0.1')?.nic.index).toBe(2)
  })

  test('moves its generation with every change, and only then', () => {
    const table = new RouteTable()
    const one = route('10.0.0.0/8')
    const generations = [table.generation]
    table.add(one)
    generations.push(table.generation)
    lookup(table, '10.0.0.1')
    table.remove(route('11.0.0.0/8'))
    expect(table.generation).toBe(generations[1])
    table.remove(one)
    generations.push(table.generation)
    expect(new Set(generations).size).toBe(3)
  })

  test('finds what the slow twin finds, in tables that change, whose source changes', () => {
    // Few bits, so that prefixes hold each other and addresses hit.
    const address = fc.oneof(
      fc.nat(15).map((bits) => Address.fromIPv4(0x0a000000 | (bits << 22))),
      fc.nat(15).map((bits) => new Address(0x20010db8, bits << 26, 0, 0)),
      fc.nat(255).map((bits) => new Address(0, 0, MAPPED, bits << 24)),
      fc.nat(15).map((bits) => new Address(0, 0, bits << 28, 1)),
    )
    const added = fc
      .record({ address, length: fc.nat(128), nic: fc.integer({ min: 1, max: 3 }), metric: fc.nat(2) })
      .map(({ address, length, nic, metric }): Route => {
        const prefix = new Prefix(address, length % (address.family === 4 ? 33 : 129))
        return { prefix, nic: nics[nic - 1] as Nic, gateway: null, metric, source: null, mtu: 0, kind: 'unicast' }
      })
    // Of a source each route has a prefix object of its own, and metric 0.
    const source = fc.array(added, { maxLength: 8 }).map((routes) => routes.map((each) => ({ ...each, metric: 0 })))
    const step = fc.oneof(
      { weight: 6, arbitrary: added },
      { weight: 2, arbitrary: fc.nat(30) },
      { weight: 1, arbitrary: source },
    )
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 40 }),
        fc.array(address, { minLength: 1, maxLength: 10 }),
        fc.nat(3),
        (steps, wanted, nic) => {
          const table = new RouteTable()
          let list: Route[] = []
          let ofSource: readonly Route[] = []
          for (const each of steps) {
            if (Array.isArray(each)) {
              list = [...list.filter((one) => !ofSource.includes(one)), ...each]
              ofSource = each
              table.setSource(sourceOf(each))
            } else if (typeof each !== 'number') {
              table.add(each)
              list.push(each)
            } else if (list[each] !== undefined) {
              // Of a source nobody has a route before it was asked for.
              if (ofSource.includes(list[each])) table.list()
              expect(table.remove(list[each])).toBe(true)
              list = list.filter((_, at) => at !== each)
            }
          }
          expect(table.list()).toEqual(list)
          for (const to of wanted) {
            const found = table.lookup(to.w0, to.w1, to.w2, to.w3, nic)
            expect(found === null ? -1 : list.indexOf(found), to.toString()).toBe(
              list.indexOf(slowLookup(list, to, nic) as Route),
            )
          }
        },
      ),
      { seed: 4632, numRuns: 500 },
    )
  })
})
