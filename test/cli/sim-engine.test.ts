import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { checkEngine } from '../../src/cli/sim-engine.ts'
import { start } from './program.ts'

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'engine-'))
afterAll(() => rmSync(folder, { recursive: true }))

test('options of engines that do not go together are told', () => {
  checkEngine({})
  checkEngine({ engine: 'slurm', results: 'out', atOnce: '2', sbatch: ['--time=1'] })
  checkEngine({ engine: 'k8s', results: 'out', claim: 'lab', image: 'own', shards: '4' })
  const wrong = (values: Parameters<typeof checkEngine>[0]) => () => checkEngine(values)
  expect(wrong({ engine: 'pbs', results: 'out' })).toThrow("--engine takes slurm or k8s, not 'pbs'")
  expect(wrong({ engine: 'slurm' })).toThrow('add --results DIR')
  expect(wrong({ engine: 'k8s', results: 'out' })).toThrow('add --claim NAME')
  expect(wrong({ engine: 'slurm', results: 'out', shard: '1/2' })).toThrow('--shard is what --engine gives')
  expect(wrong({ engine: 'slurm', results: 'out', claim: 'lab' })).toThrow('--claim is for --engine k8s')
  expect(wrong({ engine: 'k8s', results: 'out', claim: 'a', sbatch: ['-p'] })).toThrow('--sbatch is for --engine slurm')
  expect(wrong({ atOnce: '2' })).toThrow('--at-once is for --engine slurm and k8s')
})

test('without sbatch the command says what it is for; a combination that makes no scenario is told first', async () => {
  const file = join(folder, 'a.yaml')
  writeFileSync(
    file,
    'hosts: { a: , b: }\nlinks: [{ between: [a, b], loss: 0.1 }]\nflows: [{ from: a, to: b, count: 5 }]',
  )
  const sim = (...words: string[]) =>
    start(cli, ['sim', file, '--results', join(folder, 'out'), '--engine', 'slurm', ...words], '', {
      PATH: folder,
    }).end()
  const bad = await sim('--sweep', 'loss=0.1,2')
  expect(bad).toMatchObject({ code: 1, stdout: '' })
  expect(bad.stderr).toContain('with loss=2: ')
  expect(readdirSync(folder)).toEqual(['a.yaml'])
  const { code, stderr } = await sim('--sweep', 'loss=0.1,0.2')
  expect(stderr).toBe(
    "tungram sim: there is no sbatch: --engine slurm is for a machine with Slurm's programs on its PATH, " +
      "such as a cluster's login node\n",
  )
  expect(code).toBe(1)
}, 30_000)
