/** `tungram dump`: packets in words, from a capture file, from standard input or from a device. */
import { Capture } from '../link/capture/capture.ts'
import { CaptureReader } from '../link/capture/capture-reader.ts'
import type { CapturedFrame } from '../link/capture/pcapng.ts'
import { openPacket } from '../link/device/packet.ts'
import { openTun } from '../link/device/tun.ts'
import { type CommandDescription, option, readCommandLine, repeatable } from './command-line.ts'
import { describeFrame, fieldLines, frameJson, frameLine, hexLines } from './frame-text.ts'
import { readPieces } from './input-file.ts'
import { flushOutput, LiveOutput, note, outputIsFull, outputReady, plural, print, printJson } from './output.ts'
import { type PacketFilter, packetFilter } from './packet-filter.ts'
import { startRun } from './run.ts'
import { cidr, integer, UsageError } from './usage.ts'
import { Judge } from './verdict.ts'
import { frameReader } from './watch.ts'

const options = {
  verbose: option('-v, --verbose', 'every field of every header'),
  hex: option('-x, --hex', 'the bytes'),
  json: option('--json', 'a line of JSON for each packet'),
  tun: option('--tun <NAME>', 'read from a TUN device'),
  tap: option('--tap <NAME>', 'read from a TAP device'),
  packet: option('--packet <IFACE>', 'read what comes in by an Ethernet interface that exists'),
  peer: repeatable('--peer <CIDR>', "an address to give the kernel's side of the device; repeatable"),
  mtu: option('--mtu <N>', 'MTU of the device'),
} as const

export const description: CommandDescription = {
  usage: [
    'dump FILE [-v] [-x] [--json] [FILTER]',
    'dump - [-v] [-x] [--json] [FILTER]',
    'dump --tun NAME | --tap NAME [--peer CIDR] [--mtu N] [-v] [-x] [--json] [FILTER]',
    'dump --packet IFACE [-v] [-x] [--json] [FILTER]',
  ],
  about: [
    'Prints the packets of a pcap or pcapng file, or of one that comes by standard input (-), or those that ' +
      'the kernel sends into a device, or that come in by an interface, a line each: seconds since the first, ' +
      'direction where it is known, and what the headers say. A packet that a stack would discard is marked ' +
      'with the reason in brackets. Files may be packed with gzip. What is odd in a file is told on standard ' +
      'error; exit code 1 when it is damaged. On a device nothing is answered; SIGINT and SIGTERM end it.',
  ],
  arguments: {
    FILTER:
      'only packets for which it holds: host ADDRESS, net PREFIX, port N, portrange N-M, each with src or dst ' +
      'in front; udp, tcp, icmp, icmp6, igmp, arp, ip, ip6, also in front of these; proto NAME; vlan [N]; ' +
      'frag; joined as in tcpdump by and, or, not and parentheses',
  },
  groups: [{ title: 'Options', options }],
  examples: ["tungram dump -v capture.pcapng 'host 10.9.0.1 and (port 53 or icmp)'"],
  completes: 'files',
}

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = readCommandLine(args, options, { allowPositionals: true })
  const { tun, tap, packet } = values
  const fromDevice = tun !== undefined || tap !== undefined || packet !== undefined
  const file = fromDevice ? undefined : positionals[0]
  const sources = [file, tun, tap, packet].filter((source) => source !== undefined)
  if (sources.length !== 1 || sources[0] === '')
    throw new UsageError(
      'name what to read: a FILE, --tun NAME or --tap NAME, or an interface: --packet IFACE; one of them',
    )
  const printer = new Printer(readFilter(positionals.slice(fromDevice ? 0 : 1).join(' ')), values)
  if (file !== undefined) return dumpFile(file, printer)

  const peers = values.peer ?? []
  for (const peer of peers) cidr('peer', peer)
  const mtu = integer('mtu', values.mtu, 68, 65_535)
  const size = mtu === undefined ? {} : { mtu }
  const device =
    packet === undefined
      ? // Frames as a wire would carry them.
        openTun({
          offload: false,
          kind: tun === undefined ? 'tap' : 'tun',
          name: tun ?? tap ?? '',
          peer: peers,
          ...size,
        })
      : openPacket({ interface: packet, ...size })
  const run = startRun()
  const output = new LiveOutput()
  new Capture(frameReader((frame) => output.hasRoom() && printer.print(frame))).link(device).attach({
    input() {},
    idle() {},
    dropped() {},
    failed: (error, fatal) => (fatal ? run.end(error.message) : note(error.message)),
  })
  note(`reading from ${device.interfaceName}`)
  const failure = await run.ended
  device.close()
  flushOutput()
  output.end('packet')
  note(plural(printer.printed, 'packet'))
  if (failure !== '') throw new Error(failure)
  return 0
}

/**
 * As the file comes: never more of it in memory than a piece and a frame, nor more of the output
 * than its reader leaves.
 */
async function dumpFile(file: string, printer: Printer): Promise<number> {
  const reader = new CaptureReader((message) => note(`tungram dump: warning: ${message}`))
  const run = startRun()
  let interrupted = false
  void run.ended.then(() => {
    interrupted = true
  })
  try {
    for await (const piece of readPieces(file, run.ended)) {
      for (const frame of reader.push(piece)) {
        if (interrupted) return 0
        printer.print(frame)
        if (outputIsFull()) await outputReady()
      }
    }
    if (!interrupted) reader.end()
  } finally {
    run.end()
  }
  if (printer.seen === 0 && !interrupted) note('tungram dump: the capture has no packets')
  return 0
}

interface PrintOptions {
  readonly verbose?: boolean | undefined
  readonly hex?: boolean | undefined
  readonly json?: boolean | undefined
}

/** Prints what the filter leaves of the frames that it is given, in their order. */
class Printer {
  seen = 0
  printed = 0
  readonly #filter: PacketFilter | null
  readonly #options: PrintOptions
  readonly #judge = new Judge()
  #first = 0n

  constructor(filter: PacketFilter | null, options: PrintOptions) {
    this.#filter = filter
    this.#options = options
  }

  print(frame: CapturedFrame): void {
    if (this.seen++ === 0) this.#first = frame.time
    const description = describeFrame(frame, this.#judge)
    if (this.#filter !== null && !this.#filter(description)) return
    this.printed++
    const { json = false, verbose = false, hex = false } = this.#options
    if (json) {
      printJson(frameJson(frame, description, this.seen, hex))
      return
    }
    const time = (Number(frame.time - this.#first) / 1e9).toFixed(6).padStart(10)
    const arrow = frame.direction === 'in' ? '<' : frame.direction === 'out' ? '>' : ' '
    print(`${time} ${arrow} ${frameLine(frame, description)}`)
    if (verbose) print(...fieldLines(description))
    if (hex) print(...hexLines(frame.bytes))
  }
}

function readFilter(expression: string): PacketFilter | null {
  if (expression === '') return null
  try {
    return packetFilter(expression)
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}
