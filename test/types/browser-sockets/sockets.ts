/** Sockets of a simulated network in a page: with the types of Node, as `npm i -D @types/node` has. */
import 'tungram/dgram'
import { createDgram, type MessageInfo, type Socket } from 'tungram/dgram'
import { Network } from 'tungram/network'

const host = new Network({ seed: 1 }).host('a')
const socket: Socket = host.dgram.createSocket('udp4', (message, rinfo: MessageInfo) => {
  const text: string = message.toString('hex')
  const port: number = rinfo.port
  document.title = `${text} ${port}`
})
socket.bind(7)
createDgram(host).createSocket({ type: 'udp6' }).send('hello', 7, 'b')
// @ts-expect-error a port is a number
socket.bind({ port: {} })
