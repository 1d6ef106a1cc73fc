/**
 * IPv4 source routes where they are allowed: `accept_source_route` of the kernel, `sourceRoute` of
 * a stack; a host, and a router.
 */
import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeOnTun } from '../tun/namespace.ts'
import { difference, run } from './compare.ts'
import { KernelHost, sysctl } from './kernel-host.ts'
import { address, type Bytes, hex, icmp, ip4, join, pattern, u8, u32, udp } from './raw-ip.ts'
import { StackHost } from './stack-host.ts'
import { BROADCAST4, CLOSED_PORT, GROUP4, HOST4, PEER4, PORT } from './world.ts'

const DEVICE = 'srr0'
const TYPES = { loose: 131, strict: 137 } as const
const NEIGHBOR = '10.9.0.5'
/** Behind a gateway on the link. */
const FAR = '192.0.2.9'
const GATEWAY = '10.9.0.7'
const NOWHERE = '198.51.100.1'

const route = (type: number, pointer: number, ...stops: string[]) =>
  join(u8(type, 3 + stops.length * 4, pointer), ...stops.map(address))

/**
 * What comes by a route: a datagram for an open and a closed port, an echo request, a protocol that
 * there is not.
 */
function packets(
  options: Bytes,
  destination = HOST4,
  fields: { ttl?: number; mf?: boolean; id?: number } = {},
): Bytes[] {
  const to = { source: PEER4, destination, options, ...fields }
  const datagram = (port: number) => udp({ from: PEER4, to: destination, port })
  return [
    ip4({ ...to, payload: datagram(PORT) }),
    ip4({ ...to, payload: datagram(CLOSED_PORT) }),
    ip4({ ...to, protocol: 1, payload: icmp(8, 0, u32(0x1234_0001), pattern(16)) }),
    ip4({ ...to, protocol: 200, payload: pattern(16) }),
  ]
}

const cases: [string, Bytes[]][] = Object.entries(TYPES).flatMap(([name, type]): [string, Bytes[]][] => [
  [`a ${name} route that ends here`, packets(route(type, 8, NEIGHBOR))],
  [`a ${name} route of three stops that ends here`, packets(route(type, 16, NEIGHBOR, FAR, GATEWAY))],
  [`a ${name} route of nine stops that ends here`, packets(route(type, 40, ...new Array(9).fill(NEIGHBOR)))],
  [`a ${name} route without stops`, packets(u8(type, 3, 4))],
  [`a ${name} route with a stop left on the link`, packets(route(type, 4, NEIGHBOR))],
  [`a ${name} route with the last of two stops left`, packets(route(type, 8, GATEWAY, NEIGHBOR))],
  [`a ${name} route with two stops left`, packets(route(type, 4, NEIGHBOR, FAR))],
  [`a ${name} route with a stop left behind a gateway`, packets(route(type, 4, FAR))],
  [`a ${name} route whose last stop is this host again`, packets(route(type, 4, HOST4))],
  [`a ${name} route by this host to a neighbor`, packets(route(type, 4, HOST4, HOST4, NEIGHBOR))],
  ...['127.0.0.1', '0.0.0.0', BROADCAST4, '255.255.255.255', GROUP4, '240.0.0.1', PEER4].map(
    (stop): [string, Bytes[]] => [`a ${name} route by ${stop}`, packets(route(type, 4, stop, NEIGHBOR))],
  ),
  ...[0, 3, 5, 6, 7, 9, 11, 12, 255].map((pointer): [string, Bytes[]] => [
    `a ${name} route of one stop with pointer ${pointer}`,
    packets(route(type, pointer, NEIGHBOR)),
  ]),
  ...[NEIGHBOR, FAR, BROADCAST4, '255.255.255.255', GROUP4].flatMap((destination): [string, Bytes[]][] => [
    [`a ${name} route of a packet to ${destination}, with a stop left`, packets(route(type, 4, NEIGHBOR), destination)],
    [`a ${name} route of a packet to ${destination}, without`, packets(route(type, 8, NEIGHBOR), destination)],
  ]),
  [
    `a ${name} route and a TTL of 1`,
    [route(type, 4, NEIGHBOR), route(type, 8, NEIGHBOR)].flatMap((each) => packets(each, HOST4, { ttl: 1 })),
  ],
  [`a ${name} route behind no operation`, packets(join(u8(1, 1, 1), route(type, 8, NEIGHBOR, GATEWAY), u8(1)))],
  [`a ${name} route and a record route`, packets(join(route(type, 4, NEIGHBOR), u8(7, 11, 4), new Uint8Array(8)))],
  [
    `a ${name} route at its end and a record route`,
    packets(join(route(type, 8, NEIGHBOR), u8(7, 11, 4), new Uint8Array(8))),
  ],
  [
    `a record route and a ${name} route at its end`,
    packets(join(u8(7, 11, 4), new Uint8Array(8), route(type, 8, NEIGHBOR))),
  ],
  [
    `a ${name} route at its end and a timestamp`,
    packets(join(route(type, 8, NEIGHBOR), u8(68, 12, 5, 0), new Uint8Array(8))),
  ],
  [
    `a ${name} route with a bad pointer and a timestamp`,
    packets(join(route(type, 6, NEIGHBOR), u8(68, 12, 5, 0), new Uint8Array(9))),
  ],
  [`a ${name} route and a bad option`, packets(join(route(type, 8, NEIGHBOR), u8(7, 1)))],
  [`a bad option and a ${name} route`, packets(join(u8(7, 1), route(type, 8, NEIGHBOR)))],
  [`two ${name} routes`, packets(join(route(type, 8, NEIGHBOR), route(type, 8, NEIGHBOR)))],
  [
    `a ${name} route in fragments`,
    [0, 1].map((at) =>
      ip4({
        source: PEER4,
        destination: HOST4,
        options: route(type, 8, NEIGHBOR),
        id: 700 + type,
        mf: at === 0,
        offset: at * 24,
        payload: udp({ from: PEER4, to: HOST4, payload: pattern(40) }).subarray(at * 24, at === 0 ? 24 : 48),
      }),
    ),
  ],
])

