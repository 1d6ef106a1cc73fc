/**
 * Sequences of packets, one per rule, that a kernel and the stack must treat alike. A name says the
 * rule and where it stands.
 */
import {
  type Bytes,
  fragmentHeader,
  type Ip4,
  type Ip6,
  icmp,
  ip4,
  ip6,
  join,
  options,
  pattern,
  routing,
  type Udp,
  u8,
  u16,
  u32,
  udp,
} from './raw-ip.ts'
import {
  BROADCAST4,
  CLOSED_PORT,
  CONNECTED_PORT,
  DUAL_PORT,
  GROUP_PORT,
  GROUP4,
  GROUP6,
  HOST4,
  HOST6,
  PEER_PORT,
  PEER4,
  PEER6,
} from './world.ts'

export type Case = readonly [name: string, packets: Bytes[]]

const from4 = { from: PEER4, to: HOST4 }
const from6 = { from: PEER6, to: HOST6 }

/**
 * An IPv4 packet from the peer to the host, with a datagram for the open port unless told
 * otherwise.
 */
const v4 = (fields: Partial<Ip4> = {}, datagram: Partial<Udp> = {}) => {
  const source = fields.source ?? PEER4
  const destination = fields.destination ?? HOST4
  return ip4({ source, destination, payload: udp({ from: source, to: destination, ...datagram }), ...fields })
}

const v6 = (fields: Partial<Ip6> = {}, datagram: Partial<Udp> = {}) => {
  const source = fields.source ?? PEER6
  const destination = fields.destination ?? HOST6
  return ip6({ source, destination, payload: udp({ from: source, to: destination, ...datagram }), ...fields })
}

const echo4 = (fields: Partial<Ip4> = {}, body = pattern(16)) =>
  v4({ protocol: 1, payload: icmp(8, 0, u8(0x12, 0x34, 0, 1), body), ...fields })
const echo6 = (fields: Partial<Ip6> = {}, body = pattern(16)) => {
  const to = { from: fields.source ?? PEER6, to: fields.destination ?? HOST6 }
  return v6({ next: 58, payload: icmp(128, 0, u8(0x12, 0x34, 0, 1), body, to), ...fields })
}

let nextId = 1
/**
 * Fragments of one IPv4 packet; each range is a start and an end in bytes, the end -1 for the last.
 */
function split4(payload: Bytes, ranges: [number, number][], fields: Partial<Ip4> = {}): Bytes[] {
  const id = nextId++
  return ranges.map(([start, end]) =>
    v4({
      id,
      mf: end >= 0,
      offset: start,
      payload: payload.subarray(start, end < 0 ? payload.length : end),
      ...fields,
    }),
  )
}

function split6(
  payload: Bytes,
  ranges: [number, number][],
  fields: Partial<Ip6> & { protocol?: number } = {},
): Bytes[] {
  const id = 0x1000_0000 + nextId++
  return ranges.map(([start, end]) => {
    const part = payload.subarray(start, end < 0 ? payload.length : end)
    return v6({ next: 44, payload: join(fragmentHeader(fields.protocol ?? 17, start, end >= 0, id), part), ...fields })
  })
}

const whole4 = udp({ ...from4, payload: pattern(2000) })
const whole6 = udp({ ...from6, payload: pattern(2000) })
const corrupt = (packet: Bytes, at: number) => {
  const copy = packet.slice()
  copy[at] = (copy[at] as number) ^ 0xff
  return copy
}

