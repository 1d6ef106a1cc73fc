/** The quick tests and the others are all tests, and the quick ones start nothing. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import config from '../vitest.config.ts'
import { importsOf, isHeavy } from './quick.ts'

const root = join(import.meta.dirname, '..')

/** What stands in the project, wherever: a test that no project runs would be lost. */
function written(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    if (entry.isFile()) return entry.name.endsWith('.test.ts') ? [join(folder, entry.name)] : []
    return entry.isDirectory() && !/^(node_modules|dist|\..+)$/.test(entry.name)
      ? written(join(folder, entry.name))
      : []
  })
}

test('each file of tests is in one of the projects, quick and programs', () => {
  const projects = config.test?.projects as { test: { name: string; include: string[] } }[]
  expect(projects.map((project) => project.test.name)).toEqual(['quick', 'programs'])
  expect(projects.flatMap((project) => project.test.include).sort()).toEqual(written('').sort())
  for (const project of projects) expect(project.test.include.length).toBeGreaterThan(50)
})

test('a module that starts a process, opens a device or a browser is seen behind others', () => {
  for (const path of ['test/cli/sim.test.ts', 'test/tun/stack.test.ts', 'page/test/page.test.ts'])
    expect({ path, heavy: isHeavy(path) }).toEqual({ path, heavy: true })
  for (const path of ['test/wire/ipv4.test.ts', 'test/stack.test.ts', 'page/test/labs.test.ts'])
    expect({ path, heavy: isHeavy(path) }).toEqual({ path, heavy: false })
})

test('imports are read in every form, but those of types', () => {
  const code = `
/* import 'of a comment' */
import type { A } from 'types'
import { type B, c } from 'one'
import {
  d,
} from 'two'
import 'three'
export * from 'four'
const e = await import('five')
`
  expect(importsOf(code)).toEqual(['one', 'two', 'three', 'four', 'five'])
})
