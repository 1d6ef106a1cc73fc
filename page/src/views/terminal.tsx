/** Lines of terminals and code of hosts: what they said by now, and a place for the next. */
import { useSignal } from '@preact/signals'
import type { TextFault } from '../protocol.ts'
import { addProgram, engine, present, removeProgram, say } from '../state/actions.ts'
import * as state from '../state/state.ts'
import { timeText } from './words.ts'

const EXAMPLE = `const socket = dgram.createSocket('udp4', (message, rinfo) => {
  console.log(String(message), 'from', rinfo.address)
})
socket.bind(5000)`

export function TerminalView() {
  const hosts = state.topology.value.nodes.filter(({ nics }) => nics.length > 0).map(({ name }) => name)
  const selected = state.selection.value?.kind === 'node' ? state.selection.value.name : ''
  const chosen = useSignal('')
  const isCode = useSignal(false)
  const line = useSignal('')
  const code = useSignal(EXAMPLE)
  const fault = useSignal<TextFault | null>(null)
  if (hosts.length === 0) return <p class="empty">No host that has an interface yet.</p>
  const host = [chosen.value, selected].find((name) => hosts.includes(name)) ?? (hosts[0] as string)
  const begin = async (event: Event) => {
    event.preventDefault()
    const at = state.time.value
    if (isCode.value) {
      fault.value = await engine.call('check', [code.value])
      if (fault.value === null) await addProgram({ host, at, code: code.value })
    } else if (line.value.trim() !== '') {
      const typed = line.value
      line.value = ''
      await addProgram({ host, at, line: typed })
    }
  }
  return (
    <div class="terminal">
      <form onSubmit={(event) => void begin(event).catch((error: Error) => say(error.message))}>
        <div class="bar">
          <select aria-label="Host" value={host} onChange={(event) => (chosen.value = event.currentTarget.value)}>
            {hosts.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
          {isCode.value ? null : (
            <input
              type="text"
              aria-label={`Line for ${host}`}
              placeholder="help"
              autocomplete="off"
              spellcheck={false}
              value={line.value}
              onInput={(event) => (line.value = event.currentTarget.value)}
            />
          )}
          <button type="submit" class="primary">
            run at {timeText(state.calmTime.value)}
          </button>
          <button type="button" aria-pressed={isCode.value} onClick={() => (isCode.value = !isCode.value)}>
            code
          </button>
        </div>
        {isCode.value ? (
          <textarea
            aria-label={`Code for ${host}`}
            rows={7}
            spellcheck={false}
            value={code.value}
            onInput={(event) => (code.value = event.currentTarget.value)}
          />
        ) : null}
        {fault.value === null ? null : (
          <p class="bad" role="alert">
            line {fault.value.line}, column {fault.value.column}: {fault.value.message}
          </p>
        )}
      </form>
      <Said />
    </div>
  )
}

function Said() {
  const model = state.model.value
  const now = state.calmTime.value
  const programs = present()
  if (programs.length === 0)
    return <p class="muted">What hosts do is a part of the run, from the time of the cursor on.</p>
  return (
    // A scrolled part must be reached by the keyboard.
    <section class="said" tabIndex={0} aria-label="Said">
      {programs.map((program, index) => (
        <div key={index}>
          <h2>
            <time>{timeText(program.at)}</time> <b>{program.host}</b> {program.line ?? program.name ?? 'code'}
            <button
              type="button"
              aria-label={`remove ${program.line ?? program.name ?? 'the code'} of ${program.host}`}
              onClick={() => void removeProgram(program)}
            >
              ✕
            </button>
          </h2>
          <pre>
            {model
              ?.saidBy(program, now)
              .map((line) => `${line}\n`)
              .join('')}
          </pre>
        </div>
      ))}
    </section>
  )
}
