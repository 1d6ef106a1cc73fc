/**
 * Removes the declarations that no entry of the package leads to: they describe what no program can
 * import, and a third of the package would be theirs.
 *
 *     node tools/types/prune.mjs
 */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

const root = join(import.meta.dirname, '../..')
const { exports: entries } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

function entryTypes(entry) {
  if (typeof entry === 'string') return entry.endsWith('.d.ts') ? [entry] : []
  return Object.values(entry ?? {}).flatMap(entryTypes)
}

const reached = new Set()
const left = Object.values(entries)
  .flatMap(entryTypes)
  .map((path) => join(root, path))
for (let path = left.pop(); path !== undefined; path = left.pop()) {
  if (reached.has(path)) continue
  reached.add(path)
  // `from './x.ts'`, `import './x.ts'` and `import('./x.ts')`.
  for (const [, specifier] of readFileSync(path, 'utf8').matchAll(/['"](\.{1,2}\/[^'"]+)\.[jt]s['"]/g)) {
    const target = `${resolve(dirname(path), specifier)}.d.ts`
    if (existsSync(target)) left.push(target)
  }
}
const dist = join(root, 'dist')
for (const name of readdirSync(dist, { recursive: true }))
  if (name.endsWith('.d.ts') && !reached.has(join(dist, name))) rmSync(join(dist, name))
