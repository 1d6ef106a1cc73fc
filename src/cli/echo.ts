/** `tungram echo`: sends every datagram back to where it came from. */
import { type CommandDescription, readCommandLine, repeatable } from './command-line.ts'
import { hostGroup, hostOptions, openHost } from './host.ts'
import { amount, dropsText, note, print, printJson } from './output.ts'
import { Meter } from './run.ts'
import { port, UsageError } from './usage.ts'

const options = { port: repeatable('--port <P>', 'a port to listen on; repeatable') } as const

export const description: CommandDescription = {
  usage: ['echo --tun NAME --address CIDR --port P [--port P2 …] [options]'],
  about: [
    'A UDP echo service: every datagram goes back to its sender, from the address it was sent to. Ends on SIGINT and ' +
      'SIGTERM. A sender without a port (source port 0) gets no answer.',
  ],
  groups: [{ title: 'Options', options }, hostGroup],
  examples: ['tungram echo --tun tun0 --address 10.9.0.2/24 --peer 10.9.0.1/24 --port 7'],
}

export async function run(args: string[]): Promise<number> {
  const { values } = readCommandLine(args, { ...hostOptions, ...options })
  const ports = [...new Set((values.port ?? []).map((text) => port('--port', text)))]
  if (ports.length === 0) throw new UsageError('name the port to listen on: --port P')

  const host = await openHost(values)
  const { run } = host
  const meter = new Meter()
  let failed = 0
  let unanswered = 0
  // A socket for each address, so that an answer leaves from the address that was asked.
  for (const address of host.addresses) {
    for (const port of ports) {
      const socket = host.socket({ type: address.family === 4 ? 'udp4' : 'udp6', recvBufferSize: 1 << 22 })
      socket.on('message', (message, rinfo) => {
        meter.count(message.length)
        // RFC 768: who sends from port 0 expects no answer, and none can be sent there.
        if (rinfo.port === 0) unanswered++
        else socket.send(message, rinfo.port, rinfo.address)
      })
      let bound = false
      socket.on('listening', () => {
        bound = true
      })
      socket.on('error', (error) => {
        if (bound) failed++
        else run.end(error.message)
      })
      socket.bind(
        port,
        address.isLinkLocal && address.family === 6 ? `${address}%${host.device.name}` : address.toString(),
      )
    }
  }
  note(`echo on ${host.addresses.join(', ')}, port ${ports.join(', ')}, device ${host.device.interfaceName}`)

  const failure = await run.ended
  const { datagrams, bytes, seconds } = meter
  const sent = datagrams - failed - unanswered
  const drops = host.drops()
  host.close()
  if (failure !== '') throw new Error(failure)
  if (values.json) printJson({ received: datagrams, sent, bytes, seconds, drops })
  else print(`received ${amount(datagrams, bytes, seconds)}; sent ${sent} back; ${dropsText(drops)}`)
  return 0
}
