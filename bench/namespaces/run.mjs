/**
 * `tungram run --net` in figures, beside a chain of the kernel's own namespaces in the same run.
 *
 *     npm run build && node bench/namespaces/run.mjs [SECONDS]
 *
 * Real time: what a path of 10 ms each way adds to a ping, the jitter of 1000 datagrams a second, TCP
 * through 50 Mbit/s. Speed: TCP and UDP through two routers without faults. The kernel's chain has
 * netem for delay and rate; where the kernel has none, only its speed is measured, and this is said.
 *
 * Needs root, iperf3, ping, iproute2 and /usr/bin/python3. Everything is in namespaces of its own.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'

const seconds = Number(process.argv[2] ?? 5)
const root = join(import.meta.dirname, '../..')
const cli = join(root, 'dist/cli.js')
const directory = mkdtempSync(join(tmpdir(), 'tungram-bench-'))
process.on('exit', () => rmSync(directory, { recursive: true, force: true }))
const file = (name, text) => {
  const path = join(directory, name)
  writeFileSync(path, text)
  return path
}

/** a - r1 - r2 - b; the faults are those of the cable between the routers. */
const chain = (name, faults) =>
  file(
    `${name}.yaml`,
    'hosts: { a: , b: }\nrouters: { r1: , r2: }\n' +
      `links: [{ between: [a, r1] }, { between: [r1, r2]${faults} }, { between: [r2, b] }]\n`,
  )

/** Sends a time stamp every millisecond; the kernel's time of arrival says how long each was on its way. */
const JITTER = file(
  'jitter.py',
  `
import socket, struct, sys, time
role, count = sys.argv[1], int(sys.argv[2])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
if role == 'send':
    due = time.time()
    for number in range(count):
        due += 0.001
        while time.time() < due: time.sleep(max(0, due - time.time() - 0.00005))
        s.sendto(struct.pack('d', time.time()), (sys.argv[3], 4000))
else:
    s.setsockopt(socket.SOL_SOCKET, 35, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    s.bind(('', 4000))
    s.settimeout(15)
    delays = []
    try:
        while len(delays) < count:
            data, ancillary, _, _ = s.recvmsg(64, 64)
            s.settimeout(1)
            at, ns = struct.unpack('ll', ancillary[0][2][:16])
            delays.append((at + ns / 1e9 - struct.unpack('d', data)[0]) * 1000)
    except TimeoutError:
        pass
    first = delays[len(delays) // 10:]
    middle = sorted(first)[len(first) // 2]
    off = sorted(abs(each - middle) for each in first)
    figures = (len(delays), middle, off[len(off) // 2], off[int(len(off) * .99)], off[-1])
    print('%d arrived, delay p50 %.3f ms, jitter p50/p99/worst %.3f/%.3f/%.3f ms' % figures)
`,
)

/**
 * Datagrams of one size, up to 64 a call (UDP_SEGMENT, as QUIC stacks send); the receiver takes them
 * as they come (UDP_GRO).
 */
const SEGMENTS = file(
  'segments.py',
  `
import socket, struct, sys, time
UDP, SEGMENT, GRO = 17, 103, 104
role, duration = sys.argv[1], float(sys.argv[2])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
if role == 'send':
    size = int(sys.argv[4])
    s.setsockopt(UDP, SEGMENT, size)
    s.connect((sys.argv[3], 4000))
    data, end = bytes(size * min(64, 65000 // size)), time.time() + duration
    while time.time() < end: s.send(data)
else:
    s.setsockopt(socket.SOL_SOCKET, 33, 1 << 23)
    s.setsockopt(UDP, GRO, 1)
    s.bind(('', 4000))
    s.settimeout(15)
    count, first, last = 0, 0, 0
    try:
        while True:
            data, ancillary, _, _ = s.recvmsg(70000, 64)
            s.settimeout(0.7)
            last = time.time()
            first = first or last
            count += -(-len(data) // (struct.unpack('i', ancillary[0][2])[0] if ancillary else len(data)))
    except TimeoutError:
        pass
    print('%d arrive a second' % (count / (last - first)))
`,
)

