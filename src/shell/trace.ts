/** `trace`: UDP traceroute. */
import { type Address, formatWords } from '../base/address.ts'
import type { IcmpError } from '../ip/icmp/icmp-error.ts'
import { PmtuMode } from '../ip/routing/pmtu-mode.ts'
import type { Endpoint } from '../udp/endpoint.ts'
import { type Destination, destination, requireOneHost } from './destination.ts'
import { isTimeExceeded, traceMark } from './icmp-text.ts'
import { type OptionValues, option } from './option.ts'
import type { CommonValues, HostCommand, Job, Terminal, Vantage } from './terminal.ts'
import { integer, onlyOne, seconds } from './usage.ts'

const options = {
  firstTtl: option('-f, --first-ttl <N>', 'the first hop, default 1'),
  maxTtl: option('-m, --max-ttl <N>', 'the last hop, default 30'),
  queries: option('-q, --queries <N>', 'probes for each hop, default 3'),
  wait: option('-w, --wait <SECS>', 'for answers, default 3'),
  port: option('-p, --port <P>', 'destination port of the first probe, default 33434; it grows by one with each'),
  size: option('-s, --size <N>', 'bytes of payload, default 32'),
  df: option('-F, --df', 'never fragment: a router that would have to says !F-MTU'),
} as const

export const trace: HostCommand<typeof options> = {
  usage: ['HOST [options]'],
  about: [
    'Shows the routers on the way to a host: UDP datagrams with a TTL of 1, 2, … are answered by the routers ' +
      'at which it runs out. A line for each hop; * where nothing came. Exit code 1 when the host was not ' +
      'reached.',
  ],
  options,
  read,
}

export interface Probe {
  /** Who answered; `null` for nobody. */
  from: string | null
  /** Milliseconds. */
  time: number
  /** `!H`, `!F-1400`; `''` for the expected answers. */
  mark: string
}

function read(
  values: OptionValues<typeof options> & CommonValues,
  positionals: readonly string[],
  terminal: Terminal,
): Job {
  const { print, printJson } = terminal
  const name = onlyOne(positionals, 'name one host to trace')
  const first = integer('first-ttl', values.firstTtl, 1, 255) ?? 1
  const last = integer('max-ttl', values.maxTtl, first, 255) ?? Math.max(first, 30)
  const queries = integer('queries', values.queries, 1, 10) ?? 3
  const wait = seconds('wait', values.wait) ?? 3000
  const size = integer('size', values.size, 0, 65_507) ?? 32
  const port = integer('port', values.port, 1, 65_535 - 10 * 255) ?? 33_434

  const hops: { hop: number; probes: Probe[] }[] = []
  let address = ''
  let reached = false
  const begin = async (vantage: Vantage) => {
    const to = await destination(vantage, name, values)
    address = `${to.address}`
    requireOneHost(vantage.stack, to.address, 'trace')
    if (values.df) requireFit(vantage, to, size)
    const say = (text: string) => values.json || print(text)
    say(
      `traceroute to ${name} (${address}), ${last} hops max, ` +
        `${size + (to.address.family === 4 ? 28 : 48)} byte packets`,
    )
    const tracer = new Tracer(vantage, to.address, to.nic, size, wait, values.df === true)
    const work = async () => {
      for (let hop = first; hop <= last && !reached; hop++) {
        const base = port + (hop - first) * queries
        const answers = await Promise.all(
          Array.from({ length: queries }, (_, index) => tracer.probe(hop, base + index)),
        )
        hops.push({ hop, probes: answers.map(({ probe }) => probe) })
        say(`${String(hop).padStart(2)}${probesText(hops.at(-1)?.probes ?? [])}`)
        reached = answers.some(({ ends }) => ends)
      }
    }
    work().then(
      () => vantage.run.end(),
      (error: Error) => vantage.run.end(error.message),
    )
    return () => tracer.close()
  }
  const finish = (failure: string) => {
    const arrived = hops.at(-1)?.probes.some(({ from }) => from === address) ?? false
    if (values.json) printJson({ address, reached: arrived, hops })
    if (failure !== '') throw new Error(failure)
    return arrived ? 0 : 1
  }
  return { begin, finish }
}

/** @throws {Error} when a payload never fragmented cannot even leave */
function requireFit({ stack }: Vantage, { address, nic }: Destination, size: number): void {
  const mtu =
    stack.ip.route(address.w0, address.w1, address.w2, address.w3, nic)?.nic.mtuOf(address.family) ??
    Number.POSITIVE_INFINITY
  const most = mtu - (address.family === 4 ? 28 : 48)
  if (size > most)
    throw new Error(`--size ${size} with --df does not fit into the device's MTU of ${mtu} bytes: ${most} is the most`)
}

/** `  10.0.0.1  0.123 ms  0.100 ms  *`: an address is named when it is another one than before. */
function probesText(probes: readonly Probe[]): string {
  let before = ''
  let line = ''
  for (const { from, time, mark } of probes) {
    if (from === null) {
      line += mark === '' ? '  *' : `  ${mark}`
      continue
    }
    if (from !== before) line += `  ${from}`
    before = from
    line += `  ${time.toFixed(3)} ms${mark === '' ? '' : ` ${mark}`}`
  }
  return line
}

/** Sends datagrams with a TTL and tells what came back. */
class Tracer {
  readonly #vantage: Vantage
  readonly #to: Address
  readonly #nic: number
  readonly #size: number
  readonly #wait: number
  readonly #dontFragment: boolean
  readonly #endpoint: Endpoint
  /** What a probe waits for, by destination port. */
  readonly #waiting = new Map<number, (from: string, error: IcmpError | null) => void>()

  constructor(vantage: Vantage, to: Address, nic: number, size: number, wait: number, dontFragment: boolean) {
    this.#vantage = vantage
    this.#to = to
    this.#nic = nic
    this.#size = size
    this.#wait = wait
    this.#dontFragment = dontFragment
    this.#endpoint = vantage.stack.udp.createEndpoint(to.family, {
      receive: (packet, sourcePort) => {
        this.#endpoint.release(packet.end - packet.start)
        this.#waiting.get(sourcePort)?.(formatWords(packet.s0, packet.s1, packet.s2, packet.s3), null)
      },
      flush() {},
      icmp: (error) => this.#waiting.get(error.destinationPort)?.(`${error.offender}`, error),
    })
  }

  /** `ends`: the host itself answered, or nothing beyond will. */
  probe(hopLimit: number, port: number): Promise<{ probe: Probe; ends: boolean }> {
    const { stack, now, schedule } = this.#vantage
    const sent = now()
    return new Promise((resolve) => {
      const done = (probe: Probe, ends: boolean) => {
        this.#waiting.delete(port)
        timer.cancel()
        resolve({ probe, ends })
      }
      const timer = schedule(this.#wait, () => done({ from: null, time: 0, mark: '' }, false))
      this.#waiting.set(port, (from, error) => {
        const mark = error === null ? '' : traceMark(error)
        done({ from, time: now() - sent, mark }, error === null || !isTimeExceeded(error.family, error.type))
      })
      const packet = this.#endpoint.beginSend(this.#size)
      packet.bytes.fill(0x40, packet.start, packet.end)
      const errno = this.#endpoint.send(packet, this.#to, port, this.#nic, {
        hopLimit,
        pmtuMode: this.#dontFragment ? PmtuMode.Probe : PmtuMode.Dont,
      })
      for (const { link } of stack.nics) link.flush()
      if (errno !== '') done({ from: null, time: 0, mark: errno }, true)
    })
  }

  close(): void {
    this.#endpoint.close()
  }
}
