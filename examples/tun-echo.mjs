/**
 * A UDP echo service of our own on a TUN device, asked by a socket of the kernel. Needs the
 * privilege to make a device: run it as root in a namespace of its own ('unshare -n node
 * examples/tun-echo.mjs'), or under 'unshare -rn'.
 */
import dgram from 'node:dgram'
import { openTun, Stack } from 'tungram'

const stack = new Stack()
stack.addNic(openTun({ peer: '10.9.0.1/24' }), { addresses: ['10.9.0.2/24'] })

const service = stack.dgram.createSocket('udp4', (message, { port, address }) => service.send(message, port, address))
service.bind(7)

const kernel = dgram.createSocket('udp4')
kernel.send('hello', 7, '10.9.0.2')
kernel.on('message', (message, { address }) => {
  console.log(`${address} answered ${message}`)
  kernel.close()
  service.close()
  stack.close()
})
