/**
 * Floods: what a hostile neighbor, or a stranger behind a router, can send. Each makes its frames
 * one by one, the n-th of them from `n` and from a generator of random 32-bit words, so that a
 * flood is the same each time.
 *
 * The victim has port 7 (an echo), port 9 (nobody reads it), the groups 239.1.1.1 and ff15::1, and
 * the addresses of {@link VICTIM}.
 */
import {
  address,
  arp,
  BROADCAST_MAC,
  ethernet,
  fragmentHeader,
  groupMac,
  icmp,
  igmp,
  ipv4,
  ipv6,
  mac,
  udp,
} from '../packet.mjs'

export const VICTIM = {
  mac: mac('02:00:00:00:00:02'),
  four: address('10.99.0.2'),
  six: address('fd99::2'),
  local: address('fe80::2'),
}
export const HONEST = {
  mac: mac('02:00:00:00:00:03'),
  four: address('10.99.0.3'),
  six: address('fd99::3'),
  local: address('fe80::3'),
}
export const ATTACKER = {
  mac: mac('02:00:00:00:00:66'),
  four: address('10.99.0.66'),
  six: address('fd99::66'),
  local: address('fe80::66'),
}
export const GROUP4 = address('239.1.1.1')
export const GROUP6 = address('ff15::1')
export const ECHO_PORT = 7
export const UNREAD_PORT = 9

/** A generator of 32-bit words (xorshift). */
export function words(seed) {
  let x = seed >>> 0 || 1
  return () => {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    return x >>> 0
  }
}

const empty = new Uint8Array(0)
const bytes4 = (word) => Uint8Array.of(word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255)
/** A station of the victim's own /16, never one of the three. */
const neighbor4 = (word) => Uint8Array.of(10, 99, 1 + (word % 254), (word >>> 8) & 255)
/** A unicast address anywhere. */
const anywhere4 = (word) => Uint8Array.of(11 + (word % 100), (word >>> 8) & 255, (word >>> 16) & 255, word >>> 24)
const neighbor6 = (a, b) =>
  Uint8Array.from([...address('fd99::').subarray(0, 8), ...bytes4(a | 0x80000000), ...bytes4(b)])
const anywhere6 = (a, b, c) => Uint8Array.from([0x20, 1, 0xd, 0xb8, ...bytes4(a), ...bytes4(b), ...bytes4(c)])
const link6 = (a, b) => Uint8Array.from([0xfe, 0x80, 0, 0, 0, 0, 0, 0, ...bytes4(a | 0x80000000), ...bytes4(b)])
const randomMac = (word) => Uint8Array.of(2, 0x66, ...bytes4(word))

const four = (fields, payload, to = VICTIM.mac) =>
  ethernet(to, ATTACKER.mac, 0x0800, ipv4({ source: ATTACKER.four, destination: VICTIM.four, ...fields }, payload))
const six = (fields, payload, to = VICTIM.mac) =>
  ethernet(to, ATTACKER.mac, 0x86dd, ipv6({ source: ATTACKER.six, destination: VICTIM.six, ...fields }, payload))

function udp4(fields, size = 32) {
  const ends = { source: ATTACKER.four, destination: VICTIM.four, sourcePort: 4000, destinationPort: 9999, ...fields }
  return four({ ...ends, protocol: 17 }, udp(ends, new Uint8Array(size)))
}

function udp6(fields, size = 32) {
  const ends = { source: ATTACKER.six, destination: VICTIM.six, sourcePort: 4000, destinationPort: 9999, ...fields }
  return six({ ...ends, next: 17 }, udp(ends, new Uint8Array(size)))
}

function icmp6(type, code, rest, body, fields = {}, to = VICTIM.mac) {
  const ends = { source: ATTACKER.six, destination: VICTIM.six, ...fields }
  return six({ hopLimit: 255, ...ends, next: 58 }, icmp(type, code, rest, body, ends), to)
}

const fragment4 = (fields, offset, more, size) =>
  four({ protocol: 17, flags: (offset / 8) | (more ? 0x2000 : 0), ...fields }, new Uint8Array(size))
