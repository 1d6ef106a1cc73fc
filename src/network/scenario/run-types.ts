/** What a run of a scenario is told, and what it tells. */
import type { Network } from '../network.ts'
import type { Datagram } from '../observe/datagram.ts'
import type { DelayVariation, LossPattern, Reordering } from './metrics.ts'

/** Where and why parts of a flow's datagrams were discarded. */
export interface FlowDrop {
  node: string
  /** `''` within the host. */
  nic: string
  reason: string
  count: number
}

/** Milliseconds: one way, or there and back for an echo flow. */
export interface Latency {
  min: number
  mean: number
  p50: number
  p90: number
  p99: number
  max: number
}

/** Where datagrams of a flow were marked Congestion Experienced (RFC 3168). */
export interface FlowMarks {
  node: string
  nic: string
  count: number
}

export interface FlowResult {
  name: string
  from: string
  to: string
  mode: 'one-way' | 'echo'
  /** Datagrams that left. */
  sent: number
  /** Datagrams that arrived whole, each counted once; at the sender again for an echo flow. */
  received: number
  lost: number
  /**
   * Datagrams that were on their way when the run was interrupted; none of one that came to its
   * end. Those sent are those received, lost and in flight.
   */
  inFlight: number
  /** Copies beyond the first. */
  duplicated: number
  /** Datagrams that arrived behind a later one (RFC 4737 section 3.3). */
  reordered: number
  /**
   * Datagrams that were delivered with another payload than was sent: damage that the checksum does
   * not show, or fragments of two datagrams in one (RFC 4963). They are not among those received.
   */
  corrupted: number
  /** Payload bits a second, from the first to the last arrival. */
  throughput: number
  /**
   * Payload bits a second of what arrived, each datagram once, over the measured span; without one,
   * from the first datagram sent to the last arrival.
   */
  goodput: number
  latency: Latency | null
  /** Interarrival jitter at the end, in milliseconds (RFC 3550 section 6.4.1). */
  jitter: number | null
  /** RFC 5481. */
  delayVariation: DelayVariation | null
  /** RFC 4737. */
  reordering: Reordering
  /** RFC 3357; of a run that was interrupted, what is in flight is no loss. */
  lossPattern: LossPattern
  /**
   * Fragments into which datagrams were cut, where that was done first: by the sender or by a
   * router.
   */
  fragments: number
  /** Sends that failed, by errno. */
  errors: Record<string, number>
  /** ICMP messages that the datagrams caused, by name. */
  icmp: Record<string, number>
  /** Those of them that arrived where they were sent to. */
  icmpReached: Record<string, number>
  /** Each fragment and copy counts. */
  drops: FlowDrop[]
  /** Each frame counts. */
  marks: FlowMarks[]
}

/** Frames, and their bytes on the wire, link headers included. */
export interface Volume {
  frames: number
  bytes: number
}

/** What waited before the sender of one direction; the frame that is being sent does not wait. */
export interface QueueFigures {
  /** Frames that wait, over time: ranks by how long there were so many. */
  length: { mean: number; p50: number; p95: number; p99: number; max: number }
  /** The same in bytes. */
  bytes: { mean: number; max: number }
  /**
   * Milliseconds that frames waited which were sent, those that did not have to included; `null`
   * when none was sent. What the queue gave up is not among them.
   */
  wait: { mean: number; p50: number; p95: number; p99: number; max: number } | null
}

/**
 * One direction of a cable. Counted is what happened in the measured span, or until the run's end,
 * whatever flow it was for: echoes, ICMP messages and neighbor discovery too.
 */
export interface HopResult {
  /** The cable's name. */
  link: string
  from: string
  to: string
  /** The nic of `from`, `''` for a segment, which has none. */
  nic: string
  /** What came to this end. */
  offered: Volume
  /** What left, its last bit included; it may still be lost on the wire. */
  sent: Volume
  /** The share of time in which a frame was being sent; `null` where no frame has met a rate. */
  utilization: number | null
  /** `null` where no frame has met a rate: nothing waits then. */
  queue: QueueFigures | null
  /** Frames that the queue has marked Congestion Experienced. */
  marks: number
  /**
   * Frames that the queue and the wire discarded, by reason. What nodes discard is in the flows'
   * drops.
   */
  drops: Record<string, number>
}

export interface ScenarioResult {
  seed: number | string
  /** Milliseconds of simulated time when all was over. */
  time: number
  /** Whether it was stopped before. */
  interrupted: boolean
  flows: FlowResult[]
  /** Both directions of each cable, in the order of the cables. */
  hops: HopResult[]
}

export interface RunOptions {
  /** Instead of the scenario's. */
  seed?: number | string
  /** Gets a pcapng stream of all links. */
  capture?: (chunk: Uint8Array) => void
  /**
   * Given, before the run, what ends it early (the result is then what there was), and its time in
   * milliseconds.
   */
  started?: (stop: () => void, now: () => number) => void
  /**
   * Given the network before its time begins, its flows in place: to add what a scenario cannot
   * say, such as programs on its hosts.
   */
  prepare?: (network: Network) => void
  /** Told of each datagram, for those who want more than counts. */
  watch?: RunWatcher
}

/**
 * Flows are given by their number in the scenario, their datagrams by a number from 0 each. Times
 * are milliseconds of simulated time.
 */
export interface RunWatcher {
  /**
   * It takes notes and wakes no program that has to run before time goes on; `false` by default.
   * The event loop then gets no turn for each arrival, which is half the time of a run in a
   * browser.
   */
  readonly onlyNotes?: boolean
  /** A datagram left; `length` is bytes of payload. */
  sent(flow: number, number: number, time: number, length: number): void
  /** Its first copy arrived; back at the sender for an echo flow. */
  arrived(flow: number, number: number, time: number): void
  /**
   * The life of a datagram, when nothing more is expected to happen to it; of whichever flow it is,
   * or was caused by, or -1. In the order in which they were sent.
   */
  ended(datagram: Datagram, flow: number): void
}
