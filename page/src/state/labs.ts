/** The labs: opening one, answering its questions, and what was done before. */
import type { Lab, Look, Step } from '../../labs/lab.ts'
import { LABS, labText } from '../../labs/labs.ts'
import { edit, open, say } from './actions.ts'
import { seek } from './cursor.ts'
import { found } from './look.ts'
import { recall, store } from './memory.ts'
import * as state from './state.ts'

export { LABS }

export function labNamed(id: string): Lab | undefined {
  return LABS.find((lab) => lab.id === id)
}

/** Opens a lab at its moment, or at the one that a link says. @throws {Error} for one that there is not */
export async function openLab(
  id: string,
  at: { time?: number; view?: state.View; selection?: state.Selection } = {},
): Promise<void> {
  const lab = labNamed(id)
  if (lab === undefined)
    throw new Error(`There is no lab '${id}'; there are ${LABS.map((each) => each.id).join(', ')}.`)
  await open({ text: await labText(id), lab: { id, step: 0 } })
  lookAt(lab.open)
  state.lit.value = lab.lit ?? null
  if (at.time !== undefined) seek(at.time)
  if (at.view !== undefined) state.view.value = at.view
  if (at.selection !== undefined) state.selection.value = at.selection
}

function lookAt(look: Look): void {
  const model = state.model.value
  if (model === null) return
  if (look.view !== undefined) state.view.value = look.view
  const place = found(model, look)
  if (place === null) return
  state.isPlaying.value = false
  if (place.id > 0) state.selection.value = { kind: 'packet', id: place.id }
  seek(place.time)
}

/** Runs what answers a step, and shows it. */
export async function answer(step: Step): Promise<void> {
  if (step.edits !== undefined && !(await edit(step.edits))) return
  lookAt(step.look)
}

export function goToStep(step: number): void {
  const current = state.lab.value
  if (current !== null) state.lab.value = { ...current, step }
}

const DONE = 'labs'

/** By the lab's name: the steps that were answered. */
export function doneSteps(): Record<string, number[]> {
  const kept = recall(DONE)
  return typeof kept === 'object' && kept !== null ? (kept as Record<string, number[]>) : {}
}

export function noteDone(lab: string, step: number): void {
  const all = doneSteps()
  const own = new Set(Array.isArray(all[lab]) ? all[lab] : [])
  own.add(step)
  if (!store(DONE, { ...all, [lab]: [...own] })) say('This browser keeps nothing: progress is lost with the page.')
}
