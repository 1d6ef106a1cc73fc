import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Address } from '../../../src/base/address.ts'
import { type GroupFilter, Memberships, type Subscriber } from '../../../src/ip/groups/memberships.ts'

const GROUP = Address.parse('239.1.2.3')
const SOURCES = ['192.0.2.1', '192.0.2.2', '192.0.2.3'].map(Address.parse)

interface Wish extends Subscriber {
  exclude: boolean
  sources: readonly Address[]
}

const wish = (exclude: boolean, ...numbers: number[]): Wish => ({
  group: GROUP,
  exclude,
  sources: numbers.map((each) => SOURCES[each] as Address),
})
const wants = ({ exclude, sources }: GroupFilter, source: Address) =>
  sources.some((each) => each.equals(source)) !== exclude

function allows(table: Memberships, source: Address, group = GROUP): boolean | null {
  return table.allows(group.w0, group.w1, group.w2, group.w3, source.w0, source.w1, source.w2, source.w3)
}

const isMember = (table: Memberships, { w0, w1, w2, w3 } = GROUP) => table.has(w0, w1, w2, w3)

describe('the groups of a nic', () => {
  test('are those that somebody wants, until the last one does not', () => {
    const table = new Memberships(() => {})
    const [a, b] = [wish(true), wish(true)]
    expect(isMember(table)).toBe(false)
    table.add(a)
    table.add(b)
    expect(isMember(table)).toBe(true)
    expect(isMember(table, Address.parse('239.1.2.4'))).toBe(false)
    table.remove(a)
    table.remove(a)
    expect(isMember(table)).toBe(true)
    table.remove(b)
    expect([isMember(table), allows(table, SOURCES[0] as Address), table.list()]).toEqual([false, null, []])
  })

  test('tell their filter each time it may have changed', () => {
    const told: string[] = []
    const table = new Memberships((group, { exclude, sources }) =>
      told.push(`${group} ${exclude ? 'all but' : 'only'} ${sources.join(' ')}`.trimEnd()),
    )
    const include = wish(false, 0)
    const any = wish(true)
    table.add(include)
    table.add(any)
    include.sources = [SOURCES[1] as Address]
    table.changed(include)
    table.remove(any)
    table.remove(include)
    expect(told).toEqual([
      '239.1.2.3 only 192.0.2.1',
      '239.1.2.3 all but',
      '239.1.2.3 all but',
      '239.1.2.3 only 192.0.2.2',
      '239.1.2.3 only',
    ])
  })

  test('let a source through exactly when some subscriber wants it, whoever comes, changes and goes', () => {
    const filter = fc.record({ exclude: fc.boolean(), sources: fc.subarray(SOURCES) })
    const step = fc.oneof(
      fc.record({ kind: fc.constant('add' as const), filter, at: fc.nat(5) }),
      fc.record({ kind: fc.constant('change' as const), filter, at: fc.nat(5) }),
      fc.record({ kind: fc.constant('remove' as const), filter, at: fc.nat(5) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const table = new Memberships(() => {})
        let present: Wish[] = []
        for (const { kind, filter, at } of steps) {
          const found = present[at]
          if (kind === 'add') {
            const added: Wish = { group: GROUP, ...filter }
            table.add(added)
            present.push(added)
          } else if (found !== undefined && kind === 'change') {
            Object.assign(found, filter)
            table.changed(found)
          } else if (found !== undefined) {
            table.remove(found)
            present = present.filter((each) => each !== found)
          }
          for (const source of SOURCES)
            expect(allows(table, source)).toBe(
              present.length === 0 ? null : present.some((each) => wants(each, source)),
            )
        }
      }),
      { seed: 9776, numRuns: 300 },
    )
  })
})