export const cases: Case[] = [
  // ── the IPv4 header ──
  ['a datagram reaches its socket', [v4(), v4({}, { payload: u8() }), v4({}, { payload: pattern(1472) })]],
  [
    'a header checksum that does not sum to all ones is a silent drop (RFC 1122 3.2.1.2)',
    [corrupt(v4(), 10), corrupt(v4(), 8)],
  ],
  [
    'a version other than 4 is a silent drop (RFC 1122 3.2.1.1)',
    [v4({ version: 5 }), v4({ version: 0 }), v4({ version: 15 })],
  ],
  [
    'an IHL below 5 or beyond the packet is a silent drop (RFC 791 3.1)',
    [v4({ ihl: 4 }), v4({ ihl: 0 }), v4({ ihl: 15 }), v4({ ihl: 15, payload: u8() })],
  ],
  [
    'a Total Length below the header or beyond the frame is a silent drop (RFC 1122 3.2.1)',
    [v4({ totalLength: 19 }), v4({ totalLength: 49 }), v4({ totalLength: 65535 })],
  ],
  [
    'bytes behind Total Length are ignored, in the quote as well (RFC 894)',
    [join(v4(), pattern(30)), join(v4({}, { port: CLOSED_PORT }), pattern(30)), join(echo4(), pattern(9))],
  ],
  [
    'a TTL of 0 or 1 is delivered and answered by the destination (RFC 1122 3.2.1.7)',
    [v4({ ttl: 0 }), v4({ ttl: 1 }), echo4({ ttl: 0 }), v4({ ttl: 0 }, { port: CLOSED_PORT })],
  ],
  [
    'the reserved flag and TOS bits are carried (RFC 791 3.1)',
    [v4({ reserved: true }), v4({ tos: 0xff }), v4({ tos: 0x03, df: true })],
  ],
  [
    'a frame shorter than a header is a silent drop (RFC 1122 3.2.1)',
    [v4().subarray(0, 19), v4().subarray(0, 1), u8()],
  ],
  [
    'no packet but a whole one gets through: every truncation',
    Array.from({ length: 48 }, (_, length) => v4().subarray(0, length)),
  ],

  // ── addresses ──
  ...[
    '10.9.0.1',
    '127.0.0.1',
    '127.9.9.9',
    '224.0.0.1',
    '239.1.2.3',
    '255.255.255.255',
    '0.0.0.0',
    '0.1.2.3',
    '10.9.0.255',
    '10.9.0.0',
    '240.0.0.1',
    '192.0.2.1',
    '169.254.1.1',
  ].flatMap((source): Case[] => [
    [`a datagram from ${source} (RFC 1122 3.2.1.3, RFC 6890)`, [v4({ source })]],
    [`an echo request from ${source}`, [echo4({ source })]],
    [`a datagram from ${source} to a closed port (RFC 1122 3.2.2)`, [v4({ source }, { port: CLOSED_PORT })]],
    [`a datagram from ${source} to 255.255.255.255`, [v4({ source, destination: '255.255.255.255' })]],
  ]),
  ...[
    '127.0.0.1',
    '0.0.0.0',
    '10.9.0.0',
    '10.9.0.3',
    '192.0.2.9',
    '240.0.0.1',
    '10.9.0.255',
    '255.255.255.255',
    '224.0.0.1',
    GROUP4,
    '239.9.9.9',
    '224.0.0.251',
  ].flatMap((destination): Case[] => [
    [
      `a datagram to ${destination} (RFC 1122 3.3.4.2, RFC 919, RFC 1112)`,
      [
        v4({ destination }),
        v4({ destination }, { port: GROUP_PORT }),
        v4({ destination }, { port: DUAL_PORT }),
        v4({ destination }, { port: CONNECTED_PORT, sourcePort: PEER_PORT }),
      ],
    ],
    [`a datagram to a closed port of ${destination} (RFC 1122 3.2.2)`, [v4({ destination }, { port: CLOSED_PORT })]],
    [`an echo request to ${destination} (RFC 1122 3.2.2.6)`, [echo4({ destination })]],
    [`an unknown protocol to ${destination} (RFC 1122 3.2.2)`, [v4({ destination, protocol: 200 })]],
    [`a bad option to ${destination} (RFC 1122 3.2.2)`, [v4({ destination, options: u8(7, 1, 0, 0) })]],
  ]),

  // ── UDP ──
  [
    'a UDP length below the IP payload trims the datagram (RFC 9868 7)',
    [v4({}, { length: 8 }), v4({}, { length: 20 }), v4({}, { length: 20, port: CLOSED_PORT })],
  ],
  [
    'a UDP length below 8 or beyond the IP payload is a silent drop (RFC 768)',
    [7, 0, 29, 65535].flatMap((length) => [v4({}, { length }), v4({}, { length, port: CLOSED_PORT })]),
  ],
  [
    'an IP payload shorter than a UDP header is a silent drop (RFC 768)',
    [0, 1, 7].map((length) => v4({ payload: pattern(length) })),
  ],
  [
    'a wrong UDP checksum is a silent drop, on a closed port too (RFC 1122 4.1.3.4)',
    [v4({}, { checksum: 1 }), v4({}, { checksum: 1, port: CLOSED_PORT })],
  ],
  [
    'a zero UDP checksum is none in IPv4 (RFC 768)',
    [v4({}, { checksum: 0 }), v4({}, { checksum: 0, port: CLOSED_PORT })],
  ],
  ['port 0 is a port like another when it arrives (RFC 768)', [v4({}, { sourcePort: 0 }), v4({}, { port: 0 })]],
  [
    'a closed port draws Port Unreachable that quotes at most 548 bytes (RFC 1122 4.1.3.1, RFC 1812 4.3.2.3)',
    [0, 1, 500, 519, 520, 521, 1400].map((length) => v4({}, { port: CLOSED_PORT, payload: pattern(length) })),
  ],
  [
    'the error keeps the precedence of network control (RFC 1812 4.3.2.5)',
    [0xff, 0x10, 0x04, 0xb8, 3].map((tos) => v4({ tos }, { port: CLOSED_PORT })),
  ],
  [
    'a connected socket hears its peer only, others draw Port Unreachable (RFC 1122 4.1.3.5)',
    [
      v4({}, { port: CONNECTED_PORT, sourcePort: PEER_PORT }),
      v4({}, { port: CONNECTED_PORT, sourcePort: 1 }),
      v4({ source: '10.9.0.3' }, { port: CONNECTED_PORT, sourcePort: PEER_PORT }),
    ],
  ],
  [
    'a dual-stack socket gets IPv4 as mapped addresses (RFC 3493 3.7)',
    [v4({}, { port: DUAL_PORT }), v6({}, { port: DUAL_PORT })],
  ],

  // ── ICMP ──
  [
    'an echo reply copies identifier, sequence and data (RFC 792, RFC 1122 3.2.2.6)',
    [0, 1, 16, 1472].map((length) => echo4({}, pattern(length))),
  ],
  ['an echo reply keeps the TOS (RFC 1122 3.2.2.6)', [0xff, 0x1e, 3].map((tos) => echo4({ tos }))],
  ['an echo request with a nonzero code', [v4({ protocol: 1, payload: icmp(8, 1, u32(1), pattern(8)) })]],
  [
    'an echo request of 5000 bytes comes back in fragments',
    split4(
      icmp(8, 0, u32(7), pattern(5000)),
      [
        [0, 1480],
        [1480, 2960],
        [2960, 4440],
        [4440, -1],
      ],
      { protocol: 1 },
    ),
  ],
  [
    'ICMP with a wrong checksum or too short is a silent drop (RFC 792)',
    [
      v4({ protocol: 1, payload: corrupt(icmp(8, 0, u32(1), pattern(8)), 2) }),
      ...[0, 1, 4, 7].map((length) => v4({ protocol: 1, payload: icmp(8, 0, u32(1), u8()).subarray(0, length) })),
    ],
  ],
  [
    'a checksum of 0xffff is as good as 0 (RFC 1071)',
    [
      v4({ protocol: 1, payload: u8(8, 0, 0xf7, 0xff, 0, 0, 0, 0) }),
      v4({ protocol: 1, payload: u8(8, 0, 0, 0, 0xf7, 0xff, 0, 0) }),
      v4({ protocol: 1, payload: u8(8, 0, 0xff, 0xff, 0xf7, 0xff, 0, 0) }),
    ],
  ],
  [
    'a timestamp request is answered (RFC 792, RFC 1122 3.2.2.8)',
    [
      v4({ protocol: 1, payload: icmp(13, 0, u32(1), pattern(12)) }),
      v4({ protocol: 1, payload: icmp(13, 0, u32(1), pattern(11)) }),
      v4({ protocol: 1, payload: icmp(13, 0, u32(1), pattern(20)) }),
      v4({ protocol: 1, destination: BROADCAST4, payload: icmp(13, 0, u32(1), pattern(12)) }),
    ],
  ],
  [
    'deprecated and unknown ICMP types are silent (RFC 6918, RFC 6633)',
    [1, 2, 4, 5, 6, 7, 9, 10, 14, 15, 16, 17, 18, 30, 31, 37, 38, 40, 42, 43, 44, 200, 255].map((type) =>
      v4({ protocol: 1, payload: icmp(type, 0, u32(0), pattern(40)) }),
    ),
  ],
  [
    'an unknown protocol draws Protocol Unreachable (RFC 1122 3.2.2.1)',
    [200, 253, 99, 58].map((protocol) => v4({ protocol })),
  ],
  [
    'no error about an ICMP error (RFC 1122 3.2.2)',
    [3, 4, 5, 11, 12, 13, 0].map((type) =>
      v4({ protocol: 1, options: u8(7, 1, 0, 0), payload: icmp(type, 0, u32(0), pattern(28)) }),
    ),
  ],

  // ── IPv4 options ──
  ...(
    [
      ['no operation and end of options', u8(1, 1, 1, 0)],
      ['anything after end of options', u8(0, 7, 1, 99)],
      ['an unknown option', u8(0x5e, 4, 9, 9)],
      ['an unknown copied option', u8(0xde, 4, 9, 9)],
      ['an option of length 0', u8(0x5e, 0, 0, 0)],
      ['an option of length 1', u8(0x5e, 1, 0, 0)],
      ['an option beyond the header', u8(0x5e, 5, 0, 0)],
      ['an option type as the last byte', u8(1, 1, 1, 0x5e)],
      ['a record route of three slots', u8(7, 15, 4, ...new Array(12).fill(0), 0)],
      ['a record route that is full', u8(7, 7, 8, 1, 2, 3, 4, 0)],
      ['a record route with a bad pointer', u8(7, 7, 3, 0, 0, 0, 0, 0)],
      ['a record route with a pointer into the last slot', u8(7, 7, 5, 0, 0, 0, 0, 0)],
      ['a record route with a bad length', u8(7, 2, 4, 0)],
      ['a record route of length 3', u8(7, 3, 4, 0)],
      ['two record routes', u8(7, 7, 4, 0, 0, 0, 0, 7, 7, 4, 0, 0, 0, 0, 0, 0)],
      ['a timestamp, times only', u8(68, 12, 5, 0, ...new Array(8).fill(0))],
      ['a timestamp that is full', u8(68, 8, 9, 0x00, 1, 2, 3, 4)],
      ['a timestamp that is full and whose overflow is 15', u8(68, 8, 9, 0xf0, 1, 2, 3, 4)],
      ['a timestamp with addresses', u8(68, 20, 5, 1, ...new Array(16).fill(0))],
      ['a timestamp with room for half an entry', u8(68, 8, 5, 1, 0, 0, 0, 0)],
      ['a prespecified timestamp for this host', u8(68, 12, 5, 3, 10, 9, 0, 1, 0, 0, 0, 0)],
      ['a prespecified timestamp for another host', u8(68, 12, 5, 3, 10, 9, 0, 9, 0, 0, 0, 0)],
      ['a timestamp with an unknown flag', u8(68, 12, 5, 2, ...new Array(8).fill(0))],
      ['a timestamp of length 3', u8(68, 3, 5, 0)],
      ['a timestamp with pointer 4', u8(68, 8, 4, 0, 0, 0, 0, 0)],
      ['a loose source route', u8(131, 7, 4, 192, 0, 2, 1, 0)],
      ['an exhausted loose source route', u8(131, 7, 8, 192, 0, 2, 1, 0)],
      ['a strict source route', u8(137, 7, 4, 192, 0, 2, 1, 0)],
      ['an exhausted strict source route', u8(137, 7, 8, 192, 0, 2, 1, 0)],
      ['a source route with a bad pointer', u8(131, 7, 3, 192, 0, 2, 1, 0)],
      ['a source route of length 2', u8(131, 2, 4, 0)],
      ['two source routes', u8(131, 7, 8, 192, 0, 2, 1, 137, 7, 8, 192, 0, 2, 1, 0, 0)],
      ['a router alert', u8(148, 4, 0, 0)],
      ['a router alert with another value', u8(148, 4, 0, 9)],
      ['a router alert of length 3', u8(148, 3, 0, 0)],
      ['a security option', u8(130, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)],
      ['a stream identifier', u8(136, 4, 1, 2)],
      ['a full 40 bytes of no operation', new Uint8Array(40).fill(1)],
      ['a record route of nine slots', u8(7, 39, 4, ...new Array(36).fill(0), 0)],
    ] as [string, Bytes][]
  ).flatMap(([name, bytes]): Case[] => [
    [`IPv4 options, delivered: ${name} (RFC 791 3.1, RFC 1122 3.2.1.8)`, [v4({ options: bytes })]],
    [`IPv4 options, echoed: ${name} (RFC 1122 3.2.2.6)`, [echo4({ options: bytes })]],
    [`IPv4 options, in an error: ${name} (RFC 1122 3.2.2)`, [v4({ options: bytes }, { port: CLOSED_PORT })]],
    [
      `IPv4 options, to a broadcast address: ${name}`,
      [v4({ options: bytes, destination: BROADCAST4 }), echo4({ options: bytes, destination: BROADCAST4 })],
    ],
    [`IPv4 options, in a later fragment: ${name}`, [v4({ options: bytes, id: nextId++, offset: 1024, mf: true })]],
    [
      `IPv4 options, in both fragments: ${name}`,
      split4(
        whole4,
        [
          [0, 1000],
          [1000, -1],
        ],
        { options: bytes },
      ),
    ],
  ]),

  // ── IPv4 fragments ──
  [
    'two fragments in order (RFC 791 3.2)',
    split4(whole4, [
      [0, 1000],
      [1000, -1],
    ]),
  ],
  [
    'two fragments in reverse order',
    split4(whole4, [
      [1000, -1],
      [0, 1000],
    ]),
  ],
  [
    'duplicates of every fragment (RFC 815)',
    split4(whole4, [
      [0, 1000],
      [0, 1000],
      [1000, -1],
      [1000, -1],
    ]),
  ],
  [
    'a partial overlap kills the datagram (RFC 5722 for both families), and the ID is free again',
    split4(whole4, [
      [0, 1000],
      [992, 1500],
      [1000, -1],
      [0, 1000],
    ]),
  ],
  [
    'a fragment inside a run is ignored, the first copy wins',
    [
      ...split4(whole4, [[0, 1000]], { id: 60_000 }),
      v4({ id: 60_000, mf: true, offset: 8, payload: new Uint8Array(64) }),
      ...split4(whole4, [[1000, -1]], { id: 60_000 }),
    ],
  ],
  [
    'a fragment that covers a run kills the datagram',
    split4(whole4, [
      [200, 400],
      [0, 1000],
      [1000, -1],
    ]),
  ],
  [
    'a second, shorter last fragment',
    split4(whole4, [
      [1000, -1],
      [0, 1000],
    ]).concat(
      split4(whole4.subarray(0, 1500), [
        [1000, -1],
        [1400, -1],
        [0, 1000],
      ]),
    ),
  ],
  [
    'a fragment beyond the last one',
    split4(whole4, [
      [1000, -1],
      [2008, 2016],
      [0, 1000],
    ]),
  ],
  [
    'a last fragment below what is there',
    [
      ...split4(whole4, [[1000, 1504]], { id: 60_001 }),
      ...split4(whole4.subarray(0, 1200), [[800, -1]], { id: 60_001 }),
      ...split4(whole4, [[0, 1000]], { id: 60_001 }),
    ],
  ],
  [
    'a middle fragment whose length is no multiple of 8 is rounded down (RFC 791 3.2)',
    split4(whole4, [
      [0, 1003],
      [1000, -1],
    ]),
  ],
  [
    'a middle fragment of less than 8 bytes',
    split4(whole4, [
      [0, 5],
      [0, 1000],
      [1000, -1],
    ]),
  ],
  [
    'an empty fragment does not disturb the pending datagram',
    split4(whole4, [
      [0, 1000],
      [1000, 1000],
      [1000, -1],
    ]),
  ],
  [
    'an empty last fragment',
    split4(whole4.subarray(0, 1000), [
      [0, 1000],
      [1000, -1],
    ]),
  ],
  [
    'beyond 65535 bytes is silent (RFC 791)',
    [
      v4({ id: 60_002, offset: 65528, payload: pattern(100) }),
      v4({ id: 60_003, offset: 65512, mf: true, payload: pattern(64) }),
      v4({ id: 60_003, offset: 0, mf: true, payload: pattern(64) }),
    ],
  ],
  [
    'the key has the protocol (RFC 791 3.2)',
    [
      ...split4(whole4, [[0, 1000]], { id: 60_004 }),
      ...split4(whole4, [[1000, -1]], { id: 60_004, protocol: 200 }),
      ...split4(whole4, [[1000, -1]], { id: 60_004 }),
    ],
  ],
  [
    'the key has source and destination (RFC 791 3.2)',
    [
      ...split4(whole4, [[0, 1000]], { id: 60_005 }),
      ...split4(whole4, [[1000, -1]], { id: 60_005, source: '10.9.0.3' }),
      ...split4(whole4, [[1000, -1]], { id: 60_005 }),
    ],
  ],
  [
    'DF in fragments does not matter',
    split4(
      whole4,
      [
        [0, 1000],
        [1000, -1],
      ],
      { df: true },
    ),
  ],
  [
    'the TTL is that of the fragment with offset 0',
    [...split4(whole4, [[1000, -1]], { id: 60_006, ttl: 9 }), ...split4(whole4, [[0, 1000]], { id: 60_006, ttl: 33 })],
  ],
  [
    'the TTL is that of the fragment with offset 0, when it comes first',
    [...split4(whole4, [[0, 1000]], { id: 60_007, ttl: 33 }), ...split4(whole4, [[1000, -1]], { id: 60_007, ttl: 9 })],
  ],
  ...ecnPairs(
    (a, b) => [
      ...split4(whole4, [[0, 1000]], { id: 61_000 + a * 4 + b, tos: 0xb8 | a }),
      ...split4(whole4, [[1000, -1]], { id: 61_000 + a * 4 + b, tos: b }),
    ],
    'IPv4',
  ),
  [
    'a rebuilt datagram to a closed port is quoted as rebuilt',
    split4(udp({ ...from4, port: CLOSED_PORT, payload: pattern(2000) }), [
      [0, 1000],
      [1000, -1],
    ]),
  ],
  [
    'no error about a later fragment (RFC 1122 3.2.2)',
    [v4({ id: 60_008, offset: 800, mf: true, protocol: 200 }), v4({ id: 60_008, offset: 1600, protocol: 200 })],
  ],
  [
    'a rebuilt unknown protocol draws one error',
    split4(
      pattern(100),
      [
        [0, 48],
        [48, -1],
      ],
      { protocol: 200 },
    ),
  ],
  [
    'fragments to a group and a broadcast address',
    [
      ...split4(
        udp({ from: PEER4, to: GROUP4, port: GROUP_PORT, payload: pattern(100) }),
        [
          [0, 48],
          [48, -1],
        ],
        { destination: GROUP4 },
      ),
      ...split4(
        udp({ from: PEER4, to: BROADCAST4, payload: pattern(100) }),
        [
          [0, 48],
          [48, -1],
        ],
        { destination: BROADCAST4 },
      ),
    ],
  ],
  [
    'three fragments that meet in the middle',
    split4(whole4, [
      [0, 800],
      [1600, -1],
      [800, 1600],
    ]),
  ],
  [
    'many tiny fragments',
    split4(
      udp({ ...from4, payload: pattern(400) }),
      Array.from({ length: 51 }, (_, at): [number, number] => [at * 8, at === 50 ? -1 : at * 8 + 8]),
    ),
  ],
  [
    'bytes behind Total Length in fragments are ignored',
    split4(whole4, [
      [0, 1000],
      [1000, -1],
    ]).map((each) => join(each, pattern(13))),
  ],
  ['a datagram of 65507 bytes, the largest (RFC 768)', largest4()],

  // ── errors received (the connected sockets) ──
  ...[3, 11, 12].flatMap((type) =>
    Array.from(
      { length: type === 3 ? 17 : 3 },
      (_, code): Case => [
        `an ICMP error of type ${type} code ${code} about a connected socket's datagram (RFC 1122 4.1.3.3)`,
        [error4(type, code, u32(0)), v4({}, { port: CONNECTED_PORT, sourcePort: PEER_PORT })],
      ],
    ),
  ),
  [
    'an error about a datagram of another port is ignored (RFC 1122 4.1.3.3)',
    [
      error4(3, 3, u32(0), { port: 1 }),
      error4(3, 3, u32(0), { sourcePort: 1 }),
      error4(3, 3, u32(0), {}, { source: '10.9.0.3' }),
      error4(3, 3, u32(0), {}, { destination: '10.9.0.3' }),
    ],
  ],
  [
    'an error from a router on the way is believed',
    [v4({ source: '10.9.0.77', protocol: 1, payload: icmp(3, 3, u32(0), quote4()) })],
  ],
  [
    'an error with a short quote is ignored',
    [0, 19, 20, 24, 27, 28].map((length) =>
      v4({ protocol: 1, payload: icmp(3, 3, u32(0), quote4().subarray(0, length)) }),
    ),
  ],
  ['an error about a later fragment is ignored', [error4(3, 3, u32(0), {}, { offset: 8 })]],
  [
    'an error quoting another protocol is ignored',
    [error4(3, 3, u32(0), {}, { protocol: 6 }), error4(3, 2, u32(0), {}, { protocol: 200 })],
  ],
  ['an error whose quote has options', [error4(3, 3, u32(0), {}, { options: u8(1, 1, 1, 1) })]],
  [
    'a datagram from nobody is for the link only (Linux: ip_mc_validate_source)',
    [HOST4, BROADCAST4, '255.255.255.255', '224.0.0.1', '224.0.0.251', GROUP4].flatMap((destination) =>
      ['0.0.0.0', '0.1.2.3'].flatMap((source) => [
        v4({ source, destination }),
        v4({ source, destination }, { port: GROUP_PORT }),
      ]),
    ),
  ],
  [
    'a packet from the broadcast address of the link (RFC 1122 3.2.1.3)',
    [
      v4({ source: BROADCAST4 }),
      v4({ source: BROADCAST4 }, { port: CLOSED_PORT }),
      echo4({ source: BROADCAST4 }),
      v4({ source: BROADCAST4, protocol: 200 }),
      v4({ source: BROADCAST4, destination: GROUP4 }, { port: GROUP_PORT }),
    ],
  ],
  [
    'an error to a broadcast address',
    [v4({ destination: BROADCAST4, protocol: 1, payload: icmp(3, 3, u32(0), quote4()) })],
  ],

  [
    'Fragmentation Needed sets the path MTU, never below 552 (RFC 1191 3, Linux: min_pmtu)',
    [
      error4(3, 4, u32(1000)),
      echo4({}, pattern(1400)),
      error4(3, 4, u32(68)),
      echo4({}, pattern(1400)),
      v4({}, { port: CLOSED_PORT, payload: pattern(1000) }),
    ],
  ],
  ['a double source route', [v4({ options: u8(131, 7, 4, 192, 0, 2, 1, 131, 7, 4, 192, 0, 2, 1) })]],

  // ── the IPv6 header ──
  ['an IPv6 datagram reaches its socket', [v6(), v6({}, { payload: u8() }), v6({}, { payload: pattern(1452) })]],
  [
    'an IPv6 payload length beyond the frame is a silent drop, below it cuts (RFC 8200 3)',
    [
      v6({ payloadLength: 29 }),
      v6({ payloadLength: 65535 }),
      v6({ payloadLength: 27 }),
      v6({ payloadLength: 8 }),
      v6({ payloadLength: 0 }),
      join(v6(), pattern(9)),
      join(v6({}, { port: CLOSED_PORT }), pattern(9)),
      join(echo6(), pattern(9)),
    ],
  ],
  ['an IPv6 version other than 6 is a silent drop', [v6({ version: 5 }), v6({ version: 7 })]],
  [
    'a hop limit of 0 or 1 is delivered and answered by the destination (RFC 8200 3)',
    [v6({ hopLimit: 0 }), v6({ hopLimit: 1 }), echo6({ hopLimit: 0 }), v6({ hopLimit: 0 }, { port: CLOSED_PORT })],
  ],
  [
    'traffic class and flow label',
    [
      v6({ trafficClass: 0xff, flowLabel: 0xfffff }),
      echo6({ trafficClass: 0xb9 }),
      v6({ trafficClass: 0xb9 }, { port: CLOSED_PORT }),
    ],
  ],
  [
    'no IPv6 packet but a whole one gets through: every truncation',
    Array.from({ length: 68 }, (_, length) => v6().subarray(0, length)),
  ],
  ...[
    '::',
    '::1',
    'fd09::1',
    'ff02::1',
    'ff15::1',
    '::ffff:a09:2',
    'fe80::9',
    '2001:db8::9',
    '::a09:2',
    'fd09::',
    'fec0::1',
    '2002:a09:2::1',
    '64:ff9b::a09:2',
  ].flatMap((source): Case[] => [
    [
      `an IPv6 datagram from ${source} (RFC 4291 2.7, RFC 4443 2.4)`,
      [
        v6({ source }),
        v6({ source }, { port: CLOSED_PORT }),
        v6({ source, destination: GROUP6 }, { port: GROUP_PORT }),
      ],
    ],
    [`an ICMPv6 echo request from ${source}`, [echo6({ source })]],
  ]),
  ...[
    '::',
    '::1',
    'fd09::',
    'fd09::3',
    '2001:db8::1',
    '::ffff:a09:1',
    'ff02::1',
    'ff01::1',
    'ff05::1',
    'ff00::1',
    'ff10::1',
    'ff0e::1',
    'ff02::2',
    'ff02::1:ff00:1',
    GROUP6,
    'ff15::9',
    'ff11::1:2:3',
    'ff1f::1',
  ].flatMap((destination): Case[] => [
    [
      `an IPv6 datagram to ${destination} (RFC 4291 2.7)`,
      [v6({ destination }), v6({ destination }, { port: GROUP_PORT }), v6({ destination }, { port: CLOSED_PORT })],
    ],
    [`an ICMPv6 echo request to ${destination} (RFC 4443 4.2)`, [echo6({ destination })]],
    [`an unknown next header to ${destination} (RFC 4443 2.4)`, [v6({ destination, next: 200 })]],
    [
      `unknown options to ${destination} (RFC 8200 4.2)`,
      [0x1e, 0x5e, 0x9e, 0xde].map((type) =>
        v6({
          destination,
          next: 60,
          payload: join(options(17, u8(type, 2, 0, 0)), udp({ from: PEER6, to: destination })),
        }),
      ),
    ],
    [
      `unknown hop-by-hop options to ${destination} (RFC 8200 4.2)`,
      [0x1e, 0x5e, 0x9e, 0xde].map((type) =>
        v6({
          destination,
          next: 0,
          payload: join(options(17, u8(type, 2, 0, 0)), udp({ from: PEER6, to: destination })),
        }),
      ),
    ],
    [
      `a nested or odd fragment to ${destination}`,
      [
        v6({ destination, next: 44, payload: join(fragmentHeader(17, 0, true, nextId++), pattern(20)) }),
        v6({ destination, next: 44, payload: join(fragmentHeader(17, 65528, false, nextId++), pattern(100)) }),
      ],
    ],
  ]),

  // ── UDP over IPv6 ──
  [
    'UDP over IPv6: lengths',
    [8, 20, 7, 0, 29, 65535].flatMap((length) => [v6({}, { length }), v6({}, { length, port: CLOSED_PORT })]),
  ],
  ['UDP over IPv6: too short', [0, 1, 7].map((length) => v6({ payload: pattern(length) }))],
  [
    'UDP over IPv6: a zero or wrong checksum is a silent drop (RFC 8200 8.1)',
    [0, 1].flatMap((sum) => [v6({}, { checksum: sum }), v6({}, { checksum: sum, port: CLOSED_PORT })]),
  ],
  [
    'a closed port draws ICMPv6 Port Unreachable of at most 1280 bytes (RFC 4443 2.4)',
    [0, 1, 1183, 1184, 1185, 1400].map((length) => v6({}, { port: CLOSED_PORT, payload: pattern(length) })),
  ],
  [
    'a connected IPv6 socket hears its peer only',
    [
      v6({}, { port: CONNECTED_PORT, sourcePort: PEER_PORT }),
      v6({}, { port: CONNECTED_PORT, sourcePort: 1 }),
      v6({ source: 'fd09::3' }, { port: CONNECTED_PORT, sourcePort: PEER_PORT }),
    ],
  ],

  // ── ICMPv6 ──
  [
    'an ICMPv6 echo reply copies identifier, sequence and data (RFC 4443 4.2)',
    [0, 1, 16, 1452].map((length) => echo6({}, pattern(length))),
  ],
  ['an ICMPv6 echo request with a nonzero code', [v6({ next: 58, payload: icmp(128, 1, u32(1), pattern(8), from6) })]],
  [
    'an ICMPv6 echo request of 5000 bytes comes back in fragments',
    split6(
      icmp(128, 0, u32(7), pattern(5000), from6),
      [
        [0, 1448],
        [1448, 2896],
        [2896, 4344],
        [4344, -1],
      ],
      { protocol: 58 },
    ),
  ],
  [
    'ICMPv6 with a wrong checksum or too short is a silent drop (RFC 4443 2.3)',
    [
      v6({ next: 58, payload: icmp(128, 0, u32(1), pattern(8)) }),
      ...[0, 1, 4, 7].map((length) => v6({ next: 58, payload: pattern(length) })),
    ],
  ],
  [
    'unknown ICMPv6 types are silent (RFC 4443 2.4)',
    [0, 5, 99, 100, 101, 127, 129, 138, 139, 140, 144, 160, 161, 200, 255].map((type) =>
      v6({ next: 58, payload: icmp(type, 0, u32(0), pattern(48), from6) }),
    ),
  ],
  [
    'an unknown next header draws Parameter Problem 1 with its offset (RFC 8200 4)',
    [200, 253, 1, 99].map((next) => v6({ next })),
  ],
  [
    'no error about an ICMPv6 error (RFC 4443 2.4)',
    [1, 2, 3, 4, 5, 127].flatMap((type) => [
      v6({ next: 60, payload: join(options(58, u8(0x9e, 2, 0, 0)), icmp(type, 0, u32(0), pattern(48), from6)) }),
    ]),
  ],
  [
    'errors are sent about ICMPv6 messages that are none',
    [128, 129, 200].map((type) =>
      v6({ next: 60, payload: join(options(58, u8(0x9e, 2, 0, 0)), icmp(type, 0, u32(0), pattern(48), from6)) }),
    ),
  ],

  // ── extension headers ──
  [
    'each extension header alone',
    [
      v6({ next: 0, payload: join(options(17), udp(from6)) }),
      v6({ next: 60, payload: join(options(17), udp(from6)) }),
      v6({ next: 43, payload: join(routing(17, 0, 0), udp(from6)) }),
      v6({ next: 44, payload: join(fragmentHeader(17, 0, false, 5), udp(from6)) }),
      v6({ next: 59 }),
      v6({ next: 59, payload: u8() }),
    ],
  ],
  [
    'extension headers in any order (RFC 8200 4.1)',
    [
      v6({
        next: 0,
        payload: join(
          options(60),
          options(43),
          routing(44, 0, 0),
          fragmentHeader(60, 0, false, 6),
          options(17),
          udp(from6),
        ),
      }),
      v6({
        next: 60,
        payload: join(options(60), options(43), routing(43, 0, 0), routing(60, 2, 0), options(17), udp(from6)),
      }),
      v6({ next: 43, payload: join(routing(60, 0, 0), options(59), pattern(8)) }),
    ],
  ],
  [
    'hop-by-hop anywhere but first (RFC 8200 4.1)',
    [
      v6({ next: 60, payload: join(options(0), options(17), udp(from6)) }),
      v6({ next: 0, payload: join(options(0), options(17), udp(from6)) }),
      v6({ next: 43, payload: join(routing(0, 0, 0), options(17), udp(from6)) }),
    ],
  ],
  [
    'an unknown next header behind others points at the field before it (RFC 8200 4)',
    [
      v6({ next: 60, payload: join(options(200), pattern(8)) }),
      v6({ next: 0, payload: join(options(60), options(200), pattern(8)) }),
      v6({ next: 43, payload: join(routing(200, 0, 0), pattern(8)) }),
      v6({ next: 44, payload: join(fragmentHeader(200, 0, false, 9), pattern(8)) }),
    ],
  ],
  [
    'a chain of 60 destination options headers',
    [
      v6({ next: 60, payload: join(...new Array(59).fill(options(60)), options(17), udp(from6)) }),
      v6({ next: 60, payload: join(...new Array(59).fill(options(60)), options(200), udp(from6)) }),
    ],
  ],
  [
    'unknown options by their two top bits (RFC 8200 4.2)',
    [0x1e, 0x5e, 0x9e, 0xde].flatMap((type) => [
      v6({ next: 60, payload: join(options(17, u8(type, 2, 0, 0)), udp(from6)) }),
      v6({ next: 0, payload: join(options(17, u8(type, 2, 0, 0)), udp(from6)) }),
      v6({ next: 60, payload: join(options(17, u8(0x1e, 0), u8(type, 0)), udp(from6)) }),
      v6({ next: 43, payload: join(routing(60, 0, 0), options(17, u8(type, 2, 0, 0)), udp(from6)) }),
    ]),
  ],
  [
    'known options: router alert, jumbo, home address, tunnel limit, RPL, IOAM',
    [
      v6({ next: 0, payload: join(options(17, u8(5, 2, 0, 0)), udp(from6)) }),
      v6({ next: 0, payload: join(options(17, u8(5, 1, 0)), udp(from6)) }),
      v6({ next: 60, payload: join(options(17, u8(5, 2, 0, 0)), udp(from6)) }),
      v6({ next: 0, payload: join(u8(17, 0, 0xc2, 4, 0, 1, 0, 0), udp(from6)) }),
      v6({ next: 0, payload: join(u8(17, 0, 0xc2, 4, 0, 0, 0, 28), udp(from6)) }),
      v6({ next: 0, payloadLength: 0, payload: join(u8(17, 0, 0xc2, 4, 0, 1, 0, 0), udp(from6)) }),
      v6({ next: 0, payload: join(options(17, u8(0xc2, 3, 0, 0, 0)), udp(from6)) }),
      v6({ next: 60, payload: join(u8(17, 0, 0xc2, 4, 0, 1, 0, 0), udp(from6)) }),
      v6({ next: 60, payload: join(options(17, join(u8(1, 2, 0, 0, 201, 16), pattern(16))), udp(from6)) }),
      v6({ next: 60, payload: join(options(17, u8(4, 1, 0)), udp(from6)) }),
      v6({ next: 60, payload: join(options(17, u8(0x63, 4, 0, 0, 0, 0)), udp(from6)) }),
      v6({ next: 0, payload: join(options(17, u8(0x63, 4, 0, 0, 0, 0)), udp(from6)) }),
      v6({ next: 0, payload: join(options(17, u8(7, 8, 0, 0, 0, 1, 0, 0, 0, 0)), udp(from6)) }),
    ],
  ],
  [
    'padding of more than seven bytes, or not zero, is a silent drop (RFC 4942 2.1.9.5)',
    [
      ...[5, 6, 7, 8].map((length) =>
        v6({ next: 60, payload: join(options(17, u8(1, length - 2, ...new Array(length - 2).fill(0))), udp(from6)) }),
      ),
      v6({ next: 60, payload: join(options(17, u8(1, 2, 0, 1)), udp(from6)) }),
      v6({ next: 60, payload: join(u8(17, 1), new Uint8Array(14), udp(from6)) }),
      v6({ next: 60, payload: join(u8(17, 0), new Uint8Array(6), udp(from6)) }),
      v6({ next: 60, payload: join(u8(17, 1, 0, 0, 0, 0, 0, 0, 1, 6, 0, 0, 0, 0, 0, 0), udp(from6)) }),
      v6({ next: 0, payload: join(u8(17, 1), new Uint8Array(14), udp(from6)) }),
    ],
  ],
  [
    'more than eight options are a silent drop (RFC 8504 5.3)',
    [7, 8, 9, 10].flatMap((count) =>
      [60, 0].map((next) =>
        v6({ next, payload: join(options(17, ...new Array(count).fill(u8(0x1e, 0))), udp(from6)) }),
      ),
    ),
  ],
  [
    'an option or a header that overruns is a silent drop',
    [
      v6({ next: 60, payload: join(u8(17, 0, 0x1e, 5, 0, 0, 0, 0), udp(from6)) }),
      v6({ next: 60, payload: join(u8(17, 200), pattern(30)) }),
      v6({ next: 60, payload: u8(17) }),
      v6({ next: 60, payload: u8() }),
      v6({ next: 60, payload: u8(17, 0, 1, 4, 0, 0, 0) }),
      v6({ next: 60, payload: join(u8(17, 0, 1, 2, 0, 0, 0, 0x1e), udp(from6)) }),
      v6({ next: 0, payload: join(u8(17, 200), pattern(30)) }),
      v6({ next: 0, payload: u8(17) }),
      v6({ next: 43, payload: join(u8(17, 200, 0, 0), pattern(30)) }),
      v6({ next: 43, payload: u8(17, 0, 0, 0) }),
      v6({ next: 44, payload: u8(17, 0, 0) }),
      v6({ next: 0, payload: join(u8(17, 0, 0x1e, 5, 0, 0, 0, 0), udp(from6)) }),
    ],
  ],
  [
    'a routing header of any type: skipped without segments left, refused with (RFC 5095, RFC 8200 4.4)',
    [0, 1, 2, 5, 253, 255].flatMap((type) =>
      [0, 1, 255].map((left) =>
        v6({ next: 43, payload: join(routing(17, type, left, new Uint8Array(20)), udp(from6)) }),
      ),
    ),
  ],
  [
    'a routing header to a group',
    [0, 1].map((left) =>
      v6({
        destination: GROUP6,
        next: 43,
        payload: join(routing(17, 0, left), udp({ from: PEER6, to: GROUP6, port: GROUP_PORT })),
      }),
    ),
  ],
  [
    'routing headers that Linux knows',
    [3, 4].map((type) => v6({ next: 43, payload: join(routing(17, type, 0, new Uint8Array(20)), udp(from6)) })),
  ],
  [
    'TCP',
    [
      v4({ protocol: 6, payload: join(u16(5000), u16(80), u32(1), u32(0), u8(0x50, 2), u16(1000), u32(0)) }),
      v4({ protocol: 136 }),
    ],
  ],
  [
    'TCP over IPv6',
    [v6({ next: 6, payload: join(u16(5000), u16(80), u32(1), u32(0), u8(0x50, 2), u16(1000), u32(0)) })],
  ],
  ['a UDP length of 0 in IPv6', [v6({ payload: join(u16(5000), u16(7000), u16(0), u16(0xc8cf), pattern(4)) })]],
  [
    'a payload length of 0 behind which there is a hop-by-hop header',
    [
      v6({ next: 0, payloadLength: 0, payload: join(options(17), udp(from6)) }),
      v6({ next: 0, payloadLength: 0 }),
      v6({ next: 0, payloadLength: 0, payload: join(options(17, u8(5, 2, 0, 0)), udp(from6)) }),
      v6({ next: 0, payloadLength: 0, payload: join(options(17, u8(0x9e, 2, 0, 0)), udp(from6)) }),
      v6({ next: 60, payloadLength: 0, payload: join(options(17), udp(from6)) }),
    ],
  ],
  [
    'a Jumbo Payload option that is wrong (RFC 2675 3)',
    [
      v6({ next: 0, payloadLength: 0, payload: join(u8(17, 0, 0xc2, 4, 0, 0, 0xff, 0xff), udp(from6)) }),
      v6({ next: 0, payloadLength: 0, payload: join(u8(17, 0, 0xc2, 4, 0, 0, 0, 0), udp(from6)) }),
      v6({ next: 0, payloadLength: 0, payload: join(u8(17, 0, 0xc2, 4, 0, 1, 0, 0), udp(from6)) }),
      v6({ next: 0, payloadLength: 0, payload: join(u8(17, 0, 0xc2, 2, 0, 1, 1, 0), udp(from6)) }),
      v6({
        next: 0,
        payloadLength: 0,
        payload: join(u8(17, 1, 1, 0, 0xc2, 4, 0, 1, 0, 0, 1, 4, 0, 0, 0, 0), udp(from6)),
      }),
      v6({
        next: 0,
        payloadLength: 0,
        payload: join(u8(44, 0, 0xc2, 4, 0, 1, 0, 0), fragmentHeader(17, 0, true, nextId++), udp(from6)),
      }),
    ],
  ],
  [
    'an ICMPv6 redirect with an unknown option in front (RFC 4443 2.4 (e.2))',
    [0, 60].map((next) =>
      v6({ next, payload: join(options(58, u8(0x9e, 2, 0, 0)), icmp(137, 0, u32(0), pattern(32), from6)) }),
    ),
  ],
  ['a timestamp, echoed', [echo4({ options: u8(68, 12, 5, 0, ...new Array(8).fill(0)) })]],
  ['a CIPSO option', [v4({ options: u8(134, 8, 0, 0, 0, 1, 1, 2) })]],
  ['an IOAM option', [v6({ next: 0, payload: join(options(17, u8(0x31, 2, 0, 0)), udp(from6)) })]],
  [
    'a first fragment that ends in front of an extension header',
    [v6({ next: 44, payload: join(fragmentHeader(43, 0, true, nextId++), routing(60, 0, 0)) })],
  ],
  ['AH and ESP without IPsec', [v6({ next: 51, payload: pattern(40) }), v6({ next: 50, payload: pattern(40) })]],

  // ── IPv6 fragments ──
  [
    'two IPv6 fragments, in both orders (RFC 8200 4.5)',
    [
      ...split6(whole6, [
        [0, 1000],
        [1000, -1],
      ]),
      ...split6(whole6, [
        [1000, -1],
        [0, 1000],
      ]),
    ],
  ],
  [
    'duplicates of every IPv6 fragment',
    split6(whole6, [
      [0, 1000],
      [0, 1000],
      [1000, -1],
      [1000, -1],
    ]),
  ],
  [
    'a partial overlap kills the IPv6 datagram (RFC 5722)',
    split6(whole6, [
      [0, 1000],
      [992, 1496],
      [1000, -1],
      [0, 1000],
    ]),
  ],
  [
    'an IPv6 fragment inside a run is ignored',
    split6(whole6, [
      [0, 1000],
      [8, 64],
      [1000, -1],
    ]),
  ],
  [
    'an IPv6 fragment that covers a run kills the datagram',
    split6(whole6, [
      [200, 400],
      [0, 1000],
      [1000, -1],
    ]),
  ],
  [
    'an IPv6 fragment beyond the last one',
    split6(whole6, [
      [1000, -1],
      [2008, 2016],
      [0, 1000],
    ]),
  ],
  [
    'a second, shorter last IPv6 fragment',
    split6(whole6, [
      [1000, -1],
      [1400, -1],
      [0, 1000],
    ]),
  ],
  [
    'a middle IPv6 fragment whose length is no multiple of 8 draws Parameter Problem (RFC 8200 4.5)',
    [
      ...split6(whole6, [
        [0, 1003],
        [0, 1000],
        [1000, -1],
      ]),
      ...split6(whole6, [[0, 1003]], { destination: GROUP6 }),
    ],
  ],
  [
    'an empty IPv6 fragment does not disturb the pending datagram',
    split6(whole6, [
      [0, 1000],
      [1000, 1000],
      [1000, -1],
    ]),
  ],
  [
    'an empty last IPv6 fragment',
    split6(whole6.subarray(0, 1000), [
      [0, 1000],
      [1000, -1],
    ]),
  ],
  ['an empty first IPv6 fragment', split6(whole6, [[0, 0]])],
  [
    'IPv6 fragments beyond 65535 bytes draw Parameter Problem at the offset (RFC 8200 4.5)',
    [
      ...[65528, 65520, 60000].map((offset) =>
        v6({ next: 44, payload: join(fragmentHeader(17, offset, false, nextId++), pattern(1000)) }),
      ),
      v6({ next: 60, payload: join(options(44), fragmentHeader(17, 65528, false, nextId++), pattern(1000)) }),
    ],
  ],
  [
    'a first IPv6 fragment without the whole chain draws Parameter Problem 3 (RFC 7112, RFC 8200 4.5)',
    [
      ...[0, 1, 4, 7].map((length) =>
        v6({ next: 44, payload: join(fragmentHeader(17, 0, true, nextId++), pattern(length)) }),
      ),
      v6({ next: 44, payload: join(fragmentHeader(60, 0, true, nextId++), options(17)) }),
      v6({ next: 44, payload: join(fragmentHeader(60, 0, true, nextId++), u8(17, 1, 0, 0, 0, 0, 0, 0)) }),
      v6({ next: 44, payload: join(fragmentHeader(58, 0, true, nextId++), u8(128, 0, 0, 0)) }),
      v6({ next: 44, payload: join(fragmentHeader(200, 0, true, nextId++), u8()) }),
      v6({ next: 44, payload: join(fragmentHeader(6, 0, true, nextId++), pattern(16)) }),
      v6({ next: 44, payload: join(fragmentHeader(44, 0, true, nextId++), pattern(16)) }),
      v6({ next: 44, payload: join(fragmentHeader(59, 0, true, nextId++), pattern(8)) }),
      v6({ destination: GROUP6, next: 44, payload: join(fragmentHeader(17, 0, true, nextId++), pattern(4)) }),
    ],
  ],
  [
    'the IPv6 key has no next header; only the first fragment counts (RFC 8200 4.5)',
    [
      v6({ next: 44, payload: join(fragmentHeader(200, 1000, false, 0x77), whole6.subarray(1000)) }),
      v6({ next: 44, payload: join(fragmentHeader(17, 0, true, 0x77), whole6.subarray(0, 1000)) }),
      v6({ next: 44, payload: join(fragmentHeader(17, 0, true, 0x78), whole6.subarray(0, 1000)) }),
      v6({ next: 44, payload: join(fragmentHeader(200, 1000, false, 0x78), whole6.subarray(1000)) }),
      v6({ next: 44, payload: join(fragmentHeader(17, 0, true, 0x79), whole6.subarray(0, 1000)) }),
      v6({ source: 'fd09::3', next: 44, payload: join(fragmentHeader(17, 1000, false, 0x79), whole6.subarray(1000)) }),
      v6({ next: 44, payload: join(fragmentHeader(17, 1000, false, 0x79), whole6.subarray(1000)) }),
    ],
  ],
  [
    'an atomic fragment stays apart from a pending datagram (RFC 6946)',
    [
      v6({ next: 44, payload: join(fragmentHeader(17, 0, true, 0x80), whole6.subarray(0, 1000)) }),
      v6({ next: 44, payload: join(fragmentHeader(17, 0, false, 0x80), udp(from6)) }),
      v6({ next: 44, payload: join(fragmentHeader(17, 1000, false, 0x80), whole6.subarray(1000)) }),
    ],
  ],
  [
    'an atomic fragment without room for a header',
    [0, 4].map((length) => v6({ next: 44, payload: join(fragmentHeader(17, 0, false, nextId++), pattern(length)) })),
  ],
  [
    'reserved bits of the fragment header are ignored (RFC 8200 4.5)',
    [
      v6({ next: 44, payload: join(u8(17, 0xff), u16(6), u32(0x81), udp(from6)) }),
      v6({ next: 44, payload: join(u8(17, 0xff), u16(7), u32(0x82), whole6.subarray(0, 1000)) }),
      v6({ next: 44, payload: join(u8(17, 0xff), u16(1000 | 6), u32(0x82), whole6.subarray(1000)) }),
    ],
  ],
  [
    'a fragment of a fragment is refused',
    [
      v6({
        next: 44,
        payload: join(fragmentHeader(44, 0, false, 0x83), fragmentHeader(17, 0, false, 0x84), udp(from6)),
      }),
      v6({
        next: 44,
        payload: join(fragmentHeader(60, 0, false, 0x83), options(44), fragmentHeader(17, 0, false, 0x84), udp(from6)),
      }),
      ...split6(
        join(fragmentHeader(17, 0, false, 0x85), whole6),
        [
          [0, 1000],
          [1000, -1],
        ],
        { protocol: 44 },
      ),
    ],
  ],
  [
    'extension headers around fragments',
    [
      ...fragmentsBehind(options(44), whole6, 17, 0x86),
      ...fragmentsBehind(u8(), join(options(17), whole6), 60, 0x87),
      ...fragmentsBehind(options(44), join(options(200), whole6), 60, 0x88),
      ...fragmentsBehind(u8(), join(options(17, u8(0x9e, 2, 0, 0)), whole6), 60, 0x89),
      ...fragmentsBehind(u8(), join(options(0), options(17), whole6), 60, 0x8a),
      ...fragmentsBehind(u8(), join(routing(17, 0, 1), whole6), 43, 0x8b),
    ],
  ],
  [
    'the hop limit is that of the IPv6 fragment with offset 0',
    [
      ...split6(whole6, [[1000, -1]], { hopLimit: 9 }),
      ...[
        { hopLimit: 33, start: 0 },
        { hopLimit: 9, start: 1000 },
      ].map(({ hopLimit, start }) =>
        v6({
          hopLimit,
          next: 44,
          payload: join(
            fragmentHeader(17, start, start === 0, 0x8c),
            start === 0 ? whole6.subarray(0, 1000) : whole6.subarray(1000),
          ),
        }),
      ),
    ],
  ],
  ...ecnPairs(
    (a, b) => [
      v6({
        trafficClass: 0xb8 | a,
        next: 44,
        payload: join(fragmentHeader(17, 0, true, 0x900 + a * 4 + b), whole6.subarray(0, 1000)),
      }),
      v6({
        trafficClass: b,
        next: 44,
        payload: join(fragmentHeader(17, 1000, false, 0x900 + a * 4 + b), whole6.subarray(1000)),
      }),
    ],
    'IPv6',
  ),
  [
    'a rebuilt IPv6 datagram to a closed port is quoted as rebuilt',
    split6(udp({ ...from6, port: CLOSED_PORT, payload: pattern(2000) }), [
      [0, 1000],
      [1000, -1],
    ]),
  ],
  [
    'a rebuilt unknown next header',
    split6(
      pattern(100),
      [
        [0, 48],
        [48, -1],
      ],
      { protocol: 200 },
    ),
  ],
  ['the largest IPv6 datagram', largest6()],

  // ── ICMPv6 errors received ──
  ...[1, 3, 4].flatMap((type) =>
    Array.from(
      { length: type === 1 ? 9 : 4 },
      (_, code): Case => [
        `an ICMPv6 error of type ${type} code ${code} about a connected socket's datagram (RFC 4443 2.4)`,
        [error6(type, code, u32(0)), v6({}, { port: CONNECTED_PORT, sourcePort: PEER_PORT })],
      ],
    ),
  ),
  [
    'an ICMPv6 error about a datagram of another port is ignored',
    [
      error6(1, 4, u32(0), { port: 1 }),
      error6(1, 4, u32(0), { sourcePort: 1 }),
      error6(1, 4, u32(0), {}, { source: 'fd09::3' }),
      error6(1, 4, u32(0), {}, { destination: 'fd09::3' }),
    ],
  ],
  [
    'an ICMPv6 error with a short quote is ignored',
    [0, 39, 40, 44, 47, 48].map((length) =>
      v6({ next: 58, payload: icmp(1, 4, u32(0), quote6().subarray(0, length), from6) }),
    ),
  ],
  [
    'Packet Too Big sets the path MTU, below 1280 it is ignored (RFC 8201 4)',
    [
      error6(2, 0, u32(1000)),
      echo6({}, pattern(1400)),
      error6(2, 0, u32(1400)),
      echo6({}, pattern(1400)),
      error6(2, 0, u32(1280)),
      echo6({}, pattern(1400)),
    ],
  ],
  [
    'an ICMPv6 error whose quote has extension headers',
    [
      error6(1, 4, u32(0), {}, { next: 60, payload: join(options(17), quotedUdp6()) }),
      error6(1, 4, u32(0), {}, { next: 44, payload: join(fragmentHeader(17, 0, true, 9), quotedUdp6()) }),
      error6(1, 4, u32(0), {}, { next: 44, payload: join(fragmentHeader(17, 8, true, 9), quotedUdp6()) }),
    ],
  ],
]