/**
 * The way back straight to the peer is narrower than that by the neighbor, so the errors have
 * different lengths.
 */
const narrow: Bytes[] = [
  ip4({
    source: PEER4,
    destination: HOST4,
    protocol: 1,
    payload: icmp(
      3,
      4,
      u32(552),
      ip4({
        source: HOST4,
        destination: PEER4,
        df: true,
        payload: udp({ from: HOST4, to: PEER4, sourcePort: PORT, port: 9 }),
      }),
    ),
  }),
  ...[u8(), route(TYPES.loose, 8, NEIGHBOR)].map((options) =>
    ip4({
      source: PEER4,
      destination: HOST4,
      options,
      payload: udp({ from: PEER4, to: HOST4, port: CLOSED_PORT, payload: pattern(1000) }),
    }),
  ),
]
cases.push(['errors are as long as the path to the first stop allows', narrow])

describeOnTun('the kernel and the stack treat alike', () => {
  for (const [what, accepts, forwards] of [
    ['a host that refuses source routes', false, false],
    ['a host that follows source routes', true, false],
    ['a router that refuses source routes', false, true],
    ['a router that follows source routes', true, true],
  ] as const) {
    describe(`${what}:`, () => {
      let kernel: KernelHost
      let stack: StackHost
      beforeAll(() => {
        const addresses = [`${HOST4}/24`]
        kernel = new KernelHost(DEVICE, addresses)
        for (const name of ['all', DEVICE]) sysctl(`ipv4/conf/${name}/accept_source_route`, accepts ? 1 : 0)
        for (const name of ['all', DEVICE]) sysctl(`ipv4/conf/${name}/send_redirects`, 0)
        sysctl('ipv4/ip_forward', forwards ? 1 : 0)
        execFileSync('ip', ['route', 'add', '192.0.2.0/24', 'via', GATEWAY])
        stack = new StackHost(addresses, 1500, { sourceRoute: accepts, forwarding: forwards })
        stack.stack.addRoute({ to: '192.0.2.0/24', via: GATEWAY })
        for (const host of [kernel, stack]) host.open({ family: 4, port: PORT })
      })
      afterAll(() => {
        kernel.close()
        stack.close()
      })

      test.each(cases)('%s', (_, all) => {
        if (accepts) for (const each of all) expect(run(stack, each)).toEqual(run(kernel, each))
        else expect(difference(kernel, stack, all, new Set())).toBe('')
      })

      if (accepts && forwards)
        test.each(Object.entries(TYPES))(
          'but: a stop that there is no %s route to draws Network Unreachable, of which Linux says ' +
            'nothing (RFC 1812 5.2.7.1)',
          (_, type) => {
            for (const each of packets(route(type, 4, NOWHERE))) {
              expect(run(kernel, each)).toEqual({ sent: [], delivered: [] })
              const { sent, delivered } = run(stack, each)
              expect(delivered).toEqual([])
              expect(sent).toEqual([expect.stringMatching(new RegExp(` 0300[0-9a-f]{4}00000000${hex(each)}$`))])
            }
          },
        )
      else
        test.each(Object.entries(TYPES))('a stop that there is no %s route to is passed over in silence', (_, type) => {
          for (const each of packets(route(type, 4, NOWHERE)))
            for (const host of [kernel, stack]) expect(run(host, each)).toEqual({ sent: [], delivered: [] })
        })
    })
  }
})
