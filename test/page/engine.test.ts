/** The engine behind the page, without a browser. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { KINDS, LOST, type Loaded } from '../../page/src/protocol.ts'
import { ScenarioEngine } from '../../page/src/worker/engine.ts'
import { readScenarioText } from '../../src/cli/scenario-text.ts'
import { runScenario } from '../../src/network/index.ts'

const root = join(import.meta.dirname, '..', '..')
const BLACK_HOLE = join(root, 'examples', 'scenarios', 'pmtu-black-hole.yaml')
const text = readFileSync(BLACK_HOLE, 'utf8')

async function loaded(engine: ScenarioEngine, of: string): Promise<Exclude<Loaded, { fault: unknown }>> {
  const answer = await engine.load(of)
  if ('fault' in answer) throw new Error(answer.fault.message)
  return answer
}

test('a run has the flows of runScenario, and what happened to each datagram as columns', async () => {
  const engine = new ScenarioEngine(() => {})
  const { topology } = await loaded(engine, text)
  expect(topology.nodes.map(({ name, kind }) => `${kind} ${name}`)).toEqual([
    'router r1',
    'router r2',
    'host client',
    'host server',
  ])
  expect(topology.cables[1]).toMatchObject({
    name: 'tunnel',
    mtu: 1500,
    faults: [
      ['10 ms', 'black hole above 1400 bytes'],
      ['10 ms', 'black hole above 1400 bytes'],
    ],
  })
  const run = await engine.run({ text })
  expect(run.flows).toEqual((await runScenario(readScenarioText(text))).flows)
  const { frames, datagrams, events, texts } = run
  const lost = [...frames.flags.keys()].filter((row) => ((frames.flags[row] as number) & LOST) !== 0)
  const why = (row: number) => `${texts[frames.reason[row] as number]} at ${texts[frames.lostAt[row] as number]}`
  expect([...new Set(lost.map(why))]).toEqual(['LinkMtuExceeded at r1'])
  expect(lost).toHaveLength(300)
  expect([...frames.start].every((time, row) => row === 0 || time >= (frames.start[row - 1] as number))).toBe(true)
  expect(datagrams.flow.filter((flow) => flow === 1)).toHaveLength(100)
  expect(events.what.filter((kind) => KINDS[kind] === 'delivered')).toHaveLength(100)
  // A datagram of the third flow leaves in fragments, each with its place.
  const third = datagrams.flow.indexOf(2) + 1
  const own = [...frames.datagram.keys()].filter(
    (row) => frames.datagram[row] === third && texts[frames.from[row] as number] === 'client',
  )
  expect(own.map((row) => frames.offset[row])).toEqual([0, 1480, 2960])
  expect(run.flowTimes[0]?.latency[0]).toBe(12)
  expect(run.flowTimes[1]?.dropped).toHaveLength(100)
})

test('a capture is that of tungram sim, to the byte', async () => {
  const engine = new ScenarioEngine(() => {})
  const folder = mkdtempSync(join(tmpdir(), 'tungram-page-'))
  try {
    const file = join(folder, 'sim.pcapng')
    execFileSync(process.execPath, [join(root, 'dist', 'cli.js'), 'sim', BLACK_HOLE, '--seed', '7', '--capture', file])
    const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
    expect(hash(await engine.capture({ text, seed: 7 }))).toBe(hash(readFileSync(file)))
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('a packet has its life, its bytes and the place of each field', async () => {
  const engine = new ScenarioEngine(() => {})
  const { life, frames } = await engine.detail({ text }, 2)
  expect(life).toContain('DROPPED at eth1: LinkMtuExceeded')
  expect(frames.map(({ at, direction }) => `${at} ${direction}`)).toEqual([
    'client.eth0 out',
    'r1.eth0 in',
    'r1.eth1 out',
  ])
  expect(frames[2]?.notes.join()).toContain('LinkMtuExceeded')
  const [ip, udp] = frames[2]?.layers ?? []
  const ttl = ip?.fields.find(({ name }) => name === 'TTL')
  expect(ttl).toMatchObject({ value: '63', at: 8, length: 1, source: 'RFC 791 section 3.1' })
  expect(frames[2]?.bytes[ttl?.at as number]).toBe(63)
  expect(udp?.fields.find(({ name }) => name === 'destination port')).toMatchObject({ at: 22, length: 2 })
  await expect(engine.detail({ text }, 10_000)).rejects.toThrow('There is no datagram 10000 in this run.')
})

test('a run ends where it is told to', async () => {
  const engine = new ScenarioEngine(() => {})
  const run = await engine.run({ text, until: 250 })
  expect([run.time, run.interrupted, run.flows[0]?.sent]).toEqual([250, true, 3])
})

test('a text that is wrong has its line and column', async () => {
  const engine = new ScenarioEngine(() => {})
  expect(await engine.load('hosts: { a: , b: }\nlinks:\n  - { between: [a, b], mtu: 12 }\n')).toEqual({
    fault: { line: 3, column: 24, message: expect.stringContaining('links[0].mtu: 12 is') },
  })
  expect(await engine.load('hosts: [')).toMatchObject({ fault: { line: 1 } })
})

test('an answer is of what its call says, whatever was asked before', async () => {
  const engine = new ScenarioEngine(() => {})
  const other = 'hosts: { a: , b: }\nlinks: [{ between: [a, b] }]\nflows: [{ from: a, to: b, count: 1 }]\n'
  const programs = [{ host: 'a', at: 0, line: 'ping -c 1 b' }]
  const captures = [await engine.capture({ text: other }), await engine.capture({ text: other, programs })]
  await loaded(engine, text)
  expect(await engine.load('hosts: [')).toMatchObject({ fault: { line: 1 } })
  expect((await engine.run({ text: other })).flows).toHaveLength(1)
  expect((await engine.run({ text })).flows).toHaveLength(3)
  expect(await engine.capture({ text: other })).toEqual(captures[0])
  expect(captures[1]?.length).toBeGreaterThan(captures[0]?.length ?? 0)
  // A worker that has just begun knows as much.
  expect(await new ScenarioEngine(() => {}).detail({ text: other, programs }, 2)).toEqual(
    await engine.detail({ text: other, programs }, 2),
  )
})

test('whatever takes long says how far it is', async () => {
  // A clock by which each look at it takes a second.
  let now = 0
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => (now += 1000))
  try {
    vi.resetModules()
    const { ScenarioEngine: SlowEngine } = await import('../../page/src/worker/engine.ts')
    for (const call of ['run', 'capture', 'detail'] as const) {
      const told: number[] = []
      await new SlowEngine((time) => told.push(time))[call]({ text, until: 250 }, 1)
      expect(told.at(-1), call).toBeGreaterThanOrEqual(200)
    }
  } finally {
    clock.mockRestore()
  }
})

test('an edit keeps comments and order, and gives the scenario that was meant', async () => {
  const engine = new ScenarioEngine(() => {})
  let changed = await engine.edit(text, [
    { set: ['links', 1, 'forward', 'mtu'], value: 1500 },
    { set: ['hosts', 'other'], value: null },
    { set: ['links', 3], value: { between: ['other', 'r2'], delay: '1ms' } },
    { rename: 'server', to: 'sink' },
    { remove: ['flows', 2] },
  ])
  expect(changed.split('\n')[0]).toBe(text.split('\n')[0])
  const { scenario } = await loaded(engine, changed)
  expect(scenario.links?.[1]?.forward).toEqual({ mtu: 1500 })
  expect(scenario.links?.[3]?.between).toEqual(['other', 'r2'])
  expect(scenario.flows?.map(({ to }) => to)).toEqual(['sink', 'sink'])
  changed = await engine.edit('', [
    { set: ['hosts', 'h1'], value: null },
    { set: ['hosts', 'h1', 'echo'], value: [7] },
  ])
  expect((await loaded(engine, changed)).scenario.hosts).toEqual({ h1: { echo: [7] } })
  await expect(engine.edit('hosts: [', [])).rejects.toThrow('The text cannot be changed while it has an error')
})

test('a run with more events than the page keeps is ended, and says so', async () => {
  const many = JSON.stringify({
    hosts: { a: null, b: null },
    links: [{ between: ['a', 'b'] }],
    flows: [{ from: 'a', to: 'b', rate: 10_000, count: 40_000, size: 20 }],
  })
  const run = await new ScenarioEngine(() => {}, undefined, 30_000).run({ text: many })
  expect([run.full, run.interrupted]).toEqual([true, true])
  const sent = run.flows[0]?.sent as number
  expect(sent).toBeGreaterThan(20_000)
  expect(sent).toBeLessThan(40_000)
  expect(run.events.time.length).toBeGreaterThan(30_000)
  expect((await new ScenarioEngine(() => {}).run({ text })).full).toBe(false)
})
