/** The commands on a real device, against the kernel's own sockets. */
import { execFileSync, spawnSync } from 'node:child_process'
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { readCapture } from '../../src/link/capture/capture-reader.ts'
import { datagram, dontFragment, hopLimit, isUdp, trafficClass } from '../packet.ts'
import { testWith } from '../skips.ts'
import { describeOnTun } from '../tun/namespace.ts'
import { sendRaw } from '../tun/raw-socket.ts'
import { compile, type Running, start } from './program.ts'

/** Of programs on a busy machine. */
const PATIENCE = { timeout: 25_000 }

const DEVICE = ['--tun', 'cli0']
const OWN = ['--address', '10.9.0.2/24', '--address', 'fd09::2/64']
const PEER = ['--peer', '10.9.0.1/24', '--peer', 'fd09::1/64']
const ALL = [...DEVICE, ...OWN, ...PEER]

function hasBridges(): boolean {
  try {
    execFileSync('ip', ['link', 'add', 'probe7', 'type', 'bridge'], { stdio: 'ignore' })
    execFileSync('ip', ['link', 'del', 'probe7'])
    return true
  } catch {
    return false
  }
}

describeOnTun('the commands on a TUN device', () => {
  let program: ReturnType<typeof compile>
  const running: Running[] = []
  const sockets: Socket[] = []
  beforeAll(() => {
    program = compile()
  }, 60_000)
  afterAll(() => program.remove())
  afterEach(() => {
    for (const { child } of running.splice(0)) child.kill('SIGKILL')
    for (const socket of sockets.splice(0)) socket.close()
  })

  function run(args: string[], input?: string | Buffer): Running {
    const started = start(program.cli, args, input)
    running.push(started)
    return started
  }

  /** A socket of the kernel's, bound to a free port of its side of the device. */
  async function kernel(family: 4 | 6, port = 0): Promise<Socket> {
    const socket = createSocket({ type: family === 4 ? 'udp4' : 'udp6', recvBufferSize: 1 << 20 })
    sockets.push(socket)
    socket.bind(port, family === 4 ? '10.9.0.1' : 'fd09::1')
    await once(socket, 'listening')
    return socket
  }

  const gone = () => !readFileSync('/proc/thread-self/net/dev', 'utf8').includes('cli0:')

  test('recv ends one second after the last datagram, and its one line counts them', async () => {
    const recv = run(['recv', ...ALL, '--port', '5000', '--json'])
    await recv.says('receiving')
    const [four, six] = [await kernel(4), await kernel(6)]
    const first = performance.now()
    for (let i = 0; i < 50; i++) four.send(Buffer.alloc(100), 5000, '10.9.0.2')
    for (let i = 0; i < 50; i++) six.send(Buffer.alloc(4000), 5000, 'fd09::2')
    await delay(700)
    const last = performance.now()
    four.send('last', 5000, '10.9.0.2')
    four.send('nobody there', 5001, '10.9.0.2')
    const { code, stdout } = await recv.end()
    const ended = performance.now()
    expect(ended - last).toBeGreaterThan(950)
    expect(ended - last).toBeLessThan(2000)
    expect({ code, lines: stdout.split('\n').length }).toEqual({ code: 0, lines: 2 })
    const { seconds, ...counts } = JSON.parse(stdout)
    expect(counts).toEqual({
      received: 101,
      bytes: 50 * 100 + 50 * 4000 + 4,
      drops: expect.objectContaining({ UdpNoPort: 1 }),
    })
    expect(seconds).toBeGreaterThan(0.6)
    // The second without a datagram does not count, however slow the machine is.
    expect(seconds).toBeLessThan((ended - first) / 1000 - 0.95)
    expect(gone()).toBe(true)
  }, 20_000)

  test('recv --payload tells of each datagram as it comes, and ends after --count', async () => {
    const recv = run(['recv', ...ALL, '--port', '5000', '--json', '--payload', '--count', '3'])
    await recv.says('receiving')
    const four = await kernel(4)
    const six = await kernel(6)
    four.setTTL(7)
    const payload = Buffer.from(Array.from({ length: 300 }, (_, index) => index & 255))
    four.send(payload, 5000, '10.9.0.2')
    await expect.poll(() => recv.output.stdout, PATIENCE).toContain('\n')
    six.send('', 5000, 'fd09::2')
    await expect.poll(() => recv.output.stdout, PATIENCE).toMatch(/\n.*\n/)
    four.send('third', 5000, '10.9.0.2')
    four.send('fourth', 5000, '10.9.0.2')
    const { code, stdout } = await recv.end()
    expect(code).toBe(0)
    const lines = stdout.trimEnd().split('\n').map((line) => JSON.parse(line)) // biome-ignore format: one line
    expect(lines).toEqual([
      {
        address: '10.9.0.1',
        port: four.address().port,
        size: 300,
        payload: payload.toString('base64'),
        ttl: 7,
        tos: 0,
        local: '10.9.0.2',
      },
      { address: 'fd09::1', port: six.address().port, size: 0, payload: '', ttl: 64, tos: 0, local: 'fd09::2' },
      {
        address: '10.9.0.1',
        port: four.address().port,
        size: 5,
        payload: 'dGhpcmQ=',
        ttl: 7,
        tos: 0,
        local: '10.9.0.2',
      },
    ])
    expect(Object.keys(lines[0])).toEqual(['address', 'port', 'size', 'payload', 'ttl', 'tos', 'local'])
  }, 20_000)

  test.each(['SIGINT', 'SIGTERM'] as const)(
    '%s ends recv, echo and send with their summaries, and the device is gone',
    async (signal) => {
      const recv = run(['recv', ...ALL, '--port', '5000', '--json'])
      await recv.says('receiving')
      expect(await recv.end(signal)).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^\{"received":0,"bytes":0,"seconds":0,"drops":\{.*\}\}\n$/),
      })
      expect(gone()).toBe(true)
      const plain = run(['recv', ...ALL, '--port', '5000'])
      await plain.says('receiving')
      expect(await plain.end(signal)).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^received 0 datagrams, 0 bytes, 0\.000 s; (no )?drops.*\n$/),
      })
      const echo = run(['echo', ...ALL, '--port', '7'])
      await echo.says('echo on')
      expect(await echo.end(signal)).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^received 0 .*; sent 0 back; .*\n$/),
      })
      expect(gone()).toBe(true)
      const send = run(['send', ...ALL, '--to', '10.9.0.1:9', '--rate', '10'])
      await expect.poll(gone, PATIENCE).toBe(false)
      const sent = await send.end(signal)
      expect(sent).toMatchObject({ code: 0, stdout: expect.stringMatching(/^sent \d+ datagrams?, \d+ bytes/) })
      expect(gone()).toBe(true)
    },
    20_000,
  )

  test('a datagram from port 0 is counted by echo, not answered, and ends nothing', async () => {
    const echo = run(['echo', ...ALL, '--port', '7', '--json'])
    await echo.says('echo on')
    const ends = { source: '10.9.0.1', destination: '10.9.0.2', destinationPort: 7 }
    sendRaw(datagram([1, 2, 3], 4, { ...ends, sourcePort: 0 }), ends.destination)
    const socket = await kernel(4)
    socket.send('still there?', 7, '10.9.0.2')
    expect(String((await once(socket, 'message'))[0])).toBe('still there?')
    const { code, stdout } = await echo.end('SIGTERM')
    expect({ code, ...JSON.parse(stdout) }).toMatchObject({ code: 0, received: 2, sent: 1, bytes: 15 })
  })

  test('echo answers on every port and address, from the address that was asked', async () => {
    const echo = run(['echo', ...ALL, '--address', '10.9.0.3/24', '--port', '7', '--port', '8', '--json'])
    await echo.says('echo on')
    const sizes = [0, 1, 63, 1472, 1473, 8192]
    for (const [address, port] of [
      ['10.9.0.2', 7],
      ['10.9.0.3', 8],
      ['fd09::2', 7],
    ] as const) {
      const socket = await kernel(address.includes(':') ? 6 : 4)
      for (const size of sizes) {
        const payload = Buffer.alloc(size, size & 255)
        socket.send(payload, port, address)
        const [message, rinfo] = (await once(socket, 'message')) as [Buffer, RemoteInfo]
        expect(message.equals(payload)).toBe(true)
        expect(rinfo).toMatchObject({ address, port })
      }
    }
    expect(execFileSync('ping', ['-c', '1', '-s', '8000', '10.9.0.2'], { encoding: 'utf8' })).toContain(
      ' 0% packet loss',
    )
    const { code, stdout } = await echo.end('SIGTERM')
    const bytes = 3 * sizes.reduce((sum, size) => sum + size, 0)
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ received: 18, sent: 18, bytes })
  }, 20_000)

  test('send waits for the address of the kernel, sends text, and ends', async () => {
    const send = run(['send', ...DEVICE, ...OWN, '--to', '10.9.0.1:6000', '--data', 'grüße', '--json'])
    await expect.poll(gone, PATIENCE).toBe(false)
    await delay(500)
    expect(send.output.stdout).toBe('')
    execFileSync('ip', ['address', 'add', '10.9.0.1/24', 'dev', 'cli0'])
    const first = await send.end()
    expect(first).toMatchObject({ code: 0 })
    expect(JSON.parse(first.stdout)).toEqual({
      sent: 1,
      bytes: 7,
      seconds: expect.any(Number),
      drops: expect.any(Object),
    })
  }, 20_000)

  test('send without an address of the kernel gives up after ten seconds', async () => {
    const send = run(['send', ...DEVICE, ...OWN, '--to', '[fd09::1]:6000', '--data', 'x'])
    // A busy machine takes its time to start a process: the ten seconds begin with the device.
    while (spawnSync('ip', ['link', 'show', 'cli0']).status !== 0) await delay(50)
    const before = performance.now()
    const { code, stderr } = await send.end()
    expect(code).toBe(1)
    expect(stderr).toContain("the kernel's side of cli0 has no IPv6 address after 10 s")
    expect(performance.now() - before).toBeGreaterThan(9500)
    expect(performance.now() - before).toBeLessThan(13_000)
  }, 20_000)

  /**
   * A persistent device with addresses, so that the kernel's socket is there before the command.
   */
  async function persistent(body: () => Promise<void>): Promise<void> {
    execFileSync('ip', ['tuntap', 'add', 'dev', 'cli0', 'mode', 'tun'])
    try {
      execFileSync('ip', ['link', 'set', 'cli0', 'up'])
      execFileSync('ip', ['address', 'add', '10.9.0.1/24', 'dev', 'cli0'])
      execFileSync('ip', ['address', 'add', 'fd09::1/64', 'dev', 'cli0', 'nodad'])
      await body()
    } finally {
      execFileSync('ip', ['link', 'delete', 'cli0'])
    }
  }

  test.each([
    [4, '10.9.0.1:6000', '10.9.0.2'],
    [6, '[fd09::1]:6000', 'fd09::2'],
  ] as const)(
    'what send sends arrives (IPv%i)',
    async (family, to, from) => {
      await persistent(async () => {
        const socket = await kernel(family, 6000)
        const got: { message: Buffer; rinfo: RemoteInfo }[] = []
        socket.on('message', (message, rinfo) => got.push({ message, rinfo }))
        const send = (args: string[], input?: Buffer) =>
          run(['send', ...DEVICE, ...OWN, '--to', to, '--json', ...args], input).end()

        expect(await send(['--data', 'hello'])).toMatchObject({ code: 0 })
        await expect.poll(() => got.length, PATIENCE).toBe(1)
        expect(`${got[0]?.message}`).toBe('hello')
        expect(got[0]?.rinfo.address).toBe(from)

        const input = Buffer.from(Array.from({ length: 60_000 }, (_, index) => (index * 31) & 255))
        const whole = await send([], input)
        expect(JSON.parse(whole.stdout)).toMatchObject({ sent: 1, bytes: 60_000 })
        await expect.poll(() => got.length, PATIENCE).toBe(2)
        expect(got[1]?.message.equals(input)).toBe(true)

        const paced = await send(['--count', '100', '--rate', '200', '--size', '10'])
        const { sent, bytes, seconds } = JSON.parse(paced.stdout)
        expect({ sent, bytes }).toEqual({ sent: 100, bytes: 1000 })
        expect(seconds).toBeGreaterThan(0.48)
        expect(seconds).toBeLessThan(0.75)
        await expect.poll(() => got.length, PATIENCE).toBe(102)
      })
    },
    30_000,
  )

  test('what send writes is on the wire as asked: TTL, TOS and DF', async () => {
    const file = join(program.directory, 'send.pcapng')
    const ipv4 = run(['send', ...ALL, '--to', '10.9.0.1:9', '--ttl', '9', '--tos', '0xb8', '--df', '--capture', file])
    expect(await ipv4.end()).toMatchObject({ code: 0 })
    const sent = [...readCapture(readFileSync(file))].find(
      ({ direction, bytes }) => direction === 'out' && isUdp(bytes),
    )
    const bytes = sent?.bytes ?? new Uint8Array()
    expect({ tos: trafficClass(bytes), df: dontFragment(bytes), ttl: hopLimit(bytes) }).toEqual({
      tos: 0xb8,
      df: true,
      ttl: 9,
    })
    const tooLong = await run(['send', ...ALL, '--to', '10.9.0.1:9', '--size', '1473', '--df', 'do']).end()
    expect(tooLong.code).toBe(1)
    expect(tooLong.stderr).toContain(
      'the payload has 1473 bytes, and --df do lets no more than 1472 into a packet of the MTU of 1500',
    )
    expect(await run(['send', ...ALL, '--to', '10.9.0.1:9', '--size', '1473', '--df', 'off']).end()).toMatchObject({
      code: 0,
    })
  }, 20_000)

  const FOUR = [...DEVICE, '--address', '10.9.0.2/24', '--peer', '10.9.0.1/24']
  test.each([
    ['send --data x --to 10.9.0.255:9', '10.9.0.255 is a broadcast address: add --broadcast'],
    [
      'send --data x --to [fd00::1]:9',
      'the stack has no IPv6 address to reach fd00::1 from: give it one with --address',
    ],
    [
      'send --data x --to 10.10.0.1:9',
      "there is no route to 10.10.0.1, the stack's networks being 10.9.0.0/24: name a router with --gateway",
    ],
    ['send --data x --to [fe80::1]:9', 'name the interface too, as in fe80::1%cli0'],
    ['send --data x --to [fe80::1%eth9]:9', "no interface is named 'eth9': there are lo, cli0"],
    ['send --data x --to 10.9.0.2:9', '10.9.0.2 is the stack itself'],
    ['ping fd00::1', 'the stack has no IPv6 address'],
    ['ping fe80::1', 'name the interface too, as in fe80::1%cli0'],
    ['ping localhost', "'localhost' is no IPv4 address: on a device names are not looked up"],
    ['nc 10.10.0.1 9', 'there is no route to 10.10.0.1'],
    ['nc 10.9.0.255 9', 'add --broadcast'],
    ['trace 10.10.0.1', 'there is no route to 10.10.0.1'],
    ['trace 10.9.0.255', '10.9.0.255 is a broadcast address: trace needs the address of one host'],
    [
      'trace -F -s 1473 10.9.0.1',
      "--size 1473 with --df does not fit into the device's MTU of 1500 bytes: 1472 is the most",
    ],
    ['mtu fd00::1', 'the stack has no IPv6 address'],
    ['mtu 10.9.0.255', '10.9.0.255 is a broadcast address: mtu needs the address of one host'],
  ])('%s says at once what is wrong and what to do, and leaves no device', async (line, message) => {
    const [command = '', ...args] = line.split(' ')
    const began = performance.now()
    const { code, stderr } = await run([command, ...FOUR, ...args]).end()
    expect(performance.now() - began).toBeLessThan(5000)
    expect(code).toBeGreaterThan(0)
    expect(stderr).toContain(message)
    expect(stderr).not.toContain('\n    at ')
    expect(gone()).toBe(true)
  })

  test('a payload from standard input that no datagram can carry is refused with the limit', async () => {
    const { code, stderr } = await run(['send', ...FOUR, '--to', '10.9.0.1:9'], Buffer.alloc(70_000)).end()
    expect(code).toBe(1)
    expect(stderr).toContain('the payload has 70000 bytes: a datagram over IPv4 carries 65507 at most')
  })

  test('send and nc reach a broadcast address with --broadcast', async () => {
    const socket = createSocket({ type: 'udp4' })
    sockets.push(socket)
    socket.bind(6000)
    await once(socket, 'listening')
    const seen: string[] = []
    socket.on('message', (message) => seen.push(message.toString()))
    const to = ['--broadcast', '--to', '10.9.0.255:6000', '--data', 'from send']
    expect(await run(['send', ...FOUR, ...to]).end()).toMatchObject({ code: 0 })
    expect(await run(['nc', ...FOUR, '-b', '10.9.0.255', '6000'], 'from nc').end()).toMatchObject({
      code: 0,
      stderr: '',
    })
    expect(seen).toEqual(['from send', 'from nc'])
  }, 20_000)

  test('on a TAP device send finds the neighbor first, and all arrives', async () => {
    execFileSync('ip', ['tuntap', 'add', 'dev', 'cli1', 'mode', 'tap'])
    try {
      execFileSync('ip', ['link', 'set', 'cli1', 'up'])
      execFileSync('ip', ['address', 'add', '10.9.0.1/24', 'dev', 'cli1'])
      const socket = await kernel(4, 6000)
      let received = 0
      socket.on('message', () => received++)
      const sent = await run([
        'send',
        '--tap',
        'cli1',
        '--address',
        '10.9.0.2/24',
        '--to',
        '10.9.0.1:6000',
        '--count',
        '300',
        '--json',
      ]).end()
      expect(JSON.parse(sent.stdout)).toMatchObject({ sent: 300 })
      await expect.poll(() => received, PATIENCE).toBe(300)
    } finally {
      execFileSync('ip', ['link', 'delete', 'cli1'])
    }
  }, 20_000)

  test.each([
    [
      'one datagram',
      '10.9.0.77:6000',
      ['--data', 'hello'],
      /^tungram send: 10\.9\.0\.77 does not answer ARP: 1 packet could not be sent to 10\.9\.0\.77:6000\n$/,
    ],
    [
      'many',
      '[fd09::77]:6000',
      ['--count', '1000'],
      /^tungram send: fd09::77 does not answer Neighbor Discovery: 1 packet /,
    ],
    [
      'what a silent gateway would pass on',
      '192.0.2.1:9',
      ['--data', 'x', '--gateway', '10.9.0.78'],
      /^tungram send: 10\.9\.0\.78 does not answer ARP/,
    ],
  ])(
    'on a TAP device send is exit code 1 when no neighbor answers: %s',
    async (_what, to, args, message) => {
      const started = performance.now()
      const own = [
        '--address',
        '10.9.0.2/24',
        '--address',
        'fd09::2/64',
        '--peer',
        '10.9.0.1/24',
        '--peer',
        'fd09::1/64',
      ]
      const { code, stdout, stderr } = await run(['send', '--tap', 'cli2', ...own, '--to', to, ...args, '--json']).end()
      expect(stderr).toMatch(message)
      expect(code).toBe(1)
      expect(JSON.parse(stdout).drops).toMatchObject({ NeighborUnreachable: 1 })
      expect(performance.now() - started).toBeLessThan(9000)
    },
    20_000,
  )

  test('a device in use is exit code 1, and says so', async () => {
    const first = run(['echo', ...ALL, '--port', '7'])
    await first.says('echo on')
    const { code, stdout, stderr } = await run(['echo', ...ALL, '--port', '7']).end()
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^tungram echo: .*'cli0' is in use/)
    await first.end('SIGTERM')
  }, 20_000)

  test('a device that is deleted ends the command with exit code 1', async () => {
    const recv = run(['recv', ...ALL, '--port', '7', '--json'])
    await recv.says('receiving')
    execFileSync('ip', ['link', 'delete', 'cli0'])
    const { code, stderr } = await recv.end()
    expect(code).toBe(1)
    expect(stderr).toContain("'cli0' was deleted")
  }, 20_000)

  test('the file of --capture has both directions, and the reason of what was discarded', async () => {
    const file = join(program.directory, 'echo.pcapng')
    const echo = run(['echo', ...ALL, '--port', '7', '--capture', file])
    await echo.says('echo on')
    const socket = await kernel(4)
    socket.send('nobody there', 99, '10.9.0.2')
    socket.send('hello', 7, '10.9.0.2')
    await once(socket, 'message')
    await echo.end('SIGTERM')
    const udp = [...readCapture(readFileSync(file))].filter(({ bytes }) => bytes[0] === 0x45 && bytes[9] === 17)
    expect(udp.map(({ direction, comments }) => [direction, comments])).toEqual([
      ['in', ['dropped: UdpNoPort (udp)']],
      ['in', []],
      ['out', []],
    ])
  }, 20_000)

  test('dump prints what the kernel sends into a device', async () => {
    const dump = run(['dump', ...DEVICE, ...PEER])
    await dump.says('reading from cli0')
    const socket = await kernel(4)
    socket.send('hello', 7, '10.9.0.2')
    await expect
      .poll(() => dump.output.stdout, PATIENCE)
      .toMatch(/< IPv4 10\.9\.0\.1 > 10\.9\.0\.2 .*, UDP \d+ > 7 payload 5\n/)
    expect((await dump.end('SIGINT')).code).toBe(0)
  }, 20_000)

  test('the demo plays against the kernel, and all its checks pass', async () => {
    const { code, stdout } = await run(['demo', '--json']).end()
    const { kind, checks } = JSON.parse(stdout)
    expect(kind).toBe('tun')
    expect(checks.filter(({ ok }: { ok: boolean }) => !ok)).toEqual([])
    expect(checks.length).toBeGreaterThanOrEqual(20)
    expect(code).toBe(0)
  }, 20_000)

  test('point-to-point addresses lead to the other end, in both forms', async () => {
    const four = await run([
      'ping',
      ...DEVICE,
      '--address',
      '10.8.0.2/32',
      '--peer',
      '10.8.0.1/32',
      '-c',
      '1',
      '10.8.0.1',
    ]).end()
    expect(four).toMatchObject({ code: 0, stdout: expect.stringContaining('1 received') })
    const written = ['--address', 'fd08::2 peer fd08::1', '--peer', 'fd08::1 peer fd08::2']
    const six = await run(['ping', ...DEVICE, ...written, '-c', '1', 'fd08::1']).end()
    expect(six).toMatchObject({ code: 0, stdout: expect.stringContaining('1 received') })
    for (const text of ['10.8.0.2 peer fd08::1', '10.8.0.2/24 peer 10.8.0.1', '10.8.0.2 peer 10.8.0.2']) {
      const { code, stderr } = await run(['ping', ...DEVICE, '--address', text, '10.8.0.1']).end()
      expect({ text, code }).toEqual({ text, code: 2 })
      expect(stderr).toContain(`Not a point-to-point address: '${text}'`)
    }
  }, 60_000)

  test('a gateway may be outside of the networks of the stack, and have a zone', async () => {
    const own = ['--address', '10.9.0.2/32', '--peer', '10.9.0.1/24', '--address', 'fd09::2/64', '--peer', 'fd09::1/64']
    const gateways = ['--gateway', '10.77.0.1', '--gateway', 'fe80::1%cli0']
    const ping = await run(['ping', ...DEVICE, ...own, ...gateways, '-c', '1', '-W', '0.1', '203.0.113.1']).end()
    // Nobody answers, but it is sent: there is a route.
    expect(ping.stdout).toContain('1 packet transmitted, 0 received')
    const six = await run(['ping', ...DEVICE, ...own, ...gateways, '-c', '1', '-W', '0.1', '2001:db8::1']).end()
    expect(six.stdout).toContain('1 packet transmitted, 0 received')
    const wrong = await run(['ping', ...DEVICE, ...own, '--gateway', 'fe80::1%eth7', '2001:db8::1']).end()
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining("no interface is named 'eth7'") })
  }, 60_000)

  testWith(hasBridges(), 'bridges in this kernel', '')(
    'send on a TAP device in a bridge reaches the bridge',
    async () => {
      const ip = (...args: string[]) => execFileSync('ip', args)
      ip('link', 'add', 'br7', 'type', 'bridge')
      try {
        ip('address', 'add', '10.7.0.1/24', 'dev', 'br7')
        ip('link', 'set', 'br7', 'up')
        ip('tuntap', 'add', 'dev', 'port7', 'mode', 'tap')
        ip('link', 'set', 'port7', 'master', 'br7', 'up')
        const socket = createSocket('udp4')
        sockets.push(socket)
        socket.bind(0, '10.7.0.1')
        await once(socket, 'listening')
        const heard = once(socket, 'message')
        const to = `10.7.0.1:${socket.address().port}`
        const send = run(['send', '--tap', 'port7', '--address', '10.7.0.2/24', '--to', to, '--data', 'hello'])
        expect(await send.end()).toMatchObject({ code: 0, stdout: expect.stringContaining('sent 1 datagram') })
        expect(`${(await heard)[0]}`).toBe('hello')
      } finally {
        ip('link', 'del', 'br7')
        ip('link', 'del', 'port7')
      }
    },
    60_000,
  )
})
