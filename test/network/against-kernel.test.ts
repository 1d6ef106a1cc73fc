/**
 * The same chain host – router – router – host twice, in namespaces of the kernel and in tungram,
 * and the same datagrams through both: the same packets have to arrive at either end, and where
 * chance or time has a part, the same distributions.
 */
import { describe, expect, test } from 'vitest'
import { SeededRandom } from '../../src/base/random.ts'
import { readCapture } from '../../src/link/capture/capture-reader.ts'
import { Network } from '../../src/network/network.ts'
import type { ConnectOptions } from '../../src/network/settings.ts'
import { skipAloud } from '../skips.ts'
import { type Frame, hasNetem, KernelChain, missing, type Send } from './kernel-chain.ts'
import './host.ts'
import { testWith } from '../skips.ts'

const B4 = '10.0.2.2'
const B6 = 'fd00:0:0:2::2'
const MIDDLE = 1280

// ── tungram's chain ──

interface Results {
  /** What passed the nic of each end. */
  a: Frame[]
  b: Frame[]
  received: string[]
  outcomes: string[]
}

/**
 * As `KernelChain.send`; `fragment` lets routers fragment, `middle` is what happens from r1 to r2.
 */
async function sendInTungram(
  sends: readonly Send[],
  times: readonly number[],
  { fragment = false, seed = 1, ...middle }: ConnectOptions & { fragment?: boolean; seed?: number } = {},
): Promise<Results> {
  const network = new Network({ seed, lineage: 0 })
  const unlimited = { icmpRateLimit: false } as const
  const a = network.host('a', unlimited)
  const b = network.host('b', unlimited)
  network.router('r1', unlimited)
  network.router('r2', unlimited)
  network.connect('a', 'r1', { medium: 'ethernet' })
  network.connect('r1', 'r2', { medium: 'ethernet', mtu: MIDDLE, ...middle })
  network.connect('r2', 'b', { medium: 'ethernet' })
  const chunks: Uint8Array[] = []
  network.capture((chunk) => chunks.push(chunk), { of: ['a', 'b'] })
  const received: string[] = []
  for (const type of ['udp4', 'udp6'] as const)
    b.dgram
      .createSocket({ type, ipv6Only: type === 'udp6', recvBufferSize: 4e6 })
      .on('message', ({ length }) => received.push(`${type} ${length}`))
      .bind(9)
  const sockets = new Map<string, ReturnType<typeof a.dgram.createSocket>>()
  for (const { family, from, ttl } of sends) {
    const key = `${family} ${from}`
    if (sockets.has(key)) continue
    const socket = a.dgram.createSocket({ type: `udp${family}`, ipv6Only: family === 6 }).bind(from)
    sockets.set(key, socket)
    await network.runFor(0)
    if (ttl !== undefined) socket.setTTL(ttl)
    if (fragment) socket.setOption('dontFragment', 'off')
  }
  const outcomes: string[] = []
  for (const [index, { family, from, to, port, size }] of sends.entries())
    network.at(10 + (times[index] as number), () => {
      const payload = Buffer.alloc(size)
      if (size >= 4) payload.writeUInt32BE(index)
      sockets.get(`${family} ${from}`)?.send(payload, port, to, (error: Error | null) => {
        outcomes[index] = error === null ? '' : ((error as NodeJS.ErrnoException).code ?? '')
      })
    })
  await network.run()
  // A neighbor that does not answer is housekeeping.
  await network.runFor('5s')
  network.close()
  const frames = [...readCapture(Buffer.concat(chunks))]
  const of = (name: string) =>
    frames.filter((each) => each.interface === name).map(({ time, bytes }) => ({ time: Number(time) / 1e6, bytes }))
  return { a: of('a.eth0'), b: of('b.eth0'), received, outcomes }
}

// ── packets in words, read here and not by the codecs under test ──

