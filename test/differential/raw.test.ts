/** Raw endpoints and the kernel's raw sockets: the same calls, the same packets, the same results. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Address } from '../../src/base/address.ts'
import type { PmtuMode } from '../../src/ip/routing/pmtu-mode.ts'
import { loadLibc } from '../../src/link/device/tun-libc.ts'
import { findInterface } from '../../src/link/device/tun-netlink.ts'
import type { RawEndpoint } from '../../src/raw/raw-endpoint.ts'
import { describeOnTun } from '../tun/namespace.ts'
import type { Host } from './host.ts'
import { KernelHost } from './kernel-host.ts'
import { KernelRaw } from './kernel-raw.ts'
import {
  address,
  type Bytes,
  checksum,
  fragmentHeader,
  hex,
  icmp,
  ip4,
  ip6,
  join,
  options,
  pattern,
  u8,
  u16,
  u32,
  udp,
} from './raw-ip.ts'
import { StackHost } from './stack-host.ts'
import { BROADCAST4, GROUP4, GROUP6, HOST4, HOST6, PEER4, PEER6 } from './world.ts'

/** For experiments (RFC 3692); nobody else speaks it. */
const OWN = 253
const OTHER4 = '10.9.0.5'
const OTHER6 = 'fd09::5'
const NOWHERE4 = '192.0.2.1'
const NOWHERE6 = '2001:db8::1'

type Settings = Parameters<KernelRaw['set']>[0]

/** A raw socket, of the kernel or of a stack. */
interface Raw {
  set(option: Settings, value: number): string
  setIpOptions(options: Bytes): string
  join(group: string): string
  bind(local: string): string
  connect(peer: string): string
  send(bytes: Bytes, to: string | null, source?: string): string
  take(): (Bytes | string)[]
  close(): void
}

/** What a case does to a host, and what it sees of it. */
interface World {
  open(family: 4 | 6, protocol: number, settings?: Partial<Record<Settings, number>>): Raw
  /** A packet comes from the wire; what the host sends in answer is noted. */
  input(...packets: Bytes[]): void
  /** Notes results, what the sockets got, and what the host sent. */
  note(...results: unknown[]): void
}

class StackRaw implements Raw {
  readonly #host: StackHost
  readonly #family: 4 | 6
  readonly #taken: (Bytes | string)[] = []
  #protocol: number
  #endpoint: RawEndpoint

  constructor(host: StackHost, family: 4 | 6, protocol: number, settings: Partial<Record<Settings, number>>) {
    this.#host = host
    this.#family = family
    this.#protocol = protocol
    this.#endpoint = this.#open(settings)
  }

  #open({ headerIncluded, checksumOffset, ...rest }: Partial<Record<Settings, number>>): RawEndpoint {
    const endpoint = this.#host.stack.openRaw({
      family: this.#family,
      protocol: this.#protocol,
      ...(headerIncluded === undefined ? {} : { headerIncluded: headerIncluded === 1 }),
      ...(checksumOffset === undefined ? {} : { checksumOffset }),
      receive: (packet) => {
        // The kernel shows IPv4 headers, and no IPv6 ones.
        const start = this.#family === 4 ? packet.network : packet.start
        this.#taken.push(packet.bytes.slice(start, packet.end))
      },
      icmp: (_error, errno) => {
        if (errno !== '') this.#taken.push(errno)
      },
    })
    for (const [option, value] of Object.entries(rest)) this.#assign(endpoint, option as Settings, value)
    return endpoint
  }

  #assign(endpoint: RawEndpoint, option: Settings, value: number): void {
    switch (option) {
      case 'hopLimit':
      case 'multicastHopLimit':
      case 'tos':
        endpoint[option] = value
        break
      case 'pmtuMode':
        endpoint.pmtuMode = value as PmtuMode
        break
      case 'multicastLoop':
      case 'broadcast':
      case 'dontRoute':
      case 'receiveErrors':
        endpoint[option] = value === 1
        break
      default:
        throw new Error(`${option} is an option of openRaw`)
    }
  }

  set(option: Settings, value: number): string {
    this.#assign(this.#endpoint, option, value)
    return ''
  }

  setIpOptions = (bytes: Bytes) => this.#endpoint.setIpOptions(bytes)
  join = (group: string) => this.#endpoint.groups.join(Address.parse(group), this.#host.nic.index)
  bind = (local: string) => this.#endpoint.bind(local)
  connect = (peer: string) => this.#endpoint.connect(peer)
  send = (bytes: Bytes, to: string | null, source?: string) =>
    this.#endpoint.send(bytes, to, source === undefined ? {} : { source: Address.parse(source) })

  take(): (Bytes | string)[] {
    this.#host.clock.settle()
    return this.#taken.splice(0)
  }

  close(): void {
    this.#endpoint.close()
  }
}

