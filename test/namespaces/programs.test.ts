/** Real programs on hosts of a network, as root and as a user without privilege. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readCapture } from '../../src/link/capture/capture-reader.ts'
import { skipAloud } from '../skips.ts'
import { describeForUsers, Files, has, on, run } from './run.ts'

const PATIENCE = 60_000
const files = new Files()
afterAll(() => files.remove())

const CHAIN = files.write(
  'chain.yaml',
  `
hosts: { client: , server: }
routers: { r1: , r2: }
links:
  - { between: [client, r1] }
  - { between: [r1, r2], delay: 10ms, rate: 50Mbit }
  - { between: [r2, server] }
`,
)
const ETHERNET = files.write(
  'ethernet.yaml',
  `
hosts: { a: , b: , c: }
segments: { lan: { subnet: [192.0.2.0/24, 'fd02::/64'] } }
routers: { r: }
links:
  - { between: [a, lan] }
  - { between: [b, lan] }
  - { between: [r, lan] }
  - { between: [r, c], medium: ethernet }
`,
)

/** A client that begins again until its server is there, and shows only what worked. */
const untilItWorks = (...command: string[]) => [
  'sh',
  '-c',
  'for i in $(seq 100); do out=$("$@" 2>&1) && echo "$out" && exit 0; sleep 0.1; done; echo "$out"; exit 1',
  'sh',
  ...command,
]

/** As `test`, where the program is there. */
function testWith(program: string, name: string, body: () => Promise<void>): void {
  if (has(program)) test(name, { timeout: PATIENCE }, body)
  else skipAloud(name, `the program ${program}`)
}

