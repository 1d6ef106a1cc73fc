// How much faster than real time a network is in which little happens: ten hosts on a router with
// jitter and loss, one of which says something to each of the others once a second, for ten
// minutes.
//
//   npm run build && node bench/network/idle.mjs [--json]
//
// A process for each run, so that compiling counts as it does for users.
import { execFileSync } from 'node:child_process'
import { Network } from '../../dist/network-node.js'

const MINUTES = 10
const RUNS = 5

async function measure() {
  const network = new Network({ seed: 1 })
  network.router('r')
  const hosts = Array.from({ length: 10 }, (_, index) => network.host(`h${index}`))
  for (const host of hosts) network.connect(host, 'r', { delay: { uniform: [1, 20] }, loss: 0.01 })
  let received = 0
  const sockets = hosts.map((host) =>
    host.dgram
      .createSocket('udp4')
      .on('message', () => received++)
      .bind(9),
  )
  const beat = () => {
    for (let index = 1; index < 10; index++) sockets[0].send('beat', 9, `h${index}`)
    network.at(network.now + 1000, beat)
  }
  network.at(0, beat)
  const begun = performance.now()
  const cpu = process.cpuUsage()
  await network.runFor(`${MINUTES}m`)
  const milliseconds = performance.now() - begun
  const { user, system } = process.cpuUsage(cpu)
  for (const socket of sockets) socket.close()
  network.close()
  return {
    ms: Math.round(milliseconds),
    'CPU ms': Math.round((user + system) / 1000),
    received,
    ratio: Math.round((MINUTES * 60_000) / milliseconds),
  }
}

if (process.argv.includes('--one')) console.log(JSON.stringify(await measure()))
else {
  const run = () => JSON.parse(execFileSync(process.execPath, [import.meta.filename, '--one'], { encoding: 'utf8' }))
  const rows = Array.from({ length: RUNS }, run).sort((a, b) => a.ms - b.ms)
  const result = { minutes: MINUTES, runs: RUNS, fastest: rows[0], median: rows[RUNS >> 1], slowest: rows.at(-1) }
  if (process.argv.includes('--json')) console.log(JSON.stringify({ node: process.version, ...result }, null, 2))
  else console.table({ fastest: result.fastest, median: result.median, slowest: result.slowest })
}
