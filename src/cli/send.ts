/** `tungram send`: sends datagrams, as fast as the device takes them or at a rate. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Address } from '../base/address.ts'
import { requireBroadcast, zoneIndex } from '../shell/destination.ts'
import { type CommandDescription, option, readCommandLine } from './command-line.ts'
import { type Host, hostGroup, hostOptions, openHost } from './host.ts'
import { amount, dropsText, note, plural, print, printJson, showProgress } from './output.ts'
import { reach } from './reach.ts'
import { Sender } from './sender.ts'
import { integer, type Target, target, UsageError } from './usage.ts'

const DF_MODES = ['off', 'want', 'do', 'probe'] as const
type DfMode = (typeof DF_MODES)[number]

const options = {
  to: option('--to <ADDR:PORT>', 'the destination, such as 10.9.0.1:5000 or [fd09::1]:5000'),
  size: option('--size <N>', 'bytes of payload, default 64'),
  count: option('--count <N>', 'datagrams, default 1; with --rate alone, no end but SIGINT or SIGTERM'),
  rate: option('--rate <PPS>', 'datagrams a second; default as fast as the device takes them'),
  data: option('--data <TEXT>', 'the payload'),
  ttl: option('--ttl <N>', 'TTL or hop limit, 1 to 255, default 64'),
  tos: option('--tos <N>', 'TOS or Traffic Class byte, such as 0xb8'),
  broadcast: option('--broadcast', 'allow a broadcast address'),
  df: option(
    '--df [MODE]',
    "fragmentation: 'do' (never; what --df alone means), 'want' (up to the path MTU), 'probe', 'off'",
    DF_MODES,
  ),
} as const

export const description: CommandDescription = {
  usage: [
    'send --tun NAME --address CIDR --to ADDR:PORT [--size N] [--count N] [--rate PPS] [options]',
    'send --tun NAME --address CIDR --to ADDR:PORT --data TEXT [options]',
    'send --tun NAME --address CIDR --to ADDR:PORT [options] < FILE',
  ],
  about: [
    "Waits up to ten seconds until the kernel's side of the device has an address, sends, prints what was sent, and " +
      'ends. Without --size, --count, --rate and --data, the standard input is the payload of one datagram.',
  ],
  groups: [{ title: 'Options', options }, hostGroup],
  examples: ['tungram send --tun tun0 --address 10.9.0.2/24 --peer 10.9.0.1/24 --to 10.9.0.1:5000 --data hello'],
}

/** Milliseconds to wait for the kernel's side to have an address. */
const PATIENCE = 10_000

