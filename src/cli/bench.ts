/** `tungram bench`: rate and round trip of a program or a path, over several lanes side by side. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { Segment } from '../link/segment.ts'
import { milliseconds } from '../network/time/duration.ts'
import type { Socket } from '../socket-api/dgram/dgram.ts'
import '../socket-api/dgram/dgram.ts'
import { Stack } from '../stack.ts'
import { type BenchResult, type BenchSocket, type BenchTask, Exchange, HEADER } from './bench-exchange.ts'
import { type CommandDescription, option, readCommandLine } from './command-line.ts'
import { type Host, type HostArguments, hostGroup, hostOptions, openHost } from './host.ts'
import { dropsText, note, plural, print, printJson } from './output.ts'
import { startRun } from './run.ts'
import { integer, interfaceAddress, type Target, target, UsageError } from './usage.ts'

const options = {
  to: option(
    '--to <ADDR:PORT>',
    'the program that is measured, which sends back what it gets, such as 10.9.0.1:7; without it the command ' +
      'answers itself',
  ),
  size: option('--size <N>', `bytes of payload, default 64, ${HEADER} at least`),
  window: option('--window <N>', 'datagrams on their way at a time, default 64; 1 measures the round trip alone'),
  rate: option('--rate <PPS>', 'datagrams a second instead, whether or not answers come'),
  duration: option('--duration <TIME>', 'how long each lane is measured in a round, default 1s'),
  rounds: option('--rounds <N>', 'rounds, in which lanes take turns; their medians are shown; default 3'),
  oneWay: option('--one-way', 'the program sends nothing back: what can be sent is measured'),
} as const

export const description: CommandDescription = {
  usage: [
    'bench [--size N] [--window N | --rate PPS] [--duration TIME] [options]',
    'bench --to ADDR:PORT [--tun NAME --address CIDR …] [--one-way] [options]',
  ],
  about: [
    'Exchanges datagrams with an echo service over each lane in turns, and shows the datagrams a second, the round ' +
      'trip (median and 99th percentile), the CPU time of this process for each, and what was lost. The lanes: ' +
      'memory (two stacks in this process, never --to), kernel (a socket of the system), and the device that is ' +
      'named, TUN, TAP or packet socket.',
    'Without --to the echo service is in this process too, so that the CPU time is that of both sides: in memory on ' +
      "a second stack, over the kernel on 127.0.0.1, over a TUN device at the kernel's side of it, --peer.",
    'With --json: {"size", "window", "rate", "duration", "rounds", "to", "lanes": [{"lane", "rate", "p50", "p99", ' +
      '"cpu", "sent", "received", "lost", "samples": [{…}, …]}]}, times in microseconds, "duration" in milliseconds.',
  ],
  groups: [{ title: 'Options', options }, hostGroup],
  examples: [
    'tungram bench',
    'tungram bench --tun tun0 --address 10.9.0.2/24 --peer 10.9.0.1/24 --window 1',
    'tungram bench --to 10.9.0.1:7 --tun tun0 --address 10.9.0.2/24 --peer 10.9.0.1/24 --rate 10000 --duration 5s',
  ],
}

/** Milliseconds in which the other end has to answer once. */
const PATIENCE = 5000
/** Milliseconds of each lane that are not counted. */
const WARM_UP = 250
const LONGEST = 65_507

/** One way for datagrams to go. */
interface Lane {
  readonly name: string
  readonly socket: BenchSocket
  drops(): Record<string, number>
  close(): void
}

