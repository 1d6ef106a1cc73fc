/** The run over time: lines of each flow, with the cursor in all of them. */
import { useMemo } from 'preact/hooks'
import type { Plot } from '../../../src/cli/report/plot.ts'
import type { Topology } from '../protocol.ts'
import { codelPlot, codelQueues } from '../state/codel.ts'
import { seek } from '../state/cursor.ts'
import { lowerBound, type RunModel } from '../state/model.ts'
import * as state from '../state/state.ts'
import { PlotFigure } from './plot-figure.tsx'

export function PlotsView() {
  const model = state.model.value
  const { topology } = state
  const plots = useMemo(() => plotsOf(model, topology.value), [model, topology.value])
  if (plots.length === 0) return <p class="empty">Plots need a flow that sends something.</p>
  return (
    <div class="plots scroll" tabIndex={0} role="region" aria-label="Plots">
      {plots.map((plot) =>
        plot.group === 'time' ? <TimePlot plot={plot} key={plot.title} /> : <PlotFigure plot={plot} key={plot.title} />,
      )}
    </div>
  )
}

/** Where CoDel is at work, that first: it is what such a network is about. */
function plotsOf(model: RunModel | null, topology: Topology): readonly Plot[] {
  if (model === null) return []
  const { plots } = model.run
  const [any] = plots.filter(({ group }) => group === 'time')
  const codel = any === undefined ? null : codelPlot(codelQueues(model, topology), any.x as readonly number[])
  return codel === null ? plots : [codel, ...plots]
}

/** Its cursor is the page's. */
function TimePlot({ plot }: { plot: Plot }) {
  const x = plot.x as readonly number[]
  const seconds = state.calmTime.value / 1000
  const half = ((x[1] ?? 0) - (x[0] ?? 0)) / 2
  const now = Math.min(x.length - 1, lowerBound(x, seconds - half))
  const go = (row: number) => {
    state.isPlaying.value = false
    seek(1000 * (x[row] as number))
  }
  return <PlotFigure plot={plot} now={now} go={go} />
}
