/** Everything that can be done from anywhere, by name and by key. */
import * as actions from './actions.ts'
import { nextChanged, seek } from './cursor.ts'
import { addNode, beginConnecting, removeSelected, TOOLS } from './drawing.ts'
import { chooseFile, saveCapture, saveScenario } from './files.ts'
import { share } from './link.ts'
import { store } from './memory.ts'
import { record, savePicture } from './picture.ts'
import * as state from './state.ts'

interface Command {
  readonly name: string
  /** As it is shown, and as {@link keyOf} names it. */
  readonly key?: string
  run(): unknown
}

export function COMMANDS(): readonly Command[] {
  return [
    { name: 'play or pause', key: 'Space', run: actions.play },
    { name: 'an event on', key: '→', run: () => actions.step(1) },
    { name: 'an event back', key: '←', run: () => actions.step(-1) },
    { name: 'the next event of the selected datagram', key: 'Shift →', run: () => actions.hop(1) },
    { name: 'the event before of the selected datagram', key: 'Shift ←', run: () => actions.hop(-1) },
    { name: 'the next datagram of this flow', key: ']', run: () => actions.beside(1) },
    { name: 'the datagram before of this flow', key: '[', run: () => actions.beside(-1) },
    { name: 'to the start', key: 'Home', run: () => seek(0) },
    { name: 'to the end', key: 'End', run: () => seek(state.duration.value) },
    ...TOOLS.map(({ name, key, label }) => ({ name: `add a ${label}`, key, run: () => addNode(name) })),
    { name: 'connect from the selected node', key: 'c', run: connectSelected },
    { name: 'add a flow', key: 't', run: () => (state.dialog.value = 'flow') },
    { name: 'remove what is selected', key: 'Delete', run: removeSelected },
    { name: 'take back', key: '⌘Z', run: actions.undo },
    { name: 'do again', key: '⇧⌘Z', run: actions.redo },
    { name: 'the next datagram that fares otherwise since the last change', key: 'd', run: () => nextChanged() },
    ...state.VIEWS.map((view, index) => ({
      name: `show the ${view}`,
      key: `${index + 1}`,
      run: () => (state.view.value = view),
    })),
    { name: 'open a lab', key: 'l', run: () => (state.dialog.value = 'labs') },
    { name: 'new network', run: newNetwork },
    { name: 'open a scenario file, or a capture for the selected host', key: '⌘O', run: chooseFile },
    { name: 'save the scenario as YAML', key: '⌘S', run: saveScenario },
    { name: 'save the run as pcapng', run: saveCapture },
    { name: 'save a picture of the network as SVG', run: () => savePicture('svg') },
    { name: 'save a picture of the network as PNG', run: () => savePicture('png') },
    { name: 'record a video from here on, or end it', run: record },
    { name: 'share a link to this moment', run: share },
    { name: 'light or dark', run: switchTheme },
    { name: 'all commands', key: '⌘K', run: () => (state.dialog.value = 'palette') },
    { name: 'all keys', key: '?', run: () => (state.dialog.value = 'help') },
  ]
}

export async function newNetwork(): Promise<void> {
  await actions.open({ text: 'name: My network\n' })
}

function connectSelected(): void {
  const selected = state.selection.value
  if (selected?.kind === 'node') beginConnecting(selected.name)
  else state.tool.value = 'connect'
}

export function switchTheme(): void {
  state.theme.value = state.theme.value === 'dark' ? 'light' : 'dark'
  store('theme', state.theme.value)
}

/** A key as commands name it. */
function keyOf(event: KeyboardEvent): string {
  const named: Record<string, string> = {
    ' ': 'Space',
    ArrowRight: '→',
    ArrowLeft: '←',
    Backspace: 'Delete',
  }
  const key = named[event.key] ?? event.key
  if (event.metaKey || event.ctrlKey) return `${event.shiftKey ? '⇧' : ''}⌘${key.toUpperCase()}`
  return (event.shiftKey && key.length > 1) || (event.shiftKey && (key === '→' || key === '←')) ? `Shift ${key}` : key
}

/** Keys that the page takes wherever they are not for typing. */
export function pressed(event: KeyboardEvent): void {
  const target = event.target as Element
  const typing =
    target.closest('input:not([type=range]):not([type=radio]),select,textarea,[contenteditable=true]') !== null
  const key = keyOf(event)
  if (event.key === 'Escape') {
    state.connecting.value = null
    state.tool.value = null
    return
  }
  if (event.altKey || (typing && !/^⇧?⌘[KSO]$/.test(key)) || state.dialog.value !== null) return
  // A button is pressed by space itself.
  if (key === 'Space' && target.closest('button,summary,[role=button]') !== null) return
  const command = COMMANDS().find((each) => each.key === key)
  if (command === undefined) return
  event.preventDefault()
  void command.run()
}
