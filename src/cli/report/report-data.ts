/** What a report shows, as JSON: the page's own views draw it (`page/src/report`). */
import type { LabResult } from '../../namespaces/lab.ts'
import type { SweepPoint } from '../../network/campaign/plan.ts'
import type { FlowResult } from '../../network/scenario/flow.ts'
import type { Plot } from './plot.ts'
import type { Topology } from './topology.ts'

export type Fact = readonly [term: string, value: string]

/** What a run with programs adds. */
export type Programs = Pick<LabResult, 'programs' | 'drops' | 'lag'>

export interface ReportData {
  readonly title: string
  readonly description: string
  readonly facts: readonly Fact[]
  /** What is to be seen, in a sentence. */
  readonly see: string
  readonly interrupted: boolean
  readonly topology: Topology
  readonly topologyNote: string
  /** The host that the drawing begins with. */
  readonly first?: string | undefined
  readonly run?: RunPart
  readonly sweep?: SweepPart
}

export interface RunPart {
  readonly lab: Programs | null
  readonly flows: readonly FlowResult[]
  readonly plots: readonly Plot[]
  /** Flows that the plots are without. */
  readonly leftOut: number
  readonly ladder: LadderPart | null
}

/** Numbers are lists; `null` in them is what is not known. */
type Column = readonly (number | null)[]

export interface LadderPart {
  /** How much of the run it shows. */
  readonly shown: string
  readonly texts: readonly string[]
  /** The columns of `run-columns.ts`, of the datagrams that are shown. */
  readonly columns: Readonly<Record<'datagrams' | 'frames' | 'events', Readonly<Record<string, Column>>>>
  /** The number in the run of each of them. */
  readonly numbers: readonly number[]
  /** Those that were sent first: so many. The others are examples of drops. */
  readonly first: number
  readonly examples: readonly { readonly kinds: readonly string[]; readonly rows: readonly number[] }[]
}

export interface SweepPart {
  readonly names: readonly string[]
  readonly points: readonly SweepPoint[]
  readonly plots: readonly Plot[]
}
