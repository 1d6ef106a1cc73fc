/** What the page is told of a run: the lives of all datagrams, and the times of flows. */

import type { Neighbors } from '../../../src/cli/report/life.ts'
import { LifeColumns, type LifeTables } from '../../../src/cli/report/life-columns.ts'
import { type FlowRecord, Recorder } from '../../../src/cli/report/recorder.ts'
import type { Datagram, RunWatcher } from '../../../src/network/index.ts'
import type { FlowTimes } from '../protocol.ts'

export class RunRecorder implements RunWatcher {
  readonly onlyNotes = true
  /** Times of flows and queues, for the plots. */
  readonly recorder: Recorder
  readonly #lives: LifeColumns
  readonly #dropped: number[][]

  readonly #mostEvents: number
  /** Called when there are more events than are kept, to end the run. */
  onFull: () => void = () => {}

  constructor(flows: number, neighbors: Neighbors, mostEvents: number) {
    this.#mostEvents = mostEvents
    this.recorder = new Recorder(flows, 0, neighbors)
    this.#lives = new LifeColumns(neighbors)
    this.#dropped = Array.from({ length: flows }, () => [])
  }

  get texts(): readonly string[] {
    return this.#lives.texts.list
  }

  /** Whether there are more events than are kept. */
  get isFull(): boolean {
    return this.#lives.events > this.#mostEvents
  }

  sent(flow: number, number: number, time: number, length: number): void {
    this.recorder.sent(flow, number, time, length)
  }

  arrived(flow: number, number: number, time: number): void {
    this.recorder.arrived(flow, number, time)
  }

  ended(datagram: Datagram, flow: number): void {
    this.recorder.ended(datagram, flow)
    this.#lives.add(datagram, flow)
    if (this.isFull) this.onFull()
    if (flow < 0 || datagram.causedBy > 0) return
    const first = datagram.events.find(({ what }) => what === 'dropped')
    if (first !== undefined) (this.#dropped[flow] as number[]).push(first.time)
  }

  columns(): LifeTables & { flowTimes: FlowTimes[] } {
    return {
      ...this.#lives.take(),
      flowTimes: this.recorder.flows.map((flow, index) => ({
        ...timesOf(flow),
        dropped: Float64Array.from(this.#dropped[index] as number[]).sort(),
      })),
    }
  }
}

/** `arrived` has holes: what did not arrive. */
function timesOf({ sent, arrived }: FlowRecord): Omit<FlowTimes, 'dropped'> {
  const numbers = Uint32Array.from(arrived.keys()).filter((number) => arrived[number] !== undefined)
  numbers.sort((a, b) => (arrived[a] as number) - (arrived[b] as number) || a - b)
  return {
    sent: Float64Array.from(sent.filter((time) => time !== undefined)),
    arrived: Float64Array.from(numbers, (number) => arrived[number] as number),
    latency: Float64Array.from(numbers, (number) => (arrived[number] as number) - (sent[number] as number)),
  }
}
