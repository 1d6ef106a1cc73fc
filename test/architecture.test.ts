import { existsSync, readdirSync, readFileSync } from 'node:fs'
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
  raw: 5,
  stack: 6,
  'describe.ts': 6,
  'stack.ts': 7,
  'socket-api': 8,
  network: 8,
  'network-node': 9,
  'network-node.ts': 10,
  'testing.ts': 11,
  'index.ts': 11,
  namespaces: 11,
  shell: 9,
  cli: 12,
  'cli.ts': 13,
}

/** These run in a browser too, but for the files that drive the device or write the disk. */
const PORTABLE = new Set(['base', 'wire', 'link', 'ip', 'udp', 'raw', 'stack', 'stack.ts', 'network', 'shell'])
const DEVICE_FILE = /^link\/(device\/[\w-]+|capture\/capture-file)\.ts$/

/** Packages that the library may import, by the places that may do so. */
const PACKAGES: Record<string, RegExp> = {
  '#platform': /^(socket-api\/(delivery|dgram|hosts|sending)\/|shell\/cell\.ts$)/,
  buffer: /^socket-api\/platform\/browser\.ts$/,
  commander: /^cli\/(command-line|help)\.ts$/,
  'ip-address': /^base\/address\.ts$/,
  events: /^socket-api\/platform\/browser-emitter\.ts$/,
  koffi: /^link\/device\/[\w-]+\.ts$/,
  yaml: /^cli\/scenario-text\.ts$/,
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

  test('every folder in it has tests of its name: a file, or a folder with some', () => {
    const folders = [...new Set(sources.flatMap(({ path }) => foldersOf(path)))]
    expect(folders.length).toBeGreaterThan(30)
    expect(folders.filter((folder) => !hasTests(folder))).toEqual([])
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

/** `a` and `a/b` of `a/b/c.ts`. */
function foldersOf(path: string): string[] {
  const parts = path.split('/').slice(0, -1)
  return parts.map((_, at) => parts.slice(0, at + 1).join('/'))
}

function hasTests(folder: string): boolean {
  const at = join(root, '../test', folder)
  if (existsSync(`${at}.test.ts`)) return true
  return existsSync(at) && readdirSync(at, { recursive: true }).some((name) => String(name).endsWith('.test.ts'))
}

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
        'wire/(udp-options|hardware-address)|raw/raw-(options|endpoint))[.]ts$',
    )
    const way = /^((wire|ip|udp|raw)\/|base\/(packet|checksum|drop)\.ts)/
    expect(
      sources
        .filter(({ path, code }) => way.test(path) && !configured.test(path) && /\bthrow\b/.test(code))
        .map(({ path }) => path),
    ).toEqual([])
  })
})

/** Lines of a file of `src/` that need no reason. */
const LONG = 400
/** Members of a class that need no reason, private ones included. */
const WIDE = 25
/** Columns of a line of code. */
const COLUMNS = 120

/** Columns of a comment, where it is prose: pictures are four columns further in. */
const PROSE = 100
const PROSE_LINE = /^\s*(\/\/|\/\*|\*(?! {4}))/

/** Longer files, and why they are not cut. */
const LONG_FILES: Record<string, string> = {
  'describe.ts': 'one walk through a packet, a layer a function',
  'ip/nic/nic.ts': 'the façade of all rooms of a nic; each member is a line or two',
  'network/network.ts': 'the façade of all rooms of a network; each member is a few lines and its docstring',
  'socket-api/dgram/types.ts': 'the overloads and docstrings of one interface',
}

/** Classes with more members, and why. */
const WIDE_CLASSES: Record<string, string> = {
  'base/address.ts Address': 'four words, the well-known addresses, and a question of a line each',
  'base/packet.ts Packet': 'a field for each thing that a header said; one shape for the whole path',
  'ip/counters.ts Mib': 'a field a counter, under the names of Linux',
  'ip/fragments/pending-table.ts Pending': 'one datagram of a table without allocations: its key, bounds and links',
  'ip/fragments/pending-table.ts PendingTable': 'lists by source and by age, whose ends are fields',
  'ip/groups/group-manager.ts GroupManager': "a host's state machine: its timers, versions and answers; 7 are public",
  'ip/icmp/path-mtu-prober.ts PathMtuProber': "RFC 8899's state machine, a method a transition; 8 are public",
  'ip/icmp/quote.ts Quote': 'a field for each thing that a quoted header said',
  'ip/ip-layer.ts IpLayer': 'it answers for all rooms of IP, which are wired here; a line each',
  'ip/nd/nd-layer.ts NdLayer': 'a method a message of Neighbor Discovery; 16 are public',
  'ip/nd/router-discovery.ts RouterDiscovery': 'what routers said, a method an option; 11 are public',
  'ip/nic/arp-layer.ts ArpLayer': 'a method for each case of RFC 826 and RFC 5227; 12 are public',
  'ip/nic/neighbor-table.ts NeighborTable': 'a method for each event of RFC 4861 section 7.3',
  'ip/nic/nic-addresses.ts NicAddresses': 'addresses, tentative ones and those of routers; half are private',
  'ip/nic/nic.ts Nic': 'the façade of all rooms of a nic',
  'link/device/packet.ts PacketLink': 'the members of a Link, and those of a device',
  'link/device/tun.ts TunLink': 'the members of a Link, and those of a device',
  'network/nat/mapping-table.ts MappingTable':
    'the options of a NAT, a table for each protocol, and the calls of four ways',
  'network/nat/nat.ts Nat': 'four ways through the router, for whole packets, fragments and errors; most are private',
  'network/network.ts Network': 'the whole of a public interface; each member is a line',
  'network/nodes/port.ts Port': 'the members of a Link and of its receiver: it stands between them',
  'network/scenario/flow-source.ts Flow': 'the counts of one flow; 12 are public',
  'raw/raw-endpoint.ts RawEndpoint': 'its two ends are eight fields, which each packet is compared with',
  'socket-api/dgram/socket.ts UdpSocket': "the members of node:dgram's Socket, a line each",
  'socket-api/dgram/state.ts SocketState': "what a socket's rooms share, instead of fields in each",
  'stack.ts Stack': 'the whole of a public interface',
  'udp/endpoint-options.ts EndpointOptions': 'a field an option',
  'udp/endpoint.ts Endpoint': "a socket's two ends are eight fields, which the port table reads for each packet",
}

