/** What the page does: every change of the document, the run and the time goes through here. */
import { batch } from '@preact/signals'
import { EngineClient, Hung, PATIENCE, Stopped } from '../engine-client.ts'
import type { Edit, Program, Run, RunRequest } from '../protocol.ts'
import { seek, select } from './cursor.ts'
import { differenceOf } from './difference.ts'
import { RunModel } from './model.ts'
import * as state from './state.ts'

export const engine = new EngineClient()
engine.onFailure = (message) => say(message)

/** Tells the user, and a screen reader. */
export function say(message: string): void {
  state.notice.value = message
}

// ── the document ──

interface Version {
  readonly text: string
  readonly places: state.Places
  readonly programs: readonly Program[]
}

const undone: Version[] = []
const done: Version[] = []
const MOST_VERSIONS = 200

const current = (): Version => ({
  text: state.text.value,
  places: state.places.value,
  programs: state.programs.value,
})

/** A step that can be taken back. */
function remember(): void {
  const [last, now] = [done.at(-1), current()]
  if (last?.text === now.text && last.places === now.places && last.programs === now.programs) return
  done.push(now)
  if (done.length > MOST_VERSIONS) done.shift()
  undone.length = 0
}

export async function undo(): Promise<void> {
  await turn(done, undone, 'There is nothing to take back.')
}

export async function redo(): Promise<void> {
  await turn(undone, done, 'There is nothing to do again.')
}

async function turn(from: Version[], to: Version[], none: string): Promise<void> {
  const version = from.pop()
  if (version === undefined) return say(none)
  to.push(current())
  state.places.value = version.places
  state.programs.value = version.programs
  await show(version.text)
}

/** What is opened in place of what was there. */
interface Opened {
  readonly text: string
  readonly places?: state.Places
  readonly time?: number
  readonly view?: state.View
  readonly selection?: state.Selection
  readonly seed?: string | null
  readonly until?: number | null
  readonly programs?: readonly Program[]
  readonly lab?: { readonly id: string; readonly step: number } | null
}

/** How many documents were opened. */
let documents = 0

export async function open(opened: Opened): Promise<void> {
  documents++
  if (state.text.value !== '') remember()
  batch(() => {
    state.isPlaying.value = false
    state.places.value = opened.places ?? {}
    state.seed.value = opened.seed ?? null
    state.until.value = opened.until ?? null
    state.programs.value = opened.programs ?? []
    state.lab.value = opened.lab ?? null
    state.selection.value = null
    state.model.value = null
    state.difference.value = null
    state.lit.value = null
    state.time.value = 0
    state.calmTime.value = 0
  })
  await show(opened.text)
  batch(() => {
    if (opened.view !== undefined) state.view.value = opened.view
    seek(opened.time ?? 0)
    state.selection.value = opened.selection ?? null
    chooseSpeed()
  })
}

/** The text was changed in the editor. */
export async function write(text: string): Promise<void> {
  remember()
  await show(text)
}

let lastEdit: Promise<unknown> = Promise.resolve()

/**
 * Changes the document by what was done to the drawing or a form; one change after the other, each
 * of what the one before has made. A function is called when it is the change's turn: for edits that
 * follow from what is there. It may give none.
 * @returns whether it was made
 */
export function edit(edits: readonly Edit[] | (() => readonly Edit[]), moved?: () => state.Places): Promise<boolean> {
  const opened = documents
  const made = lastEdit.then(() => opened === documents && change(edits, moved))
  lastEdit = made
  return made
}

async function change(
  given: readonly Edit[] | (() => readonly Edit[]),
  moved = () => state.places.value,
): Promise<boolean> {
  try {
    const edits = typeof given === 'function' ? given() : given
    if (edits.length === 0) return false
    const former = state.text.value
    const text = await engine.call('edit', [former, edits])
    const loaded = await engine.call('load', [text])
    if (state.text.value !== former) {
      say('The scenario became another one meanwhile: this change was not made.')
      return false
    }
    if ('fault' in loaded) {
      say(loaded.fault.message)
      return false
    }
    remember()
    state.lit.value = null
    state.places.value = moved()
    for (const each of edits) if ('rename' in each) follow(each.rename, each.to)
    await show(text)
    return true
  } catch (error) {
    failed(error)
    return false
  }
}

