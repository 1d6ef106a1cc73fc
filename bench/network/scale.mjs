// How a network of many hosts behaves: time to build it and to compute its routes, time and memory
// for datagrams between random hosts, in virtual time.
//
//   npm run build && node bench/network/scale.mjs [--dist DIR] [--large] [--json]
//
// `--large`: 10 000 hosts and 100 000 datagrams alone. CPU times are those of all threads, and tell
// more than the others on a busy machine. Growth is linear in datagrams, and no worse than n log n
// in hosts, when the last columns stay about the same.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    dist: { type: 'string', default: new URL('../../dist', import.meta.url).pathname },
    large: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    one: { type: 'string' },
  },
})

/** In a process of its own, so that memory is that of one network. */
function row(setup) {
  const own = [import.meta.filename, '--dist', values.dist, '--one', JSON.stringify(setup)]
  return JSON.parse(execFileSync(process.execPath, ['--expose-gc', ...own], { encoding: 'utf8' }))
}

/** Milliseconds of CPU time of this process. */
function cpu() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** Routers in a ring with a chord from each to the one seven further; hosts evenly over them. */
async function measure({ hosts, routers, datagrams, lineage = 0 }) {
  const { Network } = await import(pathToFileURL(join(values.dist, 'network-node.js')).href)
  globalThis.gc?.()
  const before = process.memoryUsage()
  const [begun, cpuBegun] = [performance.now(), cpu()]
  const network = new Network({ seed: 1, lineage })
  for (let i = 0; i < routers; i++) network.router(`r${i}`)
  for (let i = 0; i < routers; i++) {
    network.connect(`r${i}`, `r${(i + 1) % routers}`, { delay: '2ms' })
    network.connect(`r${i}`, `r${(i + 7) % routers}`, { delay: '5ms', cost: 2 })
  }
  const stacks = Array.from({ length: hosts }, (_, i) => network.host(`h${i}`))
  for (const [i, stack] of stacks.entries()) network.connect(stack, `r${i % routers}`, { delay: '1ms' })
  const built = performance.now()
  network.updateRoutes()
  const [routed, cpuRouted] = [performance.now(), cpu()]

  let received = 0
  const sockets = stacks.map((stack) => {
    const socket = stack.dgram.createSocket('udp4')
    socket.on('message', () => received++)
    socket.bind(9)
    return socket
  })
  const addresses = stacks.map((stack) => network.address(stack.name))
  const payload = new Uint8Array(200)
  let sent = 0
  const random = network.stack('h0').random.fork('traffic')
  // A hundred datagrams a millisecond.
  const burst = () => {
    for (let i = 0; i < 100 && sent < datagrams; i++, sent++) {
      const from = random.below(hosts)
      sockets[from].send(payload, 9, addresses[(from + 1 + random.below(hosts - 1)) % hosts])
    }
    if (sent < datagrams) network.at(network.now + 1, burst)
  }
  network.at(1, burst)
  const [start, cpuStart] = [performance.now(), cpu()]
  await network.run()
  const [done, cpuDone] = [performance.now(), cpu()]
  globalThis.gc?.()
  const after = process.memoryUsage()
  const megabytes = (after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers) / 1e6
  const result = {
    hosts,
    routers,
    datagrams,
    lineage,
    'build ms': Math.round(built - begun),
    'routes ms': Math.round(routed - built),
    'run ms': Math.round(done - start),
    'build+routes CPU ms': Math.round(cpuRouted - cpuBegun),
    'run CPU ms': Math.round(cpuDone - cpuStart),
    'memory MB': Math.round(megabytes),
    'RSS MB': Math.round(after.rss / 1e6),
    received,
    'us a datagram': Math.round(((done - start) * 1000) / datagrams),
    'build+routes us a host': Math.round(((routed - begun) * 1000) / hosts),
    'KB a host': Math.round((megabytes * 1000) / hosts),
  }
  for (const socket of sockets) socket.close()
  network.close()
  return result
}

if (values.one !== undefined) console.log(JSON.stringify(await measure(JSON.parse(values.one))))
else {
  const usual = () => [
    ...[250, 500, 1000, 2000].map((hosts) => row({ hosts, routers: 50, datagrams: 25_000 })),
    ...[50_000, 100_000, 200_000].map((datagrams) => row({ hosts: 1000, routers: 50, datagrams })),
    row({ hosts: 1000, routers: 50, datagrams: 100_000, lineage: 10_000 }),
  ]
  const rows = values.large ? [row({ hosts: 10_000, routers: 50, datagrams: 100_000 })] : usual()
  if (values.json) console.log(JSON.stringify({ node: process.version, rows }, null, 2))
  else console.table(rows)
}
