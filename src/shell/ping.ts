/** `ping`: echo requests, one after another. */
import { formatWords } from '../base/address.ts'
import type { EchoOptions } from '../ip/icmp/echo.ts'
import { PmtuMode } from '../ip/routing/pmtu-mode.ts'
import { destination } from './destination.ts'
import { icmpText } from './icmp-text.ts'
import { type OptionValues, option } from './option.ts'
import type { CommonValues, HostCommand, Job, Terminal, Vantage } from './terminal.ts'
import { integer, onlyOne, seconds, UsageError } from './usage.ts'
import { plural } from './words.ts'

const DF_MODES: Record<string, PmtuMode> = {
  dont: PmtuMode.Dont,
  want: PmtuMode.Want,
  do: PmtuMode.Do,
  probe: PmtuMode.Probe,
}

const options = {
  count: option('-c, --count <N>', 'requests; default: no end, and 4 on a scenario'),
  interval: option('-i, --interval <SECS>', 'between requests, default 1'),
  size: option('-s, --size <N>', 'bytes of payload, default 56'),
  wait: option('-W, --wait <SECS>', 'for the last replies, default 2'),
  ttl: option('-t, --ttl <N>', 'TTL or hop limit, 1 to 255, default 64'),
  df: option(
    '-M, --df <MODE>',
    "'do' (never fragment), 'want' (fragment here), 'dont' (default), 'probe'",
    Object.keys(DF_MODES),
  ),
  tos: option('-Q, --tos <N>', 'TOS or Traffic Class byte, such as 0xb8'),
} as const

export const ping: HostCommand<typeof options> = {
  usage: ['HOST [options]'],
  about: [
    'Sends ICMP echo requests and prints the replies and errors. Ends after --count, or on SIGINT and SIGTERM, ' +
      'with a summary. Exit code 1 when no reply came.',
  ],
  options,
  read,
}

interface Reply {
  seq: number
  from: string
  size: number
  ttl: number
  /** Milliseconds. */
  time: number
}

