/**
 * What the page and the worker with the engine say to each other.
 *
 * A run is computed to its end, as fast as the machine can, and comes back as columns: typed arrays
 * that are transferred. Time in the page is then a place in these columns: a step, a jump and the
 * way back cost the same, and the worker is not asked. What is not in the columns (the bytes of a
 * frame, a life in words) the worker finds by running again, which gives the same to the byte.
 *
 * All times are milliseconds of simulated time, all lengths bytes.
 */
import type { Plot } from '../../src/cli/report/plot.ts'
import type { Datagrams, Events, Frames } from '../../src/cli/report/run-columns.ts'
import type { Topology } from '../../src/cli/report/topology.ts'
import type { FlowResult, Scenario, Schema } from '../../src/network/index.ts'
import type { Program, Said } from '../../src/shell/programs.ts'

export * from '../../src/cli/report/run-columns.ts'
export type { DrawnKind as NodeKind, Topology, TopologyCable, TopologyNode } from '../../src/cli/report/topology.ts'
export type { Program, Said }

/**
 * The calls of the worker. A call that fails rejects with the message of its error. Each says what
 * it is of: the worker remembers nothing that an answer depends on, and another can take its place.
 */
export interface Engine {
  /** Reads the text of a scenario file. */
  load(text: string): Promise<Loaded>
  run(request: RunRequest): Promise<Run>
  /** What is known of a datagram of a run; `id` is its number, from 1. */
  detail(request: RunRequest, id: number): Promise<Detail>
  /** A run as a pcapng file: byte for byte that of `tungram sim --capture`. */
  capture(request: RunRequest): Promise<Uint8Array>
  /** The schema of scenario files. */
  schema(): Promise<Schema>
  /** What is wrong in the code of a program, at its line; `null` for nothing. The code is not run. */
  check(code: string): Promise<TextFault | null>
  /** Changes the text of a scenario file, its comments and order kept. */
  edit(text: string, edits: readonly Edit[]): Promise<string>
}

// ── messages ──

export type Call = keyof Engine

export interface Request {
  readonly id: number
  readonly call: Call
  readonly args: readonly unknown[]
}

export type Reply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: string }
  /** While the network runs, a few times a second: the simulated time that it has reached. */
  | { readonly id: number; readonly progress: number }

// ── a scenario ──

export type Loaded = { readonly scenario: Scenario; readonly topology: Topology } | { readonly fault: TextFault }

/** What is wrong in the text, at a line and column from 1. */
export interface TextFault {
  readonly line: number
  readonly column: number
  readonly message: string
}

/** A change at a path of keys and indexes; without a value, what is there goes. */
export type Edit =
  | { readonly set: readonly (string | number)[]; readonly value: unknown }
  /** The value as it would stand in the file. */
  | { readonly set: readonly (string | number)[]; readonly source: string }
  | { readonly remove: readonly (string | number)[] }
  /** A node gets another name, everywhere. */
  | { readonly rename: string; readonly to: string }

// ── a run ──

/** All that a run depends on: the same request gives the same run, to the byte. */
export interface RunRequest {
  /** The scenario, as the text of its file. */
  readonly text: string
  readonly seed?: number | string
  /** The run ends here, if not before. */
  readonly until?: number
  /**
   * Lines of terminals and code of hosts: a part of the run, which is the same whenever it is run.
   * With code among them a run without `until` ends after a minute of simulated time.
   */
  readonly programs?: readonly Program[]
}

/** Texts of a run are in one list; columns have their places in it, -1 for none. */
export interface Run {
  readonly seed: number | string
  /** When all was over. */
  readonly time: number
  readonly interrupted: boolean
  /** Whether it was ended because the page keeps no more events. */
  readonly full: boolean
  /** Milliseconds that the machine took. */
  readonly took: number
  readonly texts: readonly string[]
  readonly flows: readonly FlowResult[]
  /** What programs said, in the order of time. */
  readonly said: readonly Said[]
  readonly flowTimes: readonly FlowTimes[]
  readonly datagrams: Datagrams
  readonly frames: Frames
  readonly events: Events
  readonly plots: readonly Plot[]
}

/** Of one flow, in the order of time. */
export interface FlowTimes {
  readonly sent: Float64Array
  readonly arrived: Float64Array
  /** Of what arrived, in the same order. */
  readonly latency: Float64Array
  /** When it was known that parts of a datagram were discarded, once for each datagram. */
  readonly dropped: Float64Array
}

// ── a packet ──

export interface Detail {
  readonly id: number
  /** As `network.explain` says it. */
  readonly life: string
  readonly frames: readonly FrameBytes[]
}

/** A frame as it passed a nic. */
export interface FrameBytes {
  readonly time: number
  /** `client.eth0` */
  readonly at: string
  readonly direction: 'in' | 'out'
  readonly bytes: Uint8Array
  /** Drops and the like that were noted of it. */
  readonly notes: readonly string[]
  readonly layers: readonly PacketLayer[]
}

export interface PacketLayer {
  readonly name: string
  readonly at: number
  readonly length: number
  readonly fields: readonly PacketField[]
}

/** `at` and `length` are bytes of the frame. */
export interface PacketField {
  readonly name: string
  readonly value: string
  readonly at: number
  readonly length: number
  /** The section that defines it. */
  readonly source: string
}
