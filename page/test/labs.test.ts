/** Every lab of the gallery: it runs, and each step has something to show. */
import { expect, test } from 'vitest'
import { LABS, labText } from '../labs/labs.ts'
import { found } from '../src/state/look.ts'
import { RunModel } from '../src/state/model.ts'
import { ScenarioEngine } from '../src/worker/engine.ts'

test('there are a dozen and more, with three to six steps each', () => {
  expect(LABS.length).toBeGreaterThanOrEqual(12)
  expect(new Set(LABS.map(({ id }) => id)).size).toBe(LABS.length)
  for (const { steps } of LABS) expect([3, 4, 5, 6]).toContain(steps.length)
  const wrong = LABS.flatMap(({ steps }) => steps).filter(({ answer, choices }) => choices[answer] === undefined)
  expect(wrong).toEqual([])
})

test.each(LABS.map((lab) => [lab.id, lab] as const))(
  '%s',
  async (id, lab) => {
    const engine = new ScenarioEngine(() => {})
    let text = await labText(id)
    const run = async () => {
      const loaded = engine.load(text)
      if ('fault' in loaded) throw new Error(`line ${loaded.fault.line}: ${loaded.fault.message}`)
      return new RunModel(await engine.run({}))
    }
    let model = await run()
    const missing: string[] = []
    if (found(model, lab.open) === null) missing.push('what it opens with')
    for (const { edits, look, question } of lab.steps) {
      if (edits !== undefined) {
        text = engine.edit(text, edits)
        model = await run()
      }
      if (found(model, look) === null) missing.push(question)
    }
    expect(missing).toEqual([])
  },
  60_000,
)
