/** The limit on waiting fragments is what the heap shows, in processes of their own. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { compile } from '../cli/program.ts'

const { directory, remove } = compile()
afterAll(remove)

interface Figures {
  limit: number
  account: number
  held: number
}

function measure(family: number, size: number, each: number): Figures {
  const program = fileURLToPath(new URL('./memory.mjs', import.meta.url))
  const args = ['--expose-gc', '--max-old-space-size=64', program, String(family), String(size), String(each)]
  const { stdout, stderr } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    env: { ...process.env, COMPILED: directory },
  })
  expect(stderr).toBe('')
  return JSON.parse(stdout) as Figures
}

describe.each([4, 6])('IPv%i fragments', (family) => {
  test.each([
    [8, 1],
    [8, 20],
    [64, 1],
    [200, 1],
    [1400, 1],
    [1400, 3],
    [4000, 2],
  ])('of %i bytes, %i of a datagram, hold what their account says, and no more than the limit', (size, each) => {
    const { limit, account, held } = measure(family, size, each)
    expect(account).toBeGreaterThan(0.9 * limit)
    expect(account).toBeLessThanOrEqual(limit)
    expect(held / account).toBeGreaterThan(0.8)
    expect(held / account).toBeLessThan(1.2)
  })
})
