import { afterEach, expect, test } from 'vitest'
import { Network } from '../../src/network/network.ts'
import { listen } from './host.ts'

const open: Network[] = []
afterEach(() => {
  for (const network of open.splice(0)) network.close()
})

/** Three hosts of one link, which has a router: every host's default route leads to it. */
function lan(medium: 'ethernet' | 'switch' = 'ethernet'): Network {
  const network = new Network({ seed: 1 })
  open.push(network)
  if (medium === 'switch') network.switch('lan')
  else network.segment('lan')
  for (const name of ['a', 'b', 'c']) {
    network.host(name)
    network.connect(name, 'lan')
  }
  network.router('r')
  network.connect('r', 'lan')
  network.host('far')
  network.connect('r', 'far')
  return network
}

test.each([
  ['224.0.0.251', 'ethernet', 'a b c'],
  ['239.255.255.250', 'ethernet', 'a b c'],
  ['239.255.255.250', 'switch', 'a b c'],
  ['255.255.255.255', 'ethernet', 'b c r'],
  ['255.255.255.255', 'switch', 'b c r'],
  ['ff02::fb', 'ethernet', 'a b c'],
] as const)('a datagram to %s over a %s with a router is heard by %s', async (to, medium, heard) => {
  const network = lan(medium)
  const type = to.includes(':') ? 'udp6' : 'udp4'
  const sockets = ['a', 'b', 'c', 'r'].map((name) => ({ name, ...listen(network, network.stack(name), 5353, type) }))
  await network.runFor(1)
  const group = to.startsWith('255') ? '' : to
  for (const { name, socket } of sockets) {
    if (group !== '' && name !== 'r') socket.addMembership(group)
    socket.setBroadcast(true)
  }
  await network.runFor('1s')
  sockets[0]?.socket.send('who', 5353, to)
  await network.runFor('1s')
  const got = sockets.filter(({ received }) => received.length > 0).map(({ name }) => name)
  // A sender of a broadcast hears it, too.
  expect(got.join(' ')).toBe(group === '' ? `a ${heard}` : heard)
})

test('a replayed datagram to a group is heard by its members, not sent to the gateway', async () => {
  const chunks: Uint8Array[] = []
  const first = lan()
  first.capture((chunk) => chunks.push(chunk), { of: ['a'] })
  await first.runFor('1s')
  listen(first, first.stack('a'), 5000).socket.send('again', 5353, '224.0.0.251')
  await first.runFor('1s')
  const second = lan()
  const { socket, received } = listen(second, second.stack('b'), 5353)
  await second.runFor(1)
  socket.addMembership('224.0.0.251')
  await second.runFor('1s')
  second.replay('a', Buffer.concat(chunks))
  await second.runFor('2s')
  expect(received.map(({ text }) => text)).toEqual(['again'])
})
