/** `nc`: a UDP netcat. */
import '../socket-api/dgram/dgram.ts'
import type { Timer } from '../base/clock.ts'
import { destination, requireBroadcast } from './destination.ts'
import { type OptionValues, option } from './option.ts'
import type { CommonValues, HostCommand, Job, Terminal, Vantage } from './terminal.ts'
import { port, seconds, UsageError } from './usage.ts'

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

export const nc: HostCommand<typeof options> = {
  usage: ['HOST PORT [options]', '-l PORT [options]'],
  about: [
    'Sends standard input as datagrams, a line typed or a piece read being one each, and writes what comes back to ' +
      'standard output. Ends when the input has ended and nothing has come for a while, and on SIGINT and SIGTERM. A ' +
      'scenario runs in real time here. Exit code 1 when the host answers that the port is closed.',
  ],
  options,
  read,
}

/** Bytes of a datagram at most, as other netcats read. */
const PIECE = 16_384

function read(
  values: OptionValues<typeof options> & CommonValues,
  positionals: readonly string[],
  terminal: Terminal,
): Job {
  const { note, printBytes, printJson } = terminal
  const listening = values.listen === true
  const [first, second, ...others] = positionals
  if (first === undefined || others.length > 0 || (second === undefined) !== listening)
    throw new UsageError(listening ? 'name the port to listen on' : 'name a host and a port')
  const remotePort = port('PORT', second ?? first)
  const ownPort = values.sourcePort === undefined ? 0 : port('--source-port', values.sourcePort)
  const wait = seconds('wait', values.wait)
  let refused = false

  const begin = async (vantage: Vantage) => {
    const { run, stack } = vantage
    const to = listening ? null : await destination(vantage, first, values)
    if (to !== null) requireBroadcast(vantage.stack, to.address, values.broadcast)
    const opened = stack.dgram.createSocket(listenType(vantage, to?.address.family, values.ipv4))
    if (values.broadcast) opened.setOption('broadcast', true)
    // In a listener: whoever sent last.
    let peer: { address: string; port: number } | null = null
    const held: Uint8Array[] = []
    const send = (piece: Uint8Array) => {
      if (to !== null) opened.send(piece, sent)
      else if (peer !== null) opened.send(piece, peer.port, peer.address, sent)
      else held.push(piece)
    }
    const sent = (error: Error | null) => {
      if (error === null || (error as Error & { code?: string }).code === 'ECONNREFUSED') return
      // Nobody who writes to a listener can end it, by an address that has no route for one.
      if (listening) note(error.message)
      else run.end(error.message)
    }
    const idle = new Idle(vantage, wait ?? (listening ? Number.POSITIVE_INFINITY : 1000), () => run.end())
    opened.on('error', (error: Error & { code?: string }) => {
      refused = error.code === 'ECONNREFUSED'
      run.end(refused ? '' : error.message)
    })
    opened.on('message', (message, rinfo) => {
      const { address, port, size } = rinfo
      if (!terminal.hasRoom()) return
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
      terminal.read(
        (chunk) => {
          for (let at = 0; at < chunk.length; at += PIECE) send(chunk.subarray(at, at + PIECE))
        },
        () => {
          if (!listening) idle.start()
        },
      )
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
    return () => {
      idle.stop()
      opened.close()
    }
  }
  const finish = (failure: string) => {
    if (failure !== '') throw new Error(failure)
    if (refused) note(`${first} answers that port ${remotePort} is closed`)
    return refused ? 1 : 0
  }
  return { begin, finish }
}

/** A listener speaks both families where the stack has both. */
function listenType({ stack }: Vantage, family: 4 | 6 | undefined, only4: boolean | undefined): 'udp4' | 'udp6' {
  if (family !== undefined) return family === 4 ? 'udp4' : 'udp6'
  const six = stack.nics.some((nic) => !nic.isLoopback && nic.addresses.some(({ address }) => address.family === 6))
  return six && !only4 ? 'udp6' : 'udp4'
}

/** Ends something when nothing has happened for a time, once it was started. */
class Idle {
  readonly #vantage: Vantage
  readonly #after: number
  readonly #end: () => void
  #started = false
  #timer: Timer | null = null

  constructor(vantage: Vantage, after: number, end: () => void) {
    this.#vantage = vantage
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
      this.#timer = this.#vantage.schedule(this.#after, this.#end)
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = null
  }
}
