/**
 * Commands on a TAP whose router comes later: they wait for its advertisement, as long as they ask
 * for one.
 */
import { execFileSync } from 'node:child_process'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { loadLibc } from '../../src/link/device/tun-libc.ts'
import { findInterface, type InterfaceInfo } from '../../src/link/device/tun-netlink.ts'
import { icmp, ip6, join, u8, u16, u32 } from '../differential/raw-ip.ts'
import { describeOnTun } from '../tun/namespace.ts'
import { compile, type Running, start } from './program.ts'

const DEVICE = 'cli0'
const FAR = '2001:db8:9::1'
const ROUTER_MAC = '02:00:00:00:00:99'
const ROUTER = 'fe80::99'
const ip = (...args: string[]) => execFileSync('ip', args, { encoding: 'utf8' })

const AF_PACKET = 17
const SOCK_RAW = 3

/** Sends a frame out of the kernel's side of the device. */
function transmit(frame: Uint8Array): void {
  const libc = loadLibc()
  const sendto = libc.library.func('sendto', 'intptr_t', ['int', 'void *', 'size_t', 'int', 'void *', 'uint32'])
  const fd = libc.socket(AF_PACKET, SOCK_RAW, 0)
  const to = Buffer.alloc(20)
  to.writeUInt16LE(AF_PACKET, 0)
  to.writeInt32LE((findInterface(libc, DEVICE) as InterfaceInfo).index, 4)
  const sent = sendto(fd, frame, frame.length, 0, to, to.length)
  libc.close(fd)
  expect(sent).toBe(frame.length)
}

/** What a router says that leads everywhere. */
function advertisement(): Uint8Array {
  const mac = Uint8Array.from(ROUTER_MAC.split(':').map((pair) => Number.parseInt(pair, 16)))
  const payload = icmp(134, 0, join(u8(64, 0), u16(1800)), join(u32(0), u32(0), u8(1, 1), mac), {
    from: ROUTER,
    to: 'ff02::1',
  })
  const packet = ip6({ source: ROUTER, destination: 'ff02::1', next: 58, hopLimit: 255, payload })
  return join(Uint8Array.of(0x33, 0x33, 0, 0, 0, 1), mac, u16(0x86dd), packet)
}

describeOnTun('a command on a TAP without a way to its destination', () => {
  let program: ReturnType<typeof compile>
  const running: Running[] = []
  beforeAll(() => {
    program = compile()
  }, 60_000)
  afterAll(() => program.remove())
  afterEach(() => {
    for (const { child } of running.splice(0)) child.kill('SIGKILL')
  })

  function run(...args: string[]): Running {
    const started = start(program.cli, [...args, '--tap', DEVICE, '--address', 'fd09::2/64', '--peer', 'fd09::1/64'])
    running.push(started)
    return started
  }

  test('a command on a TAP without a way to its destination waits for a router, and goes on by it', {
    timeout: 40_000,
  }, async () => {
    const ping = run('ping', '-c', '1', FAR)
    await ping.says('waiting for a router')
    // The kernel is that router, and the host behind it.
    ip('link', 'set', DEVICE, 'address', ROUTER_MAC)
    ip('address', 'add', `${FAR}/128`, 'dev', 'lo')
    transmit(advertisement())
    const { code, stdout } = await ping.end()
    expect(stdout).toContain('1 received')
    expect(code).toBe(0)
    ip('address', 'del', `${FAR}/128`, 'dev', 'lo')
  })

  test('a command on a TAP without a way to its destination ends when a signal comes meanwhile', {
    timeout: 40_000,
  }, async () => {
    const ping = run('ping', '-c', '1', FAR)
    await ping.says('waiting for a router')
    const { code, stderr } = await ping.end('SIGINT')
    expect(code).toBe(1)
    expect(stderr).toContain('there is no route')
  })

  test('a command on a TAP without a way to its destination says that there is no route when no router has answered', {
    timeout: 60_000,
  }, async () => {
    const { code, stderr } = await run('ping', '-c', '1', FAR).end()
    expect(code).toBe(1)
    expect(stderr).toContain(`there is no route to ${FAR}`)
  })
})
