/**
 * The stack on a TAP device against Linux's kernel on the other side: each finds the other, and
 * both speak.
 */
import { execFile, execFileSync } from 'node:child_process'
import dgram from 'node:dgram'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { afterEach, expect, test } from 'vitest'
import { Address } from '../../src/base/address.ts'
import { openTun, type TunOptions } from '../../src/link/device/tun.ts'
import { type NicOptions, Stack, type StackOptions } from '../../src/stack.ts'
import { open, send } from '../host.ts'
import { describeWith } from '../skips.ts'
import { describeOnTun } from './namespace.ts'

const ip = (...args: string[]) => execFileSync('ip', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
const run = promisify(execFile)
const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))
const OURS = '02:00:00:00:00:07'

/** Until a condition holds, for at most some seconds. */
async function until(condition: () => boolean, seconds = 8): Promise<void> {
  for (let tenths = 0; !condition() && tenths < seconds * 10; tenths++) await wait(100)
  expect(condition()).toBe(true)
}

/** Whether the kernel can make a device of a kind; a missing module is no failure. */
function kernelHas(kind: string): boolean {
  try {
    ip('link', 'add', 'probe0', 'type', kind)
    ip('link', 'del', 'probe0')
    return true
  } catch {
    return false
  }
}

describeOnTun('a TAP device', () => {
  const stacks: Stack[] = []
  const sockets: dgram.Socket[] = []
  const devices: string[] = []

  function host(tun: TunOptions, options: StackOptions & NicOptions = {}) {
    const link = openTun({ kind: 'tap', hardwareAddress: OURS, ...tun })
    const stack = new Stack({ icmpRateLimit: false, ...options, name: 'tap-host' })
    stacks.push(stack)
    const nic = stack.addNic(link, { ...options, name: 'eth0' })
    link.ref()
    return {
      stack,
      nic,
      device: link.interfaceName,
      kernelAddress: /link\/ether (\S+)/.exec(ip('-o', 'link', 'show', link.interfaceName))?.[1],
    }
  }

  afterEach(() => {
    for (const stack of stacks.splice(0)) stack.close()
    for (const socket of sockets.splice(0)) socket.close()
    for (const device of devices.splice(0)) ip('link', 'del', device)
  })

  test('a TAP device lets the kernel resolve and ping us in both families; ip neigh shows us reachable', async () => {
    const { stack, nic, device, kernelAddress } = host(
      { peer: ['10.7.0.1/24', '2001:db8:7::1/64'] },
      { addresses: ['10.7.0.2/24', '2001:db8:7::2/64'] },
    )
    await nic.addressesReady()
    for (const address of ['10.7.0.2', '2001:db8:7::2', `fe80::ff:fe00:7%${device}`])
      expect((await run('ping', ['-c', '2', '-i', '0.2', '-W', '2', address])).stdout).toContain('2 received')
    expect(ip('neigh', 'show', '10.7.0.2')).toMatch(new RegExp(`lladdr ${OURS}.* REACHABLE`))
    expect(ip('-6', 'neigh', 'show', '2001:db8:7::2')).toMatch(new RegExp(`lladdr ${OURS}.* REACHABLE`))
    for (const address of ['10.7.0.1', '2001:db8:7::1'])
      expect(stack.neighbors.find((each) => each.address === address)).toMatchObject({
        hardwareAddress: kernelAddress,
        nic: 'eth0',
      })
  })

  test('a TAP device resolves the kernel, whose sockets get what waited; fragments too', async () => {
    const { stack, nic, kernelAddress } = host(
      { peer: ['10.7.0.1/24', '2001:db8:7::1/64'] },
      { addresses: ['10.7.0.2/24', '2001:db8:7::2/64'] },
    )
    await nic.addressesReady()
    for (const [type, address] of [
      ['udp4', '10.7.0.1'],
      ['udp6', '2001:db8:7::1'],
    ] as const) {
      const socket = dgram.createSocket(type)
      sockets.push(socket)
      socket.bind(0, address)
      await once(socket, 'listening')
      const sizes: number[] = []
      socket.on('message', (message) => sizes.push(message.length))
      const { endpoint } = open(stack, type === 'udp4' ? 4 : 6)
      endpoint.pmtuMode = 0
      for (const size of [1, 4000, 2])
        expect(send(endpoint, new Uint8Array(size), address, socket.address().port)).toBe('')
      expect(stack.neighbors.find((each) => each.address === address)?.state).toBe('INCOMPLETE')
      await until(() => sizes.length === 3)
      expect(sizes).toEqual([1, 4000, 2])
      expect(stack.neighbors.find((each) => each.address === address)).toMatchObject({
        state: 'REACHABLE',
        hardwareAddress: kernelAddress,
      })
    }
  })

  test('a TAP device gives an address up that the kernel has, in both families', async () => {
    const { nic } = host({ peer: ['10.7.0.1/24', '2001:db8:7::1/64'] }, { conflictDetection: true, linkLocal: false })
    const seen: string[] = []
    nic.onAddress = ({ kind, address }) => seen.push(`${kind} ${address}`)
    nic.addAddress('10.7.0.1/24')
    nic.addAddress('2001:db8:7::1/64')
    await nic.addressesReady()
    expect(seen.sort()).toEqual(['duplicate 10.7.0.1', 'duplicate 2001:db8:7::1'])
    expect(nic.addresses).toEqual([])
  })

  test('a TAP device makes the kernel give an address up that we have', async () => {
    const { nic, device } = host({}, { addresses: ['2001:db8:7::2/64'], dad: false })
    const seen: string[] = []
    nic.onAddress = ({ kind }) => seen.push(kind)
    ip('address', 'add', '2001:db8:7::2/64', 'dev', device)
    await until(() => ip('address', 'show', 'dev', device).includes('dadfailed'))
    expect(nic.addresses.map(({ address }) => address.toString())).toContain('2001:db8:7::2')
    expect(seen).toEqual([])
  })

  test('a TAP device tells the kernel how to configure itself, and routes for it', async () => {
    const { nic, device } = host({ up: false }, { addresses: ['2001:db8:7::2/64'], forwarding: true, dad: false })
    writeFileSync(`/proc/sys/net/ipv6/conf/${device}/accept_ra`, '2')
    ip('link', 'set', device, 'up')
    nic.advertise({ prefixes: ['2001:db8:7::/64'], mtu: 1400, hopLimit: 33, interval: 4000 })
    await until(() => /inet6 2001:db8:7:\S+\/64 scope global dynamic/.test(ip('address', 'show', 'dev', device)))
    expect(ip('-6', 'route', 'show', 'default')).toContain(`default via fe80::ff:fe00:7 dev ${device} proto ra`)
    expect(ip('-6', 'route', 'show', 'default')).toMatch(/hoplimit 33/)
    nic.advertise(null)
    await until(() => !ip('-6', 'route', 'show', 'default').includes('default via'))
  })

  describeWith(
    kernelHas('bridge'),
    'bridges in this kernel',
    '',
  )('on a bridge with a querier (multicast snooping on)', () => {
    /** The bridge's own port has a socket that sends to groups. */
    async function bridged(versions: { igmp: number; mld: number }) {
      const { stack, nic, device } = host({}, { addresses: ['10.8.0.2/24', '2001:db8:8::2/64'], dad: false })
      devices.push('br0')
      const bridge = (...settings: string[]) => ip('link', 'set', 'br0', 'type', 'bridge', ...settings)
      ip('link', 'add', 'br0', 'type', 'bridge', 'mcast_snooping', '1')
      bridge(
        'mcast_igmp_version',
        String(versions.igmp),
        'mcast_mld_version',
        String(versions.mld),
        'mcast_query_use_ifaddr',
        '1',
      )
      // Hundredths of seconds. They have to be there before the querier begins.
      bridge(
        'mcast_query_response_interval',
        '100',
        'mcast_startup_query_interval',
        '50',
        'mcast_last_member_interval',
        '20',
      )
      bridge('mcast_querier', '1')
      ip('link', 'set', device, 'master', 'br0')
      ip('address', 'add', '10.8.0.1/24', 'dev', 'br0')
      ip('address', 'add', '2001:db8:8::1/64', 'dev', 'br0', 'nodad')
      ip('link', 'set', 'br0', 'up')
      // The bridge forwards to everybody until those who listen have had the time to answer its
      // first query.
      await until(() => ip('-d', '-o', 'link', 'show', 'br0').includes('state UP'))
      await wait(2500)
      const four = dgram.createSocket('udp4')
      const six = dgram.createSocket('udp6')
      sockets.push(four, six)
      four.bind(0, '10.8.0.1')
      six.bind(0, '2001:db8:8::1')
      await Promise.all([once(four, 'listening'), once(six, 'listening')])
      four.setMulticastTTL(2)
      six.setMulticastInterface('::%br0')
      let received = 0
      const input = nic.input.bind(nic)
      nic.input = (packet) => {
        const { view, start } = packet
        const type = view.getUint16(start + 12)
        // Only datagrams: queries reach everybody.
        if (type === 0x0800 ? view.getUint8(start + 23) === 17 : type === 0x86dd && view.getUint8(start + 20) === 17)
          received++
        input(packet)
      }
      /** How many of three datagrams to a group the bridge forwards to us; those expected are waited for. */
      const forwarded = async (family: 4 | 6, group: string, expected: number) => {
        received = 0
        for (let i = 0; i < 3; i++) {
          if (family === 4) four.send('x', 5000, group)
          else six.send('x', 5000, group)
          await wait(30)
        }
        for (let tenths = 0; received < expected && tenths < 50; tenths++) await wait(100)
        await wait(100)
        return received
      }
      return { stack, nic, forwarded }
    }
    const cases = [
      [4, '239.1.2.3'],
      [6, 'ff15::1234'],
    ] as const

    /** What the bridge has learned of members. */
    const database = () => execFileSync('bridge', ['-d', 'mdb', 'show'], { encoding: 'utf8' })

    test.each([
      ['IGMPv3 and MLDv2', { igmp: 3, mld: 2 }],
      ['IGMPv2 and MLDv1', { igmp: 2, mld: 1 }],
    ])(
      'gets groups only while a socket of ours is a member: %s',
      async (_, versions) => {
        const { stack, nic, forwarded } = await bridged(versions)
        for (const [family, group] of cases) {
          const { endpoint, mailbox } = open(stack, family, 5000)
          expect(await forwarded(family, group, 0), `${group} before`).toBe(0)
          expect(endpoint.groups.join(Address.parse(group), nic.index)).toBe('')
          await until(() => database().includes(group))
          expect(await forwarded(family, group, 3), `${group} joined`).toBe(3)
          expect(mailbox.received).toHaveLength(3)
          endpoint.groups.leave(Address.parse(group), nic.index)
          await until(() => !database().includes(group))
          expect(await forwarded(family, group, 0), `${group} left`).toBe(0)
          endpoint.close()
        }
      },
      30_000,
    )

    test('a TAP device gets a group from the sources that a socket of ours asked for', async () => {
      const { stack, nic, forwarded } = await bridged({ igmp: 3, mld: 2 })
      for (const [family, group, source, stranger] of [
        [4, '232.1.2.3', '10.8.0.1', '10.8.0.99'],
        [6, 'ff35::1234', '2001:db8:8::1', '2001:db8:8::99'],
      ] as const) {
        const { endpoint } = open(stack, family, 5000)
        endpoint.groups.joinSource(Address.parse(group), Address.parse(stranger), nic.index)
        await until(() => database().includes(stranger))
        expect(await forwarded(family, group, 0), `${group} from another source`).toBe(0)
        endpoint.groups.joinSource(Address.parse(group), Address.parse(source), nic.index)
        await until(() => database().includes(`src ${source}`))
        expect(await forwarded(family, group, 3), `${group} from its source`).toBe(3)
        if (family === 4)
          expect(execFileSync('bridge', ['-d', 'mdb', 'show'], { encoding: 'utf8' })).toMatch(
            /grp 232\.1\.2\.3 src 10\.8\.0\.1/,
          )
        endpoint.close()
      }
    }, 30_000)
  })
})
