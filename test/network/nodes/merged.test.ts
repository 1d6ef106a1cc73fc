/** Merged packets through a network: as one where nobody looks at their segments, else in these. */
import { afterEach, expect, test } from 'vitest'
import { Drop } from '../../../src/base/drop.ts'
import { ChecksumState, Packet } from '../../../src/base/packet.ts'
import type { Link, LinkReceiver } from '../../../src/link/link.ts'
import { segmentsOf } from '../../../src/link/segmenter.ts'
import { Network } from '../../../src/network/network.ts'
import type { Port } from '../../../src/network/nodes/port.ts'
import { openHops } from '../../../src/network/scenario/hops.ts'
import type { NetworkOptions } from '../../../src/network/settings.ts'
import { pseudoSum, tcpFrame } from '../../link/offload-traffic.ts'
import { datagram, pattern } from '../../packet.ts'

let network: Network
afterEach(() => network.close())

/** A device with offloads; `sent` has for how many packets each stands that left. */
class Device implements Link {
  readonly name: string
  readonly medium = 'ip'
  readonly mtu = 1500
  readonly offload = { checksum: true, merged: true }
  readonly hardwareAddress = null
  readonly loopback = false
  readonly sent: number[] = []
  receiver: LinkReceiver | null = null
  arrived = () => {}

  constructor(name: string) {
    this.name = name
  }

  attach(receiver: LinkReceiver): void {
    this.receiver = receiver
  }

  send(packet: Packet): Drop {
    this.sent.push(segmentsOf(packet))
    this.arrived()
    return Drop.None
  }

  flush(): void {}
  close(): void {}
  ref(): void {}
  unref(): void {}
}

const ENDS = { source: '10.8.0.2', destination: '10.9.0.2' }

function tcp(): Packet {
  const options = { segments: 3, size: 100, less: 0, flags: 0x18, sequence: 1, options: [] } as const
  const frame = tcpFrame(4, { ...options, options: [] }, [], 7, ENDS)
  const packet = new Packet().load(frame.bytes)
  packet.segmentLength = 140
  packet.checksumState = ChecksumState.Partial
  return packet
}

function udp(): Packet {
  const bytes = datagram(pattern(300), 4, ENDS)
  new DataView(bytes.buffer).setUint16(26, pseudoSum(bytes, 20))
  const packet = new Packet().load(bytes)
  packet.segmentLength = 128
  packet.checksumState = ChecksumState.Partial
  return packet
}

/** Two routers between two devices. */
async function make(options: NetworkOptions = {}) {
  network = new Network({ clock: 'real', seed: 1, ...options })
  network.router('r1')
  network.router('r2')
  network.connect('r1', 'r2')
  const [left, right] = [new Device('left'), new Device('right')]
  network.attach(left, { to: 'r1', addresses: ['10.8.0.1/24'] })
  network.attach(right, { to: 'r2', addresses: ['10.9.0.1/24'] })
  // Routes are found in a later turn.
  await new Promise(setImmediate)
  return { left, right }
}

/** What leaves on the right when this came in from the left: from a device, which asks first. */
async function through({ left, right }: Awaited<ReturnType<typeof make>>, packet: Packet): Promise<number[]> {
  const arrival = new Promise<void>((resolve) => {
    right.arrived = () => {
      if (right.sent.reduce((sum, each) => sum + each, 0) >= 3) resolve()
    }
  })
  expect(left.receiver?.takesMerged?.(packet)).toBe(true)
  left.receiver?.input(packet)
  left.receiver?.idle()
  await arrival
  return right.sent.splice(0)
}

test('TCP passes as one, and shares a life', async () => {
  expect(await through(await make(), tcp())).toEqual([3])
  const [life] = network.datagrams({ protocol: 'tcp' })
  expect(life?.packet).toMatchObject({ length: 340, segments: 3 })
  expect(network.explain(life?.id ?? 0)).toContain('forwarded by eth0: 340 bytes for 3 segments')
  expect(network.datagrams()).toHaveLength(1)
})

