/** Completion of a scenario's text by its schema. */
import { expect, test } from 'vitest'
import { SCENARIO_SCHEMA } from '../../src/network/index.ts'
import { completeBySchema, pathAt } from '../src/editor/completion.ts'

test.each([
  ['', []],
  ['hosts:\n  a: ', ['hosts']],
  ['hosts:\n  a:\n    ', ['hosts', 'a']],
  ['hosts: { a: { ', ['hosts', 'a']],
  ['links:\n  - { between: [a, b], ', ['links', '[]']],
  ['links:\n- { between: [a, b], ', ['links', '[]']],
  ['links:\n  - name: x\n    forward: { mtu: 1400, ', ['links', '[]', 'forward']],
  ['links:\n  - name: x\n    forward:\n      ', ['links', '[]', 'forward']],
  ['links:\n  - { name: x }\n  - between: [a, b]\n    ', ['links', '[]']],
  ['links:\n  - { name: x }\nflows:\n  - { from: a, to: b }\n  - ', ['flows', '[]']],
  ['# hosts:\nname: x\n', []],
])('%j is in %j', (before, path) => {
  expect(pathAt(before)).toEqual(path)
})

/** The words that are offered at the end of a text. */
function offered(text: string, explicit = true): string[] {
  const context = {
    explicit,
    matchBefore: (pattern: RegExp) => {
      const found = new RegExp(`(?:${pattern.source})$`).exec(text)
      return { from: found?.index ?? text.length, to: text.length }
    },
    state: { doc: { sliceString: (from: number, to?: number) => text.slice(from, to) } },
  }
  return (completeBySchema(() => SCENARIO_SCHEMA)(context as never)?.options ?? []).map(({ label }) => label)
}

test('keys are those of the place, and values those of the key', () => {
  expect(offered('')).toContain('hosts')
  expect(offered('links:\n  - { between: [a, b], ')).toEqual(expect.arrayContaining(['delay', 'loss', 'forward']))
  expect(offered('links:\n  - { between: [a, b], forward: { ')).toEqual(expect.arrayContaining(['mtu', 'queue']))
  expect(offered('links:\n  - { forward: { queue: { codel: { ')).toEqual(
    expect.arrayContaining(['packets', 'target', 'ecn']),
  )
  expect(offered('routers:\n  r:\n    nat:\n      filtering: ')).toEqual([
    'endpoint-independent',
    'address-dependent',
    'address-and-port-dependent',
  ])
  expect(offered('flows:\n  - { mode: ')).toEqual(['one-way', 'echo'])
  expect(offered('', false)).toEqual([])
  expect(offered('nothing:\n  ')).toEqual([])
})
