/**
 * Seeded traffic: valid sequences of every kind the hosts understand, most of them damaged
 * somewhere.
 */
import type { Random } from '../../src/base/random.ts'
import {
  type Bytes,
  checksum,
  fixHeaderChecksum,
  fragmentHeader,
  icmp,
  ip4,
  ip6,
  join,
  options,
  pattern,
  routing,
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
  FAR4,
  FAR6,
  GROUP_PORT,
  GROUP4,
  GROUP6,
  HOST4,
  HOST6,
  OUTSIDE_BROADCAST4,
  OUTSIDE_PEER4,
  OUTSIDE_PEER6,
  OUTSIDE4,
  OUTSIDE6,
  PEER_PORT,
  PEER4,
  PEER6,
  PORT,
} from './world.ts'

const pick = <T>(random: Random, from: readonly T[]): T => from[random.below(from.length)] as T
const chance = (random: Random, probability: number) => random.float() < probability

/** Where the packets on one link come from and go to. */
export interface Place {
  source4(random: Random): string
  destination4(random: Random): string
  source6(random: Random): string
  destination6(random: Random): string
}

/** Next to a host, which the packets are mostly for. */
export const NEIGHBORS: Place = {
  source4: (random) => pick(random, [PEER4, PEER4, PEER4, '10.9.0.3', `10.9.0.${4 + random.below(200)}`]),
  destination4: (random) => pick(random, [HOST4, HOST4, HOST4, HOST4, HOST4, BROADCAST4, GROUP4, '255.255.255.255']),
  source6: (random) =>
    pick(random, [PEER6, PEER6, PEER6, 'fd09::3', `fd09::${(16 + random.below(4000)).toString(16)}`]),
  destination6: (random) => pick(random, [HOST6, HOST6, HOST6, HOST6, HOST6, GROUP6, 'ff02::1']),
}

/**
 * Inside a router: packets for the router, its other network, networks behind that, its own network
 * again, and nowhere.
 */
const INSIDE: Place = {
  source4: (random) =>
    pick(random, [PEER4, PEER4, PEER4, '10.9.0.3', `10.9.0.${4 + random.below(200)}`, '169.254.1.1', OUTSIDE_PEER4]),
  destination4: (random) =>
    pick(random, [
      ...new Array<string>(6).fill(OUTSIDE_PEER4),
      FAR4,
      FAR4,
      HOST4,
      OUTSIDE4,
      OUTSIDE_BROADCAST4,
      BROADCAST4,
      GROUP4,
      '255.255.255.255',
      '10.9.0.7',
      '10.8.0.0',
      '169.254.1.1',
      '127.0.0.1',
      '240.0.0.1',
      '0.0.0.1',
    ]),
  source6: (random) =>
    pick(random, [
      PEER6,
      PEER6,
      PEER6,
      'fd09::3',
      `fd09::${(16 + random.below(4000)).toString(16)}`,
      'fe80::9',
      OUTSIDE_PEER6,
      'fd09::',
      '::',
    ]),
  destination6: (random) =>
    pick(random, [
      ...new Array<string>(6).fill(OUTSIDE_PEER6),
      FAR6,
      FAR6,
      HOST6,
      OUTSIDE6,
      'fd09::',
      'fd08::',
      'fe80::',
      'fe80::1',
      'fe80::2',
      'fe80::9',
      'fd09::7',
      'fd06::1',
      '::1',
      GROUP6,
      'ff02::1',
      'ff02::2',
      'ff05::2',
      'ff02::1:ff00:0',
    ]),
}

/** Outside of it: packets for the router and its network inside. */
const OUTSIDE: Place = {
  source4: (random) => pick(random, [OUTSIDE_PEER4, FAR4, `10.8.0.${4 + random.below(200)}`]),
  destination4: (random) =>
    pick(random, [PEER4, PEER4, PEER4, '10.9.0.7', HOST4, OUTSIDE4, BROADCAST4, '10.9.0.0', '255.255.255.255']),
  source6: (random) => pick(random, [OUTSIDE_PEER6, FAR6, `fd08::${(16 + random.below(4000)).toString(16)}`]),
  destination6: (random) =>
    pick(random, [PEER6, PEER6, PEER6, 'fd09::7', HOST6, OUTSIDE6, 'fd09::', 'fd08::', 'fe80::1', 'ff02::1']),
}

/** Of each of a router's links. */
export const BOTH_SIDES: readonly Place[] = [INSIDE, OUTSIDE]

