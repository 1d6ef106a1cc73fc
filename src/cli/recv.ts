/** `tungram recv`: counts, or prints, what comes in on a port. */
import { type CommandDescription, option, readCommandLine } from './command-line.ts'
import { hostGroup, hostOptions, openHost } from './host.ts'
import { amount, dropsText, flushOutput, LiveOutput, note, plural, print, printJson } from './output.ts'
import { Meter } from './run.ts'
import { integer, port, UsageError } from './usage.ts'

const options = {
  port: option('--port <P>', 'the port to listen on'),
  count: option('--count <N>', 'end after N datagrams'),
  payload: option(
    '--payload',
    'print each datagram as it comes; with --json a line for each, and no summary: ' +
      '{"address", "port", "size", "payload": base64, "ttl", "tos", "local"}',
  ),
} as const

export const description: CommandDescription = {
  usage: ['recv --tun NAME --address CIDR --port P [--count N] [--payload] [options]'],
  about: [
    'Receives datagrams. Ends on SIGINT and SIGTERM, after --count, or one second after the last datagram once ' +
      'some have come. Prints a summary at the end; with --json as {"received", "bytes", "seconds", "drops": ' +
      '{reason: count}}, the seconds being those from the first to the last datagram.',
  ],
  groups: [{ title: 'Options', options }, hostGroup],
  examples: ['tungram recv --tun tun0 --address 10.9.0.2/24 --peer 10.9.0.1/24 --port 5000 --payload'],
}

/** Milliseconds without a datagram after which the run is over. */
const QUIET = 1000

export async function run(args: string[]): Promise<number> {
  const { values } = readCommandLine(args, { ...hostOptions, ...options })
  if (values.port === undefined) throw new UsageError('name the port to listen on: --port P')
  const listenPort = port('--port', values.port)
  const count = integer('count', values.count, 1, Number.MAX_SAFE_INTEGER) ?? Number.POSITIVE_INFINITY
  const { payload = false, json = false } = values

  const host = await openHost(values)
  const { run } = host
  const meter = new Meter()
  const output = new LiveOutput()
  for (const family of [4, 6]) {
    if (!host.addresses.some((address) => address.family === family)) continue
    const socket = host.socket({
      ...(family === 4 ? { type: 'udp4' } : { type: 'udp6', ipv6Only: true }),
      recvBufferSize: 1 << 22,
    })
    socket.on('error', (error) => run.end(error.message))
    socket.on('message', (message, rinfo) => {
      if (meter.datagrams === count) return
      meter.count(message.length)
      if (payload && output.hasRoom()) {
        const { address, port, size, ttl, tos, local } = rinfo
        if (json) printJson({ address, port, size, payload: message.toString('base64'), ttl, tos, local })
        else
          print(
            `${address} port ${port} to ${local}, ttl ${ttl}, tos ${tos}, ${plural(size, 'byte')}: ` +
              `${printable(message)}`,
          )
      }
      if (meter.datagrams === count) run.end()
    })
    if (payload) socket.setRecvInfo(true)
    socket.bind(listenPort)
  }
  note(`receiving on ${host.addresses.join(', ')}, port ${listenPort}, device ${host.device.interfaceName}`)
  const watch = setInterval(() => {
    if (meter.idle >= QUIET) run.end()
  }, 20)

  const failure = await run.ended
  clearInterval(watch)
  const { datagrams, bytes, seconds } = meter
  const drops = host.drops()
  host.close()
  flushOutput()
  output.end('datagram')
  if (failure !== '') throw new Error(failure)
  if (!json) print(`received ${amount(datagrams, bytes, seconds)}; ${dropsText(drops)}`)
  else if (!payload) printJson({ received: datagrams, bytes, seconds, drops })
  return 0
}

/** The payload as text, with dots for what a terminal would not show; at most 64 characters. */
function printable(message: Buffer): string {
  const text = message.subarray(0, 64).toString('latin1').replace(/[^ -~]/g, '.') // biome-ignore format: one line
  return message.length > 64 ? `${text}…` : text
}
