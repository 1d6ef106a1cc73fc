/**
 * `virtual:drop-reasons`: why a packet is discarded, one sentence for each reason, as the list of
 * reasons itself says it.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin } from 'vite'

const NAME = 'virtual:drop-reasons'
const LIST = join(import.meta.dirname, '..', '..', 'src', 'base', 'drop.ts')

function readReasons(source: string): Record<string, string> {
  const found: Record<string, string> = {}
  for (const [, comment = '', name = ''] of source.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*(\w+): \d+,/g))
    found[name] = comment
      .replace(/\s*\n\s*\*\s?/g, ' ')
      .replace(/`/g, '')
      .trim()
  return found
}

export function dropReasons(): Plugin {
  return {
    name: 'tungram-drop-reasons',
    resolveId: (id) => (id === NAME ? `\0${NAME}` : undefined),
    load(id) {
      if (id !== `\0${NAME}`) return undefined
      this.addWatchFile(LIST)
      return `export default ${JSON.stringify(readReasons(readFileSync(LIST, 'utf8')))}`
    },
  }
}
