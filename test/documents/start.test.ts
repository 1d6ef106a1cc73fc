/**
 * The pages for beginners, followed as they stand: every file is written, every command is run, in
 * the order of the page, and prints what the page shows. TUNGRAM_WRITE_PAGES=1 writes what was printed into
 * the pages, but for blocks whose numbers differ.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { blocksOf, commandsOf, Folder, isShown, NEEDS, root } from './page.ts'
import { pictureOf } from './picture.ts'

const folder = join(root, 'docs/start')
const write = process.env.TUNGRAM_WRITE_PAGES === '1'
/** What the pages install, and where it is here. */
const PACKAGES = { '.': ['vitest'], 'test/drop-in': ['coap'] } as const

const there = new Map<string, boolean>()
function isThere(need: string): boolean {
  if (!(need in NEEDS)) throw new Error(`'${need}' is nothing that a block may need; there are ${Object.keys(NEEDS)}`)
  if (!there.has(need)) there.set(need, (NEEDS[need] as () => boolean)())
  return there.get(need) as boolean
}

describe.each(readdirSync(folder))('docs/start/%s', (name) => {
  let page = readFileSync(join(folder, name), 'utf8')
  const blocks = blocksOf(page)
  const reader = new Folder()
  for (const [from, names] of Object.entries(PACKAGES))
    for (const each of names)
      if (page.includes(`from '${each}'`) && (from === '.' || isThere('the packages of test/drop-in')))
        reader.install(from, each)
  const pictures = [...page.matchAll(/^<!-- picture: (\S+) -->\n!\[[^\]]{20,}\]\((\S+)\)$/gm)]
  afterAll(() => {
    reader.remove()
    if (write) writeFileSync(join(folder, name), page)
  })

  test('has blocks of known kinds, and a picture', () => {
    expect([...new Set(blocks.map(({ language }) => language))].sort()).toEqual(
      expect.arrayContaining(['console', 'sh']),
    )
    for (const { language, notes, line } of blocks)
      expect(
        { line, known: 'file' in notes || 'not run' in notes || language === 'console' },
        'a block is a file, commands with their output, or says why it is not run',
      ).toEqual({ line, known: true })
    expect(page.match(/!\[/g)?.length).toBe(pictures.length)
    expect(pictures.length).toBeGreaterThan(0)
  })

  for (const { language, text, notes, line } of blocks) {
    if ('not run' in notes) continue
    if (notes.file !== undefined) {
      const file = notes.file
      test(`line ${line}: ${file}`, () => void reader.write(file, text))
      continue
    }
    if (language !== 'console') continue
    const shown = commandsOf(text)
    test(`line ${line}: ${shown.map(({ command }) => command).join('; ')}`, ({ skip }) => {
      const needs = (notes.needs ?? '').split('; ').filter((need) => need !== '')
      if (text.includes('vitest')) needs.push('the packages of test/drop-in')
      for (const need of needs)
        if (!isThere(need)) {
          const isPackage = need.startsWith('the packages')
          expect(process.env[isPackage ? 'TUNGRAM_REQUIRE_DROPIN' : 'TUNGRAM_REQUIRE_TUN'], need).not.toBe('1')
          skip(need)
        }
      for (const { command, output } of shown) {
        // npx would look for what is installed here, and takes a second for it.
        const run = reader.run(command.replaceAll('npx ', ''))
        expect(run.code, run.errors + run.output).toBe(Number(notes.exit ?? 0))
        const differ = 'numbers differ' in notes
        if (write && !differ) page = page.replace(`$ ${command}\n${output}`, () => `$ ${command}\n${run.output}`)
        else if (!isShown(output, run.output, differ)) expect(run.output).toBe(output)
      }
    })
  }

  test.each(pictures.map(({ 1: report = '', 2: picture = '' }) => [report, picture] as const))(
    '%s',
    (report, picture) => {
      const made = pictureOf(readFileSync(join(reader.path, report), 'utf8'))
      if (write) writeFileSync(join(folder, picture), made)
      else expect(readFileSync(join(folder, picture), 'utf8'), 'TUNGRAM_WRITE_PAGES=1 draws it anew').toBe(made)
    },
  )
})
