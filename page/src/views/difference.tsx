/** What the last change has made of the run, in a line on the drawing. */
import { nextChanged } from '../state/cursor.ts'
import type { Change } from '../state/difference.ts'
import * as state from '../state/state.ts'

const WORDS: Readonly<Record<Change, (count: number) => string>> = {
  lost: (count) => `${count} ${count === 1 ? 'arrives' : 'arrive'} no more`,
  gained: (count) => `${count} ${count === 1 ? 'arrives' : 'arrive'} that did not`,
}

export function DifferenceLine() {
  const difference = state.difference.value
  const isNone = difference === null || difference.datagrams.size === 0
  return (
    <div class={isNone ? 'difference' : 'difference shown'} role="status" aria-label="After the change">
      {isNone ? null : (
        <>
          <span class="muted">after the change</span>
          {(['lost', 'gained'] as const).map((change) =>
            difference[change] === 0 ? null : (
              <button type="button" key={change} title="to the next of them" onClick={() => nextChanged(change)}>
                <i class={change} aria-hidden="true" /> {WORDS[change](difference[change])}
              </button>
            ),
          )}
          <button
            type="button"
            aria-label="leave the difference"
            title="no outlines"
            onClick={() => (state.difference.value = null)}
          >
            ✕
          </button>
        </>
      )}
    </div>
  )
}
