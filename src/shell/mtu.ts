/** `mtu`: the path MTU by what routers say and by what arrives, and the hop that limits it. */
import type { Echo } from '../ip/icmp/echo.ts'
import { isTooBig } from '../ip/icmp/icmp-error.ts'
import { probePath } from '../ip/icmp/path-mtu-prober.ts'
import { PmtuMode } from '../ip/routing/pmtu-mode.ts'
import { type Destination, destination, requireOneHost } from './destination.ts'
import { icmpText } from './icmp-text.ts'
import { type Answer, findLimit, type LimitProber, limitText } from './mtu-limit.ts'
import { type OptionValues, option } from './option.ts'
import type { CommonValues, HostCommand, Job, Terminal, Vantage } from './terminal.ts'
import { integer, onlyOne, seconds, UsageError } from './usage.ts'
import { plural } from './words.ts'

const METHODS = ['icmp', 'probing', 'both'] as const

const options = {
  method: option('--method <METHOD>', 'icmp, probing, or both, which is the default', METHODS),
  wait: option('-w, --wait <SECS>', 'for an answer, default 1; each probe is sent up to three times'),
  maxTtl: option('-m, --max-ttl <N>', 'the last hop to look at, default 30'),
} as const

export const mtu: HostCommand<typeof options> = {
  usage: ['HOST [options]'],
  about: [
    'Finds how long a packet may be on the way to a host that answers echo requests: from the ICMP of the routers ' +
      '(RFC 1191, RFC 8201), and by probing without relying on it (RFC 8899). Then finds the hop behind which longer ' +
      'packets end. Exit code 1 when the host does not answer.',
  ],
  options,
  read,
}

const TRIES = 3
/** Waits that a router may need until it sends an error again. */
const REST = 5
/** A port that traceroute uses because nobody else does. */
const CLOSED_PORT = 33_434

function read(
  values: OptionValues<typeof options> & CommonValues,
  positionals: readonly string[],
  terminal: Terminal,
): Job {
  const { print, printJson } = terminal
  const name = onlyOne(positionals, 'name one host')
  const { method = 'both' } = values
  if (!(METHODS as readonly string[]).includes(method))
    throw new UsageError(`--method takes icmp, probing or both, not '${method}'`)
  const wait = seconds('wait', values.wait) ?? 1000
  const lastHop = integer('max-ttl', values.maxTtl, 1, 255) ?? 30

  let found: Awaited<ReturnType<typeof explore>> | null = null
  let address = ''
  const begin = async (vantage: Vantage) => {
    const to = await destination(vantage, name, values)
    address = `${to.address}`
    requireOneHost(vantage.stack, to.address, 'mtu')
    explore(vantage, to, method, wait, lastHop).then(
      (result) => {
        found = result
        vantage.run.end()
      },
      (error: Error) => vantage.run.end(error.message),
    )
    return () => {}
  }
  const finish = (failure: string) => {
    if (failure !== '') throw new Error(failure)
    // Without a result a signal came first.
    if (found === null) return 1
    const { link, mtu, icmp, probing, limit } = found as Awaited<ReturnType<typeof explore>>
    if (values.json) printJson({ address, mtu, link, icmp, probing, limit })
    else {
      print(`path MTU to ${name} (${address}): ${plural(mtu, 'byte')}`)
      if (icmp !== null) {
        for (const report of icmp.reports) print(`  ICMP: ${report.address} says ${report.mtu}`)
        print(
          icmp.mtu === null
            ? `  ICMP: packets of ${icmp.tried} bytes end without a word: a black hole`
            : `  ICMP: ${icmp.mtu} bytes arrive`,
        )
      }
      if (probing !== null)
        print(`  probing: ${probing.mtu} bytes arrive, found with ${plural(probing.probes, 'probe')}`)
      if (limit !== null) print(`  ${limitText(limit, mtu)}`)
    }
    return 0
  }
  return { begin, finish }
}

/** What `mtu` finds out about the way to a host. */
export async function explore(vantage: Vantage, to: Destination, method: string, wait: number, lastHop: number) {
  const { w0, w1, w2, w3 } = to.address
  const route = vantage.stack.ip.route(w0, w1, w2, w3, to.nic)
  if (route === null) throw new Error(`there is no route to ${to.address}`)
  const link = route.nic.mtuOf(to.address.family)
  const prober = new EchoProber(vantage, to, wait)
  try {
    const icmp = method === 'probing' ? null : await byIcmp(prober, link)
    const probing = method === 'icmp' ? null : await byProbing(vantage, to, link, wait)
    const mtu = probing?.mtu ?? icmp?.mtu ?? null
    if (mtu === null) throw new Error('packets end without a word on the way: --method probing finds what arrives')
    const limit = await findLimit(prober, mtu, link, lastHop)
    return { link, mtu, icmp, probing, limit }
  } finally {
    prober.close()
  }
}

/**
 * Packets as long as the last report allows, until one arrives; `mtu` is `null` when one ends
 * without a report.
 */
