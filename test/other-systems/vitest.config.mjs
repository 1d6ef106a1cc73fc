// Tests of what runs in memory, in a process of another system: programs.test.ts runs them.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    root: `${import.meta.dirname}/../..`,
    include: [
      'test/network/network.test.ts',
      'test/network/nat/nat.test.ts',
      'test/network/nodes/switch.test.ts',
      'test/network/observe/lineage.test.ts',
      'test/socket-api/dgram/{bind,connect,groups,options}.test.ts',
    ],
    setupFiles: ['test/other-systems/as-darwin.ts'],
    pool: 'forks',
    isolate: false,
    maxWorkers: 1,
    testTimeout: 30_000,
  },
})
