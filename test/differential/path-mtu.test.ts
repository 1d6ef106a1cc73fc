/**
 * IP_MTU_DISCOVER and IPV6_MTU_DISCOVER: what goes onto the wire, what the program is told, and what MTU is known, with a path as wide as the
 * device, and with a narrower one that a router reported.
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
  /** IPv4: more than one packet, or one without DF, must have an Identification of its own (RFC 6864 section 4.1). */
  identified: boolean
  /** What sockets were told of meanwhile. */
  errors: string[]
}

function send(host: Host, family: 4 | 6, port: number, to: string, length: number): Sent {
  const errno = host.send(family, port, pattern(length, length), to, TO_PORT)
  const packets = host.receive()
  return {
    errno,
    packets: packets.map((each) => comparable(each, host.timeOfDay())),
    identified: isIdentified(packets),
    errors: host.delivered().map((each) => `${each.port} ${each.error}`),
  }
}

/** Whether all packets have one and the same identification, of fragments not 0. */
function isIdentified(packets: Bytes[]): boolean {
  const numbers = packets.map((each) => {
    const view = new DataView(each.buffer, each.byteOffset)
    if ((each[0] as number) >>> 4 === 4) return view.getUint16(4)
    return each[6] === 44 ? view.getUint32(44) : 0
  })
  return new Set(numbers).size === 1 && (packets.length === 1 || numbers[0] !== 0)
}

/** The report of a router about a datagram of `length` bytes. */
function tooBig(family: 4 | 6, from: string, to: string, port: number, mtu: number, length = 1400): Bytes {
  const datagram = udp({ from, to, sourcePort: port, port: TO_PORT, payload: pattern(length) })
  if (family === 4) {
    const quote = ip4({ source: from, destination: to, df: true, payload: datagram })
    return ip4({ source: '10.9.0.77', destination: from, protocol: 1, payload: icmp(3, 4, u32(mtu), quote.subarray(0, 68)) })
  }
  const quote = ip6({ source: from, destination: to, payload: datagram })
  const router = { from: 'fd09::77', to: from }
  return ip6({ source: router.from, destination: from, next: 58, payload: icmp(2, 0, u32(mtu), quote.subarray(0, 500), router) })
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
            return [0, 1, 100, full - 1, full, full + 1, full + 8, 2 * full, 3 * MTU, largest[family], largest[family] + 1]
          }
          const agree = (socket: ReturnType<typeof open>, mtu: number) => {
            for (const length of new Set([...lengthsFor(mtu), ...lengthsFor(MTU)])) {
              const [expected, actual] = socket.send(length)
              expect(actual, `${length} bytes`).toEqual(expected)
            }
            if (connected) {
              const [expected, actual] = socket.known()
              expect(actual).toBe(expected)
            }
          }

          test(`send alike what is shorter than, as long as and longer than the device's MTU`, () =>
            agree(open(family, mode, connected), MTU))

          test.each(family === 4 ? [1400, 576, 552] : [1400, 1280])('send alike over a path of %i bytes', (mtu) => {
            const socket = open(family, mode, connected)
            socket.send(1400)
            const [expected, actual] = socket.report(mtu)
            expect(actual).toEqual(expected)
            agree(socket, mtu)
          })

          test('do not believe a report of more than is known', () => {
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
          else
            test('do not believe a report of less than 1280 (RFC 8201 4)', () => {
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
