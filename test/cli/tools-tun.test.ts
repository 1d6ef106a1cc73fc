/** ping, trace, mtu and nc on a real device: the kernel is the other host. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { datagram } from '../packet.ts'
import { describeOnTun } from '../tun/namespace.ts'
import { sendRaw } from '../tun/raw-socket.ts'
import { compile, start } from './program.ts'

const VANTAGE = ['--tun', 'tool0', '--address', '10.9.0.2/24', '--peer', '10.9.0.1/24']

/** Of programs that start on a busy machine; what is answered ends before. */
const PATIENCE = { timeout: 60_000 }

describeOnTun('the tools on a TUN device', () => {
  let program: ReturnType<typeof compile>
  beforeAll(() => {
    program = compile()
  }, 60_000)
  afterAll(() => program.remove())
  const run = (...args: string[]) => start(program.cli, args).end()

  test('the kernel answers ping, trace and mtu', async () => {
    const ping = await run('ping', ...VANTAGE, '-c', '3', '-i', '0.05', '-W', '20', '10.9.0.1')
    expect(ping.code).toBe(0)
    expect(ping.stdout).toMatch(/64 bytes from 10\.9\.0\.1: icmp_seq=3 ttl=64 time=[\d.]+ ms/)
    const trace = await run('trace', ...VANTAGE, '-w', '20', '10.9.0.1')
    expect(trace.code).toBe(0)
    expect(trace.stdout).toMatch(/^ 1 {2}10\.9\.0\.1( {2}[\d.]+ ms){3}$/m)
    const mtu = await run('mtu', ...VANTAGE, '-w', '20', '--mtu', '1420', '--json', '10.9.0.1')
    expect(JSON.parse(mtu.stdout)).toMatchObject({
      mtu: 1420,
      icmp: { mtu: 1420 },
      probing: { mtu: 1420 },
      limit: { hop: 0 },
    })
  }, 120_000)

  test('ping without --count goes on until SIGINT; nobody at home is exit code 1', async () => {
    const ping = start(program.cli, ['ping', ...VANTAGE, '-i', '0.05', '10.9.0.1'])
    await expect.poll(() => ping.output.stdout, PATIENCE).toContain('icmp_seq=5 ')
    const { code, stdout } = await ping.end('SIGINT')
    expect(code).toBe(0)
    expect(stdout).toContain(' ping statistics ---')
    expect(await run('ping', ...VANTAGE, '-c', '1', '-W', '0.3', '10.9.0.77')).toMatchObject({ code: 1 })
  }, 120_000)

  test("nc talks with the kernel's socket, and listens for it", async () => {
    const listener = start(program.cli, ['nc', ...VANTAGE, '-l', '6000', '-w', '0.5'], 'answer')
    await listener.says('listening')
    const socket = createSocket('udp4')
    socket.send('question', 6000, '10.9.0.2')
    const [message] = (await once(socket, 'message')) as [Buffer]
    expect(`${message}`).toBe('answer')
    expect(await listener.end()).toMatchObject({ code: 0, stdout: 'question' })
    socket.close()
    expect(await start(program.cli, ['nc', ...VANTAGE, '-w', '20', '10.9.0.1', '9'], 'x').end()).toMatchObject({
      code: 1,
    })
  }, 120_000)

  test('nc -l answers neither port 0 nor who has no route, and goes on listening', async () => {
    const listener = start(program.cli, ['nc', ...VANTAGE, '-l', '6000', '-w', '60'], 'answer')
    await listener.says('listening')
    const ends = { source: '10.9.0.1', destination: '10.9.0.2', destinationPort: 6000 }
    sendRaw(datagram([0x30], 4, { ...ends, sourcePort: 0 }), ends.destination)
    await expect.poll(() => listener.output.stdout, PATIENCE).toBe('0')
    sendRaw(datagram([0x31], 4, { ...ends, source: '203.0.113.5' }), ends.destination)
    await listener.says('ENETUNREACH 203.0.113.5')
    const socket = createSocket('udp4')
    socket.send('2', 6000, '10.9.0.2')
    await expect.poll(() => listener.output.stdout, PATIENCE).toBe('012')
    socket.close()
    expect(await listener.end('SIGINT')).toMatchObject({ code: 0 })
  }, 120_000)
})
