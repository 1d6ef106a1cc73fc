/**
 * A captured frame as `dump` and `demo` print it: link headers of tcpdump.org's registry, the
 * headers behind them, what a stack says of it all.
 */
import { visible } from '../base/visible.ts'
import { type Description, describeLine, ethernetLayers, type Layer, layer, layersBehind } from '../describe.ts'
import type { CapturedFrame } from '../link/capture/pcapng.ts'
import * as ethernet from '../wire/ethernet.ts'
import { typeText } from '../wire/text.ts'
import { Judge, type Passage } from './verdict.ts'

/** What a link type's header makes of a frame. */
interface Framed {
  readonly layers: Layer[]
  /** The frame as a stack takes it; `null` where the stack is not asked. */
  readonly frame: Uint8Array | null
  readonly passage: Passage
}

type Reader = (bytes: Uint8Array) => Framed

const ETHERNET = 1
const readers: Record<number, Reader> = {
  0: (bytes) => loopback(bytes, 'host'),
  [ETHERNET]: ethernetFrame,
  12: raw,
  14: raw,
  101: raw,
  108: (bytes) => loopback(bytes, 'network'),
  113: cooked,
  228: (bytes) => version(bytes, ethernet.IPV4),
  229: (bytes) => version(bytes, ethernet.IPV6),
  276: cooked2,
}

/**
 * What the frame's headers say, and for which reason a stack would discard it; what the capture did
 * not keep whole is not judged, nor is a link type that is not known. `judge` remembers the
 * fragments of the frames before.
 */
export function describeFrame(frame: CapturedFrame, judge: Judge = new Judge()): Description {
  const read = readers[frame.linkType]
  if (read === undefined) {
    const line = () => `link type ${frame.linkType}, ${frame.originalLength} bytes`
    return { layers: [layer('frame', 0, frame.bytes.length, line, () => [])], drop: 'None' }
  }
  const { layers, frame: bytes, passage } = read(frame.bytes)
  if (bytes === null || frame.bytes.length !== frame.originalLength) return { layers, drop: 'None' }
  return { layers, drop: judge.judge(bytes, passage, frame.time) }
}

/** Linux's own loopback has packets only, and shows them as Ethernet between nobody and nobody. */
function ethernetFrame(bytes: Uint8Array): Framed {
  const layers = ethernetLayers(bytes)
  const type = bytes.length < ethernet.HEADER ? 0 : ethernet.type(viewOf(bytes), 0)
  const isPacket = type === ethernet.IPV4 || type === ethernet.IPV6
  if (isPacket && bytes.subarray(0, 12).every((byte) => byte === 0))
    return { layers, frame: judged(bytes.subarray(ethernet.HEADER), type), passage: 'loopback' }
  return { layers, frame: bytes, passage: 'ethernet' }
}

function raw(bytes: Uint8Array): Framed {
  return { layers: layersBehind(bytes, 0, null), frame: bytes, passage: 'ip' }
}

/** Of one version, as the link type says. */
function version(bytes: Uint8Array, type: number): Framed {
  return { layers: layersBehind(bytes, 0, type), frame: judged(bytes, type), passage: 'ip' }
}

/**
 * What an IP link hands up; a version that the header does not announce is one that nobody knows.
 */
function judged(packet: Uint8Array, type: number): Uint8Array {
  if ((packet[0] ?? 0) >>> 4 === (type === ethernet.IPV4 ? 4 : 6)) return packet
  const changed = packet.slice()
  changed[0] = 0
  return changed
}

/**
 * Numbers of the families as the systems have them: AF_INET, and AF_INET6 of Linux, NetBSD, FreeBSD
 * and Darwin.
 */
const families: Record<number, number> = {
  2: ethernet.IPV4,
  10: ethernet.IPV6,
  24: ethernet.IPV6,
  28: ethernet.IPV6,
  30: ethernet.IPV6,
}

/**
 * LINKTYPE_NULL and LINKTYPE_LOOP: four bytes with the family, in the order of the host that
 * captured or of the network.
 */
