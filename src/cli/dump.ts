/** `tungram dump`: packets in words, from a capture file or from a device. */
import { Capture } from '../link/capture.ts'
import { type CapturedFrame, readCapture } from '../link/pcapng.ts'
import { openTun } from '../link/tun.ts'
import { describeFrame, fieldLines, frameLine, hexLines } from './frame-text.ts'
import { readInputFile } from './input-file.ts'
import { plural } from './output.ts'
import { type PacketFilter, packetFilter } from './packet-filter.ts'
import { startRun } from './run.ts'
import { cidr, integer, readArguments, UsageError } from './usage.ts'
import { frameReader } from './watch.ts'

export const usage = `Usage: tungram dump FILE [-v] [-x] [FILTER]
       tungram dump --tun NAME | --tap NAME [--peer CIDR] [--mtu N] [-v] [-x] [FILTER]

Prints the packets of a pcap or pcapng file, or those that the kernel sends into a device, a line each: seconds since the
first, direction where it is known, and what the headers say. A packet that a stack would discard is marked with the reason
in brackets. On a device nothing is answered; SIGINT and SIGTERM end it.

  -v, --verbose          every field of every header
  -x, --hex              the bytes
  --tun NAME, --tap NAME read from a device
  --peer CIDR            an address to give the kernel's side of the device; repeatable
  --mtu N                MTU of the device
  FILTER                 only packets for which it holds: host ADDRESS, port N, icmp, frag, proto NAME (udp, icmp, icmp6,
                         tcp, igmp, arp, ip, ip6), joined by and, or, not and parentheses

Example: tungram dump -v capture.pcapng 'host 10.9.0.1 and (port 53 or icmp)'
`

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = readArguments({
    args,
    allowPositionals: true,
    options: {
      verbose: { type: 'boolean', short: 'v' },
      hex: { type: 'boolean', short: 'x' },
      tun: { type: 'string' },
      tap: { type: 'string' },
      peer: { type: 'string', multiple: true },
      mtu: { type: 'string' },
    },
  })
  const { verbose = false, hex = false, tun, tap } = values
  const fromDevice = tun !== undefined || tap !== undefined
  const file = fromDevice ? undefined : positionals[0]
  const sources = [file, tun, tap].filter((source) => source !== undefined)
  if (sources.length !== 1 || sources[0] === '') throw new UsageError('name what to read: a FILE, --tun NAME or --tap NAME, one of them')
  const filter = readFilter(positionals.slice(fromDevice ? 0 : 1).join(' '))

  let first: bigint | null = null
  let frames = 0
  const print = (frame: CapturedFrame) => {
    const description = describeFrame(frame)
    first ??= frame.time
    if (filter !== null && !filter(description)) return
    frames++
    const time = (Number(frame.time - first) / 1e9).toFixed(6).padStart(10)
    const arrow = frame.direction === 'in' ? '<' : frame.direction === 'out' ? '>' : ' '
    const lines = [`${time} ${arrow} ${frameLine(frame, description)}`]
    if (verbose) lines.push(...fieldLines(description))
    if (hex) lines.push(...hexLines(frame.bytes))
    process.stdout.write(`${lines.join('\n')}\n`)
  }

  if (file !== undefined) {
    for (const frame of readCapture(readInputFile(file))) print(frame)
    return 0
  }
  const peers = values.peer ?? []
  for (const peer of peers) cidr('peer', peer)
  const mtu = integer('mtu', values.mtu, 68, 65_535)
  const device = openTun({
    // Frames as a wire would carry them.
    offload: false,
    kind: tun === undefined ? 'tap' : 'tun',
    name: tun ?? tap ?? '',
    peer: peers,
    ...(mtu === undefined ? {} : { mtu }),
  })
  const run = startRun()
  new Capture(frameReader(print)).link(device).attach({
    input() {},
    idle() {},
    dropped() {},
    failed: (error, fatal) => (fatal ? run.end(error.message) : process.stderr.write(`${error.message}\n`)),
  })
  process.stderr.write(`reading from ${device.interfaceName}\n`)
  const failure = await run.ended
  device.close()
  process.stderr.write(`${plural(frames, 'packet')}\n`)
  if (failure !== '') throw new Error(failure)
  return 0
}

function readFilter(expression: string): PacketFilter | null {
  if (expression === '') return null
  try {
    return packetFilter(expression)
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}
