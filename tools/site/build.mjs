/**
 * The pages as a static site: the guides of docs/, and the API reference from the docstrings.
 *
 *     npm ci --prefix tools/site      once
 *     npm run docs                    makes site/
 *     npm run docs -- --serve         and serves it
 *
 * It fails for a dead link, a docstring that links to nothing, a page that the menu has not, and a page
 * that would ask another host for something.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { faults } from './check.mjs'

const here = import.meta.dirname
const root = join(here, '../..')
const pages = join(here, 'pages')
const site = join(root, 'site')

/** Pages outside docs/ that the site has, too. The README is its first page. */
const OTHERS = { 'README.md': 'index.md', 'CONTRIBUTING.md': '', 'SECURITY.md': '', 'CHANGELOG.md': '' }

/** Runs a program of this package's own. */
function run(name, ...words) {
  const path = join(here, 'node_modules/.bin', name)
  const { status, error } = spawnSync(path, words, { cwd: here, stdio: 'inherit' })
  if (error) throw error
  if (status !== 0) process.exit(status ?? 1)
}

if (!existsSync(join(here, 'node_modules/vitepress'))) {
  console.error("docs: the site's packages are not installed: npm ci --prefix tools/site")
  process.exit(1)
}
const [option, ...more] = process.argv.slice(2)
if ((option !== undefined && option !== '--serve') || more.length > 0) {
  console.error(`docs: '${[option, ...more].join(' ')}' is not an option; there is --serve`)
  process.exit(2)
}

// The pages are put together as the repository has them, so that their links hold in both.
rmSync(pages, { recursive: true, force: true })
mkdirSync(pages)
for (const path of readdirSync(join(root, 'docs'), { recursive: true }))
  if (path.endsWith('.md') && !path.startsWith('api/')) copy(`docs/${path}`, `docs/${path.replace(/^README/, 'index')}`)
for (const [path, as] of Object.entries(OTHERS)) copy(path, as || path)
copy('test/differential/million.md')
cpSync(join(root, 'docs/pictures'), join(pages, 'docs/pictures'), { recursive: true })
for (const name of ['scenario.schema.json', 'results.schema.json'])
  cpSync(join(root, 'docs', name), join(pages, 'public/docs', name))

function copy(path, as = path) {
  mkdirSync(dirname(join(pages, as)), { recursive: true })
  writeFileSync(
    join(pages, as),
    readFileSync(join(root, path), 'utf8').replace(/(?<=\]\([./a-z]*)README\.md/g, 'index.md'),
  )
}

run('typedoc', '--options', 'typedoc.json', '--logLevel', 'Warn')
run('vitepress', 'build', '.')
const found = faults(site)
for (const fault of found) console.error(`docs: ${fault}`)
if (found.length > 0) process.exit(1)
if (option === '--serve') run('vitepress', 'preview', '.')
