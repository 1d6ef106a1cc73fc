import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { compile } from '../cli/program.ts'

/**
 * Length and SHA-256 of the capture of determinism.mjs with the seed `one`, on every machine and
 * version of Node. A change of what stacks or wires do changes it: when that is meant, the new one
 * belongs here.
 */
const PINNED = '6524144 8b505357b6b7af6067ac0299c41f77856269add753568e3e7af209bcd387feb1'

/** Other versions of Node: paths of their programs, with colons between them. */
const others = (process.env.TUNGRAM_NODES ?? '').split(':').filter((path) => path !== '')
if (others.length === 0)
  console.warn(`Determinism is tested on Node ${process.version} alone: TUNGRAM_NODES names no other ones.`)

const { directory, remove } = compile()
afterAll(remove)

function run(node: string, ...args: string[]): string {
  const { stdout, stderr } = spawnSync(node, args, { encoding: 'utf8', env: { ...process.env, COMPILED: directory } })
  expect(stderr).toBe('')
  return stdout.trim()
}

function capture(seed: string, node = process.execPath): string {
  return run(node, fileURLToPath(new URL('./determinism.mjs', import.meta.url)), seed)
}

test('the same seed gives the same capture in every process, another seed another one', () => {
  const first = capture('one')
  expect(Number(first.split(' ')[0])).toBeGreaterThan(500_000)
  expect(capture('one')).toBe(first)
  expect(capture('two')).not.toBe(first)
})

test.each([process.execPath, ...others])('the capture is the one that everybody gets, on %s', (node) => {
  expect(capture('one', node), `on Node ${run(node, '--version')}`).toBe(PINNED)
})