/** Programs on a and b of a network of tungram; what each printed. */
function tungram(net, server, client) {
  const on = (host, words, ...options) => ['--on', host, ...options, '--', ...words]
  const args = ['run', '--net', net, '--json', ...on('b', server), ...on('a', client, '--after', '700ms')]
  const { stdout, stderr } = spawnSync(process.execPath, [cli, ...args], { encoding: 'utf8', maxBuffer: 1 << 28 })
  const of = (host) =>
    stderr
      .split('\n')
      .flatMap((line) => (line.startsWith(`${host} | `) ? line.slice(4) : []))
      .join('\n')
  return { a: of('a'), b: of('b'), lag: JSON.parse(stdout).lag }
}

/** Delays and limits what leaves by a router's interface: 'r1 e1'. */
function netemAt(end, netem) {
  const [namespace, device] = end.split(' ')
  return `ip netns exec ${namespace} tc qdisc add dev ${device} root netem ${netem}`
}

/** The same on the kernel's chain; `netem` is what its queues in the middle do. */
function kernel(netem, server, client) {
  const quoted = (words) => words.map((word) => `'${word}'`).join(' ')
  const script = file(
    'kernel.sh',
    `
set -e
mount -t proc none /proc
mount -t tmpfs none /run/netns 2>/dev/null || { mkdir -p /run/netns; mount -t tmpfs none /run/netns; }
for n in a r1 r2 b; do ip netns add $n; ip -n $n link set lo up; done
join() {
  ip link add $2 netns $1 type veth peer name $5 netns $4
  ip -n $1 addr add $3 dev $2; ip -n $4 addr add $6 dev $5
  ip -n $1 link set $2 up; ip -n $4 link set $5 up
}
join a e0 10.0.0.1/24 r1 e0 10.0.0.2/24
join r1 e1 10.0.1.1/24 r2 e0 10.0.1.2/24
join r2 e1 10.0.2.1/24 b e0 10.0.2.2/24
ip -n a route add default via 10.0.0.2; ip -n b route add default via 10.0.2.1
ip -n r1 route add 10.0.2.0/24 via 10.0.1.2; ip -n r2 route add 10.0.0.0/24 via 10.0.1.1
for n in r1 r2; do ip netns exec $n sysctl -qw net.ipv4.ip_forward=1; done
${netem === '' ? '' : ['r1 e1', 'r2 e0'].map((end) => netemAt(end, netem)).join('; ')}
ip netns exec b ${quoted(server)} > ${directory}/b.txt 2>&1 & pid=$!
sleep 0.7
ip netns exec a ${quoted(client)}
# What waits for the rest ends by itself; a server that does not is ended.
for i in 1 2 3 4 5 6 7 8 9 10; do kill -0 $pid 2>/dev/null || break; sleep 0.2; done
kill $pid 2>/dev/null || true; wait $pid 2>/dev/null || true
cat ${directory}/b.txt | sed 's/^/B /'
`,
  )
  const { stdout, stderr, status } = spawnSync('unshare', ['-mnpf', '--kill-child', 'bash', script], {
    encoding: 'utf8',
  })
  if (status !== 0 && stdout === '') throw new Error(stderr)
  const lines = stdout.split('\n')
  return {
    a: lines.filter((line) => !line.startsWith('B ')).join('\n'),
    b: lines.flatMap((line) => (line.startsWith('B ') ? line.slice(2) : [])).join('\n'),
  }
}

const hasNetem =
  spawnSync('unshare', ['-n', 'tc', 'qdisc', 'add', 'dev', 'lo', 'root', 'netem', 'delay', '1ms']).status === 0

const iperf = (...options) => ['iperf3', '-4', '-c', '10.0.2.2', '-J', '-t', `${seconds}`, ...options]
const ping = ['ping', '-q', '-i', '0.01', '-c', `${seconds * 100}`, '10.0.2.2']
const json = (text) => JSON.parse(text.slice(text.indexOf('{')))

/** Also counts what came to the receiving kernel, and what of it its socket had no room for. */
const COUNTING = ['sh', '-c', 'iperf3 -s -1; grep ^Udp: /proc/net/snmp']
/** The run ends with its client: the count comes before. */
const flood = (length) => ['sh', '-c', `${iperf('-u', '-b', '0', '-l', `${length}`).join(' ')}; sleep 1`]

