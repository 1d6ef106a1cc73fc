import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  enhancedPacket,
  interfaceDescription,
  LINKTYPE_ETHERNET,
  LINKTYPE_RAW,
  sectionHeader,
} from '../../src/link/capture/pcapng.ts'
import { compile, start } from './program.ts'

let program: ReturnType<typeof compile>
beforeAll(() => {
  program = compile()
}, 60_000)
afterAll(() => program.remove())

const run = (...args: string[]) => start(program.cli, args).end()

test.each([
  [['sim', '/nonexistent.yaml'], 'cannot read /nonexistent.yaml: there is no such file (ENOENT)'],
  [['ping', '--on', '/', '--from', 'a', 'b'], 'cannot read /: it is a folder (EISDIR)'],
  [['dump', '/nonexistent'], 'cannot read /nonexistent: there is no such file (ENOENT)'],
  [['run', '--', '/nonexistent'], "there is no command '/nonexistent'"],
])('%j says what cannot be read or run', async (args, message) => {
  expect(await run(...args)).toMatchObject({ code: 1, stdout: '', stderr: `tungram ${args[0]}: ${message}\n` })
})

test('wrong usage is exit code 2, with the reason and the usage on standard error', async () => {
  const address = ['--address', '10.9.0.2/24']
  const cases = [
    [[], 'Usage: tungram COMMAND'],
    [['fly'], "there is no command 'fly'"],
    [['echo', '--port', '7', ...address], '--tun NAME or --tap NAME'],
    [['recv', '--port', '7', ...address], '--tun NAME or --tap NAME'],
    [['send', '--to', '10.9.0.1:7', ...address], '--tun NAME or --tap NAME'],
    [['echo', '--tun', 't', '--tap', 't', '--port', '7', ...address], 'one of them'],
    [['echo', '--tun', 't', '--packet', 'v', '--port', '7', ...address], '--packet IFACE; one of them'],
    [
      ['echo', '--packet', 'v', '--peer', '10.9.0.1/24', '--port', '7', ...address],
      "--peer is for a device of the command's own",
    ],
    [['echo', '--tun', 't', ...address], '--port P'],
    [['echo', '--tun', 't', '--port', '70000', ...address], "not '70000'"],
    [['recv', '--tun', 't', ...address], '--port P'],
    [['recv', '--tun', 't', '--port', '7'], '--address CIDR'],
    [['recv', '--tun', 't', '--port', '7', '--address', '10.9.0.300/24'], '10.9.0.300/24'],
    [['recv', '--tun', 't', '--port', '7', '--count', '0', ...address], '--count'],
    [['recv', '--tun', 't', '--port', '7', '--peer', '10.9.0.2/24', ...address], 'an address each'],
    [['recv', '--tun', 't', '--port', '7', '--icmp-rate-limit', 'none', ...address], '--icmp-rate-limit'],
    [['send', '--tun', 't', ...address], '--to ADDR:PORT'],
    [['send', '--tun', 't', '--to', 'fd09::1:7', ...address], '[2001:db8::1]:5000'],
    [['send', '--tun', 't', '--to', '10.9.0.1:7', '--data', 'x', '--size', '1', ...address], 'exclude each other'],
    [['send', '--tun', 't', '--to', '10.9.0.1:7', '--size', '65508', ...address], '65507'],
    [['send', '--tun', 't', '--to', '10.9.0.1:7', '--df', '--ttl', '256', ...address], '--ttl'],
    [['send', '--tun', 't', '--to', '10.9.0.1:0', ...address], 'the port of --to takes'],
    [
      ['send', '--tun', 't', '--to', '10.9.0.1:7', '--df', 'never', ...address],
      "--df takes one of off, want, do, probe, not 'never'",
    ],
    [['recv', '--tun', '', '--port', '7', ...address], '--tun NAME or --tap NAME'],
    [
      ['recv', '--tun', 't', '--port', '7', '--gateway', '10.9.0.1', '--gateway', '10.9.0.3', ...address],
      'once a family',
    ],
    [['nc', '--tun', 't', ...address, '10.9.0.1', 'http'], "PORT takes a whole number from 1 to 65535, not 'http'"],
    [['ping', '--tun', 't', ...address, '-4', '-6', '10.9.0.1'], '-4 and -6 exclude each other'],
    [['mtu', '--tun', 't', ...address, '-m', '0', '10.9.0.1'], "--max-ttl takes a whole number from 1 to 255, not '0'"],
    [['bench', '--size', '7'], '--size takes a whole number from 8 to 65507'],
    [['bench', '--rate', '5', '--window', '2'], '--rate and --window exclude each other'],
    [['bench', '--duration', '1ms'], "from 10ms to 1h, not '1ms'"],
    [['bench', '--one-way'], '--one-way needs the program that is sent to'],
    [['bench', '--tun', 't', ...address], 'name the program on the other side of the device'],
    [['dump'], 'name what to read'],
    [['dump', '--tun', ''], 'name what to read'],
    [['demo', '--nonsense'], '--nonsense'],
  ] as const
  // All at once: the time is that of starting processes.
  const outcomes = await Promise.all(cases.map(([args]) => run(...args)))
  for (const [index, { code, stdout, stderr }] of outcomes.entries()) {
    const [args, reason] = cases[index] as (typeof cases)[number]
    expect({ args, code, stdout }).toEqual({ args, code: 2, stdout: '' })
    expect(stderr).toContain(reason)
    expect(stderr).toContain('Usage: tungram')
  }
}, 60_000)