const MEMBER =
  /^ {2}(?:(?:static|readonly|async|declare|override|get|set) |\*)*(#?[\w$]+|\[[\w.]+\])[?!]?(?=[(<:=; ]|$)/

/**
 * The classes of a source with the number of their members; the code is formatted, so lines tell.
 */
function classesOf(code: string): { name: string; members: number }[] {
  const found: { name: string; members: number }[] = []
  let current: { name: string; members: number } | null = null
  for (const line of code.split('\n')) {
    const head = /^(?:export )?(?:abstract )?class (\w+)/.exec(line)
    if (head !== null) {
      current = { name: head[1] as string, members: 0 }
      found.push(current)
    } else if (line.startsWith('}')) current = null
    else if (current !== null && !line.startsWith('  static {') && MEMBER.test(line)) current.members++
  }
  return found
}

/**
 * Files with a text that people write and read, of the folders that are not made by tools; of `.` its
 * files alone.
 */
function texts(
  folders = ['src', 'test', 'bench', 'examples', 'tools', '.ci'],
  name = /\.(ts|mts|mjs|js|ya?ml)$|^\.ci\/run$/,
): { path: string; lines: string[] }[] {
  const top = join(root, '..')
  const paths = folders.flatMap((folder) =>
    readdirSync(join(top, folder), { recursive: folder !== '.', encoding: 'utf8' }).map((path) => join(folder, path)),
  )
  return paths
    .filter((path) => name.test(path) && !path.includes('node_modules'))
    .map((path) => ({ path, lines: readFileSync(join(top, path), 'utf8').split('\n') }))
}

describe('the size of things', () => {
  test('the reader of classes counts fields, methods, accessors and private members', () => {
    const code = `
export class A extends B {
  static readonly ONE = 1
  two = new Map<
    string,
    number
  >()
  #three: number | null = null
  readonly four: { readonly a: number }
  five?: string
  static {
    five()
  }

  constructor(
    six: number,
  ) {
    super()
  }

  get seven(): number {
    return 7
  }

  async *#eight<T>(): AsyncGenerator<T> {}

  [Symbol.dispose](): void {}
}
class C {}
`
    expect(classesOf(code)).toEqual([
      { name: 'A', members: 9 },
      { name: 'C', members: 0 },
    ])
  })

  test(`a file above ${LONG} lines has a reason`, () => {
    const long = sources
      .filter(({ path }) => readFileSync(join(root, path), 'utf8').split('\n').length - 1 > LONG)
      .map(({ path }) => path)
    expect(long).toEqual(Object.keys(LONG_FILES))
  })

  test(`a class above ${WIDE} members has a reason`, () => {
    const wide = sources.flatMap(({ path, code }) =>
      classesOf(code)
        .filter(({ members }) => members > WIDE)
        .map(({ name }) => `${path} ${name}`),
    )
    expect(wide).toEqual(Object.keys(WIDE_CLASSES))
  })

  test(`no comment of src is wider than ${PROSE} columns, but for pictures`, () => {
    const wide = texts()
      .filter(({ path }) => path.startsWith('src/'))
      .flatMap(({ path, lines }) =>
        lines.flatMap((line, at) => ([...line].length > PROSE && PROSE_LINE.test(line) ? [`${path}:${at + 1}`] : [])),
      )
    expect(wide).toEqual([])
  })

  test(`no line of prose in a document is wider than ${PROSE} columns`, () => {
    // Neither code nor a table, nor what has no space to be broken at.
    const isProse = (line: string) => !/^\s*(\||!\[)/.test(line) && / .* /.test(line.trim().replace(/`[^`]*`/g, '_'))
    const wide = texts(['.', 'docs', 'examples', 'test'], /\.md$/).flatMap(({ path, lines }) => {
      let code = false
      return lines.flatMap((line, at) => {
        if (line.startsWith('```')) code = !code
        return !code && [...line].length > PROSE && isProse(line) ? [`${path}:${at + 1}`] : []
      })
    })
    expect(wide).toEqual([])
  })

  test(`no line is longer than ${COLUMNS} columns`, () => {
    const long = texts().flatMap(({ path, lines }) =>
      lines.flatMap((line, at) => ([...line].length > COLUMNS ? [`${path}:${at + 1}`] : [])),
    )
    expect(long).toEqual([])
  })
})
