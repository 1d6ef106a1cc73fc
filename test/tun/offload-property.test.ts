/**
 * The law of offloads on real devices: what arrives is the same with offloads and without, byte for
 * byte.
 *
 * The kernel's packet socket puts frames into `ta`, offload metadata and all; a router on `ta` and
 * `tb` forwards them to the kernel, which forwards what it got from `tb` to `tc`, taking apart what
 * came in one piece. There, without offloads, it is written down.
 */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { Address } from '../../src/base/address.ts'
import { SeededRandom } from '../../src/base/random.ts'
import { openTun, type TunLink } from '../../src/link/device/tun.ts'
import { loadLibc } from '../../src/link/device/tun-libc.ts'
import { findInterface } from '../../src/link/device/tun-netlink.ts'
import { Stack } from '../../src/stack.ts'
import {
  headersOf,
  hex,
  make,
  pseudoSum,
  segmentsShape,
  shape,
  tcpFrame,
  withHeaders,
} from '../link/offload-traffic.ts'
import { datagram, ipv4, ipv6, pattern, udp } from '../packet.ts'
import { complete, takeApart, udpAt, type VnetFrame, writeVnet } from '../twins/segments.ts'
import { describeOnTun } from './namespace.ts'

const AF_PACKET = 17
const SOCK_RAW = 3
const SOL_PACKET = 263
const PACKET_VNET_HDR = 15
const TARGET = { 4: '10.9.0.9', 6: 'fd09::9' } as const
const SOURCE = { 4: '10.8.0.8', 6: 'fd08::8' } as const
const LAST_PORT = 4242

const ip = (line: string) => execFileSync('ip', line.split(' '), { stdio: ['ignore', 'pipe', 'pipe'] })