/**
 * What came that is IP and not upkeep of the link: IPv4 first, as the families wait for neighbors
 * each in its own time.
 */
function arrivals(frames: readonly Frame[], own: readonly string[]): string[] {
  const lines = frames
    .map(({ bytes }) => describePacket(bytes))
    .filter((line) => line !== '' && !own.some((each) => line.startsWith(`${each} `)))
  const isFour = (line: string) => line.startsWith('10.')
  return [...lines.filter(isFour), ...lines.filter((line) => !isFour(line))]
}

function describePacket(frame: Uint8Array): string {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  const type = view.getUint16(12)
  return type === 0x0800 || type === 0x86dd ? describeIp(view, 14, '') : ''
}

function describeIp(view: DataView, at: number, within: string): string {
  const four = view.getUint8(at) >> 4 === 4
  let length = four ? view.getUint16(at + 2) : 40 + view.getUint16(at + 4)
  const tos = four ? view.getUint8(at + 1) : (view.getUint16(at) >> 4) & 0xff
  const ttl = view.getUint8(at + (four ? 8 : 7))
  let protocol = view.getUint8(at + (four ? 9 : 6))
  let upper = at + (four ? (view.getUint8(at) & 15) * 4 : 40)
  let fragment = four && (view.getUint16(at + 6) & 0x4000) !== 0 ? ' DF' : ''
  let offset = four ? (view.getUint16(at + 6) & 0x1fff) * 8 : 0
  let more = four && (view.getUint16(at + 6) & 0x2000) !== 0
  if (!four && protocol === 44) {
    protocol = view.getUint8(upper)
    offset = view.getUint16(upper + 2) & 0xfff8
    more = (view.getUint16(upper + 2) & 1) === 1
    upper += 8
  }
  if (offset > 0 || more) fragment += ` part ${offset}${more ? '+' : ''}`
  const [source, destination] = four
    ? [at + 12, at + 16].map((from) => [0, 1, 2, 3].map((i) => view.getUint8(from + i)).join('.'))
    : [at + 8, at + 24].map((from) =>
        [0, 2, 4, 6, 8, 10, 12, 14].map((i) => view.getUint16(from + i).toString(16)).join(':'),
      )
  if (within === '') length = Math.min(length, view.byteLength - at)
  const head = `${source} > ${destination} ttl ${ttl} tos ${tos} length ${length}${fragment}`
  if (offset > 0) return `${head} protocol ${protocol}`
  if (protocol === 17)
    return `${head} udp ${view.getUint16(upper)} > ${view.getUint16(upper + 2)} of ${view.getUint16(upper + 4)}`
  if (protocol !== (four ? 1 : 58)) return ''
  const type = view.getUint8(upper)
  // Neighbor Discovery and group membership.
  if (!four && type >= 130) return ''
  const [code, mtu] = [view.getUint8(upper + 1), view.getUint32(upper + 4)]
  const quote = describeIp(view, upper + 8, head)
  return `${head} icmp ${type}.${code} value ${mtu} quotes ${at + length - upper - 8} bytes: ${quote}`
}

// ── statistics ──

/** Chance that a comparison fails although both are alike: about one run in a million. */
const ALPHA = 1e-6
/** The deviation that a normal variable has with that chance. */
const SIGMAS = 4.9

/**
 * Two-sample Kolmogorov-Smirnov test at {@link ALPHA} with an allowance: `late` may lag behind
 * `model` by up to `slack`, as timers of a busy machine do.
 * @returns by how much the distributions differ beyond what chance explains; 0 or less when they
 *   agree
 */
function ksExcess(late: readonly number[], model: readonly number[], slack: number): number {
  const critical = Math.sqrt((-Math.log(ALPHA / 2) / 2) * ((late.length + model.length) / (late.length * model.length)))
  const share = (values: readonly number[], limit: number) =>
    values.filter((value) => value <= limit).length / values.length
  let distance = 0
  for (const x of [...late, ...model, ...model.map((value) => value + slack)]) {
    distance = Math.max(distance, share(late, x) - share(model, x), share(model, x - slack) - share(late, x))
  }
  return distance - critical
}