export async function run(args: string[]): Promise<number> {
  const { values } = readCommandLine(args, { ...hostOptions, ...options })
  if (values.to === undefined) throw new UsageError('name the destination: --to ADDR:PORT')
  const to = target('to', values.to)
  const longest = to.address.family === 4 ? 65_507 : 65_527
  const headers = to.address.family === 4 ? 28 : 48
  const size = integer('size', values.size, 0, longest)
  const rate = integer('rate', values.rate, 1, 1_000_000_000)
  const count =
    integer('count', values.count, 1, Number.MAX_SAFE_INTEGER) ?? (rate === undefined ? 1 : Number.POSITIVE_INFINITY)
  const ttl = integer('ttl', values.ttl, 1, 255)
  const tos = integer('tos', values.tos, 0, 255)
  const { data } = values
  // Without a mode --df means do.
  const df = values.df === true ? 'do' : values.df
  if (df !== undefined && !isDfMode(df)) throw new UsageError(`--df takes one of ${DF_MODES.join(', ')}, not '${df}'`)
  if (data !== undefined && size !== undefined) throw new UsageError('--data and --size exclude each other')
  const fromInput = data === undefined && size === undefined && values.count === undefined && rate === undefined

  const host = await openHost(values)
  const { run } = host
  const socket = host.socket({ type: to.address.family === 4 ? 'udp4' : 'udp6' })
  const sender = new Sender(count, rate ?? Number.POSITIVE_INFINITY, () => host.neighbor(to.address)?.state)
  socket.on('error', (error: NodeJS.ErrnoException) => {
    // The peer's ICMP; what matters to the sending is told to the send's callback.
    if (error.code === 'ECONNREFUSED') sender.refused++
    else run.end(error.message)
  })
  const work = async () => {
    requireWay(host, to, values.broadcast)
    const payload = data !== undefined ? Buffer.from(data) : fromInput ? await readInput() : pattern(size ?? 64)
    if (payload.length > longest)
      throw new Error(
        `the payload has ${payload.length} bytes: a datagram over IPv${to.address.family} carries ${longest} at most`,
      )
    await kernelIsReady(host, to.address, sender)
    if (sender.stopped) return
    if (values.broadcast) socket.setOption('broadcast', true)
    await new Promise<void>((resolve, reject) => {
      // On failure the callback gets the error, which node:dgram's types do not say.
      socket.connect(to.port, to.text, (error?: Error) => (error === undefined ? resolve() : reject(error)))
    })
    if (ttl !== undefined) socket.setTTL(ttl)
    if (tos !== undefined) socket.setTOS(tos)
    if (df !== undefined) socket.setDontFragment(df)
    sender.start(
      payload.length,
      (callback) => socket.send(payload, callback),
      (error) => {
        if (error?.code !== 'EMSGSIZE') return run.end(error?.message)
        const mtu = df === 'probe' ? host.device.mtu : socket.getPathMTU()
        run.end(
          `EMSGSIZE: the payload has ${payload.length} bytes, and --df ${df} lets no more than ` +
            `${mtu - headers} into a packet of the MTU of ${mtu}: ` +
            'send less, or let it be fragmented (--df want)',
        )
      },
    )
  }
  work().catch((error: Error) => run.end(error.message))

  const endProgress = showProgress(() => (sender.sent > 1 ? `sent ${plural(sender.sent, 'datagram')}` : ''))
  const failure = await run.ended
  endProgress()
  sender.stop()
  if (fromInput) process.stdin.destroy()
  const drops = host.drops()
  const silent = host.neighbor(to.address)?.address ?? to.text
  host.close()
  const { sent, bytes, seconds, refused } = sender
  if (values.json) printJson({ sent, bytes, seconds, drops })
  else print(`sent ${amount(sent, bytes, seconds)}; ${dropsText(drops)}`)
  if (refused > 0) note(`${values.to} answered that the port is closed`)
  if (failure !== '') throw new Error(failure)
  const unanswered = drops.NeighborUnreachable ?? 0
  if (unanswered > 0) {
    const asked = to.address.family === 4 ? 'ARP' : 'Neighbor Discovery'
    throw new Error(
      `${silent} does not answer ${asked}: ${plural(unanswered, 'packet')} could not be sent to ${values.to}`,
    )
  }
  return 0
}

function isDfMode(text: string | undefined): text is DfMode {
  return DF_MODES.includes(text as DfMode)
}

/** @throws {Error} when nothing can be sent there, or nothing that leaves the stack */
function requireWay({ stack }: Host, { address, zone }: Target, broadcast: boolean | undefined): void {
  requireBroadcast(stack, address, broadcast)
  if (reach(stack, address, zone === '' ? 0 : zoneIndex(stack, zone)).nic.isLoopback)
    throw new Error(`${address} is the stack itself, where nobody listens: name an address beyond the device`)
}

/**
 * Settled when the kernel's side of the device has an address that can talk to `to`, or when the
 * run is over.
 */
async function kernelIsReady(host: Host, to: Address, sender: Sender): Promise<void> {
  const { device } = host
  // Behind an interface that was there before there is somebody else.
  if (!('kernelAddresses' in device)) return
  const deadline = performance.now() + PATIENCE
  // Linux gives an IPv6 link-local address to a device at once: it is of no use to other
  // destinations.
  const useful = (address: Address) =>
    address.family === to.family && (address.family === 4 || address.isLinkLocal === to.isLinkLocal)
  // The addresses of a port of a bridge are the bridge's, and who answers is found out by asking.
  const isReady = () => device.hasMaster() || device.kernelAddresses().some(({ address }) => useful(address))
  while (!sender.stopped && !isReady()) {
    if (performance.now() > deadline) {
      const name = device.interfaceName
      throw new Error(
        `the kernel's side of ${name} has no IPv${to.family} address after ${PATIENCE / 1000} s; ` +
          `give it one with --peer CIDR, or with 'ip address add CIDR dev ${name}'`,
      )
    }
    await delay(20)
  }
}

/** `size` bytes that count up from 0. */
function pattern(size: number): Buffer {
  return Buffer.from(Array.from({ length: size }, (_, index) => index & 255))
}

async function readInput(): Promise<Buffer> {
  if (process.stdin.isTTY) note('reading the payload from the terminal; Ctrl-D ends it')
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
