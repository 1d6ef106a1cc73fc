import { describe, expect, test } from 'vitest'
import { type Hashed, HashTable } from '../../src/base/hash-table.ts'
import { SeededRandom } from '../../src/base/random.ts'

interface Entry extends Hashed<Entry> {
  readonly name: number
}

const entry = (hash: number, name = hash): Entry => ({ hash, name, chain: null })

/** The names of the entries that a lookup for `hash` meets and that have it. */
function found(table: HashTable<Entry>, hash: number): number[] {
  const names: number[] = []
  for (let each = table.head(hash); each !== null; each = each.chain) if (each.hash === hash) names.push(each.name)
  return names.sort((a, b) => a - b)
}

describe('a table of entries with links of their own', () => {
  test('is empty at first, and after it was cleared', () => {
    const table = new HashTable<Entry>()
    expect([table.head(5), table.size, table.longestChain]).toEqual([null, 0, 0])
    for (let hash = 0; hash < 20; hash++) table.add(entry(hash))
    expect(table.size).toBe(20)
    table.clear()
    expect([table.head(5), table.size, table.longestChain]).toEqual([null, 0, 0])
    const first = entry(3)
    table.add(first)
    expect([table.head(3), first.chain, table.size]).toEqual([first, null, 1])
  })

  test('finds what was added and not removed, through every growth', () => {
    const random = new SeededRandom('table')
    const table = new HashTable<Entry>()
    const twin = new Map<number, Entry[]>()
    for (let name = 0; name < 3000; name++) {
      const hash = random.below(400) * 0x10001
      const entries = twin.get(hash) ?? []
      if (entries.length > 0 && random.below(3) === 0) {
        const [removed] = entries.splice(random.below(entries.length), 1) as [Entry]
        table.remove(removed)
        expect(removed.chain).toBe(null)
      } else {
        const added = entry(hash, name)
        table.add(added)
        entries.push(added)
      }
      twin.set(hash, entries)
      expect(found(table, hash)).toEqual(entries.map((each) => each.name).sort((a, b) => a - b))
    }
    for (const [hash, entries] of twin)
      expect(found(table, hash)).toEqual(entries.map((each) => each.name).sort((a, b) => a - b))
    expect(table.size).toBe([...twin.values()].reduce((sum, entries) => sum + entries.length, 0))
  })

  test('tells how long its longest chain is', () => {
    const table = new HashTable<Entry>()
    for (const hash of [0, 1, 2]) table.add(entry(hash))
    expect(table.longestChain).toBe(1)
    // Eight chains: 1, 9 and 17 are in one.
    table.add(entry(9))
    table.add(entry(17))
    expect(table.longestChain).toBe(3)
  })

  test('removes all that are unwanted, wherever they are in their chains', () => {
    const table = new HashTable<Entry>()
    for (let name = 0; name < 100; name++) table.add(entry(name % 7, name))
    table.removeWhere(({ name }) => name % 3 === 0)
    expect(table.size).toBe(66)
    for (let hash = 0; hash < 7; hash++)
      expect(found(table, hash)).toEqual(
        Array.from({ length: 100 }, (_, name) => name).filter((name) => name % 7 === hash && name % 3 !== 0),
      )
    table.removeWhere(() => true)
    expect([table.size, table.longestChain]).toEqual([0, 0])
  })
})
