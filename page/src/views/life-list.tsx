/** What befell a datagram, in the order of time. */
import { DROPPED } from '../protocol.ts'
import { seek } from '../state/cursor.ts'
import type { RunModel } from '../state/model.ts'
import * as state from '../state/state.ts'
import { eventText, timeText } from './words.ts'

export function LifeList({ id, model }: { id: number; model: RunModel }) {
  const now = state.calmTime.value
  const { time, node, what } = model.run.events
  return (
    <ol class="life-list">
      {[...model.eventsOf(id)].map((row) => {
        const at = time[row] as number
        return (
          <li key={row} class={at > now ? 'later' : ''}>
            <button type="button" onClick={() => seek(at)} class={what[row] === DROPPED ? 'bad' : ''}>
              <time>{timeText(at)}</time> <b>{model.text(node[row] as number)}</b> <span>{eventText(model, row)}</span>
            </button>
          </li>
        )
      })}
    </ol>
  )
}
