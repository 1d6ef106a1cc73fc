/** The datagrams that a report shows, as columns of a run that has no others. */
import { plural } from '../output.ts'
import type { Neighbors } from './life.ts'
import { LifeColumns } from './life-columns.ts'
import type { Recorded, Recorder } from './recorder.ts'
import type { LadderPart } from './report-data.ts'

/** `null` when there is nothing to show. */
export function frozenLadder(recorder: Recorder, neighbors: Neighbors): LadderPart | null {
  const { first, examples, frames, firstFrames, datagrams } = recorder
  if (first.length === 0) return null
  const lives = new LifeColumns(neighbors)
  const numbers: number[] = []
  const add = ({ datagram, flow }: Recorded) => {
    lives.add(datagram, flow)
    return numbers.push(datagram.id)
  }
  for (const each of first) add(each)
  const shownExamples = examples.map(({ kinds, recorded }) => ({ kinds, rows: recorded.map(add) }))
  const left = frames - firstFrames
  return {
    shown:
      left === 0
        ? `All: ${plural(frames, 'packet')} of ${plural(datagrams, 'datagram')}.`
        : `The first ${plural(firstFrames, 'packet')}, of ${plural(first.length, 'datagram')}; ${left} more ` +
          `of ${plural(datagrams - first.length, 'datagram')} are left out.`,
    texts: lives.texts.list,
    columns: listed(lives.take()),
    numbers,
    first: first.length,
    examples: shownExamples,
  }
}

function listed(tables: ReturnType<LifeColumns['take']>): LadderPart['columns'] {
  const lists = (columns: object) =>
    Object.fromEntries(
      Object.entries(columns).map(([name, column]) => [
        name,
        Array.from(column as Float64Array, (value) => (Number.isNaN(value) ? null : value)),
      ]),
    )
  return { datagrams: lists(tables.datagrams), frames: lists(tables.frames), events: lists(tables.events) }
}
