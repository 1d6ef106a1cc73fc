/** ping, trace, mtu and nc on scenarios. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { compile, start } from './program.ts'

let program: ReturnType<typeof compile>
let chain: string[]
let hole: string[]
beforeAll(() => {
  program = compile()
  const text = (faults: string) => `
hosts: { a: , b: { echo: [7] } }
routers: { r1: , r2: }
links:
  - { between: [a, r1], delay: 5ms }
  - { between: [r1, r2], delay: 10ms, ${faults} }
  - { between: [r2, b], delay: 5ms }
`
  const file = (name: string, faults: string) => {
    const path = join(program.directory, name)
    writeFileSync(path, text(faults))
    return ['--on', path, '--from', 'a']
  }
  chain = file('chain.yaml', 'mtu: 1400')
  hole = file('hole.yaml', 'forward: { mtu: 1300 }')
}, 60_000)
afterAll(() => program.remove())

const run = (...args: string[]) => start(program.cli, args).end()

test('ping prints what ping prints, and the times are those of the links', async () => {
  const { code, stdout } = await run('ping', ...chain, '-c', '2', '-s', '100', 'b')
  expect({ code, lines: stdout.split('\n') }).toEqual({
    code: 0,
    lines: [
      'PING b (10.0.2.2) 100(128) bytes of data.',
      '108 bytes from 10.0.2.2: icmp_seq=1 ttl=62 time=40.0 ms',
      '108 bytes from 10.0.2.2: icmp_seq=2 ttl=62 time=40.0 ms',
      '',
      '--- b ping statistics ---',
      '2 packets transmitted, 2 received, 0% packet loss, time 1000ms',
      'rtt min/avg/max/mdev = 40.000/40.000/40.000/0.000 ms',
      '',
    ],
  })
})

test('ping without a reply is exit code 1, and shows the ICMP errors', async () => {
  const { code, stdout } = await run('ping', ...chain, '-c', '1', '-t', '1', 'b')
  expect(code).toBe(1)
  expect(stdout).toContain('From 10.0.0.2 icmp_seq=1 Time to live exceeded\n')
  expect(stdout).toContain('1 packet transmitted, 0 received, +1 error, 100% packet loss')
  const big = await run('ping', ...chain, '-c', '1', '-M', 'do', '-s', '1400', '--json', 'b')
  expect(JSON.parse(big.stdout)).toEqual({
    address: '10.0.2.2',
    transmitted: 1,
    received: 0,
    duplicates: 0,
    rtt: null,
    replies: [],
    errors: [{ seq: 1, from: '10.0.0.2', error: 'Frag needed and DF set (mtu = 1400)' }],
  })
})

test('ping ends on SIGINT with its summary', async () => {
  const ping = start(program.cli, ['ping', ...chain, '-c', '100000000', 'b'])
  await expect.poll(() => ping.output.stdout, { timeout: 60_000 }).toContain('icmp_seq=3 ')
  const { code, stdout } = await ping.end('SIGINT')
  expect(code).toBe(0)
  expect(stdout).toMatch(/\d+ packets transmitted, \d+ received, /)
}, 120_000)

test('trace shows each router with its times, in both families', async () => {
  const four = await run('trace', ...chain, '-q', '2', 'b')
  expect(four).toMatchObject({
    code: 0,
    stdout:
      'traceroute to b (10.0.2.2), 30 hops max, 60 byte packets\n 1  10.0.0.2  10.000 ms  10.000 ms\n' +
      ' 2  10.0.1.2  30.000 ms  30.000 ms\n 3  10.0.2.2  40.000 ms  40.000 ms\n',
  })
  const six = JSON.parse((await run('trace', ...chain, '-6', '--json', 'b')).stdout)
  expect(six.hops.map(({ probes }: { probes: { from: string }[] }) => probes[0]?.from)).toEqual([
    'fd00::2',
    'fd00:0:0:1::2',
    'fd00:0:0:2::2',
  ])
})

test('trace marks where it cannot go on, and that is exit code 1', async () => {
  const { code, stdout } = await run('trace', ...chain, '-F', '-s', '1400', '-q', '1', 'b')
  expect({ code, last: stdout.trimEnd().split('\n').at(-1) }).toEqual({
    code: 1,
    last: ' 2  10.0.0.2  10.000 ms !F-1400',
  })
  const lost = await run('trace', ...hole, '-s', '1400', '-m', '2', '-q', '1', 'b')
  expect({ code: lost.code, lines: lost.stdout.trimEnd().split('\n').slice(1) }).toEqual({
    code: 1,
    lines: [' 1  10.0.0.2  10.000 ms', ' 2  *'],
  })
})

test('mtu agrees with the router that tells, and names it', async () => {
  const { code, stdout } = await run('mtu', ...chain, '--json', 'b')
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toEqual({
    address: '10.0.2.2',
    mtu: 1400,
    link: 1500,
    icmp: { mtu: 1400, reports: [{ address: '10.0.0.2', mtu: 1400 }], tried: 1400 },
    probing: { mtu: 1400, probes: expect.any(Number) },
    limit: { hop: 1, address: '10.0.0.2', reported: true },
  })
})

test('mtu finds a black hole by probing, exact to the byte, and the hop in front of it', async () => {
  const { code, stdout } = await run('mtu', ...hole, 'b')
  expect(code).toBe(0)
  expect(stdout).toContain('path MTU to b (10.0.2.2): 1300 bytes')
  expect(stdout).toContain('packets of 1500 bytes end without a word: a black hole')
  expect(stdout).toContain('limited by the link behind hop 1, 10.0.0.2, which does not say so')
})

test('nc gets back what it sends to an echo service, and says when the port is closed', async () => {
  const echo = await start(program.cli, ['nc', ...chain, 'b', '7'], 'hello\n').end()
  expect(echo).toMatchObject({ code: 0, stdout: 'hello\n' })
  const closed = await start(program.cli, ['nc', ...chain, 'b', '8'], 'hello\n').end()
  expect(closed).toMatchObject({ code: 1, stdout: '', stderr: 'b answers that port 8 is closed\n' })
})

test('wrong usage is exit code 2', async () => {
  const cases = [
    [['ping', ...chain], 'name one host'],
    [['ping', ...chain, 'nobody'], 'nobody'],
    [['ping', ...chain.slice(0, 2), 'b'], '--from HOST'],
    [['ping', ...chain, '--tun', 't', 'b'], 'exclude each other'],
    [['trace', ...chain.slice(0, 2), '--from', 'x', 'b'], 'No node is named x'],
    [['mtu', ...chain, '--method', 'guess', 'b'], 'guess'],
    [['nc', ...chain, 'b'], 'a host and a port'],
  ] as const
  const outcomes = await Promise.all(cases.map(([args]) => run(...args)))
  for (const [index, { code, stderr }] of outcomes.entries()) {
    const [args, reason] = cases[index] as (typeof cases)[number]
    expect({ args, code }).toEqual({ args, code: 2 })
    expect(stderr).toContain(reason)
  }
}, 30_000)