function ecnPairs(make: (a: number, b: number) => Bytes[], family: string): Case[] {
  return [0, 1, 2, 3].flatMap((a) =>
    [0, 1, 2, 3].map((b): Case => [`${family} fragments with ECN ${a} and ${b} (RFC 3168 5.3)`, make(a, b)]),
  )
}

function fragmentsBehind(front: Bytes, payload: Bytes, next: number, id: number): Bytes[] {
  const first = front.length === 0 ? 44 : 60
  return [
    v6({ next: first, payload: join(front, fragmentHeader(next, 0, true, id), payload.subarray(0, 1000)) }),
    v6({ next: first, payload: join(front, fragmentHeader(next, 1000, false, id), payload.subarray(1000)) }),
  ]
}

function largest4(): Bytes[] {
  const whole = udp({ ...from4, payload: pattern(65_507) })
  return split4(
    whole,
    Array.from({ length: 45 }, (_, at): [number, number] => [at * 1480, at === 44 ? -1 : at * 1480 + 1480]),
  )
}

function largest6(): Bytes[] {
  const whole = udp({ ...from6, payload: pattern(65_527) })
  return split6(
    whole,
    Array.from({ length: 46 }, (_, at): [number, number] => [at * 1448, at === 45 ? -1 : at * 1448 + 1448]),
  )
}