/** What is kept by a node's name goes with it. */
function follow(name: string, to: string): void {
  state.places.value = Object.fromEntries(
    Object.entries(state.places.value).map(([node, point]) => [node === name ? to : node, point]),
  )
  state.programs.value = state.programs.value.map((each) => (each.host === name ? { ...each, host: to } : each))
}

export function place(places: state.Places): void {
  remember()
  state.places.value = places
}

/** Makes a text the document, and runs it; one with an error is shown, and the last good one stays. */
async function show(text: string): Promise<void> {
  state.text.value = text
  try {
    const loaded = await engine.call('load', [text])
    if (state.text.value !== text) return
    if ('fault' in loaded) {
      state.fault.value = loaded.fault
      return
    }
    batch(() => {
      state.fault.value = null
      state.goodText.value = text
      state.scenario.value = loaded.scenario
      state.topology.value = loaded.topology
      checkSelection()
    })
    await run()
  } catch (error) {
    failed(error)
  }
}

/** What is gone is selected no more. */
function checkSelection(): void {
  const selected = state.selection.value
  const { nodes, cables } = state.topology.value
  if (selected?.kind === 'node' && !nodes.some(({ name }) => name === selected.name)) state.selection.value = null
  if (selected?.kind === 'cable' && selected.index >= cables.length) state.selection.value = null
  if (selected?.kind === 'flow' && selected.index >= (state.scenario.value.flows?.length ?? 0))
    state.selection.value = null
}

// ── the run ──

let latest = 0

export async function run(): Promise<void> {
  const own = ++latest
  const former = state.model.value
  const [seed, until, programs] = [state.seed.value, state.until.value, present()]
  state.isRunning.value = true
  state.progress.value = 0
  try {
    const request: RunRequest = {
      text: state.goodText.value,
      ...(seed === null ? {} : { seed: /^-?\d+$/.test(seed) ? Number(seed) : seed }),
      ...(until === null ? {} : { until }),
      ...(programs.length === 0 ? {} : { programs }),
    }
    const patience = programs.some(({ code }) => code !== undefined) ? PATIENCE : undefined
    const progress = (time: number) => {
      if (own === latest) state.progress.value = time
    }
    const result = await engine.call('run', [request], progress, patience)
    if (own !== latest) return
    batch(() => {
      state.model.value = new RunModel(result, request)
      state.difference.value = former === null ? null : differenceOf(former.run, result)
      const selected = state.selection.value
      if (selected?.kind === 'packet' && selected.id > result.datagrams.time.length) state.selection.value = null
      seek(Math.min(state.time.value, state.duration.value))
    })
    if (result.full) say(tooMany(result))
  } catch (error) {
    if (own !== latest) return
    if (error instanceof Hung) await withoutLast(programs, error)
    else failed(error)
  } finally {
    if (own === latest) state.isRunning.value = false
  }
}

function tooMany({ events, time }: Run): string {
  return (
    `The run was ended at ${time.toFixed(0)} ms: the page keeps no more than its ` +
    `${Math.round(events.time.length / 1e5) / 10} million events. Fewer datagrams, or a time in 'until', end it ` +
    'where you want; tungram sim runs all of it.'
  )
}

/** Programs whose hosts are there. */
export function present(): Program[] {
  const names = new Set(state.topology.value.nodes.map(({ name }) => name))
  return state.programs.value.filter(({ host }) => names.has(host))
}

export async function addProgram(program: Program): Promise<void> {
  remember()
  state.programs.value = [...state.programs.value, program]
  await run()
}

