import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { compile } from '../cli/program.ts'

const { directory, remove } = compile()
afterAll(remove)

function capture(seed: string): string {
  const file = fileURLToPath(new URL('./determinism.mjs', import.meta.url))
  const run = spawnSync(process.execPath, [file, seed], { encoding: 'utf8', env: { ...process.env, COMPILED: directory } })
  expect(run.stderr).toBe('')
  return run.stdout.trim()
}

test('the same seed gives the same capture in every process, another seed another one', () => {
  const first = capture('one')
  expect(Number(first.split(' ')[0])).toBeGreaterThan(500_000)
  expect(capture('one')).toBe(first)
  expect(capture('two')).not.toBe(first)
})
