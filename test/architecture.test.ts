import { readdirSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../src', import.meta.url))

/**
 * Where a folder, or a file directly in `src/`, stands: it imports from places with a smaller
 * number, or from its own folder.
 */
const RANKS: Record<string, number> = {
  base: 0,
  wire: 1,
  link: 2,
  ip: 3,
  udp: 4,
  stack: 5,
  'describe.ts': 5,
  'stack.ts': 6,
  'socket-api': 7,
  network: 7,
  'network-node': 8,
  'network-node.ts': 9,
  'testing.ts': 10,
  'index.ts': 10,
  namespaces: 10,
  cli: 11,
  'cli.ts': 12,
}

/** These run in a browser too, but for the files that drive the device or write the disk. */
const PORTABLE = new Set(['base', 'wire', 'link', 'ip', 'udp', 'stack', 'stack.ts', 'network'])
const DEVICE_FILE = /^link\/(device\/[\w-]+|capture\/capture-file)\.ts$/

/** Packages that the library may import, by the places that may do so. */
const PACKAGES: Record<string, RegExp> = {
  'ip-address': /^base\/address\.ts$/,
  koffi: /^link\/device\/[\w-]+\.ts$/,
  yaml: /^cli\/scenario-file\.ts$/,
}

interface Import {
  readonly specifier: string
  readonly typeOnly: boolean
}

interface Source {
  readonly path: string
  /** The text without comments. */
  readonly code: string
  readonly imports: readonly Import[]
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, ' ').replace(/(^|[^:'"`])\/\/.*$/gm, '$1')
}

function importsOf(code: string): Import[] {
  const found: Import[] = []
  for (const match of code.matchAll(/^\s*(?:import|export)\s+(type\s+)?(?:[\w*{][^'"]*?\sfrom\s+)?['"]([^'"]+)['"]/gm))
    found.push({ specifier: match[2] as string, typeOnly: match[1] !== undefined })
  for (const match of code.matchAll(/\b(?:import|require)\(\s*['"]([^'"]+)['"]/g))
    found.push({ specifier: match[1] as string, typeOnly: false })
  return found
}

const sources: Source[] = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .sort()
  .map((path) => {
    const code = withoutComments(readFileSync(join(root, path), 'utf8'))
    return { path, code, imports: importsOf(code) }
  })

const place = (path: string) => path.split('/')[0] as string
const isPortable = (path: string) => PORTABLE.has(place(path)) && !DEVICE_FILE.test(path)
const target = (from: string, specifier: string) => relative(root, resolve(root, dirname(from), specifier))

describe('the reader of imports', () => {
  test('sees every form of import and tells types from values', () => {
    const code = withoutComments(`
import a from './a.ts'
import type { B } from './b.ts'
import {
  c,
  type C,
} from './c.ts'
import * as d from './d.ts'
export { e } from './e.ts'
export * from './f.ts'
export type { G } from './g.ts'
import './h.ts'
const i = await import('./i.ts')
// import k from './k.ts'
/* import l from './l.ts' */
`)
    expect(importsOf(code).map(({ specifier, typeOnly }) => `${specifier}${typeOnly ? ' type' : ''}`)).toEqual([
      './a.ts',
      './b.ts type',
      './c.ts',
      './d.ts',
      './e.ts',
      './f.ts',
      './g.ts type',
      './h.ts',
      './i.ts',
    ])
  })
})

describe('the tree of src', () => {
  test('every place in it has a rank', () => {
    expect(sources.length).toBeGreaterThan(20)
    expect([...new Set(sources.map(({ path }) => place(path)))].filter((each) => RANKS[each] === undefined)).toEqual([])
  })

  test('imports name files that exist, with their extension', () => {
    const paths = new Set(sources.map(({ path }) => path))
    const missing = sources.flatMap(({ path, imports }) =>
      imports
        .filter(({ specifier }) => specifier.startsWith('.') && !paths.has(target(path, specifier)))
        .map((each) => [path, each.specifier]),
    )
    expect(missing).toEqual([])
  })

  test('a folder imports only from itself and from folders above it', () => {
    const wrong = sources.flatMap(({ path, imports }) =>
      imports
        .filter(({ specifier }) => specifier.startsWith('.'))
        .map(({ specifier }) => target(path, specifier))
        .filter((to) => place(to) !== place(path) && !((RANKS[place(to)] as number) < (RANKS[place(path)] as number)))
        .map((to) => `${path} imports ${to}`),
    )
    expect(wrong).toEqual([])
  })

  test('no file reaches itself through imports that exist at run time', () => {
    expect(circles((each) => !each.typeOnly)).toEqual([])
  })

  test('no file reaches itself through imports, types included', () => {
    expect(circles(() => true)).toEqual([])
  })
})

/** Each way from a file back to itself, through the imports that count. */
function circles(counts: (each: Import) => boolean): string[] {
  const edges = new Map(
    sources.map(({ path, imports }) => [
      path,
      imports
        .filter((each) => each.specifier.startsWith('.') && counts(each))
        .map((each) => target(path, each.specifier)),
    ]),
  )
  const done = new Set<string>()
  const found: string[] = []
  const visit = (path: string, way: readonly string[]) => {
    if (way.includes(path)) found.push([...way.slice(way.indexOf(path)), path].join(' -> '))
    if (way.includes(path) || done.has(path)) return
    for (const next of edges.get(path) ?? []) visit(next, [...way, path])
    done.add(path)
  }
  for (const path of edges.keys()) visit(path, [])
  return found
}

describe('what the library may use', () => {
  const builtins = new Set(builtinModules)

  test('packages only where they belong', () => {
    const wrong = sources.flatMap(({ path, imports }) =>
      imports
        .filter(({ specifier }) => !specifier.startsWith('.') && !specifier.startsWith('node:'))
        .filter(({ specifier }) => PACKAGES[specifier]?.test(path) !== true)
        .map(({ specifier }) => `${path} imports ${specifier}`),
    )
    expect(wrong).toEqual([])
  })

  test('no Node module below the socket API, but for the device and the capture file', () => {
    const wrong = sources
      .filter(({ path }) => isPortable(path))
      .flatMap(({ path, imports }) =>
        imports
          .filter(({ specifier }) => specifier.startsWith('node:') || builtins.has(specifier))
          .map(({ specifier }) => `${path} imports ${specifier}`),
      )
    expect(wrong).toEqual([])
  })

  test('no Node global below the socket API, and no import of a file that has one', () => {
    const portable = sources.filter(({ path }) => isPortable(path))
    const globals = portable.flatMap(({ path, code }) =>
      [
        ...code.matchAll(/(?<![\w.'-])(Buffer(?=[.([<;,)|\s])|process(?=[.[])|__dirname|__filename|require(?=\())/g),
      ].map((each) => `${path} uses ${each[1]}`),
    )
    const imports = portable.flatMap(({ path, imports }) =>
      imports
        .filter(
          ({ specifier, typeOnly }) =>
            specifier.startsWith('.') && !typeOnly && DEVICE_FILE.test(target(path, specifier)),
        )
        .map(({ specifier }) => `${path} imports ${specifier}`),
    )
    expect([...globals, ...imports]).toEqual([])
  })

  test('no console outside the commands', () => {
    const talking = sources.filter(({ path, code }) => !path.startsWith('cli') && /\bconsole\s*[.[]/.test(code))
    expect(talking.map(({ path }) => path)).toEqual([])
  })

  test('nothing is thrown on the way of a packet', () => {
    // These throw where a program configures them, or writes options; a packet never meets those
    // lines.
    const configured = new RegExp(
      '^(ip/nic/nic(-addresses|-mtu|-neighbors)?|ip/nd/advertise-options|ip/icmp/path-mtu-prober|' +
        'wire/(udp-options|hardware-address))[.]ts$',
    )
    const way = /^((wire|ip|udp)\/|base\/(packet|checksum|drop)\.ts)/
    expect(
      sources
        .filter(({ path, code }) => way.test(path) && !configured.test(path) && /\bthrow\b/.test(code))
        .map(({ path }) => path),
    ).toEqual([])
  })
})
