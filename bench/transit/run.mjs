/**
 * What two routers pass on between two kernels: TCP (iperf3) in Gbit/s, UDP of 64 bytes in thousands
 * of datagrams a second that reach the far kernel. Beside each other, interleaved, medians:
 *
 *     tungram        two routers of a `Network` in one process, no lives kept (`lineage: 0`)
 *     tungram, lives the same with the default of 10 000 lives
 *     kernel         two network namespaces that forward, joined by veth pairs
 *
 *     node bench/transit/run.mjs [--rounds 3] [--seconds 3] [--dist PATH] [--json]
 *
 * All in namespaces made for the run, as root or under `unshare -rn`; needs iproute2 and iperf3.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '3' },
    dist: { type: 'string', default: new URL('../../dist/', import.meta.url).pathname },
    json: { type: 'boolean', default: false },
    inside: { type: 'boolean', default: false },
  },
})

if (!options.inside) {
  // Names of namespaces are then this run's own.
  const again = [process.execPath, import.meta.filename, '--inside', ...process.argv.slice(2)]
  execFileSync('unshare', ['-mn', ...again], { stdio: 'inherit' })
  process.exit()
}

const ip = (line) => execFileSync('ip', line.split(' '), { stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' })
const within = (name, line) =>
  execFileSync('ip', ['netns', 'exec', name, ...line.split(' ')], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })

execFileSync('mkdir', ['-p', '/run/netns'])
execFileSync('mount', ['-t', 'tmpfs', 'none', '/run/netns'])
ip('link set lo up')

/** The far ends: a at 10.77.0.2 by the interface `left`, b at 10.77.2.2 by `right`. */
function ends() {
  for (const [name, device, own, gateway] of [
    ['a', 'left', '10.77.0.2/24', '10.77.0.1'],
    ['b', 'right', '10.77.2.2/24', '10.77.2.1'],
  ]) {
    ip(`link set ${device} netns ${name}`)
    ip(`-n ${name} link set lo up`)
    ip(`-n ${name} address add ${own} dev ${device}`)
    ip(`-n ${name} link set ${device} up`)
    ip(`-n ${name} route add default via ${gateway}`)
  }
}

async function tungram(lineage) {
  for (const name of ['a', 'b']) ip(`netns add ${name}`)
  const program = new URL('routers.mjs', import.meta.url).pathname
  const routers = spawn(process.execPath, [program, '--dist', options.dist, '--lineage', `${lineage}`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  await once(routers.stdout, 'data')
  ends()
  return async () => {
    routers.stdin.end()
    await once(routers, 'exit')
    for (const name of ['a', 'b']) ip(`netns delete ${name}`)
  }
}

async function kernel() {
  const names = ['a', 'r1', 'r2', 'b']
  for (const name of names) ip(`netns add ${name}`)
  ip('link add left type veth peer name toleft netns r1')
  ip('link add right type veth peer name toright netns r2')
  ip('-n r1 link add east type veth peer name west netns r2')
  for (const [name, device, address] of [
    ['r1', 'toleft', '10.77.0.1/24'],
    ['r1', 'east', '10.77.1.1/24'],
    ['r2', 'west', '10.77.1.2/24'],
    ['r2', 'toright', '10.77.2.1/24'],
  ]) {
    ip(`-n ${name} address add ${address} dev ${device}`)
    ip(`-n ${name} link set ${device} up`)
    within(name, 'sysctl -q -w net.ipv4.ip_forward=1')
  }
  ip('-n r1 route add 10.77.2.0/24 via 10.77.1.2')
  ip('-n r2 route add 10.77.0.0/24 via 10.77.1.1')
  ends()
  return async () => {
    for (const name of names) ip(`netns delete ${name}`)
  }
}

/** UDP datagrams that reached the kernel of `b`, whether a program was quick enough or not. */
function reached() {
  const [names, values] = within('b', 'cat /proc/net/snmp')
    .split('\n')
    .filter((line) => line.startsWith('Udp:'))
  const count = (name) => Number(values.split(' ')[names.split(' ').indexOf(name)])
  return count('InDatagrams') + count('RcvbufErrors')
}

async function measure(make) {
  const close = await make()
  const server = spawn('ip', ['netns', 'exec', 'b', 'iperf3', '-s'], { stdio: 'ignore' })
  try {
    await sleep(500)
    const client = (more) => JSON.parse(within('a', `iperf3 -c 10.77.2.2 -J -t ${options.seconds}${more}`)).end
    const tcp = client('').sum_received.bits_per_second / 1e9
    const before = reached()
    const udp = client(' -u -b 0 -l 64')
    return { tcp, udp: (reached() - before) / udp.sum.seconds / 1000, sent: udp.sum.packets / udp.sum.seconds / 1000 }
  } finally {
    server.kill()
    await once(server, 'exit')
    await close()
  }
}

const jobs = { tungram: () => tungram(0), 'tungram, lives': () => tungram(10_000), kernel }
const results = Object.fromEntries(Object.keys(jobs).map((name) => [name, []]))
for (let round = 0; round < Number(options.rounds); round++)
  for (const [name, make] of Object.entries(jobs)) results[name].push(await measure(make))

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]
const rows = Object.entries(results).map(([name, rounds]) => ({
  name,
  tcp: median(rounds.map((each) => each.tcp)),
  udp: median(rounds.map((each) => each.udp)),
  sent: median(rounds.map((each) => each.sent)),
}))
if (options.json) console.log(JSON.stringify(rows))
else
  for (const { name, tcp, udp, sent } of rows)
    console.log(
      `${name.padEnd(15)} TCP ${tcp.toFixed(2)} Gbit/s, UDP ${udp.toFixed(0)} k/s of ${sent.toFixed(0)} k/s sent`,
    )
