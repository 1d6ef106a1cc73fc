/** `tungram nc`: a UDP netcat. */
import '../socket-api/dgram/dgram.ts'
import type { Socket } from '../socket-api/dgram/dgram.ts'
import { type CommandDescription, option, readCommandLine } from './command-line.ts'
import { LiveOutput, note, printBytes, printJson } from './output.ts'
import { requireBroadcast } from './reach.ts'
import { port, UsageError } from './usage.ts'
import { destination, openVantage, seconds, type Vantage, vantageGroups, vantageOptions } from './vantage.ts'

const options = {
  listen: option(
    '-l, --listen',
    'listen on PORT; the input goes to whoever sent last from a port, and there is no end but a signal',
  ),
  sourcePort: option('-p, --source-port <P>', 'the own port'),
  broadcast: option('-b, --broadcast', 'allow a broadcast address'),
  wait: option(
    '-w, --wait <SECS>',
    "how long nothing may come behind the input's end, default 1; with -l, also after the first datagram",
  ),
} as const

export const description: CommandDescription = {
  usage: [
    'nc --tun NAME --address CIDR HOST PORT [options]',
    'nc --tun NAME --address CIDR -l PORT [options]',
    'nc --on FILE --from HOST HOST PORT [options]',
  ],
  about: [
    'Sends standard input as datagrams, a line typed or a piece read being one each, and writes what comes back to ' +
      'standard output. Ends when the input has ended and nothing has come for a while, and on SIGINT and SIGTERM. A ' +
      'scenario runs in real time here. Exit code 1 when the host answers that the port is closed.',
  ],
  groups: [{ title: 'Options', options }, ...vantageGroups],
  examples: ['echo hello | tungram nc --tun tun0 --address 10.9.0.2/24 --peer 10.9.0.1/24 10.9.0.1 5000'],
}

/** Bytes of a datagram at most, as other netcats read. */
const PIECE = 16_384

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = readCommandLine(args, { ...vantageOptions, ...options }, { allowPositionals: true })
  const listening = values.listen === true
  const [first, second, ...others] = positionals
  if (first === undefined || others.length > 0 || (second === undefined) !== listening)
    throw new UsageError(listening ? 'name the port to listen on' : 'name a host and a port')
  const remotePort = port('PORT', second ?? first)
  const ownPort = values.sourcePort === undefined ? 0 : port('--source-port', values.sourcePort)
  const wait = seconds('wait', values.wait)

  const vantage = await openVantage(values, true)
  const { run, stack } = vantage
  let socket: Socket | null = null
  let refused = false
  const output = new LiveOutput()
  let failure = ''
  try {
    const to = listening ? null : await destination(vantage, first, values)
    if (to !== null) requireBroadcast(stack, to.address, values.broadcast)
    const opened = stack.dgram.createSocket(listenType(vantage, to?.address.family, values.ipv4))
    if (values.broadcast) opened.setOption('broadcast', true)
    socket = opened
    // In a listener: whoever sent last.
    let peer: { address: string; port: number } | null = null
    const held: Buffer[] = []
    const send = (piece: Buffer) => {
      if (to !== null) opened.send(piece, sent)
      else if (peer !== null) opened.send(piece, peer.port, peer.address, sent)
      else held.push(piece)
    }
    const sent = (error: Error | null) => {
      if (error === null || (error as NodeJS.ErrnoException).code === 'ECONNREFUSED') return
      // Nobody who writes to a listener can end it, by an address that has no route for one.
      if (listening) note(error.message)
      else run.end(error.message)
    }
    const idle = new Idle(wait ?? (listening ? Number.POSITIVE_INFINITY : 1000), () => run.end())
    opened.on('error', (error: NodeJS.ErrnoException) => {
      refused = error.code === 'ECONNREFUSED'
      run.end(refused ? '' : error.message)
    })
    opened.on('message', (message, rinfo) => {
      const { address, port, size } = rinfo
      if (!output.hasRoom()) return
      if (values.json) printJson({ address, port, size, payload: message.toString('base64') })
      else printBytes(message)
      // Nothing can be sent to port 0: a datagram from there has no answer (RFC 768).
      if (port !== 0) peer = rinfo
      if (peer !== null) for (const piece of held.splice(0)) send(piece)
      if (listening) idle.start()
      idle.touch()
    })
    opened.on('listening', () => {
      if (listening) note(`listening on port ${remotePort}`)
      else idle.touch()
    })
    const read = () => {
      process.stdin.on('data', (chunk: Buffer) => {
        for (let at = 0; at < chunk.length; at += PIECE) send(chunk.subarray(at, at + PIECE))
      })
      process.stdin.on('end', () => {
        if (!listening) idle.start()
      })
    }
    if (to === null) opened.bind(remotePort, read)
    else {
      const zone = to.nic === 0 ? '' : `%${stack.nic(to.nic)?.name}`
      opened.bind(ownPort, () =>
        opened.connect(remotePort, `${to.address}${zone}`, (error?: Error) => {
          if (error === undefined) read()
          else run.end(error.message)
        }),
      )
    }
    failure = await vantage.finish()
    idle.stop()
  } finally {
    run.end()
    process.stdin.destroy()
    socket?.close()
    vantage.close()
  }
  output.end('datagram')
  if (failure !== '') throw new Error(failure)
  if (refused) note(`${first} answers that port ${remotePort} is closed`)
  return refused ? 1 : 0
}

/** A listener speaks both families where the stack has both. */
function listenType({ stack }: Vantage, family: 4 | 6 | undefined, only4: boolean | undefined): 'udp4' | 'udp6' {
  if (family !== undefined) return family === 4 ? 'udp4' : 'udp6'
  const six = stack.nics.some((nic) => !nic.isLoopback && nic.addresses.some(({ address }) => address.family === 6))
  return six && !only4 ? 'udp6' : 'udp4'
}

/** setTimeout makes 1 ms of anything longer. */
const LONGEST = 2 ** 31 - 1

/** Ends something when nothing has happened for a time, once it was started. */
class Idle {
  readonly #after: number
  readonly #end: () => void
  #started = false
  #timer: NodeJS.Timeout | null = null

  constructor(after: number, end: () => void) {
    this.#after = after
    this.#end = end
  }

  start(): void {
    this.#started = true
    this.touch()
  }

  touch(): void {
    this.stop()
    if (this.#started && this.#after < Number.POSITIVE_INFINITY)
      this.#timer = setTimeout(this.#end, Math.min(this.#after, LONGEST))
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }
}
