/**
 * Removes the declarations that no entry of the package leads to: they describe what no program can
 * import, and a third of the package would be theirs.
 *
 *     node tools/types/prune.mjs
 */
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { reached } from '../build/reached.mjs'

const dist = join(import.meta.dirname, '../../dist')
const kept = reached('.d.ts')
for (const name of readdirSync(dist, { recursive: true }))
  if (name.endsWith('.d.ts') && !kept.has(join(dist, name))) rmSync(join(dist, name))
