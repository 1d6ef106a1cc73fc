/**
 * Prints the built JavaScript anew, without comments and with short names for what is local to a
 * function: what is published is smaller. What a program can import keeps its lines, for Node shows
 * the line that threw; of all else, which only the commands use, a line is as long as its file.
 * Functions and classes keep their names: a stack trace reads as that of the source. What has no
 * source any more goes. A part of `npm run build`.
 *
 *     node tools/build/strip.mjs
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { minifySync } from 'rolldown/utils'
import { reached } from './reached.mjs'

const root = join(import.meta.dirname, '../..')
const dist = join(root, 'dist')
const library = reached('.js')
/** Begins a private name while it is printed: the printer would shorten it, and stack traces have it. */
const PUBLIC = '$_'

for (const name of readdirSync(dist, { recursive: true })) {
  if (!name.endsWith('.js')) continue
  const path = join(dist, name)
  if (!existsSync(join(root, 'src', name.replace(/\.js$/, '.ts')))) {
    rmSync(path)
    continue
  }
  const source = readFileSync(path, 'utf8')
  if (source.includes(PUBLIC)) throw new Error(`${name} has a name with ${PUBLIC}, which stands for # here`)
  const { code, errors } = minifySync(path, source.replace(/#(?=[a-z])/gi, PUBLIC), {
    module: true,
    compress: false,
    mangle: { toplevel: false, keepNames: true },
    codegen: { removeWhitespace: !library.has(path) },
  })
  if (errors.length > 0) throw new Error(`${name}: ${errors[0].message}`)
  writeFileSync(path, code.replaceAll(PUBLIC, '#'))
}
