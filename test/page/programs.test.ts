/** Terminals and code of hosts in the worker of the page: in Node, and in Chromium. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin } from 'rolldown'
import { expect, test } from 'vitest'
import type { Program, Run } from '../../page/src/protocol.ts'
import { ScenarioEngine } from '../../page/src/worker/engine.ts'
import { noBrowser } from '../chromium.ts'
import { bundle } from '../contract/browser/bundle.ts'
import { inPage } from '../contract/browser/page.ts'
import { testWith } from '../skips.ts'

const root = join(import.meta.dirname, '..', '..')
const text = readFileSync(join(root, 'examples/scenarios/pmtu-black-hole.yaml'), 'utf8')

const ECHO = `const socket = dgram.createSocket('udp4')
socket.on('message', (message, { address, port }) => socket.send(message, port, address))
socket.bind(9000)
console.log('ready', Math.random())`

const PROGRAMS: Program[] = [
  { host: 'server', at: 0, code: ECHO },
  { host: 'client', at: 100, line: 'ping -c 1 server' },
  { host: 'client', at: 200, line: 'echo hello | nc server 9000' },
]

const lines = ({ said }: Pick<Run, 'said'>) => said.map(({ program, time, line }) => `${program} ${time} ${line}`)

test('what programs do is a part of the run: its packets, its lines, and both again', async () => {
  const engine = new ScenarioEngine(() => {})
  const plain = await engine.run({ text, until: 2500 })
  const request = { text, until: 2500, programs: PROGRAMS }
  const run = await engine.run(request)
  expect(lines(run)).toEqual([
    expect.stringMatching(/^0 0 ready 0\.\d+$/),
    '1 100 PING server (10.0.2.2) 56(84) bytes of data.',
    expect.stringMatching(/^1 124\S* 64 bytes from 10\.0\.2\.2: icmp_seq=1 ttl=62 time=24\.\d ms$/),
    expect.stringMatching(/^1 124\S* $/),
    expect.stringMatching(/^1 124\S* --- server ping statistics ---$/),
    expect.stringMatching(/1 packet transmitted, 1 received, 0% packet loss/),
    expect.stringMatching(/rtt min/),
    expect.stringMatching(/^2 22\d\S* hello$/),
  ])
  expect(run.datagrams.time.length).toBe(plain.datagrams.time.length + 4)
  expect(lines(await engine.run(request))).toEqual(lines(run))
  expect(lines(await engine.run({ text, until: 2500 }))).toEqual([])
})

test('a capture is sent again by its host, at its time', async () => {
  const engine = new ScenarioEngine(() => {})
  const pair = 'hosts: { a: , b: }\nlinks: [{ between: [a, b], delay: 1ms }]\n'
  const flows = 'flows: [{ from: a, to: b, count: 3, rate: 1000 }]\n'
  const capture = await engine.capture({ text: pair + flows })
  const run = await engine.run({ text: pair, programs: [{ host: 'a', at: 5, name: 'a.pcapng', capture }] })
  expect(lines(run)).toEqual(['0 5 3 packets of a.pcapng are sent again'])
  const sent = run.datagrams.from.reduce((sum, from) => sum + (run.texts[from] === 'a' ? 1 : 0), 0)
  expect([sent, run.datagrams.time[0]]).toEqual([3, 5])
  const broken = await engine.run({ text: pair, programs: [{ host: 'a', at: 0, capture: capture.subarray(0, 40) }] })
  expect(lines(broken)).toEqual([expect.stringMatching(/^0 0 a capture cannot be replayed: /)])
})

test('code without an end is over after a minute of simulated time; an error in code has no run', async () => {
  const engine = new ScenarioEngine(() => {})
  const programs = [{ host: 'a', at: 0, code: 'setInterval(() => {}, 1000)' }]
  const run = await engine.run({ text: 'hosts: { a: }', programs })
  expect([run.time, run.interrupted]).toEqual([60_000, true])
  expect(await engine.check('let a = 1')).toBeNull()
  expect(await engine.check('let a = ')).toMatchObject({ line: 1, message: expect.stringContaining('Unexpected') })
})

/** The page has the worker from its bundler; here it is the text of a script. */
const worker: Plugin = {
  name: 'worker',
  transform: (code, id) =>
    id.endsWith('engine-client.ts') ? code.replace(/new URL\([^)]*\)/, 'globalThis.workerUrl') : null,
}

testWith(
  noBrowser === '',
  noBrowser,
  'TUNGRAM_REQUIRE_PAGE',
)('in Chromium they say the same, and code that never returns is stopped without the page', async () => {
  const [engineScript, client] = await Promise.all([
    bundle(join(root, 'page/src/worker/main.ts')),
    bundle(join(root, 'page/test/programs-client.ts'), [worker]),
  ])
  const outcome = await inPage(async (page) => {
    await page.addScriptTag({ content: client })
    return await page.evaluate<{
      run: Pick<Run, 'said'>
      fault: unknown
      hung: string
      again: Pick<Run, 'said'>
    }>(`tryPrograms(${JSON.stringify({ engineScript, text, programs: PROGRAMS })})`)
  })
  const engine = new ScenarioEngine(() => {})
  const expected = lines(await engine.run({ text, until: 2500, programs: PROGRAMS }))
  expect(lines(outcome.run)).toEqual(expected)
  expect(outcome.fault).toMatchObject({ line: 2, column: 9, message: expect.stringContaining('Unexpected') })
  expect(outcome.hung).toBe(
    'Hung: The run has said nothing for 1 s and was stopped: does the code of a host have an end?',
  )
  expect(lines(outcome.again)).toEqual(expected)
})