/**
 * What must not be compared, taken out: numbers that are to be unpredictable, once the checksum
 * over them was found right.
 */
function comparable(packet: Bytes): string {
  const bytes = packet.slice()
  const [first = 0] = bytes
  if (first >>> 4 === 4) {
    const header = (first & 15) * 4
    const right = header >= 20 && checksum(bytes.subarray(0, header)) === 0
    bytes.set(u16(0), 4)
    bytes.set(u16(0), 10)
    return `${right ? '' : 'wrong checksum '}${hex(bytes)}`
  }
  bytes.set(u16(0), 2)
  bytes[1] = (bytes[1] as number) & 0xf0
  if (bytes[6] === 44) bytes.set(u32(0), 44)
  return hex(bytes)
}

/** Not IGMP, and not MLD behind its hop-by-hop header: reports of groups leave by a timer. */
function isOurs(packet: Bytes): boolean {
  const four = (packet[0] as number) >>> 4 === 4
  return four ? packet[9] !== 2 : packet[6] !== 0
}

/** What a socket got; the names of one number are one name. */
function told(each: Bytes | string): string {
  if (typeof each === 'string') return each === 'ENOTSUP' ? 'EOPNOTSUPP' : each
  const source = (each[0] as number) >>> 4 === 4 ? hex(each.subarray(12, 16)) : ''
  return source === hex(address(HOST4)) || source === '7f000001' ? comparable(each) : hex(each)
}

function worldOf(host: Host, open: World['open']): { world: World; notes: unknown[]; end(): void } {
  const notes: unknown[] = []
  const raws: Raw[] = []
  const drain = () => {
    const got = raws.map((raw) => raw.take().map(told))
    notes.push({ sent: host.receive().filter(isOurs).map(comparable), got })
  }
  return {
    notes,
    world: {
      open(...args) {
        const raw = open(...args)
        raws.push(raw)
        return raw
      },
      input(...packets) {
        for (const packet of packets) host.input(packet)
        drain()
      },
      note(...results) {
        notes.push(results)
        drain()
      },
    },
    end() {
      for (const raw of raws) raw.close()
      host.receive()
    },
  }
}

const ends = (family: 4 | 6) =>
  family === 4 ? { source: PEER4, destination: HOST4 } : { source: PEER6, destination: HOST6 }
const packet = (family: 4 | 6, protocol: number, payload: Bytes, fields: Record<string, unknown> = {}): Bytes =>
  family === 4
    ? ip4({ ...(ends(4) as { source: string; destination: string }), protocol, payload, ...fields })
    : ip6({ ...(ends(6) as { source: string; destination: string }), next: protocol, payload, ...fields })
const peerOf = (family: 4 | 6) => (family === 4 ? PEER4 : PEER6)
const hostOf = (family: 4 | 6) => (family === 4 ? HOST4 : HOST6)
const echo = (family: 4 | 6, type = family === 4 ? 8 : 128) =>
  icmp(type, 0, u32(0x1234_0001), pattern(16), family === 4 ? undefined : { from: PEER6, to: HOST6 })
