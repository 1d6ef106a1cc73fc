/** What a program may not write: each line below a directive has to be refused. */
import { Stack } from 'tungram'
import { makeNetworkProcess } from 'tungram/network-process'

const { dgram } = new Stack()
const socket = dgram.createSocket('udp4')

// @ts-expect-error no payload
socket.send(42)
// @ts-expect-error no payload
socket.send({}, 9)
// @ts-expect-error no payload
socket.send(new ArrayBuffer(8), 9)
// @ts-expect-error no piece of a payload
socket.send(['text', 42], 9)
// @ts-expect-error nothing to send
socket.send()
// @ts-expect-error no port
socket.send('text', '9')
// @ts-expect-error no address
socket.send('text', 9, true)
// @ts-expect-error a list has no offset
socket.send(['text'], 0, 1, 9, '127.0.0.1')
// @ts-expect-error no callback
socket.send('text', 9, '127.0.0.1', 'sent')
// @ts-expect-error bytes are a number
socket.send('text', 9, (_: Error | null, bytes: string) => bytes)
// @ts-expect-error no mode
socket.send('text', { port: 9, dontFragment: 'never' })
// @ts-expect-error no setting
socket.send('text', { port: 9, colour: 'red' })
// @ts-expect-error no payload in it
socket.sendBatch([{ port: 9 }])
// @ts-expect-error no list
socket.sendBatch('text')
// @ts-expect-error holes are refused
socket.sendBatch([{ msg: 'text', port: 9 }, undefined])
// @ts-expect-error no port
socket.bind('9')
// @ts-expect-error no port
socket.bind({ port: '9' })
// @ts-expect-error no options
socket.bindSync(9)
// @ts-expect-error no port
socket.connect()
// @ts-expect-error no port
socket.connect('9')
// @ts-expect-error no port
socket.connectSync()
// @ts-expect-error no number
socket.setTTL('64')
// @ts-expect-error no number
socket.setRecvBufferSize('1 MiB')
// @ts-expect-error no mode
socket.setDontFragment('toString')
// @ts-expect-error no option
socket.setOption('noSuchOption', 1)
// @ts-expect-error a number
socket.setOption('ttl', true)
// @ts-expect-error a number
socket.getOption('ttl').length
// @ts-expect-error a boolean
socket.setRecvInfo('all')
// @ts-expect-error no text
socket.addMembership(5)
// @ts-expect-error no text in it
socket.address().address.toFixed()
// @ts-expect-error not for programs
socket.type = 'udp6'
// @ts-expect-error no type
dgram.createSocket('udp5')
// @ts-expect-error no type in it
dgram.createSocket({ reuseAddr: true })
// @ts-expect-error no listener
dgram.createSocket('udp4', 'message')
// @ts-expect-error no keyword
makeNetworkProcess({ name: 'p', type: 'datagram', service: 9, colour: 'red' })
// @ts-expect-error no interface
makeNetworkProcess({ name: 'p', type: 'datagram', service: 9, bindtodevice: true })

// ── what is internal has no types ──

const stack = new Stack()
const nic = stack.loopback
const endpoint = stack.udp.createEndpoint(4, { receive() {}, flush() {}, icmp() {} })
// @ts-expect-error the table behind `routes`
stack.ip.routes
// @ts-expect-error the words behind `pathTo`
stack.ip.route(0, 0, 0, 0, 0)
// @ts-expect-error a wire's entrance
stack.ip.input()
// @ts-expect-error the port table
stack.udp.ports
// @ts-expect-error IP's entrance
stack.udp.input()
// @ts-expect-error a lazy host's hook
stack.beforeUse
// @ts-expect-error a link's entrance
nic.input()
// @ts-expect-error IP's exit
nic.output()
// @ts-expect-error the groups of all sockets
nic.memberships
// @ts-expect-error what waits
endpoint.queue
// @ts-expect-error a remembered route
endpoint.routeCache
// @ts-expect-error counts are read
stack.counters.drop()
// @ts-expect-error a counter that Linux does not have
stack.counters.UdpInEverything
// @ts-expect-error no protocol
stack.openRaw({ family: 4 })
// @ts-expect-error no family
stack.openRaw({ family: 5, protocol: 253 })
const raw = stack.openRaw({ family: 4, protocol: 253 })
// @ts-expect-error no bytes
raw.send('text', '192.0.2.1')
// @ts-expect-error UDP's area of options
raw.send(new Uint8Array(1), '192.0.2.1', { surplus: 4 })
// @ts-expect-error fixed when it is opened
raw.protocol = 17
// @ts-expect-error what waits
raw.queue