function loopback(bytes: Uint8Array, order: 'host' | 'network'): Framed {
  const name = order === 'host' ? 'NULL' : 'LOOP'
  if (bytes.length < 4) return cutShort(name, bytes)
  const view = viewOf(bytes)
  const big = view.getUint32(0)
  // A family is a small number: read the wrong way round it is a large one.
  const family = order === 'network' || big < 0x10000 ? big : view.getUint32(0, true)
  const type = families[family]
  const text = type === undefined ? `${family}` : `${family} (${type === ethernet.IPV4 ? 'IPv4' : 'IPv6'})`
  const line = () => (type === undefined ? `${name} family ${family}` : '')
  const header = layer(name, 0, 4, line, () => [['family', text]])
  if (type === undefined)
    return {
      layers: [header, ...layersOfBytes(bytes, 4)],
      frame: etherFrame(bytes.subarray(4), 0, 0),
      passage: 'ethernet',
    }
  return {
    layers: [header, ...layersBehind(bytes, 4, type)],
    frame: judged(bytes.subarray(4), type),
    passage: 'loopback',
  }
}

const packetTypes = ['to us', 'broadcast', 'multicast', 'to another host', 'from us'] as const
const OTHER_HOST = 3
const ARPHRD_ETHER = 1
const ARPHRD_LOOPBACK = 772

/**
 * LINKTYPE_LINUX_SLL: packet type (2) | ARPHRD type (2) | address length (2) | address (8) |
 * protocol (2).
 */
function cooked(bytes: Uint8Array): Framed {
  if (bytes.length < 16) return cutShort('SLL', bytes)
  const view = viewOf(bytes)
  return cookedFrame(
    'SLL',
    bytes,
    16,
    view.getUint16(0),
    view.getUint16(2),
    view.getUint16(4),
    6,
    view.getUint16(14),
    [],
  )
}

/**
 * LINKTYPE_LINUX_SLL2: protocol (2) | reserved (2) | interface index (4) | ARPHRD type (2) | packet
 * type (1) | address length (1) | address (8).
 */
function cooked2(bytes: Uint8Array): Framed {
  if (bytes.length < 20) return cutShort('SLL2', bytes)
  const view = viewOf(bytes)
  const index = [['interface index', `${view.getUint32(4)}`] as const]
  return cookedFrame(
    'SLL2',
    bytes,
    20,
    view.getUint8(10),
    view.getUint16(8),
    view.getUint8(11),
    12,
    view.getUint16(0),
    index,
  )
}

function cookedFrame(
  name: string,
  bytes: Uint8Array,
  header: number,
  packetType: number,
  hardwareType: number,
  addressLength: number,
  addressAt: number,
  protocol: number,
  more: readonly (readonly [string, string])[],
): Framed {
  const address = () =>
    Array.from(bytes.subarray(addressAt, addressAt + Math.min(addressLength, 8)), byteText).join(':')
  const said = () => packetTypes[packetType] ?? `packet type ${packetType}`
  // Below 0x0600 it is no EtherType: 802.3 frames, CAN and others.
  const known = protocol >= 0x0600
  const head = layer(
    name,
    0,
    header,
    () => `${name} ${said()}${addressLength === 0 ? '' : ` from ${address()}`}`,
    () => [
      ...more,
      ['packet type', `${packetType} (${said()})`],
      ['hardware type', `${hardwareType}`],
      ['address', address()],
      ['protocol', known ? typeText(protocol) : `${protocol}`],
    ],
  )
  const layers = [head, ...(known ? layersBehind(bytes, header, protocol) : layersOfBytes(bytes, header))]
  const packet = bytes.subarray(header)
  const isIp = protocol === ethernet.IPV4 || protocol === ethernet.IPV6
  if (isIp && hardwareType === ARPHRD_LOOPBACK) return { layers, frame: judged(packet, protocol), passage: 'loopback' }
  if (isIp && hardwareType !== ARPHRD_ETHER && packetType !== OTHER_HOST)
    return { layers, frame: judged(packet, protocol), passage: 'ip' }
  const frame = etherFrame(packet, protocol, packetType)
  frame.set(bytes.subarray(addressAt, addressAt + Math.min(addressLength, 6)), 6)
  // A frame for another station is not one for this one, whatever its address was.
  return { layers, frame, passage: packetType === OTHER_HOST ? 'other host' : 'ethernet' }
}

