/** Redirects of Linux's kernel, a router on the other side of a TAP device that knows a better one on the same link. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { afterEach, expect, test } from 'vitest'
import { Address } from '../../src/base/address.ts'
import { openTun } from '../../src/link/tun.ts'
import { Stack } from '../../src/stack.ts'
import { open, send } from '../host.ts'
import { describeOnTun } from './namespace.ts'

const ip = (...args: string[]) => execFileSync('ip', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
const sysctl = (name: string, value: string) => writeFileSync(`/proc/sys/net/${name}`, value)
const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

describeOnTun('a redirect of the kernel', () => {
  const stacks: Stack[] = []
  afterEach(() => {
    for (const stack of stacks.splice(0)) stack.close()
  })

  test.each([
    [4, '10.7.0.3', '192.0.2.0/24', '192.0.2.9'],
    [6, 'fe80::3', '2001:db8:99::/64', '2001:db8:99::9'],
  ] as const)('over IPv%i is followed: the next datagrams go to %s (RFC 1122 3.2.2.2, RFC 4861 8)', async (family, better, to, far) => {
    const link = openTun({ kind: 'tap', hardwareAddress: '02:00:00:00:00:07', peer: ['10.7.0.1/24', '2001:db8:7::1/64'] })
    const device = link.interfaceName
    const stack = new Stack({ name: 'redirected', dad: false })
    stacks.push(stack)
    stack.addNic(link, { name: 'eth0', addresses: ['10.7.0.2/24', '2001:db8:7::2/64'], acceptRouterAdvertisements: false })
    link.ref()
    sysctl('ipv4/ip_forward', '1')
    for (const each of ['all', device]) sysctl(`ipv4/conf/${each}/send_redirects`, '1')
    sysctl('ipv6/conf/all/forwarding', '1')
    ip('neigh', 'add', better, 'lladdr', '02:00:00:00:00:03', 'dev', device)
    ip('route', 'add', to, 'via', better, 'dev', device)
    const linkLocal = () => / (fe80::[0-9a-f:]+)\/64 scope link (?!tentative)/.exec(ip('-6', '-o', 'addr', 'show', 'dev', device))?.[1]
    for (let tenths = 0; linkLocal() === undefined && tenths < 50; tenths++) await wait(100)
    const router = family === 4 ? '10.7.0.1' : (linkLocal() as string)
    stack.addRoute({ to: 'default', via: router, nic: 'eth0' })

    const { endpoint } = open(stack, family, 5000)
    const { w0, w1, w2, w3 } = Address.parse(far)
    const firstHop = () => stack.ip.routes.lookup(w0, w1, w2, w3, 0)?.gateway?.toString()
    expect(firstHop()).toBe(router)
    for (let tenths = 0; firstHop() === router && tenths < 50; tenths++) {
      expect(send(endpoint, new Uint8Array(8), far, 9)).toBe('')
      await wait(100)
    }
    expect(firstHop()).toBe(better)
    expect(stack.counters[family === 4 ? 'IcmpInRedirects' : 'Icmp6InRedirects']).toBeGreaterThan(0)
  })
})
