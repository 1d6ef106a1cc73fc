/** Where did my datagram go? Every discarded packet has a name, a layer and a count. */
import { bernoulli, impair, SeededRandom, Segment, Stack } from 'tungram'

const wire = new Segment()
const alice = new Stack({ name: 'alice' })
const bob = new Stack({ name: 'bob' })
const lossy = impair(wire.link(), { random: new SeededRandom(7), send: { loss: bernoulli(0.5) } })
alice.addNic(lossy, { addresses: ['fd00::1/64'] })
bob.addNic(wire.link(), { addresses: ['fd00::2/64'] })

const client = alice.dgram.createSocket('udp6')
client.on('icmp', ({ offender, type, code }) => console.log(`${offender} reports ICMPv6 type ${type} code ${code}`))
for (let i = 0; i < 8; i++) client.send('anybody there?', 9, 'fd00::2')
setTimeout(() => {
  for (const { name, drops } of [alice, bob])
    for (const { layer, reason, count } of drops) console.log(`${name}: ${count} × ${reason} (${layer})`)
  client.close()
}, 50)
