/** The cable to which one points, in words: what it does to packets, and what is on it now. */
import { wordsOf } from '../draw/measures.ts'
import { codelQueues, codelText } from '../state/codel.ts'
import type { RunModel } from '../state/model.ts'
import * as state from '../state/state.ts'
import { spanText } from './words.ts'

export function CableNow({ index }: { index: number }) {
  const cable = state.topology.value.cables[index]
  if (cable === undefined) return null
  const words = [`MTU ${cable.mtu}`, ...wordsOf(cable, '→←')]
  const [from, to] = cable.ends.map(({ node }) => node)
  return (
    <p class="cable-now">
      <b>
        {from} → {to}
      </b>{' '}
      {words.join(', ')} <span class="muted">now {nowText(state.model.value, index, state.calmTime.value)}</span>
      <CodelNow index={index} />
    </p>
  )
}

/** What CoDel is at in the queues of a cable; nothing for a cable without it. */
export function CodelNow({ index }: { index: number }) {
  const model = state.model.value
  const cable = state.topology.value.cables[index]
  if (model === null || cable?.codel === undefined) return null
  const names = cable.ends.map(({ node, nic }) => `${node}.${nic}`)
  const own = codelQueues(model, state.topology.value).filter(({ name }) => names.includes(name))
  return (
    <>
      {own.map((queue) => (
        <span class="law" key={queue.name}>
          {queue.name}: {codelText(queue, state.calmTime.value)}
        </span>
      ))}
    </>
  )
}

function nowText(model: RunModel | null, index: number, time: number): string {
  const ends = new Set(state.topology.value.cables[index]?.ends.map(({ node, nic }) => `${node} ${nic}`))
  let [count, bytes, waiting, longest] = [0, 0, 0, 0]
  model?.inFlight(time, (row) => {
    const { from, nic, length, left, start } = model.run.frames
    if (!ends.has(`${model.text(from[row] as number)} ${model.text(nic[row] as number)}`)) return
    if (time < (left[row] as number)) {
      waiting++
      longest = Math.max(longest, time - (start[row] as number))
    } else {
      count++
      bytes += length[row] as number
    }
  })
  const parts = [
    ...(count > 0 ? [`${count} on it, ${bytes} bytes`] : []),
    ...(waiting > 0 ? [`${waiting} leaving or waiting, ${spanText(longest)} at most`] : []),
  ]
  return parts.join('; ') || 'nothing'
}
