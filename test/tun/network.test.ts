import { execFileSync } from 'node:child_process'
import dgram from 'node:dgram'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { openTun } from '../../src/link/device/tun.ts'
import { Network } from '../../src/network/network.ts'
import { echo } from '../network/host.ts'
import { describeOnTun } from './namespace.ts'

describeOnTun('a virtual network behind a TUN device', () => {
  test(
    "a virtual network behind a TUN device is reached by the kernel's programs, hop by hop, and reaches " + 'them',
    async () => {
      const network = new Network({ clock: 'real', seed: 1 })
      const device = openTun({ peer: ['172.31.9.1/24', 'fd99::1/64'] })
      try {
        network.router('gate')
        network.router('far')
        const host = network.host('host')
        network.connect('gate', 'far', { delay: '15ms' })
        network.connect('far', host, { mtu: 1300 })
        network.attach(device, { to: 'gate', addresses: ['172.31.9.2/24', 'fd99::2/64'], gateway: '172.31.9.1' })
        execFileSync('ip', ['route', 'add', '10.0.0.0/8', 'via', '172.31.9.2'])
        execFileSync('ip', ['-6', 'route', 'add', 'fd00::/32', 'via', 'fd99::2'])
        const server = echo(host, 7)
        const server6 = echo(host, 8, 'udp6')
        for (const type of ['udp4', 'udp6'] as const) {
          const client = dgram.createSocket(type)
          const begun = performance.now()
          // In IPv6 the first one is lost to the MTU, of which the kernel is told.
          const again = () =>
            client.send(new Uint8Array(3000), type === 'udp4' ? 7 : 8, network.address('host', type === 'udp4' ? 4 : 6))
          again()
          const timer = setInterval(again, 300)
          const [message] = (await network.run(once(client, 'message'))) as [Buffer]
          expect(message.length).toBe(3000)
          expect(performance.now() - begun).toBeGreaterThan(29)
          clearInterval(timer)
          client.close()
        }
        const [first] = network.datagrams({ port: 7, delivered: true })
        expect(first?.from).toBe(device.name)
        const hops = first?.events.filter(({ what }) => what === 'forwarded').map(({ node }) => node)
        // Three fragments come, and two of them are split once more.
        expect(hops?.sort()).toEqual(['far', 'far', 'far', 'far', 'far', 'gate', 'gate', 'gate'])
        // And by the default route back to a program of the kernel.
        const listener = dgram.createSocket('udp4').bind(9)
        await once(listener, 'listening')
        server.send('from inside', 9, '172.31.9.1')
        const [message, { address }] = (await network.run(once(listener, 'message'))) as [Buffer, { address: string }]
        expect([String(message), address]).toEqual(['from inside', network.address('host')])
        for (const socket of [listener, server, server6]) socket.close()
      } finally {
        network.close()
        device.close()
      }
    },
  )

  test('a virtual network behind a TUN device is for real time only', () => {
    const network = new Network()
    network.router('gate')
    const device = openTun()
    expect(() => network.attach(device, { to: 'gate', addresses: ['172.31.9.2/24'] })).toThrow(
      "make the network with clock: 'real'",
    )
    device.close()
    network.close()
  })
})