/** A whole IPv4 packet to write with a header of one's own. */
const whole4 = (fields: Record<string, unknown> = {}) =>
  ip4({ source: HOST4, destination: PEER4, protocol: OWN, payload: pattern(24), ...fields })
const whole6 = (fields: Record<string, unknown> = {}) =>
  ip6({ source: HOST6, destination: PEER6, next: OWN, payload: pattern(24), ...fields })

/** An ICMP error about a packet that the host sent. */
const about = (family: 4 | 6, type: number, code: number, value: number, quoted: Bytes): Bytes =>
  packet(
    family,
    family === 4 ? 1 : 58,
    icmp(type, code, u32(value), quoted, family === 4 ? undefined : { from: PEER6, to: HOST6 }),
  )
const own = (family: 4 | 6, to: string, size = 24) =>
  packet(family, OWN, pattern(size), { source: hostOf(family), destination: to })

type Case = readonly [name: string, run: (world: World, family: 4 | 6) => void, families?: readonly (4 | 6)[]]

const received: Case[] = [
  [
    'a packet of a protocol that nobody speaks, before, while and after an endpoint is open',
    ({ open, input }, family) => {
      const one = packet(family, OWN, pattern(20))
      input(one)
      const raw = open(family, OWN)
      input(one, one)
      input(packet(family, OWN, pattern(0)))
      input(packet(family, OWN + 1, pattern(20)))
      raw.close()
      input(one)
    },
  ],
  [
    'two endpoints of one protocol',
    ({ open, input }, family) => {
      open(family, OWN)
      open(family, OWN)
      input(packet(family, OWN, pattern(20)))
    },
  ],
  [
    'copies of echo requests and replies, of good and of bad checksums',
    ({ open, input }, family) => {
      open(family, family === 4 ? 1 : 58)
      const protocol = family === 4 ? 1 : 58
      input(packet(family, protocol, echo(family)))
      input(packet(family, protocol, echo(family, family === 4 ? 0 : 129)))
      const bad = echo(family)
      bad[10] = (bad[10] as number) ^ 1
      input(packet(family, protocol, bad))
      // Of less than a header Linux makes no IPv4 copy, for its filter of types cannot read it.
      if (family === 6) input(packet(family, protocol, pattern(3)))
    },
  ],
  [
    'copies of datagrams, whose port is closed',
    ({ open, input }, family) => {
      open(family, 17)
      const datagram = udp({ from: peerOf(family), to: hostOf(family) })
      input(packet(family, 17, datagram))
      input(packet(family, 17, udp({ from: peerOf(family), to: hostOf(family), checksum: 0x1234 })))
    },
  ],
  [
    'fragments, which make one packet',
    ({ open, input }, family) => {
      open(family, OWN)
      const payload = pattern(100)
      const parts: readonly (readonly [number, number])[] = [
        [0, 48],
        [48, 100],
      ]
      for (const [at, end] of parts)
        input(
          family === 4
            ? packet(4, OWN, payload.subarray(at, end), { id: 77, offset: at, mf: end < 100 })
            : packet(6, 44, join(fragmentHeader(OWN, at, end < 100, 77), payload.subarray(at, end))),
        )
    },
  ],
  [
    'headers with options, hop limits and traffic classes',
    ({ open, input }, family) => {
      open(family, OWN)
      if (family === 4) {
        input(packet(4, OWN, pattern(9), { options: u8(1, 1, 1, 0), tos: 0xb9, ttl: 1, id: 9, df: true }))
        input(packet(4, OWN, pattern(9), { options: join(u8(7, 7, 4), new Uint8Array(5)) }))
      } else {
        input(packet(6, OWN, pattern(9), { trafficClass: 0xb9, hopLimit: 1, flowLabel: 77 }))
        input(packet(6, 0, join(options(60), options(OWN), pattern(9))))
      }
    },
  ],
  [
    'an endpoint bound to an address',
    ({ open, input, note }, family) => {
      const raw = open(family, OWN)
      note(raw.bind(hostOf(family)), raw.bind(family === 4 ? NOWHERE4 : NOWHERE6))
      input(packet(family, OWN, pattern(20)))
      const group = family === 4 ? '224.0.0.1' : 'ff02::1'
      input(packet(family, OWN, pattern(20), { destination: group }))
      if (family === 4) input(packet(4, OWN, pattern(20), { destination: BROADCAST4 }))
    },
  ],
  [
    'an endpoint bound to a group or broadcast address',
    ({ open, input, note }, family) => {
      const raw = open(family, OWN)
      const group = family === 4 ? '224.0.0.1' : 'ff05::1'
      note(raw.bind(group))
      note(raw.send(pattern(4), peerOf(family)))
      input(packet(family, OWN, pattern(20)), packet(family, OWN, pattern(20), { destination: group }))
      if (family === 6) return
      const other = open(4, OWN)
      note(other.bind(BROADCAST4), other.send(pattern(4), PEER4))
      input(packet(4, OWN, pattern(20)), packet(4, OWN, pattern(20), { destination: BROADCAST4 }))
    },
  ],
  [
    'a connected endpoint',
    ({ open, input, note }, family) => {
      const raw = open(family, OWN)
      note(raw.send(pattern(4), null))
      note(raw.connect(peerOf(family)), raw.send(pattern(4), null))
      note(raw.bind(hostOf(family)))
      input(packet(family, OWN, pattern(20)))
      input(packet(family, OWN, pattern(20), { source: family === 4 ? OTHER4 : OTHER6 }))
      note(raw.send(pattern(4), family === 4 ? OTHER4 : OTHER6))
    },
  ],
  [
    'groups that are joined, and others',
    ({ open, input, note }, family) => {
      const group = family === 4 ? GROUP4 : GROUP6
      const raw = open(family, OWN)
      open(family, OWN)
      input(packet(family, OWN, pattern(8), { destination: group }))
      note(raw.join(group), raw.join(group))
      input(packet(family, OWN, pattern(8), { destination: group }))
      raw.close()
      input(packet(family, OWN, pattern(8), { destination: group }))
    },
  ],
  [
    'every protocol number',
    ({ open, input }) => {
      for (const protocol of [3, 6, 47, 89, 103, 132, 254, 255]) {
        const raw = open(4, protocol)
        input(packet(4, protocol, pattern(20)))
        raw.close()
      }
      for (const protocol of [6, 47, 89, 103, 132, 254, 255]) {
        const raw = open(6, protocol)
        input(packet(6, protocol, pattern(20)))
        raw.close()
      }
    },
    [4],
  ],
  [
    'a checksum at an offset, right, wrong and missing',
    ({ open, input, note }) => {
      const raw = open(6, OWN, { checksumOffset: 4 })
      const message = pattern(21)
      message.set(u16(0), 4)
      const pseudo = (length: number) =>
        join(...[PEER6, HOST6].map((each) => Address.parse(each).toBytes()), u32(length), u32(OWN))
      const odd = new Uint8Array(1)
      const right = message.slice()
      right.set(u16(checksum(join(pseudo(message.length), message, odd))), 4)
      input(packet(6, OWN, right))
      input(packet(6, OWN, message))
      note(raw.send(message, PEER6), raw.send(pattern(6), PEER6), raw.send(pattern(5), PEER6))
    },
    [6],
  ],
]

