/** `tungram/testing` under each test runner, as its users start it. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const here = fileURLToPath(new URL('.', import.meta.url))
const node = process.execPath
const modules = join(here, 'node_modules')
const bun = join(modules, '@oven/bun-linux-x64/bin/bun')
const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url))

/** Arguments, how many tests pass, and how the runner says so. */
const RUNNERS: Record<string, { command: string[]; passed: RegExp; failed: RegExp; named?: false }> = {
  vitest: { command: [node, vitest, 'run', '--root', '.'], passed: /Tests .*2 passed/, failed: /Tests .*1 failed/ },
  'node:test': {
    command: [node, '--test', '--test-reporter=tap', 'suites/node-test.spec.mjs'],
    passed: /# pass 1$/m,
    failed: /# fail 1$/m,
  },
  jest: {
    command: [
      node,
      '--experimental-vm-modules',
      join(modules, 'jest/bin/jest.js'),
      '--rootDir=.',
      '--testMatch=**/jest.spec.mjs',
    ],
    passed: /Tests: .*1 passed/,
    failed: /Tests: .*1 failed/,
  },
  mocha: {
    command: [node, join(modules, 'mocha/bin/mocha.js'), 'suites/mocha.spec.mjs'],
    passed: /1 passing/,
    failed: /1 failing/,
  },
  ava: {
    command: [node, join(modules, 'ava/entrypoints/cli.mjs'), '--tap', 'suites/ava.spec.mjs'],
    passed: /# pass 1$/m,
    failed: /# fail 1$/m,
  },
  // It tells a test neither its name nor its context.
  'bun test': { command: [bun, 'test', './suites/bun.spec.mjs'], passed: /1 pass$/m, failed: /1 fail$/m, named: false },
}

const required = process.env.TUNGRAM_REQUIRE_RUNNERS === '1'
function missing(command: readonly string[]): boolean {
  const [program = '', ...words] = command
  return ![program, ...words.filter((word) => word.startsWith(modules))].every((file) => existsSync(file))
}

let failures = ''
beforeAll(() => {
  failures = mkdtempSync(join(tmpdir(), 'tungram-runners-'))
})
afterAll(() => rmSync(failures, { recursive: true }))

describe('a test with a network passes and fails', () => {
  test.each(Object.entries(RUNNERS))('under %s', { timeout: 90_000 }, (name, runner, ...rest) => {
    const { command, passed, failed, named = true } = runner
    if (missing(command) && !required)
      return (rest as unknown as [{ skip(note: string): void }])[0]?.skip(
        "the packages of 'npm ci --prefix test/runners'",
      )
    const directory = join(failures, name.replace(/\W/g, '-'))
    const [program = '', ...words] = command
    // The environment of this runner is not that of the other one.
    const { NODE_OPTIONS: _, VITEST: __, NODE_ENV: ___, ...env } = process.env
    for (const key of Object.keys(env)) if (key.startsWith('VITEST') || key.startsWith('NODE_TEST')) delete env[key]
    const { status, stdout, stderr } = spawnSync(program, words, {
      cwd: here,
      env: { ...env, FAILURES: directory, NO_COLOR: '1', CI: 'true' },
      encoding: 'utf8',
      timeout: 60_000,
    })
    const output = `${stdout}${stderr}`
    expect(status, output).toBe(1)
    expect(output).toMatch(passed)
    expect(output).toMatch(failed)
    const file = named ? 'fails-on-purpose-seed-7.pcapng' : 'test-seed-7.pcapng'
    expect(output).toContain('(network at 0 ms; repeat with TUNGRAM_SEED=7; the packets are in ')
    expect(readdirSync(directory)).toEqual([file])
  })
})
