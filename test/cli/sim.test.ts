/** The command sim: results, sweeps, and files that are wrong. */
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readScenarioFile } from '../../src/cli/scenario-file.ts'
import { readCapture } from '../../src/link/capture/capture-reader.ts'
import { SCENARIO_SCHEMA } from '../../src/network/scenario/scenario-schema.ts'
import { compile, start } from './program.ts'

let program: ReturnType<typeof compile>
beforeAll(() => {
  program = compile()
}, 60_000)
afterAll(() => program.remove())

/** Of programs that start on a busy machine. */
const PATIENCE = { timeout: 60_000 }

function file(text: string, name = 'lab.yaml'): string {
  const path = join(program.directory, name)
  writeFileSync(path, text)
  return path
}
const run = (...args: string[]) => start(program.cli, args).end()

const LAB = `
name: Lab
hosts: { a: , b: }
routers: { r: }
links:
  - { between: [a, r], delay: 5ms }
  - { between: [r, b], delay: 5ms, mtu: 1400, forward: { loss: 0.1 } }
flows:
  - { name: out, from: a, to: b, size: 2000, rate: 100, count: 200, dontFragment: 'off' }
  - { name: and back, from: a, to: b, size: 100, rate: 100, count: 200, mode: echo }
`

test('sim counts per flow, explains each loss, and the same seed gives the same bytes', async () => {
  const path = file(LAB)
  const captures = ['1', '2'].map((number) => join(program.directory, `sim${number}.pcapng`))
  const [first, second] = [
    await run('sim', path, '--json', '--capture', captures[0] as string),
    await run('sim', path, '--json', '--capture', captures[1] as string),
  ]
  expect(first).toMatchObject({ code: 0, stderr: '' })
  expect(second.stdout).toBe(first.stdout)
  const bytes = captures.map((each) => readFileSync(each))
  expect(bytes[0]?.equals(bytes[1] as Buffer)).toBe(true)
  expect([...readCapture(bytes[0] as Buffer)].length).toBeGreaterThan(1000)

  const { flows, seed, interrupted } = JSON.parse(first.stdout)
  expect({ seed, interrupted }).toEqual({ seed: 1, interrupted: false })
  const [out, back] = flows
  expect(out).toMatchObject({
    name: 'out',
    sent: 200,
    duplicated: 0,
    reordered: 0,
    latency: { min: 10, p50: 10, max: 10 },
  })
  expect(out.received + out.lost).toBe(200)
  // Two by the sender; that the router cuts the longer one again is not counted.
  expect(out.fragments).toBe(400)
  expect(out.drops).toContainEqual({ node: 'r', nic: 'eth1', reason: 'WireLoss', count: expect.any(Number) })
  expect(back.latency).toMatchObject({ min: 20, max: 20 })
  expect(back.drops).toEqual([{ node: 'r', nic: 'eth1', reason: 'WireLoss', count: back.lost }])

  const other = await run('sim', path, '--json', '--seed', 'another')
  expect(other.stdout).not.toBe(first.stdout)
})

test('sim prints the counts for people', async () => {
  const { stdout } = await run('sim', file(LAB))
  expect(stdout).toMatch(
    /^Lab\nout: a > b, one-way\n {2}sent 200, received \d+, lost \d+ \([\d.]+ %\), duplicated 0, reordered 0\n/,
  )
  expect(stdout).toMatch(/ {2}round trip min\/mean\/p50\/p90\/p99\/max 20\/20\/20\/20\/20\/20 ms/)
  expect(stdout).toContain('s of simulated time, seed 1\n')
})

test('a sweep runs all combinations on all cores, and repetitions have confidence intervals', async () => {
  const { code, stdout } = await run(
    'sim',
    file(LAB),
    '--sweep',
    'links.r-b.forward.loss=0,0.2',
    '--sweep',
    'size=500..1500:1000',
    '--repeat',
    '8',
    '--json',
  )
  expect(code).toBe(0)
  const { points, interrupted } = JSON.parse(stdout)
  expect(interrupted).toBe(false)
  expect(points.map(({ parameters }: { parameters: object }) => parameters)).toEqual(
    [0, 0.2].flatMap((loss) => [500, 1500].map((size) => ({ 'links.r-b.forward.loss': loss, size }))),
  )
  const lossOf = (index: number) => points[index].flows[0].measures.lossRate
  expect(lossOf(0)).toMatchObject({ mean: 0, low: 0 })
  // One fragment; then two by the sender, of which the router cuts the first: 1-(1-p)^n.
  expect(Math.abs(lossOf(2).mean - 0.2)).toBeLessThan(lossOf(2).halfWidth + 0.02)
  expect(Math.abs(lossOf(3).mean - (1 - 0.8 ** 3))).toBeLessThan(lossOf(3).halfWidth + 0.02)
  expect(lossOf(3).halfWidth).toBeGreaterThan(0)

  const again = await run('sim', file(LAB), '--sweep', 'size=500,1500', '--jobs', '1')
  expect(again.stdout.split('\n')[0]).toMatch(/size +flow +sent +lost %/)
  expect(again.stdout.trimEnd().split('\n')).toHaveLength(5)
})

