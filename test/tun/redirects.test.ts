/**
 * Redirects between Linux's kernel and a stack on the two sides of a TAP device: one is a router
 * that knows a better one on the same link.
 */
import { execFile, execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { afterEach, expect, test } from 'vitest'
import { Address } from '../../src/base/address.ts'
import { openTun } from '../../src/link/device/tun.ts'
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
  ] as const)(
    'over IPv%i is followed: the next datagrams go to %s (RFC 1122 3.2.2.2, RFC 4861 8)',
    async (family, better, to, far) => {
      const link = openTun({
        kind: 'tap',
        hardwareAddress: '02:00:00:00:00:07',
        peer: ['10.7.0.1/24', '2001:db8:7::1/64'],
      })
      const device = link.interfaceName
      const stack = new Stack({ name: 'redirected', dad: false })
      stacks.push(stack)
      stack.addNic(link, {
        name: 'eth0',
        addresses: ['10.7.0.2/24', '2001:db8:7::2/64'],
        acceptRouterAdvertisements: false,
      })
      link.ref()
      sysctl('ipv4/ip_forward', '1')
      for (const each of ['all', device]) sysctl(`ipv4/conf/${each}/send_redirects`, '1')
      sysctl('ipv6/conf/all/forwarding', '1')
      ip('neigh', 'add', better, 'lladdr', '02:00:00:00:00:03', 'dev', device)
      ip('route', 'add', to, 'via', better, 'dev', device)
      const linkLocal = () =>
        / (fe80::[0-9a-f:]+)\/64 scope link (?!tentative)/.exec(ip('-6', '-o', 'addr', 'show', 'dev', device))?.[1]
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
    },
  )
})

describeOnTun('a redirect of the stack', () => {
  test.each([
    [4, '10.8.0.2', '10.8.0.3', '198.51.100.9'],
    [6, 'fe80::2', 'fe80::3', '2001:db8:98::9'],
  ] as const)(
    'over IPv%i is followed by the kernel: its route leads from %s to %s (RFC 1812 5.2.7.2, RFC 4861 8.2)',
    async (family, router, better, far) => {
      const link = openTun({
        kind: 'tap',
        hardwareAddress: '02:00:00:00:00:08',
        peer: ['10.8.0.1/24', '2001:db8:8::1/64'],
      })
      const device = link.interfaceName
      const stack = new Stack({ name: 'router', dad: false, forwarding: true, sendRedirects: true })
      try {
        stack.addNic(link, { name: 'eth0', addresses: ['10.8.0.2/24', '2001:db8:8::2/64', 'fe80::2/64'] })
        stack.addRoute({ to: `${far}/${family === 4 ? 32 : 128}`, via: better, nic: 'eth0' })
        stack.addNeighbor('eth0', better, '02:00:00:00:00:03')
        link.ref()
        // A host, whatever the test before made of the namespace.
        sysctl('ipv4/ip_forward', '0')
        sysctl('ipv6/conf/all/forwarding', '0')
        for (const each of ['all', device]) sysctl(`ipv4/conf/${each}/accept_redirects`, '1')
        sysctl(`ipv6/conf/${device}/accept_redirects`, '1')
        for (
          let tenths = 0;
          ip('-6', '-o', 'addr', 'show', 'dev', device).includes('tentative') && tenths < 50;
          tenths++
        )
          await wait(100)
        // The kernel goes to a better gateway only when that answers; an IPv6 redirect says itself
        // where it is.
        if (family === 4) ip('neigh', 'add', better, 'lladdr', '02:00:00:00:00:03', 'dev', device)
        ip(`-${family}`, 'route', 'add', `${far}/${family === 4 ? 32 : 128}`, 'via', router, 'dev', device)
        const firstHop = () => / via (\S+)/.exec(ip(`-${family}`, 'route', 'get', far))?.[1]
        expect(firstHop()).toBe(router)

        // Of UDP sockets that are bound to no device Linux takes no redirect over IPv6; of echo
        // requests it does.
        const ping = execFile('ping', [`-${family}`, '-c50', '-i0.1', '-W1', far])
        for (let tenths = 0; firstHop() === router && tenths < 50; tenths++) await wait(100)
        ping.kill()
        expect(firstHop()).toBe(better)
        expect(stack.counters[family === 4 ? 'IcmpOutRedirects' : 'Icmp6OutRedirects']).toBeGreaterThan(0)
        expect(stack.counters[family === 4 ? 'IpForwDatagrams' : 'Ip6OutForwDatagrams']).toBeGreaterThan(0)
      } finally {
        stack.close()
      }
    },
  )
})
