/** Two stacks on one wire, in real time, and sockets on them. */
import { once } from 'node:events'
import { onTestFinished } from 'vitest'
import '../../src/socket-api/dgram/dgram.ts'
import { Segment, type SegmentOptions } from '../../src/link/segment.ts'
import type { MessageInfo, Socket, SocketOptions } from '../../src/socket-api/dgram/dgram.ts'
import { Stack } from '../../src/stack.ts'

export interface Pair {
  /** 10.0.0.1, fd00::1, fe80::1 on `wire`. */
  readonly a: Stack
  /** 10.0.0.2, fd00::2, fe80::2 on `wire`. */
  readonly b: Stack
}

export function pair(options: Partial<SegmentOptions> = {}): Pair {
  const a = stack('a')
  const b = stack('b')
  const wire = new Segment({ clock: a.clock, random: a.random, ...options })
  const six = (number: number) => (wire.mtu < 1280 ? [] : [`fd00::${number}/64`, `fe80::${number}/64`])
  a.addNic(wire.link(), { name: 'wire', addresses: ['10.0.0.1/24', ...six(1)] })
  b.addNic(wire.link(), { name: 'wire', addresses: ['10.0.0.2/24', ...six(2)] })
  return { a, b }
}

/** As the sockets, it is closed behind the test that makes it. */
export function stack(name = 'host'): Stack {
  const made = new Stack({ name })
  onTestFinished(() => made.close())
  return made
}

export function open(host: Stack, type: 'udp4' | 'udp6' | SocketOptions = 'udp4'): Socket {
  const socket = host.dgram.createSocket(type)
  onTestFinished(() => {
    socket.removeAllListeners()
    socket.on('error', () => {})
    // The closed one says so; Node 26 has no `_handle` to ask.
    try {
      socket.close()
    } catch {}
  })
  return socket
}

export async function bound(
  host: Stack,
  type: 'udp4' | 'udp6' | SocketOptions = 'udp4',
  address?: string,
  port = 0,
): Promise<Socket> {
  const socket = open(host, type)
  socket.bind(port, address)
  await once(socket, 'listening')
  return socket
}

export function connected(socket: Socket, port: number, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.connect(port, address, (error?: Error) => (error ? reject(error) : resolve()))
  })
}

export async function message(socket: Socket): Promise<{ text: string; msg: Buffer; rinfo: MessageInfo }> {
  const [msg, rinfo] = (await once(socket, 'message')) as [Buffer, MessageInfo]
  return { text: msg.toString(), msg, rinfo }
}

/** A send as a promise of its bytes. */
export function sent(socket: Socket, ...args: unknown[]): Promise<number> {
  return new Promise((resolve, reject) => {
    ;(socket.send as (...given: unknown[]) => void).call(socket, ...args, (error: Error | null, bytes: number) =>
      error ? reject(error) : resolve(bytes),
    )
  })
}

export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

export async function turns(count: number): Promise<void> {
  for (let n = 0; n < count; n++) await turn()
}