/**
 * The frame that had this header's content on Ethernet; the destination is not known, but its kind
 * is.
 */
function etherFrame(packet: Uint8Array, type: number, packetType: number): Uint8Array {
  const frame = new Uint8Array(ethernet.HEADER + packet.length)
  if (packetType === 1) frame.fill(0xff, 0, 6)
  else if (packetType === 2) frame[0] = 1
  frame[12] = type >>> 8
  frame[13] = type & 0xff
  frame.set(packet, ethernet.HEADER)
  return frame
}

function layersOfBytes(bytes: Uint8Array, at: number): Layer[] {
  return [
    layer(
      'payload',
      at,
      bytes.length - at,
      () => `${bytes.length - at} bytes`,
      () => [],
    ),
  ]
}

function cutShort(name: string, bytes: Uint8Array): Framed {
  return {
    layers: [
      layer(
        name,
        0,
        bytes.length,
        () => `${name}, cut short`,
        () => [],
      ),
    ],
    frame: new Uint8Array(0),
    passage: 'ip',
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function byteText(byte: number): string {
  return byte.toString(16).padStart(2, '0')
}

/** The frame's line; what the stack said of it comes last. */
export function frameLine(frame: CapturedFrame, description: Description): string {
  let line = describeLine(description)
  if (frame.bytes.length < frame.originalLength)
    line += ` (${frame.bytes.length} of ${frame.originalLength} bytes kept)`
  for (const comment of frame.comments) line += ` (${visible(comment)})`
  return line
}

/** A line for each field, headed by the layer's name and place. */
export function fieldLines(description: Description): string[] {
  return description.layers.flatMap(({ name, at, length, fields }) => {
    const width = Math.max(0, ...fields.map(([field]) => field.length))
    return [
      `  ${name}, ${length} bytes at ${at}`,
      ...fields.map(([field, value]) => `    ${field.padEnd(width)}  ${value}`),
    ]
  })
}

const hexPairs = Array.from({ length: 256 }, (_, byte) => byteText(byte))

/** Sixteen bytes a line: offset, hex, ASCII. */
export function hexLines(bytes: Uint8Array): string[] {
  const lines: string[] = []
  for (let at = 0; at < bytes.length; at += 16) {
    const end = Math.min(bytes.length, at + 16)
    let hex = ''
    let text = ''
    for (let i = at; i < end; i++) {
      const byte = bytes[i] as number
      hex += `${i === at + 8 ? ' ' : ''} ${hexPairs[byte]}`
      text += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.'
    }
    lines.push(`  ${at.toString(16).padStart(4, '0')} ${hex.padEnd(49)}  ${text}`)
  }
  return lines
}

/** As a line of JSON tells it; `bytes` adds the frame itself, in hex. */
export function frameJson(frame: CapturedFrame, description: Description, number: number, bytes: boolean): object {
  const { layers, drop } = description
  const seconds = frame.time / 1_000_000_000n
  const fraction = `${frame.time % 1_000_000_000n}`.padStart(9, '0')
  return {
    number,
    time: `${seconds}.${fraction}`,
    interface: frame.interface,
    direction: frame.direction,
    linkType: frame.linkType,
    length: frame.originalLength,
    captured: frame.bytes.length,
    drop: drop === 'None' ? null : drop,
    comments: frame.comments,
    line: describeLine({ layers, drop: 'None' }),
    layers: layers.map(({ name, at, length, fields }) => ({ name, at, length, fields: Object.fromEntries(fields) })),
    ...(bytes ? { bytes: Array.from(frame.bytes, byteText).join('') } : {}),
  }
}
