/**
 * Prints the built JavaScript anew, without comments and with tabs: what is published is smaller, and
 * its lines are still lines of a program. The commands, which no program imports, have no spaces and
 * short local names. What has no source any more goes. A part of `npm run build`.
 *
 *     node tools/build/strip.mjs
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { minifySync } from 'rolldown/utils'

const root = join(import.meta.dirname, '../..')
const dist = join(root, 'dist')
const LIBRARY = { module: true, compress: false, mangle: false, codegen: { removeWhitespace: false } }
const COMMANDS = { ...LIBRARY, mangle: { toplevel: false }, codegen: { removeWhitespace: true } }

for (const name of readdirSync(dist, { recursive: true })) {
  if (!name.endsWith('.js')) continue
  const path = join(dist, name)
  if (!existsSync(join(root, 'src', name.replace(/\.js$/, '.ts')))) {
    rmSync(path)
    continue
  }
  const { code, errors } = minifySync(path, readFileSync(path, 'utf8'), /^cli[/\\]/.test(name) ? COMMANDS : LIBRARY)
  if (errors.length > 0) throw new Error(`${name}: ${errors[0].message}`)
  writeFileSync(path, code)
}
