/** The scenario's text, with its errors at their line, and the schema's words. */
import { useSignalEffect } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import type { TextEditor } from '../editor/editor.ts'
import { write } from '../state/actions.ts'
import * as state from '../state/state.ts'

/** Milliseconds of silence before what was typed is run. */
const PAUSE = 250

export function YamlView() {
  const box = useRef<HTMLDivElement>(null)
  const editor = useRef<TextEditor | null>(null)
  useEffect(() => {
    let gone = false
    let timer = 0
    void import('../editor/editor.ts').then(({ createEditor }) => {
      if (gone || box.current === null) return
      editor.current = createEditor(box.current, state.text.value, {
        schema: () => state.schema.value,
        changed(text) {
          clearTimeout(timer)
          timer = setTimeout(() => void write(text), PAUSE) as unknown as number
        },
      })
      editor.current.showFault(state.fault.value)
    })
    return () => {
      gone = true
      editor.current?.destroy()
      editor.current = null
    }
  }, [])
  useSignalEffect(() => {
    const text = state.text.value
    editor.current?.show(text)
  })
  useSignalEffect(() => {
    const fault = state.fault.value
    void state.text.value
    editor.current?.showFault(fault)
  })
  const { fault } = state
  return (
    <div class="yaml">
      {fault.value === null ? null : (
        <p class="fault" role="alert">
          line {fault.value.line}, column {fault.value.column}: {fault.value.message}{' '}
          <span class="muted">The drawing shows the last text without an error.</span>
        </p>
      )}
      <div class="editor" ref={box} />
    </div>
  )
}
