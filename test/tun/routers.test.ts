import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { openTun } from '../../src/link/device/tun.ts'
import { Segment } from '../../src/link/segment.ts'
import { Stack } from '../../src/stack.ts'
import { testWith } from '../skips.ts'
import { describeOnTun } from './namespace.ts'

const execute = promisify(execFile)
const has = (program: string) => ['/usr/bin/', '/usr/sbin/', '/bin/'].some((folder) => existsSync(folder + program))
const testWithProgram = (program: string) => testWith(has(program), `the program ${program}`)

/**
 * The kernel — r1 — r2 — r3 — r4 — r5 — a host, each router with an address on the side of the one
 * before.
 */
describeOnTun('five routers between the kernel and a host', () => {
  const stacks: Stack[] = []
  const near = (hop: number) => [`10.77.${hop}.1`, `fd77:0:0:${hop}::1`] as const
  const hops4 = [1, 2, 3, 4, 5].map((hop) => near(hop)[0])
  const hops6 = [1, 2, 3, 4, 5].map((hop) => near(hop)[1].replace('fd77:0:0:', 'fd77:0:0:'))
  const HOST4 = '10.77.6.1'
  const HOST6 = 'fd77:0:0:6::1'

  beforeAll(async () => {
    const tun = openTun({ name: 'chain', peer: ['10.77.1.2/24', 'fd77:0:0:1::2/64'] })
    const ip = (...args: string[]) => execute('ip', args)
    await ip('route', 'add', '10.77.0.0/16', 'via', '10.77.1.1', 'dev', 'chain')
    await ip('-6', 'route', 'add', 'fd77::/32', 'via', 'fd77:0:0:1::1', 'dev', 'chain')
    // The narrowest link is between the third and the fourth.
    const mtus = [1500, 1500, 1400, 1300, 1500]
    let link: ReturnType<Segment['link']> | typeof tun = tun
    for (let hop = 1; hop <= 5; hop++) {
      // Two hosts of one test share a destination's budget of errors with the traceroutes before:
      // no limits here.
      const router = new Stack({ name: `r${hop}`, forwarding: true, icmpRateLimit: false })
      stacks.push(router)
      const [address4, address6] = near(hop)
      const back = router.addNic(link, { name: 'back', addresses: [`${address4}/24`, `${address6}/64`] })
      const wire = new Segment({ name: `wire${hop}`, mtu: mtus[hop - 1] as number })
      const ahead = router.addNic(wire.link(), {
        name: 'ahead',
        addresses: [`10.77.${hop + 1}.2/24`, `fd77:0:0:${hop + 1}::2/64`],
      })
      link = wire.link()
      if (hop < 5) {
        router.addRoute({ to: '10.77.0.0/16', via: `10.77.${hop + 1}.1`, nic: ahead.name })
        router.addRoute({ to: 'fd77::/32', via: `fd77:0:0:${hop + 1}::1`, nic: ahead.name })
      }
      if (hop > 1) {
        for (let behind = 1; behind < hop; behind++) {
          router.addRoute({ to: `10.77.${behind}.0/24`, via: `10.77.${hop}.2`, nic: back.name })
          router.addRoute({ to: `fd77:0:0:${behind}::/64`, via: `fd77:0:0:${hop}::2`, nic: back.name })
        }
      }
    }
    const host = new Stack({ name: 'host', icmpRateLimit: false })
    stacks.push(host)
    host.addNic(link, { addresses: [`${HOST4}/24`, `${HOST6}/64`] })
    host.addRoute({ to: 'default', via: '10.77.6.2' })
    host.addRoute({ to: 'default', via: 'fd77:0:0:6::2' })
    for (const stack of stacks) for (const nic of stack.nics) nic.link.ref()
  })

  afterAll(() => {
    for (const stack of stacks) stack.close()
  })

  const run = async (program: string, ...args: string[]) => (await execute(program, args, { timeout: 60_000 })).stdout

  testWithProgram('ping')(
    'a ping goes there and back, TTL and hop limit five less (RFC 791 3.2, RFC 8200 3)',
    { timeout: 20_000 },
    async () => {
      expect(await run('ping', '-c1', '-W2', HOST4)).toContain('ttl=59')
      expect(await run('ping', '-6', '-c1', '-W2', HOST6)).toContain('ttl=59')
    },
  )

  testWithProgram('ping')(
    'a ping longer than the narrowest link goes there in fragments (RFC 791 3.2)',
    { timeout: 20_000 },
    async () => {
      expect(await run('ping', '-c1', '-W2', '-s1450', '-Mdont', HOST4)).toContain('1458 bytes from')
    },
  )

  describe('are all seen, with the address on the side of the asker', () => {
    testWithProgram('traceroute')('by traceroute (RFC 1812 5.3.1)', { timeout: 60_000 }, async () => {
      const lines = (await run('traceroute', '-n', '-w', '2', '-q', '1', HOST4)).split('\n').slice(1)
      expect(lines.flatMap((line) => line.match(/\d+\.\d+\.\d+\.\d+/g) ?? [])).toEqual([...hops4, HOST4])
    })

    testWithProgram('traceroute')('by traceroute -6 (RFC 4443 3.3)', { timeout: 60_000 }, async () => {
      const lines = (await run('traceroute', '-6', '-n', '-w', '2', '-q', '1', HOST6)).split('\n').slice(1)
      expect(lines.flatMap((line) => line.match(/fd77:[0-9a-f:]+/g) ?? [])).toEqual([...hops6, HOST6])
    })

    testWithProgram('mtr')('by mtr', { timeout: 60_000 }, async () => {
      const report = await run('mtr', '-n', '--report', '-c', '2', '-i', '0.2', HOST4)
      for (const hop of [...hops4, HOST4]) expect(report).toContain(hop)
      expect(report).not.toContain('100.0')
    })
  })

  testWithProgram('tracepath')(
    'the narrowest MTU is found by tracepath (RFC 1191 4)',
    { timeout: 60_000 },
    async () => {
      const report = await run('tracepath', '-n', HOST4)
      expect(report).toMatch(/pmtu 1400[\s\S]*pmtu 1300/)
      expect(report).toContain('Resume: pmtu 1300')
      for (const hop of hops4) expect(report).toContain(hop)
    },
  )

  testWithProgram('tracepath')(
    'the narrowest MTU is found by tracepath -6 (RFC 8201 4)',
    { timeout: 60_000 },
    async () => {
      const report = await run('tracepath', '-6', '-n', HOST6)
      expect(report).toMatch(/pmtu 1400[\s\S]*pmtu 1300/)
      expect(report).toContain('Resume: pmtu 1300')
      for (const hop of hops6) expect(report).toContain(hop)
    },
  )
})