function median(values: readonly number[]): number {
  return [...values].sort((x, y) => x - y)[values.length >> 1] as number
}

/** Milliseconds by which the kernel's timers and its captures may be late on a busy machine. */
const LATE = 1.5

type Delays = Map<number, number>

/**
 * When datagrams of `size` bytes left, by their number, and how long each was on its way that
 * arrived.
 */
function journeys({ a, b }: Results, size: number): { sent: Map<number, number>; delays: Delays } {
  const times = (frames: readonly Frame[]) => {
    const udp = frames.filter(
      ({ bytes }) => bytes.length === size + 42 && bytes[12] === 8 && bytes[13] === 0 && bytes[23] === 17,
    )
    return new Map(udp.map(({ time, bytes }) => [new DataView(bytes.buffer, bytes.byteOffset).getUint32(42), time]))
  }
  const sent = times(a)
  return { sent, delays: new Map([...times(b)].map(([number, time]) => [number, time - (sent.get(number) as number)])) }
}

/** Runs in a fresh chain of the kernel, which is always taken down. */
async function inKernel<T>(run: (chain: KernelChain) => Promise<T>): Promise<T> {
  const chain = await KernelChain.make(MIDDLE)
  try {
    return await run(chain)
  } finally {
    await chain.close()
  }
}

/** As `describe`; skipped aloud where there are no namespaces, unless that is a failure. */
function describeAgainstKernel(name: string, body: () => void): void {
  const reason = missing()
  if (reason === '') describe(name, body)
  else skipAloud(name, `a chain of namespaces: ${reason}`)
}

const netem = hasNetem()

