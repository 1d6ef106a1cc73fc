/** Writes the man pages of the built command into dist/man, a part of `npm run build`. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { commands } from '../../dist/cli/commands.js'
import { manPages } from '../../dist/cli/man-page.js'

const root = new URL('../../', import.meta.url)
const { version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'))
const folder = new URL('dist/man/', root)
rmSync(folder, { recursive: true, force: true })
mkdirSync(folder)
for (const { file, text } of await manPages(commands, version)) writeFileSync(new URL(file, folder), text)
