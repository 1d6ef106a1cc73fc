/**
 * Which files of tests run in this process alone: the others start processes, open devices and
 * namespaces, or drive bundlers and browsers. `npm run test:quick` runs these, for the loop of an
 * edit; all others are the project `programs` of `vitest.config.ts`.
 *
 * The rule: no module of tests that the file loads, itself included, imports one of `HEAVY`. So a
 * test that begins to start processes leaves the quick ones by itself.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

const root = join(import.meta.dirname, '..')
/** Where tests are. */
const PLACES = ['test', 'page/test']
const HEAVY = ['node:child_process', 'node:cluster', 'koffi', 'playwright-core', 'rolldown']
/** Opens a device, by what it imports from `src`. */
const NAMESPACE = 'test/tun/namespace.ts'
/** What is tested may import anything: what counts is what the tests do. */
const TESTED = /^(page\/)?src\//

/** Every file of tests, by its path in the project, in order. */
export function allTests(): string[] {
  return PLACES.flatMap(testsIn).sort()
}

/** Not of packages that are installed there, which are many. */
function testsIn(place: string): string[] {
  return readdirSync(join(root, place), { withFileTypes: true }).flatMap((entry) => {
    const path = `${place}/${entry.name}`
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : testsIn(path)
    return path.endsWith('.test.ts') ? [path] : []
  })
}

/** Those that need no process of their own, no device and no browser. */
export function quickTests(): string[] {
  const imports = new Map<string, readonly string[]>()
  return allTests().filter((path) => !isHeavy(path, imports))
}

/** @param imports what modules import, as far as it was read */
export function isHeavy(path: string, imports = new Map<string, readonly string[]>()): boolean {
  const loaded = new Set([path])
  for (const module of loaded) {
    if (module === NAMESPACE) return true
    const names = imports.get(module) ?? importsOf(readFileSync(join(root, module), 'utf8'))
    imports.set(module, names)
    if (names.some((name) => HEAVY.includes(name))) return true
    for (const name of names.filter((each) => /^\.{1,2}\/.*\.m?[jt]s$/.test(each))) {
      const target = normalize(join(dirname(module), name))
      if (!TESTED.test(target) && existsSync(join(root, target))) loaded.add(target)
    }
  }
  return false
}

/** What a module loads, imports of types apart. */
export function importsOf(code: string): string[] {
  const text = code.replace(/\/\*[\s\S]*?\*\//g, ' ')
  const found = [
    ...text.matchAll(/^(?:import|export)\s+(?!type\b)(?:[\w*{][^'"`;]*?\sfrom\s+)?'([^']+)'/gm),
    ...text.matchAll(/\b(?:import|require)\('([^']+)'\)/g),
  ]
  return found.map(([, name = '']) => name)
}
