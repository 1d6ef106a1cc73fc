/** What a campaign keeps and prints: by its schema, and as its README says that it is read. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { testWith } from '../skips.ts'

const here = fileURLToPath(new URL('.', import.meta.url))
const cli = join(here, '../../dist/cli.js')
const folder = mkdtempSync(join(tmpdir(), 'results-'))
afterAll(() => rmSync(folder, { recursive: true }))
writeFileSync(
  join(folder, 'lab.yaml'),
  `
hosts: { a: , b: }
links: [{ name: 'the, cable', between: [a, b], delay: 5ms, loss: 10%, forward: { rate: 1e15 } }]
flows: [{ name: 'out, back', from: a, to: b, mode: echo, rate: 100, count: 50 }, { from: b, to: a, count: 9 }]
`,
)
const sim = (...words: string[]) =>
  execFileSync(process.execPath, [cli, 'sim', join(folder, 'lab.yaml'), ...words], { encoding: 'utf8' })
const SWEEP = ['--sweep', 'loss=0.1,0.3', '--repeat', '2']
const campaign = join(folder, 'campaign')
sim(...SWEEP, '--results', campaign, '--packets', 'csv')
const lines = (path: string) => readFileSync(join(campaign, path), 'utf8').trimEnd().split('\n')
const runs = lines('runs.jsonl').map((line) => JSON.parse(line))

test('the datagrams of each run are in a table of their own', () => {
  expect(readdirSync(join(campaign, 'packets')).sort()).toEqual(runs.map(({ id }) => `${id}.csv`).sort())
  for (const { id, flows } of runs) {
    const [head, ...rows] = lines(`packets/${id}.csv`)
    expect(head).toBe('flow,number,sent,received,length')
    expect(rows).toHaveLength(59)
    expect(rows.filter((row) => /^"out, back",\d+,\d+,\d+,1000$/.test(row))).toHaveLength(flows[0].received)
    expect(rows.filter((row) => /^b-a,\d+,\d+,,1000$/.test(row))).toHaveLength(flows[1].lost)
  }
  // Wanted in another form later, they are run for it, and say the same.
  sim(...SWEEP, '--results', campaign, '--packets', 'jsonl')
  const [{ id, flows }] = runs
  const rows = lines(`packets/${id}.jsonl`).map((line) => JSON.parse(line))
  expect(rows[0]).toMatchObject({ flow: 'out, back', number: 0, sent: 0, length: 1000 })
  expect(rows.filter(({ flow, received }) => flow === 'b-a' && received !== null)).toHaveLength(flows[1].received)
  const wrong = spawnSync(process.execPath, [cli, 'sim', 'lab.yaml', '--packets', 'parquet'], { cwd: folder })
  expect([wrong.status, `${wrong.stderr}`]).toEqual([2, expect.stringContaining("takes csv or jsonl, not 'parquet'")])
}, 60_000)

test('the figures of all runs are tables, by flow and by hop', () => {
  const ends = (path: string) => {
    const [head = '', ...rows] = lines(path)
    return { columns: head.split(','), rows }
  }
  const flows = ends('flows.csv')
  expect(flows.columns.slice(0, 4)).toEqual(['id', 'seed', 'parameters.loss', 'name'])
  expect(flows.columns).toEqual(expect.arrayContaining(['lost', 'latency.p99', 'delayVariation.pdv.p50']))
  expect(flows.rows).toHaveLength(2 * runs.length)
  const hops = ends('hops.csv')
  expect(hops.columns).toEqual(expect.arrayContaining(['offered.frames', 'utilization', 'queue.wait.p99']))
  expect(hops.rows).toHaveLength(2 * runs.length)
  // A cell is what the run's line says, an empty one what it does not have.
  const at = hops.columns.indexOf('queue.wait.max')
  for (const { id, seed, parameters, hops: figures } of runs) {
    const [forth = '', back = ''] = hops.rows.filter((row) => row.startsWith(id))
    expect(forth.startsWith(`${id},${seed},${parameters.loss},"the, cable",a,b,eth0,`)).toBe(true)
    const cells = forth.replace('"the, cable"', 'name').split(',')
    expect(cells[at]).toBe(`${figures[0].queue.wait.max}`)
    expect(back.replace('"the, cable"', 'name').split(',')[at]).toBe('')
  }
})

test('datagrams that are wanted later are missing until each run has them, and the results stay', () => {
  const part = join(folder, 'part')
  const results = () => readFileSync(join(part, 'results.json'), 'utf8')
  const missing = () => JSON.parse(sim(...SWEEP, '--results', part, '--packets', 'csv', '--missing', '--json')).missing
  sim(...SWEEP, '--results', part)
  const whole = results()
  expect(missing()).toHaveLength(4)
  sim(...SWEEP, '--results', part, '--packets', 'csv', '--shard', '1/2')
  expect(missing()).toHaveLength(2)
  expect(results()).toBe(whole)
  sim(...SWEEP, '--results', part, '--packets', 'csv', '--shard', '2/2')
  expect(missing()).toEqual([])
  expect(results()).toBe(whole)
}, 60_000)

const modules = join(here, 'node_modules')
const testWithPackages = testWith(
  existsSync(modules),
  "the packages of 'npm ci --prefix test/results'",
  'TUNGRAM_REQUIRE_RESULTS',
)
const load = (path: string) => import(pathToFileURL(join(modules, path)).href)

testWithPackages(
  'all JSON has the published schema',
  async () => {
    const { default: ajv } = await load('ajv/dist/2020.js')
    const schema = JSON.parse(readFileSync(join(here, '../../docs/results.schema.json'), 'utf8'))
    const checker = new ajv.Ajv2020({ strict: true, allowUnionTypes: true })
    checker.addSchema(schema, 'results')
    /** What is wrong with it. */
    const faults = (name: string, value: unknown) => {
      const check = checker.getSchema(`results#/$defs/${name}`)
      return check(value) ? null : checker.errorsText(check.errors)
    }
    const json = (path: string) => JSON.parse(readFileSync(join(campaign, path), 'utf8'))
    for (const run of lines('runs.jsonl')) expect(faults('run', JSON.parse(run))).toBe(null)
    expect(faults('campaign', json('campaign.json'))).toBe(null)
    expect(faults('results', json('results.json'))).toBe(null)
    for (const line of lines(`packets/${runs[0].id}.jsonl`)) expect(faults('packet', JSON.parse(line))).toBe(null)
    expect(faults('single', JSON.parse(sim('--json')))).toBe(null)
    expect(faults('sweep', JSON.parse(sim(...SWEEP, '--json')))).toBe(null)
    expect(faults('sweep', JSON.parse(sim(...SWEEP, '--json', '--results', campaign)))).toBe(null)
    expect(faults('missing', JSON.parse(sim(...SWEEP, '--json', '--results', join(folder, 'new'), '--missing')))).toBe(
      null,
    )
    expect(faults('run', { ...runs[0], format: 2 })).toContain('format must be equal to constant')
    expect(faults('results', { ...json('results.json'), more: 1 })).toContain('must NOT have additional properties')
    // Digits that mean nothing are not there.
    const numbers = readFileSync(join(campaign, 'results.json'), 'utf8').match(/\d+\.\d+/g) ?? []
    expect(numbers.length).toBeGreaterThan(20)
    expect(numbers.filter((each) => each.replace('.', '').replace(/^0+/, '').length > 9)).toEqual([])
  },
  60_000,
)