describeForUsers('programs of the machine', (user) => {
  testWith('ping', 'ping crosses two routers, in both families, and takes the delay of the cables', async () => {
    for (const family of ['-4', '-6']) {
      const { code, stdout } = await run(user, ...on(CHAIN, 'client', 'ping', family, '-c3', '-i0.2', 'server'))
      expect({ code, replies: stdout.match(/ttl=62 time=(2\d|[3-9]\d|\d{3})/g)?.length }).toEqual({
        code: 0,
        replies: 3,
      })
    }
  })

  test('each has its host: name, addresses, routes, lo, /etc/hosts, and no DNS', { timeout: PATIENCE }, async () => {
    const { code, stdout } = await run(
      user,
      ...on(
        CHAIN,
        'client',
        'sh',
        '-c',
        'hostname; cat /etc/hosts /proc/net/route /proc/net/dev; ls -d /proc/[0-9]* | wc -l; ' +
          'getent hosts example.org || echo unknown',
      ),
    )
    expect(code).toBe(0)
    const lines = stdout.split('\n').map((line) => line.replace('client | ', ''))
    expect(lines[0]).toBe('client')
    expect(lines).toContain('10.0.2.2 server')
    expect(lines).toContain('fd00:0:0:2::2 server')
    expect(lines.some((line) => line.startsWith('eth0    00000000    0200000A'))).toBe(true)
    expect(lines.filter((line) => /^ *\w+: *\d+ +\d+/.test(line)).map((line) => line.trim().split(':')[0])).toEqual([
      'lo',
      'eth0',
    ])
    expect(lines).toContain('unknown')
  })

  testWith('traceroute', 'traceroute sees the routers', async () => {
    const { stdout } = await run(user, ...on(CHAIN, 'client', 'traceroute', '-n', '-q1', '-w2', 'server'))
    expect(stdout).toMatch(/ 1 {2}10\.0\.0\.2 [\s\S]* 2 {2}10\.0\.1\.2 [\s\S]* 3 {2}10\.0\.2\.2 /)
  })

  testWith('iperf3', 'iperf3 sends TCP and UDP, and the cable has its rate', async () => {
    for (const kind of [[], ['-u', '-b1M']]) {
      const client = ['iperf3', '-4', '-c', 'server', '-t2', '-J', ...kind]
      // With -J it ends with 0 in any case.
      const checked = ['sh', '-c', `out=$("$@"); echo "$out"; ! echo "$out" | grep -q '"error":'`, 'sh', ...client]
      const { code, stdout } = await run(
        user,
        ...['--net', CHAIN, '--on', 'server', '--', 'iperf3', '-s', '-J'],
        ...['--on', 'client', '--', ...untilItWorks(...checked)],
      )
      expect(code).toBe(0)
      const own = stdout.split('\n').flatMap((line) => (line.startsWith('client | ') ? line.slice(9) : []))
      const { end, error } = JSON.parse(own.join('\n'))
      expect(error, own.join('\n')).toBeUndefined()
      const bits = kind.length === 0 ? end.sum_received.bits_per_second : end.sum.bits_per_second
      // 50 Mbit/s with headers and the beginning, on a machine that may be busy.
      expect(bits).toBeGreaterThan(kind.length === 0 ? 1e6 : 5e5)
      expect(bits).toBeLessThan(kind.length === 0 ? 49e6 : 1.1e6)
    }
  })

  testWith('dnsmasq', 'dig asks a DNS server', async () => {
    const server = [
      'dnsmasq',
      '-d',
      '-C',
      '/dev/null',
      '--user=root',
      '--group=root',
      '--pid-file=',
      '-R',
      '-h',
      '-a',
      '10.0.2.2',
      '--bind-interfaces',
    ]
    const { code, stdout } = await run(
      user,
      ...['--net', CHAIN, '--on', 'server', '--', ...server, '--address=/lab.example/192.0.2.7'],
      ...['--on', 'client', '--', ...untilItWorks('dig', '+short', '@10.0.2.2', 'lab.example')],
    )
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('client | 192.0.2.7\n') })
  })

  testWith('socat', 'socat exchanges datagrams with a Python program on one segment, over ARP', async () => {
    const server = files.write(
      'echo.py',
      [
        'import socket',
        's = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)',
        "s.bind(('', 4000))",
        "print('listens', flush=True)",
        'data, peer = s.recvfrom(100)',
        "print('got', data.decode().strip(), 'from', peer[0], flush=True)",
        's.sendto(data.upper(), peer)',
        '',
      ].join('\n'),
    )
    const { code, stdout } = await run(
      user,
      ...['--net', ETHERNET, '--on', 'b', '--expect', '0', '--', '/usr/bin/python3', server],
      ...['--on', 'a', '--', ...untilItWorks('sh', '-c', 'ip neigh; echo hello | socat -t2 - UDP4:b:4000 && ip neigh')],
    )
    expect(code).toBe(0)
    expect(stdout).toContain('b | got hello from 192.0.2.1\n')
    expect(stdout).toContain('a | HELLO\n')
    expect(stdout).toMatch(/a \| 192\.0\.2\.2 dev eth0 lladdr [\da-f:]{17} /)
  })

  testWith('ping', 'a router forwards between Ethernet cables; broadcast stays on its segment', async () => {
    const { code, stdout } = await run(
      user,
      ...['--net', ETHERNET, '--on', 'a', '--expect', '0', '--', 'ping', '-6', '-c2', '-i0.2', 'c'],
      ...['--on', 'c', '--', 'ping', '-4', '-c2', '-i0.2', 'a'],
    )
    expect(code).toBe(0)
    expect(stdout.match(/2 received/g)?.length).toBe(2)
  })

  test('TCP of curl crosses a NAT with loss and a small MTU, and the capture has it', {
    timeout: PATIENCE,
  }, async () => {
    const net = files.write(
      'lossy.yaml',
      `
hosts: { client: , server: }
routers: { home: { nat: { outside: internet } }, internet: }
links:
  - { between: [client, home] }
  - { between: [home, internet], mtu: 1300, delay: 2ms, loss: 3% }
  - { between: [internet, server] }
`,
    )
    files.write('page.txt', 'x'.repeat(100_000))
    const capture = join(files.directory, `curl-${user}.pcapng`)
    const { code, stdout, stderr } = await run(
      user,
      ...['--net', net, '--json', '--explain', '--capture', capture],
      ...['--on', 'server', '--cwd', files.directory, '--', '/usr/bin/python3', '-m', 'http.server', '8000'],
      ...['--on', 'client', '--'],
      ...[
        'curl',
        '-s',
        '--retry',
        '50',
        '--retry-delay',
        '1',
        '--retry-connrefused',
        'http://server:8000/page.txt',
        '-w',
        '%{size_download}\\n',
        '-o',
        '/dev/null',
      ],
    )
    expect(code).toBe(0)
    const result = JSON.parse(stdout)
    expect(result.programs).toMatchObject([
      { on: 'server', stopped: true, ok: true },
      { on: 'client', code: 0, stopped: false, ok: true },
    ])
    const lost = result.drops.filter(({ reason }: { reason: string }) => reason === 'WireLoss')
    expect(lost.length).toBeGreaterThan(0)
    expect(result.explain.map(({ drop }: { drop: string }) => drop)).toContain(
      `WireLoss at ${lost[0].node}.${lost[0].nic}`,
    )
    // Translated: the server sees the address of the router.
    expect(stderr).toContain('server | 10.0.1.1 - - ')
    const { life } = result.explain.find(({ drop }: { drop: string }) => drop.startsWith('WireLoss'))
    expect(life).toMatch(/TCP .*:8000/)
    expect(result.lag.worst).toBeGreaterThanOrEqual(result.lag.p99)
    const packets = [...readCapture(readFileSync(capture))]
    expect(packets.some((packet) => packet.interface === 'client.eth0')).toBe(true)
    expect(packets.length).toBeGreaterThan(100)
  })
})
