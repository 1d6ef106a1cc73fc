/** Merged packets on their way over links: as they are where they may pass so, else in segments. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../src/base/clock.ts'
import { Drop } from '../../src/base/drop.ts'
import { ChecksumState, Packet } from '../../src/base/packet.ts'
import { SeededRandom } from '../../src/base/random.ts'
import { completeChecksum } from '../../src/link/checksum-offload.ts'
import { mergedVnetHeader } from '../../src/link/device/tun-offload.ts'
import { type Impairments, impair } from '../../src/link/impairment/impairment.ts'
import { type Link, type LinkReceiver, NO_OFFLOAD } from '../../src/link/link.ts'
import { Segment } from '../../src/link/segment.ts'
import { longestPart, segmentsOf } from '../../src/link/segmenter.ts'
import { Stack } from '../../src/stack.ts'
import { segmentPacket } from '../packet.ts'
import { readVnet, takeApart, type VnetFrame, writeVnet } from '../twins/segments.ts'
import { hex, type SegmentsShape, segmentsShape, tcpFrame } from './offload-traffic.ts'

/** A merged packet, as a device's reader hands it up. */
function merged({ bytes, size, headers }: VnetFrame): Packet {
  const packet = new Packet().load(bytes)
  packet.checksumState = ChecksumState.Partial
  packet.segmentLength = headers + size
  return packet
}

/** What is at the far end: the packets that a wire without offloads would have. */
function apart(packet: Packet): Uint8Array[] {
  if (packet.segmentLength > 0) {
    const start = packet.start
    mergedVnetHeader(packet)
    const frame = packet.copy()
    packet.start = start
    return takeApart(readVnet(frame)) as Uint8Array[]
  }
  if (packet.checksumState !== ChecksumState.Partial) return [packet.copy()]
  const copy = new Packet().load(packet.copy())
  completeChecksum(copy)
  return [copy.copy()]
}

function collector(takesMerged: boolean) {
  const seen = { packets: [] as Uint8Array[], inputs: 0, drops: [] as Drop[] }
  const receiver: LinkReceiver = {
    input: (packet) => {
      seen.inputs++
      seen.packets.push(...apart(packet))
    },
    ...(takesMerged ? { takesMerged: () => true } : {}),
    idle() {},
    dropped: (drop) => void seen.drops.push(drop),
    failed() {},
  }
  return { receiver, seen }
}

const three: SegmentsShape = { segments: 3, size: 100, less: 10, flags: 0x98, sequence: 0xffff_ff00, options: [] }

describe.each([4, 6] as const)('a merged packet over IPv%s', (family) => {
  const frame = tcpFrame(family, three, [], 7)
  const expected = hex(takeApart(frame))

  test('says of how many segments it is, and how long they are', () => {
    const packet = merged(frame)
    expect([segmentsOf(packet), longestPart(packet)]).toEqual([3, (family === 4 ? 40 : 60) + 100])
    packet.segmentLength = 0
    expect([segmentsOf(packet), longestPart(packet)]).toEqual([1, frame.bytes.length])
  })

  test.each([
    [true, 1],
    [false, 3],
  ])('comes over a segment as it is to who takes it (%s), else in segments', (takes, inputs) => {
    const clock = new ManualClock()
    const segment = new Segment({ clock, mtu: 1280, random: new SeededRandom(1) })
    const [from, to] = [segment.link(), segment.link()]
    const { receiver, seen } = collector(takes)
    to.attach(receiver)
    const packet = merged(frame)
    packet.trace = 77
    expect(from.send(packet)).toBe(Drop.None)
    clock.advance(1)
    expect(seen.inputs).toBe(inputs)
    expect(hex(seen.packets)).toEqual(expected)
  })

  test('whose segments are too long for the link is refused', () => {
    const segment = new Segment({ clock: new ManualClock(), mtu: 139, random: new SeededRandom(1) })
    const [from, to] = [segment.link(), segment.link()]
    to.attach(collector(true).receiver)
    expect(from.send(merged(frame))).toBe(Drop.LinkMtuExceeded)
  })

  test('is not offered to an Ethernet', () => {
    const link = new Segment({ medium: 'ethernet', random: new SeededRandom(1) }).link()
    expect(link.offload.merged).toBe(false)
    expect(NO_OFFLOAD.merged).toBe(undefined)
  })
})

