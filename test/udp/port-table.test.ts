import dgram from 'node:dgram'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Address } from '../../src/base/address.ts'
import { ManualClock } from '../../src/base/clock.ts'
import { Packet } from '../../src/base/packet.ts'
import { SeededRandom } from '../../src/base/random.ts'
import { Stack } from '../../src/stack.ts'
import type { Endpoint } from '../../src/udp/endpoint.ts'
import { PortTable } from '../../src/udp/port-table.ts'
import { Mailbox, makeHost, open, TestLink } from '../host.ts'
import { datagram } from '../packet.ts'
import { testWith } from '../skips.ts'
import { slowLookup } from '../twins/port-table.ts'

const newStack = (seed: number | string = 'ports') =>
  new Stack({ clock: new ManualClock(), random: new SeededRandom(seed) })

interface Binding {
  readonly family: 4 | 6
  readonly address: string
  readonly ipv6Only: boolean
  readonly reuseAddress: boolean
}

function describeBinding({ family, address, ipv6Only, reuseAddress }: Binding): string {
  return `udp${family} ${address}${ipv6Only ? ' v6only' : ''}${reuseAddress ? ' reuse' : ''}`
}

function bindOurs(stack: Stack, { family, address, ipv6Only, reuseAddress }: Binding, port: number): string {
  const endpoint = stack.udp.createEndpoint(family, new Mailbox())
  endpoint.ipv6Only = ipv6Only
  endpoint.reuseAddress = reuseAddress
  return endpoint.bind(Address.parse(address), port)
}

/** Binds a socket of the kernel; the port, or the error's code. */
function bindKernel(
  { family, address, ipv6Only, reuseAddress }: Binding,
  port: number,
): Promise<{ socket: dgram.Socket; result: number | string }> {
  const socket = dgram.createSocket({ type: `udp${family}`, ipv6Only, reuseAddr: reuseAddress })
  return new Promise((resolve) => {
    socket.once('error', (error: NodeJS.ErrnoException) => resolve({ socket, result: error.code ?? '' }))
    socket.once('listening', () => resolve({ socket, result: socket.address().port }))
    // 'udp4' or 'udp6' and a numeric address: no name is looked up.
    socket.bind({ port, address, exclusive: true })
  })
}

const hasIPv6 = await bindKernel({ family: 6, address: '::1', ipv6Only: true, reuseAddress: false }, 0).then(
  ({ socket, result }) => {
    socket.close()
    return typeof result === 'number'
  },
)

describe('whether two sockets may share a port', () => {
  const places = [
    { family: 4, address: '0.0.0.0', ipv6Only: false },
    { family: 4, address: '127.0.0.1', ipv6Only: false },
    { family: 4, address: '127.0.0.2', ipv6Only: false },
    { family: 6, address: '::', ipv6Only: false },
    { family: 6, address: '::', ipv6Only: true },
    { family: 6, address: '::1', ipv6Only: false },
    { family: 6, address: '::1', ipv6Only: true },
    { family: 6, address: '::ffff:127.0.0.1', ipv6Only: false },
  ] as const
  const bindings: Binding[] = places.flatMap((place) =>
    [false, true].map((reuseAddress) => ({ ...place, reuseAddress })),
  )

  const compare = testWith(hasIPv6, '::1 on this machine', '')
  compare(
    'is decided as the kernel decides it, for every pair of addresses and options',
    async () => {
      const differences: string[] = []
      let refused = 0
      for (const first of bindings) {
        for (const second of bindings) {
          const a = await bindKernel(first, 0)
          const port = a.result as number
          const b = await bindKernel(second, port)
          const kernel = typeof b.result === 'number' ? '' : b.result
          a.socket.close()
          b.socket.close()
          const stack = newStack()
          expect(bindOurs(stack, first, port)).toBe('')
          const ours = bindOurs(stack, second, port)
          if (ours !== kernel)
            differences.push(
              `${describeBinding(first)}, then ${describeBinding(second)}: '${ours}', and the kernel '${kernel}'`,
            )
          if (kernel !== '') refused++
        }
      }
      expect(differences).toEqual([])
      expect(refused).toBeGreaterThan(50)
      expect(refused).toBeLessThan(bindings.length ** 2 - 50)
    },
    30_000,
  )

  const endpointOf = (stack: Stack, address: string, prepare: (endpoint: Endpoint) => void, port = 5000) => {
    const endpoint = stack.udp.createEndpoint(4, new Mailbox())
    prepare(endpoint)
    return [endpoint.bind(Address.parse(address), port), endpoint] as const
  }

  test('is granted with reusePort on both sides alone', () => {
    const stack = newStack()
    const share = (endpoint: Endpoint) => (endpoint.reusePort = true)
    expect(endpointOf(stack, '127.0.0.1', share)[0]).toBe('')
    expect(endpointOf(stack, '127.0.0.1', share)[0]).toBe('')
    expect(endpointOf(stack, '127.0.0.1', () => {})[0]).toBe('EADDRINUSE')
    expect(endpointOf(stack, '127.0.0.1', (endpoint) => (endpoint.reuseAddress = true))[0]).toBe('EADDRINUSE')
  })

  test('is granted to sockets of different devices', () => {
    const stack = newStack()
    expect(endpointOf(stack, '0.0.0.0', (endpoint) => (endpoint.boundNic = 1))[0]).toBe('')
    expect(endpointOf(stack, '0.0.0.0', (endpoint) => (endpoint.boundNic = 2))[0]).toBe('')
    expect(endpointOf(stack, '0.0.0.0', (endpoint) => (endpoint.boundNic = 2))[0]).toBe('EADDRINUSE')
    expect(endpointOf(stack, '0.0.0.0', () => {})[0]).toBe('EADDRINUSE')
  })

  test('no longer matters when one is closed', () => {
    const stack = newStack()
    const [, endpoint] = endpointOf(stack, '127.0.0.1', () => {})
    endpoint.close()
    endpoint.close()
    expect(endpointOf(stack, '127.0.0.1', () => {})[0]).toBe('')
    expect(stack.netstat().sockets.length).toBe(1)
  })
})

