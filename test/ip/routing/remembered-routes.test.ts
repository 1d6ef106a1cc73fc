import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Address, Prefix } from '../../../src/base/address.ts'
import type { Nic } from '../../../src/ip/nic/nic.ts'
import { RememberedRoutes } from '../../../src/ip/routing/remembered-routes.ts'
import { type Route, RouteTable } from '../../../src/ip/routing/route-table.ts'
import { slowLookup } from '../../twins/route-table.ts'

function route(prefix: Prefix, nic: Nic, metric = 0): Route {
  return { prefix, nic, gateway: null, metric, source: null, mtu: 0, kind: 'unicast' }
}

function newNics() {
  return [1, 2].map((index) => ({ index, name: `eth${index}`, isUp: true }) as unknown as Nic & { isUp: boolean })
}

function lookup(memory: RememberedRoutes, { w0, w1, w2, w3 }: Address): Route | null {
  return memory.lookup(w0, w1, w2, w3)
}

test('finds what the slow twin finds, while routes come and go and nics go down and up', () => {
  const address = fc.oneof(
    fc.nat(63).map((bits) => Address.fromIPv4(0x0a000000 | (bits << 18))),
    fc.nat(63).map((bits) => new Address(0x20010db8, bits << 26, 0, bits)),
  )
  const step = fc.oneof(
    { weight: 12, arbitrary: address.map((to) => ({ to })) },
    {
      weight: 2,
      arbitrary: fc.record({ address, length: fc.nat(128), nic: fc.nat(1), metric: fc.nat(2) }).map((add) => ({ add })),
    },
    { weight: 1, arbitrary: fc.nat(30).map((remove) => ({ remove })) },
    { weight: 1, arbitrary: fc.nat(1).map((toggle) => ({ toggle })) },
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
      const nics = newNics()
      const table = new RouteTable()
      const memory = new RememberedRoutes(table)
      for (const each of steps) {
        if ('to' in each) expect(lookup(memory, each.to)).toBe(slowLookup(table.list(), each.to, 0))
        else if ('add' in each) {
          const { address: of, length, nic, metric } = each.add
          table.add(route(new Prefix(of, length % (of.family === 4 ? 33 : 129)), nics[nic] as Nic, metric))
        } else if ('remove' in each) {
          const all = table.list()
          if (all.length > 0) table.remove(all[each.remove % all.length] as Route)
        } else {
          const nic = nics[each.toggle] as Nic & { isUp: boolean }
          nic.isUp = !nic.isUp
          table.generation++
        }
      }
    }),
    { numRuns: 150 },
  )
})

test('asks the table once for each destination that comes again', () => {
  const [nic] = newNics() as [Nic]
  const table = new RouteTable()
  table.add(route(Prefix.parse('10.0.0.0/8'), nic))
  let asked = 0
  const { lookup: ask } = table
  table.lookup = (...words) => {
    asked++
    return ask.apply(table, words)
  }
  const memory = new RememberedRoutes(table)
  for (let i = 0; i < 5; i++) {
    expect(lookup(memory, Address.parse('10.1.2.3'))?.nic).toBe(nic)
    expect(lookup(memory, Address.parse('192.0.2.1'))).toBe(null)
  }
  expect(asked).toBe(2)
})

test('grows with the destinations that are in use, up to a limit', () => {
  const [nic] = newNics() as [Nic]
  const table = new RouteTable()
  table.add(route(Prefix.parse('10.0.0.0/8'), nic))
  const memory = new RememberedRoutes(table)
  const all = (count: number) => {
    let found = 0
    for (let i = 0; i < 4 * count; i++) if (memory.lookup(0, 0, 0xffff, 0x0a000000 + (i % count))?.nic === nic) found++
    expect(found).toBe(4 * count)
  }
  all(4)
  expect(memory.places).toBe(16)
  all(500)
  expect(memory.places).toBeGreaterThan(16)
  all(20_000)
  expect(memory.places).toBe(4096)
})
