/** The entries of the package, and docs/api.md, which says what they have. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string) => readFileSync(`${root}${path}`, 'utf8')
const page = read('docs/api.md')

type Entry = string | { default: string; node?: { default: string } }
const entries: Record<string, Entry> = JSON.parse(read('package.json')).exports
const fileOf = (entry: Entry) => (typeof entry === 'string' ? entry : (entry.node?.default ?? entry.default))
const nameOf = (key: string) => `tungram${key.slice(1)}`
const documented = Object.keys(entries).filter((key) => key !== './package.json')

test.each(documented)('the entry %s is a file of the build, and has a row in docs/api.md', (key) => {
  expect(existsSync(`${root}${fileOf(entries[key] as Entry)}`)).toBe(true)
  expect(page).toContain(`\n| \`${nameOf(key)}\` |`)
})

test.each(['.', './network', './wire'])('each value that %s exports is named in docs/api.md', async (key) => {
  const names = Object.keys(await import(pathToFileURL(`${root}${fileOf(entries[key] as Entry)}`).href))
  expect(names.length).toBeGreaterThan(10)
  expect(names.filter((name) => !new RegExp(`[\`.]${name}\\b`).test(page))).toEqual([])
})

test('each name in the tables of docs/api.md is in an API report', () => {
  const reports = readdirSync(`${root}docs/api`).map((name) => read(`docs/api/${name}`))
  const tables = page.split('\n').filter((line) => line.startsWith('| '))
  const names = tables.flatMap((line) => [...line.matchAll(/`([\w.]+)`/g)].map(([, name = '']) => name))
  expect(names.length).toBeGreaterThan(60)
  const unknown = names
    .map((name) => name.split('.').at(-1) as string)
    .filter((name) => name !== 'tungram' && name !== 'dgram')
    .filter((name) => !reports.some((report) => new RegExp(`\\b${name}\\b`).test(report)))
  expect(unknown).toEqual([])
})

test('the program of docs/api.md has its output', () => {
  const [, code = '', output = ''] = page.match(/```js\n(.*?)```\n\n```text\n(.*?)```/s) ?? []
  const wire = pathToFileURL(`${root}${fileOf(entries['./wire'] as Entry)}`).href
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '-e', code.replace("'tungram/wire'", `'${wire}'`)],
    { encoding: 'utf8' },
  )
  expect(stderr).toBe('')
  expect(stdout).toBe(output)
})