const sent: Case[] = [
  [
    'messages of all sizes, the empty one and the longest',
    ({ open, note }, family) => {
      const raw = open(family, OWN)
      for (const size of [0, 1, 1460, 1461, 1480, 1481, 3000]) note(raw.send(pattern(size), peerOf(family)))
      const longest = family === 4 ? 65_515 : 65_487
      note(raw.send(pattern(longest), peerOf(family)))
      note(raw.send(pattern(longest + 1 + (family === 6 ? 48 : 0)), peerOf(family)))
    },
  ],
  [
    'messages with each mode of path MTU discovery',
    ({ open, note }, family) => {
      for (const pmtuMode of [0, 1, 2, 3]) {
        const raw = open(family, OWN, { pmtuMode })
        note(raw.send(pattern(20), peerOf(family)), raw.send(pattern(1600), peerOf(family)))
        raw.close()
      }
    },
  ],
  [
    'hop limits and traffic classes',
    ({ open, note }, family) => {
      const raw = open(family, OWN)
      for (const value of [1, 7, 255]) note(raw.set('hopLimit', value), raw.send(pattern(4), peerOf(family)))
      for (const value of [0x10, 0xb8]) note(raw.set('tos', value), raw.send(pattern(4), peerOf(family)))
    },
  ],
  [
    'destinations of the other family, of nobody, and none',
    ({ open, note }, family) => {
      const raw = open(family, OWN)
      note(raw.send(pattern(4), family === 4 ? NOWHERE4 : NOWHERE6))
      note(raw.send(pattern(4), null))
      note(raw.connect(family === 4 ? NOWHERE4 : NOWHERE6))
      if (family === 4) note(raw.send(pattern(4), PEER6))
    },
  ],
  [
    'groups: one hop, and a copy for members here',
    ({ open, note }, family) => {
      const group = family === 4 ? GROUP4 : GROUP6
      const raw = open(family, OWN)
      const member = open(family, OWN)
      // Groups need a route.
      note(raw.connect(peerOf(family)))
      const sender = open(family, OWN)
      note(sender.bind(hostOf(family)))
      note(member.join(group))
      note(sender.send(pattern(4), group))
      note(sender.set('multicastHopLimit', 9), sender.set('multicastLoop', 0), sender.send(pattern(4), group))
    },
  ],
  [
    'broadcasts, forbidden and allowed',
    ({ open, note }) => {
      const raw = open(4, OWN)
      note(raw.send(pattern(4), BROADCAST4), raw.connect(BROADCAST4))
      note(raw.set('broadcast', 1), raw.send(pattern(4), BROADCAST4))
    },
    [4],
  ],
  [
    'options: a recorded route, a timestamp, a source route, and malformed ones',
    ({ open, note }) => {
      const raw = open(4, OWN)
      note(raw.setIpOptions(join(u8(7, 11, 4), new Uint8Array(8))), raw.send(pattern(4), PEER4))
      note(raw.setIpOptions(join(u8(131, 11, 4), Address.parse(PEER4).toBytes(), Address.parse(OTHER4).toBytes())))
      note(raw.send(pattern(4), NOWHERE4))
      note(raw.setIpOptions(u8(7, 3)), raw.setIpOptions(u8()), raw.send(pattern(4), PEER4))
    },
    [4],
  ],
  [
    'a source of somebody else, and sources that cannot be',
    ({ open, note }, family) => {
      const raw = open(family, OWN)
      const sources =
        family === 4 ? [HOST4, NOWHERE4, BROADCAST4, GROUP4, '255.255.255.255'] : [HOST6, NOWHERE6, GROUP6]
      // EINVAL for a source of others before Linux 6.18.
      for (const source of sources) note(raw.send(pattern(4), peerOf(family), source).replace('ENETUNREACH', 'EINVAL'))
    },
  ],
  [
    'what is for this host itself',
    ({ open, note }, family) => {
      const raw = open(family, OWN)
      for (const to of family === 4 ? [HOST4, '127.0.0.1', '0.0.0.0'] : [HOST6, '::1', '::'])
        note(raw.send(pattern(4), to))
    },
  ],
  [
    'ICMPv6, whose checksum the host writes',
    ({ open, note }) => {
      const raw = open(6, 58)
      note(raw.send(u8(128, 0, 0, 0, 1, 2, 3, 4), PEER6), raw.send(u8(128, 0, 0xab, 0xcd, 1), PEER6))
      note(raw.send(u8(128, 0, 1), PEER6))
    },
    [6],
  ],
]