function read(
  values: OptionValues<typeof options> & CommonValues,
  positionals: readonly string[],
  terminal: Terminal,
): Job {
  const name = onlyOne(positionals, 'name one host to ping')
  const size = integer('size', values.size, 0, 65_507) ?? 56
  const interval = seconds('interval', values.interval) ?? 1000
  const wait = seconds('wait', values.wait) ?? 2000
  const given = integer('count', values.count, 1, Number.MAX_SAFE_INTEGER)
  const ttl = integer('ttl', values.ttl, 1, 255)
  const tos = integer('tos', values.tos, 0, 255)
  const dontFragment = DF_MODES[values.df ?? 'dont']
  if (dontFragment === undefined)
    throw new UsageError(`--df takes one of ${Object.keys(DF_MODES).join(', ')}, not '${values.df}'`)
  if (interval < 1) throw new UsageError('--interval is 0.001 seconds at least')
  const json = values.json === true
  const { print, printJson } = terminal

  const sent: number[] = []
  const replies: Reply[] = []
  const errors: { seq: number; from: string | null; error: string }[] = []
  const answered = new Set<number>()
  let duplicates = 0
  const say = (line: string) => json || print(line)
  let address = ''
  const begin = async (vantage: Vantage) => {
    const { stack, run } = vantage
    const to = await destination(vantage, name, values)
    address = `${to.address}`
    const count = given ?? (vantage.isSimulated ? 4 : Number.POSITIVE_INFINITY)
    const options: EchoOptions = {
      dontFragment,
      nic: to.nic,
      ...(ttl === undefined ? {} : { hopLimit: ttl }),
      ...(tos === undefined ? {} : { tos }),
    }
    const headers = to.address.family === 4 ? 28 : 48
    const echo = stack.ip.icmp.openEcho(to.address.family, {
      reply(packet, sequence) {
        // Sequence numbers have 16 bits: the last request that had this one.
        const seq = lastWith(sent.length, sequence)
        if (seq === 0) return
        const bytes = packet.end - packet.start
        const from = formatWords(packet.s0, packet.s1, packet.s2, packet.s3)
        const reply = { seq, from, size: bytes, ttl: packet.hopLimit, time: vantage.now() - (sent[seq - 1] as number) }
        const again = answered.has(seq)
        if (again) duplicates++
        else replies.push(reply)
        answered.add(seq)
        say(
          `${bytes + 8} bytes from ${from}: icmp_seq=${seq} ttl=${reply.ttl} ` +
            `time=${milliseconds(reply.time)} ms${again ? ' (DUP!)' : ''}`,
        )
        if (answered.size === count) run.end()
      },
      error(error, sequence) {
        const text = icmpText(error)
        const seq = lastWith(sent.length, sequence)
        errors.push({ seq, from: `${error.offender}`, error: text })
        say(`From ${error.offender} icmp_seq=${seq} ${text}`)
      },
    })
    say(`PING ${name} (${address}) ${size}(${size + headers}) bytes of data.`)
    const payload = Uint8Array.from({ length: size }, (_, index) => index & 255)
    const next = () => {
      sent.push(vantage.now())
      const errno = echo.send(to.address, sent.length & 0xffff, payload, options)
      for (const { link } of stack.nics) link.flush()
      if (errno !== '') {
        errors.push({ seq: sent.length, from: null, error: errno })
        const limit = errno === 'EMSGSIZE' ? ` (longer than the MTU, and --df ${values.df} forbids fragments)` : ''
        say(`ping: icmp_seq=${sent.length} sendmsg: ${errno}${limit}`)
      }
      timer = sent.length < count ? vantage.schedule(interval, next) : vantage.schedule(wait, () => run.end())
    }
    let timer = vantage.schedule(0, next)
    return () => {
      timer.cancel()
      echo.close()
    }
  }
  const finish = (failure: string) => {
    if (failure !== '') throw new Error(failure)

    const times = replies.map(({ time }) => time)
    const rtt = times.length === 0 ? null : spread(times)
    const elapsed = sent.length === 0 ? 0 : Math.round((sent.at(-1) as number) - (sent[0] as number))
    const loss = sent.length === 0 ? 0 : (100 * (sent.length - replies.length)) / sent.length
    if (json)
      printJson({ address, transmitted: sent.length, received: replies.length, duplicates, rtt, replies, errors })
    else {
      const also = [
        ...(duplicates > 0 ? [`+${plural(duplicates, 'duplicate')}`] : []),
        ...(errors.length > 0 ? [`+${plural(errors.length, 'error')}`] : []),
      ]
      print('', `--- ${name} ping statistics ---`)
      print(
        [
          `${plural(sent.length, 'packet')} transmitted`,
          `${replies.length} received`,
          ...also,
          `${Number(loss.toFixed(2))}% packet loss`,
          `time ${elapsed}ms`,
        ].join(', '),
      )
      if (rtt !== null) {
        const { min, avg, max, mdev } = rtt
        print(`rtt min/avg/max/mdev = ${[min, avg, max, mdev].map((value) => value.toFixed(3)).join('/')} ms`)
      }
    }
    return replies.length > 0 ? 0 : 1
  }
  return { begin, finish }
}

/** The last of the requests 1 to `sent` whose number has these low 16 bits; 0 when none has. */
function lastWith(sent: number, sequence: number): number {
  const seq = sent - ((sent - sequence) & 0xffff)
  return seq > 0 ? seq : 0
}

/** As ping shows times: four digits or so. */
function milliseconds(time: number): string {
  return time >= 100 ? time.toFixed(0) : time >= 10 ? time.toFixed(1) : time >= 1 ? time.toFixed(2) : time.toFixed(3)
}

function spread(times: readonly number[]): { min: number; avg: number; max: number; mdev: number } {
  const avg = times.reduce((sum, each) => sum + each, 0) / times.length
  const squares = times.reduce((sum, each) => sum + (each - avg) ** 2, 0) / times.length
  return {
    min: times.reduce((a, b) => Math.min(a, b)),
    avg,
    max: times.reduce((a, b) => Math.max(a, b)),
    mdev: Math.sqrt(squares),
  }
}
