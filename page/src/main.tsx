/** Begins the page: what the link says, else what was there last, else the first lab. */
import { effect } from '@preact/signals'
import { render } from 'preact'
import './views.css'
import './style.css'
import { engine, open, say } from './state/actions.ts'
import { pressed } from './state/commands.ts'
import { openLab } from './state/labs.ts'
import { checkedPrograms, openFragment } from './state/link.ts'
import { recall, store } from './state/memory.ts'
import * as state from './state/state.ts'
import { App } from './views/app.tsx'

const FIRST = 'pmtu-black-hole'
/** Longer texts are not kept in the browser's small memory. */
const MOST_KEPT = 1_000_000

const kept = recall('theme')
const dark = matchMedia('(prefers-color-scheme: dark)').matches
state.theme.value = kept === 'light' || kept === 'dark' ? kept : dark ? 'dark' : 'light'
effect(() => {
  document.documentElement.dataset.theme = state.theme.value
})

// A task for what was loaded, another for what is drawn.
await new Promise((resolve) => setTimeout(resolve))
const root = document.getElementById('app') as HTMLElement
root.replaceChildren()
render(<App />, root)
addEventListener('keydown', pressed)
addEventListener('hashchange', () => void begin())

engine.call('schema', []).then(
  (schema) => {
    state.schema.value = schema
  },
  (error: Error) => say(error.message),
)

async function begin(): Promise<void> {
  try {
    if (await openFragment(location.hash)) return
  } catch (error) {
    say((error as Error).message)
  }
  if (state.text.value !== '') return
  const last = recall('last') as { text?: unknown; places?: state.Places; programs?: unknown } | null
  if (typeof last?.text === 'string' && last.text.trim() !== '')
    await open({
      text: last.text,
      places: last.places ?? {},
      programs: Array.isArray(last.programs) ? checkedPrograms(last.programs, true) : [],
    })
  else await openLab(FIRST)
}

await begin()
document.documentElement.dataset.ready = 'true'
// Where a trace of the browser finds it (bench/page).
performance.mark('interactive')

let timer = 0
effect(() => {
  const [text, places, programs] = [state.text.value, state.places.value, state.programs.value]
  // A lab is where it was, and needs no memory.
  if (state.lab.value !== null || text === '' || text.length > MOST_KEPT) return
  clearTimeout(timer)
  // Captures are too large to be kept.
  const small = programs.filter(({ capture }) => capture === undefined)
  timer = setTimeout(() => store('last', { text, places, programs: small }), 300) as unknown as number
})

if ('serviceWorker' in navigator && location.protocol.startsWith('http') && import.meta.env.PROD)
  navigator.serviceWorker.register('./sw.js').catch(() => {
    // Without it the page works as long as its server does.
  })