/** A datagram as the connected socket would have sent it. */
function quote4(datagram: Partial<Udp> = {}, fields: Partial<Ip4> = {}): Bytes {
  return v4({
    source: HOST4,
    destination: PEER4,
    payload: udp({ from: HOST4, to: PEER4, sourcePort: CONNECTED_PORT, port: PEER_PORT, ...datagram }),
    ...fields,
  })
}

function error4(
  type: number,
  code: number,
  rest: Bytes,
  datagram: Partial<Udp> = {},
  fields: Partial<Ip4> = {},
): Bytes {
  return v4({ protocol: 1, payload: icmp(type, code, rest, quote4(datagram, fields)) })
}

function quotedUdp6(datagram: Partial<Udp> = {}): Bytes {
  return udp({ from: HOST6, to: PEER6, sourcePort: CONNECTED_PORT, port: PEER_PORT, ...datagram })
}

function quote6(datagram: Partial<Udp> = {}, fields: Partial<Ip6> = {}): Bytes {
  return v6({ source: HOST6, destination: PEER6, payload: quotedUdp6(datagram), ...fields })
}

function error6(
  type: number,
  code: number,
  rest: Bytes,
  datagram: Partial<Udp> = {},
  fields: Partial<Ip6> = {},
): Bytes {
  return v6({ next: 58, payload: icmp(type, code, rest, quote6(datagram, fields), from6) })
}