async function byIcmp(prober: EchoProber, link: number) {
  const reports: { address: string; mtu: number }[] = []
  for (let size = link; ; ) {
    const answer = await prober.ask(size, 0)
    if (answer.kind === 'reply') return { mtu: size, reports, tried: size }
    if (answer.kind === 'unsent') throw new Error(`a packet of ${size} bytes cannot be sent: ${answer.errno}`)
    if (answer.kind === 'none') return { mtu: null, reports, tried: size }
    const { error } = answer
    if (!isTooBig(error.family, error.type, error.code))
      throw new Error(`${error.offender} answers: ${icmpText(error)}`)
    if (error.mtu >= size || error.mtu < prober.lowest)
      throw new Error(`${error.offender} says ${error.mtu} about a packet of ${size} bytes`)
    reports.push({ address: `${error.offender}`, mtu: error.mtu })
    size = error.mtu
  }
}

/** RFC 8899: exact to the byte. */
function byProbing(
  vantage: Vantage,
  to: Destination,
  link: number,
  wait: number,
): Promise<{ mtu: number; probes: number }> {
  const base = to.address.family === 4 ? 68 : 1280
  const { icmp } = vantage.stack.ip
  return new Promise((resolve, reject) => {
    let probes = 0
    const flushing = () => {
      for (const nic of vantage.stack.nics) nic.link.flush()
    }
    const prober = probePath(icmp, to.address, {
      clock: {
        now: vantage.now,
        wallTime: vantage.now,
        soon: (callback) => void vantage.schedule(0, callback),
        schedule: (delay, callback) => {
          // The prober sets its timer with each probe.
          if (delay === wait) {
            probes++
            vantage.schedule(0, flushing)
          }
          return vantage.schedule(delay, callback)
        },
      },
      max: link,
      base: Math.min(base, link),
      maxProbes: TRIES,
      probeTimeout: wait,
      precision: 1,
      changed(mtu, state) {
        if (state !== 'complete' && state !== 'error') return
        vantage.schedule(0, () => {
          prober.stop()
          if (state === 'complete') resolve({ mtu, probes })
          else reject(new Error(`${to.name} does not answer echo requests of ${base} bytes`))
        })
      },
    })
    prober.start()
  })
}

/** One echo request at a time, never fragmented, of any length and TTL. */
class EchoProber implements LimitProber {
  /** The smallest MTU that a link may have. */
  readonly lowest: number
  readonly #vantage: Vantage
  readonly #to: Destination
  readonly #wait: number
  readonly #echo: Echo
  #sequence = 0
  #answer: (answer: Answer) => void = () => {}

  constructor(vantage: Vantage, to: Destination, wait: number) {
    this.lowest = to.address.family === 4 ? 68 : 1280
    this.#vantage = vantage
    this.#to = to
    this.#wait = wait
    this.#echo = vantage.stack.ip.icmp.openEcho(to.address.family, {
      reply: (_packet, sequence) => sequence === this.#sequence && this.#answer({ kind: 'reply' }),
      error: (error, sequence) => sequence === this.#sequence && this.#answer({ kind: 'error', error }),
    })
    this.#echo.learnsMtu = false
  }

  /** Up to three times; `hopLimit` 0 for the usual one. */
  async ask(size: number, hopLimit: number): Promise<Answer> {
    let answer: Answer = { kind: 'none' }
    for (let i = 0; i < TRIES && answer.kind === 'none'; i++) answer = await this.#askOnce(size, hopLimit)
    return answer
  }

  #askOnce(size: number, hopLimit: number): Promise<Answer> {
    return new Promise((resolve) => {
      this.#sequence = (this.#sequence + 1) & 0xffff
      const timer = this.#vantage.schedule(this.#wait, () => resolve({ kind: 'none' }))
      this.#answer = (answer) => {
        timer.cancel()
        resolve(answer)
      }
      const { address, nic } = this.#to
      const payload = new Uint8Array(size - (address.family === 4 ? 28 : 48))
      const options = { dontFragment: PmtuMode.Probe, nic, ...(hopLimit === 0 ? {} : { hopLimit }) }
      const errno = this.#echo.send(address, this.#sequence, payload, options)
      for (const { link } of this.#vantage.stack.nics) link.flush()
      if (errno !== '') this.#answer({ kind: 'unsent', errno })
    })
  }

  async arrives(size: number): Promise<boolean> {
    for (let i = 0; i < TRIES; i++) if (await this.#arrivesOnce(size)) return true
    return false
  }

  rest(): Promise<void> {
    return new Promise((resolve) => {
      this.#vantage.schedule(REST * this.#wait, resolve)
    })
  }

  #arrivesOnce(size: number): Promise<boolean> {
    const { address, nic } = this.#to
    const { stack, schedule } = this.#vantage
    return new Promise((resolve) => {
      const end = (arrived: boolean) => {
        timer.cancel()
        endpoint.close()
        resolve(arrived)
      }
      const timer = schedule(this.#wait, () => end(false))
      const endpoint = stack.udp.createEndpoint(address.family, {
        receive: () => end(true),
        flush() {},
        icmp: ({ offender, family, type, code }) => {
          if (offender.equals(address) && !isTooBig(family, type, code)) end(true)
        },
      })
      const packet = endpoint.beginSend(size - (address.family === 4 ? 28 : 48))
      packet.bytes.fill(0, packet.start, packet.end)
      const errno = endpoint.send(packet, address, CLOSED_PORT, nic, { pmtuMode: PmtuMode.Probe })
      for (const { link } of stack.nics) link.flush()
      if (errno !== '') end(false)
    })
  }

  close(): void {
    this.#echo.close()
  }
}
