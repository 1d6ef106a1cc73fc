// A scenario with everything in it that draws: prints the hash of its capture. Run by
// determinism.test.ts on the compiled package.
import { createHash } from 'node:crypto'

const { Network } = await import(`${process.env.COMPILED}/network-node.js`)

export async function scenario(seed) {
  const network = new Network({ seed })
  const hash = createHash('sha256')
  let bytes = 0
  network.capture((chunk) => {
    bytes += chunk.length
    hash.update(chunk)
  })
  network.switch('sw')
  for (const name of ['r1', 'r2']) network.router(name)
  const faults = {
    delay: { normal: { mean: '10ms', deviation: '3ms' } },
    loss: { gilbertElliott: { toBad: 0.05, toGood: 0.4 } },
    duplication: 0.02,
    corruption: 0.02,
    reordering: 0.05,
  }
  network.connect('sw', 'r1')
  network.connect('r1', 'r2', {
    forward: faults,
    back: { delay: { pareto: { minimum: 5, shape: 2.5 } }, rate: '2Mbit', queue: { codel: {} } },
    mtu: 1280,
  })
  const inside = ['a', 'b', 'c'].map((name) => network.host(name))
  for (const host of inside) network.connect(host, 'sw', { delay: 1, jitter: 1, keepOrder: false })
  const server = network.host('server')
  network.connect('r2', server)
  network.nat('r1', { outside: 'r2' })
  const socket = server.dgram.createSocket('udp4').bind(7)
  const sockets = [socket]
  socket.on('message', async (message, { port, address }) => {
    await null
    socket.send(message, port, address)
  })
  for (const [index, host] of inside.entries()) {
    const client = host.dgram.createSocket('udp4')
    sockets.push(client)
    for (let i = 0; i < 60; i++)
      network.at(100 + i * 37 * (index + 1), () => client.send(new Uint8Array(i * 80), 7, 'server'))
  }
  network.at('1s', () => network.cable('r1-r2').down())
  network.at('1.2s', () => network.cable('r1-r2').up())
  await network.runFor('20s')
  for (const each of sockets) each.close()
  network.close()
  return `${bytes} ${hash.digest('hex')}`
}

if (process.argv[2] !== undefined) console.log(await scenario(process.argv[2]))
