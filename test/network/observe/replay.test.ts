import { afterEach, expect, test } from 'vitest'
import { Network } from '../../../src/network/network.ts'
import { hop, listen } from '../host.ts'

let network: Network
afterEach(() => network.close())

function make() {
  network = new Network({ seed: 1 })
  return hop(network)
}

test('a capture is replayed from a host with the pauses that it had', async () => {
  const first = make()
  const chunks: Uint8Array[] = []
  network.capture((chunk) => chunks.push(chunk), { of: ['a'] })
  const { socket } = listen(network, first.a, 5000)
  listen(network, first.b, 9)
  socket.send('one', 9, 'b')
  network.at('250ms', () => socket.send(new Uint8Array(3000), 9, 'b'))
  await network.run()
  network.close()
  const second = make()
  const { received } = listen(network, second.b, 9)
  await network.runFor('1s')
  expect(network.replay('a', Buffer.concat(chunks))).toBe(4)
  await network.run()
  expect(received.map(({ time, text, from }) => [time, text, from])).toEqual([
    [1015, 'one', '10.0.0.1:5000'],
    [1265, '3000 bytes', '10.0.0.1:5000'],
  ])
  expect(() => network.replay('a', new Uint8Array(3))).toThrow('Not a capture file')
})
