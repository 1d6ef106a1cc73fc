/** The open lab: a question, a prediction, and the run that answers. */
import { useSignal } from '@preact/signals'
import { answer, goToStep, labNamed, noteDone } from '../state/labs.ts'
import * as state from '../state/state.ts'

export function LabPanel() {
  const open = state.lab.value
  const guess = useSignal<{ readonly key: string; readonly choice: number; readonly answered: boolean } | null>(null)
  const lab = open === null ? undefined : labNamed(open.id)
  const step = open === null ? undefined : lab?.steps[open.step]
  if (open === null || lab === undefined || step === undefined) return null
  const key = `${open.id} ${open.step}`
  const own = guess.value?.key === key ? guess.value : null
  const answered = own?.answered === true
  const check = async () => {
    if (own === null) return
    guess.value = { ...own, answered: true }
    noteDone(open.id, open.step)
    await answer(step)
  }
  return (
    <section class="lab" aria-label={`Lab: ${lab.title}`}>
      <header>
        <h2>{lab.title}</h2>
        <span class="muted">
          {open.step + 1} of {lab.steps.length}
        </span>
        <button type="button" aria-label="close the lab" onClick={() => (state.lab.value = null)}>
          ✕
        </button>
      </header>
      {open.step === 0 && !answered ? <p class="muted">{lab.about}</p> : null}
      <fieldset disabled={answered}>
        <legend>{step.question}</legend>
        {step.choices.map((choice, index) => (
          <label
            key={choice}
            class={answered ? (index === step.answer ? 'right' : own?.choice === index ? 'wrong' : '') : ''}
          >
            <input
              type="radio"
              name={key}
              checked={own?.choice === index}
              onChange={() => (guess.value = { key, choice: index, answered: false })}
            />
            {choice}
          </label>
        ))}
      </fieldset>
      {answered ? (
        <div role="status">
          <p>
            <b>{own.choice === step.answer ? 'Yes.' : 'No.'}</b> {step.because}
          </p>
          {open.step + 1 < lab.steps.length ? (
            <button type="button" class="primary" onClick={() => goToStep(open.step + 1)}>
              next question
            </button>
          ) : (
            <button type="button" class="primary" onClick={() => (state.dialog.value = 'labs')}>
              done: another lab
            </button>
          )}
        </div>
      ) : (
        <button type="button" class="primary" disabled={own === null} onClick={() => void check()}>
          {step.edits === undefined ? 'see' : 'change it and run'}
        </button>
      )}
    </section>
  )
}
