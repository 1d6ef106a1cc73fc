/**
 * The programs of docs/node-dgram.md and docs/stack.md, run as they stand, and the tables of the
 * former.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { OptionName } from '../../src/socket-api/dgram/dgram.ts'
import { compile } from '../cli/program.ts'
import { open, stack } from './pair.ts'

const page = (name: string) => readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8')
const programsOf = (text: string) =>
  Array.from(text.matchAll(/```js\n(.*?)```\n\n```text\n(.*?)```/gs), ([, code = '', output = '']) => ({
    code,
    output,
  }))
const text = page('node-dgram.md')
const programs = [...programsOf(text), ...programsOf(page('stack.md'))]

let built: ReturnType<typeof compile>
beforeAll(() => {
  built = compile()
})
afterAll(() => built.remove())

test('each program has its output', () => {
  expect(programs.length).toBe(7)
  expect(`${text}${page('stack.md')}`.match(/```js/g)?.length).toBe(programs.length)
})

test.each(programs)('$code', ({ code, output }) => {
  const path = join(built.directory, 'program.mjs')
  writeFileSync(path, code)
  const { stdout, stderr } = spawnSync(process.execPath, [path], { encoding: 'utf8', timeout: 20_000 })
  expect({ stdout, stderr }).toEqual({ stdout: output, stderr: '' })
})

test('the table of options names every option, with its default', () => {
  const socket = open(stack())
  const rows = text
    .slice(text.indexOf('### Options\n\n`socket.setOption'), text.indexOf('### Information about'))
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|').map((cell) => cell.trim()))
  const named = rows.flatMap(([, names = '', , fallback = '']) =>
    (names.match(/\w+/g) ?? []).map((name) => [name, fallback] as const),
  )
  expect(named.length).toBe(22)
  for (const [name, fallback] of named) {
    const value = socket.getOption(name as OptionName)
    expect(`${name}: ${fallback.replace(/`|(?<=\d) (?=\d)|, or .*/g, '')}`).toBe(
      `${name}: ${typeof value === 'string' ? `'${value}'` : value}`,
    )
  }
})

test('files of tests that are named exist', () => {
  for (const name of new Set(text.match(/[\w./-]+\.ts\b/g)))
    expect(() =>
      readFileSync(new URL(name.includes('/') ? `../../${name}` : `../contract/${name}`, import.meta.url)),
    ).not.toThrow()
})
