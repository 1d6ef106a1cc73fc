/**
 * Two hosts with two links each, and what a program does there with one socket: every step is told
 * as `node:dgram` tells it.
 */
import type { Socket } from 'node:dgram'
import * as kernelDgram from 'node:dgram'
import '../../src/socket-api/dgram/dgram.ts'
import { Address } from '../../src/base/address.ts'
import type { Host } from './host.ts'
import { ip, KernelHost } from './kernel-host.ts'
import { sendWithInfo } from './kernel-sendmsg.ts'
import type { Bytes } from './raw-ip.ts'
import { StackHost } from './stack-host.ts'

export const A = 'linka'
export const B = 'linkb'
const OWN_A = ['10.9.0.1/24', 'fd09::1/64', 'fe80::a/64', 'fe80::1/64']
const OWN_B = ['10.8.0.1/24', 'fd08::1/64', 'fe80::b/64', 'fe80::1/64']
/** Where all datagrams go. */
const PORT = 7000
const MTU = 1500

export interface Trial {
  family: 4 | 6
  ipv6Only: boolean
  /** `undefined`: not bound before. */
  bound: string | undefined
  call: 'send' | 'connect' | 'connect, send' | 'connect, disconnect, send'
  to: string
  broadcast: boolean
  /** Of `setMulticastInterface`. */
  multicast?: string | undefined
  /** A datagram's own, Linux's IP_PKTINFO. */
  source?: string | undefined
  interface?: string | undefined
}

export interface World {
  readonly host: Host
  readonly dgram: Pick<typeof kernelDgram, 'createSocket'>
  /** `send` with `source` or `interface`. */
  sendWithInfo(socket: Socket, trial: Trial): Promise<string>
}

const receivers = [
  { family: 4, port: PORT },
  { family: 6, port: PORT },
] as const

/** Call in a namespace of the test's own. */
export function makeWorlds(): { kernel: World; stack: World; setDefaultRoutes(there: boolean): void; close(): void } {
  const kernelHost = new KernelHost(A, OWN_A, MTU)
  kernelHost.addLink(B, OWN_B, MTU)
  const stackHost = new StackHost(OWN_A, MTU, {}, A)
  stackHost.addLink(B, OWN_B, MTU)
  for (const host of [kernelHost, stackHost]) for (const plan of receivers) host.open(plan)
  const kernel: World = {
    host: kernelHost,
    dgram: kernelDgram,
    async sendWithInfo(socket, trial) {
      const { fd } = (socket as unknown as { _handle: { fd: number } })._handle
      return sendWithInfo(fd, Buffer.from('x'), trial.to, PORT, trial.source ?? ownSource(trial), trial.interface)
    },
  }
  const stack: World = {
    host: stackHost,
    dgram: stackHost.stack.dgram as unknown as World['dgram'],
    sendWithInfo: (socket, { to, source, interface: nic }) =>
      new Promise((resolve) => {
        const settings = {
          port: PORT,
          address: to,
          ...(source === undefined ? {} : { source }),
          ...(nic === undefined ? {} : { interface: nic }),
        }
        const send = socket.send.bind(socket) as unknown as (
          msg: string,
          settings: object,
          done: (error: Error | null) => void,
        ) => void
        try {
          send('x', settings, (error) => resolve(codeOf(error)))
        } catch (error) {
          resolve(codeOf(error))
        }
      }),
  }
  return {
    kernel,
    stack,
    setDefaultRoutes(there) {
      for (const via of ['10.9.0.2', 'fd09::2']) {
        if (there) {
          ip('route', 'add', 'default', 'via', via)
          stackHost.stack.addRoute({ to: 'default', via })
        }
      }
      if (there) return
      for (const family of ['-4', '-6']) ip(family, 'route', 'flush', 'default')
      for (const route of stackHost.stack.ip.routes.list())
        if (route.prefix.length === 0) stackHost.stack.removeRoute(route)
    },
    close() {
      kernelHost.close()
      stackHost.close()
    },
  }
}

/**
 * What a socket is bound to, for IP_PKTINFO to keep: groups and broadcast addresses are no source
 * there.
 */
