import { spawn } from 'node:child_process'
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test, vi } from 'vitest'
import { beQuiet } from '../../src/cli/output.ts'
import { noteFailures, shardOf } from '../../src/cli/sim-campaign.ts'
import { start } from './program.ts'

// The build's, which the tests bring up to date, and which knows its version.
const program = {
  cli: fileURLToPath(new URL('../../dist/cli.js', import.meta.url)),
  directory: mkdtempSync(join(tmpdir(), 'campaign-')),
}
afterAll(() => rmSync(program.directory, { recursive: true }))

const SCENARIO = `
hosts: { a: , b: }
links: [{ between: [a, b], delay: 5ms, loss: 0.1 }]
flows: [{ name: out, from: a, to: b, size: 100, rate: 100, count: 3000 }]
`
const at = (name: string) => join(program.directory, name)
function scenario(text = SCENARIO, name = 'campaign.yaml'): string {
  writeFileSync(at(name), text)
  return at(name)
}
const SWEEP = ['--sweep', 'loss=0.05..0.3:0.05', '--sweep', 'size=100,200', '--repeat', '2', '--jobs', '1']
const sim = (...args: string[]) => start(program.cli, ['sim', ...args]).end()
const lines = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0)
const bytes = (directory: string) => readFileSync(join(at(directory), 'results.json'), 'utf8')

test('a campaign that was killed goes on where it was, and ends as one that was not', async () => {
  const file = scenario()
  const whole = await sim(file, ...SWEEP, '--results', at('whole'))
  expect(whole).toMatchObject({ code: 0, stderr: '' })
  expect(lines(join(at('whole'), 'runs.jsonl'))).toBe(24)

  const child = spawn(process.execPath, [program.cli, 'sim', file, ...SWEEP, '--results', at('killed')])
  const runs = join(at('killed'), 'runs.jsonl')
  await expect.poll(() => lines(runs), { timeout: 30_000 }).toBeGreaterThan(2)
  child.kill('SIGKILL')
  await new Promise((resolve) => child.once('close', resolve))
  // What a process that dies while it writes leaves behind.
  appendFileSync(runs, '{"format":1,"id":"12')
  const done = lines(runs)
  expect(done).toBeLessThan(24)
  const missing = await sim(file, ...SWEEP, '--results', at('killed'), '--missing', '--json')
  expect(JSON.parse(missing.stdout).missing.length).toBe(24 - done)
  expect(JSON.parse(missing.stdout).total).toBe(24)

  const resumed = await sim(file, ...SWEEP, '--results', at('killed'))
  expect(resumed).toEqual(whole)
  expect(lines(runs)).toBe(24)
  expect(bytes('killed')).toBe(bytes('whole'))
  // And once more: nothing is run.
  expect(await sim(file, ...SWEEP, '--results', at('killed'))).toEqual(whole)
  expect(lines(runs)).toBe(24)
}, 120_000)

test('parts of a campaign, in one folder or in several, join to the same bytes', async () => {
  const file = scenario()
  const shards = [1, 2, 3].map((index) => `${index}/3`)
  for (const shard of shards) {
    expect(await sim(file, ...SWEEP, '--results', at('shared'), '--shard', shard)).toMatchObject({ code: 0 })
    const part = `part${shard[0]}`
    expect(await sim(file, ...SWEEP, '--results', at(part), '--shard', shard)).toMatchObject({ code: 0 })
  }
  expect(readdirSync(at('shared')).filter((name) => name.startsWith('runs-')).length).toBe(3)
  // The last part found the others done.
  expect(bytes('shared')).toBe(bytes('whole'))
  const incomplete = await sim('merge', at('part1'), at('part3'), '--results', at('two'), '--json')
  expect(incomplete).toMatchObject({ code: 1 })
  expect(JSON.parse(incomplete.stdout).missing).toBe(8)
  const merged = await sim('merge', at('part1'), at('part2'), at('part3'), '--results', at('merged'))
  expect(merged).toMatchObject({ code: 0, stderr: '' })
  expect(bytes('merged')).toBe(bytes('whole'))
  // Merged runs are in the order of the plan, as those of a campaign in one thread are.
  expect(readFileSync(join(at('merged'), 'runs.jsonl'), 'utf8')).toBe(
    readFileSync(join(at('whole'), 'runs.jsonl'), 'utf8'),
  )
}, 120_000)

