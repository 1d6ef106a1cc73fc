/**
 * Two hosts on a wire with an MTU of 576: a datagram of 4000 bytes crosses it in eight fragments.
 */
import { Segment, Stack } from 'tungram'

const wire = new Segment({ mtu: 576 })
const alice = new Stack({ name: 'alice' })
const bob = new Stack({ name: 'bob' })
alice.addNic(wire.link(), { addresses: ['10.0.0.1/24'] })
bob.addNic(wire.link(), { addresses: ['10.0.0.2/24'] })

const server = bob.dgram.createSocket('udp4', (message, rinfo) => {
  console.log(`${rinfo.address} sent ${message.length} bytes in ${rinfo.fragments} fragments, TTL ${rinfo.ttl}`)
  server.close()
})
server.bind(5000, () => {
  server.setRecvInfo(true)
  const client = alice.dgram.createSocket('udp4')
  client.send(Buffer.alloc(4000), 5000, '10.0.0.2', () => client.close())
})