describe('an impaired link', () => {
  const clock = new ManualClock()
  const even: [string, Impairments][] = [
    ['nothing', {}],
    ['a loss of 0', { loss: 0 }],
    ['a delay that is the same for all', { delay: 10 }],
  ]
  const each: [string, Impairments][] = [
    ['loss', { loss: 0.1 }],
    ['corruption', { corruption: 0.1 }],
    ['duplication', { duplication: 0.1 }],
    ['reordering', { reordering: 0.1 }],
    ['a rate', { rate: 1e6 }],
    ['a delay that varies', { delay: () => 1 }],
    ['a black hole', { mtu: 500 }],
  ]
  const make = (impairments: Impairments) =>
    impair(new Segment({ clock, random: new SeededRandom(1) }).link(), { clock, send: impairments })

  test.each(even)('with %s takes merged packets', (_what, impairments) => {
    expect(make(impairments).offload).toEqual({ checksum: false, merged: true })
  })

  test.each(each)('with %s does not: it counts packets', (_what, impairments) => {
    expect(make(impairments).offload).toEqual({ checksum: false })
  })

  test('takes none behind frames that still wait for their rate', () => {
    const link = make({ rate: 1000 })
    link.send(new Packet().load(segmentPacket([], 4)))
    link.impair('send', {})
    expect(link.offload.merged).toBe(undefined)
    clock.advance(10_000)
    expect(link.offload.merged).toBe(true)
  })

  test('gives its receiver segments when what comes in is impaired one by one', () => {
    for (const [receive, inputs] of [
      [{}, 1],
      [{ duplication: 1 }, 6],
    ] as const) {
      const own = new ManualClock()
      const segment = new Segment({ clock: own, random: new SeededRandom(1) })
      const [from, inner] = [segment.link(), segment.link()]
      const { receiver, seen } = collector(true)
      impair(inner, { clock: own, random: new SeededRandom(1), receive }).attach(receiver)
      from.send(merged(tcpFrame(4, three, [], 7)))
      own.advance(1)
      expect(seen.inputs).toBe(inputs)
    }
  })
})

/** A chain of two routers, and what leaves at its ends. */
function chain(family: 4 | 6, impairments: Impairments, mtu: number, takes: boolean) {
  const own = (...both: readonly string[]) => both.filter((each) => each.includes(':') === (family === 6))
  const clock = new ManualClock()
  const random = () => new SeededRandom('chain')
  const left = new EndLink('left', 1500)
  const right = new EndLink('right', 1500)
  const segment = new Segment({ clock, mtu, random: random() })
  const options = {
    clock,
    dad: false,
    forwarding: true,
    icmpRateLimit: false,
    icmpRateLimitPerDestination: false,
  } as const
  const [r1, r2] = [1, 2].map((seed) => new Stack({ ...options, random: new SeededRandom(seed) })) as [Stack, Stack]
  r1.addNic(left, { name: 'left', addresses: own('10.0.0.1/24', 'fd00::1/64') })
  const first = impair(segment.link(), { clock, random: random(), send: impairments })
  r1.addNic(first, { name: 'out', addresses: own('10.0.1.1/24', 'fd01::1/64') })
  r2.addNic(segment.link(), { name: 'in', addresses: own('10.0.1.2/24', 'fd01::2/64') })
  r2.addNic(right, { name: 'right', addresses: own('10.0.2.1/24', 'fd02::1/64') })
  for (const to of own('10.0.2.0/24', 'fd02::/64')) r1.addRoute({ to, via: to.includes(':') ? 'fd01::2' : '10.0.1.2' })
  for (const to of own('10.0.0.0/24', 'fd00::/64')) r2.addRoute({ to, via: to.includes(':') ? 'fd01::1' : '10.0.1.1' })
  clock.advance(2000)
  left.sent.length = 0
  right.sent.length = 0
  let whole = 0
  return {
    left: left.sent,
    right: right.sent,
    get whole() {
      return whole
    },
    send: (frame: VnetFrame) => {
      const packet = merged(frame)
      if (takes && frame.bytes.length > frame.headers + frame.size && left.receiver?.takesMerged?.(packet) === true) {
        whole++
        left.receiver.input(packet)
      } else {
        // Segmentation at the first device.
        for (const bytes of takeApart(frame) as Uint8Array[]) left.receiver?.input(new Packet().load(bytes))
      }
      left.receiver?.idle()
      clock.advance(50)
    },
    close: () => {
      clock.advance(100_000)
      r1.close()
      r2.close()
    },
  }
}

/** The end of a chain: a device with offloads; what leaves is taken apart. */
class EndLink implements Link {
  readonly name: string
  readonly mtu: number
  readonly medium = 'ip'
  readonly offload = { checksum: true, merged: true }
  readonly hardwareAddress = null
  readonly loopback = false
  readonly sent: Uint8Array[] = []
  receiver: LinkReceiver | null = null

