/**
 * Releases the version that stands on top of CHANGELOG.md:
 *
 *     node tools/release/release.mjs [--dry-run] [--no-publish]
 *
 * Checks that the work tree is clean and the version new, sets it (`npm version`), commits and tags
 * it, and publishes the package with provenance. `--dry-run` checks, packs and says what would be
 * done; `--no-publish` ends with the tag.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

/** What stands behind the version until it is released. */
const PENDING = ', not released yet'

/** The newest section of a changelog. @throws {Error} when it is none of a release */
export function newestSection(changelog) {
  const [, heading = '', body = ''] = /^## (.+)\n([\s\S]*?)(?=^## |$(?![\s\S]))/m.exec(changelog) ?? []
  const version = heading.trim().replace(PENDING, '')
  if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
    throw new Error(
      `the newest section of CHANGELOG.md is '${version}', and its heading has to be a version: '## 1.2.3'`,
    )
  if (body.trim() === '') throw new Error(`CHANGELOG.md says nothing about ${version}`)
  return { version, notes: body.trim() }
}

function release({ dryRun, publish }) {
  const text = (command, ...words) => execFileSync(command, words, { encoding: 'utf8' }).trim()
  const act = (command, ...words) => {
    console.log(`${dryRun ? 'would run' : '+'} ${[command, ...words].join(' ')}`)
    if (!dryRun) execFileSync(command, words, { stdio: 'inherit' })
  }
  const changelog = readFileSync('CHANGELOG.md', 'utf8')
  const { version, notes } = newestSection(changelog)
  const tag = `v${version}`
  if (text('git', 'status', '--porcelain') !== '') throw new Error('the work tree has changes: commit them first')
  if (text('git', 'tag', '--list', tag) !== '') throw new Error(`${tag} is released already`)
  console.log(`releasing ${version}:\n\n${notes}\n`)
  const { version: former } = JSON.parse(readFileSync('package.json', 'utf8'))
  const isPending = changelog.includes(`## ${version}${PENDING}\n`)
  if (isPending && !dryRun) writeFileSync('CHANGELOG.md', changelog.replace(PENDING, ''))
  if (former !== version) act('npm', 'version', version, '--no-git-tag-version', '--ignore-scripts')
  if (isPending || former !== version) act('git', 'commit', '--all', '--message', `release: ${version}`)
  act('git', 'tag', '--annotate', tag, '--message', `${version}\n\n${notes}`)
  // What would be published is made in any case.
  execFileSync('npm', ['pack', '--dry-run'], { stdio: 'inherit' })
  if (!publish) return
  act('npm', 'publish', '--provenance', '--access', 'public', ...(version.includes('-') ? ['--tag', 'next'] : []))
  act('git', 'push', '--follow-tags')
}

if (process.argv[1] === import.meta.filename) {
  try {
    const { values } = parseArgs({ options: { 'dry-run': { type: 'boolean' }, 'no-publish': { type: 'boolean' } } })
    release({ dryRun: values['dry-run'] === true, publish: values['no-publish'] !== true })
  } catch (error) {
    console.error(`release: ${error.message}`)
    process.exitCode = 1
  }
}
