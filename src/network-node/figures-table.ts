/** The raw figures of a campaign as tables: a row for each flow, and for each hop, of each run. */
import { join } from 'node:path'
import { csvField } from './csv.ts'
import { type RunRecord, writeWhole } from './results.ts'

type Cell = string | number | boolean
type Row = ReadonlyMap<string, Cell>

/**
 * Writes `flows.csv` and `hops.csv` of runs that are done. Columns are named by the way to the
 * figure, such as `latency.p99`; lists, which are no figures, are left out.
 */
export function writeFigures(directory: string, runs: readonly RunRecord[]): void {
  for (const kind of ['flows', 'hops'] as const) {
    const rows = runs.flatMap((run) => {
      const { id, parameters, seed } = run
      return (run[kind] ?? []).map((each) => flat({ id, seed, parameters, ...each }))
    })
    writeWhole(join(directory, `${kind}.csv`), csv(rows))
  }
}

/** The values of an object and those in it, by their names joined with dots. */
function flat(value: object, prefix = '', row = new Map<string, Cell>()): Map<string, Cell> {
  for (const [key, each] of Object.entries(value)) {
    if (each === null || each === undefined || Array.isArray(each)) continue
    if (typeof each === 'object') flat(each, `${prefix}${key}.`, row)
    else row.set(`${prefix}${key}`, each)
  }
  return row
}

/** A column for each name that any of the rows has, in the order of their coming. */
function csv(rows: readonly Row[]): string {
  const columns = [...new Set(rows.flatMap((row) => [...row.keys()]))]
  const lines = rows.map((row) => columns.map((column) => csvField(row.get(column) ?? '')).join(','))
  return [columns.map(csvField).join(','), ...lines, ''].join('\n')
}
