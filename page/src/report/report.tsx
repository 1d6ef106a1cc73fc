/** A report: what was run, the network, the flows over time and the first packets, on one page to be read down. */

import type { ComponentChildren } from 'preact'
import { useRef } from 'preact/hooks'
import type { LadderPart, ReportData, RunPart } from '../../../src/cli/report/report-data.ts'
import { inColumns, readingOrder } from '../draw/places.ts'
import { seek, select } from '../state/cursor.ts'
import type { RunModel } from '../state/model.ts'
import * as state from '../state/state.ts'
import { LadderLines, LadderNames, lay } from '../views/ladder-drawing.tsx'
import { LifeList } from '../views/life-list.tsx'
import { PlotFigure } from '../views/plot-figure.tsx'
import { Swatch } from '../views/swatch.tsx'
import { datagramText } from '../views/words.ts'
import { Network } from './network.tsx'
import { CableTable, DropTable, FlowTable, HopTable, ProgramTables, SweepHopTable, SweepTable } from './tables.tsx'

export function Report({ data }: { data: ReportData }) {
  const { title, description, facts, see, interrupted, topology, topologyNote, drawing, first, run, sweep } = data
  return (
    <>
      <header>
        <h1>{title}</h1>
        {description === '' ? null : <p>{description}</p>}
        {interrupted ? <p class="interrupted">Interrupted: this is what there was until then.</p> : null}
        {see === '' ? null : <p class="see">{see}</p>}
        <dl>
          {facts.map(([term, value]) => (
            <div key={term}>
              <dt>{term}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      </header>
      <main>
        <Section title="Topology">
          {topologyNote === '' ? null : <p class="note">{topologyNote}</p>}
          <Network topology={topology} drawing={drawing} />
          <details>
            <summary>Cables</summary>
            <CableTable topology={topology} />
          </details>
        </Section>
        {run === undefined ? null : <RunSections {...run} first={first} />}
        {sweep === undefined ? null : (
          <>
            {sweep.plots.length === 0 ? null : (
              <Section title="Sweep">
                <Plots plots={sweep.plots} />
              </Section>
            )}
            <Section title="Results">
              <SweepTable {...sweep} />
              <SweepHopTable {...sweep} />
            </Section>
          </>
        )}
      </main>
    </>
  )
}

function Section({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section>
      <h2>{title}</h2>
      {children}
    </section>
  )
}

function RunSections({ lab, flows, hops, plots, leftOut, ladder, first }: RunPart & { first: string | undefined }) {
  const model = state.model.value
  return (
    <>
      {lab === null ? null : (
        <Section title="Programs">
          <ProgramTables {...lab} />
        </Section>
      )}
      {lab !== null && flows.length === 0 ? null : (
        <Section title="Flows">
          <FlowTable flows={flows} />
          <DropTable flows={flows} />
        </Section>
      )}
      {hops.length === 0 ? null : (
        <Section title="Queues">
          <p class="note">Directions of cables before which frames waited. Lengths are frames.</p>
          <HopTable hops={hops} />
        </Section>
      )}
      {plots.length === 0 ? null : (
        <Section title="Over time">
          {leftOut === 0 ? null : <p>The first flows; {leftOut} more are in the table above.</p>}
          <Plots plots={plots} />
        </Section>
      )}
      {ladder === null || model === null ? null : (
        <Section title="Packet ladder">
          <Ladders ladder={ladder} model={model} names={flows.map(({ name }) => name)} first={first} />
        </Section>
      )}
    </>
  )
}

function Plots({ plots }: Pick<RunPart, 'plots'>) {
  return (
    <>
      <p class="note">
        Drag to zoom, double-click to zoom out; click a name to hide its line. With the focus on a plot, ← → move the
        cursor, + − zoom, Esc shows all.
      </p>
      <div class="plots">
        {plots.map((plot) => (
          <PlotFigure
            plot={plot}
            key={plot.title}
            {...(plot.group === 'time' ? { go: (row: number) => seek(1000 * (plot.x[row] as number)) } : {})}
          />
        ))}
      </div>
    </>
  )
}

// ── packets ──

/** Pixels for the columns of a ladder. */
const WIDE = 1040
/** Flows that the legend names; further ones repeat their colours. */
const NAMED = 8

function Ladders({
  ladder,
  model,
  names,
  first,
}: {
  ladder: LadderPart
  model: RunModel
  names: readonly string[]
  first: string | undefined
}) {
  const order = readingOrder(inColumns(state.topology.value, first))
  const selected = state.selection.value?.kind === 'packet' ? state.selection.value.id : 0
  return (
    <>
      <p>
        {ladder.shown} A packet counts on each cable; the pointer on its label shows its headers. Times are
        milliseconds. A click shows a datagram's life, and so do ↓ and ↑ in a ladder.
      </p>
      <p class="legend">
        {names.slice(0, NAMED).map((name, flow) => (
          <span key={name}>
            <Swatch flow={flow} /> {name}
          </span>
        ))}
        {names.length > NAMED ? <span>… further flows repeat the colours</span> : null}
        <span>
          <Swatch flow={-1} /> ICMP and other
        </span>
        <span class="bad">✕ dropped</span>
      </p>
      {selected === 0 ? null : (
        <aside aria-label="Datagram" aria-live="polite">
          <p>
            <b>{datagramText(model, selected)}</b>{' '}
            <button type="button" class="link" onClick={() => (state.selection.value = null)}>
              close
            </button>
          </p>
          <LifeList id={selected} model={model} />
        </aside>
      )}
      <Ladder
        name="Packet ladder"
        model={model}
        order={order}
        ids={Array.from({ length: ladder.first }, (_, index) => index + 1)}
      />
      {ladder.examples.length === 0 ? null : <h3>First drops of other kinds</h3>}
      {ladder.examples.map(({ kinds, rows }) => (
        <div key={kinds.join()}>
          <h4>{kinds.join(', ')}</h4>
          <Ladder name={kinds.join(', ')} model={model} order={order} ids={rows} />
        </div>
      ))}
    </>
  )
}

function Ladder({
  name,
  model,
  order,
  ids,
}: {
  name: string
  model: RunModel
  order: readonly string[]
  ids: readonly number[]
}) {
  const scroller = useRef<HTMLDivElement>(null)
  const own = new Set(ids)
  const rows = ids.flatMap((id) => [...model.framesOf(id)]).sort((a, b) => a - b)
  const laid = lay(model, order, rows, ({ datagram }) => own.has(datagram), WIDE)
  const selected = state.selection.value?.kind === 'packet' ? state.selection.value.id : 0
  /** To the next datagram of this ladder, whose first frame comes into sight. */
  const move = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step === undefined) return
    event.preventDefault()
    const place = ids.indexOf(selected)
    const id = ids[place < 0 ? (step > 0 ? 0 : ids.length - 1) : place + step]
    if (id === undefined) return
    select(id)
    const y = laid.arrows.find(({ row }) => model.run.frames.datagram[row] === id)?.y0
    if (y !== undefined && scroller.current !== null) scroller.current.scrollTop = y - scroller.current.clientHeight / 3
  }
  return (
    <div class="ladder" ref={scroller} tabIndex={0} role="region" aria-label={name} onKeyDown={move}>
      <LadderNames laid={laid} />
      <svg width={laid.width} height={laid.height} role="img" aria-label={name}>
        <LadderLines laid={laid} model={model} selected={selected} />
      </svg>
    </div>
  )
}
