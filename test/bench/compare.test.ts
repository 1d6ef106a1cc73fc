import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'

const folder = mkdtempSync(join(tmpdir(), 'tungram-compare-'))
afterAll(() => rmSync(folder, { recursive: true }))
const program = new URL('../../bench/compare.mjs', import.meta.url).pathname

interface Figure {
  unit?: string
  better?: string
  samples: readonly unknown[]
}

let written = 0
function file(figures: Record<string, Figure>, rest: object = {}): string {
  const path = join(folder, `${written++}.json`)
  const whole = Object.entries(figures).map(([name, figure]) => [name, { unit: 'x', better: 'higher', ...figure }])
  writeFileSync(path, JSON.stringify({ format: 1, machine: 'm', figures: Object.fromEntries(whole), ...rest }))
  return path
}

function compare(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' })
  return { status, stdout, stderr }
}

function rows(...args: string[]) {
  const { status, stdout } = compare(...args, '--json')
  return { status, rows: JSON.parse(stdout) }
}

/** Seven rounds that differ by up to 3 %. */
const ROUNDS = [1, 1.01, 0.99, 1.02, 0.985, 1.005, 0.995]
const scaled = (by: number) => ROUNDS.map((value, index) => value * by * (1 + ((index * 3) % 7) / 1000))

test('sees a regression of five percent over seven rounds, and says how sure it is', () => {
  const before = file({ rate: { samples: ROUNDS }, cost: { better: 'lower', samples: ROUNDS } })
  const after = file({ rate: { samples: scaled(0.94) }, cost: { better: 'lower', samples: scaled(1.06) } })
  const { status, rows: found } = rows(before, after)
  expect(status).toBe(1)
  expect(found.map(({ name, verdict }: { name: string; verdict: string }) => [name, verdict])).toEqual([
    ['rate', 'worse'],
    ['cost', 'worse'],
  ])
  expect(found[0].change).toBeCloseTo(-5.7, 0)
  expect(found[0].low).toBeLessThan(found[0].change)
  expect(found[0].high).toBeGreaterThan(found[0].change)
  expect(found[0].high).toBeLessThan(0)
  expect(found[0].before).toBe(1)
})

test('has the interval of the test of Mann and Whitney', () => {
  // Five against five: of 25 ratios the third from either end (tables: U = 2 for 95 %).
  const { rows: found } = rows(file({ a: { samples: [1, 2, 4, 8, 16] } }), file({ a: { samples: [1, 2, 4, 8, 16] } }))
  const ratios = [1, 2, 4, 8, 16].flatMap((up) => [1, 2, 4, 8, 16].map((down) => up / down)).sort((a, b) => a - b)
  expect([found[0].low, found[0].high]).toEqual([((ratios[2] ?? 0) - 1) * 100, ((ratios[22] ?? 0) - 1) * 100])
  expect(found[0]).toMatchObject({ change: 0, verdict: 'no difference seen' })
})

test('takes no noise, no better figure and no disturbed round for a regression', () => {
  const disturbed = [0.2, ...scaled(1).slice(1)]
  const before = file({ same: { samples: ROUNDS }, better: { samples: ROUNDS }, disturbed: { samples: ROUNDS } })
  const after = file({
    same: { samples: [...ROUNDS].reverse() },
    better: { samples: scaled(1.3) },
    disturbed: { samples: disturbed },
  })
  const { status, rows: found } = rows(before, after)
  expect(status).toBe(0)
  expect(found.map(({ verdict }: { verdict: string }) => verdict)).toEqual([
    'no difference seen',
    'better',
    'no difference seen',
  ])
})

test('leaves small regressions to the threshold, and says what it cannot know', () => {
  const before = file({ small: { samples: ROUNDS.map((each) => 1 + (each - 1) / 10) }, few: { samples: [1, 1, 1] } })
  const after = file({ small: { samples: ROUNDS.map((each) => 0.97 + (each - 1) / 10) }, few: { samples: [0.5] } })
  const verdicts = (...more: string[]) => {
    const { status, rows: found } = rows(before, after, ...more)
    return [status, ...found.map(({ verdict }: { verdict: string }) => verdict)]
  }
  expect(verdicts()).toEqual([0, 'worse, below the threshold', 'too few samples'])
  expect(verdicts('--threshold', '2')).toEqual([1, 'worse', 'too few samples'])
})

test('shows a table, with figures that only one file has', () => {
  const { status, stdout, stderr } = compare(
    file({ 'echo64 rate': { unit: 'of node:dgram', samples: ROUNDS }, old: { samples: [1] } }),
    file({ 'echo64 rate': { unit: 'of node:dgram', samples: scaled(0.8) }, new: { samples: [1] } }, { machine: 'n' }),
  )
  expect(status).toBe(1)
  expect(stderr).toBe('Not the same machine or Node: m and n; only ratios can be compared.\n')
  const [head, ...lines] = stdout.trimEnd().split('\n')
  expect(head).toMatch(/^figure +unit +before +after +change +95 % +verdict$/)
  expect(lines[0]).toMatch(/^echo64 rate +of node:dgram +1\.000 +0\.80\d\d +−19\.\d % +−\d+\.\d % … −\d+\.\d % +worse$/)
  expect(lines.slice(1).map((line) => line.split(/ {2,}/).at(-1))).toEqual([
    'only in the first file',
    'only in the second file',
  ])
})

test.each([
  [() => [file({})], 'Usage: node bench/compare.mjs'],
  [() => [file({}), file({}), '--threshold', 'x'], 'Usage: node bench/compare.mjs'],
  [() => [file({}), join(folder, 'none.json')], 'none.json: ENOENT'],
  [() => [file({}), file({}, { format: 2 })], 'it has no figures of format 1'],
  [() => [file({}), file({ a: { samples: [1, 'x'] } })], "the samples of 'a' have to be numbers above 0"],
  [() => [file({}), file({ a: { samples: [] } })], "the samples of 'a' have to be numbers above 0"],
  [() => [file({}), file({ a: { better: 'faster', samples: [1] } })], "'a' does not say what is better"],
  [() => [file({ a: { unit: 's', samples: [1] } }), file({ a: { unit: 'ms', samples: [1] } })], 's and ms'],
])('refuses what cannot be compared (%#)', (args, reason) => {
  const { status, stdout, stderr } = compare(...args())
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
  expect(stderr).toContain(reason)
})