export async function removeProgram(program: Program): Promise<void> {
  remember()
  state.programs.value = state.programs.value.filter((each) => each !== program)
  await run()
}

/** The code that was added last is what does not return: it is taken out, and all else is as before. */
async function withoutLast(programs: readonly Program[], { message }: Hung): Promise<void> {
  const last = programs.findLast(({ code }) => code !== undefined)
  state.programs.value = state.programs.value.filter((each) => each !== last)
  say(`${message} It was taken out: the code on ${last?.host} at ${last?.at} ms.`)
  await run()
}

/** Ends a run that takes too long; what was there before stays. */
export function stopRun(): void {
  latest++
  engine.stop()
  state.isRunning.value = false
  say('The run was stopped. Set a time at which it ends, and run again.')
}

function failed(error: unknown): void {
  if (!(error instanceof Stopped)) say((error as Error).message)
}

// ── time ──

export function step(direction: 1 | -1): void {
  const model = state.model.value
  if (model === null) return
  state.isPlaying.value = false
  const next = direction > 0 ? model.nextTime(state.time.value) : model.timeBefore(state.time.value)
  if (next >= 0) seek(next)
}

/** To the next frame of the selected datagram, or the one before. */
export function hop(direction: 1 | -1): void {
  const model = state.model.value
  const selected = state.selection.value
  if (model === null || selected?.kind !== 'packet') {
    step(direction)
    return
  }
  state.isPlaying.value = false
  const times = [...model.eventsOf(selected.id)].map((row) => model.run.events.time[row] as number)
  const found =
    direction > 0 ? times.find((time) => time > state.time.value) : times.findLast((time) => time < state.time.value)
  if (found !== undefined) seek(found)
}

/** The datagram of the selected flow before or after the selected one. */
export function beside(direction: 1 | -1): void {
  const model = state.model.value
  const selected = state.selection.value
  if (model === null || selected?.kind !== 'packet') return
  const id = model.beside(selected.id, direction)
  if (id > 0) select(id)
  else say(direction > 0 ? 'That is the last datagram of this flow.' : 'That is the first datagram of this flow.')
}

export const SPEEDS = [0.1, 1, 10, 100, 1000, 10_000]

/** So that a frame on a wire can be followed with the eye. */
function chooseSpeed(): void {
  const model = state.model.value
  const { start, left } = model?.run.frames ?? { start: [], left: [] }
  const spans: number[] = []
  for (let row = 0; row < Math.min(start.length, 200); row++) {
    const span = (model as RunModel).frameEnd(row) - (left[row] as number)
    if (span > 0) spans.push(span)
  }
  spans.sort((a, b) => a - b)
  // Most of them, not the short ways at the ends.
  const most = spans[Math.floor(spans.length * 0.8)] ?? 10
  state.speed.value = SPEEDS.findLast((speed) => speed <= Math.max(0.1, most)) ?? 10
}

let pictureTime = 0
let calmed = 0

export function play(): void {
  if (state.isPlaying.value) {
    state.isPlaying.value = false
    return
  }
  if (state.time.value >= state.duration.value) seek(0)
  state.isPlaying.value = true
  pictureTime = performance.now()
  requestAnimationFrame(picture)
}

function picture(now: number): void {
  const model = state.model.value
  if (!state.isPlaying.value || model === null) return
  const passed = Math.min(100, now - pictureTime)
  pictureTime = now
  let next = state.time.value + (passed / 1000) * state.speed.value
  // Nothing is to be seen where nothing is on its way: time goes on with what happens next.
  if (!model.hasInFlight(next)) {
    const coming = model.nextTime(next)
    if (coming > next && coming - next > state.speed.value / 4) next = coming
  }
  if (next >= state.duration.value) {
    seek(state.duration.value)
    state.isPlaying.value = false
    return
  }
  state.time.value = next
  if (now - calmed > 120) {
    calmed = now
    state.calmTime.value = next
  }
  requestAnimationFrame(picture)
}
