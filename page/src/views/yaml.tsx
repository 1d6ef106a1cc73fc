/** The scenario's text, with its errors at their line, and the schema's words. */
import { useSignalEffect } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import type { TextEditor } from '../editor/editor.ts'
import { Typing } from '../editor/typing.ts'
import { write } from '../state/actions.ts'
import * as state from '../state/state.ts'

export function YamlView() {
  const box = useRef<HTMLDivElement>(null)
  const editor = useRef<TextEditor | null>(null)
  const typing = useRef<Typing | null>(null)
  useEffect(() => {
    let gone = false
    void import('../editor/editor.ts').then(({ createEditor }) => {
      if (gone || box.current === null) return
      const own = new Typing(state.text.value, (text) => void write(text))
      typing.current = own
      editor.current = createEditor(box.current, state.text.value, {
        schema: () => state.schema.value,
        changed: (text) => own.typed(text),
      })
      editor.current.showFault(state.fault.value)
    })
    return () => {
      gone = true
      typing.current?.end()
      editor.current?.destroy()
      editor.current = null
    }
  }, [])
  useSignalEffect(() => {
    const text = state.text.value
    if (typing.current?.isOther(text) === true) editor.current?.show(text)
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
