/**
 * The subnet-router anycast address of a stack on a TAP device, as Linux's kernel on the other side
 * sees it.
 */
import { execFile, execFileSync } from 'node:child_process'
import dgram from 'node:dgram'
import { once } from 'node:events'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { openTun } from '../../src/link/device/tun.ts'
import { Stack } from '../../src/stack.ts'
import { open, send } from '../host.ts'
import { describeOnTun } from './namespace.ts'

const run = promisify(execFile)
const neighbor = (address: string) => execFileSync('ip', ['-6', 'neigh', 'show', address], { encoding: 'utf8' })
const OURS = '02:00:00:00:00:07'

describeOnTun('the kernel, next to a router', () => {
  const stack = new Stack({ name: 'router', forwarding: true, icmpRateLimit: false })
  let device = ''

  beforeAll(async () => {
    const link = openTun({ kind: 'tap', hardwareAddress: OURS, peer: ['fd09::2/64'] })
    device = link.interfaceName
    link.ref()
    const nic = stack.addNic(link, { addresses: ['fd09::1/64'] })
    await nic.addressesReady()
    // The kernel's own link-local address is checked for duplicates too.
    const addresses = () => execFileSync('ip', ['-6', '-o', 'address', 'show', 'dev', device], { encoding: 'utf8' })
    await vi.waitFor(() => expect(addresses()).toMatch(/fe80::\S+ scope link (?!tentative)/), 20_000)
  })

  afterAll(() => stack.close())

  test.each(['fd09::', 'fe80::'])(
    'finds and pings the anycast address of its prefix %s, and hears the router itself',
    async (anycast) => {
      const { stdout } = await run('ping', [
        '-6',
        '-c',
        '2',
        '-i',
        '0.2',
        '-W',
        '3',
        anycast === 'fe80::' ? `fe80::%${device}` : anycast,
      ])
      expect(stdout).toContain('2 received')
      expect(stdout).toContain(anycast === 'fe80::' ? 'from fe80::ff:fe00:7' : 'from fd09::1:')
      expect(neighbor(anycast)).toMatch(new RegExp(`lladdr ${OURS} router REACHABLE`))
    },
  )

  test('the kernel next to a router sends a datagram there and gets the answer from the router itself', async () => {
    const { endpoint, mailbox } = open(stack, 6, 7000)
    const socket = dgram.createSocket('udp6')
    socket.send('x', 7000, 'fd09::')
    for (let tries = 0; mailbox.received.length === 0 && tries < 50; tries++)
      await new Promise((resolve) => setTimeout(resolve, 100))
    expect(mailbox.received).toMatchObject([{ from: 'fd09::2', to: 'fd09::' }])
    send(endpoint, Uint8Array.of(1), 'fd09::2', mailbox.received[0]?.port ?? 0)
    const [, from] = await once(socket, 'message')
    socket.close()
    endpoint.close()
    expect(from).toMatchObject({ address: 'fd09::1', port: 7000 })
  })
})