/** Sequences of packets, one after the other. */
export class Traffic {
  readonly #random: Random
  readonly #places: readonly Place[]
  #sent = 0
  /** The link that the last sequence is for. */
  link = 0

  constructor(random: Random, places: readonly Place[] = [NEIGHBORS]) {
    this.#random = random
    this.#places = places
  }

  next(): Bytes[] {
    if (this.#places.length > 1) this.link = chance(this.#random, 0.75) ? 0 : 1
    // A counter, so that an identification does not come again while one host still has fragments
    // that the other has forgotten.
    return sequence(this.#random, this.#places[this.link] as Place, this.#sent++ >>> 1)
  }
}

function sequence(random: Random, place: Place, id: number): Bytes[] {
  const six = chance(random, 0.5)
  let packets = six ? valid6(random, place) : valid4(random, place, id & 0xffff)
  const damage = pick(random, [0, 1, 1, 1, 2, 3])
  for (let i = 0; i < damage; i++) {
    const at = random.below(packets.length)
    packets[at] = mutate(random, packets[at] as Bytes)
  }
  if (packets.length > 1) {
    if (chance(random, 0.3)) packets = shuffled(random, packets)
    if (chance(random, 0.2)) packets.splice(random.below(packets.length), 0, pick(random, packets))
    if (chance(random, 0.1)) packets.splice(random.below(packets.length), 1)
  }
  return packets
}

function shuffled<T>(random: Random, list: readonly T[]): T[] {
  const left = [...list]
  return list.map(() => left.splice(random.below(left.length), 1)[0] as T)
}

function payload(random: Random): Bytes {
  return pattern(pick(random, [0, 1, 7, 8, 20, 33, 100, 200, 1000, 1400, 3000]), random.below(256))
}

function ports(random: Random): { port: number; sourcePort: number } {
  return {
    port: pick(random, [PORT, PORT, PORT, CONNECTED_PORT, DUAL_PORT, GROUP_PORT, CLOSED_PORT]),
    sourcePort: pick(random, [PEER_PORT, PEER_PORT, 5000, 0]),
  }
}

/** Splits at multiples of 8 into pieces of random lengths. */
function pieces(random: Random, whole: Bytes): [number, Bytes, boolean][] {
  const all: [number, Bytes, boolean][] = []
  const most = pick(random, [8, 64, 504, 1000, 1400])
  for (let at = 0; at < whole.length || at === 0; ) {
    let length = Math.min(whole.length - at, 8 * (1 + random.below(most / 8)))
    if (whole.length / most > 30) length = Math.min(whole.length - at, most * 8)
    all.push([at, whole.subarray(at, at + length), at + length < whole.length])
    at += Math.max(length, 1)
  }
  return all
}

function valid4(random: Random, place: Place, id: number): Bytes[] {
  const source = place.source4(random)
  const destination = place.destination4(random)
  const body = payload(random)
  let protocol = 17
  let message: Bytes
  switch (random.below(8)) {
    case 0:
    case 1:
      protocol = 1
      message = icmp(8, 0, u32(random.uint32()), body)
      break
    case 2:
      protocol = 1
      message = error4(random, body)
      break
    case 3:
      protocol = pick(random, [1, 200])
      message = icmp(
        pick(random, [0, 3, 4, 5, 9, 10, 11, 12, 13, 14, 17, 18, random.below(256)]),
        random.below(4),
        u32(random.uint32()),
        body,
      )
      break
    default:
      message = udp({
        from: source,
        to: destination,
        ...ports(random),
        payload: body,
        ...(chance(random, 0.1) ? { checksum: 0 } : {}),
      })
  }
  const fields = {
    source,
    destination,
    protocol,
    ttl: pick(random, [64, 64, 1, 0, 255]),
    tos: pick(random, [0, 0, 1, 2, 3, random.below(256)]),
    id,
    ...(chance(random, 0.25) ? { options: options4(random) } : {}),
  }
  if (message.length < 1400 && chance(random, 0.6))
    return [ip4({ ...fields, df: chance(random, 0.5), payload: message })]
  return pieces(random, message).map(([offset, part, mf]) => ip4({ ...fields, offset, mf, payload: part }))
}

function error4(random: Random, body: Bytes): Bytes {
  const quoted = ip4({
    source: pick(random, [HOST4, HOST4, HOST4, '10.9.0.3']),
    destination: pick(random, [PEER4, PEER4, PEER4, '10.9.0.3']),
    payload: udp({
      from: HOST4,
      to: PEER4,
      sourcePort: pick(random, [CONNECTED_PORT, CONNECTED_PORT, PORT]),
      port: PEER_PORT,
      payload: body,
    }),
  })
  const type = pick(random, [3, 3, 3, 11, 12])
  const code = random.below(type === 3 ? 16 : 3)
  return icmp(
    type,
    code,
    type === 3 && code === 4 ? u32(pick(random, [68, 552, 600, 1400, 1500, 9000])) : u32(random.uint32()),
    quoted.subarray(0, pick(random, [28, 48, 500])),
  )
}

function options4(random: Random): Bytes {
  const one = (): Bytes => {
    switch (random.below(9)) {
      case 0:
        return u8(1)
      case 1: {
        const slots = 1 + random.below(3)
        return join(u8(7, 3 + slots * 4, 4 + 4 * random.below(slots + 1)), pattern(slots * 4))
      }
      case 2: {
        const slots = 1 + random.below(2)
        const used = random.below(slots + 1)
        // Whole entries of addresses only: times would differ by the clock.
        return join(
          u8(68, 4 + slots * 8, 5 + used * 8, used === slots ? random.below(256) : 3),
          join(...new Array(slots).fill(join(u8(10, 9, 0, 99), u32(0)))),
        )
      }
      case 3:
        return u8(148, 4, 0, 0)
      case 4:
        return u8(0x5e, 2 + random.below(4), 0, 0, 0, 0).subarray(0, 4)
      case 5:
        return u8(pick(random, [131, 137]), 7, 4 + random.below(2) * 4, 192, 0, 2, 1)
      case 6:
        return u8(random.below(256), random.below(12), random.below(12), 0)
      case 7:
        return u8(0)
      default:
        return u8(130, 4, 1, 2)
    }
  }
  const all = join(...Array.from({ length: 1 + random.below(3) }, one))
  return all.subarray(0, 40)
}

function valid6(random: Random, place: Place): Bytes[] {
  const source = place.source6(random)
  const destination = place.destination6(random)
  const to = { from: source, to: destination }
  const body = payload(random)
  let protocol = 17
  let message: Bytes
  switch (random.below(8)) {
    case 0:
    case 1:
      protocol = 58
      message = icmp(128, 0, u32(random.uint32()), body, to)
      break
    case 2:
      protocol = 58
      message = error6(random, body, to)
      break
    case 3:
      protocol = pick(random, [58, 200, 59])
      message = icmp(
        pick(random, [0, 1, 2, 3, 4, 5, 100, 127, 128, 129, 200, 255]),
        random.below(4),
        u32(random.uint32()),
        body,
        to,
      )
      break
    default:
      message = udp({ ...to, ...ports(random), payload: body })
  }
  const fields = {
    source,
    destination,
    hopLimit: pick(random, [64, 64, 1, 0, 255]),
    trafficClass: pick(random, [0, 0, 1, 2, 3, random.below(256)]),
    flowLabel: random.below(0x10_0000),
  }
  const front = chance(random, 0.25)
  if (message.length < 1300 && chance(random, 0.6)) {
    const [next, whole] = front ? headers(random, protocol, message, true) : [protocol, message]
    return [ip6({ ...fields, next, payload: whole })]
  }
  const [inner, whole] = chance(random, 0.2) ? headers(random, protocol, message, false) : [protocol, message]
  const id = random.uint32()
  return pieces(random, whole).map(([offset, part, more]) => {
    const fragment = join(fragmentHeader(inner, offset, more, id), part)
    const [next, all] = front ? headers(random, 44, fragment, true) : [44, fragment]
    return ip6({ ...fields, next, payload: all })
  })
}

/** Some extension headers in front of a message; the first one's number and the bytes. */
function headers(random: Random, protocol: number, message: Bytes, first: boolean): [number, Bytes] {
  let next = protocol
  let bytes = message
  for (let count = 1 + random.below(3); count > 0; count--) {
    switch (random.below(4)) {
      case 0:
        bytes = join(
          routing(
            next,
            pick(random, [0, 2, 5, 253]),
            pick(random, [0, 0, 0, 1]),
            new Uint8Array(pick(random, [4, 12, 20])),
          ),
          bytes,
        )
        next = 43
        break
      case 1:
        bytes = join(options(next, option6(random)), bytes)
        next = first && count === 1 && chance(random, 0.7) ? 0 : 60
        break
      default:
        bytes = join(options(next, ...Array.from({ length: random.below(3) }, () => option6(random))), bytes)
        next = 60
    }
  }
  return [next, bytes]
}

function option6(random: Random): Bytes {
  return pick(random, [
    u8(0),
    u8(1, 0),
    u8(1, 2, 0, 0),
    u8(0x1e, 2, 1, 2),
    u8(0x1e, 0),
    u8(5, 2, 0, 0),
    u8(pick(random, [0x5e, 0x9e, 0xde]), 2, 0, 0),
  ])
}

function error6(random: Random, body: Bytes, to: { from: string; to: string }): Bytes {
  const quoted = ip6({
    source: pick(random, [HOST6, HOST6, HOST6, 'fd09::3']),
    destination: pick(random, [PEER6, PEER6, PEER6, 'fd09::3']),
    payload: udp({
      from: HOST6,
      to: PEER6,
      sourcePort: pick(random, [CONNECTED_PORT, CONNECTED_PORT, PORT]),
      port: PEER_PORT,
      payload: body,
    }),
  })
  const type = pick(random, [1, 1, 2, 3, 4])
  return icmp(
    type,
    random.below(5),
    type === 2 ? u32(pick(random, [0, 1000, 1280, 1400, 1500, 9000])) : u32(random.uint32()),
    quoted.subarray(0, pick(random, [48, 68, 500])),
    to,
  )
}

const INTERESTING = [0, 1, 2, 4, 7, 8, 0x11, 0x2b, 0x2c, 0x3a, 0x3b, 0x3c, 0x44, 0x45, 0x60, 0x7f, 0x80, 0x83, 0xff]

/**
 * Damages a packet: a byte or a word changed, bytes gone or added; then, mostly, the checksums made
 * right again, so that the damage is met.
 */
function mutate(random: Random, packet: Bytes): Bytes {
  if (packet.length === 0) return packet
  let bytes: Bytes = packet.slice()
  // The headers are more interesting than the payload.
  const at = () => random.below(chance(random, 0.8) ? Math.min(bytes.length, 80) : bytes.length)
  switch (random.below(7)) {
    case 0:
      return packet.subarray(0, random.below(packet.length))
    case 1:
      bytes = join(bytes, pattern(1 + random.below(20)))
      break
    case 2:
      bytes[at()] = pick(random, INTERESTING)
      break
    case 3: {
      const where = at()
      bytes[where] = (bytes[where] as number) ^ (1 << random.below(8))
      break
    }
    case 4:
      bytes.set(
        u16(pick(random, [0, 1, 7, 8, 0xffff, bytes.length, bytes.length - 40])).subarray(0, bytes.length),
        Math.min(at(), Math.max(0, bytes.length - 2)),
      )
      break
    default:
      bytes[at()] = random.below(256)
  }
  if (chance(random, 0.85)) fixHeaderChecksum4(bytes)
  if (chance(random, 0.6)) fixTransportChecksum(bytes)
  return bytes
}

function fixHeaderChecksum4(bytes: Bytes): void {
  if ((bytes[0] ?? 0) >>> 4 === 4) fixHeaderChecksum(bytes)
}

/** For packets without extension headers and fragments; others stay as they are. */
function fixTransportChecksum(bytes: Bytes): void {
  const four = (bytes[0] ?? 0) >>> 4 === 4
  const header = four ? ((bytes[0] as number) & 15) * 4 : 40
  const protocol = bytes[four ? 9 : 6]
  const end = four ? ((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0) : 40 + (((bytes[4] ?? 0) << 8) | (bytes[5] ?? 0))
  const length = end - header
  if (end > bytes.length || length < 8 || header < 20 || (four && (((bytes[6] ?? 0) & 0x3f) | (bytes[7] ?? 0)) !== 0))
    return
  const field = header + (protocol === 17 ? 6 : 2)
  if (protocol !== 17 && protocol !== 1 && protocol !== 58) return
  const pseudo = join(bytes.subarray(four ? 12 : 8, four ? 20 : 40), u32(length), u32(protocol))
  bytes.set(u16(0), field)
  const udpLength = ((bytes[header + 4] as number) << 8) | (bytes[header + 5] as number)
  const covered = protocol === 17 && udpLength >= 8 && udpLength <= length ? udpLength : length
  const front =
    protocol === 17 ? join(bytes.subarray(four ? 12 : 8, four ? 20 : 40), u32(covered), u32(protocol)) : pseudo
  const sum =
    protocol === 1 ? checksum(bytes.subarray(header, end)) : checksum(front, bytes.subarray(header, header + covered))
  bytes.set(u16(protocol === 17 ? sum || 0xffff : sum), field)
}