test('Ctrl-C gives what there is', async () => {
  const path = file(LAB.replaceAll('count: 200', 'stop: 1h').replaceAll('rate: 100', 'rate: 1000'))
  const capture = join(program.directory, 'interrupted.pcapng')
  const sim = start(program.cli, ['sim', path, '--json', '--capture', capture])
  // It is under way: more than a hundred datagrams of 2000 bytes have passed.
  await expect.poll(() => statSync(capture, { throwIfNoEntry: false })?.size ?? 0, PATIENCE).toBeGreaterThan(1e6)
  const { code, stdout } = await sim.end('SIGINT')
  expect(code).toBe(130)
  const { interrupted, flows, time } = JSON.parse(stdout)
  expect(interrupted).toBe(true)
  expect(time).toBeGreaterThan(0)
  expect(flows[0].sent).toBeGreaterThan(100)
  // Those that the delay of 15 ms holds are not lost: a tenth of what arrives is.
  const [{ sent, received, lost, inFlight }] = flows
  expect(received + lost + inFlight).toBe(sent)
  expect(inFlight).toBeGreaterThan(0)
  expect(inFlight).toBeLessThan(30)
}, 120_000)

/** Says on standard error when a thread of the program has sent its first result. */
const TELL = `process.on('worker', (worker) => worker.once('message', () => process.stderr.write('a run is done')))`

test('numbers of a run have no digits that mean nothing', async () => {
  const path = file(`
hosts: { a: , b: }
links: [{ between: [a, b], delay: 5ms, jitter: 2ms, keepOrder: false, rate: 7Mbit, loss: 0.03 }]
flows:
  - { from: a, to: b, size: 333, rate: 170, count: 300, pattern: poisson }
  - { from: a, to: b, size: 133, rate: 77, count: 200, mode: echo }
measure: { from: 300ms, to: 2500ms }
`)
  const { stdout } = await run('sim', path, '--json')
  const numbers: string[] = stdout.match(/-?\d+\.\d+/g) ?? []
  expect(numbers.length).toBeGreaterThan(40)
  // Nanoseconds of milliseconds, or nine digits of what is no time.
  expect(
    numbers.filter((each) => !/^-?\d+\.\d{1,6}$/.test(each) && each.replace(/^-?0\.0*|[-.]/g, '').length > 9),
  ).toEqual([])
})

test('the text of a sweep has a table of the hops whose load differs, with the figures of --json', async () => {
  const path = file(`
hosts: { a: , b: }
routers: { r: }
links:
  - { between: [a, r] }
  - { name: slow, between: [r, b], rate: 8Mbit, forward: { queue: { tailDrop: { packets: 20 } } } }
flows: [{ from: a, to: b, size: 972, rate: 500, count: 100 }]
`)
  const sweep = ['sim', path, '--sweep', 'flows.0.rate=500,2000']
  const { points } = JSON.parse((await run(...sweep, '--json')).stdout)
  type Hop = { from: string; link: string; measures: Record<string, { mean: number }> }
  const expected = points.map(({ hops }: { hops: Hop[] }, index: number) => {
    const { measures } = hops.find((hop) => hop.link === 'slow' && hop.from === 'r') as Hop
    const figures = [
      measures.offered?.mean,
      100 * (measures.utilization?.mean ?? 0),
      ...['meanLength', 'maxLength', 'meanWait', 'p99Wait', 'dropped'].map((measure) => measures[measure]?.mean),
    ]
    const texts = figures.map((each) => `${Number(each?.toFixed(3))}`)
    return [`${[500, 2000][index]}`, 'slow', 'r > b', ...texts]
  })
  expect(Number(expected[1].at(-1))).toBeGreaterThan(20)
  const { stdout } = await run(...sweep)
  const [flows, hops = ''] = stdout.trimEnd().split('\n\n')
  expect(flows?.split('\n')).toHaveLength(3)
  const [head, ...rows] = hops.split('\n').map((line) => line.trim().split(/ {2,}/))
  expect(head).toEqual(
    'flows.0.rate,link,from > to,frames,busy %,queue mean,max,wait mean ms,p99 ms,dropped'.split(','),
  )
  expect(rows).toEqual(expected)
})

