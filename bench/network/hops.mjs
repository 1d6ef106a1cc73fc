// What a simulated network carries: link traversals a second of CPU time through a chain of routers
// with a delay on each link, on one link between two hosts, and in a scenario of `tungram sim`.
// With several builds, in turns, so that what else the machine does hits all alike.
//
//   npm run build && node bench/network/hops.mjs [--dist DIR]... [--rounds 5] [--json]
//
// A process for each run, so that compiling counts as it does for users.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    dist: { type: 'string', multiple: true, default: [new URL('../../dist', import.meta.url).pathname] },
    rounds: { type: 'string', default: '5' },
    only: { type: 'string', multiple: true },
    json: { type: 'boolean', default: false },
    one: { type: 'string' },
  },
})

const JOBS = {
  routers: { routers: 8, datagrams: 200_000, flows: 1 },
  'routers, 20 flows': { routers: 8, datagrams: 60_000, flows: 20 },
  link: { routers: 0, datagrams: 200_000, flows: 1 },
  sim: { routers: 4, datagrams: 60_000, sim: true },
}

/** Hosts at both ends of a chain; each pair of them is a flow. */
async function chain({ routers, datagrams, flows }) {
  const { Network } = await import(pathToFileURL(join(values.dist[0], 'network-node.js')).href)
  const network = new Network({ seed: 1, lineage: 0 })
  for (let i = 0; i < routers; i++) network.router(`r${i}`)
  for (let i = 1; i < routers; i++) network.connect(`r${i - 1}`, `r${i}`, { delay: '1ms' })
  const pairs = Array.from({ length: flows }, (_, i) => [network.host(`a${i}`), network.host(`b${i}`)])
  for (const [i] of pairs.entries())
    if (routers === 0) network.connect(`a${i}`, `b${i}`, { delay: '1ms' })
    else {
      network.connect(`a${i}`, 'r0', { delay: '1ms' })
      network.connect(`b${i}`, `r${routers - 1}`, { delay: '1ms' })
    }
  network.updateRoutes()
  let received = 0
  const receivers = pairs.map(([, to]) =>
    to.dgram
      .createSocket('udp4')
      .on('message', () => received++)
      .bind(9),
  )
  const senders = pairs.map(([from]) => from.dgram.createSocket('udp4'))
  const addresses = pairs.map((_, i) => network.address(`b${i}`))
  const payload = new Uint8Array(200)
  let sent = 0
  const burst = () => {
    for (let i = 0; i < 20 && sent < datagrams; i++, sent++) {
      senders[sent % flows].send(payload, 9, addresses[sent % flows])
    }
    if (sent < datagrams) network.at(network.now + 1, burst)
  }
  network.at(1, burst)
  const begun = process.cpuUsage()
  await network.run()
  const { user, system } = process.cpuUsage(begun)
  for (const socket of [...senders, ...receivers]) socket.close()
  network.close()
  if (received !== datagrams) throw new Error(`${received} of ${datagrams} datagrams arrived.`)
  return { traversals: datagrams * (routers + 1), seconds: (user + system) / 1e6 }
}

/** The scenario that users would write, lives kept as by default. */
function sim({ routers, datagrams }) {
  const chain = ['a', ...Array.from({ length: routers }, (_, i) => `r${i}`), 'b']
  const scenario = {
    hosts: { a: {}, b: {} },
    routers: Object.fromEntries(chain.slice(1, -1).map((name) => [name, {}])),
    links: chain.slice(1).map((name, i) => ({ between: [chain[i], name], delay: '1ms' })),
    flows: [{ from: 'a', to: 'b', size: 200, count: datagrams, rate: 20_000 }],
  }
  const folder = mkdtempSync(join(tmpdir(), 'tungram-hops-'))
  try {
    const file = join(folder, 'chain.json')
    writeFileSync(file, JSON.stringify(scenario))
    const tell =
      'data:text/javascript,process.on("exit",()=>' +
      '{const{user,system}=process.cpuUsage();console.error((user+system)/1e6)})'
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      ['--import', tell, join(values.dist[0], 'cli.js'), 'sim', file, '--json'],
      { encoding: 'utf8' },
    )
    if (status !== 0) throw new Error(`tungram sim ended with ${status}: ${stderr}${stdout}`)
    return { traversals: datagrams * (routers + 1), seconds: Number(stderr.trim().split('\n').at(-1)) }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]

if (values.one !== undefined) {
  const job = JOBS[values.one]
  console.log(JSON.stringify(job.sim ? sim(job) : await chain(job)))
} else {
  const names = Object.keys(JOBS).filter((name) => values.only === undefined || values.only.includes(name))
  const runs = names.flatMap((name) => values.dist.map((dist) => ({ name, dist, rates: [] })))
  for (let round = 0; round < Number(values.rounds); round++)
    for (const { name, dist, rates } of runs) {
      const args = [import.meta.filename, '--one', name, '--dist', dist]
      const { traversals, seconds } = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }))
      rates.push(traversals / seconds / 1000)
    }
  const rows = runs.map(({ name, dist, rates }) => ({
    job: name,
    ...(values.dist.length > 1 ? { dist } : {}),
    'k traversals a CPU second': Math.round(median(rates)),
    least: Math.round(Math.min(...rates)),
    most: Math.round(Math.max(...rates)),
  }))
  const samples = rows.map((row, i) => ({ ...row, samples: runs[i].rates }))
  if (values.json)
    console.log(JSON.stringify({ node: process.version, rounds: Number(values.rounds), rows: samples }, null, 2))
  else console.table(rows)
}
