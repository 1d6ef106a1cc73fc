/** Makes a report's run that of all views. */
import type { LadderPart, ReportData } from '../../../src/cli/report/report-data.ts'
import type { Run } from '../protocol.ts'
import { RunModel } from '../state/model.ts'
import * as state from '../state/state.ts'

export function freeze({ topology, run }: ReportData): void {
  state.isFrozen.value = true
  state.topology.value = topology
  state.model.value = run === undefined || run.ladder === null ? null : modelOf(run.ladder, run)
}

function modelOf(ladder: LadderPart, { flows, plots }: { flows: Run['flows']; plots: Run['plots'] }): RunModel {
  const tables = Object.fromEntries(
    Object.entries(ladder.columns).map(([table, columns]) => [
      table,
      Object.fromEntries(
        Object.entries(columns).map(([name, values]) => [
          name,
          Float64Array.from(values, (value) => value ?? Number.NaN),
        ]),
      ),
    ]),
  ) as unknown as Pick<Run, 'datagrams' | 'frames' | 'events'>
  const run: Run = {
    ...tables,
    texts: ladder.texts,
    flows,
    plots,
    seed: 0,
    time: 0,
    interrupted: false,
    full: false,
    took: 0,
    said: [],
    flowTimes: [],
  }
  return new RunModel(run, { text: '' }, ladder.numbers)
}