export async function run(args: string[]): Promise<number> {
  const { values } = readCommandLine(args, { ...hostOptions, ...options })
  const to = values.to === undefined ? undefined : target('to', values.to)
  const task = readTask(values)
  const rounds = integer('rounds', values.rounds, 1, 1000) ?? 3
  const hasDevice = [values.tun, values.tap, values.packet].some((each) => each !== undefined)
  if (task.oneWay && to === undefined)
    throw new UsageError('--one-way needs the program that is sent to: --to ADDR:PORT')
  if (hasDevice && to === undefined && (values.peer ?? []).length === 0)
    throw new UsageError(
      'name the program on the other side of the device, --to ADDR:PORT, or give the kernel an address there, ' +
        '--peer CIDR, at which the command answers itself',
    )

  const lanes: Lane[] = []
  const results = new Map<string, BenchResult[]>()
  let isOver = false
  // The device brings a run of its own.
  const host = hasDevice ? await openHost(values) : undefined
  const { run } = host ?? { run: startRun() }
  const exchanges: { readonly lane: Lane; readonly exchange: Exchange }[] = []
  const ended = run.ended.then((failure) => {
    isOver = true
    for (const { exchange } of exchanges) exchange.stop()
    return failure
  })
  try {
    if (to === undefined) lanes.push(await memoryLane())
    lanes.push(await kernelLane(to))
    if (host !== undefined) lanes.push(await deviceLane(host, values, to))
    for (const lane of lanes) exchanges.push({ lane, exchange: new Exchange(lane.socket, task) })
    for (const { lane, exchange } of exchanges) {
      results.set(lane.name, [])
      await exchange.meet(PATIENCE).catch(() => {
        throw new Error(
          `nothing comes back from ${values.to ?? 'the echo service'} over ${lane.name} within ${PATIENCE / 1000} s: ` +
            'start a program there that sends back what it gets (tungram echo), or measure --one-way',
        )
      })
    }
    note(
      `measuring ${lanes.map(({ name }) => name).join(', ')}: ${plural(rounds, 'round')} of ${task.duration} ms each`,
    )
    const refused = (error: NodeJS.ErrnoException): never => {
      if (error.code !== 'ECONNREFUSED') throw error
      throw new Error(`${values.to} answers that the port is closed: start the program that is to be measured there`)
    }
    // Code that has not run yet is slower.
    for (const { exchange } of exchanges) await exchange.measure(Math.min(task.duration, WARM_UP)).catch(refused)
    for (let round = 0; round < rounds; round++)
      for (const { lane, exchange } of exchanges)
        if (!isOver) results.get(lane.name)?.push(await exchange.measure().catch(refused))
    run.end()
    const failure = await ended
    if (failure !== '') throw new Error(failure)
    const rows = lanes.flatMap(({ name }) => rowOf(name, results.get(name) ?? []))
    if (values.json) printJson({ ...described(task, values.to), rounds, lanes: rows })
    else {
      print(...table(rows, task))
      if (host !== undefined) note(dropsText(host.drops()))
    }
    return run.signalled
  } finally {
    run.end()
    for (const lane of lanes) lane.close()
    host?.close()
  }
}

function readTask(
  values: { [Name in 'size' | 'window' | 'rate' | 'duration']?: string } & { oneWay?: true },
): BenchTask {
  const size = integer('size', values.size, HEADER, LONGEST) ?? 64
  const rate = integer('rate', values.rate, 1, 10_000_000)
  if (rate !== undefined && values.window !== undefined) throw new UsageError('--rate and --window exclude each other')
  const window = integer('window', values.window, 1, 10_000) ?? 64
  let duration: number
  try {
    duration = milliseconds(values.duration ?? '1s')
  } catch (error) {
    throw new UsageError(`--duration: ${(error as Error).message}`)
  }
  if (!(duration >= 10 && duration <= 3_600_000))
    throw new UsageError(`--duration takes a time from 10ms to 1h, not '${values.duration}'`)
  return { size, window, rate, duration, oneWay: values.oneWay === true }
}

// ── lanes ──

/** Two stacks of this process, joined by a wire. */
async function memoryLane(): Promise<Lane> {
  const wire = new Segment({ mtu: 1500 })
  const [near, far] = [new Stack(), new Stack()]
  near.addNic(wire.link(), { addresses: ['10.0.0.1/24'] })
  far.addNic(wire.link(), { addresses: ['10.0.0.2/24'] })
  const echo = far.dgram.createSocket({ type: 'udp4', recvBufferSize: 1 << 22 })
  echo.on('message', (message, rinfo) => echo.send(message, rinfo.port, rinfo.address))
  echo.bind(7)
  await once(echo, 'listening')
  const socket = near.dgram.createSocket({ type: 'udp4', recvBufferSize: 1 << 22 })
  await connected(socket, 7, '10.0.0.2')
  return {
    name: 'memory',
    socket,
    drops: () => ({}),
    close() {
      near.close()
      far.close()
    },
  }
}