/** A measurement: its server, its client, and the figure in what they print. */
const MEASURES = {
  ping: {
    server: ['sleep', '1000'],
    client: ping,
    figure: ({ a }) => `${/rtt (.*)/.exec(a)?.[1]}`,
  },
  jitter: {
    server: ['/usr/bin/python3', JITTER, 'receive', `${seconds * 1000}`],
    client: ['sh', '-c', `/usr/bin/python3 ${JITTER} send ${seconds * 1000} 10.0.2.2; sleep 1.5`],
    figure: ({ b }) => b.trim(),
  },
  tcp: {
    server: ['iperf3', '-s', '-1'],
    client: iperf(),
    figure: ({ a }) => `${(json(a).end.sum_received.bits_per_second / 1e6).toFixed(1)} Mbit/s`,
  },
  'tcp, once it goes': {
    server: ['iperf3', '-s', '-1'],
    client: iperf('-O', '2'),
    figure: ({ a }) => `${(json(a).end.sum_received.bits_per_second / 1e6).toFixed(1)} Mbit/s`,
  },
  'udp, 64 bytes': {
    server: COUNTING,
    client: flood(64),
    figure: udpFigure,
  },
  'udp, 1400 bytes': {
    server: COUNTING,
    client: flood(1400),
    figure: udpFigure,
  },
  'udp, 64 x 64 bytes': segments(64),
  'udp, 46 x 1400 bytes': segments(1400),
}

function segments(size) {
  return {
    server: ['/usr/bin/python3', SEGMENTS, 'receive', `${seconds}`],
    client: ['sh', '-c', `/usr/bin/python3 ${SEGMENTS} send ${seconds} 10.0.2.2 ${size}; sleep 1.5`],
    figure: ({ b }) => b.trim(),
  }
}

function udpFigure({ a, b }) {
  const { sum } = json(a).end
  const second = (packets) => Math.round(packets / sum.seconds)
  const text = `${second(sum.packets - sum.lost_packets)} arrive a second, of ${second(sum.packets)} sent`
  const [names = [], numbers = []] = Array.from(b.matchAll(/^Udp: (.*)$/gm), ([, words]) => words.split(' '))
  const noRoom = numbers[names.indexOf('RcvbufErrors')]
  return noRoom === undefined ? text : `${text}; the receiver's socket had no room for ${second(noRoom)}`
}

function row(who, name, run) {
  const { server, client, figure } = MEASURES[name]
  let text
  try {
    const result = run(server, client)
    const { lag } = result
    const late = lag === undefined ? '' : `   (late by p50/p99/worst ${lag.p50}/${lag.p99}/${lag.worst} ms)`
    text = figure(result) + late
  } catch (error) {
    text = `no figure: ${error.message.split('\n')[0]}`
  }
  console.log(`  ${who.padEnd(8)} ${name.padEnd(20)} ${text}`)
}

const delayed = chain('delayed', ', delay: 10ms')
const slow = chain('slow', ', delay: 10ms, rate: 50Mbit')
const plain = chain('plain', '')

console.log(`Node ${process.version}, load ${loadavg()[0].toFixed(1)}, ${seconds} s each`)
if (!hasNetem) console.log('This kernel has no netem: the delays of its chain cannot be measured.')
console.log('10 ms each way')
for (const name of ['ping', 'jitter']) {
  row('tungram', name, (...programs) => tungram(delayed, ...programs))
  if (hasNetem) row('kernel', name, (...programs) => kernel('delay 10ms limit 100000', ...programs))
}
console.log('50 Mbit/s, 10 ms each way')
row('tungram', 'tcp, once it goes', (...programs) => tungram(slow, ...programs))
if (hasNetem)
  row('kernel', 'tcp, once it goes', (...programs) => kernel('delay 10ms rate 50mbit limit 1000', ...programs))
console.log('two routers, no faults')
for (const name of ['ping', 'tcp', 'udp, 64 bytes', 'udp, 1400 bytes', 'udp, 64 x 64 bytes', 'udp, 46 x 1400 bytes']) {
  row('tungram', name, (...programs) => tungram(plain, ...programs))
  row('kernel', name, (...programs) => kernel('', ...programs))
}
