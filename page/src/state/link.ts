/**
 * The page's state in the fragment of its link. `#lab=NAME` for a lab as it is shipped, with `t`,
 * `view`, `sel`; else `#s=1.…`: a version, and the state as JSON, compressed (deflate-raw) and
 * written in base64url. A version that was ever written is read for ever.
 */
import { labText } from '../../labs/labs.ts'
import type { Program } from '../protocol.ts'
import { open, say } from './actions.ts'
import { openLab } from './labs.ts'
import * as state from './state.ts'

/** Version 1. */
interface Shared {
  readonly text: string
  readonly places?: state.Places
  readonly time?: number
  readonly view?: state.View
  readonly selection?: state.Selection
  readonly seed?: string
  readonly until?: number
  readonly programs?: readonly Program[]
}

/** The longest text of a link that is read, unpacked. */
const MOST_TEXT = 4_000_000

async function linkOf(): Promise<string> {
  return `${location.href.replace(/#.*/s, '')}#${await fragmentOf()}`
}

async function fragmentOf(): Promise<string> {
  const { lab, text, places, time, view, selection, seed, until, programs } = state
  const open = lab.value
  const isAsShipped =
    open !== null && Object.keys(places.value).length === 0 && text.value === (await labText(open.id).catch(() => ''))
  const selected = selection.value
  if (isAsShipped && seed.value === null && until.value === null && programs.value.length === 0) {
    const parts = [`lab=${open.id}`, `t=${Number(time.value.toFixed(4))}`, `view=${view.value}`]
    if (selected?.kind === 'packet') parts.push(`sel=${selected.id}`)
    return parts.join('&')
  }
  const lines = programs.value.filter(({ line }) => line !== undefined)
  const shared: Shared = {
    text: text.value,
    ...(Object.keys(places.value).length === 0 ? {} : { places: places.value }),
    time: time.value,
    view: view.value,
    ...(selected === null ? {} : { selection: selected }),
    ...(seed.value === null ? {} : { seed: seed.value }),
    ...(until.value === null ? {} : { until: until.value }),
    ...(lines.length === 0 ? {} : { programs: lines }),
  }
  return `s=1.${await packed(JSON.stringify(shared))}`
}

/** Opens what a fragment says. @returns false when it says nothing; @throws {Error} when it is damaged */
export async function openFragment(fragment: string): Promise<boolean> {
  const words = new URLSearchParams(fragment.replace(/^#/, ''))
  const lab = words.get('lab')
  if (lab !== null) {
    const [time, view, selected] = [words.get('t'), words.get('view'), words.get('sel')]
    await openLab(lab, {
      ...(time === null || !Number.isFinite(Number(time)) ? {} : { time: Number(time) }),
      ...(isView(view) ? { view } : {}),
      ...(selected === null || !(Number(selected) > 0) ? {} : { selection: { kind: 'packet', id: Number(selected) } }),
    })
    return true
  }
  const packedState = words.get('s')
  if (packedState === null) return false
  const [, version, data] = /^(\d+)\.([\w-]+)$/.exec(packedState) ?? []
  if (version === undefined || data === undefined)
    throw new Error('This link is damaged: it has no state that can be read.')
  if (version !== '1')
    throw new Error(`This link is of version ${version}, which this page does not know: it is of a newer tungram.`)
  const shared = checked(await unpacked(data))
  await open(shared)
  return true
}

function isView(value: unknown): value is state.View {
  return (state.VIEWS as readonly unknown[]).includes(value)
}

/** Nothing of a link is trusted. */
function checked(value: unknown): Shared {
  const { text, places, time, view, selection, seed, until, programs } = (value ?? {}) as Partial<
    Record<keyof Shared, unknown>
  >
  if (typeof text !== 'string') throw new Error('This link is damaged: it has no scenario.')
  const isPlace = (place: unknown) => Array.isArray(place) && place.length === 2 && place.every(Number.isFinite)
  const known = Object.entries((places ?? {}) as object).filter(([, place]) => isPlace(place))
  return {
    text,
    places: Object.fromEntries(known) as state.Places,
    ...(Number.isFinite(time) ? { time: time as number } : {}),
    ...(isView(view) ? { view } : {}),
    ...(isSelection(selection) ? { selection } : {}),
    ...(typeof seed === 'string' ? { seed } : {}),
    ...(Number.isFinite(until) && (until as number) > 0 ? { until: until as number } : {}),
    ...(Array.isArray(programs) ? { programs: checkedPrograms(programs, false) } : {}),
  }
}

/** Only `own` programs have code: nobody's link runs code on a page that was not seen before. */
export function checkedPrograms(list: readonly unknown[], own: boolean): Program[] {
  return list.flatMap((each): Program[] => {
    const { host, at, line, code } = (each ?? {}) as Partial<Record<keyof Program, unknown>>
    if (typeof host !== 'string' || !Number.isFinite(at) || (at as number) < 0) return []
    if (typeof code === 'string') return !own ? [] : [{ host, at: at as number, code }]
    return typeof line === 'string' ? [{ host, at: at as number, line }] : []
  })
}

function isSelection(value: unknown): value is state.Selection {
  const { kind, id, name, index } = (value ?? {}) as Record<string, unknown>
  if (kind === 'packet') return Number.isInteger(id) && (id as number) > 0
  if (kind === 'node') return typeof name === 'string'
  return (kind === 'cable' || kind === 'flow') && Number.isInteger(index) && (index as number) >= 0
}

async function packed(text: string): Promise<string> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream('deflate-raw'))
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer())
  let letters = ''
  for (const byte of bytes) letters += String.fromCharCode(byte)
  return btoa(letters).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '')
}

async function unpacked(data: string): Promise<unknown> {
  try {
    const letters = atob(data.replace(/-/g, '+').replace(/_/g, '/'))
    const bytes = Uint8Array.from(letters, (letter) => letter.charCodeAt(0))
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'))
    let text = ''
    const decoder = new TextDecoder()
    const reader = stream.getReader()
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      text += decoder.decode(value as Uint8Array, { stream: true })
      if (text.length > MOST_TEXT) throw new Error('too long')
    }
    return JSON.parse(text + decoder.decode())
  } catch (error) {
    throw new Error(`This link is damaged: its state cannot be read (${(error as Error).message}).`, { cause: error })
  }
}

/** Puts the link into the clipboard, and into the address bar. */
export async function share(): Promise<void> {
  const link = await linkOf()
  history.replaceState(null, '', link)
  try {
    await navigator.clipboard.writeText(link)
    say(`The link is in the clipboard (${link.length} letters). It shows this moment of this run.`)
  } catch {
    say(`The link is in the address bar (${link.length} letters).`)
  }
}
