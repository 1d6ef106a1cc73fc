// What two cores could gain in a single run, at best: the events of a run fall into windows as long
// as the longest delay of a cable that cuts the network in two (lookahead), and both halves have to
// meet after each window that has events. Each half has to start and to compile by itself.
//
//   npm run build && node bench/network/lookahead.mjs [--rounds 5] [--json]
//
// The bound supposes halves of equal work, and frames that cross the cut for nothing.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { parse } from 'yaml'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
    one: { type: 'string' },
  },
})
const engine = new URL('../../dist/network-node.js', import.meta.url).href
const scenarios = fileURLToPath(new URL('../../examples/scenarios/', import.meta.url))
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1]

/** A long run, for the labs are short: a chain of eight routers with 1 ms on each link. */
const CHAIN = {
  name: 'chain of 8 routers, 60 000 datagrams',
  hosts: { a: null, b: null },
  routers: Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`r${i}`, null])),
  links: ['a', ...Array.from({ length: 8 }, (_, i) => `r${i}`)].map((from, i) => ({
    between: [from, i === 8 ? 'b' : `r${i}`],
    delay: '1ms',
  })),
  flows: [{ name: 'f', from: 'a', to: 'b', size: 200, rate: 20_000, count: 60_000 }],
}

/** One run in a process of its own: cold, and then once more. */
async function one(scenario) {
  const { runScenario, milliseconds } = await import(engine)
  const delays = (scenario.links ?? []).flatMap(({ delay, forward, backward }) =>
    // A frame from either side has to be ahead of what it meets.
    [Math.min(...[forward, backward].map((way) => milliseconds(way?.delay ?? delay ?? 0)))],
  )
  const cpu = async () => {
    const before = process.cpuUsage()
    const result = await runScenario(scenario)
    const { user, system } = process.cpuUsage(before)
    return { seconds: (user + system) / 1e6, result }
  }
  const cold = await cpu()
  const warm = await cpu()
  const frames = warm.result.hops.reduce((sum, { offered }) => sum + offered.frames, 0)
  const lookahead = Math.max(0, ...delays)
  return { cold: cold.seconds, warm: warm.seconds, lookahead, windows: Math.min(warm.result.time / lookahead, frames) }
}

/** Microseconds until two threads have met, and milliseconds until a thread has the engine. */
async function meeting() {
  const flags = new Int32Array(new SharedArrayBuffer(8))
  const code = `
    const { workerData: flags, parentPort } = require('node:worker_threads')
    import(${JSON.stringify(engine)}).then(() => {
      parentPort.postMessage('ready')
      for (let turn = 1; turn <= 5000; turn++) {
        while (Atomics.load(flags, 0) < turn) Atomics.wait(flags, 0, turn - 1, 100)
        Atomics.store(flags, 1, turn)
        Atomics.notify(flags, 1)
      }
    })`
  const begun = performance.now()
  const worker = new Worker(code, { eval: true, workerData: flags })
  await new Promise((resolve) => worker.once('message', resolve))
  const start = performance.now() - begun
  const times = []
  for (let turn = 1; turn <= 5000; turn++) {
    const at = performance.now()
    Atomics.store(flags, 0, turn)
    Atomics.notify(flags, 0)
    while (Atomics.load(flags, 1) < turn) Atomics.wait(flags, 1, turn - 1, 100)
    times.push((performance.now() - at) * 1000)
  }
  await worker.terminate()
  return { start, meet: median(times) }
}

if (values.one !== undefined) console.log(JSON.stringify(await one(JSON.parse(values.one))))
else {
  const meetings = []
  for (let round = 0; round < Number(values.rounds); round++) meetings.push(await meeting())
  const start = median(meetings.map((each) => each.start))
  const meet = median(meetings.map((each) => each.meet))
  const all = readdirSync(scenarios).map((file) => [
    file.replace('.yaml', ''),
    parse(readFileSync(scenarios + file, 'utf8')),
  ])
  const rows = [...all, [CHAIN.name, CHAIN]].map(([name, scenario]) => {
    const runs = Array.from({ length: Number(values.rounds) }, () =>
      JSON.parse(spawnSync(process.execPath, [import.meta.filename, '--one', JSON.stringify(scenario)]).stdout),
    )
    const of = (key) => median(runs.map((run) => run[key]))
    const [cold, warm, windows] = [of('cold'), of('warm'), of('windows')]
    const compiling = Math.max(0, cold - warm)
    const two = start / 1000 + compiling + warm / 2 + (windows * meet) / 1e6
    return {
      scenario: name,
      'CPU s': Number(cold.toFixed(2)),
      'of it compiling': Number(compiling.toFixed(2)),
      'lookahead ms': of('lookahead'),
      meetings: Math.round(windows),
      'gain at most': Number((cold / two).toFixed(2)),
    }
  })
  if (values.json) console.log(JSON.stringify({ node: process.version, start, meet, rows }, null, 2))
  else {
    console.log(`a thread with the engine starts in ${start.toFixed(0)} ms; two threads meet in ${meet.toFixed(0)} µs`)
    console.table(rows)
  }
}
