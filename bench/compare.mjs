/**
 * Compares two files of `npm run bench -- --json`: for each figure both medians, by how much the
 * second is better or worse, with a 95 % interval, and a verdict.
 *
 *     node bench/compare.mjs BEFORE.json AFTER.json [--threshold 5] [--json]
 *
 * Exit code 1 when a figure is worse by the threshold (in percent) or more, and that is no chance;
 * 2 for files that cannot be compared.
 *
 * The change is Hodges and Lehmann's: the median of the ratios of every sample of one file to every
 * sample of the other. Its interval is that of the test of Mann and Whitney, so that nothing is
 * supposed of how samples are spread, and one round that was disturbed moves neither.
 */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

/** Of the normal distribution, for 95 %. */
const Z = 1.96
/** Below that many in each file no interval of 95 % exists. */
const FEWEST = 4

class BadInput extends Error {}

function read(path) {
  let file
  try {
    file = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new BadInput(`cannot read ${path}: ${error.message}`)
  }
  const { figures } = file
  if (file.format !== 1 || typeof figures !== 'object' || figures === null)
    throw new BadInput(`${path} is no file of 'npm run bench -- --json': it has no figures of format 1`)
  for (const [name, { better, samples }] of Object.entries(figures)) {
    if (better !== 'higher' && better !== 'lower')
      throw new BadInput(`${path}: the figure '${name}' does not say what is better: 'higher' or 'lower'`)
    if (!Array.isArray(samples) || samples.length === 0 || !samples.every((each) => each > 0 && Number.isFinite(each)))
      throw new BadInput(`${path}: the samples of '${name}' have to be numbers above 0, one at least`)
  }
  return file
}

function median(sorted) {
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

const ascending = (values) => [...values].sort((a, b) => a - b)
const percent = (ratio) => (ratio - 1) * 100

/** By how many percent `after` is above `before`, with the interval, if there are enough samples. */
function change(before, after) {
  const ratios = ascending(after.flatMap((value) => before.map((former) => value / former)))
  const pairs = ratios.length
  const spread = Math.sqrt((pairs * (before.length + after.length + 1)) / 12)
  const outside = Math.floor(pairs / 2 - Z * spread)
  const isEnough = Math.min(before.length, after.length) >= FEWEST && outside >= 1
  return {
    change: percent(median(ratios)),
    low: isEnough ? percent(ratios[outside - 1]) : null,
    high: isEnough ? percent(ratios[pairs - outside]) : null,
  }
}

function verdictOf({ change, low, high }, better, threshold) {
  if (low === null) return 'too few samples'
  if (low <= 0 && high >= 0) return 'no difference seen'
  const isBetter = change > 0 === (better === 'higher')
  if (isBetter) return 'better'
  return Math.abs(change) >= threshold ? 'worse' : 'worse, below the threshold'
}

function compare(before, after, threshold) {
  const names = [...new Set([...Object.keys(before.figures), ...Object.keys(after.figures)])]
  return names.map((name) => {
    const [a, b] = [before.figures[name], after.figures[name]]
    if (a === undefined || b === undefined)
      return { name, before: null, after: null, verdict: `only in the ${a === undefined ? 'second' : 'first'} file` }
    if (a.unit !== b.unit || a.better !== b.better)
      throw new BadInput(`the figure '${name}' is another one in the second file: ${a.unit} and ${b.unit}`)
    const found = change(a.samples, b.samples)
    return {
      name,
      unit: a.unit,
      before: median(ascending(a.samples)),
      after: median(ascending(b.samples)),
      ...found,
      verdict: verdictOf(found, a.better, threshold),
    }
  })
}

function print(rows) {
  const figure = (value) => (value === null ? '' : value.toPrecision(4))
  const signed = (value) => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(1)} %`
  const interval = ({ low, high }) => (low === undefined || low === null ? '' : `${signed(low)} … ${signed(high)}`)
  const cells = rows.map((row) => [
    row.name,
    row.unit ?? '',
    figure(row.before),
    figure(row.after),
    row.change === undefined ? '' : signed(row.change),
    interval(row),
    row.verdict,
  ])
  const all = [['figure', 'unit', 'before', 'after', 'change', '95 %', 'verdict'], ...cells]
  const widths = all[0].map((_, column) => Math.max(...all.map((row) => row[column].length)))
  for (const row of all)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    )
}

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { threshold: { type: 'string', default: '5' }, json: { type: 'boolean', default: false } },
  })
  const threshold = Number(values.threshold)
  if (positionals.length !== 2 || !(threshold >= 0))
    throw new BadInput('Usage: node bench/compare.mjs BEFORE.json AFTER.json [--threshold PERCENT] [--json]')
  const [before, after] = positionals.map(read)
  const rows = compare(before, after, threshold)
  if (before.machine !== after.machine)
    console.error(`Not the same machine or Node: ${before.machine} and ${after.machine}; only ratios can be compared.`)
  if (values.json) console.log(JSON.stringify(rows, null, 2))
  else print(rows)
  process.exitCode = rows.some(({ verdict }) => verdict === 'worse') ? 1 : 0
} catch (error) {
  if (!(error instanceof BadInput) && error.code?.startsWith('ERR_PARSE_ARGS') !== true) throw error
  console.error(error.message)
  process.exitCode = 2
}