  constructor(name: string, mtu: number) {
    this.name = name
    this.mtu = mtu
  }

  attach(receiver: LinkReceiver): void {
    this.receiver = receiver
  }

  send(packet: Packet): Drop {
    this.sent.push(...apart(packet))
    return Drop.None
  }

  flush(): void {}
  close(): void {}
  ref(): void {}
  unref(): void {}
}

test.each([4, 6] as const)(
  'through two routers it arrives as if it had been segmented at the first device (IPv%s)',
  (family) => {
    let whole = 0
    let sent = 0
    const ends =
      family === 4 ? { source: '10.0.0.9', destination: '10.0.2.9' } : { source: 'fd00::9', destination: 'fd02::9' }
    const ways = fc.constantFrom<Impairments>(
      {},
      {},
      { delay: 7 },
      { loss: 0.2 },
      { duplication: 0.3 },
      { corruption: 0.1 },
      { reordering: 0.5, delay: 3 },
      { rate: 1e6 },
      { mtu: 200 },
    )
    fc.assert(
      fc.property(
        ways,
        fc.constantFrom(1500, 1500, 1280, family === 4 ? 200 : 1290),
        fc.array(fc.tuple(segmentsShape, fc.constantFrom(64, 64, 64, 3, 2, 1), fc.constantFrom(0, 0, 0, 1, 2, 3)), {
          minLength: 1,
          maxLength: 5,
        }),
        (impairments, mtu, shapes) => {
          const [on, off] = [true, false].map((takes) => chain(family, impairments, mtu, takes)) as [
            ReturnType<typeof chain>,
            ReturnType<typeof chain>,
          ]
          shapes.forEach(([each, hops, where], index) => {
            // Some are for nobody, for a router itself, or go back where they came from.
            const destination = [
              ends.destination,
              family === 4 ? '10.9.9.9' : 'fd99::9',
              family === 4 ? '10.0.1.2' : 'fd01::2',
              family === 4 ? '10.0.0.8' : 'fd00::8',
            ][where] as string
            const size = { ...each, size: each.size * (index % 2 === 0 ? 1 : 4) }
            const frame = tcpFrame(family, size, [], index * 100, { ...ends, destination })
            setHops(frame.bytes, hops)
            on.send(frame)
            off.send(frame)
          })
          on.close()
          off.close()
          expect(hex(on.right)).toEqual(hex(off.right))
          expect(hex(on.left)).toEqual(hex(off.left))
          whole += on.whole
          sent += shapes.length
        },
      ),
      { seed: 5382, numRuns: 150 },
    )
    // The property would hold if nothing ever passed merged.
    expect(whole).toBeGreaterThan(sent / 10)
  },
)

function setHops(bytes: Uint8Array, hops: number): void {
  if ((bytes[0] as number) >>> 4 === 6) {
    bytes[7] = hops
    return
  }
  const view = new DataView(bytes.buffer)
  bytes[8] = hops
  view.setUint16(10, 0)
  let sum = 0
  for (let at = 0; at < 20; at += 2) sum += view.getUint16(at)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  view.setUint16(10, ~sum & 0xffff)
}

test('what a device does not take merged leaves in segments', async () => {
  const { TunWriter } = await import('../../src/link/device/tun-writer.ts')
  const { FakeDescriptor, fakeHost } = await import('./device/fake-device.ts')
  const descriptor = new FakeDescriptor()
  const host = fakeHost()
  const counters = { sentPackets: 0, sentBytes: 0, refusedPackets: 0 }
  const writer = new TunWriter(host, descriptor.frames(true), counters as never, 0)
  const frame = tcpFrame(4, three, [], 7)
  expect(writer.send(merged(frame))).toBe(Drop.None)
  expect(descriptor.written.map((each) => hex([each])?.[0])).toEqual([hex([writeVnet(frame)])?.[0]])
  descriptor.written.length = 0
  descriptor.refusals.push(22)
  expect(writer.send(merged(frame))).toBe(Drop.None)
  expect(descriptor.written.flatMap((each) => hex(takeApart(readVnet(each))))).toEqual(hex(takeApart(frame)))
  expect(descriptor.written).toHaveLength(3)
  expect(counters.sentPackets).toBe(6)
  const packet = merged(tcpFrame(4, { ...three, size: 1461, options: [] }, [], 7))
  expect(writer.send(packet)).toBe(Drop.LinkMtuExceeded)
})