const whole: Case[] = [
  [
    'whole IPv4 packets, with what the host fills in',
    ({ open, note }) => {
      const raw = open(4, 255)
      note(raw.send(whole4({ id: 99 }), PEER4))
      note(raw.send(whole4(), PEER4), raw.send(whole4({ df: true }), PEER4))
      note(raw.send(whole4({ source: '0.0.0.0', id: 1 }), PEER4))
      note(raw.send(whole4({ source: NOWHERE4, id: 1 }), PEER4))
      note(raw.send(whole4({ totalLength: 9999, headerChecksum: 1, id: 1 }), PEER4))
      note(raw.send(whole4({ mf: true, offset: 800, tos: 3, ttl: 0, id: 5, protocol: 17 }), PEER4))
      note(raw.send(whole4({ options: u8(7, 7, 4, 0, 0, 0, 0, 0), id: 5 }), PEER4))
    },
    [4],
  ],
  [
    'whole IPv4 packets that go elsewhere than their header says',
    ({ open, note }) => {
      const raw = open(4, OWN, { headerIncluded: 1 })
      note(raw.send(whole4({ destination: NOWHERE4, id: 1 }), PEER4), raw.send(whole4({ id: 1 }), NOWHERE4))
      note(raw.connect(PEER4), raw.send(whole4({ destination: OTHER4, id: 1 }), null))
    },
    [4],
  ],
  [
    'whole IPv4 packets that are none',
    ({ open, note }) => {
      const raw = open(4, 255)
      const changed = (first: number) => {
        const bytes = whole4({ id: 1 })
        bytes[0] = first
        return bytes
      }
      note(raw.send(pattern(19), PEER4), raw.send(pattern(0), PEER4))
      note(raw.send(changed(0x4f), PEER4))
      note(raw.send(changed(0x44), PEER4))
      note(raw.send(changed(0x55), PEER4))
      note(raw.send(whole4({ payload: pattern(1480), id: 1 }), PEER4))
      note(raw.send(whole4({ payload: pattern(1481), id: 1 }), PEER4))
    },
    [4],
  ],
  [
    'whole IPv4 packets with options of the endpoint',
    ({ open, note }) => {
      const raw = open(4, 255)
      note(raw.setIpOptions(join(u8(7, 7, 4), new Uint8Array(5))), raw.send(whole4({ id: 1 }), PEER4))
    },
    [4],
  ],
  [
    'whole IPv6 packets, which leave as they are',
    ({ open, note }) => {
      const raw = open(6, 255)
      note(raw.send(whole6(), PEER6), raw.send(whole6({ payloadLength: 9, hopLimit: 0, version: 5 }), PEER6))
      note(raw.send(whole6({ source: NOWHERE6 }), PEER6), raw.send(whole6({ destination: NOWHERE6 }), PEER6))
      note(raw.send(whole6(), NOWHERE6), raw.send(pattern(39), PEER6))
      note(raw.send(whole6({ payload: pattern(1460) }), PEER6), raw.send(whole6({ payload: pattern(1461) }), PEER6))
    },
    [6],
  ],
  [
    'whole packets for this host, which arrive',
    ({ open, note }, family) => {
      const raw = open(family, OWN, { headerIncluded: 1 })
      const to = hostOf(family)
      note(raw.send(family === 4 ? whole4({ destination: to, id: 3 }) : whole6({ destination: to }), to))
    },
  ],
]