/** A socket of the system's. */
async function kernelLane(to: Target | undefined): Promise<Lane> {
  const echo = to === undefined ? await kernelEcho('127.0.0.1', 4) : undefined
  const socket = createSocket(to?.address.family === 6 ? 'udp6' : 'udp4')
  try {
    await connected(socket, to?.port ?? echo?.address().port ?? 0, to?.text ?? '127.0.0.1')
  } catch (error) {
    echo?.close()
    throw error
  }
  return {
    name: 'kernel',
    socket,
    drops: () => ({}),
    close() {
      socket.close()
      echo?.close()
    },
  }
}

/** A socket of the stack behind the device. */
async function deviceLane(host: Host, values: HostArguments, to: Target | undefined): Promise<Lane> {
  const kind = values.packet !== undefined ? 'packet' : values.tap !== undefined ? 'tap' : 'tun'
  const [peer] = (values.peer ?? []).map((text) => interfaceAddress('peer', text))
  const own = to ?? peer
  if (own === undefined) throw new UsageError('name the program on the other side of the device: --to ADDR:PORT')
  const { family } = own.address
  const echo = to === undefined ? await kernelEcho(`${own.address}`, family) : undefined
  const socket = host.socket({ type: family === 4 ? 'udp4' : 'udp6', recvBufferSize: 1 << 22 })
  try {
    await connected(socket, to?.port ?? echo?.address().port ?? 0, to?.text ?? `${own.address}`)
  } catch (error) {
    echo?.close()
    throw error
  }
  return { name: kind, socket, drops: () => host.drops(), close: () => echo?.close() }
}

async function kernelEcho(address: string, family: number) {
  const echo = createSocket({ type: family === 4 ? 'udp4' : 'udp6', recvBufferSize: 1 << 22 })
  echo.on('message', (message, rinfo) => echo.send(message, rinfo.port, rinfo.address))
  echo.bind(0, address)
  await once(echo, 'listening')
  return echo
}

async function connected(socket: Socket | ReturnType<typeof createSocket>, port: number, address: string) {
  // A closed port is told by the silence, and by the message at the end.
  const refused = (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ECONNREFUSED') note(error.message)
  }
  socket.on('error', refused)
  await new Promise<void>((resolve, reject) => {
    const done = (error?: Error) => (error === undefined || error === null ? resolve() : reject(error))
    socket.connect(port, address, done)
  })
}

// ── results ──

interface Row extends BenchResult {
  readonly lane: string
  readonly samples: readonly BenchResult[]
}

function rowOf(lane: string, samples: readonly BenchResult[]): Row[] {
  if (samples.length === 0) return []
  const middle = (of: (result: BenchResult) => number | null) => {
    const all = samples.flatMap((each) => of(each) ?? []).sort((a, b) => a - b)
    return all.length === 0 ? null : (all[all.length >> 1] as number)
  }
  const sum = (of: (result: BenchResult) => number) => samples.reduce((total, each) => total + of(each), 0)
  return [
    {
      lane,
      rate: middle(({ rate }) => rate) as number,
      p50: middle(({ p50 }) => p50),
      p99: middle(({ p99 }) => p99),
      cpu: middle(({ cpu }) => cpu) as number,
      sent: sum(({ sent }) => sent),
      received: sum(({ received }) => received),
      lost: sum(({ lost }) => lost),
      samples,
    },
  ]
}

function described({ size, window, rate, duration }: BenchTask, to: string | undefined) {
  return { size, window: rate === undefined ? window : null, rate: rate ?? null, duration, to: to ?? null }
}

function table(rows: readonly Row[], { size, oneWay }: BenchTask): string[] {
  const micro = (value: number | null) => (value === null ? '–' : `${value.toFixed(1)} µs`)
  const megabytes = (rate: number) => `${((rate * size) / 1e6).toFixed(1)} MB/s`
  const cells = rows.map(({ lane, rate, p50, p99, cpu, sent, lost }) => [
    lane,
    `${Math.round(rate)}/s`,
    megabytes(rate),
    micro(p50),
    micro(p99),
    `${cpu.toFixed(2)} µs`,
    oneWay ? '–' : `${sent === 0 ? 0 : ((100 * lost) / sent).toFixed(2)} %`,
  ])
  const all = [['lane', oneWay ? 'sent' : 'answered', 'payload', 'p50', 'p99', 'CPU each', 'lost'], ...cells]
  const widths = (all[0] as string[]).map((_, column) => Math.max(...all.map((row) => (row[column] as string).length)))
  return all.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] as number) : cell.padStart(widths[column] as number),
      )
      .join('  '),
  )
}