describeAgainstKernel("a chain of routers against the kernel's own", () => {
  const spread = (count: number, gap: number) => Array.from({ length: count }, (_, index) => index * gap)
  const own = { a: ['10.0.0.1', 'fd00:0:0:0:0:0:0:1'], b: ['10.0.2.2', 'fd00:0:0:2:0:0:0:2'] }

  test('the same ICMP messages come back, and the same packets arrive', async () => {
    const both = (make: (to: string, nowhere: string, nobody: string) => Omit<Send, 'family'>): Send[] => [
      { family: 4, ...make(B4, '203.0.113.1', '10.0.2.77') },
      { family: 6, ...make(B6, '2001:db8::1', 'fd00:0:0:2::77') },
    ]
    const sends: Send[] = [
      // Too big for the middle, once; the next one is cut by the sender.
      ...both((to) => ({ from: 5000, to, port: 9, size: 1400 })),
      ...both((to) => ({ from: 5000, to, port: 9, size: 1400 })),
      ...both((to) => ({ from: 5001, to, port: 9, size: 100, ttl: 1 })),
      ...both((to) => ({ from: 5001, to, port: 9, size: 1200, ttl: 1 })),
      ...both((to) => ({ from: 5001, to, port: 9, size: 3000, ttl: 1 })),
      ...both((to) => ({ from: 5002, to, port: 9, size: 100, ttl: 2 })),
      ...both((to) => ({ from: 5002, to, port: 9, size: 1200, ttl: 2 })),
      ...both((to) => ({ from: 5003, to, port: 9, size: 100, ttl: 3 })),
      // A closed port.
      ...both((to) => ({ from: 5004, to, port: 99, size: 0 })),
      ...both((to) => ({ from: 5004, to, port: 99, size: 700 })),
      ...both((to) => ({ from: 5004, to, port: 99, size: 3000 })),
      // No route.
      ...both((_, nowhere) => ({ from: 5005, to: nowhere, port: 9, size: 20 })),
      ...both((_, nowhere) => ({ from: 5005, to: nowhere, port: 9, size: 1400 })),
      // Nobody has the address: the last router asks for 3 seconds.
      ...both((_to, _nowhere, nobody) => ({ from: 5006, to: nobody, port: 9, size: 20 })),
    ]
    const times = spread(sends.length, 20)
    const [kernel, tungram] = await Promise.all([
      inKernel((chain) => chain.send(sends, times, 4500)),
      sendInTungram(sends, times),
    ])
    expect(arrivals(tungram.a, own.a)).toEqual(arrivals(kernel.a, own.a))
    expect(arrivals(tungram.b, own.b)).toEqual(arrivals(kernel.b, own.b))
    expect(tungram.received).toEqual(kernel.received)
    expect(tungram.outcomes).toEqual(kernel.outcomes)
    // And they are those that were meant to come.
    const messages = arrivals(kernel.a, own.a).map((line) => / icmp (\d+\.\d+)/.exec(line)?.[1])
    for (const each of ['3.4', '11.0', '3.3', '3.0', '3.1', '2.0', '1.4', '1.0', '1.3'])
      expect(messages).toContain(each)
  })

  test('the same sizes arrive with the same TTLs, cut by routers in the same places', async () => {
    const sizes = [
      0, 1, 7, 8, 100, 1200, 1231, 1232, 1233, 1251, 1252, 1253, 1300, 1451, 1452, 1453, 1471, 1472, 1473, 2000, 3000,
      8000, 20_000,
    ]
    const sends: Send[] = [4, 6].flatMap((family) =>
      // In IPv6 the first big one is lost to the MTU, in both chains.
      sizes.map((size, index) => ({
        family: family as 4 | 6,
        from: 5000 + (index % 3),
        to: family === 4 ? B4 : B6,
        port: 9,
        size,
        ttl: [64, 3, 200][index % 3] as number,
      })),
    )
    const times = spread(sends.length, 15)
    const [kernel, tungram] = await Promise.all([
      inKernel((chain) => {
        // Sockets that are made from now on set no DF bit.
        chain.set('a', 'ipv4/ip_no_pmtu_disc', 1)
        return chain.send(sends, times, 300)
      }),
      sendInTungram(sends, times, { fragment: true }),
    ])
    expect(arrivals(tungram.b, own.b)).toEqual(arrivals(kernel.b, own.b))
    expect(arrivals(tungram.a, own.a)).toEqual(arrivals(kernel.a, own.a))
    expect(tungram.received).toEqual(kernel.received)
    expect(kernel.received.filter((line) => line.startsWith('udp4'))).toEqual(sizes.map((size) => `udp4 ${size}`))
  })

  test('of lossy wires the same share of datagrams is lost, whole ones and fragments', async () => {
    const chance = 0.05
    // Two fragments of the sender, and the router cuts the first one: three that can be lost.
    const sizes = { small: 400, large: 2400 }
    const sends = Array.from({ length: 4500 }, (_, index): Send => {
      return { family: 4, from: 5000, to: B4, port: 9, size: index % 3 === 2 ? sizes.large : sizes.small }
    })
    const times = spread(sends.length, 0.7)
    const [kernel, tungram] = await Promise.all([
      inKernel(async (chain) => {
        chain.set('a', 'ipv4/ip_no_pmtu_disc', 1)
        chain.run('a', 'ping', '-c1', '-W2', B4)
        if (netem) chain.tc('r1', `qdisc add dev eth1 root netem loss ${chance * 100}%`)
        else chain.lose('r2', 'eth0', chance)
        return await chain.send(sends, times, 300)
      }),
      sendInTungram(sends, times, { fragment: true, forward: { loss: chance } }),
    ])
    const lost = ({ received }: Results, size: number) =>
      sends.filter((each) => each.size === size).length - received.filter((line) => line === `udp4 ${size}`).length
    for (const [size, count, probability] of [
      [sizes.small, 3000, chance],
      [sizes.large, 1500, 1 - (1 - chance) ** 3],
    ] as const) {
      const deviation = Math.sqrt(count * probability * (1 - probability))
      for (const results of [kernel, tungram])
        expect(Math.abs(lost(results, size) - count * probability), `${size} bytes`).toBeLessThan(SIGMAS * deviation)
      expect(Math.abs(lost(kernel, size) - lost(tungram, size)), `${size} bytes`).toBeLessThan(
        SIGMAS * deviation * Math.SQRT2,
      )
    }
  })

  test('on a slow wire with a queue datagrams wait as long, and as many find no room', async () => {
    // Frames of 1242 bytes at 2 Mbit/s take 4.97 ms, and come in at random a little faster than
    // that.
    const size = 1200
    const frame = ((size + 42) * 8) / 2000
    const random = new SeededRandom('arrivals')
    let time = 0
    const times = Array.from({ length: 700 }, () => {
      time += -Math.log(1 - random.float()) * frame * 0.95
      return time
    })
    const sends = times.map((): Send => ({ family: 4, from: 5000, to: B4, port: 9, size }))
    // The bucket makes up for timers that are late; so many frames are ahead of a wire that has
    // none.
    const [bucket, room] = [4, 8]
    const kernel = await inKernel(async (chain) => {
      chain.run('a', 'ping', '-c1', '-W2', B4)
      const [burst, limit] = [bucket * (size + 42) + 20, room * (size + 42) + 20]
      chain.tc('r1', `qdisc add dev eth1 root tbf rate 2mbit burst ${burst} limit ${limit}`)
      return await chain.send(sends, times, 300)
    })
    const { sent, delays } = journeys(kernel, size)
    const first = sent.get(0) as number
    const tungram = await sendInTungram(
      sends,
      times.map((_, index) => (sent.get(index) as number) - first),
      { forward: { rate: '2Mbit', queue: { tailDrop: { packets: room + bucket - 1 } } } },
    )
    const simulated = journeys(tungram, size).delays
    expect(sent.size).toBe(sends.length)
    expect(simulated.size).toBeLessThan(sends.length - 10)
    expect(Math.abs(delays.size - simulated.size)).toBeLessThan(12)
    const expected = new Map([...simulated].map(([number, delay]) => [number, Math.max(0, delay - bucket * frame)]))
    expect(ksExcess([...delays.values()], [...expected.values()], LATE)).toBeLessThan(0)
    // Datagram by datagram; a few differ, when the two queues gave up another one.
    const differences = [...delays].flatMap(([number, delay]) =>
      expected.has(number) ? delay - (expected.get(number) as number) : [],
    )
    expect(Math.abs(median(differences))).toBeLessThan(LATE)
  })

  testWith(
    netem,
    'netem in this kernel',
    '',
  )('delay with jitter has the distribution of netem', async () => {
    const size = 200
    const times = spread(1500, 2)
    const sends = times.map((): Send => ({ family: 4, from: 5000, to: B4, port: 9, size }))
    const [kernel, tungram] = await Promise.all([
      inKernel(async (chain) => {
        chain.run('a', 'ping', '-c1', '-W2', B4)
        chain.tc('r1', 'qdisc add dev eth1 root netem delay 20ms 3ms loss 5%')
        return await chain.send(sends, times, 300)
      }),
      sendInTungram(sends, times, { forward: { delay: '20ms', jitter: '3ms', keepOrder: false, loss: '5%' } }),
    ])
    const [real, simulated] = [kernel, tungram].map((results) => journeys(results, size).delays) as [Delays, Delays]
    expect(ksExcess([...real.values()], [...simulated.values()], LATE)).toBeLessThan(0)
    const deviation = Math.sqrt(sends.length * 0.05 * 0.95)
    expect(Math.abs(real.size - simulated.size)).toBeLessThan(SIGMAS * deviation * Math.SQRT2)
  })
})
