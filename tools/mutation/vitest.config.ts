import { defineConfig } from 'vitest/config'

/** The tests that run in memory: mutants are killed by these. */
export default defineConfig({
  test: {
    include: [
      'test/base/**/*.test.ts',
      'test/wire/**/*.test.ts',
      'test/ip/**/*.test.ts',
      'test/udp/**/*.test.ts',
      'test/network/nat*.test.ts',
    ],
    testTimeout: 30_000,
  },
})