test('results that do not belong together are refused', async () => {
  const other = scenario(SCENARIO.replace('delay: 5ms', 'delay: 6ms'), 'other.yaml')
  const mixed = await sim(other, ...SWEEP, '--results', at('whole'))
  expect(mixed).toMatchObject({ code: 1, stdout: '' })
  expect(mixed.stderr).toContain('holds results of another scenario')

  /** A folder with some runs as another version would have them. */
  const asVersion = async (name: string, change: (line: string) => string, keep: (at: number) => boolean) => {
    await sim('merge', at('whole'), '--results', at(name))
    const path = join(at(name), 'runs.jsonl')
    const all = readFileSync(path, 'utf8').trimEnd().split('\n')
    const changed = all
      .filter((_, index) => keep(index))
      .map((line) => change(line.replace(/"tungram":"[^"]+"/, '"tungram":"9.9.9"')))
    writeFileSync(path, changed.map((line) => `${line}\n`).join(''))
    return at(name)
  }
  const agreeing = await asVersion(
    'agreeing',
    (line) => line,
    () => true,
  )
  expect(await sim('merge', at('whole'), agreeing, '--results', at('joined'))).toMatchObject({ code: 0 })
  expect(bytes('joined')).toBe(bytes('whole'))
  const differing = await asVersion(
    'differing',
    (line) => line.replace(/"received":(\d)/, '"received":9$1'),
    () => true,
  )
  expect((await sim('merge', at('whole'), differing, '--results', at('no'))).stderr).toMatch(
    /has other figures in version 9\.9\.9 than in \d/,
  )
  const apart = await asVersion(
    'apart',
    (line) => line,
    (index) => index === 0,
  )
  expect((await sim('merge', at('part2'), apart, '--results', at('no'))).stderr).toContain('have no run in common')
  expect((await sim('merge', program.directory)).stderr).toContain('is no folder of results')
  const campaignOf = (name: string) => join(at(name), 'campaign.json')
  writeFileSync(campaignOf('agreeing'), '{"format":2}')
  expect((await sim('merge', agreeing)).stderr).toContain('has format 2; this version reads format 1')
  writeFileSync(campaignOf('agreeing'), '{"format":1')
  expect((await sim('merge', agreeing)).stderr).toContain('campaign.json is no JSON')
  rmSync(campaignOf('agreeing'))
  expect((await sim('merge', agreeing)).stderr).toContain('call tungram sim with --results')
  expect(readdirSync(at('joined')).filter((name) => name.endsWith('.part'))).toEqual([])
  expect(existsSync(at('no'))).toBe(false)
}, 120_000)

test('the part of a process is told, or comes from Slurm or Kubernetes', () => {
  expect(shardOf({}, {})).toBe(null)
  expect(shardOf({ shard: '2/5' }, {})).toEqual({ index: 2, count: 5 })
  const slurm = { SLURM_ARRAY_TASK_ID: '7', SLURM_ARRAY_TASK_COUNT: '4', SLURM_ARRAY_TASK_MIN: '5' }
  expect(shardOf({}, slurm)).toEqual({ index: 3, count: 4 })
  expect(shardOf({ shard: '1/2' }, slurm)).toEqual({ index: 1, count: 2 })
  expect(shardOf({ shards: '4' }, { JOB_COMPLETION_INDEX: '3' })).toEqual({ index: 4, count: 4 })
  for (const wrong of ['0/2', '3/2', '1', 'a/b'])
    expect(() => shardOf({ shard: wrong }, {})).toThrow('the Ith of N parts')
  expect(() => shardOf({ shards: '4' }, {})).toThrow('needs JOB_COMPLETION_INDEX')
  for (const wrong of ['4', '-1', '1.5', '', 'x'])
    expect(() => shardOf({ shards: '4' }, { JOB_COMPLETION_INDEX: wrong })).toThrow('the last is 3')
  // --array=1,5,7
  const gaps = { SLURM_ARRAY_TASK_COUNT: '3', SLURM_ARRAY_TASK_MIN: '1', SLURM_ARRAY_TASK_STEP: '1' }
  for (const wrong of ['5', '0', 'x'])
    expect(() => shardOf({}, { ...gaps, SLURM_ARRAY_TASK_ID: wrong })).toThrow('submit an array without gaps')
})

test('runs that failed are told with --quiet too', () => {
  const { exitCode } = process
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  try {
    beQuiet()
    noteFailures([{ parameters: { loss: 0.1 }, seed: '1.2', error: 'out of memory' }])
    expect(write.mock.calls.flat().join('')).toContain('tungram sim: loss=0.1, seed 1.2: out of memory')
  } finally {
    write.mockRestore()
    process.exitCode = exitCode
  }
})
