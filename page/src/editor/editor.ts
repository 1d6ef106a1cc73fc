/** The editor of the scenario's text: CodeMirror, loaded when it is first shown. */
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete'
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands'
import { yaml } from '@codemirror/lang-yaml'
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from '@codemirror/language'
import { EditorState, StateEffect, StateField, Transaction } from '@codemirror/state'
import {
  Decoration,
  type DecorationSet,
  drawSelection,
  EditorView,
  highlightActiveLine,
  keymap,
  lineNumbers,
} from '@codemirror/view'
import { tags } from '@lezer/highlight'
import type { Schema } from '../../../src/network/index.ts'
import type { TextFault } from '../protocol.ts'
import { completeBySchema } from './completion.ts'

export interface TextEditor {
  /** Shows another text, when it is not what is there. */
  show(text: string): void
  showFault(fault: TextFault | null): void
  destroy(): void
}

const LOOK = EditorView.theme({
  '&': { height: '100%', fontSize: '12px', backgroundColor: 'transparent', color: 'var(--ink)' },
  '.cm-content': { fontFamily: 'var(--mono)', caretColor: 'var(--ink)' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.55' },
  '.cm-gutters': { backgroundColor: 'transparent', color: 'var(--muted)', border: 'none' },
  '.cm-activeLine': { backgroundColor: 'var(--soft)' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)' },
  '&.cm-focused .cm-selectionBackground, .cm-selectionBackground': { backgroundColor: 'var(--chosen) !important' },
  '.cm-tooltip': { backgroundColor: 'var(--paper)', border: '1px solid var(--line)', color: 'var(--ink)' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { backgroundColor: 'var(--chosen)', color: 'var(--ink)' },
  '.cm-fault': { boxShadow: 'inset 3px 0 var(--bad)' },
  '.cm-fault-text': { textDecoration: 'underline wavy var(--bad)', textUnderlineOffset: '3px' },
  '&.cm-focused': { outline: '1px solid var(--accent)', outlineOffset: '-1px' },
})

const COLORS = HighlightStyle.define([
  { tag: tags.propertyName, color: 'var(--accent)' },
  { tag: tags.comment, color: 'var(--muted)' },
  { tag: [tags.number, tags.bool, tags.string], color: 'var(--ink)' },
  { tag: [tags.punctuation, tags.separator, tags.squareBracket, tags.brace], color: 'var(--muted)' },
])

const setFault = StateEffect.define<TextFault | null>()
/** The line of an error, and what is wrong from its column on; both move with the text. */
const FAULT = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, { changes, effects, state }) {
    const effect = effects.find((each) => each.is(setFault))
    if (effect === undefined) return marks.map(changes)
    const fault: TextFault | null = effect.value
    if (fault === null) return Decoration.none
    const { from, to } = state.doc.line(Math.min(fault.line, state.doc.lines))
    const at = Math.min(to, from + fault.column - 1)
    const attributes = { title: fault.message }
    return Decoration.set([
      Decoration.line({ class: 'cm-fault', attributes }).range(from),
      ...(at < to ? [Decoration.mark({ class: 'cm-fault-text', attributes }).range(at, to)] : []),
    ])
  },
  provide: (field) => EditorView.decorations.from(field),
})

export function createEditor(
  parent: HTMLElement,
  text: string,
  { schema, changed }: { schema: () => Schema | null; changed: (text: string) => void },
): TextEditor {
  /** Whether a change is the page's own. */
  let showing = false
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: text,
      extensions: [
        lineNumbers(),
        history(),
        drawSelection(),
        indentOnInput(),
        bracketMatching(),
        closeBrackets(),
        highlightActiveLine(),
        FAULT,
        yaml(),
        syntaxHighlighting(COLORS),
        autocompletion({ override: [completeBySchema(schema)] }),
        keymap.of([...closeBracketsKeymap, ...completionKeymap, ...historyKeymap, ...defaultKeymap, indentWithTab]),
        EditorView.contentAttributes.of({ 'aria-label': 'Scenario in YAML; Escape and Tab leave the editor' }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged && !showing) changed(update.state.doc.toString())
        }),
        LOOK,
      ],
    }),
  })
  return {
    show(next) {
      const now = view.state.doc.toString()
      if (now === next) return
      showing = true
      view.dispatch({
        changes: { from: 0, to: now.length, insert: next },
        annotations: Transaction.addToHistory.of(false),
      })
      showing = false
    },
    showFault: (fault) => view.dispatch({ effects: setFault.of(fault) }),
    destroy: () => view.destroy(),
  }
}
