// Which types of NAT can be punched through, each against each: two hosts learn each other's address
// from a server, and send to it at one time.
import { Network } from 'tungram/network'

const TYPES = {
  'full cone': ['endpoint-independent', 'endpoint-independent'],
  restricted: ['endpoint-independent', 'address-dependent'],
  'port-restricted': ['endpoint-independent', 'address-and-port-dependent'],
  symmetric: ['address-and-port-dependent', 'address-and-port-dependent'],
}

async function punch(typeA, typeB) {
  const network = new Network({ seed: 1 })
  const hosts = ['alice', 'bob', 'server'].map((name) => network.host(name))
  for (const name of ['natA', 'natB', 'internet']) network.router(name)
  network.connect('alice', 'natA', { subnet: '192.168.0.0/24' })
  network.connect('bob', 'natB', { subnet: '192.168.1.0/24' })
  for (const name of ['natA', 'natB', 'server']) network.connect(name, 'internet', { delay: '10ms' })
  for (const [name, type] of [
    ['natA', typeA],
    ['natB', typeB],
  ]) {
    const [mapping, filtering] = TYPES[type]
    network.nat(name, { outside: 'internet', mapping, filtering })
  }
  const [alice, bob, server] = hosts.map((host) => host.dgram.createSocket('udp4').bind(4000))
  const seen = {}
  server.on('message', (name, { address, port }) => (seen[name] = { address, port }))
  alice.send('alice', 4000, 'server')
  bob.send('bob', 4000, 'server')
  await network.run()

  // Each answers to where a datagram came from, which need not be where the server saw its sender.
  const reached = new Set()
  for (const [name, socket] of [
    ['alice', alice],
    ['bob', bob],
  ])
    socket.on('message', (message, { address, port }) => {
      reached.add(name)
      if (String(message) === 'hello') socket.send('I hear you', port, address)
    })
  for (let attempt = 0; attempt < 3; attempt++) {
    alice.send('hello', seen.bob.port, seen.bob.address)
    bob.send('hello', seen.alice.port, seen.alice.address)
    await network.run()
  }
  for (const socket of [alice, bob, server]) socket.close()
  network.close()
  return reached.size === 2
}

const names = Object.keys(TYPES)
const line = (words) =>
  console.log(
    words
      .map((word) => word.padEnd(16))
      .join('')
      .trimEnd(),
  )
line(['', ...names])
for (const a of names) {
  const row = []
  for (const b of names) row.push((await punch(a, b)) ? 'yes' : 'no')
  line([a, ...row])
}
