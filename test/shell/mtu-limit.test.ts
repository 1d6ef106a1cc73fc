import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { SeededRandom } from '../../src/base/random.ts'
import { lookFrom } from '../../src/cli/vantage.ts'
import type { Scenario } from '../../src/network/scenario/scenario.ts'
import { destination } from '../../src/shell/destination.ts'
import { explore } from '../../src/shell/mtu.ts'
import { type Limit, limitText } from '../../src/shell/mtu-limit.ts'
import type { Vantage } from '../../src/shell/terminal.ts'

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'mtu-'))
})
afterAll(() => rmSync(directory, { recursive: true }))

let files = 0
async function look(scenario: Scenario): Promise<{ mtu: number; limit: Limit | null }> {
  const path = join(directory, `${files++}.json`)
  writeFileSync(path, JSON.stringify(scenario))
  let found: Awaited<ReturnType<typeof explore>> | undefined
  let failure = 'not over'
  const begin = async (vantage: Vantage) => {
    explore(vantage, await destination(vantage, 'b', {}), 'probing', 1000, 30).then(
      (result) => {
        found = result
        vantage.run.end()
      },
      (error: Error) => vantage.run.end(error.message),
    )
    return () => {}
  }
  const finish = (ended: string) => {
    failure = ended
    return 0
  }
  await lookFrom({ on: path, from: 'a' }, { begin, finish })
  expect(failure).toBe('')
  return found as { mtu: number; limit: Limit | null }
}

test('a limit in front of a router that filters its errors is between two hops', async () => {
  const { mtu, limit } = await look({
    hosts: { a: null, b: null },
    routers: { r0: { filter: { icmpErrors: 0 } }, r1: null },
    links: [{ between: ['a', 'r0'], forward: { mtu: 1400 } }, { between: ['r0', 'r1'] }, { between: ['r1', 'b'] }],
  })
  expect({ mtu, limit }).toEqual({
    mtu: 1400,
    limit: { hop: 0, address: null, reported: false, until: 2, way: 'there or back' },
  })
  expect(limitText(limit as Limit, mtu)).toBe(
    'limited by a link behind one between hop 0 and hop 2, or on the way back: none says so',
  )
})

test('a limit on the way back is told from one on the way there, where the host tells', async () => {
  const path = (filter?: object): Scenario => ({
    hosts: { a: null, b: null },
    routers: { r0: null, r1: null },
    links: [{ between: ['a', 'r0'] }, { between: ['r0', 'r1'], back: { mtu: 1300 } }, { between: ['r1', 'b'] }],
    ...(filter === undefined ? {} : { events: [{ at: 0, node: 'b', filter }] }),
  })
  const back = await look(path())
  expect(back.limit).toEqual({ hop: 3, address: null, reported: false, way: 'back' })
  expect(limitText(back.limit as Limit, back.mtu)).toBe(
    'limited on the way back: 1301 bytes arrive, and an answer as long does not',
  )
  const unknown = await look(path({ icmpErrors: 0 }))
  expect(unknown.limit).toMatchObject({ hop: 2, reported: false, way: 'there or back' })
  expect(limitText(unknown.limit as Limit, unknown.mtu)).toContain('hop 2, 10.0.1.2, or on the way back')
})

test('an error that is held back by a limit does not move the limit', async () => {
  const { limit } = await look({
    hosts: { a: null, b: null },
    routers: { r0: { filter: { icmpErrors: { rate: 0.24, burst: 1 } } }, r1: null, r2: null },
    links: [
      { between: ['a', 'r0'] },
      { between: ['r0', 'r1'] },
      { between: ['r1', 'r2'], forward: { mtu: 1400 } },
      { between: ['r2', 'b'] },
    ],
  })
  expect(limit).toMatchObject({ hop: 2 })
})

test('what is said of random paths is true', async () => {
  const random = new SeededRandom('paths')
  const kinds = { exact: 0, between: 0, back: 0, either: 0, none: 0 }
  for (let path = 0; path < 60; path++) {
    const count = 1 + random.below(5)
    const routers = Array.from({ length: count }, (_, at) => `r${at}`)
    const nodes = ['a', ...routers, 'b']
    // Of the kernel's MTUs, black holes there, and black holes back.
    const sizes = () => (random.below(3) === 0 ? 600 + random.below(900) : undefined)
    const links = nodes.slice(1).map((node, at) => {
      const [mtu, there, back] = [at > 0 && random.below(2) === 0 ? sizes() : undefined, sizes(), sizes()]
      return {
        between: [nodes[at] as string, node] as const,
        ...(mtu === undefined ? {} : { mtu }),
        ...(there === undefined ? {} : { forward: { mtu: there } }),
        ...(back === undefined || random.below(2) === 0 ? {} : { back: { mtu: back } }),
      }
    })
    // Those that keep all errors back, and those that send none themselves.
    const silent = [{ filter: { icmpErrors: 0 } }, { icmpRateLimit: 0 }, null, null, null, null]
    const filtered = (name: string) => [name, silent[random.below(silent.length)] ?? null] as const
    const scenario = {
      hosts: { a: null, b: null },
      routers: Object.fromEntries(routers.map(filtered)),
      links,
      events: random.below(4) === 0 ? [{ at: 0, node: 'b', filter: { icmpErrors: 0 } }] : [],
    } as Scenario
    const { mtu, limit } = await look(scenario)
    const about = JSON.stringify({ scenario, mtu, limit })
    // The first link that a longer packet does not pass.
    const first = links.findIndex((link) => mtu + 1 > Math.min(link.mtu ?? 1500, link.forward?.mtu ?? 1500))
    const backIsNarrow = links.some((link) => mtu + 1 > Math.min(link.mtu ?? 1500, link.back?.mtu ?? 1500))
    if (mtu === 1500) expect(limit).toMatchObject({ hop: 0 })
    else if (limit === null) kinds.none++
    else if (limit.way === 'back') {
      kinds.back++
      expect(first, about).toBe(-1)
      expect(backIsNarrow, about).toBe(true)
    } else if (limit.way === 'there or back') {
      kinds.either++
      expect(first === -1 ? backIsNarrow : first >= limit.hop, about).toBe(true)
    } else if (limit.until === undefined) {
      kinds.exact++
      expect(first, about).toBe(limit.hop)
    } else {
      kinds.between++
      expect(first >= limit.hop && first <= limit.until, about).toBe(true)
    }
  }
  expect(kinds.none).toBe(0)
  for (const kind of ['exact', 'between', 'back', 'either'] as const) expect(kinds[kind], kind).toBeGreaterThan(0)
}, 120_000)
