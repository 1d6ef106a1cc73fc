import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { skipsText } from './skips-reporter.ts'

const root = join(import.meta.dirname, '..')

test('the summary of skips counts them by their reasons, the most frequent first', () => {
  expect(skipsText(new Map())).toBe('')
  const reasons = new Map([
    ['the program fish', ['a.test.ts > fish']],
    ['a TUN device', Array.from({ length: 12 }, (_, index) => `b.test.ts > ${index}`)],
    ['no reason given', ['c.test.ts > lonely']],
  ])
  expect(skipsText(reasons)).toBe(
    '\n14 tests and suites skipped:\n' +
      '  12  for want of a TUN device\n' +
      '   1  for want of the program fish\n' +
      '   1  no reason given\n' +
      '        c.test.ts > lonely\n',
  )
})

test('a run says at its end what was skipped, and fails where that is required', () => {
  const folder = mkdtempSync(join(root, 'test', '.skips-'))
  try {
    // Not the configuration of this project, which would be found next.
    writeFileSync(join(folder, 'vitest.config.mjs'), 'export default {}')
    writeFileSync(
      join(folder, 'few.test.ts'),
      `import { beforeAll, describe, test } from 'vitest'
       import { describeWith, testWith } from '${root}/test/skips.ts'
       test('runs', () => {})
       testWith(true, 'nothing')('runs too', () => {})
       testWith(false, 'a moon')('one', () => {})
       testWith(false, 'a moon').each([1, 2])('two %i', () => {})
       describeWith(false, 'a moon')('three', () => { throw new Error('not run') })
       test.skip('silent', () => {})
       if (process.env.BROKEN === '1') describe('broken', () => {
         beforeAll(() => { throw new Error('no moon') })
         test('not begun', () => {})
       })`,
    )
    const run = (settings: Record<string, string>) => {
      const { NODE_OPTIONS: _, TUNGRAM_REQUIRE_TUN: __, ...env } = process.env
      for (const key of Object.keys(env)) if (key.startsWith('VITEST')) delete env[key]
      const words = [
        'vitest',
        'run',
        '--root',
        folder,
        '--reporter=default',
        `--reporter=${root}/test/skips-reporter.ts`,
      ]
      return spawnSync('npx', words, { cwd: root, env: { ...env, NO_COLOR: '1', ...settings }, encoding: 'utf8' })
    }
    const { status, stdout } = run({})
    expect(stdout).toContain('2 passed | 4 skipped')
    expect(stdout).toContain(
      '\n4 tests and suites skipped:\n  3  for want of a moon\n  1  no reason given\n       few.test.ts > silent\n',
    )
    expect(status).toBe(0)
    const broken = run({ BROKEN: '1' })
    expect(broken.status).toBe(1)
    expect(broken.stdout).toContain('\n4 tests and suites skipped:\n')
    const required = run({ TUNGRAM_REQUIRE_TUN: '1' })
    expect(required.status).toBe(1)
    expect(required.stdout + required.stderr).toContain(
      'TUNGRAM_REQUIRE_TUN is set, and this is skipped for want of a moon',
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}, 120_000)