test('Ctrl-C of a sweep gives the points that are done', async () => {
  const path = file(LAB.replaceAll('count: 200', 'count: 2000'))
  const preload = `--import=data:text/javascript,${encodeURIComponent(TELL)}`
  const sim = start(preload, [program.cli, 'sim', path, '--sweep', 'size=100..1000:1', '--json'])
  await sim.says('a run is done')
  const { code, stdout } = await sim.end('SIGINT')
  expect(code).toBe(130)
  const { interrupted, points } = JSON.parse(stdout)
  expect(interrupted).toBe(true)
  expect(points.length).toBeGreaterThan(0)
  expect(points.length).toBeLessThan(901)
}, 120_000)

test.each([
  [
    'an unknown key',
    LAB.replace('delay: 5ms }', 'dealy: 5ms }'),
    ':6: links[0].dealy: unknown key, did you mean delay?; there are between, name, mtu,',
  ],
  [
    'an MTU below the minimum',
    LAB.replace('mtu: 1400', 'mtu: 60'),
    ':7: links[1].mtu: 60 is below 68; expected an MTU',
  ],
  [
    'a negative rate',
    LAB.replace('rate: 100', 'rate: -5'),
    ':9: flows[0].rate: -5 is not above 0; expected datagrams a second',
  ],
  ['a negative rate of a wire', LAB.replace('loss: 0.1', 'rate: -1'), ':7: links[1].forward.rate: -1 is not above 0'],
  ['a loss above 1', LAB.replace('loss: 0.1', 'loss: 2'), ':7: links[1].forward.loss: '],
  [
    'a delay without unit',
    LAB.replace('delay: 5ms', "delay: '5'"),
    ':6: links[0].delay: "5" does not belong here; expected a delay',
  ],
  [
    'subnets that overlap',
    LAB.replace('delay: 5ms }', 'subnet: 10.1.0.0/16 }').replace('mtu: 1400', 'mtu: 1400, subnet: 10.1.2.0/24'),
    ':7: links[1].subnet: The subnet 10.1.2.0/24 overlaps 10.1.0.0/16',
  ],
  [
    'a host that cannot be reached',
    LAB.replace('b: }', 'b: , c: }').replace('to: b', 'to: c'),
    ':9: flows[0].to: c cannot be reached from a',
  ],
  ['a host that there is not', LAB.replace('to: b', 'to: z'), ':9: flows[0].to: No node is named z: there are r, a, b'],
  ['a cable to nowhere', LAB.replace('[a, r]', '[a, q]'), ':6: links[0]: No node is named q'],
  [
    'IPv6 where the MTU leaves it out',
    LAB.replace('mtu: 1400', 'mtu: 600').replace('to: b', 'family: 6, to: b'),
    ':9: flows[0].to: b has no IPv6',
  ],
  [
    'an IPv6 address where the MTU leaves it out',
    LAB.replace('mtu: 1400', "mtu: 600, addresses: { b: 'fd01::1/64' }"),
    ':7: links[1].addresses.b: fd01::1 cannot be an address of eth0: IPv6 needs an MTU of 1280',
  ],
  ['a name in two groups', LAB.replace('b: }', 'b: , r: }'), ':3: hosts.r: routers has a node named r too (routers.r)'],
  [
    'a trace that is none',
    LAB.replace('loss: 0.1', 'rate: { trace: x }'),
    ':7: links[1].forward.rate: Opportunity 1 of the trace',
  ],
  [
    'an echo port that is there twice',
    LAB.replace('b: }', 'b: { echo: [7, 7] } }'),
    ':3: hosts.b.echo[1]: the port 7 of b cannot be opened',
  ],
  ['an event without its link', `${LAB}events:\n  - { at: 1s, state: down }\n`, ':12: events[0]: state needs a link'],
  [
    'an event that does two things',
    `${LAB}events:\n  - { at: 1s, heal: true, updateRoutes: true }\n`,
    ':12: events[0]: expected one of',
  ],
  [
    'a port that is taken',
    LAB.replace('b: }', 'b: { echo: [7] } }').replace('to: b', 'to: b, port: 7'),
    ':9: flows[0].port: b has its echo service on 7',
  ],
  ['a missing key', LAB.replace('from: a, ', ''), ":9: flows[0]: 'from' is missing"],
  ['a key that is there twice', `${LAB}name: again\n`, ':11: Map keys must be unique'],
  ['no YAML at all', 'hosts: [a\nlinks: {', ':2: '],
])('%s is an error with line, column and key', async (_what, text, reason) => {
  const path = file(text, 'wrong.yaml')
  const [, line = '', rest = ''] = /^:(\d+): (.*)$/.exec(reason) ?? []
  const said = thrown(() => readScenarioFile(path))
  expect(said).toMatch(/:\d+:\d+: /)
  expect(said.replace(/:(\d+):\d+: /, ':$1: ')).toContain(`${path}:${line}: ${rest}`)
})

