/** The two worlds the contract is checked in, and what its cases share. */
import { execFileSync } from 'node:child_process'
import type { RemoteInfo, Socket, SocketOptions, SocketType } from 'node:dgram'
import * as kernelDgram from 'node:dgram'
import { once } from 'node:events'
import { afterEach, expect } from 'vitest'
import '../../src/socket-api/dgram/dgram.ts'
import { Segment } from '../../src/link/segment.ts'
import { Stack } from '../../src/stack.ts'
import { skipAloud } from '../skips.ts'
import { enterNamespace } from '../tun/namespace.ts'

export type Dgram = Pick<typeof kernelDgram, 'createSocket' | 'Socket'>

/** The members that Node 22 has and the types of Node 20 do not. */
export type Options = SocketOptions & { reusePort?: boolean; receiveBlockList?: unknown; sendBlockList?: unknown }

export interface Environment {
  readonly name: 'kernel' | 'tungram'
  readonly dgram: Dgram
  /** Whether the options of Node 22 exist. */
  readonly node22: boolean
  /** Whether `bindSync` and `connectSync` exist. */
  readonly sync: boolean
  /**
   * Whether there is a second interface, `d0`, with 10.77.0.1/24 and fe80::1/64 and nobody else on
   * it.
   */
  readonly d0: boolean
}

/**
 * What came with `bindSync`, in Node 24 and 26; tungram follows the Node that runs in all but the
 * methods themselves.
 */
export const nodeHasSync = 'bindSync' in kernelDgram.Socket.prototype

const node22 = Number(process.versions.node.split('.')[0]) >= 22

/**
 * The kernel's side runs in a namespace of its own, where that is permitted; otherwise on the
 * loopback interface of this host.
 */
function kernel(): Environment {
  const reason = enterNamespace()
  const isolated = reason === ''
  if (!isolated) skipAloud("the kernel's sockets on a second interface", `a network namespace: ${reason}`)
  if (isolated) {
    const ip = (...args: string[]) => execFileSync('ip', args)
    // A bridge without ports goes up without a peer, and IPv6 is ready on it at once.
    ip('link', 'add', 'd0', 'type', 'bridge')
    ip('address', 'add', '10.77.0.1/24', 'broadcast', '+', 'dev', 'd0')
    ip('address', 'add', 'fe80::1/64', 'dev', 'd0', 'nodad')
    ip('link', 'set', 'd0', 'up')
  }
  return { name: 'kernel', dgram: kernelDgram, node22, sync: nodeHasSync, d0: isolated }
}

function tungram(): Environment {
  const stack = new Stack()
  stack.addNic(new Segment({ clock: stack.clock, random: stack.random }).link(), {
    name: 'd0',
    addresses: ['10.77.0.1/24', 'fe80::1/64'],
  })
  return { name: 'tungram', dgram: stack.dgram as unknown as Dgram, node22: true, sync: true, d0: true }
}

export const environments: Environment[] = [kernel(), tungram()]

/** Sockets of one test file, closed after each of its tests. */
export class Sockets {
  readonly environment: Environment
  readonly #open: Socket[] = []

  constructor(environment: Environment) {
    this.environment = environment
    afterEach(() => {
      for (const socket of this.#open.splice(0)) {
        socket.removeAllListeners()
        socket.on('error', () => {})
        try {
          socket.close()
        } catch {
          // It is closed already.
        }
      }
    })
  }

  make(type: SocketType | Options = 'udp4', listener?: (msg: Buffer, rinfo: RemoteInfo) => void): Socket {
    const socket = this.environment.dgram.createSocket(type as SocketOptions, listener)
    this.#open.push(socket)
    return socket
  }

  /** A socket that is bound to a loopback address, or another one. */
  async bound(type: SocketType | Options = 'udp4', address?: string, port = 0): Promise<Socket> {
    const socket = this.make(type)
    const family = typeof type === 'string' ? type : type.type
    socket.bind(port, address ?? (family === 'udp4' ? '127.0.0.1' : '::1'))
    await once(socket, 'listening')
    return socket
  }
}

export function port(socket: Socket): number {
  return socket.address().port
}

export async function message(socket: Socket): Promise<{ text: string; msg: Buffer; rinfo: RemoteInfo }> {
  const [msg, rinfo] = (await once(socket, 'message')) as [Buffer, RemoteInfo]
  return { text: msg.toString(), msg, rinfo }
}

/** The next `count` messages as texts. */
export async function texts(socket: Socket, count: number): Promise<string[]> {
  const got: string[] = []
  await new Promise<void>((resolve) => {
    socket.on('message', (msg) => {
      got.push(msg.toString())
      if (got.length === count) resolve()
    })
  })
  return got
}

/** `send` with its callback as a promise of the bytes. */
export function send(socket: Socket, ...args: unknown[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const loose = socket.send as (...given: unknown[]) => void
    loose.call(socket, ...args, (error: Error | null, bytes: number) => (error ? reject(error) : resolve(bytes)))
  })
}

/** What programs see of an error. */
export function shape(error: unknown): Record<string, unknown> {
  const { name, message, ...own } = error as Error & Record<string, unknown>
  return { name: (error as Error).name, message: (error as Error).message, ...own }
}

/** The error of a call that throws. */
export function thrown(call: () => unknown): Record<string, unknown> {
  try {
    call()
  } catch (error) {
    expect(error).toBeInstanceOf(Error)
    return shape(error)
  }
  throw new Error('It did not throw.')
}

/** The error of a call that rejects. */
export async function rejected(promise: Promise<unknown>): Promise<Record<string, unknown>> {
  const outcome = await promise.then(
    () => null,
    (error: unknown) => shape(error),
  )
  if (outcome === null) throw new Error('It did not reject.')
  return outcome
}

/** A turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Long enough for a datagram of this host that is not going to come. */
export async function quiet(): Promise<void> {
  // On a machine that is busy with other work 30 ms may be a single turn.
  for (let n = 0; n < 20; n++) await turn()
  await new Promise((resolve) => setTimeout(resolve, 30))
}

/** Runs `body` and collects what became an uncaught exception; the test runner does not see it. */
export async function uncaught(body: () => Promise<void>): Promise<unknown[]> {
  const errors: unknown[] = []
  const others = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', (error) => errors.push(error))
  try {
    await body()
  } finally {
    process.removeAllListeners('uncaughtException')
    for (const other of others) process.on('uncaughtException', other)
  }
  return errors
}
