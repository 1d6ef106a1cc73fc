/** The stack on a TAP device against Linux's kernel on the other side: each finds the other, and both speak. */
import { execFile, execFileSync } from 'node:child_process'
import { promisify } from 'node:util'
import { afterEach, expect, test } from 'vitest'
import { openTun } from '../../src/link/tun.ts'
import { Stack } from '../../src/stack.ts'
import { describeOnTun } from './namespace.ts'

const ip = (...args: string[]) => execFileSync('ip', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
const run = promisify(execFile)

describeOnTun('a TAP device', () => {
  const stacks: Stack[] = []

  async function host(addresses: string[], peer: string[]): Promise<{ stack: Stack; device: string }> {
    const link = openTun({ kind: 'tap', peer, hardwareAddress: '02:00:00:00:00:07' })
    const stack = new Stack({ name: 'tap-host' })
    stacks.push(stack)
    const nic = stack.addNic(link, { name: 'eth0', addresses })
    link.ref()
    await nic.addressesReady()
    return { stack, device: link.interfaceName }
  }

  afterEach(() => {
    for (const stack of stacks.splice(0)) stack.close()
  })

  test('lets the kernel resolve and ping us in both families, and ip neigh shows us reachable', async () => {
    const { stack, device } = await host(['10.7.0.2/24', '2001:db8:7::2/64'], ['10.7.0.1/24', '2001:db8:7::1/64'])
    const four = await run('ping', ['-c', '2', '-i', '0.2', '-W', '2', '10.7.0.2'])
    expect(four.stdout).toContain('2 received')
    const six = await run('ping', ['-c', '2', '-i', '0.2', '-W', '2', '2001:db8:7::2'])
    expect(six.stdout).toContain('2 received')
    const local = await run('ping', ['-c', '1', '-W', '2', `fe80::ff:fe00:7%${device}`])
    expect(local.stdout).toContain('1 received')
    expect(ip('neigh', 'show', '10.7.0.2')).toMatch(/lladdr 02:00:00:00:00:07.* REACHABLE/)
    expect(ip('-6', 'neigh', 'show', '2001:db8:7::2')).toMatch(/lladdr 02:00:00:00:00:07.* REACHABLE/)
    const kernel = /link\/ether (\S+)/.exec(ip('-o', 'link', 'show', device))?.[1]
    expect(stack.neighbors.find(({ address }) => address === '10.7.0.1')).toMatchObject({ hardwareAddress: kernel, nic: 'eth0' })
    expect(stack.neighbors.find(({ address }) => address === '2001:db8:7::1')).toMatchObject({ hardwareAddress: kernel, nic: 'eth0' })
  })
})
