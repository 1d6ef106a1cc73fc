/** What a program with `strict` may write. */
import type * as nodeDgram from 'node:dgram'
import dns from 'node:dns'
import { BlockList } from 'node:net'
import {
  Address,
  type BatchItem,
  type DgramModule,
  Drop,
  type Echo,
  type Endpoint,
  type EndpointReceiver,
  type Errno,
  type MessageInfo,
  Packet,
  type Path,
  PmtuMode,
  probePath,
  type RawEndpoint,
  type RawMessage,
  type RawSendOptions,
  type Route,
  type SendOptions,
  type Socket,
  type SocketOptions,
  Stack,
} from 'tungram'
import { Network } from 'tungram/network'
import { makeNetworkProcess, processSend } from 'tungram/network-process'
import { checkPacket, ipv4, protocol, udp } from 'tungram/wire'
import 'tungram/register'

const stack = new Stack()

// ── in the place of node:dgram ──

export const module: typeof import('node:dgram') = stack.dgram
export const fromModule: nodeDgram.Socket = module.createSocket('udp4', (msg, rinfo) => msg.length + rinfo.port)
const nodeOptions: nodeDgram.SocketOptions = { type: 'udp6', ipv6Only: true }
const socket: Socket = stack.dgram.createSocket(nodeOptions)
export const asNodes: nodeDgram.Socket = socket
export class Own extends stack.dgram.Socket {}
export const dgram: DgramModule = new Network().host('a').dgram

// ── its forms ──

const options: SocketOptions = {
  type: 'udp4',
  reusePort: true,
  lookup: dns.lookup,
  signal: AbortSignal.timeout(1),
  sendBlockList: new BlockList(),
}
stack.dgram.createSocket(options, (msg: Buffer, rinfo: MessageInfo) => `${msg}${rinfo.ttl}`)
stack.dgram.createSocket({
  type: 'udp4',
  lookup: (hostname, family, callback) => {
    const number: number = family
    callback(null, hostname, number)
  },
})
const bytes = new Uint8Array(8)
const sent = (error: Error | null, length: number) => `${error?.message}${length}`
socket.send('text', 9)
socket.send('text', 9, sent)
socket.send(bytes, 9, '::1')
socket.send(new DataView(bytes.buffer), 9, '::1', sent)
socket.send([bytes, 'and text', Buffer.from('x')], 9, undefined, sent)
socket.send(bytes, 1, 2, 9, '::1', sent)
socket.send(bytes, 1, 2, 9, sent)
socket.send(bytes, 1, 2, sent)
socket.send(bytes, sent)
socket.send(bytes)
socket.send(
  'text',
  { port: 9, address: '::1', ttl: 1, tos: 4, source: '::1', interface: 'lo', dontFragment: 'probe' },
  sent,
)
const items: BatchItem[] = [{ msg: 'text', port: 9 }]
socket.sendBatch(items, (error, count: number) => sent(error, count))
socket.bind()
socket.bind(9)
socket.bind(9, '::1', () => {})
socket.bind(9, () => {})
socket.bind(() => {})
socket.bind({ port: 9, address: '::1', exclusive: true, fd: socket.fd }, () => {}).unref()
export const port: number = socket.bindSync({ port: 0 }).port + socket.bindSync().port
socket.connect(9, '::1', (error?: Error) => error?.message)
socket.connect(9, () => {})
socket.connectSync(9)
socket.connectSync(9, '::1')

// ── events ──

socket
  .on('message', (msg, rinfo) => {
    const own: Buffer<ArrayBuffer> = msg
    const ttl: number | undefined = rinfo.ttl
    return [own, ttl]
  })
  .on('icmp', ({ offender, destination }) => offender + destination.address)
  .once('error', (error) => error.message)
  .addListener('listening', () => {})
  .prependListener('close', () => {})
  .prependOnceListener('connect', () => {})
  .on("a program's own", (what: string, ever: number) => what + ever)
  .off('error', () => {})
  .emit('anything', 1)

// ── beyond Node ──

export const mode: 'off' | 'want' | 'do' | 'probe' = socket
  .setOption('ttl', 9)
  .setTOS(4)
  .setDontFragment('do')
  .getDontFragment()
export const nic: string | null = socket.getOption('bindToDevice')
export async function read(): Promise<number> {
  for await (const { msg, rinfo } of socket) return msg.length + rinfo.size
  await socket[Symbol.asyncDispose]()
  return socket.getPathMTU()
}

// ── network processes ──

const process = makeNetworkProcess({
  name: 'p',
  type: 'datagram',
  service: 9,
  bindtodevice: false,
  filter: (_, text: string) => text,
})
makeNetworkProcess({
  name: 'p',
  type: 'datagram',
  service: 9,
  coding: 'buffer',
  filter: (_, data: Buffer) => data.length,
})
processSend(process, 'text')

// ── below the sockets ──

const receiver: EndpointReceiver = {
  receive: (packet: Packet, sourcePort: number) => endpoint.release(packet.length + 0 * sourcePort),
  flush() {},
  icmp: (error, errno) => `${error.offender}${errno}`,
}
const endpoint: Endpoint = stack.udp.createEndpoint(4, receiver)
const settings: SendOptions = { surplus: 0, pmtuMode: PmtuMode.Probe, source: Address.LOOPBACK4 }
export const errno: Errno = endpoint.bind(Address.LOOPBACK4, 0) || endpoint.connect(Address.LOOPBACK4, 9)
export const errnoOfSend: Errno = endpoint.send(endpoint.beginSend(0), Address.LOOPBACK4, 9, 0, settings)
export const errnoOfJoin: Errno = endpoint.groups.join(Address.parse('224.0.0.251'), 1)
endpoint.multicastHopLimit = endpoint.localPort

const route: Route | undefined = stack.routes[0]
const path: Path | null = stack.pathTo('127.0.0.1')
export const leaves: string = `${route?.nic.name} ${path?.route.gateway} ${path?.source} ${path?.mtu}`
const echo: Echo = stack.ip.icmp.openEcho(4, { reply() {}, error: ({ type }, sequence) => type + sequence })
echo.send(Address.LOOPBACK4, 1, bytes, { dontFragment: PmtuMode.Do })
probePath(stack.ip.icmp, Address.LOOPBACK4, { clock: stack.clock, max: 1500 }).stop()
stack.ip.onRouterAlert = (packet, { name }, value) => name.length + value > packet.networkEnd

const transport: RawEndpoint = stack.openRaw({
  family: 6,
  protocol: 253,
  checksumOffset: 2,
  icmp: (error, errno, quoted) => `${error.offender}${errno}${quoted.length}`,
})
const once: RawSendOptions = { hopLimit: 1, flowLabel: 7, source: Address.LOOPBACK6 }
export const errnoOfRaw: Errno = transport.connect('::1') || transport.send(bytes, null, once)
export async function firstOf(endpoint: AsyncIterable<RawMessage>): Promise<Address | undefined> {
  for await (const { source, payload } of endpoint) if (payload.length > 0) return source
  return undefined
}
export const first = firstOf(transport)
stack.openRaw({ family: 4, protocol: 1, receive: (packet) => packet.networkEnd }).tos = 4

const raw = new Packet().load(bytes)
if (checkPacket(raw) === Drop.None && raw.protocol === protocol.UDP)
  show(ipv4.ttl(raw.view, raw.network), udp.sourcePort(raw.view, raw.transport))
function show(...values: number[]): number[] {
  return values
}
export const heard: number = stack.counters.UdpInDatagrams + (stack.counters.nonZero().UdpNoPorts ?? 0)
