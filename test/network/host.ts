/** What the network tests share: sockets with their messages collected. */
import '../../src/socket-api/dgram/dgram.ts'
import type { Network } from '../../src/network/network.ts'
import type { MessageInfo } from '../../src/socket-api/dgram/message-info.ts'
import type { Stack } from '../../src/stack.ts'

export interface Received {
  time: number
  text: string
  from: string
  info: MessageInfo
}

/** A socket that listens, and what it got. */
export function listen(network: Network, host: Stack, port: number, type: 'udp4' | 'udp6' = 'udp4') {
  const received: Received[] = []
  const socket = host.dgram.createSocket(type)
  socket.on('message', (message, info) =>
    received.push({
      time: network.now,
      text: message.length > 40 ? `${message.length} bytes` : String(message),
      from: `${info.address}:${info.port}`,
      info,
    }),
  )
  socket.bind(port)
  return { socket, received }
}

/** A socket that sends back whatever it gets. */
export function echo(host: Stack, port: number, type: 'udp4' | 'udp6' = 'udp4') {
  const socket = host.dgram.createSocket(type)
  socket.on('message', (message, { port, address }) => socket.send(message, port, address))
  socket.bind(port)
  return socket
}
