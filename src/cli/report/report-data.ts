/** What a report shows, as JSON: the page's own views draw it (`page/src/report`). */
import type { LabResult } from '../../namespaces/lab.ts'
import type { SweepPoint } from '../../network/campaign/plan.ts'
import type { FlowResult, HopResult } from '../../network/scenario/flow.ts'
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
  /** `null` where there is nothing, or too much, to draw. */
  readonly drawing: Drawing | null
  readonly run?: RunPart
  readonly sweep?: SweepPart
}

/** Where all of a network stands, in whole pixels, in the order of its topology. */
export interface Drawing {
  readonly width: number
  readonly height: number
  /** Whether what is farther away is to the right, or below. */
  readonly rankdir: 'LR' | 'TB'
  /** The MTU of the cables whose words do not name one. */
  readonly mtu: number
  readonly nodes: readonly Place[]
  readonly cables: readonly DrawnCable[]
}

export interface DrawnCable {
  /** From node to node, with the bends between them. */
  readonly points: readonly Place[]
  /** The middle of its words. */
  readonly at: Place
  readonly lines: readonly { readonly text: string; readonly mark: '' | 'mtu' | 'loses' }[]
}

export type Place = readonly [x: number, y: number]

export interface RunPart {
  readonly lab: Programs | null
  readonly flows: readonly FlowResult[]
  /** Those before which frames waited. */
  readonly hops: readonly HopResult[]
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
