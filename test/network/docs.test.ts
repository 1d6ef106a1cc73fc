import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { compile } from '../cli/program.ts'

const { directory, remove } = compile()
afterAll(remove)

const page = readFileSync(new URL('../../docs/network.md', import.meta.url), 'utf8')
/** Every program of the page, with what it says that it prints. */
const examples = [...page.matchAll(/```js\n([\s\S]*?)```(?:\s*```text\n([\s\S]*?)```)?/g)]

test('the page has programs', () => {
  expect(examples.length).toBe(6)
})

for (const [index, [, code = '', output]] of examples.entries())
  test(`program ${index + 1} runs and prints what it says`, () => {
    const file = join(directory, `example-${index}.mjs`)
    writeFileSync(file, code)
    const run = spawnSync(process.execPath, [file], { encoding: 'utf8', timeout: 30_000 })
    rmSync(file)
    expect(run.stderr).toBe('')
    expect(run.status).toBe(0)
    if (output !== undefined) expect(run.stdout).toBe(output)
  })
