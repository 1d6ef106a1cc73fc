/**
 * IP_MTU_DISCOVER and IPV6_MTU_DISCOVER: what goes onto the wire, what the program is told, and
 * what MTU is known, with a path as wide as the device, and with a narrower one that a router
 * reported.
 */
import { afterAll, describe, expect, test } from 'vitest'
import { describeOnTun } from '../tun/namespace.ts'
import { comparable } from './compare.ts'
import { DISCOVER, type Host } from './host.ts'
import { KernelHost } from './kernel-host.ts'
import { type Bytes, icmp, ip4, ip6, pattern, u32, udp } from './raw-ip.ts'
import { StackHost } from './stack-host.ts'
import { HOST4, HOST6 } from './world.ts'

const MTU = 1500
const TO_PORT = 9

interface Sent {
  errno: string
  /** As `compare.ts` masks them. */
  packets: string[]
  /** What sockets were told of meanwhile. */
  errors: string[]
  /** Identifications, each once; none of IPv6 packets that are not fragmented. */
  identifications: number[]
}

function send(host: Host, family: 4 | 6, port: number, to: string, length: number): Sent {
  const errno = host.send(family, port, pattern(length, length), to, TO_PORT)
  const packets = host.receive()
  return {
    errno,
    packets: packets.map((each) => comparable(each, host.timeOfDay())),
    errors: host.delivered().map((each) => `${each.port} ${each.error}`),
    identifications: [...new Set(packets.flatMap(identification))],
  }
}

function identification(packet: Bytes): number[] {
  const view = new DataView(packet.buffer, packet.byteOffset)
  if (view.getUint8(0) >>> 4 === 4) return [view.getUint16(4)]
  return view.getUint8(6) === 44 ? [view.getUint32(44)] : []
}

/** Neither fragmented nor to be fragmented: RFC 6864 section 4. */
const isAtomic = ({ packets }: Sent) => packets.length === 1 && (packets[0] as string).slice(12, 16) === '4000'

/** The report of a router about a datagram of `length` bytes. */
function tooBig(family: 4 | 6, from: string, to: string, port: number, mtu: number, length = 1400): Bytes {
  const datagram = udp({ from, to, sourcePort: port, port: TO_PORT, payload: pattern(length) })
  if (family === 4) {
    const quote = ip4({ source: from, destination: to, df: true, payload: datagram })
    return ip4({
      source: '10.9.0.77',
      destination: from,
      protocol: 1,
      payload: icmp(3, 4, u32(mtu), quote.subarray(0, 68)),
    })
  }
  const quote = ip6({ source: from, destination: to, payload: datagram })
  const router = { from: 'fd09::77', to: from }
  return ip6({
    source: router.from,
    destination: from,
    next: 58,
    payload: icmp(2, 0, u32(mtu), quote.subarray(0, 500), router),
  })
}

