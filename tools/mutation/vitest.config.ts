import { defineConfig } from 'vitest/config'

const { tests, slow = [] } = JSON.parse(process.env.TUNGRAM_MUTATION_ROOM ?? '{"tests":[]}')

/** The tests of one room, which `run.mjs` names. Mutants are slow when others run beside them. */
export default defineConfig({
  test: {
    include: tests,
    testNamePattern: slow.length === 0 ? undefined : `^(?!.*(${slow.join('|')}))`,
    testTimeout: 300_000,
  },
})
