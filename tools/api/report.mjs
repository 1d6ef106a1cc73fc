/**
 * The API report: every export of every entry point with its types, as text that is checked in. A
 * change of the API is then a change of a file that a reviewer sees.
 *
 *     npm run api                 compares, and fails where the reports in docs/api differ
 *     npm run api -- --update     writes them anew
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor'

const root = join(import.meta.dirname, '..', '..')
const update = process.argv.includes('--update')
const { exports: entries } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const temporary = mkdtempSync(join(tmpdir(), 'tungram-api-'))
let failed = false
/** By entry: names that a published type refers to and that the entry does not export. */
const forgotten = new Map()
/** What a type may refer to: the names that can be imported from some entry. */
const exported = new Set()

/**
 * Types that stay without an export, because nobody has to write their name: lists behind a union,
 * overloads of one member, and what only constructors take that programs do not call.
 */
const UNNAMED = new Set(['NAMES', 'MEASURES', 'Listen', 'Libc', 'InterfaceInfo', 'PacketHook', 'Port', 'Lineage'])

for (const [entry, { types }] of Object.entries(entries)) {
  if (types === undefined) continue
  const name = entry === '.' ? 'tungram' : `tungram-${entry.slice(2)}`
  const config = ExtractorConfig.prepare({
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath: join(root, types),
      compiler: { tsconfigFilePath: join(root, 'tools/api/tsconfig.json') },
      apiReport: {
        enabled: true,
        reportFileName: `${name}.api.md`,
        reportFolder: join(root, 'docs/api'),
        reportTempFolder: temporary,
        includeForgottenExports: false,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        extractorMessageReporting: {
          default: { logLevel: ExtractorLogLevel.None },
          'ae-forgotten-export': { logLevel: ExtractorLogLevel.Warning },
        },
        compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Warning } },
        tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
      },
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: join(root, 'package.json'),
  })
  const result = Extractor.invoke(config, {
    localBuild: update,
    messageCallback: (message) => {
      if (message.messageId === 'ae-forgotten-export')
        forgotten.set(name, [...(forgotten.get(name) ?? []), message.text.match(/"(.+?)"/)[1]])
      message.handled = message.logLevel !== ExtractorLogLevel.Error
    },
  })
  if (result.apiReportChanged && !update) {
    failed = true
    console.error(
      `The API of ${name} is not what docs/api/${name}.api.md says. If the change is meant: npm run api ` +
        '-- --update, and a line in CHANGELOG.md.',
    )
  }
  if (result.errorCount > 0) failed = true
  for (const each of namesIn(readFileSync(join(temporary, `${name}.api.md`), 'utf8'))) exported.add(each)
}
for (const [name, names] of forgotten) {
  const unknown = [...new Set(names)].filter((each) => !exported.has(each.replace(/_\d+$/, '')) && !UNNAMED.has(each))
  if (unknown.length === 0) continue
  failed = true
  console.error(
    `Types of ${name} refer to ${unknown.join(', ')}, which no program can name: export them, or mark the ` +
      'member @internal.',
  )
}
rmSync(temporary, { recursive: true, force: true })
process.exitCode = failed ? 1 : 0

/** The names that a report lists as exports. */
function namesIn(report) {
  const names = report.matchAll(/^export (?:declare |abstract )?(?:class|interface|type|function|const) (\w+)/gm)
  return Array.from(names, (each) => each[1])
}