test('help is no error', async () => {
  for (const args of [
    ['--help'],
    ['echo', '--help'],
    ['recv', '-h'],
    ['send', '--help'],
    ['dump', '--help'],
    ['demo', '--help'],
  ]) {
    const { code, stdout, stderr } = await run(...args)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('Usage: tungram')
  }
}, 30_000)

test('the version is that of the package', async () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  const built = new URL('../../dist/cli.js', import.meta.url).pathname
  expect(await start(built, ['--version']).end()).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
})

test('dump prints a line for each packet, every field with -v, the bytes with -x', async () => {
  // A datagram "hi\n" from Linux, 10.9.0.1:39268 to 10.9.0.2:99.
  const datagram = Buffer.from(
    '4500001f0359400040112361 0a0900010a090002 99640063000bdf92 68690a'.replaceAll(' ', ''),
    'hex',
  )
  const frame = Buffer.concat([Buffer.from('0200000000020200000000010800', 'hex'), datagram])
  const file = join(program.directory, 'dump.pcapng')
  writeFileSync(
    file,
    Buffer.concat([
      sectionHeader('test'),
      interfaceDescription({ name: 'tun0', linkType: LINKTYPE_RAW, snapLength: 0, hardwareAddress: null }),
      interfaceDescription({ name: 'tap0', linkType: LINKTYPE_ETHERNET, snapLength: 0, hardwareAddress: null }),
      interfaceDescription({ name: 'bus0', linkType: 190, snapLength: 0, hardwareAddress: null }),
      enhancedPacket(0, 1_000_000_000n, datagram, datagram.length, 'in', ['dropped: UdpNoPort (udp)']),
      enhancedPacket(1, 1_000_250_000n, frame, frame.length, 'out', []),
      enhancedPacket(0, 3_000_000_000n, datagram.subarray(0, 24), datagram.length, 'unknown', []),
      enhancedPacket(2, 3_000_000_000n, datagram, datagram.length, 'unknown', []),
    ]),
  )
  const ip = 'IPv4 10.9.0.1 > 10.9.0.2 ttl 64 id 857 DF length 31'
  const { code, stdout, stderr } = await run('dump', file)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout.split('\n')).toEqual([
    `  0.000000 < ${ip}, UDP 39268 > 99 payload 3 (dropped: UdpNoPort (udp))`,
    `  0.000250 > 02:00:00:00:00:01 > 02:00:00:00:00:02, ${ip}, UDP 39268 > 99 payload 3`,
    `  2.000000   ${ip}, UDP (24 of 31 bytes kept)`,
    '  2.000000   link type 190, 31 bytes',
    '',
  ])
  const verbose = await run('dump', '-v', '-x', file)
  expect(verbose.stdout).toContain('  UDP, 8 bytes at 20\n    source port       39268\n    destination port  99\n')
  expect(verbose.stdout).toContain('  0010  0a 09 00 02 99 64 00 63  00 0b df 92 68 69 0a     .....d.c....hi.\n')
}, 30_000)

