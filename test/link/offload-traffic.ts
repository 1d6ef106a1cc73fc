/** Datagrams of every kind that offloads meet, for the tests of their law. */
import fc from 'fast-check'
import { type Ends, ipv4, ipv6, pattern, tcp, udp } from '../packet.ts'
import { tcpAt, udpAt, type VnetFrame } from '../twins/segments.ts'

/** What a datagram is made of; `state` is its checksum. */
export const shape = fc.record({
  size: fc.oneof({ weight: 4, arbitrary: fc.constant(100) }, fc.constantFrom(0, 1, 2, 99, 101, 250)),
  state: fc.oneof(
    { weight: 6, arbitrary: fc.constant('partial') },
    fc.constantFrom('valid', 'valid', 'zero', 'wrong', 'almost'),
  ),
  /** What the Identification does. */
  step: fc.oneof({ weight: 6, arbitrary: fc.constant(1) }, fc.constantFrom(0, 2, 65_535)),
  surplus: fc.oneof({ weight: 12, arbitrary: fc.constant(0) }, fc.constantFrom(1, 4, 9)),
  field: fc.oneof(
    { weight: 14, arbitrary: fc.constant('none') },
    fc.constantFrom(
      'ttl',
      'tos',
      'df',
      'evil',
      'port',
      'source',
      'label',
      'options',
      'fragment',
      'header checksum',
      'total length',
      'tcp',
    ),
  ),
})
type Sampled = typeof shape extends fc.Arbitrary<infer T> ? T : never
/** Of any size. */
export type Shape = Omit<Sampled, 'size'> & { readonly size: number }

export interface Sent {
  readonly bytes: Uint8Array
  readonly partial: boolean
}

/** The datagram, with what is asked for wrong, odd or missing. */
export function make(
  family: 4 | 6,
  fields: Shape,
  identification: number,
  index: number,
  between?: { source: string; destination: string },
): Sent {
  const { size, state, surplus, field } = fields
  const source =
    family === 4 ? (field === 'source' ? '192.0.2.3' : '192.0.2.1') : field === 'source' ? 'fd00::3' : 'fd00::1'
  const ends = { source, destination: family === 4 ? '192.0.2.2' : 'fd00::2', ...between }
  const payload = Array.from(pattern(size), (value) => (value + index) & 255)
  const message = udp(payload, family, { ...ends, sourcePort: field === 'port' ? 8 : 7, destinationPort: 9 })
  const view = new DataView(message.buffer)
  const right = view.getUint16(6)
  // Partial is the stack's or the device's own promise: of UDP without surplus, right behind the IP
  // header.
  const partial =
    state === 'partial' && surplus === 0 && !['options', 'fragment', 'total length', 'tcp'].includes(field)
  if (state === 'zero') view.setUint16(6, 0)
  if (state === 'wrong') view.setUint16(6, 0x1234)
  if (state === 'almost') view.setUint16(6, (right + 1) & 0xffff)
  const all = [...message, ...new Array<number>(surplus).fill(1)]
  const header = {
    ...ends,
    protocol: field === 'tcp' ? 6 : 17,
    next: field === 'tcp' ? 6 : field === 'options' ? 60 : 17,
  }
  const hops = field === 'ttl' ? 63 : 64
  const tos = field === 'tos' ? 3 : 0
  const bytes =
    family === 4
      ? ipv4(all, {
          ...header,
          ttl: hops,
          tos,
          identification: identification & 0xffff,
          dontFragment: field !== 'df',
          moreFragments: field === 'fragment',
          options: field === 'options' ? [148, 4, 0, 0] : [],
        })
      : ipv6(field === 'options' ? [17, 0, 1, 4, 0, 0, 0, 0, ...all] : all, {
          ...header,
          hopLimit: hops,
          trafficClass: tos,
        })
  const own = new DataView(bytes.buffer)
  if (field === 'label' && family === 6) own.setUint16(2, 5)
  if (field === 'total length') own.setUint16(family === 4 ? 2 : 4, own.getUint16(family === 4 ? 2 : 4) - 1)
  if (field === 'evil' && family === 4) own.setUint8(6, own.getUint8(6) | 0x80)
  if (family === 4) {
    own.setUint16(10, 0)
    let sum = 0
    for (let at = 0; at < ((bytes[0] as number) & 15) * 4; at += 2) sum += own.getUint16(at)
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
    own.setUint16(10, field === 'header checksum' ? sum : ~sum & 0xffff)
  }
  return { bytes, partial }
}

