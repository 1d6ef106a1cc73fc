/**
 * The types as users' compilers see them: projects of their own, which check the declarations of
 * the package too.
 */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const directories: string[] = []
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true })
})

interface Project {
  /** The folder here with its sources. */
  readonly sources: string
  readonly compilerOptions: object
  /** The package that has the types of Node; `null` for none. */
  readonly nodeTypes: string | null
}

/**
 * What `tsc --strict` says of a project that has tungram as a package; nothing when all is well.
 */
function compile({ sources, compilerOptions, nodeTypes }: Project): Promise<string> {
  const directory = mkdtempSync(join(root, 'node_modules', '.types-'))
  directories.push(directory)
  const packages = join(directory, 'node_modules')
  mkdirSync(join(packages, '@types'), { recursive: true })
  symlinkSync(root, join(packages, 'tungram'))
  if (nodeTypes !== null) {
    const types = join(root, 'node_modules', nodeTypes)
    if (!existsSync(types)) throw new Error(`${nodeTypes} is not installed: run npm install`)
    symlinkSync(types, join(packages, '@types', 'node'))
  }
  symlinkSync(fileURLToPath(new URL(sources, import.meta.url)), join(directory, 'sources'))
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ name: 'consumer', type: 'module' }))
  writeFileSync(
    join(directory, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        strict: true,
        skipLibCheck: false,
        noEmit: true,
        target: 'ES2023',
        preserveSymlinks: true,
        ...compilerOptions,
      },
      include: ['sources/*.ts'],
    }),
  )
  return new Promise((resolve) => {
    execFile(
      join(root, 'node_modules/.bin/tsc'),
      ['-p', directory, '--pretty', 'false'],
      { cwd: directory },
      (error, stdout, stderr) => resolve(error === null ? '' : `${stdout}${stderr}`),
    )
  })
}

test.each(['@types/node', 'types-node-22', 'types-node-24', 'types-node-26'])(
  'a strict program is checked with %s, and so are the declarations that it uses',
  async (nodeTypes) => {
    const compilerOptions = { module: 'nodenext', types: ['node'], exactOptionalPropertyTypes: true }
    expect(await compile({ sources: 'consumer', compilerOptions, nodeTypes })).toBe('')
  },
  120_000,
)

test('tungram/network in a browser needs no types of Node, and has no dgram', async () => {
  const compilerOptions = { module: 'preserve', moduleResolution: 'bundler', types: [], lib: ['ES2023', 'DOM'] }
  expect(await compile({ sources: 'browser', compilerOptions, nodeTypes: null })).toBe('')
}, 120_000)

test('tungram/dgram gives a host in a browser its sockets, with their types', async () => {
  const compilerOptions = { module: 'preserve', moduleResolution: 'bundler', types: ['node'], lib: ['ES2023', 'DOM'] }
  expect(await compile({ sources: 'browser-sockets', compilerOptions, nodeTypes: '@types/node' })).toBe('')
}, 120_000)

test('what is wrong is found: the check is not blind', async () => {
  const compilerOptions = { module: 'preserve', moduleResolution: 'bundler', types: [], lib: ['ES2023'] }
  const said = await compile({ sources: 'consumer', compilerOptions, nodeTypes: null })
  expect(said).toMatch(/right\.ts.*error TS/)
}, 120_000)