function thrown(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    return (error as Error).message
  }
  return ''
}

test.each([
  ['an alias without its anchor', 'hosts: { a: *who }', ':1:13: the alias *who stands before its anchor'],
  ['an alias within what it stands for', 'hosts: &all\n  a: { addresses: *all }\n', ':2:19: the alias *all is within'],
  ['a list within itself', 'links: &l [*l]', ':1:12: the alias *l is within'],
  [
    'what an alias stands for',
    'hosts: { a: &x { hopLimit: 300 }, b: *x }',
    ':1:18: hosts.a.hopLimit: 300 is above 255',
  ],
  [
    'aliases of aliases of aliases',
    'a: &a [1,2,3,4,5,6,7,8,9]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: ' +
      '[*c,*c,*c,*c,*c,*c]',
    ':2:8: Excessive alias count',
  ],
  ['a tag that nobody knows', 'name: !secret x', ':1:7: Unresolved tag: !secret'],
  ['nothing at all', '', ':1:1: '],
  ['a word where a map belongs', '\n  - x', ':2:3: '],
  ['two documents', 'name: a\n---\nname: b', ':2:1: Source contains multiple documents'],
  ['a name with a colon and a blank', "hosts:\n  'a: b': { address: 7 }", ':2:13: hosts.a: b.address'],
  [
    'a colon in a name of two groups',
    "hosts: { 'a: b': }\nrouters: { 'a: b': }",
    ':1:10: hosts.a: b: routers has a node',
  ],
  ['a tab', 'hosts:\n\ta: 1', ':2:1: '],
  ['lists without an end', '['.repeat(20_000), ':1:'],
])('%s is told with file, line and column', (_what, text, reason) => {
  const path = file(text, 'odd.yaml')
  expect(thrown(() => readScenarioFile(path)).slice(0, path.length + reason.length)).toBe(`${path}${reason}`)
})

test('programs of a scenario are left out in simulated time, which is said', async () => {
  const { code, stdout, stderr } = await run('sim', file(`${LAB}programs: [{ on: a, command: 'exit 9' }]\n`))
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: 'tungram sim: programs run in real time only, and are left out here: tungram run --net\n',
  })
  expect(stdout).toContain('sent 200')
})

test('JSON is read too, and its errors have lines', async () => {
  const path = file(
    '{\n  "hosts": { "a": {}, "b": {} },\n  "links": [\n    { "between": ["a", "b"], "mtu": 67 }\n  ]\n}\n',
    'lab.json',
  )
  const { code, stdout, stderr } = await run('sim', path)
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toContain(`${path}:4:30: links[0].mtu: 67 is below 68`)
})

test('the published schema is the one that is checked', () => {
  const file = new URL('../../docs/scenario.schema.json', import.meta.url)
  if (process.env.TUNGRAM_WRITE_SCHEMA === '1') writeFileSync(file, `${JSON.stringify(SCENARIO_SCHEMA, null, 2)}\n`)
  const published = readFileSync(file, 'utf8')
  expect(JSON.parse(published)).toEqual(JSON.parse(JSON.stringify(SCENARIO_SCHEMA)))
})

test('wrong usage is exit code 2, and a sweep of nothing exit code 1', async () => {
  const path = file(LAB)
  for (const [args, code, reason] of [
    [['sim'], 2, 'name one scenario file'],
    [['sim', path, '--sweep', 'mtu'], 2, 'NAME=FROM..TO:STEP'],
    [['sim', path, '--sweep', 'mtu=9..1'], 2, 'goes upwards'],
    [['sim', path, '--repeat', '2', '--capture', 'x'], 2, 'single run'],
    [['sim', path, '--sweep', 'colour=1,2'], 1, "the scenario has no 'colour' to sweep"],
    [['sim', path, '--sweep', 'mtu=10,20'], 1, 'with mtu=10: links[1].mtu: 10 is below 68'],
  ] as const) {
    const got = await run(...args)
    expect({ args, code: got.code }).toEqual({ args, code })
    expect(got.stderr).toContain(reason)
  }
}, 30_000)
