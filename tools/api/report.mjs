/**
 * The API report: every export of every entry point with its types, as text that is checked in. A change of the API is then a change of a file that a
 * reviewer sees.
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
        extractorMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
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
      message.handled = message.logLevel !== ExtractorLogLevel.Error
    },
  })
  if (result.apiReportChanged && !update) {
    failed = true
    console.error(
      `The API of ${name} is not what docs/api/${name}.api.md says. If the change is meant: npm run api -- --update, and a line in CHANGELOG.md.`,
    )
  }
  if (result.errorCount > 0) failed = true
}
rmSync(temporary, { recursive: true, force: true })
process.exitCode = failed ? 1 : 0
