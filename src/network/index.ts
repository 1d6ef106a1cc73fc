/**
 * Virtual networks; no Node module. In Node, `tungram/network` also gives every host its `dgram`.
 */
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
} from '../link/impairment/impairment-models.ts'
export { codel, priorityBands, type Queue, type QueueLimit, tailDrop } from '../link/impairment/queue-discipline.ts'
export {
  combinations,
  type Estimate,
  type FlowEstimate,
  type HopEstimate,
  type HopMeasure,
  type Measure,
  parseSweep,
  type Sweep,
  summarizeHops,
  summarizeRuns,
  withParameters,
} from './campaign/sweep.ts'
export type { Nat, NatConnection, NatMapping } from './nat/nat.ts'
export type { NatBehaviour, NatOptions } from './nat/nat-options.ts'
export { Network } from './network.ts'
export type { Cable, CableEnd } from './nodes/cable.ts'
export type { FilterSpec, MessageRate } from './nodes/filter.ts'
export type { NodeKind } from './nodes/node.ts'
export type { Switch } from './nodes/switch.ts'
export type { CaptureSettings } from './observe/captures.ts'
export type { Datagram, DatagramFilter, LineageEvent, LineageKind } from './observe/datagram.ts'
export type { DropRow } from './observe/drops.ts'
export type { Summary } from './observe/ip-frame.ts'
export type { ReplayOptions } from './observe/replay.ts'
export {
  type FlowDrop,
  type FlowMarks,
  type FlowResult,
  type HopResult,
  type Latency,
  type QueueFigures,
  type RunOptions,
  type RunWatcher,
  runScenario,
  type ScenarioResult,
  type Volume,
} from './scenario/flow.ts'
export type { ChooserSpec, DelaySpec, ImpairmentSpec, QueueSpec, RateSpec } from './scenario/impairment-spec.ts'
export type { Schema } from './scenario/json-schema.ts'
export type { DelayVariation, LossPattern, Reordering } from './scenario/metrics.ts'
export {
  buildScenario,
  checkScenario,
  type FlowSpec,
  type ProgramSpec,
  type Scenario,
  type ScenarioEvent,
} from './scenario/scenario.ts'
export { ScenarioError } from './scenario/scenario-error.ts'
export { SCENARIO_SCHEMA } from './scenario/scenario-schema.ts'
export type { EchoSpec } from './scenario/scenario-types.ts'
export { buildNetwork, type LinkSpec, type RouterSpec, type Topology } from './scenario/topology.ts'
export type {
  AttachOptions,
  ConnectOptions,
  HostOptions,
  NatSettings,
  NetworkOptions,
  SegmentSettings,
  SwitchSettings,
  TimerOptions,
} from './settings.ts'
export { type Duration, milliseconds } from './time/duration.ts'
