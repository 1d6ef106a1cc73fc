/** Which built files the entries of the package lead to: what a program can import, or a type of it. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

const root = join(import.meta.dirname, '../..')
const { exports, imports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** The paths of all files with this ending (`.js` or `.d.ts`) that imports lead to, from the entries on. */
export function reached(ending) {
  const found = new Set()
  const left = paths([exports, imports]).filter((path) => path.endsWith(ending))
  for (let path = left.pop(); path !== undefined; path = left.pop()) {
    if (found.has(path)) continue
    found.add(path)
    // `from './x.js'`, `import './x.js'`, `import('./x.js')` and `new URL('./x.js', …)`; declarations name `./x.ts`.
    for (const [, specifier] of readFileSync(path, 'utf8').matchAll(/['"`](\.{1,2}\/[^'"`]+)\.[jt]s['"`]/g)) {
      const target = `${resolve(dirname(path), specifier)}${ending}`
      if (existsSync(target)) left.push(target)
    }
  }
  return found
}

function paths(entry) {
  if (typeof entry === 'string') return [join(root, entry)]
  return Object.values(entry ?? {}).flatMap(paths)
}