testWithPackages(
  'DuckDB reads the folder as its README says',
  async () => {
    const { DuckDBInstance } = await load('@duckdb/node-api/lib/index.js')
    const [, text = ''] = readFileSync(join(campaign, 'README.md'), 'utf8').split('DuckDB:\n')
    const queries = text.split(';').filter((each) => each.trim() !== '')
    expect(queries).toHaveLength(3)
    const instance = await DuckDBInstance.create(':memory:')
    const connection = await instance.connect()
    const rowsOf = async (query: string) => (await connection.runAndReadAll(query)).getRowObjectsJson()
    try {
      await connection.run(`SET file_search_path = '${campaign}'`)
      const parquet = join(folder, 'flows.parquet')
      await connection.run((queries[2] ?? '').replace('flows.parquet', parquet))
      const copied = await rowsOf(`SELECT flow.name, flow.received FROM '${parquet}'`)
      const [flows, latencies] = [await rowsOf(queries[0] ?? ''), await rowsOf(queries[1] ?? '')]
      // Runs that were done again for another form of table are there twice.
      expect(flows).toHaveLength(2 * 2 * 4)
      const counts = (rows: Record<string, unknown>[]) => rows.map(({ name, received }) => `${name} ${received}`).sort()
      expect(counts(copied)).toEqual(counts(flows))
      expect(new Set(flows.map(({ name }: { name: string }) => name))).toEqual(new Set(['out, back', 'b-a']))
      expect(flows.every(({ sent }: { sent: unknown }) => Number(sent) === 50 || Number(sent) === 9)).toBe(true)
      expect(latencies.filter(({ flow }: { flow: string }) => flow === 'b-a')).toHaveLength(2)
      for (const { flow, latency } of latencies) expect(Number(latency)).toBeCloseTo(flow === 'b-a' ? 5 : 10, 6)
    } finally {
      connection.closeSync()
      instance.closeSync()
    }
  },
  60_000,
)

