/** What is published. */
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { rolldown } from 'rolldown'
import { afterAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { newestSection } from '../tools/release/release.mjs'

const root = join(import.meta.dirname, '..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const manifest = JSON.parse(read('package.json'))
const folder = mkdtempSync(join(tmpdir(), 'tungram-package-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A folder with the package in its node_modules. */
const user = join(folder, 'user')
mkdirSync(join(user, 'node_modules'), { recursive: true })
symlinkSync(root, join(user, 'node_modules/tungram'))

/** The entries that can be imported anywhere. */
const ENTRIES = Object.keys(manifest.exports)
  .filter((name) => !['./package.json', './register', './wakeup-thread'].includes(name))
  .map((name) => name.replace(/^\./, 'tungram'))

describe('a lock file', () => {
  type Locked = Partial<Record<'dependencies' | 'devDependencies' | 'optionalDependencies', Record<string, string>>>

  // npm leaves out what it cannot find when it makes the file, and then refuses to install from it.
  const PLACES = [
    '.',
    'bench/tuntap2',
    'test/drop-in',
    'test/kubernetes',
    'test/results',
    'test/runners',
    'tools/api',
    'tools/site',
    'test/newcomer',
    'page',
  ]
  test.each(PLACES)('of %s has every package that its packages name, those for other systems too', (place) => {
    const { packages } = JSON.parse(read(join(place, 'package-lock.json'))) as { packages: Record<string, Locked> }
    const missing = Object.entries(packages).flatMap(([path, locked]) => {
      const names = [locked.dependencies, locked.optionalDependencies, path === '' ? locked.devDependencies : {}]
      return names.flatMap((each) => Object.keys(each ?? {})).filter((name) => !isFound(packages, path, name))
    })
    expect(missing).toEqual([])
  })

  /** Whether Node would find the package from the one at `path`. */
  function isFound(packages: Record<string, unknown>, path: string, name: string): boolean {
    if (`${path === '' ? '' : `${path}/`}node_modules/${name}` in packages) return true
    return path !== '' && isFound(packages, path.replace(/(^|\/)node_modules\/(@[^/]+\/)?[^/]+$/, ''), name)
  }
})

describe('the package', () => {
  const [packed] = JSON.parse(
    execFileSync('npm', ['pack', '--dry-run', '--ignore-scripts', '--json'], { cwd: root, encoding: 'utf8' }),
  )
  const files: string[] = packed.files.map(({ path }: { path: string }) => path)

  test('is small, and has what it says, and no more', () => {
    expect(packed.size).toBeLessThan(600_000)
    const named = JSON.stringify([manifest.exports, manifest.bin, manifest.man]).match(/dist\/[\w/.-]+/g) ?? []
    expect(named.filter((path) => !files.includes(path))).toEqual([])
    expect(files).toContain('examples/scenarios/bufferbloat.yaml')
    expect(files.filter((path) => /^(src|test|bench|tools|\.)/.test(path))).toEqual([])
  })

  test('installs without a script', () => {
    const { packages } = JSON.parse(read('package-lock.json')) as {
      packages: Record<string, { dev?: boolean; hasInstallScript?: boolean }>
    }
    const scripted = Object.entries(packages).filter(([, { dev, hasInstallScript }]) => hasInstallScript && !dev)
    expect(scripted.map(([path]) => path)).toEqual([])
    for (const name of ['preinstall', 'install', 'postinstall', 'prepare'])
      expect(manifest.scripts).not.toHaveProperty(name)
  })

  test.each(ENTRIES)('%s is for programs of CommonJS too, without a warning', (name) => {
    writeFileSync(join(user, 'program.cjs'), `console.log(Object.keys(require('${name}')).length > 0)`)
    const { stdout, stderr } = spawnSync(process.execPath, [join(user, 'program.cjs')], { encoding: 'utf8' })
    expect({ stdout, stderr }).toEqual({ stdout: 'true\n', stderr: '' })
  })

  test('shows, of what throws in it, a line and the names of its functions', () => {
    writeFileSync(
      join(user, 'fails.mjs'),
      `import { Network } from 'tungram/network'\nconst network = new Network()\nnetwork.host('a', 1)`,
    )
    const { stderr } = spawnSync(process.execPath, [join(user, 'fails.mjs')], { encoding: 'utf8' })
    expect(stderr).toMatch(/^\s+at Network\.host \(/m)
    expect(Math.max(...stderr.split('\n').map(({ length }) => length))).toBeLessThan(200)
  })

  const bundled = async (code: string) => {
    writeFileSync(join(user, 'program.mjs'), code)
    const bundle = await rolldown({ input: join(user, 'program.mjs'), platform: 'node', logLevel: 'silent' })
    const { output } = await bundle.generate({ format: 'esm', codeSplitting: false })
    await bundle.close()
    return output[0].code
  }

  test('keeps in a bundle what has effects, and leaves out what is not used', async () => {
    const all = await bundled(
      `import { Stack } from 'tungram'\nconsole.log(typeof new Stack().dgram.createSocket, typeof new Stack().run)`,
    )
    writeFileSync(join(user, 'bundle.mjs'), all)
    expect(execFileSync(process.execPath, [join(user, 'bundle.mjs')], { encoding: 'utf8' })).toBe('function function\n')
    const one = await bundled(`import { ipv4 } from 'tungram/wire'\nconsole.log(ipv4.HEADER)`)
    expect(one.length).toBeLessThan(all.length / 20)
  })
})

test('sockets are in a bundle for browsers, without a module of Node', async () => {
  writeFileSync(
    join(user, 'page.mjs'),
    `import 'tungram/dgram'
    import { Network } from 'tungram/network'
    const network = new Network({ seed: 1 })
    const [a, b] = [network.host('a'), network.host('b')]
    network.connect(a, b)
    const socket = b.dgram.createSocket('udp4', (message, { address }) => console.log(message.toString(), address))
    socket.bind(7)
    a.dgram.createSocket('udp4').send('hello', 7, 'b')
    await network.runFor(1000)
    network.close()`,
  )
  const bundle = await rolldown({ input: join(user, 'page.mjs'), platform: 'browser', tsconfig: false })
  const { output } = await bundle.generate({ format: 'esm', codeSplitting: false })
  await bundle.close()
  expect(output[0].code).not.toMatch(/["']node:/)
  writeFileSync(join(user, 'page-bundle.mjs'), output[0].code)
  expect(execFileSync(process.execPath, [join(user, 'page-bundle.mjs')], { encoding: 'utf8' })).toBe('hello 10.0.0.1\n')
  const { dependencies, peerDependenciesMeta } = manifest
  for (const name of ['buffer', 'events'])
    expect([dependencies[name], peerDependenciesMeta[name]]).toEqual([undefined, { optional: true }])
})

describe('a release', () => {
  test('is what the changelog has on top', () => {
    expect(newestSection(read('CHANGELOG.md')).version).toMatch(/^\d+\.\d+\.\d+$/)
    expect(newestSection('# Changelog\n\n## 1.2.3\n\n- New.\n\n## 1.2.2\n\n- Old.\n')).toEqual({
      version: '1.2.3',
      notes: '- New.',
    })
    expect(() => newestSection('# Changelog\n\n## Soon\n\n- New.\n')).toThrow(
      "the newest section of CHANGELOG.md is 'Soon'",
    )
    expect(() => newestSection('# Changelog\n\n## 1.2.3\n\n## 1.2.2\n\n- Old.\n')).toThrow('says nothing about 1.2.3')
    const { status, stderr } = spawnSync(process.execPath, [join(root, 'tools/release/release.mjs'), '--dry'])
    expect([status, `${stderr}`]).toEqual([1, "release: Unknown option '--dry'\n"])
  })

  test('is made by the workflow, which uses scripts that there are', () => {
    const workflow = parse(read('.github/workflows/release.yml'))
    const { permissions, steps } = workflow.jobs.release
    expect(permissions).toEqual({ contents: 'write', 'id-token': 'write' })
    const commands: string[] = steps.flatMap(({ run }: { run?: string }) => (run === undefined ? [] : [run]))
    const scripts = commands.join('\n').match(/(?<=npm run )[\w:]+/g) ?? []
    expect(scripts).toContain('release')
    for (const script of scripts) expect(manifest.scripts).toHaveProperty(script)
    expect(manifest.scripts.release).toBe('node tools/release/release.mjs')
    const matrix = parse(read('.github/workflows/test.yml')).jobs.test.strategy.matrix
    expect(matrix.node).toEqual(['20.19', 22, 24, 26])
    expect(manifest.engines.node).toBe('>=20.19')
  })

  test('runs dry without a change, and then tags what the changelog says', () => {
    const clone = join(folder, 'clone')
    mkdirSync(clone)
    for (const path of ['package.json', 'package-lock.json', 'tools/release'])
      cpSync(join(root, path), join(clone, path), { recursive: true })
    const small = { ...manifest, scripts: {} }
    writeFileSync(join(clone, 'package.json'), JSON.stringify(small, null, 2))
    writeFileSync(join(clone, 'CHANGELOG.md'), '# Changelog\n\n## 9.8.7, not released yet\n\n- A test.\n')
    const git = (...words: string[]) =>
      execFileSync('git', ['-c', 'user.name=test', '-c', 'user.email=test@example.invalid', ...words], {
        cwd: clone,
        encoding: 'utf8',
      })
    git('init', '--quiet')
    git('add', '.')
    git('commit', '--quiet', '--message', 'begin')
    const release = (...words: string[]) =>
      spawnSync(process.execPath, ['tools/release/release.mjs', ...words], {
        cwd: clone,
        encoding: 'utf8',
        env: {
          ...process.env,
          GIT_AUTHOR_NAME: 'test',
          GIT_AUTHOR_EMAIL: 'test@example.invalid',
          GIT_COMMITTER_NAME: 'test',
          GIT_COMMITTER_EMAIL: 'test@example.invalid',
        },
      })
    const dry = release('--dry-run')
    expect(dry.status, dry.stderr).toBe(0)
    expect(dry.stdout).toContain('would run npm version 9.8.7 --no-git-tag-version --ignore-scripts\n')
    expect(dry.stdout).toContain('would run npm publish --provenance --access public\n')
    expect(git('tag')).toBe('')
    expect(git('status', '--porcelain')).toBe('')

    const made = release('--no-publish')
    expect(made.status, made.stderr).toBe(0)
    expect(git('tag', '--format', '%(refname:short) %(contents)')).toContain('v9.8.7 9.8.7\n\n- A test.')
    expect(JSON.parse(git('show', 'v9.8.7:package.json')).version).toBe('9.8.7')
    expect(git('show', 'v9.8.7:CHANGELOG.md')).toBe('# Changelog\n\n## 9.8.7\n\n- A test.\n')
    expect(release('--no-publish')).toMatchObject({ status: 1, stderr: 'release: v9.8.7 is released already\n' })
    writeFileSync(join(clone, 'new'), '')
    expect(release('--dry-run').stderr).toBe('release: the work tree has changes: commit them first\n')
    expect(existsSync(join(clone, 'node_modules'))).toBe(false)
  }, 60_000)
})
