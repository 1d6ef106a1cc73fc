/** Virtual networks; no Node module. In Node, `tungram/network` also gives every host its `dgram`. */
export {
  bernoulli,
  bitErrorRate,
  bySize,
  type Chooser,
  correlated,
  type Delay,
  frames,
  type GilbertElliott,
  gilbertElliott,
  normal,
  pareto,
  pattern,
  type Rate,
  traceRate,
  uniform,
} from '../link/impairment-models.ts'
export { codel, priorityBands, type Queue, type QueueLimit, tailDrop } from '../link/queue-discipline.ts'
export type { Cable, CableEnd } from './cable.ts'
export { type Duration, milliseconds } from './duration.ts'
export type { FilterSpec } from './filter.ts'
export { type FlowDrop, type FlowResult, type Latency, type RunOptions, type RunWatcher, runScenario, type ScenarioResult } from './flow.ts'
export type { ChooserSpec, DelaySpec, ImpairmentSpec, QueueSpec, RateSpec } from './impairment-spec.ts'
export type { Summary } from './ip-frame.ts'
export type { Datagram, DatagramFilter, LineageEvent, LineageKind } from './lineage.ts'
export type { Nat, NatBehaviour, NatMapping } from './nat.ts'
export {
  type AttachOptions,
  type CaptureSettings,
  type ConnectOptions,
  type DropRow,
  type HostOptions,
  type NatSettings,
  Network,
  type NetworkOptions,
  type SegmentSettings,
} from './network.ts'
export type { ReplayOptions } from './replay.ts'
export { buildScenario, checkScenario, type FlowSpec, type Scenario, type ScenarioEvent } from './scenario.ts'
export { SCENARIO_SCHEMA, ScenarioError } from './scenario-schema.ts'
export { combinations, type Estimate, type FlowEstimate, parseSweep, type Sweep, summarizeRuns, withParameters } from './sweep.ts'
export type { Switch } from './switch.ts'
export { buildNetwork, type LinkSpec, type RouterSpec, type Topology } from './topology.ts'
