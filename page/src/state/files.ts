/** Files in and out: the scenario as YAML, the run as a capture. */
import { addProgram, engine, open, say } from './actions.ts'
import * as state from './state.ts'

/** Bytes of a scenario that are read. */
const MOST = 2_000_000
/** Bytes of a capture that is replayed: it is handed to the worker for each run. */
const MOST_CAPTURE = 20_000_000

export function fileName(extension: string): string {
  const name = (state.scenario.value.name ?? 'network')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
  return `${name.slice(0, 60) || 'network'}.${extension}`
}

export function save(name: string, data: BlobPart, type: string): void {
  const url = URL.createObjectURL(new Blob([data], { type }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}

export function saveScenario(): void {
  save(fileName('yaml'), state.text.value, 'text/yaml')
}

export async function saveCapture(): Promise<void> {
  const model = state.model.value
  if (model === null) return say('There is no run yet that could be saved.')
  try {
    save(
      fileName('pcapng'),
      (await engine.call('capture', [model.request])) as BlobPart as never,
      'application/octet-stream',
    )
  } catch (error) {
    say((error as Error).message)
  }
}

/** How captures begin: pcapng, and pcap in both orders of bytes, of micro- and nanoseconds. */
const CAPTURES = [0x0a0d0d0a, 0xa1b2c3d4, 0xd4c3b2a1, 0xa1b23c4d, 0x4d3cb2a1]

/** Opens a scenario file; a capture is replayed by `host`, from the time of the cursor on. */
export async function openFile(file: File, host?: string): Promise<void> {
  const begin = new DataView(await file.slice(0, 4).arrayBuffer())
  if (begin.byteLength === 4 && CAPTURES.includes(begin.getUint32(0))) return replay(file, host)
  if (file.size > MOST)
    return say(
      `${file.name} has ${file.size.toLocaleString('en')} bytes; a scenario has at most ${MOST.toLocaleString('en')}. Nothing was changed.`,
    )
  const text = await file.text()
  if (text.includes('\u0000'))
    return say(`${file.name} is no text: open a scenario in YAML or JSON. Nothing was changed.`)
  await open({ text })
}

async function replay(file: File, host: string | undefined): Promise<void> {
  const node = state.topology.value.nodes.find(({ name }) => name === host)
  if (node === undefined || node.nics.length === 0)
    return say(`${file.name} is a capture: drop it on a host, or select one, and that host sends its packets again.`)
  if (file.size > MOST_CAPTURE)
    return say(
      `${file.name} has ${file.size.toLocaleString('en')} bytes; a capture has at most ${MOST_CAPTURE.toLocaleString('en')}.`,
    )
  const capture = new Uint8Array(await file.arrayBuffer())
  state.view.value = 'terminal'
  await addProgram({ host: node.name, at: state.time.value, name: file.name, capture })
}

export function chooseFile(): void {
  const input = document.createElement('input')
  input.type = 'file'
  input.accept = '.yaml,.yml,.json,.pcapng,.pcap'
  input.addEventListener('change', () => {
    const [file] = input.files ?? []
    const selected = state.selection.value
    if (file !== undefined) void openFile(file, selected?.kind === 'node' ? selected.name : undefined)
  })
  input.click()
}