function ownSource({ family, bound, to }: Trial): string | undefined {
  if (bound === undefined || (to.includes('.') !== bound.includes('.') && !/^::(%|$)/.test(to))) return undefined
  return family === 4 && /^2[23]|255/.test(bound) ? undefined : bound.includes('.') ? bound : undefined
}

const codeOf = (error: unknown) =>
  error === null || error === undefined ? '' : ((error as { code?: string }).code ?? String(error))
const failure = (error: Error) => `${error.message} (${(error as { syscall?: string }).syscall})`

/** A call that ends with its event or an error. @returns `''`, or what the error says */
function done(socket: Socket, call: (callback: (error?: Error | null) => void) => void): Promise<string> {
  return new Promise((resolve) => {
    const failed = (error: Error) => resolve(failure(error))
    socket.once('error', failed)
    call((error) => {
      socket.removeListener('error', failed)
      resolve(error ? failure(error) : '')
    })
  })
}

const shown = (info: () => { address: string; port: number }) => {
  const { address, port } = info()
  return port === PORT ? `${address} ${port}` : address
}

/** What one program sees of one socket, step by step, and what goes out. */
export async function run(world: World, trial: Trial): Promise<string[]> {
  const { family, bound, call, to } = trial
  const socket = world.dgram.createSocket({ type: family === 4 ? 'udp4' : 'udp6', ipv6Only: trial.ipv6Only })
  const steps: string[] = []
  const step = async (name: string, act: (callback: (error?: Error | null) => void) => void, then: () => string) => {
    const problem = await done(socket, act)
    steps.push(problem === '' ? `${name} ${then()}` : problem)
    return problem === ''
  }
  const local = () => shown(() => socket.address())
  try {
    if (bound !== undefined && !(await step('bound to', (callback) => socket.bind(0, bound, () => callback()), local)))
      return steps
    if (trial.broadcast) socket.setBroadcast(true)
    if (trial.multicast !== undefined) {
      try {
        socket.setMulticastInterface(trial.multicast)
      } catch (error) {
        steps.push(failure(error as Error))
      }
    }
    if (call !== 'send') {
      const connected = await step(
        'connected',
        (callback) => socket.connect(PORT, to, callback as () => void),
        () => `from ${local()} to ${shown(() => socket.remoteAddress())}`,
      )
      if (!connected || call === 'connect') return steps
      if (call === 'connect, disconnect, send') {
        socket.disconnect()
        steps.push(`disconnected, ${trial.bound === undefined ? '' : local()}`)
      }
    }
    if (trial.source !== undefined || trial.interface !== undefined) {
      if (bound === undefined) await done(socket, (callback) => socket.bind(0, () => callback()))
      steps.push(`sent: ${await world.sendWithInfo(socket, trial)}`)
    } else if (call === 'connect, send') await step('sent', (callback) => socket.send('x', callback), local)
    else await step('sent', (callback) => socket.send('x', PORT, to, callback), local)
  } finally {
    socket.removeAllListeners('error')
    socket.on('error', () => {})
    const taken = outputs(world.host)
    steps.push(...taken)
    socket.close()
  }
  return steps
}

function outputs(host: Host): string[] {
  const sent: string[] = []
  for (let link = 0; link < host.links; link++)
    for (const packet of host.receive(link)) sent.push(...datagram(packet, link === 0 ? A : B))
  for (const { from, error } of host.delivered()) {
    const hex = from.slice(0, from.indexOf(':'))
    sent.push(error === '' ? `delivered from ${Address.fromBytes(Buffer.from(hex, 'hex'))}` : `told ${error}`)
  }
  return sent.sort()
}

/** The ends of a datagram of ours; nothing else counts. */
function datagram(packet: Bytes, link: string): string[] {
  const four = (packet[0] as number) >>> 4 === 4
  if (packet[four ? 9 : 6] !== 17) return []
  const end = (at: number, length: number) => Address.fromBytes(packet.subarray(at, at + length)).toString()
  return [four ? `${link}: ${end(12, 4)} → ${end(16, 4)}` : `${link}: ${end(8, 16)} → ${end(24, 16)}`]
}