const errors: Case[] = [
  ...([false, true] as const).flatMap((connected) =>
    ([false, true] as const).map(
      (wanted): Case => [
        `errors to ${connected ? 'a connected' : 'an unconnected'} endpoint${wanted ? ' that wants them' : ''}`,
        ({ open, input, note }, family) => {
          const raw = open(family, OWN, wanted ? { receiveErrors: 1 } : {})
          if (connected) note(raw.connect(peerOf(family)))
          const kinds: readonly (readonly [number, number])[] =
            family === 4
              ? [...Array.from({ length: 17 }, (_, code) => [3, code] as const), [11, 0], [12, 0]]
              : [...Array.from({ length: 8 }, (_, code) => [1, code] as const), [3, 0], [3, 1], [4, 0], [4, 1], [4, 2]]
          // The kernel remembers too-big reports by the destination.
          for (const [type, code] of kinds)
            if (family === 6 || type !== 3 || code !== 4)
              input(about(family, type, code, 0, own(family, peerOf(family))))
        },
      ],
    ),
  ),
  [
    'errors about packets of other protocols, addresses and hosts',
    ({ open, input, note }, family) => {
      const raw = open(family, OWN, { receiveErrors: 1 })
      const [type, code] = family === 4 ? [3, 3] : [1, 4]
      input(
        about(
          family,
          type,
          code,
          0,
          packet(family, OWN + 1, pattern(24), { source: hostOf(family), destination: peerOf(family) }),
        ),
      )
      note(raw.connect(peerOf(family)))
      input(about(family, type, code, 0, own(family, family === 4 ? OTHER4 : OTHER6)))
      input(about(family, type, code, 0, own(family, peerOf(family), 7)))
      input(about(family, type, code, 0, own(family, peerOf(family), 8)))
    },
  ],
  ...[0, 1, 2, 3].map(
    (pmtuMode): Case => [
      `a too-big report in mode ${pmtuMode} of path MTU discovery`,
      ({ open, input, note }, family) => {
        // A destination for each mode: the reports are remembered.
        const to = family === 4 ? `10.9.0.${20 + pmtuMode}` : `fd09::${20 + pmtuMode}`
        const raw = open(family, OWN, { pmtuMode })
        note(raw.connect(to))
        const quoted = own(family, to, 1400)
        input(about(family, family === 4 ? 3 : 2, family === 4 ? 4 : 0, 1300, quoted.subarray(0, 600)))
        note(raw.send(pattern(1270 - (family === 6 ? 20 : 0)), null))
        note(raw.send(pattern(1300), null))
      },
    ],
  ),
]