test('who is connected to a link-local address hears it by its own link alone', () => {
  const { stack, link } = makeHost()
  const other = new TestLink('eth1')
  stack.addNic(other, { addresses: ['fe80::21/64'] })
  const { endpoint, mailbox } = open(stack, 6, 5000)
  expect(endpoint.connect(Address.parse('fe80::9'), 9, 3)).toBe('')
  const from = (destination: string) =>
    datagram([1], 6, { source: 'fe80::9', destination, sourcePort: 9, destinationPort: 5000 })
  link.receive(from('fe80::20'))
  other.receive(from('fe80::21'))
  expect(mailbox.received.map(({ nic, to }) => [nic, to])).toEqual([[3, 'fe80::21']])
})

describe('an ephemeral port', () => {
  const bindAny = (stack: Stack, address = '127.0.0.1') => {
    const endpoint = stack.udp.createEndpoint(4, new Mailbox())
    return [endpoint.bind(Address.parse(address), 0), endpoint.localPort] as const
  }

  test('is random, of Linux’s range, and nobody else’s', () => {
    const stack = newStack()
    const ports = Array.from({ length: 2000 }, () => bindAny(stack)[1])
    expect(new Set(ports).size).toBe(2000)
    for (const port of ports) expect(port >= 32_768 && port <= 60_999).toBe(true)
    const ordered = ports.slice(1).filter((port, at) => port === (ports[at] as number) + 1).length
    expect(ordered).toBeLessThan(20)
    const mean = ports.reduce((a, b) => a + b) / ports.length
    expect(Math.abs(mean - (32_768 + 60_999) / 2)).toBeLessThan((6 * 28_232) / Math.sqrt(12 * 2000))
    expect(Array.from({ length: 5 }, () => bindAny(newStack('other'))[1])).not.toEqual(ports.slice(0, 5))
  })

  test('is as likely behind a taken range as anywhere else (RFC 6056 3.1)', () => {
    const stack = newStack()
    // All but the first thirty, every five hundredth of the rest, and the last thirty: 116.
    const isFree = (port: number) => port < 32_798 || port >= 60_970 || port % 500 === 0
    let failed = 0
    for (let port = 32_768; port <= 60_999; port++)
      if (!isFree(port) && stack.udp.createEndpoint(4, new Mailbox()).bind(Address.LOOPBACK4, port) !== '') failed++
    expect(failed).toBe(0)
    const chosen = Array.from({ length: 400 }, () => {
      const endpoint = stack.udp.createEndpoint(4, new Mailbox())
      expect(endpoint.bind(Address.LOOPBACK4, 0)).toBe('')
      const { localPort } = endpoint
      endpoint.close()
      return localPort
    })
    // Each is chosen 3.4 times on average: none more than 15 times.
    const counts = new Map<number, number>()
    for (const port of chosen) counts.set(port, (counts.get(port) ?? 0) + 1)
    for (const port of chosen) expect(isFree(port)).toBe(true)
    expect(Math.max(...counts.values())).toBeLessThan(16)
    expect(counts.size).toBeGreaterThan(100)
  })

  test('is found while one is left; then there is EADDRINUSE', () => {
    const stack = newStack()
    const free = 45_678
    for (let port = 32_768; port <= 60_999; port++) {
      if (port === free) continue
      const endpoint = stack.udp.createEndpoint(4, new Mailbox())
      // Sharing does not make a port free for those who ask for one of their own.
      endpoint.reuseAddress = true
      expect(endpoint.bind(Address.ANY4, port)).toBe('')
    }
    expect(bindAny(stack)).toEqual(['', free])
    expect(bindAny(stack)).toEqual(['EADDRINUSE', 0])
    const sharing = stack.udp.createEndpoint(4, new Mailbox())
    sharing.reuseAddress = true
    expect(sharing.bind(Address.ANY4, 0)).toBe('EADDRINUSE')
    // IPv6 alone has all of them.
    const six = stack.udp.createEndpoint(6, new Mailbox())
    six.ipv6Only = true
    expect(six.bind(Address.ANY6, 0)).toBe('')
  })
})

