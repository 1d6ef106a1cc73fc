import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { allTests, quickTests } from './test/quick.ts'

const quick = quickTests()

export default defineConfig({
  // What package.json says of it names the built file.
  resolve: { alias: { '#platform': `${import.meta.dirname}/src/socket-api/platform/node.ts` } },
  test: {
    // The quick ones share processes and the modules in them: to load these anew for each file takes
    // two fifths of the CPU time.
    projects: [
      { extends: true, test: { name: 'quick', include: quick, isolate: false } },
      { extends: true, test: { name: 'programs', include: allTests().filter((path) => !quick.includes(path)) } },
    ],
    globalSetup: 'test/build.ts',
    reporters: ['default', './test/skips-reporter.ts'],
    // Files on a real device move their process into a network namespace: a process each, not a thread.
    pool: 'forks',
    // Most files wait for devices, timers and child processes: more of them than CPUs at a time.
    maxWorkers: availableParallelism() + 1,
    // On a machine with other work a browser that draws without a GPU is ten times as slow.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      reporter: ['text-summary', 'json-summary', 'html'],
    },
  },
})