const fragment6 = (fields, identification, offset, more, size) =>
  six({ ...fields, next: 44 }, Buffer.concat([fragmentHeader(17, offset, more, identification), new Uint8Array(size)]))

/** What an error quotes: a datagram that the victim might have sent. */
function quote4(source, destination, sourcePort, destinationPort) {
  return ipv4({ source, destination, protocol: 17 }, udp({ source, destination, sourcePort, destinationPort }, empty))
}

function quote6(source, destination, sourcePort, destinationPort) {
  return ipv6({ source, destination, next: 17 }, udp({ source, destination, sourcePort, destinationPort }, empty))
}

function igmpQuery(group, sources, fields) {
  const body = Buffer.alloc(4 + 4 * sources.length)
  // QRV 2, QQIC 125 (RFC 9776 section 4.1).
  body.set([2, 125, sources.length >>> 8, sources.length & 255])
  for (let i = 0; i < sources.length; i++) body.set(sources[i], 4 + 4 * i)
  const rest = new DataView(group.buffer, group.byteOffset, 4).getUint32(0)
  return four({ protocol: 2, ...fields }, igmp(0x11, 255, rest, body), fields.to)
}

function mldQuery(group, sources, fields) {
  const body = Buffer.alloc(20 + 16 * sources.length)
  body.set(group, 0)
  body.set([2, 125, sources.length >>> 8, sources.length & 255], 16)
  for (let i = 0; i < sources.length; i++) body.set(sources[i], 20 + 16 * i)
  // Router Alert (RFC 9777 section 5): without it no query is heeded.
  const ends = { source: ATTACKER.local, destination: VICTIM.six, hopLimit: 1, ...fields }
  const alert = Uint8Array.of(58, 0, 5, 2, 0, 0, 1, 0)
  return six({ ...ends, next: 0 }, Buffer.concat([alert, icmp(130, 0, 0xffff0000, body, ends)]), fields.to)
}

function routerAdvertisement(source, { lifetime = 1800, reachable = 0, retrans = 0, options = empty }) {
  const body = Buffer.alloc(8 + options.length)
  body.writeUInt32BE(reachable >>> 0, 0)
  body.writeUInt32BE(retrans >>> 0, 4)
  body.set(options, 8)
  const group = address('ff02::1')
  return icmp6(134, 0, (64 << 24) | lifetime, body, { source, destination: group }, groupMac(group))
}

function prefixOption(prefix) {
  return Uint8Array.from([3, 4, 64, 0xc0, ...bytes4(86_400), ...bytes4(14_400), 0, 0, 0, 0, ...prefix])
}

const linkOption = (type, address) => Uint8Array.from([type, 1, ...address])

function solicitedNode(target) {
  const group = address('ff02::1:ff00:0')
  group.set(target.subarray(13), 13)
  return group
}

/** The attacker answers for its own IPv4 address. */
export const arpAnswer = () =>
  ethernet(VICTIM.mac, ATTACKER.mac, 0x0806, arp(2, ATTACKER.mac, ATTACKER.four, VICTIM.mac, VICTIM.four))

/** The attacker answers for one of its IPv6 addresses. */
export const advertisementOf = (address, asker) =>
  icmp6(136, 0, 0x60000000, Buffer.concat([address, linkOption(2, ATTACKER.mac)]), {
    source: address,
    destination: asker,
  })