/** The commands that the README has for a language. */
function readme(heading: string, next: string): string {
  const [, text = ''] = readFileSync(join(campaign, 'README.md'), 'utf8').split(heading)
  return (text.split(next)[0] ?? '').replace(/^[^\n]*\n/, '').replaceAll(/^ {4}/gm, '')
}

/** Whether a program has what it is asked for; Debian's own, which has Debian's packages. */
const has = (program: string, ...words: string[]) => spawnSync(program, words).status === 0
const PYTHON = '/usr/bin/python3'
const testWithPandas = testWith(has(PYTHON, '-c', 'import pandas'), "Debian's python3-pandas", '')
const testWithR = testWith(has('Rscript', '-e', 'library(jsonlite)'), "Debian's r-base-core and r-cran-jsonlite", '')
const total = (flow: number) => runs.reduce((sum, { flows }) => sum + flows[flow].lost, 0) / runs.length

testWithPandas(
  'pandas reads the folder as its README says',
  () => {
    const code = readme('pandas (', 'R, with')
    expect(code).toContain('json_normalize')
    const asked =
      'print(json.dumps([lost.groupby("name").mean().to_dict(), len(hops), hops["hop.queue.wait.max"].max()]))'
    const [lost, count, wait] = JSON.parse(
      execFileSync(PYTHON, ['-c', `${code}\n${asked}`], { cwd: campaign, encoding: 'utf8' }),
    )
    expect(lost).toEqual({ 'out, back': total(0), 'b-a': total(1) })
    // Runs that were done again are there twice.
    expect([count, wait]).toEqual([2 * 2 * runs.length, 0])
  },
  60_000,
)

testWithR(
  'R reads the folder as its README says',
  () => {
    const code = readme('R, with', 'DuckDB')
    const asked = 'cat(toJSON(list(aggregate(lost ~ name, lost, mean), nrow(runs), waits$max), digits = NA))'
    const [lost, [count], waits] = JSON.parse(
      execFileSync('Rscript', ['-e', `${code}\n${asked}`], { cwd: campaign, encoding: 'utf8' }),
    )
    expect(lost).toEqual([
      { name: 'b-a', lost: total(1) },
      { name: 'out, back', lost: total(0) },
    ])
    expect(count).toBe(2 * runs.length)
    expect(waits[0]).toBe(0)
  },
  60_000,
)
