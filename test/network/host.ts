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

/** a — r1 — r2 — b, without limits of ICMP errors. */
export function chain(network: Network): { a: Stack; b: Stack } {
  const a = network.host('a')
  const b = network.host('b', { icmpRateLimitPerDestination: false })
  network.router('r1', { icmpRateLimitPerDestination: false })
  network.router('r2', { icmpRateLimitPerDestination: false })
  network.connect(a, 'r1')
  network.connect('r1', 'r2')
  network.connect('r2', b, { mtu: 1300 })
  return { a, b }
}

/** a — r — b with delays, the second cable being narrower. */
export function hop(network: Network): { a: Stack; b: Stack } {
  const a = network.host('a')
  const b = network.host('b')
  network.router('r')
  network.connect(a, 'r', { delay: 10 })
  network.connect('r', b, { delay: 5, mtu: 1000 })
  return { a, b }
}
