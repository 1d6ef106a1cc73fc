import { afterAll, expect, test } from 'vitest'
import { SeededRandom } from '../../src/base/random.ts'
import { describeOnTun } from '../tun/namespace.ts'
import { difference } from './compare.ts'
import { HASTE } from './kernel-host.ts'
import { comparableTraffic, type Listed } from './listed.ts'
import { Traffic } from './mutations.ts'
import { makeHosts } from './world.ts'

/**
 * Sequences per run, and where they start;
 * `TUNGRAM_DIFFERENTIAL=1000000 npx vitest run test/differential/mutations` for a long one.
 */
const TRIALS = Number(process.env.TUNGRAM_DIFFERENTIAL ?? 20_000)
/**
 * Sequences before identifications come again: then both hosts are new, and the kernel has
 * forgotten the fragments that it had.
 */
const HOSTS_LIVE = 60_000
const SEED = process.env.TUNGRAM_SEED ?? '1'

describeOnTun('the kernel and the stack treat damaged traffic alike', () => {
  let { kernel, stack } = makeHosts()
  afterAll(() => {
    kernel.close()
    stack.close()
  })

  test(`${TRIALS} sequences of seed ${SEED}`, { timeout: 3_600_000 }, () => {
    const traffic = new Traffic(new SeededRandom(`differential ${SEED}`))
    const seen = new Map<Listed, number>()
    const problems: string[] = []
    let packets = 0
    const started = performance.now()
    let born = started
    for (let trial = 0; trial < TRIALS; trial++) {
      if (trial % HOSTS_LIVE === HOSTS_LIVE - 1) {
        kernel.close()
        stack.close()
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, (60_000 / HASTE) * 1.2)
        ;({ kernel, stack } = makeHosts())
        born = performance.now()
      }
      // Both hosts forget fragments at the same time, however slow the machine is.
      if (trial % 10 === 0) stack.clock.advance((performance.now() - born) * HASTE - stack.clock.now())
      const each = comparableTraffic(traffic.next())
      packets += each.length
      const met = new Set<Listed>()
      const found = difference(kernel, stack, each, met)
      for (const reason of met) seen.set(reason, (seen.get(reason) ?? 0) + 1)
      if (found !== '') problems.push(`trial ${trial}: ${found}`)
      if (problems.length > Number(process.env.TUNGRAM_DIFFERENCES ?? 5)) break
    }
    const rows = [...seen].map(([{ what, why }, count]) => `  ${count} × ${what} (${why})`)
    if (TRIALS > 20_000)
      console.log(
        [
          `${TRIALS} sequences, ${packets} packets, ${Math.round((performance.now() - started) / 1000)} s`,
          ...rows,
        ].join('\n'),
      )
    if (problems.length > 0) expect.fail(problems.join('\n'))
    expect(packets).toBeGreaterThan(TRIALS)
  })
})
