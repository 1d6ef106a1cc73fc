import { defineConfig } from 'vitest/config'

/** The tests of one room, which `run.mjs` names. Mutants are slow when others run beside them. */
export default defineConfig({
  test: {
    include: (process.env.TUNGRAM_MUTATION_TESTS ?? '').split(' '),
    testTimeout: 300_000,
  },
})
