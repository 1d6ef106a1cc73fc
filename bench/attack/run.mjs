/**
 * Floods on a real device, the kernel under the same frames beside: what an honest client is still
 * answered, CPU, memory, delays.
 *
 *     npm run attack -- [--seconds 5] [--rate 20000] [--floods first,second] [--only tungram|kernel] [--json]
 *
 * Two worlds, each in network namespaces made for the run: a TAP device of tungram, and a veth pair
 * to the kernel's own sockets. The attacker writes frames into a packet socket. Needs root (or
 * `unshare -rn` with a writable /run/netns) and iproute2.
 */
import { execFileSync, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { FLOODS } from '../../test/attack/floods.mjs'

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    rate: { type: 'string', default: '20000' },
    floods: { type: 'string' },
    only: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})
const seconds = Number(options.seconds)
const wanted = options.floods?.split(',')
const floods = FLOODS.filter(({ name }) => wanted === undefined || wanted.some((part) => name.includes(part)))
if (floods.length === 0) {
  console.error(`No flood is named so: there are\n${FLOODS.map(({ name }) => `  ${name}`).join('\n')}`)
  process.exit(2)
}

const here = import.meta.dirname
const ip = (...words) => execFileSync('ip', words, { stdio: ['ignore', 'pipe', 'pipe'] })
const VICTIM_MAC = '02:00:00:00:00:02'
const ATTACKER_MAC = '02:00:00:00:00:66'
/**
 * The client's interface also is the attacker and the router to everywhere, so that answers to it
 * leave.
 */
const CLIENT_ADDRESSES = ['10.99.0.3/16', '10.99.0.66/16', 'fd99::3/64', 'fd99::66/64', 'fe80::66/64']
const VICTIM_ADDRESSES = ['10.99.0.2/16', 'fd99::2/64', 'fe80::2/64']

function address(namespace, device, addresses) {
  for (const each of addresses)
    ip('-n', namespace, 'address', 'add', each, 'dev', device, ...(each.includes(':') ? ['nodad'] : []))
}

const WORLDS = {
  tungram: {
    client: `tgattack-t${process.pid}`,
    device: 'tap0',
    /** The TAP device comes with its victim, so the client's side is set up after it. */
    before() {},
    task: {
      stack: 'tungram',
      device: {
        name: 'tap0',
        mac: VICTIM_MAC,
        addresses: VICTIM_ADDRESSES,
        gateway4: '10.99.0.66',
        gateway6: 'fe80::66',
      },
    },
    namespace() {
      return this.client
    },
  },
  kernel: {
    client: `tgattack-c${process.pid}`,
    server: `tgattack-s${process.pid}`,
    device: 'veth0',
    before() {
      ip('netns', 'add', this.server)
      ip('-n', this.client, 'link', 'add', 'veth0', 'type', 'veth', 'peer', 'name', 'veth1', 'netns', this.server)
      ip('-n', this.server, 'link', 'set', 'veth1', 'address', VICTIM_MAC, 'up')
      ip('-n', this.server, 'link', 'set', 'lo', 'up')
      address(this.server, 'veth1', VICTIM_ADDRESSES)
      ip('-n', this.server, 'route', 'add', 'default', 'via', '10.99.0.66')
      ip('-n', this.server, '-6', 'route', 'add', 'default', 'via', 'fe80::66', 'dev', 'veth1')
    },
    task: { stack: 'kernel', device: { interface: 'veth1' } },
    namespace() {
      return this.server
    },
  },
}

function remove({ client, server }) {
  for (const namespace of [client, server]) {
    if (namespace === undefined) continue
    try {
      ip('netns', 'delete', namespace)
    } catch {
      // It was never made.
    }
  }
}

function start(namespace, script, task) {
  const child = spawn('ip', ['netns', 'exec', namespace, process.execPath, join(here, script), JSON.stringify(task)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  return once(child, 'close').then(([code]) => {
    if (code !== 0) throw new Error(`${script} ended with ${code}.`)
    return JSON.parse(output)
  })
}

const smallest = (answers) => Math.min(...Object.values(answers).map(({ asked, answered }) => answered / asked))

async function measure(world, flood) {
  const { client, device } = world
  ip('netns', 'add', client)
  ip('-n', client, 'link', 'set', 'lo', 'up')
  world.before()
  const victim = fork(join(here, 'victim.mjs'), [JSON.stringify(world.task)], {
    execPath: 'ip',
    execArgv: ['netns', 'exec', world.namespace(), process.execPath],
  })
  try {
    await once(victim, 'message')
    ip('-n', client, 'link', 'set', device, 'address', ATTACKER_MAC)
    ip('-n', client, 'link', 'set', device, 'up')
    address(client, device, CLIENT_ADDRESSES)
    const ends = { four: '10.99.0.2', six: 'fd99::2' }
    // Warm: neighbors resolved, code compiled.
    await start(client, 'honest.mjs', { ...ends, seconds: 1 })
    victim.send('start')
    await once(victim, 'message')
    const rate = Number(options.rate)
    const attack = start(client, 'attacker.mjs', { flood: flood.name, interface: device, rate, seconds: seconds + 1 })
    await sleep(300)
    const during = await start(client, 'honest.mjs', { ...ends, seconds })
    const { sent } = await attack
    victim.send('stop')
    const [{ cpu, milliseconds, rss, delay }] = await once(victim, 'message')
    return { during: smallest(during), sent, cpu: cpu / (milliseconds * 1000), rss, delay }
  } finally {
    if (victim.exitCode === null) victim.kill()
    await (victim.exitCode === null ? once(victim, 'exit') : null)
    remove(world)
  }
}

const percent = (share) => `${(share * 100).toFixed(1)} %`
const rows = []
const worlds = Object.entries(WORLDS).filter(([name]) => options.only === undefined || options.only === name)
process.on('SIGINT', () => {
  for (const [, world] of worlds) remove(world)
  process.exit(130)
})
if (!options.json)
  console.log('| flood | frames/s | stack | answered | CPU | memory | loop delay |\n|---|---|---|---|---|---|---|')
for (const flood of floods) {
  for (const [name, world] of worlds) {
    const row = { flood: flood.name, stack: name, ...(await measure(world, flood)) }
    rows.push(row)
    const cells = [
      flood.name,
      Math.round(row.sent / (seconds + 1)),
      name,
      percent(row.during),
      // The kernel's own work is in no process: only the echo's is seen.
      percent(row.cpu),
      `${Math.round(row.rss / 1e6)} MB`,
      `${Math.round(row.delay)} ms`,
    ]
    if (!options.json) console.log(`| ${cells.join(' | ')} |`)
  }
}
if (options.json) console.log(JSON.stringify(rows))
