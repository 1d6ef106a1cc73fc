/**
 * Parts of the engine that most runs do without are files of their own in the built page, although the
 * engine imports and calls them as any other: the import gives a door, a module with the same names,
 * whose functions are those of the part as soon as the worker has imported that (src/worker/parts.ts).
 * Elsewhere than in the built page there are no doors.
 */
import { basename, join } from 'node:path'
import type { Plugin } from 'vite'

const ENGINE = join(import.meta.dirname, '..', '..', 'src')
/** What the door of each has; a class is one that is only made. */
const PARTS: Readonly<Record<string, string>> = {
  'network/nat/place-nat.ts': 'placeNat',
  'network/observe/explain.ts': 'explainAll',
  'network/observe/replay.ts': 'replay',
  'raw/raw-layer.ts': 'RawLayer',
}
const DOOR = '\0tungram-door:'

const partOf = (path: string) => Object.keys(PARTS).find((part) => path === join(ENGINE, part))

export function later(): Plugin {
  return {
    name: 'tungram-later',
    enforce: 'pre',
    async resolveId(source, importer) {
      if (source.startsWith(DOOR)) return source
      // The worker's own import is that of the part.
      if (!importer?.startsWith(ENGINE) || !Object.keys(PARTS).some((part) => basename(part) === basename(source)))
        return undefined
      const found = await this.resolve(source, importer, { skipSelf: true })
      const part = found === null ? undefined : partOf(found.id)
      return part === undefined ? undefined : DOOR + part
    },
    load(id) {
      if (!id.startsWith(DOOR)) return undefined
      const path = id.slice(DOOR.length)
      return `let part
        export const fill = (loaded) => { part = loaded }
        export function ${PARTS[path]}(...args) {
          if (part === undefined) throw new Error('${path} is called before src/worker/parts.ts has loaded it.')
          return new.target ? new part(...args) : part(...args)
        }`
    },
    transform(code, id) {
      const part = partOf(id)
      if (part === undefined) return undefined
      const name = PARTS[part]
      return {
        code: `${code}\nimport { fill } from ${JSON.stringify(DOOR + part)}\nfill(${name})`,
        map: null,
        moduleSideEffects: true,
      }
    },
  }
}
