/** Every lab of the gallery: it runs, and each step has something to show. */
import { expect, test } from 'vitest'
import type { Look } from '../labs/lab.ts'
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
    const run = async () => new RunModel(await engine.run({ text }), { text })
    let model = await run()
    const missing: string[] = []
    const lookAt = (look: Look, what: string) => {
      const place = found(model, look)
      if (place === null) missing.push(what)
      else if (place.time > model.end) missing.push(`${what} At ${place.time} ms: the run ends at ${model.end}.`)
    }
    lookAt(lab.open, 'What it opens with.')
    for (const { edits, look, question } of lab.steps) {
      if (edits !== undefined) {
        text = await engine.edit(text, edits)
        model = await run()
      }
      lookAt(look, question)
    }
    expect(missing).toEqual([])
  },
  60_000,
)