test('dump of what is no capture, or not there, is exit code 1', async () => {
  const file = join(program.directory, 'cli.js')
  for (const path of [file, join(program.directory, 'nothing')]) {
    const { code, stderr } = await run('dump', path)
    expect(code).toBe(1)
    expect(stderr).toMatch(/^tungram dump: .*\n$/)
  }
})

test('the demo plays in memory where it must, and all its checks pass', async () => {
  const { code, stdout, stderr } = await run('demo', '--memory')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toContain('a wire in memory, MTU 1500, because of --memory')
  expect(stdout).toContain('22 checks, all passed')
  expect(stdout).not.toContain('✘')
  const lines = stdout.trimEnd().split('\n')
  expect(lines.length).toBeLessThan(17)
  for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(80)
  expect(stdout).toContain('  │◀─ 4000 bytes: fragments at MTU 1500 ─▶│ ✔ put together, intact\n')
  expect(lines.filter((line) => line.includes('▶│ ✔'))).toHaveLength(6)
  expect(stdout).toContain("'npx tungram demo -v' shows each packet")
  const verbose = await run('demo', '--memory', '-v')
  expect(verbose.stdout).toContain('22 checks, all passed')
  expect(verbose.stdout).toMatch(/peer {3}→ stack {3}IPv4 10\.9\.0\.1 > 10\.9\.0\.2 ttl 64 .* ICMP echo request/)
  const json = await run('demo', '--memory', '--json')
  expect(JSON.parse(json.stdout)).toMatchObject({
    kind: 'memory',
    interrupted: false,
    checks: expect.objectContaining({ length: 22 }),
  })
}, 30_000)

test('the examples of the package run from anywhere', async () => {
  const built = new URL('../../dist/cli.js', import.meta.url).pathname
  const there = { cwd: program.directory, encoding: 'utf8' } as const
  const tungram = (...args: string[]) => spawnSync(process.execPath, [built, ...args], there)
  const { status, stdout, stderr } = tungram('sim', '--example', 'ttl-scoping')
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expect(tungram('sim', 'examples/scenarios/ttl-scoping.yaml').stdout).toBe(stdout)
  const wrong = tungram('sim', '--example', 'ttl-scopin')
  expect(wrong.status).toBe(2)
  expect(wrong.stderr).toContain("there is no example 'ttl-scopin': did you mean 'ttl-scoping'?")
  expect(tungram('sim', '--example', 'ttl-scoping', 'x.yaml').stderr).toContain('--example is instead of a FILE')
  expect(tungram('sim', 'examples/none.yaml').stderr).toContain('there is no such file')
}, 30_000)

test('a run of more than two seconds says how far it is, but with --quiet', async () => {
  const file = join(program.directory, 'long.json')
  const flows = [{ from: 'a', to: 'b', count: 100_000_000, rate: 1e6 }]
  writeFileSync(file, JSON.stringify({ hosts: { a: {}, b: {} }, links: [{ between: ['a', 'b'] }], flows }))
  const running = start(program.cli, ['sim', file])
  await running.says('s of simulated time\n')
  expect((await running.end('SIGINT')).stderr).toMatch(/^\d+\.\d s of simulated time\n/)
  const noted = JSON.stringify({ hosts: { a: {}, b: {} }, links: [{ between: ['a', 'b'] }], programs: [] })
  const other = join(program.directory, 'noted.json')
  writeFileSync(other, noted.replace('[]', '[{"on":"a","command":"true"}]'))
  expect((await run('sim', other)).stderr).toContain('programs run in real time only')
  expect(await run('sim', other, '--quiet')).toMatchObject({ code: 0, stderr: '' })
  expect((await run('sim', '/nonexistent.yaml', '--quiet')).stderr).toContain('there is no such file')
}, 60_000)
