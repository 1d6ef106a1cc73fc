/** The run over time: lines of each flow, with the cursor in all of them. */
import type { Plot } from '../../../src/cli/report/plot.ts'
import { seek } from '../state/cursor.ts'
import { lowerBound } from '../state/model.ts'
import * as state from '../state/state.ts'
import { PlotFigure } from './plot-figure.tsx'

export function PlotsView() {
  const plots = state.model.value?.run.plots ?? []
  if (plots.length === 0) return <p class="empty">Plots need a flow that sends something.</p>
  return (
    <div class="plots scroll" tabIndex={0} role="region" aria-label="Plots">
      {plots.map((plot) =>
        plot.group === 'time' ? <TimePlot plot={plot} key={plot.title} /> : <PlotFigure plot={plot} key={plot.title} />,
      )}
    </div>
  )
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
