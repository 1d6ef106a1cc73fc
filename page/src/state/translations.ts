/** What NATs put in the place of what, from when on: from the frames before and behind them. */
import { KINDS } from '../protocol.ts'
import type { RunModel } from './model.ts'

export interface Translation {
  readonly time: number
  /** Address and port, as they stand in packets on either side. */
  readonly inside: string
  readonly outside: string
}

const TRANSLATED = KINDS.indexOf('translated')
const made = new WeakMap<RunModel, ReadonlyMap<string, readonly Translation[]>>()

/** By the name of the NAT's node, each once, in the order of time. */
export function translationsOf(model: RunModel): ReadonlyMap<string, readonly Translation[]> {
  const known = made.get(model)
  if (known !== undefined) return known
  const { events, frames } = model.run
  const found = new Map<string, Map<string, Translation>>()
  for (const [row, what] of events.what.entries()) {
    if (what !== TRANSLATED) continue
    const [node, time] = [events.node[row] as number, events.time[row] as number]
    const own = model.framesOf(events.datagram[row] as number)
    const before = own.findLast((frame) => frames.to[frame] === node && model.frameEnd(frame) <= time)
    const behind = own.find((frame) => frames.from[frame] === node && (frames.start[frame] as number) >= time)
    if (before === undefined || behind === undefined) continue
    const [[source, destination], [newSource, newDestination]] = [before, behind].map((frame) =>
      model.text(frames.way[frame] as number).split(' > '),
    ) as [string[], string[]]
    const [inside, outside] = source === newSource ? [newDestination, destination] : [source, newSource]
    if (inside === undefined || outside === undefined) continue
    const name = model.text(node)
    const all = found.get(name) ?? new Map<string, Translation>()
    found.set(name, all)
    if (!all.has(`${inside} ${outside}`)) all.set(`${inside} ${outside}`, { time, inside, outside })
  }
  const result = new Map([...found].map(([name, all]) => [name, [...all.values()]]))
  made.set(model, result)
  return result
}