test('UDP passes as one where no lives are kept, else one by one', async () => {
  expect(await through(await make({ lineage: 0 }), udp())).toEqual([3])
  network.close()
  expect((await make()).left.receiver?.takesMerged?.(udp())).toBe(false)
})

test('what counts frames lets it pass as one, and counts each of its segments', async () => {
  const made = await make()
  const hops = openHops(network, { from: 0, to: Number.POSITIVE_INFINITY })
  expect(await through(made, tcp())).toEqual([3])
  // Headers of 40 bytes and a payload of 100, three times.
  const counted = { frames: 3, bytes: 3 * 140 }
  const found = hops.results(network.now).filter(({ offered }) => offered.frames > 0)
  expect(found).toMatchObject([{ from: 'r1', to: 'r2', offered: counted, sent: counted, queue: null, drops: {} }])
})

test.each([
  ['a capture', () => network.capture(() => {}, { of: ['r2'] })],
  ['a filter', () => network.filter('r2', { icmp: 1 })],
])('into a router with %s go segments', async (_what, change) => {
  const made = await make()
  change()
  expect(await through(made, tcp())).toEqual([1, 1, 1])
})

test.each([
  ['a loss of single packets', { loss: { frames: [99] } }],
  ['a rate', { rate: '1Gbit' }],
])('over a wire with %s go segments from the first device on', async (_what, faults) => {
  const { left } = await make()
  network.cable('r1', 'r2').impair(faults)
  expect(left.receiver?.takesMerged?.(tcp())).toBe(false)
  network.cable('r1', 'r2').impair({ delay: 5 })
  expect(left.receiver?.takesMerged?.(tcp())).toBe(true)
})

test('a router with a NAT takes none: it has to see each', async () => {
  const { left } = await make()
  network.nat('r1', { outside: 'r2' })
  expect(left.receiver?.takesMerged?.(tcp())).toBe(false)
})

test('a host that is elsewhere sends and gets merged packets, and checksums are completed', async () => {
  network = new Network({ clock: 'real', seed: 1 })
  for (const name of ['a', 'b']) network.host(name)
  network.connect('a', 'b', { subnet: '10.8.0.0/24' })
  const [from, to] = network.cable('a', 'b').ends.map(({ port }) => port as Port)
  const got: [number, number][] = []
  let takes = true
  let resolve = () => {}
  const arrival = () => new Promise<void>((done) => (resolve = done))
  ;(to as Port).divert({
    deliver: (packet) => {
      got.push([segmentsOf(packet), packet.checksumState])
      resolve()
      return Drop.None
    },
    takesMerged: () => takes,
    idle() {},
  })
  const leave = (from as Port).divert({ deliver: () => Drop.None, idle() {} })
  expect((from as Port).leavesMerged(tcp())).toBe(true)
  expect((from as Port).leavesMerged(udp())).toBe(false)
  let next = arrival()
  leave(tcp())
  await next
  takes = false
  next = arrival()
  leave(tcp())
  await next
  const single = udp()
  single.segmentLength = 0
  next = arrival()
  leave(single)
  await next
  expect(got).toEqual([[3, ChecksumState.Partial], ...new Array(4).fill([1, ChecksumState.None])])
  expect(single.view.getUint16(single.start + 26)).toBe(
    new DataView(datagram(pattern(300), 4, ENDS).buffer).getUint16(26),
  )
  network.cable('a', 'b').impair({ rate: '1Mbit' })
  expect((from as Port).leavesMerged(tcp())).toBe(false)
})

test('a router with a filter takes none', async () => {
  const { left } = await make()
  network.filter('r1', { block: ['80/tcp'] })
  expect(left.receiver?.takesMerged?.(tcp())).toBe(false)
  network.filter('r1', null)
  expect(left.receiver?.takesMerged?.(tcp())).toBe(true)
})
