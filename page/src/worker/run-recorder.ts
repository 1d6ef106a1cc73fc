/** What the page is told of a run: the lives of all datagrams, and the times of flows. */

import type { Neighbors } from '../../../src/cli/report/life.ts'
import { LifeColumns, type LifeTables } from '../../../src/cli/report/life-columns.ts'
import { Recorder } from '../../../src/cli/report/recorder.ts'
import type { Datagram, RunWatcher } from '../../../src/network/index.ts'
import type { FlowTimes } from '../protocol.ts'

export class RunRecorder implements RunWatcher {
  /** Times of flows and queues, for the plots. */
  readonly recorder: Recorder
  readonly #lives: LifeColumns
  readonly #dropped: number[][]

  constructor(flows: number, neighbors: Neighbors) {
    this.recorder = new Recorder(flows, 0, neighbors)
    this.#lives = new LifeColumns(neighbors)
    this.#dropped = Array.from({ length: flows }, () => [])
  }

  get texts(): readonly string[] {
    return this.#lives.texts.list
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
    if (flow < 0 || datagram.causedBy > 0) return
    const first = datagram.events.find(({ what }) => what === 'dropped')
    if (first !== undefined) (this.#dropped[flow] as number[]).push(first.time)
  }

  columns(): LifeTables & { flowTimes: FlowTimes[] } {
    return {
      ...this.#lives.take(),
      flowTimes: this.recorder.flows.map(({ sent, arrived }, flow) => {
        const pairs: [number, number][] = []
        // With holes: what did not arrive.
        arrived.forEach((time, number) => {
          pairs.push([time, time - (sent[number] as number)])
        })
        pairs.sort((a, b) => a[0] - b[0])
        return {
          sent: Float64Array.from(sent.filter((time) => time !== undefined)),
          arrived: Float64Array.from(pairs, ([time]) => time),
          latency: Float64Array.from(pairs, ([, latency]) => latency),
          dropped: Float64Array.from(this.#dropped[flow] as number[]).sort(),
        }
      }),
    }
  }
}
