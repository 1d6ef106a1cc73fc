/** A port whose host is elsewhere, behind a device. */
import { afterEach, expect, test } from 'vitest'
import { Drop } from '../../../src/base/drop.ts'
import { Packet } from '../../../src/base/packet.ts'
import { Network } from '../../../src/network/network.ts'
import type { Outside, Port } from '../../../src/network/nodes/port.ts'
import { listen } from '../host.ts'

let network: Network
afterEach(() => network.close())

/** a — b, of which `a` is elsewhere; what b's socket on port 9 gets, and what reaches a. */
function make(outside: Partial<Outside> = {}) {
  network = new Network({ seed: 1 })
  const a = network.host('a')
  const b = network.host('b')
  const { ends } = network.connect(a, b)
  const port = ends[0].port as Port
  const reached: Uint8Array[] = []
  let idle = 0
  const leave = port.divert({
    deliver(packet) {
      reached.push(packet.bytes.slice(packet.start, packet.end))
      return Drop.None
    },
    idle() {
      idle++
    },
    ...outside,
  })
  return { a, b, port, reached, leave, there: listen(network, b, 9), idle: () => idle }
}

test('what arrives goes outside and counts as delivered, what comes from outside leaves over the cable', async () => {
  const { leave, reached, there, idle } = make()
  there.socket.send('ping', 9, '10.0.0.1')
  await network.run()
  expect(reached.length).toBe(1)
  expect(idle()).toBeGreaterThan(0)
  expect(network.datagrams({ to: 'a', delivered: true }).length).toBe(1)
  // The same datagram from the other side: addresses change places, which no checksum notices.
  const back = (reached[0] as Uint8Array).slice()
  back.set(
    back.slice(12, 16).map((_, at) => (reached[0] as Uint8Array)[16 + at] as number),
    12,
  )
  back.set((reached[0] as Uint8Array).slice(12, 16), 16)
  leave(new Packet().load(back))
  await network.run()
  expect(there.received.map(({ text, from }) => [text, from])).toEqual([['ping', '10.0.0.1:9']])
  expect(network.datagrams({ from: 'a' }).length).toBe(1)
})

test('the stack that was there is heard no more, and hears nothing', async () => {
  const { a, there } = make()
  const own = listen(network, a, 9)
  own.socket.send('not heard', 9, '10.0.0.2')
  there.socket.send('not for it', 9, '10.0.0.1')
  await network.run()
  expect([own.received, there.received]).toEqual([[], []])
})

test('what the outside does not take, and what cannot leave, is a drop of the host', async () => {
  const { leave, there } = make({ deliver: () => Drop.LinkQueueFull })
  there.socket.send('too much', 9, '10.0.0.1')
  await network.run()
  leave(new Packet().load(new Uint8Array(1501)))
  network.cable('a', 'b').down()
  leave(new Packet().load(new Uint8Array(20)))
  expect(network.drops('a')).toEqual([
    { node: 'a', nic: 'eth0', reason: 'LinkQueueFull', layer: 'link', count: 1 },
    { node: 'a', nic: 'eth0', reason: 'LinkMtuExceeded', layer: 'link', count: 1 },
    { node: 'a', nic: 'eth0', reason: 'LinkDown', layer: 'link', count: 1 },
  ])
})
