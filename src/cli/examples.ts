/** The scenarios that come with the package. */
import { existsSync, readdirSync } from 'node:fs'
import { isAbsolute, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { nearest } from './command-line.ts'
import { UsageError } from './usage.ts'

const FOLDER = join('examples', 'scenarios')

/** The package's own folder: above `dist/cli`, or above `src/cli`. */
function packageFolder(): string {
  return fileURLToPath(new URL('../..', import.meta.url))
}

/** `bufferbloat`, …; none where the package has been taken apart. */
export function exampleNames(): string[] {
  const folder = join(packageFolder(), FOLDER)
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => name.slice(0, -'.yaml'.length))
    .sort()
}

/** The file of an example. @throws {UsageError} when there is none of that name */
export function exampleFile(name: string): string {
  const names = exampleNames()
  if (names.includes(name)) return join(packageFolder(), FOLDER, `${name}.yaml`)
  const near = nearest(name, names)
  throw new UsageError(
    `there is no example '${name}'${near === '' ? '' : `: did you mean ${near}?`}; there are ${names.join(', ')}`,
  )
}

/**
 * A path as documents print it, `examples/scenarios/…`, is that of the package where the working
 * directory has none.
 */
export function shipped(path: string): string {
  if (isAbsolute(path) || existsSync(path) || !normalize(path).startsWith(`examples`)) return path
  const own = join(packageFolder(), path)
  return existsSync(own) ? own : path
}
