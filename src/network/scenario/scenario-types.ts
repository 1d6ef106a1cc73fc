/** A scenario, as types: a network from plain data, what happens to it, and who sends what. */
import type { FilterSpec } from '../nodes/filter.ts'
import type { HostOptions, SegmentSettings, SwitchSettings } from '../settings.ts'
import type { Duration } from '../time/duration.ts'
import type { ImpairmentSpec } from './impairment-spec.ts'
import type { LinkSpec, RouterSpec } from './topology.ts'

/** What programs of a scenario's host do. */
export interface EchoSpec {
  /** UDP ports whose datagrams are sent back. */
  echo?: readonly number[]
  /** Multicast groups that are joined on all links. */
  groups?: readonly string[]
}

/** One thing that happens at a time. */
export interface ScenarioEvent {
  at: Duration
  link?: string
  state?: 'up' | 'down'
  /** Replaces the faults of the link. */
  impair?: ImpairmentSpec
  /** Changes those that are named, and no others. */
  change?: ImpairmentSpec
  from?: string
  partition?: readonly (readonly string[])[]
  heal?: true
  node?: string
  filter?: FilterSpec | null
  updateRoutes?: true
}

/** Who sends what to whom. */
export interface FlowSpec {
  name?: string
  from: string
  to: string
  /** Where it is sent, when that is not the receiver's own address. */
  address?: string
  /** Default 4. */
  family?: 4 | 6
  /** Default 20000 and the flow's number. */
  port?: number
  /** Default 30000 and the flow's number. */
  fromPort?: number
  /** Bytes of payload, 8 at least. Default 1000. */
  size?: number | { uniform: [number, number] }
  /** Datagrams a second, or payload bits a second as text. Default 100. */
  rate?: number | string
  count?: number
  start?: Duration
  stop?: Duration
  pattern?: 'constant' | 'poisson' | { burst: number }
  mode?: 'one-way' | 'echo'
  ttl?: number
  tos?: number
  /** Default want, as sockets. */
  dontFragment?: 'off' | 'want' | 'do' | 'probe'
}

/** A program of the machine that is one of the hosts: `tungram run --net`. */
export interface ProgramSpec {
  /** The host. */
  on: string
  /** Program and arguments; one text is a line for `sh`. */
  command: string | readonly string[]
  /** When it is started. Default 0. */
  start?: Duration
  /** Environment variables besides those that are there. */
  env?: Readonly<Record<string, string>>
  /** Where it runs. Default: where the command was called. */
  cwd?: string
  /** The exit code that is a success; the run waits for a program that has one. */
  expect?: number
}

export interface Scenario {
  name?: string
  description?: string
  /** Default 1. */
  seed?: number | string
  /** When flows without `count` and `stop` end. Default 10 s. */
  duration?: Duration
  /**
   * The span that all statistics are about: of flows the datagrams that are sent from then until
   * before then, of hops what happens in it. Default: the whole run.
   */
  measure?: { from?: Duration; to?: Duration }
  hosts?: Readonly<Record<string, (HostOptions & EchoSpec) | null>>
  routers?: Readonly<Record<string, (RouterSpec & EchoSpec) | null>>
  switches?: Readonly<Record<string, SwitchSettings | null>>
  segments?: Readonly<Record<string, SegmentSettings | null>>
  links?: readonly LinkSpec[]
  /** Addresses that several hosts have, by address: the nearest is reached. */
  anycast?: Readonly<Record<string, readonly string[]>>
  events?: readonly ScenarioEvent[]
  flows?: readonly FlowSpec[]
  programs?: readonly ProgramSpec[]
}

/** What a flow is given when it does not say. */
export function flowPorts(
  flow: FlowSpec,
  index: number,
): { name: string; from: string; fromPort: number; port: number } {
  const { name = `${flow.from}-${flow.to}`, from, fromPort = 30_000 + index, port = 20_000 + index } = flow
  return { name, from, fromPort, port }
}
