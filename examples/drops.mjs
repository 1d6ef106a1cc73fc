/** Where did my datagram go? Every discarded packet has a name, a layer and a count. */
import { Network } from 'tungram/network'

// Simulated time and chance from a seed: the same drops each time.
const network = new Network({ seed: 7 })
const alice = network.host('alice')
const bob = network.host('bob')
network.connect(alice, bob, { delay: '1ms', loss: 0.5 })

const client = alice.dgram.createSocket('udp6')
client.on('icmp', ({ offender, type, code }) => console.log(`${offender} reports ICMPv6 type ${type} code ${code}`))
for (let i = 0; i < 8; i++) client.send('anybody there?', 9, 'bob')
await network.runFor('10s')
for (const { name, drops } of [alice, bob])
  for (const { layer, reason, count } of drops) console.log(`${name}: ${count} × ${reason} (${layer})`)
client.close()
network.close()
