/** A lab: a scenario, and questions that running it answers. */
import type { Edit } from '../src/protocol.ts'
import type { View } from '../src/state/state.ts'

/** Where the answer is to be seen. */
export interface Look {
  /** The first drop for this reason is selected; with `flow`, the first of it. */
  readonly drop?: string
  /** The datagram of this flow, and which of them, from 1. */
  readonly flow?: number
  readonly nth?: number
  /** The ICMP message that was caused by what is found. */
  readonly effect?: true
  /** Milliseconds; without it, the time of what is found. */
  readonly time?: number
  readonly view?: View
}

export interface Step {
  readonly question: string
  readonly choices: readonly string[]
  /** The place of the right one. */
  readonly answer: number
  readonly because: string
  /** A change of the scenario that the answer needs. */
  readonly edits?: readonly Edit[]
  readonly look: Look
}

export interface Lab {
  readonly id: string
  readonly title: string
  /** What to see, in one sentence. */
  readonly about: string
  readonly open: Look
  /** The place of a cable that is lit until something is changed: that which explains the most. */
  readonly lit?: number
  readonly steps: readonly Step[]
}
