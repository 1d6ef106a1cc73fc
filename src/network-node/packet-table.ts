/** The datagrams of a run as a table, a row each: when it was sent, and when it arrived. */
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { wholeNanoseconds } from '../base/clock.ts'
import type { RunWatcher } from '../network/scenario/flow.ts'
import { csvField } from './csv.ts'
import { writeWhole } from './results.ts'

/** How a table is written, which is how its file's name ends. */
export const TABLE_FORMS = ['csv', 'jsonl'] as const
export type TableForm = (typeof TABLE_FORMS)[number]

interface Row {
  readonly flow: number
  readonly number: number
  readonly sent: number
  readonly length: number
  received: number | null
}

export class PacketTable implements RunWatcher {
  readonly onlyNotes = true
  readonly #names: readonly string[]
  /** By flow and number. */
  readonly #rows = new Map<number, Row[]>()

  /** `names`: of the flows, in the order of the scenario. */
  constructor(names: readonly string[]) {
    this.#names = names
  }

  sent(flow: number, number: number, time: number, length: number): void {
    const rows = this.#rows.get(flow) ?? []
    rows[number] = { flow, number, sent: time, length, received: null }
    this.#rows.set(flow, rows)
  }

  arrived(flow: number, number: number, time: number): void {
    const row = this.#rows.get(flow)?.[number]
    if (row !== undefined) row.received = time
  }

  ended(): void {}

  /** Writes the table into a file, by flow and number; its folder is made. */
  write(path: string, form: TableForm): void {
    mkdirSync(dirname(path), { recursive: true })
    const rows = [...this.#rows.keys()].sort((a, b) => a - b).flatMap((flow) => this.#rows.get(flow) ?? [])
    const lines = rows.map((row) => (form === 'csv' ? this.#csv(row) : this.#json(row)))
    writeWhole(path, [...(form === 'csv' ? ['flow,number,sent,received,length'] : []), ...lines, ''].join('\n'))
  }

  #csv({ flow, number, sent, received, length }: Row): string {
    const name = csvField(this.#names[flow] ?? '')
    const arrival = received === null ? '' : wholeNanoseconds(received)
    return [name, number, wholeNanoseconds(sent), arrival, length].join(',')
  }

  #json({ flow, number, sent, received, length }: Row): string {
    const arrival = received === null ? null : wholeNanoseconds(received)
    return JSON.stringify({ flow: this.#names[flow], number, sent: wholeNanoseconds(sent), received: arrival, length })
  }
}