describeOnTun('the kernel and the stack, by the DF policy of a socket,', () => {
  const addresses = [`${HOST4}/24`, `${HOST6}/64`]
  const kernel = new KernelHost('pmtu0', addresses, MTU)
  const stack = new StackHost(addresses, MTU)
  const hosts: Host[] = [kernel, stack]
  afterAll(() => {
    for (const host of hosts) host.close()
  })

  let opened = 0
  /** A socket on both hosts with a peer that no other one has. */
  function open(family: 4 | 6, mode: number, connected: boolean) {
    const at = ++opened
    const port = 7100 + at
    const to = family === 4 ? `10.9.0.${100 + at}` : `fd09::1:${at.toString(16)}`
    for (const host of hosts) {
      host.open({ family, port, ...(connected ? { peer: to, peerPort: TO_PORT } : {}) })
      host.setMtuDiscover(family, port, mode)
    }
    const own = family === 4 ? HOST4 : HOST6
    return {
      known: () => hosts.map((host) => host.knownMtu(family, port)),
      send: (length: number) => hosts.map((host) => send(host, family, port, to, length)) as [Sent, Sent],
      /** A report arrives. @returns the errors that the sockets are told of */
      report: (mtu: number, length?: number) =>
        hosts.map((host) => {
          host.input(tooBig(family, own, to, port, mtu, length))
          return host.delivered().map((each) => each.error)
        }),
    }
  }

  const headers = { 4: 28, 6: 48 } as const
  const largest = { 4: 65_507, 6: 65_527 } as const

  for (const family of [4, 6] as const) {
    for (const [name, mode] of Object.entries(DISCOVER)) {
      for (const connected of [true, false]) {
        describe(`IPv${family}, ${name}, ${connected ? 'connected' : 'not connected'}:`, () => {
          const lengthsFor = (mtu: number) => {
            const full = mtu - headers[family]
            return [
              0,
              1,
              100,
              full - 1,
              full,
              full + 1,
              full + 8,
              2 * full,
              3 * MTU,
              largest[family],
              largest[family] + 1,
            ]
          }
          const agree = (socket: ReturnType<typeof open>, mtu: number) => {
            const used: [number[], number[]] = [[], []]
            for (const length of new Set([...lengthsFor(mtu), ...lengthsFor(MTU)])) {
              const sent = socket.send(length)
              const [expected, actual] = sent
              expect({ ...actual, identifications: [] }, `${length} bytes`).toEqual({
                ...expected,
                identifications: [],
              })
              for (const [at, each] of sent.entries()) {
                // Fragments share one, as no two datagrams do. That of atomic ones is 0; Linux
                // numbers them where they might have been fragmented, and on connected sockets.
                if (!isAtomic(each)) used[at]?.push(...each.identifications)
                else if ((!connected && mode >= DISCOVER.do) || at === 1) expect(each.identifications).toEqual([0])
                expect(each.identifications.length).toBeLessThanOrEqual(1)
              }
            }
            for (const each of used) expect(new Set(each).size).toBe(each.length)
            expect(used[1].length).toBe(used[0].length)
            if (connected) {
              const [expected, actual] = socket.known()
              expect(actual).toBe(expected)
            }
          }

          test(
            'the kernel and the stack send alike what is shorter than, as long as and longer than the ' +
              `device's MTU`,
            () => agree(open(family, mode, connected), MTU),
          )

          test.each(family === 4 ? [1400, 576, 552] : [1400, 1280])(
            'the kernel and the stack send alike over a path of %i bytes',
            (mtu) => {
              const socket = open(family, mode, connected)
              socket.send(1400)
              const [expected, actual] = socket.report(mtu)
              expect(actual).toEqual(expected)
              agree(socket, mtu)
            },
          )

          test('the kernel and the stack do not believe a report of more than is known', () => {
            const socket = open(family, mode, connected)
            for (const mtu of [1400, 1450, 9000]) {
              const [expected, actual] = socket.report(mtu)
              expect(actual).toEqual(expected)
            }
            agree(socket, 1400)
          })

          if (family === 4)
            test.each([551, 300, 68])(
              'send by 552 bytes, as that policy lets them with DF clear, after a report of %i (Linux: min_pmtu)',
              (mtu) => {
                const socket = open(family, mode, connected)
                socket.report(552)
                const [expected, actual] = socket.report(mtu)
                expect(actual).toEqual(expected)
                agree(socket, 552)
              },
            )
          if (family === 4)
            test('but: a report of 0 takes the next plateau (RFC 1191 7.1); Linux takes the least MTU', () => {
              const socket = open(family, mode, connected)
              const [expected, actual] = socket.report(0)
              expect(actual).toEqual(expected)
              if (connected) expect(socket.known()).toEqual([552, 1006])
            })
          if (family === 6)
            test('the kernel and the stack do not believe a report of less than 1280 (RFC 8201 4)', () => {
              const socket = open(family, mode, connected)
              const [expected, actual] = socket.report(1279)
              expect(actual).toEqual(expected)
              agree(socket, MTU)
            })
        })
      }
    }
  }
})
