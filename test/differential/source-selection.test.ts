/** Which of a host's IPv6 addresses the kernel sends from, and which the stack: they agree. */
import { execFileSync } from 'node:child_process'
import { afterEach, expect, test } from 'vitest'
import { Address } from '../../src/base/address.ts'
import type { Route } from '../../src/ip/routing/route-table.ts'
import { openTun } from '../../src/link/device/tun.ts'
import { Stack } from '../../src/stack.ts'
import { TestLink } from '../host.ts'
import { describeOnTun } from '../tun/namespace.ts'

const ip = (...words: string[]) => execFileSync('ip', words, { stdio: ['ignore', 'pipe', 'pipe'] }).toString()

/** Interfaces, in the order of making, with addresses in the order of adding. */
const HOSTS: Record<string, readonly (readonly string[])[]> = {
  'equal addresses of one network': [['2001:db8:1::1/64', '2001:db8:1::2/64', '2001:db8:1::3/64']],
  'identifiers nearer to the destination': [['2001:db8:1::1:9/64', '2001:db8:1::2:1/64', '2001:db8:1::1/64']],
  'networks nearer to the destination': [['2001:db8:1::1/64', '2001:db8:2::1/64', '2001:db8:3::1/64']],
  'kinds of connectivity': [['2001:db8:1::1/64', 'fd00::1/64', '2002:102:304::1/64', 'fd00:0:0:9::1/64']],
  'equal addresses of the outgoing interface and of another one': [
    ['2001:db8:4::1/64', '2001:db8:5::1/64'],
    ['2001:db8:6::1/64', '2001:db8:7::1/64'],
  ],
}
const DESTINATIONS = ['2001:db8:1::1:2', '2001:db8:2::9', '2001:db8:ff::1', 'fd00:1::1', '2002:102:305::1', '2400::1']

describeOnTun('the IPv6 source address', () => {
  const open: { close(): void }[] = []
  afterEach(() => {
    for (const each of open.splice(0)) each.close()
  })

  test.each(Object.entries(HOSTS))('among %s is the one that the kernel takes', (_, interfaces) => {
    const stack = new Stack({ dad: false })
    open.push(stack)
    const names = interfaces.map((addresses, index) => {
      const name = `source${index}`
      const device = openTun({ name })
      open.push(device)
      ip('link', 'set', name, 'addrgenmode', 'none', 'up')
      for (const address of addresses) ip('-6', 'addr', 'add', address, 'dev', name, 'nodad')
      stack.addNic(new TestLink(name), { addresses })
      return name
    })
    for (const name of names) {
      ip('-6', 'route', 'replace', 'default', 'dev', name)
      const [route] = stack.addRoute({ to: '::/0', nic: name }) as [Route]
      for (const to of DESTINATIONS) {
        const { w0, w1, w2, w3 } = Address.parse(to)
        const found = stack.ip.route(w0, w1, w2, w3, 0) as Route
        const kernel = / src (\S+)/.exec(ip('-6', 'route', 'get', to))?.[1]
        expect(`${to} from ${stack.ip.selectSource(found, w0, w1, w2, w3)}`).toBe(`${to} from ${kernel}`)
      }
      stack.removeRoute(route)
    }
  })
})