/** The two wires, the router between them and what came out at the end. */
class World {
  readonly stack: Stack
  readonly arrived: Uint8Array[] = []
  readonly #links: TunLink[]
  readonly #fd: number
  readonly #send: (
    fd: number,
    bytes: Uint8Array,
    length: number,
    flags: number,
    address: Uint8Array,
    size: number,
  ) => number

  constructor(offload: boolean) {
    const common = { queueLength: 20_000 }
    const left = openTun({ ...common, offload, name: 'ta', peer: ['10.1.0.1/24', 'fd01::1/64'] })
    const right = openTun({ ...common, offload, name: 'tb', peer: ['10.2.0.1/24', 'fd02::1/64'] })
    const end = openTun({ ...common, offload: false, name: 'tc', peer: ['10.3.0.1/24', 'fd03::1/64'] })
    this.#links = [left, right, end]
    ip('route add 10.9.0.0/24 dev tc table 100')
    ip('-6 route add fd09::/64 dev tc table 100')
    this.stack = new Stack({ forwarding: true, random: new SeededRandom('law') })
    this.stack.addNic(left, { addresses: ['10.1.0.2/24', 'fd01::2/64'] })
    this.stack.addNic(right, { addresses: ['10.2.0.2/24', 'fd02::2/64'] })
    this.stack.addRoute({ to: '10.9.0.0/24', via: '10.2.0.1' })
    this.stack.addRoute({ to: 'fd09::/64', via: 'fd02::1' })
    end.attach({
      input: (packet) => {
        const bytes = packet.copy()
        // The kernel's own multicast reports aside.
        if (destination(bytes) === TARGET[4] || destination(bytes) === TARGET[6]) this.arrived.push(bytes)
      },
      idle() {},
      dropped() {},
      failed() {},
    })
    const libc = loadLibc()
    this.#send = libc.library.func(
      'intptr_t sendto(int fd, void *bytes, size_t length, int flags, void *address, int size)',
    )
    this.#fd = libc.socket(AF_PACKET, SOCK_RAW, 0)
    const setsockopt = libc.library.func('int setsockopt(int fd, int level, int name, void *value, int length)')
    expect(setsockopt(this.#fd, SOL_PACKET, PACKET_VNET_HDR, new Uint8Array(new Int32Array([1]).buffer), 4)).toBe(0)
  }

  /** All in one go, so that the router finds them together. */
  inject(frames: readonly VnetFrame[]): void {
    const index = findInterface(loadLibc(), 'ta')?.index ?? 0
    for (const frame of frames) {
      const address = Buffer.alloc(20)
      address.writeUInt16LE(AF_PACKET)
      address.writeUInt16BE((frame.bytes[0] as number) >>> 4 === 6 ? 0x86dd : 0x0800, 2)
      address.writeInt32LE(index, 4)
      const bytes = writeVnet(frame)
      expect(this.#send(this.#fd, bytes, bytes.length, 0, address, address.length)).toBe(bytes.length)
    }
  }

  async last(): Promise<Uint8Array[]> {
    await vi.waitFor(() => expect(this.arrived.some((bytes) => portOf(bytes) === LAST_PORT)).toBe(true), {
      timeout: 20_000,
      interval: 20,
    })
    return this.arrived.filter((bytes) => portOf(bytes) !== LAST_PORT)
  }

  close(): void {
    this.stack.close()
    for (const link of this.#links) link.close()
    loadLibc().close(this.#fd)
  }
}

function destination(bytes: Uint8Array): string {
  return (bytes[0] as number) >>> 4 === 4
    ? `${Address.fromBytes(bytes.subarray(16, 20))}`
    : `${Address.fromBytes(bytes.subarray(24, 40))}`
}

function portOf(bytes: Uint8Array): number {
  const at = udpAt(bytes)
  return at < 0 ? -1 : new DataView(bytes.buffer, bytes.byteOffset).getUint16(at + 2)
}

const PLAIN = { flags: 0, type: 0, headers: 0, size: 0, checksumStart: 0, checksumOffset: 0 }

/** Datagrams as they are, and those that a device has to complete or take apart. */
function traffic(family: 4 | 6, seed: number): VnetFrame[] {
  const ends = { source: SOURCE[family], destination: TARGET[family] }
  const frames: VnetFrame[] = []
  let identification = 65_400
  for (const fields of fc.sample(shape, { seed, numRuns: 400 })) {
    identification += fields.step
    const { bytes, partial } = make(family, fields, identification, frames.length, ends)
    const at = udpAt(bytes)
    if (partial) new DataView(bytes.buffer).setUint16(at + 6, pseudoSum(bytes, at))
    frames.push(partial ? { ...PLAIN, flags: 1, checksumStart: at, checksumOffset: 6, bytes } : { ...PLAIN, bytes })
  }
  const sends = fc.record({
    headers: headersOf(family),
    segments: fc.integer({ min: 2, max: 64 }),
    size: fc.integer({ min: 2, max: 300 }),
    less: fc.nat(299),
  })
  for (const { headers, segments, size, less } of fc.sample(sends, { seed, numRuns: 60 })) {
    // Record Route changes on its way, Linux takes nothing apart behind an authentication header,
    // and hop-by-hop options come first.
    if (headers[0] === 7 || headers.includes(51) || headers.lastIndexOf(0) > 0) continue
    const message = udp(pattern(segments * size - (less % size)), family, ends)
    const bytes = withHeaders(family, headers, message, frames.length * 64, ends)
    const at = udpAt(bytes)
    new DataView(bytes.buffer).setUint16(at + 6, pseudoSum(bytes, at))
    frames.push({ flags: 1, type: 5, headers: at + 8, size, checksumStart: at, checksumOffset: 6, bytes })
  }
  for (const each of fc.sample(fc.tuple(headersOf(family), segmentsShape), { seed, numRuns: 80 })) {
    const [headers, segments] = each
    if (headers[0] === 7 || headers.includes(51) || headers.lastIndexOf(0) > 0) continue
    frames.push(tcpFrame(family, segments, headers, frames.length * 64, ends))
  }
  for (let size = 0; size < 60; size++) {
    // A tunnel, whose inner checksum was left to the device.
    const inner = family === 4 ? ipv4(udp(pattern(size), 4)) : ipv6(udp(pattern(size), 6))
    const innerAt = udpAt(inner)
    new DataView(inner.buffer).setUint16(innerAt + 6, pseudoSum(inner, innerAt))
    const whole = complete(inner, innerAt, 6)
    const outer = udp([8, 0, 0, 0, 0, 0, 7, 0, ...new Array(14).fill(2), ...whole], family, {
      ...ends,
      destinationPort: 4789,
    })
    const outerBytes = withHeaders(family, [], outer, size, ends)
    const bytes = outerBytes.slice()
    bytes.set(inner, bytes.length - inner.length)
    frames.push({ ...PLAIN, flags: 1, checksumStart: bytes.length - inner.length + innerAt, checksumOffset: 6, bytes })
  }
  // Mixed, so that what may leave together also comes together.
  return frames.slice(200).concat(frames.slice(0, 200))
}

const marker = (family: 4 | 6): VnetFrame => ({
  ...PLAIN,
  bytes: datagram([], family, { source: SOURCE[family], destination: TARGET[family], destinationPort: LAST_PORT }),
})

/** What two routers make of it. */
function forwarded(bytes: Uint8Array): Uint8Array {
  const packet = bytes.slice()
  const four = (packet[0] as number) >>> 4 === 4
  packet[four ? 8 : 7] = (packet[four ? 8 : 7] as number) - 2
  return packet
}

describeOnTun('with offloads and without', () => {
  let world: World
  beforeAll(() => {
    for (const name of ['all', 'default']) {
      writeFileSync(`/proc/sys/net/ipv4/conf/${name}/rp_filter`, '0')
      writeFileSync(`/proc/sys/net/ipv4/conf/${name}/accept_local`, '1')
      writeFileSync(`/proc/sys/net/ipv6/conf/${name}/forwarding`, '1')
    }
    writeFileSync('/proc/sys/net/ipv4/ip_forward', '1')
    ip('rule add iif tb lookup 100')
    ip('-6 rule add iif tb lookup 100')
  })
  afterAll(() => world?.close())

  for (const family of [4, 6] as const) {
    test(`what a router forwards is the same, and what was sent (IPv${family})`, async () => {
      const frames = traffic(family, 9868)
      const results: Uint8Array[][] = []
      for (const offload of [true, false]) {
        world = new World(offload)
        for (let from = 0; from < frames.length; from += 100) {
          world.inject(frames.slice(from, from + 100))
          await new Promise(setImmediate)
        }
        world.inject([marker(family)])
        results.push(await world.last())
        world.close()
      }
      const [on, off] = results as [Uint8Array[], Uint8Array[]]
      expect(hex(on)).toEqual(hex(off))
      const sent = frames.flatMap((frame) => takeApart(frame) as Uint8Array[])
      // But for the lifetime, what nobody had a reason to drop or to trim.
      const seen = new Set(hex(on.map(withoutHeaderChecksum)))
      const missing = sent.filter((bytes) => !seen.has(hex([withoutHeaderChecksum(forwarded(bytes))])?.[0] as string))
      expect(missing.length).toBeLessThan(sent.length / 20)
    }, 60_000)

    test(`what a host sends is the same (IPv${family})`, async () => {
      const results: Uint8Array[][] = []
      for (const offload of [true, false]) {
        world = new World(offload)
        const { stack } = world
        const endpoint = stack.udp.createEndpoint(family, { receive() {}, flush() {}, icmp() {} })
        expect(endpoint.bind(Address.parse(family === 4 ? '10.2.0.2' : 'fd02::2'), 5000)).toBe('')
        const to = Address.parse(TARGET[family])
        const sizes = fc.sample(fc.constantFrom(100, 100, 100, 100, 100, 99, 1, 1400), { seed: 5, numRuns: 300 })
        for (const [index, size] of sizes.entries()) {
          endpoint.tos = index % 50 === 0 ? 4 : 0
          endpoint.pmtuMode = index % 100 < 50 ? 1 : 2
          const packet = endpoint.beginSend(size)
          packet.bytes.set(pattern(size), packet.start)
          packet.bytes[packet.start] = index
          expect(endpoint.send(packet, to, 5001, 0, null)).toBe('')
          if (index % 100 === 99) await new Promise(setImmediate)
        }
        expect(endpoint.send(endpoint.beginSend(0), to, LAST_PORT, 0, null)).toBe('')
        results.push(await world.last())
        expect(results.at(-1)).toHaveLength(sizes.length)
        world.close()
      }
      const [on, off] = results as [Uint8Array[], Uint8Array[]]
      expect(hex(on)).toEqual(hex(off))
    }, 60_000)
  }
})

/** It follows from the rest. */
function withoutHeaderChecksum(bytes: Uint8Array): Uint8Array {
  const packet = bytes.slice()
  if ((packet[0] as number) >>> 4 === 4) packet.fill(0, 10, 12)
  return packet
}
