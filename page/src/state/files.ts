/** Files in and out: the scenario as YAML, the run as a capture. */
import { engine, open, say } from './actions.ts'
import * as state from './state.ts'

/** Bytes of a scenario that are read. */
const MOST = 2_000_000

function fileName(extension: string): string {
  const name = (state.scenario.value.name ?? 'network')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
  return `${name.slice(0, 60) || 'network'}.${extension}`
}

function save(name: string, data: BlobPart, type: string): void {
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

/** Opens a scenario file. */
export async function openFile(file: File): Promise<void> {
  if (file.size > MOST)
    return say(
      `${file.name} has ${file.size.toLocaleString('en')} bytes; a scenario has at most ${MOST.toLocaleString('en')}. Nothing was changed.`,
    )
  const text = await file.text()
  if (text.includes('\u0000'))
    return say(`${file.name} is no text: open a scenario in YAML or JSON. Nothing was changed.`)
  await open({ text })
}

export function chooseFile(): void {
  const input = document.createElement('input')
  input.type = 'file'
  input.accept = '.yaml,.yml,.json'
  input.addEventListener('change', () => {
    const [file] = input.files ?? []
    if (file !== undefined) void openFile(file)
  })
  input.click()
}
