/**
 * Mutation tests: Stryker changes the code, and a test has to fail. `npm run mutate -- ROOM …` runs
 * some rooms, without a name all of them.
 *
 * A mutant that survives is either killed by a better test or explained in `survivors.json`. The
 * list names it by its file, the text of its line, and what became of it, so that code elsewhere may
 * move. Exit code 1: a survivor without a reason, or a reason without a survivor.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { rooms } from './rooms.mjs'

const root = join(import.meta.dirname, '../..')
const listed = JSON.parse(readFileSync(join(import.meta.dirname, 'survivors.json'), 'utf8'))
const names = process.argv.slice(2)
const unknown = names.filter((name) => rooms[name] === undefined)
if (unknown.length > 0) {
  console.error(`There is no room ${unknown[0]}: the rooms are ${Object.keys(rooms).join(', ')}.`)
  process.exit(2)
}

/** One mutant as the list names it. */
function nameOf(file, source, { location: { start, end }, replacement }) {
  const lines = source.split('\n')
  const line = lines[start.line - 1]
  const till =
    end.line === start.line ? line.slice(start.column - 1, end.column - 1) : `${line.slice(start.column - 1)} …`
  const shown = replacement.includes('\n') ? `${replacement.split('\n')[0]} …` : replacement
  return `${file}: ${line.trim()} | ${till} => ${shown}`
}

function run(name) {
  const { mutate, ...room } = rooms[name]
  const directory = mkdtempSync(join(tmpdir(), 'tungram-mutation-'))
  const report = join(directory, 'report.json')
  const config = join(directory, 'stryker.json')
  writeFileSync(
    config,
    JSON.stringify({
      testRunner: 'vitest',
      vitest: { configFile: 'tools/mutation/vitest.config.ts' },
      mutate,
      // Texts of dumps and errors: other tests compare them.
      mutator: { excludedMutations: ['StringLiteral'] },
      checkers: [],
      coverageAnalysis: 'perTest',
      // Mutants of what runs once, when a module is loaded, would need a process each.
      ignoreStatic: true,
      concurrency: 2,
      timeoutMS: 30_000,
      timeoutFactor: 4,
      reporters: ['json'],
      jsonReporter: { fileName: report },
      ignorePatterns: ['/bench', '/docs', '/examples', '/test/drop-in', '/test/runners', '/test/namespaces'],
      tempDirName: '.stryker-tmp',
      disableTypeChecks: false,
      tsconfigFile: 'tools/mutation/none.json',
    }),
  )
  const started = Date.now()
  try {
    const { status } = spawnSync(join(root, 'node_modules/.bin/stryker'), ['run', config], {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, TUNGRAM_MUTATION_ROOM: JSON.stringify(room) },
    })
    if (status !== 0) throw new Error(`Stryker failed in room ${name} (exit code ${status}).`)
    return { ...readReport(report), seconds: Math.round((Date.now() - started) / 1000) }
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** @returns how many mutants were killed, how many of them by time, and the names of the others */
function readReport(path) {
  const survivors = []
  let killed = 0
  // A mutant that loops; on a busy machine also one that is only slow.
  let timedOut = 0
  for (const [file, { source, mutants }] of Object.entries(JSON.parse(readFileSync(path, 'utf8')).files))
    for (const mutant of mutants) {
      if (mutant.status === 'Timeout') timedOut++
      if (mutant.status === 'Killed' || mutant.status === 'Timeout') killed++
      else if (mutant.status === 'Survived' || mutant.status === 'NoCoverage')
        survivors.push({ name: nameOf(file, source, mutant), at: `${file}:${mutant.location.start.line}` })
    }
  return { killed, timedOut, survivors }
}

let failed = false
for (const name of names.length > 0 ? names : Object.keys(rooms)) {
  const { killed, timedOut, survivors, seconds } = run(name)
  const total = killed + survivors.length
  const reasons = listed[name] ?? {}
  const unexplained = survivors.filter((each) => reasons[each.name] === undefined)
  const stale = Object.keys(reasons).filter((each) => !survivors.some((survivor) => survivor.name === each))
  console.log(
    `${name}: ${((100 * killed) / total).toFixed(1)} % of ${total} mutants killed (${timedOut} by time), ` +
      `${survivors.length - unexplained.length} explained, ${unexplained.length} not, in ${seconds} s`,
  )
  for (const each of unexplained) console.log(`  survives: ${each.at}\n    ${each.name}`)
  for (const each of stale) console.log(`  is killed, and may leave the list: ${each}`)
  if (unexplained.length + stale.length > 0) failed = true
}
process.exitCode = failed ? 1 : 0
