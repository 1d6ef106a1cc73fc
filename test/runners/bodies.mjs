// What the suite of every runner tests: a program on hosts of a network, and a failure.
import assert from 'node:assert/strict'
import dgram from 'node:dgram'
import { once } from 'node:events'

/** A client and a server that use node:dgram as their own. */
export async function answers(network, context) {
  const [client, server] = [network.host('client'), network.host('server')]
  network.connect(client, server, { delay: '20ms' })
  const echo = server.run(() => dgram.createSocket('udp4').bind(7))
  echo.on('message', (message, { port, address }) => echo.send(message, port, address))
  const socket = client.run(() => dgram.createSocket('udp4'))
  socket.send('hello', 7, 'server')
  const [message] = await network.run(once(socket, 'message'))
  assert.equal(String(message), 'hello')
  assert.equal(network.now, 40)
  // Outside of the hosts nothing is opened.
  const outside = dgram.createSocket('udp4')
  assert.throws(() => outside.bind(0), { code: 'ERR_OUTSIDE_NETWORK' })
  outside.close()
  socket.close()
  echo.close()
  context?.pass?.()
}

export function fails(network) {
  network.host('client')
  throw new Error('this one fails')
}

/** Where a failed test leaves its packets. */
export const options = { directory: process.env.FAILURES, seed: 7 }