export const FLOODS = [
  { name: 'UDP to a closed port', make: () => udp4({}) },
  { name: 'UDP to a closed port from forged sources', make: (_, r) => udp4({ source: anywhere4(r()) }) },
  {
    name: 'UDP over IPv6 to closed ports from forged sources',
    make: (_, r) => udp6({ source: anywhere6(r(), r(), r()), destinationPort: 1024 + (r() % 60_000) }),
  },
  {
    name: 'UDP to a socket that nobody reads',
    make: (n) => udp4({ destinationPort: UNREAD_PORT, sourcePort: 1024 + (n % 50_000) }, 1000),
  },
  {
    name: 'UDP with a wrong checksum',
    make: (n) => {
      const frame = udp4({ destinationPort: ECHO_PORT })
      frame.writeUInt16BE((n & 0x7fff) | 1, 40)
      return frame
    },
  },
  { name: 'echo requests', make: (n) => four({ protocol: 1 }, icmp(8, 0, n, new Uint8Array(56))) },
  {
    name: 'echo requests from neighbors that do not exist',
    make: (n, r) => four({ source: neighbor4(r()), protocol: 1 }, icmp(8, 0, n, new Uint8Array(56))),
  },
  {
    name: 'IPv6 echo requests from neighbors that do not exist',
    make: (n, r) => icmp6(128, 0, n, new Uint8Array(56), { source: neighbor6(r(), r()) }),
  },
  { name: 'first fragments', make: (n) => fragment4({ identification: n & 0xffff }, 0, true, 1400) },
  {
    name: 'small fragments from forged sources',
    make: (_, r) =>
      fragment4({ source: anywhere4(r()), identification: r() & 0xffff }, 8 * (1 + (r() % 1000)), true, 8),
  },
  {
    name: 'fragments of few datagrams with many holes',
    make: (n, r) => fragment4({ identification: n % 7 }, 16 * (r() % 4000), true, 8),
  },
  {
    name: 'overlapping fragments',
    make: (n, r) => fragment4({ identification: n & 0xffff & ~3 }, 8 * (r() % 8), true, 64),
  },
  { name: 'IPv6 first fragments', make: (n) => fragment6({}, n, 0, true, 1232) },
  {
    name: 'small IPv6 fragments with chosen identifications',
    make: (n) => fragment6({}, Math.imul(n, 0x10000), 8, true, 8),
  },
  {
    name: 'small IPv6 fragments from one /64',
    make: (n, r) => fragment6({ source: neighbor6(r(), r()) }, Math.imul(n, 0x10000), 8, true, 8),
  },
  {
    name: 'small IPv6 fragments from forged prefixes',
    make: (_, r) => fragment6({ source: anywhere6(r(), r(), r()) }, r(), 8, true, 8),
  },
  {
    name: 'ARP requests of neighbors that do not exist',
    make: (_, r) => {
      const from = randomMac(r())
      return ethernet(BROADCAST_MAC, from, 0x0806, arp(1, from, neighbor4(r()), new Uint8Array(6), VICTIM.four))
    },
  },
  {
    name: 'ARP replies that nobody asked for',
    make: (_, r) => {
      const from = randomMac(r())
      return ethernet(VICTIM.mac, from, 0x0806, arp(2, from, neighbor4(r()), VICTIM.mac, VICTIM.four))
    },
  },
  {
    name: 'neighbor solicitations',
    make: (_, r) => {
      const from = randomMac(r())
      const group = solicitedNode(VICTIM.six)
      return icmp6(
        135,
        0,
        0,
        Buffer.concat([VICTIM.six, linkOption(1, from)]),
        { source: neighbor6(r(), r()), destination: group },
        groupMac(group),
      )
    },
  },
  {
    name: 'neighbor advertisements',
    make: (_, r) => {
      const target = neighbor6(r(), r())
      return icmp6(136, 0, 0x60000000, Buffer.concat([target, linkOption(2, randomMac(r()))]), { source: target })
    },
  },
  {
    name: 'router solicitations',
    make: (_, r) => {
      const from = randomMac(r())
      const group = address('ff02::2')
      return icmp6(133, 0, 0, linkOption(1, from), { source: link6(r(), r()), destination: group }, groupMac(group))
    },
  },
  {
    name: 'advertisements of many routers and prefixes',
    make: (_, r) =>
      routerAdvertisement(link6(r(), r()), {
        options: prefixOption(Uint8Array.from([...anywhere6(r(), r(), 0).subarray(0, 8), 0, 0, 0, 0, 0, 0, 0, 0])),
      }),
  },
  {
    name: 'advertisements with absurd timers',
    make: (n) =>
      routerAdvertisement(
        ATTACKER.local,
        n % 2 === 0 ? { reachable: 1, retrans: 1 } : { reachable: 0xffffffff, retrans: 0xffffffff },
      ),
  },
  {
    name: 'IGMP queries with 360 sources across routers',
    make: (n) =>
      igmpQuery(
        GROUP4,
        Array.from({ length: 360 }, (_, i) => anywhere4(n * 360 + i)),
        { ttl: 64 },
      ),
  },
  {
    name: 'IGMP queries with 360 sources',
    make: (n) =>
      igmpQuery(
        GROUP4,
        Array.from({ length: 360 }, (_, i) => anywhere4(n * 360 + i)),
        { ttl: 1, destination: GROUP4, to: groupMac(GROUP4), options: [0x94, 4, 0, 0] },
      ),
  },
  {
    name: 'MLD queries with 80 sources',
    make: (n) =>
      mldQuery(
        GROUP6,
        Array.from({ length: 80 }, (_, i) => anywhere6(n, i, 1)),
        { destination: GROUP6, to: groupMac(GROUP6) },
      ),
  },
  {
    name: 'redirects',
    make: (_, r) =>
      four({ protocol: 1 }, icmp(5, 1, 0x0a630042, quote4(VICTIM.four, anywhere4(r()), ECHO_PORT, r() & 0xffff))),
  },
  {
    name: 'IPv6 redirects',
    make: (_, r) => {
      const target = anywhere6(r(), r(), r())
      return icmp6(137, 0, 0, Buffer.concat([ATTACKER.local, target]), { source: ATTACKER.local })
    },
  },
  {
    name: 'fragmentation needed, to everywhere',
    make: (_, r) =>
      four({ protocol: 1 }, icmp(3, 4, 552, quote4(VICTIM.four, anywhere4(r()), ECHO_PORT, r() & 0xffff))),
  },
  {
    name: 'packet too big, to everywhere',
    make: (_, r) => icmp6(2, 0, 1280, quote6(VICTIM.six, anywhere6(r(), r(), r()), ECHO_PORT, r() & 0xffff)),
  },
  {
    name: 'port unreachables',
    make: (_, r) =>
      four({ protocol: 1 }, icmp(3, 3, 0, quote4(VICTIM.four, anywhere4(r()), r() & 0xffff, r() & 0xffff))),
  },
  {
    name: 'record route and timestamp options',
    make: () => four({ protocol: 1, options: [7, 39, 4, ...new Array(36).fill(0), 0] }, icmp(8, 0, 1, empty)),
  },
  {
    name: 'malformed options',
    make: (_, r) =>
      four(
        { protocol: 17, options: [...bytes4(r()), ...bytes4(r())] },
        udp({ source: ATTACKER.four, destination: VICTIM.four, sourcePort: 1, destinationPort: 2 }, empty),
      ),
  },
  {
    name: 'chains of extension headers',
    make: () =>
      six(
        { next: 60 },
        Buffer.concat([
          ...new Array(100).fill(Uint8Array.of(60, 0, 1, 4, 0, 0, 0, 0)),
          Uint8Array.of(59, 0, 1, 4, 0, 0, 0, 0),
        ]),
      ),
  },
  { name: 'unknown protocols', make: (_, r) => four({ protocol: 150 + (r() % 100) }, new Uint8Array(20)) },
  {
    name: 'groups that nobody joined',
    make: (_, r) => {
      const group = Uint8Array.of(224 + (r() % 16), (r() >>> 8) & 255, 1, 1)
      return ethernet(
        groupMac(group),
        ATTACKER.mac,
        0x0800,
        ipv4({ source: ATTACKER.four, destination: group, protocol: 17 }, new Uint8Array(20)),
      )
    },
  },
  {
    name: 'packets for others',
    make: (_, r) => four({ destination: anywhere4(r()), protocol: 17 }, new Uint8Array(20)),
  },
  {
    name: 'noise behind good headers',
    make: (_, r) =>
      four({ protocol: [1, 2, 17][r() % 3] }, Buffer.concat(Array.from({ length: 8 }, () => bytes4(r())))),
  },
  {
    name: 'noise',
    make: (_, r) =>
      ethernet(
        VICTIM.mac,
        ATTACKER.mac,
        [0x0800, 0x0806, 0x86dd, r() & 0xffff][r() % 4],
        Buffer.concat(Array.from({ length: 12 }, () => bytes4(r()))),
      ),
  },
]
