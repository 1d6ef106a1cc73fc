import dgram from 'node:dgram'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { networkInterfaces } from 'node:os'
import { expect, test, vi } from 'vitest'
import { Drop } from '../../src/base/drop.ts'
import { Packet } from '../../src/base/packet.ts'
import { fromTuntap2, type Tuntap2Device } from '../../src/link/device/tuntap2.ts'
import { Recorder } from '../link/link-contract.ts'
import { between } from '../packet.ts'
import { skipAloud } from '../skips.ts'
import { describeOnTun } from './namespace.ts'

type LinuxTun = new () => Tuntap2Device & { isUp: boolean; ipv4: string }

function load(): LinuxTun | string {
  try {
    return createRequire(new URL('../../bench/tuntap2/package.json', import.meta.url))('tuntap2').LinuxTun as LinuxTun
  } catch (error) {
    return (error as Error).message.split('\n')[0] as string
  }
}

const LinuxTun = load()
if (typeof LinuxTun === 'string') {
  skipAloud('a device of the package tuntap2', `the package tuntap2 ('npm install' in bench/tuntap2)`, '')
} else {
  describeOnTun('a device of the package tuntap2', () => {
    test(
      'a device of the package tuntap2 carries datagrams both ways, and goes away with the packet after ' + 'close',
      async () => {
        const device = new LinuxTun()
        device.isUp = true
        device.ipv4 = '10.0.0.1/24'
        const link = fromTuntap2(device)
        expect(link).toMatchObject({ name: device.name, medium: 'ip', mtu: 1500, hardwareAddress: null })
        const receiver = new Recorder()
        link.attach(receiver)

        const kernel = dgram.createSocket('udp4')
        kernel.bind(0, '10.0.0.1')
        await once(kernel, 'listening')
        kernel.send('from the kernel', 7, '10.0.0.2')
        const texts = () => receiver.frames.map((frame) => Buffer.from(frame).toString())
        await vi.waitFor(() => expect(texts().some((text) => text.endsWith('from the kernel'))).toBe(true))
        expect(receiver.calls).toMatch(/^(i\.)+$/)

        const received: string[] = []
        kernel.on('message', (message) => received.push(message.toString()))
        const packet = new Packet()
        const numbers = Array.from({ length: 50 }, (_, number) => `number ${number}`)
        for (const text of numbers)
          expect(
            link.send(packet.load(between('10.0.0.2:7', `10.0.0.1:${kernel.address().port}`, Buffer.from(text)))),
          ).toBe(Drop.None)
        await vi.waitFor(() => expect(received).toEqual(numbers))

        link.close()
        expect(link.send(packet)).toBe(Drop.LinkDown)
        const before = receiver.frames.length
        expect(Object.keys(networkInterfaces())).toContain(device.name)
        kernel.send('for the waiting read', 7, '10.0.0.2')
        await vi.waitFor(() => expect(Object.keys(networkInterfaces())).not.toContain(device.name))
        expect(receiver.frames.length).toBe(before)
        expect(receiver.errors).toEqual([])
        kernel.close()
      },
    )
  })
}