describe('the socket that gets a datagram', () => {
  const locals4 = ['0.0.0.0', '127.0.0.1', '127.0.0.2'].map(Address.parse)
  const locals6 = ['::', '::1', '2001:db8::7', '::ffff:127.0.0.1', '0.0.0.0'].map(Address.parse)
  const peers4 = ['192.0.2.1', '192.0.2.2'].map(Address.parse)
  const peers6 = ['2001:db8::1', '2001:db8::2'].map(Address.parse)

  const endpoint = fc.record({
    family: fc.constantFrom(4 as const, 6 as const),
    local: fc.nat(4),
    peer: fc.option(fc.nat(1), { freq: 2 }),
    peerPort: fc.constantFrom(1000, 1001),
    boundNic: fc.constantFrom(0, 0, 2, 3),
    ipv6Only: fc.boolean(),
    removed: fc.nat(5).map((value) => value === 0),
  })
  const datagram = fc.record({
    six: fc.boolean(),
    source: fc.nat(1),
    destination: fc.nat(2),
    port: fc.constantFrom(1000, 1001),
    nic: fc.constantFrom(2, 3),
  })

  test('is that of the slow twin, for any set of sockets', () => {
    const stack = newStack()
    const packet = new Packet()
    let found = 0
    fc.assert(
      fc.property(
        fc.array(endpoint, { maxLength: 24 }),
        fc.array(datagram, { minLength: 1, maxLength: 12 }),
        (specs, datagrams) => {
          const table = new PortTable(new SeededRandom(1))
          const present: Endpoint[] = []
          for (const spec of specs) {
            const each = stack.udp.createEndpoint(spec.family, new Mailbox())
            each.ipv6Only = spec.family === 6 && spec.ipv6Only
            const locals = spec.family === 4 ? locals4 : locals6
            each.localAddress = locals[spec.local % locals.length] as Address
            if (each.ipv6Only && each.localAddress.family === 4) continue
            each.localPort = 7
            each.boundNic = spec.boundNic
            // `connect` gives a socket that is bound to any the address that the route chose.
            if (spec.peer !== null && !each.localAddress.isUnspecified) {
              each.remoteAddress = (each.localAddress.family === 4 ? peers4 : peers6)[spec.peer] as Address
              each.remotePort = spec.peerPort
            }
            table.add(each)
            present.push(each)
          }
          specs.forEach(({ removed }, at) => {
            const each = present[at]
            if (!removed || each === undefined) return
            table.remove(each)
            present.splice(at, 1)
          })
          expect(table.all().length).toBe(present.length)
          for (const { six, source, destination, port, nic } of datagrams) {
            const from = (six ? peers6 : peers4)[source] as Address
            const to = (six ? ['::1', '2001:db8::7', '2001:db8::8'] : ['127.0.0.1', '127.0.0.2', '127.0.0.3']).map(
              Address.parse,
            )[destination] as Address
            packet.family = six ? 6 : 4
            packet.nic = nic
            Object.assign(packet, {
              s0: from.w0,
              s1: from.w1,
              s2: from.w2,
              s3: from.w3,
              d0: to.w0,
              d1: to.w1,
              d2: to.w2,
              d3: to.w3,
            })
            const expected = slowLookup(present, packet, port)
            if (expected !== null) found++
            expect(present.indexOf(table.lookup(packet, port, 7) as Endpoint)).toBe(
              present.indexOf(expected as Endpoint),
            )
            expect(table.lookup(packet, port, 8)).toBe(null)
          }
        },
      ),
      { seed: 768, numRuns: 800 },
    )
    expect(found).toBeGreaterThan(1000)
  })

  test.each([4, 6] as const)(
    'is found beside thousands of others on its port without looking at them, IPv%i',
    (family) => {
      const stack = newStack()
      const local = Address.parse(family === 4 ? '127.0.0.1' : '::1')
      let looks = 0
      const endpointTo = (to: Address, remote: Address | null, port: number) => {
        const each = stack.udp.createEndpoint(family, new Mailbox())
        each.localPort = 7
        each.localAddress = to
        each.remoteAddress = remote
        each.remotePort = port
        stack.udp.ports.add(each)
        Object.defineProperty(each, 'localAddress', {
          get: () => {
            looks++
            return to
          },
        })
        return each
      }
      const any = endpointTo(family === 4 ? Address.ANY4 : Address.ANY6, null, 0)
      const connected = Array.from({ length: 2000 }, (_, i) =>
        endpointTo(local, Address.parse(family === 4 ? '127.0.0.9' : `2001:db8::${(i % 5000) + 1}`), 1000 + i),
      )
      const bound = Array.from({ length: 2000 }, (_, i) =>
        endpointTo(Address.parse(family === 4 ? `127.1.${i >> 8}.${i & 255}` : `2001:db8:1::${i + 1}`), null, 0),
      )
      const look = (from: Address, port: number, to: Address) => {
        const packet = new Packet()
        packet.family = family
        Object.assign(packet, {
          s0: from.w0,
          s1: from.w1,
          s2: from.w2,
          s3: from.w3,
          d0: to.w0,
          d1: to.w1,
          d2: to.w2,
          d3: to.w3,
        })
        looks = 0
        const found = stack.udp.ports.lookup(packet, port, 7)
        expect(looks).toBeLessThan(6)
        return found
      }
      const last = connected[1999] as Endpoint
      expect(look(last.remoteAddress as Address, 2999, local)).toBe(last)
      expect(look(Address.parse(family === 4 ? '192.0.2.1' : '2001:db8:2::1'), 9, local)).toBe(any)
      expect(
        look(Address.parse(family === 4 ? '192.0.2.1' : '2001:db8:2::1'), 9, (bound[5] as Endpoint).localAddress),
      ).toBe(bound[5])
      expect(stack.udp.ports.longestChain).toBeLessThan(4)
      // What is for a group is for those that are bound to any, here.
      const packet = new Packet()
      packet.family = family
      expect(stack.udp.ports.candidates(packet, 9, 7)).toEqual([any])
      for (const each of [...connected, ...bound]) stack.udp.ports.remove(each)
      expect(look(local, 9, local)).toBe(any)
    },
  )

  test('of a reusePort group is chosen by the flow: always the same one, and all of them have their share', () => {
    const stack = newStack()
    const group = Array.from({ length: 4 }, () => {
      const each = stack.udp.createEndpoint(4, new Mailbox())
      each.reusePort = true
      expect(each.bind(Address.LOOPBACK4, 7)).toBe('')
      return each
    })
    const packet = new Packet()
    packet.family = 4
    Object.assign(packet, { s2: 0xffff, d2: 0xffff, s3: 0x0a000001, d3: 0x7f000001 })
    const share = new Map(group.map((each) => [each, 0]))
    for (let port = 1000; port < 3000; port++) {
      const chosen = stack.udp.ports.lookup(packet, port, 7) as Endpoint
      expect(stack.udp.ports.lookup(packet, port, 7)).toBe(chosen)
      share.set(chosen, (share.get(chosen) as number) + 1)
    }
    // 500 each, within six standard deviations.
    for (const count of share.values()) expect(Math.abs(count - 500)).toBeLessThan(6 * Math.sqrt(2000 * 0.25 * 0.75))
  })

  test('is found among thousands that are connected', () => {
    const stack = newStack()
    const many = Array.from({ length: 3000 }, (_, at) => {
      const each = stack.udp.createEndpoint(4, new Mailbox())
      each.reuseAddress = true
      each.localAddress = Address.LOOPBACK4
      each.localPort = 7
      each.remoteAddress = Address.fromIPv4(0x0a000000 + at)
      each.remotePort = 9
      stack.udp.ports.add(each)
      return each
    })
    const packet = new Packet()
    packet.family = 4
    Object.assign(packet, { s2: 0xffff, d2: 0xffff, d3: 0x7f000001 })
    many.forEach((each, at) => {
      packet.s3 = 0x0a000000 + at
      expect(stack.udp.ports.lookup(packet, 9, 7)).toBe(each)
      expect(stack.udp.ports.lookup(packet, 10, 7)).toBe(null)
    })
    for (const each of many) stack.udp.ports.remove(each)
    expect(stack.udp.ports.all()).toEqual([])
  })
})