/** Comparing typed arrays element by element is what would take longest. */
export const hex = (packets: readonly Uint8Array[] | null) =>
  packets?.map((bytes) => Buffer.from(bytes).toString('hex')) ?? null

/** The pseudo-header's folded sum, as a stack leaves it in the field. */
export function pseudoSum(bytes: Uint8Array, at: number, protocol = 17): number {
  const four = (bytes[0] as number) >>> 4 === 4
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let sum = protocol + bytes.length - at
  for (let from = four ? 12 : 8; from < (four ? 20 : 40); from += 2) sum += view.getUint16(from)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return sum
}

/**
 * Hop-by-hop, routing, destination options and authentication headers, and IPv4 options; all
 * padding.
 */
export const headersOf = (family: 4 | 6) =>
  family === 4
    ? fc.constantFrom<number[]>([], [148, 4, 0, 0], [7, 7, 4, 0, 0, 0, 0, 0], new Array(40).fill(1))
    : fc.array(fc.constantFrom(0, 43, 51, 60), { maxLength: 4 })

export function withHeaders(
  family: 4 | 6,
  headers: readonly number[],
  message: Uint8Array,
  identification: number,
  ends: Ends = {},
  protocol = 17,
): Uint8Array {
  if (family === 4)
    return ipv4(message, {
      ...ends,
      protocol,
      options: headers,
      identification: identification & 0xffff,
      dontFragment: identification % 2 === 0,
    })
  const chain = [...headers, protocol]
  const extensions = headers.flatMap((type, index) => {
    const next = chain[index + 1] as number
    // A router looks into the first kind, and takes no more than 7 bytes of padding (Linux).
    return type === 0 ? [next, 0, 1, 4, 0, 0, 0, 0] : [next, type === 51 ? 2 : 1, 1, 12, ...new Array(12).fill(0)]
  })
  return ipv6([...extensions, ...message], { ...ends, next: chain[0] as number })
}

/** What a frame of many TCP segments is made of. */
export const segmentsShape = fc.record({
  segments: fc.integer({ min: 1, max: 40 }),
  size: fc.integer({ min: 1, max: 300 }),
  /** How much shorter the last one is. */
  less: fc.nat(299),
  flags: fc.constantFrom(0x10, 0x18, 0x11, 0x19, 0x90, 0x98, 0x50),
  sequence: fc.constantFrom(1, 0x7fff_fff0, 0xffff_ff00),
  options: fc.constantFrom<number[]>([], [1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8], new Array(40).fill(1)),
})
export type SegmentsShape = typeof segmentsShape extends fc.Arbitrary<infer T> ? T : never

/** As the kernel hands it to a device: its checksum `Partial`, with the vnet header's fields. */
export function tcpFrame(
  family: 4 | 6,
  { segments, size, less, flags, sequence, options }: SegmentsShape,
  headers: readonly number[],
  identification: number,
  ends: Ends = {},
): VnetFrame {
  const payload = pattern(segments * size - (less % size), identification)
  const message = tcp(payload, family, { ...ends, flags, sequence, options, sourcePort: 7, destinationPort: 9 })
  const bytes = withHeaders(family, headers, message, identification, ends, 6)
  const at = tcpAt(bytes)
  new DataView(bytes.buffer).setUint16(at + 16, pseudoSum(bytes, at, 6))
  const type = (family === 4 ? 1 : 4) | ((flags & 0x80) !== 0 ? 0x80 : 0)
  const behind = at + 20 + options.length
  return { flags: 1, type, headers: behind, size, checksumStart: at, checksumOffset: 16, bytes }
}

/** A frame of many datagrams, the last one perhaps shorter, as the kernel hands it to a device. */
export function udpFrame(
  family: 4 | 6,
  { segments, size, less }: Pick<SegmentsShape, 'segments' | 'size' | 'less'>,
  headers: readonly number[],
  identification: number,
  hint = 0,
): VnetFrame {
  const message = udp(pattern(segments * size - (less % size)), family)
  const bytes = withHeaders(family, headers, message, identification)
  const at = udpAt(bytes)
  new DataView(bytes.buffer).setUint16(at + 6, pseudoSum(bytes, at))
  const behind = at + 8 + (hint < message.length - 8 ? hint : 0)
  return { flags: 1, type: 5, headers: behind, size, checksumStart: at, checksumOffset: 6, bytes }
}