describeOnTun('raw endpoints and raw sockets of the kernel are the same for', () => {
  let kernel: KernelHost
  let stack: StackHost

  beforeAll(() => {
    const addresses = [`${HOST4}/24`, `${HOST6}/64`]
    kernel = new KernelHost('raw0', addresses)
    stack = new StackHost(addresses)
  })
  afterAll(() => {
    kernel.close()
    stack.close()
  })

  const kernelRaw: World['open'] = (family, protocol, settings = {}) => {
    const raw = new KernelRaw(family, protocol)
    for (const [option, value] of Object.entries(settings)) {
      const error = raw.set(option as Settings, value)
      if (error !== '') throw new Error(`${option}: ${error}`)
    }
    const nic = findInterface(loadLibc(), 'raw0')?.index ?? 0
    const joins = raw.join.bind(raw)
    return Object.assign(raw, { join: (group: string) => joins(group, nic) }) as Raw
  }
  const stackRaw: World['open'] = (family, protocol, settings = {}) => new StackRaw(stack, family, protocol, settings)

  const cases = [...received, ...sent, ...whole, ...errors].flatMap(([name, run, families = [4, 6]]) =>
    families.map((family) => [name, family, run] as const),
  )
  test.each(cases)('%s, over IPv%i', (_, family, run) => {
    const [theirs, ours] = (
      [
        [kernel, kernelRaw],
        [stack, stackRaw],
      ] as const
    ).map(([host, open]) => {
      const { world, notes, end } = worldOf(host, open)
      try {
        run(world, family)
      } finally {
        end()
      }
      return notes
    })
    expect(ours).toEqual(theirs)
  })
})
