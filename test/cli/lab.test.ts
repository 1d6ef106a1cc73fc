/** The scenarios of examples/, the pages in docs/lab that show them, and what they claim. */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readScenarioFile } from '../../src/cli/scenario-file.ts'
import { type FlowResult, runScenario, type ScenarioResult } from '../../src/network/scenario/flow.ts'
import { compile } from './program.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const pages = readdirSync(`${root}/docs/lab`).map((name) => ({
  name,
  text: readFileSync(`${root}/docs/lab/${name}`, 'utf8'),
}))

function resultOf(name: string): Promise<ScenarioResult> {
  return runScenario(readScenarioFile(`${root}/examples/scenarios/${name}.yaml`))
}

async function flowsOf(name: string): Promise<FlowResult[]> {
  return (await resultOf(name)).flows
}

describe('the pages', () => {
  let program: ReturnType<typeof compile>
  beforeAll(() => {
    program = compile()
  }, 60_000)
  afterAll(() => program.remove())

  test('every scenario is shown on a page of the laboratory', () => {
    const text = pages.map((page) => page.text).join('\n')
    const scenarios = readdirSync(`${root}/examples/scenarios`)
    expect(scenarios.length).toBeGreaterThan(6)
    expect(scenarios.filter((name) => !text.includes(`tungram sim examples/scenarios/${name}\n`))).toEqual([])
  })

  test.each(pages)('what $name shows is what its commands print', ({ text }) => {
    const shown = [...text.matchAll(/```console\n\$ tungram (.+)\n([\s\S]*?)```/g)]
    expect(shown.length).toBeGreaterThan(0)
    for (const [, command = '', output] of shown) {
      const { stdout } = spawnSync(process.execPath, [program.cli, ...command.split(' ')], {
        cwd: root,
        encoding: 'utf8',
      })
      expect(stdout).toBe(output)
    }
  })
})

describe('the claims', () => {
  test('fragmentation amplifies loss as 1-(1-p)^n says', async () => {
    const flows = await flowsOf('fragmentation-loss')
    for (const [index, fragments] of [1, 3, 6].entries()) {
      const { sent, lost, fragments: made } = flows[index] as FlowResult
      const expected = 1 - 0.99 ** fragments
      expect(made).toBe(fragments === 1 ? 0 : sent * fragments)
      // Four standard errors.
      expect(Math.abs(lost / sent - expected)).toBeLessThan(4 * Math.sqrt((expected * (1 - expected)) / sent))
    }
  })

  test('a black hole takes exactly what is longer than 1400 bytes, without ICMP', async () => {
    const flows = await flowsOf('pmtu-black-hole')
    expect(flows.map(({ sent, received, icmp }) => [received / sent, icmp])).toEqual([
      [1, {}],
      [0, {}],
      [0, {}],
    ])
  })

  test('a TTL of n ends at the nth router', async () => {
    const flows = await flowsOf('ttl-scoping')
    expect(
      flows.map(({ received, drops }) => [received, drops.map(({ node, reason }) => `${node} ${reason}`)]),
    ).toEqual([
      [0, ['r1 IpHopLimitExceeded']],
      [0, ['r2 IpHopLimitExceeded']],
      [0, ['r3 IpHopLimitExceeded']],
      [10, []],
    ])
  })

  test('CoDel keeps the throughput and takes the waiting away', async () => {
    const [tail, codel] = [await resultOf('bufferbloat'), await resultOf('bufferbloat-codel')]
    const [bulk, call] = tail.flows as [FlowResult, FlowResult]
    const [codelBulk, codelCall] = codel.flows as [FlowResult, FlowResult]
    const uplinks = [tail, codel].map(({ hops }) => hops.find(({ from, to }) => from === 'modem' && to === 'server'))
    for (const uplink of uplinks) expect(uplink?.utilization).toBeGreaterThan(0.99)
    const figures = uplinks.map((hop) => ({
      frames: hop?.queue?.length.mean.toFixed(0),
      mean: hop?.queue?.wait?.mean.toFixed(0),
      p99: hop?.queue?.wait?.p99.toFixed(0),
      drops: hop?.drops.WireQueueFull ?? hop?.drops.WireCodel,
    }))
    const [before, after] = figures
    for (const row of [
      `frames that wait, on average | ${before?.frames} | ${after?.frames} |`,
      `mean wait | ${before?.mean} ms | ${after?.mean} ms |`,
      `wait of the 99th percentile | ${before?.p99} ms | ${after?.p99} ms |`,
      `frames discarded | ${before?.drops} | ${after?.drops} |`,
    ])
      expect(pages.find(({ name }) => name === 'bufferbloat.md')?.text).toContain(row)
    expect(call.latency?.p50).toBeGreaterThan(1500)
    expect(codelCall.latency?.p50).toBeLessThan(100)
    expect(Math.abs(codelBulk.throughput / bulk.throughput - 1)).toBeLessThan(0.05)
  })

  test('mixed sizes are reordered, equal ones are not', async () => {
    const [mixed, equal] = (await flowsOf('reordering-by-size')) as [FlowResult, FlowResult]
    expect(mixed.reordered).toBeGreaterThan(100)
    expect([mixed.lost, equal.reordered]).toEqual([0, 0])
  })

  test('two NATs are opened from both sides, and stay closed for others', async () => {
    const [alice, bob, stranger] = (await flowsOf('nat-hole-punching')) as [FlowResult, FlowResult, FlowResult]
    expect([alice.lost, bob.lost, stranger.received]).toEqual([10, 0, 0])
  })

  test('an address that another host has is not used', async () => {
    const [toAlice, fromBob] = (await flowsOf('dad-conflict')) as [FlowResult, FlowResult]
    expect([toAlice.received, fromBob.sent, fromBob.errors]).toEqual([5, 0, { ENETUNREACH: 5 }])
  })

  test('a switch that snoops forgets its members after 260 s, where nobody asks', async () => {
    const [film] = (await flowsOf('multicast')) as [FlowResult]
    // Sent at 1 s, 6 s, …: the last report is a second old or so.
    expect([film.received, film.lost]).toEqual([52, 8])
    expect(film.drops).toEqual([{ node: 'sw', nic: 'eth1', reason: 'WireNoReceiver', count: 8 }])
  })

  test('anycast leads to the nearest host, and to the next one when routes have changed', async () => {
    const [alice, bob] = (await flowsOf('anycast')) as [FlowResult, FlowResult]
    expect([alice.lost, alice.latency?.min, alice.latency?.max]).toEqual([10, 2, 22])
    expect([bob.lost, bob.latency?.max]).toEqual([0, 2])
  })
})
