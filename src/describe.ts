/**
 * Packets in words: one line, or every field. Each codec describes its own header; here they are
 * put together.
 *
 * Nothing is trusted: what is cut short or wrong is described as far as it goes, with the reason
 * for which a stack would discard it.
 */
import { type DropName, dropName } from './base/drop.ts'
import { Packet } from './base/packet.ts'
import type { Medium } from './link/link.ts'
import * as arp from './wire/arp.ts'
import { checkPacket } from './wire/check.ts'
import { ARP, HEADER as ETHERNET_HEADER } from './wire/ethernet.ts'
import { formatHardwareAddress } from './wire/hardware-address.ts'
import * as icmpv4 from './wire/icmpv4.ts'
import * as icmpv6 from './wire/icmpv6.ts'
import * as igmp from './wire/igmp.ts'
import * as ipv4 from './wire/ipv4.ts'
import * as ipv6 from './wire/ipv6.ts'
import * as mld from './wire/mld.ts'
import * as ndp from './wire/ndp.ts'
import { FRAGMENT, ICMPV4, ICMPV6, IGMP, SCTP, TCP, UDP } from './wire/protocol.ts'
import * as sctp from './wire/sctp.ts'
import * as tcp from './wire/tcp.ts'
import { extensionNames, type Fields, hex, hexBytes, protocolNames, protocolText, typeText } from './wire/text.ts'
import * as udp from './wire/udp.ts'

/** One header, or the payload. */
export interface Layer {
  /** `IPv4`, `UDP`, `payload`, … */
  readonly name: string
  /** Where it begins, in bytes from the front of the frame, and how long it is. */
  readonly at: number
  readonly length: number
  /**
   * The whole of it in one line; `''` for what a line leaves out. Read from the frame's bytes when
   * it is asked for.
   */
  readonly line: string
  /**
   * Each field as name and value, in the header's order. Read from the frame's bytes when they are
   * asked for.
   */
  readonly fields: Fields
}

/** Words are made when somebody wants them: a line needs no fields, a filter no line. */
class Header implements Layer {
  readonly name: string
  readonly at: number
  readonly length: number
  readonly #line: () => string
  readonly #fields: () => Fields

  constructor(name: string, at: number, length: number, line: () => string, fields: () => Fields) {
    this.name = name
    this.at = at
    this.length = length
    this.#line = line
    this.#fields = fields
  }

  get line(): string {
    return this.#line()
  }

  get fields(): Fields {
    return this.#fields()
  }
}

/** A packet in words. */
export interface Description {
  readonly layers: readonly Layer[]
  /**
   * The reason for which a stack would discard it; `'None'` for a sound one. Checksums are not
   * checked where bytes are missing.
   */
  readonly drop: DropName
}

/** One line: `IPv4 10.9.0.1 > 10.9.0.2 ttl 64 id 7 length 92, UDP 4000 > 5000 payload 64`. */
export function describeLine({ layers, drop }: Description): string {
  let text = ''
  let tags = ''
  for (const { name, line } of layers) {
    // What a switch needs comes behind what the packet is.
    if (name === 'VLAN') tags += `, ${line}`
    else if (line !== '') text += text === '' ? line : `, ${line}`
  }
  return drop === 'None' ? text + tags : `${text}${tags} [${drop}]`
}

/**
 * An IP packet, or an Ethernet frame with one. `whole` is false when the capture kept only the
 * first bytes.
 */
export function describe(bytes: Uint8Array, medium: Medium = 'ip', whole = true): Description {
  const view = viewOf(bytes)
  const layers: Layer[] = []
  const start = medium === 'ethernet' ? ethernet(view, bytes.length, layers) : 0
  if (medium === 'ip') internet(view, 0, bytes.length, layers)
  if (start < 0 || !whole) return { layers, drop: 'None' }
  const packet = new Packet(bytes.length)
  packet.bytes.set(bytes)
  packet.reset(start, bytes.length)
  return { layers, drop: dropName(checkPacket(packet)) }
}

/** The headers of an Ethernet frame. */
export function ethernetLayers(bytes: Uint8Array): Layer[] {
  const layers: Layer[] = []
  ethernet(viewOf(bytes), bytes.length, layers)
  return layers
}

/**
 * The headers of what a link header of `at` bytes says to be of an EtherType; `null`: an IP packet
 * of either version.
 */
export function layersBehind(bytes: Uint8Array, at: number, type: number | null): Layer[] {
  const layers: Layer[] = []
  if (type === null) internet(viewOf(bytes), at, bytes.length, layers)
  else carried(viewOf(bytes), at, bytes.length, type, layers)
  return layers
}

/** A layer with its line and fields as they are, for what is no codec's. */
export function layer(name: string, at: number, length: number, line: () => string, fields: () => Fields): Layer {
  return new Header(name, at, length, line, fields)
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

const VLAN_TAG = 4

/** Returns where the IP packet begins, or -1 when there is none. */
function ethernet(view: DataView, end: number, layers: Layer[]): number {
  if (end < ETHERNET_HEADER) return rest(view, 0, end, layers, () => 'Ethernet, cut short')
  const tags: Layer[] = []
  let at = ETHERNET_HEADER
  let type = view.getUint16(12)
  while ((type === 0x8100 || type === 0x88a8) && end - at >= VLAN_TAG) {
    tags.push(vlanTag(view, at, type))
    type = view.getUint16(at + 2)
    at += VLAN_TAG
  }
  const known = type === 0x0800 || type === 0x86dd
  const resolution = type === ARP && end - at >= arp.LENGTH
  const name = () => (type === ARP ? 'ARP' : `type ${hex(type, 4)}`)
  layers.push(
    new Header(
      'Ethernet',
      0,
      ETHERNET_HEADER,
      () => `${hardwareAddress(view, 6)} > ${hardwareAddress(view, 0)}${known || resolution ? '' : ` ${name()}`}`,
      () => [
        ['destination', hardwareAddress(view, 0)],
        ['source', hardwareAddress(view, 6)],
        ['type', known ? hex(type, 4) : name()],
      ],
    ),
    ...tags,
  )
  if (known) {
    carried(view, at, end, type, layers)
    return at
  }
  if (resolution) resolutionMessage(view, at, end, layers)
  else rest(view, at, end, layers, () => '')
  return -1
}

function vlanTag(view: DataView, at: number, type: number): Layer {
  const tag = view.getUint16(at)
  return new Header(
    'VLAN',
    at,
    VLAN_TAG,
    () => `vlan ${tag & 0xfff}${tag >>> 13 === 0 ? '' : ` priority ${tag >>> 13}`}`,
    () => [
      ['tag protocol', hex(type, 4)],
      ['priority', `${tag >>> 13}`],
      ['drop eligible', tag & 0x1000 ? 'yes' : 'no'],
      ['identifier', `${tag & 0xfff}`],
      ['type', typeText(view.getUint16(at + 2))],
    ],
  )
}

/** What is of the type that a link header names. */
function carried(view: DataView, at: number, end: number, type: number, layers: Layer[]): void {
  const version = type === 0x0800 ? 4 : type === 0x86dd ? 6 : 0
  if (version !== 0) {
    const found = at < end ? ipv4.version(view, at) : version
    if (found === version) internet(view, at, end, layers)
    else rest(view, at, end, layers, () => `no IPv${version} packet: ${end - at} bytes, version ${found}`)
  } else if (type === ARP && end - at >= arp.LENGTH) resolutionMessage(view, at, end, layers)
  else rest(view, at, end, layers, () => (type === ARP ? 'ARP, cut short' : `type ${hex(type, 4)}, ${end - at} bytes`))
}

function resolutionMessage(view: DataView, at: number, end: number, layers: Layer[]): void {
  const known = arp.isForEthernet(view, at)
  layers.push(
    new Header(
      'ARP',
      at,
      known ? arp.LENGTH : end - at,
      () => arp.describe(view, at),
      () => arp.fields(view, at, end),
    ),
  )
}

function internet(view: DataView, at: number, end: number, layers: Layer[]): void {
  const version = at < end ? ipv4.version(view, at) : 0
  if (version === 4 && end - at >= ipv4.HEADER) internet4(view, at, end, layers)
  else if (version === 6 && end - at >= ipv6.HEADER) internet6(view, at, end, layers)
  else rest(view, at, end, layers, () => `no IP packet: ${end - at} bytes, version ${version}`)
}

function internet4(view: DataView, at: number, end: number, layers: Layer[]): void {
  const header = Math.min(Math.max(ipv4.headerLength(view, at), ipv4.HEADER), end - at)
  const protocol = ipv4.protocol(view, at)
  const offset = ipv4.fragmentOffset(view, at)
  layers.push(
    new Header(
      'IPv4',
      at,
      header,
      () => ipv4.describe(view, at),
      () => ipv4.fields(view, at, at + header),
    ),
  )
  // Behind Total Length there is padding of the frame. A length of 0, as segmentation offload
  // leaves it, says nothing.
  const total = ipv4.totalLength(view, at)
  const stop = total >= header ? Math.min(end, at + total) : end
  upper(view, at + header, stop, protocol, offset, layers)
}

function internet6(view: DataView, network: number, end: number, layers: Layer[]): void {
  layers.push(
    new Header(
      'IPv6',
      network,
      ipv6.HEADER,
      () => ipv6.describe(view, network),
      () => ipv6.fields(view, network),
    ),
  )
  const stop = Math.min(end, network + ipv6.HEADER + ipv6.payloadLength(view, network))
  let at = network + ipv6.HEADER
  let protocol = ipv6.nextHeader(view, network)
  let offset = 0
  while (offset === 0 && extensionNames[protocol] !== undefined && stop - at >= 8) {
    const length = protocol === FRAGMENT ? ipv6.FRAGMENT_HEADER : Math.min((view.getUint8(at + 1) + 1) * 8, stop - at)
    const next = view.getUint8(at)
    if (protocol === FRAGMENT) offset = fragment(view, at, layers)
    else extension(view, at, length, extensionNames[protocol] as string, layers)
    protocol = next
    at += length
  }
  upper(view, at, stop, protocol, offset, layers)
}

function extension(view: DataView, at: number, length: number, name: string, layers: Layer[]): void {
  layers.push(
    new Header(
      name,
      at,
      length,
      () => name,
      () => [
        ['next header', protocolText(view.getUint8(at))],
        ['content', hexBytes(view, at + 2, at + length)],
      ],
    ),
  )
}

/** Returns the fragment's offset in bytes. */
function fragment(view: DataView, at: number, layers: Layer[]): number {
  const offset = view.getUint16(at + 2) & 0xfff8
  const more = (view.getUint16(at + 2) & 1) !== 0
  const identification = view.getUint32(at + 4)
  layers.push(
    new Header(
      'fragment header',
      at,
      ipv6.FRAGMENT_HEADER,
      () => `frag ${offset}${more ? '+' : ''} id ${identification}`,
      () => [
        ['next header', protocolText(view.getUint8(at))],
        ['fragment offset', `${offset}`],
        ['more fragments', more ? 'yes' : 'no'],
        ['identification', `${identification}`],
      ],
    ),
  )
  return offset
}

/** What an IP header carries. Only a fragment with offset 0 begins with a header. */
function upper(view: DataView, at: number, end: number, protocol: number, offset: number, layers: Layer[]): void {
  const name = () => protocolNames[protocol] ?? `protocol ${protocol}`
  if (offset > 0) rest(view, at, end, layers, () => `${name()} fragment of ${end - at} bytes`)
  else if (end - at < udp.HEADER) rest(view, at, end, layers, name)
  else if (protocol === UDP) datagram(view, at, end, layers)
  else if (protocol === ICMPV4 || protocol === ICMPV6) message(view, at, end, protocol, layers)
  else if (protocol === TCP) segment(view, at, end, layers)
  else if (protocol === SCTP) association(view, at, end, layers)
  else if (protocol === IGMP) rest(view, at, end, layers, () => igmp.describe(view, at, end))
  else rest(view, at, end, layers, name)
}

function segment(view: DataView, at: number, end: number, layers: Layer[]): void {
  const header = tcp.headerLength(view, at, end)
  layers.push(
    new Header(
      'TCP',
      at,
      header,
      () => tcp.describe(view, at, end),
      () => tcp.fields(view, at, end),
    ),
  )
  rest(view, at + header, end, layers, () => '')
}

function association(view: DataView, at: number, end: number, layers: Layer[]): void {
  const header = Math.min(sctp.HEADER, end - at)
  layers.push(
    new Header(
      'SCTP',
      at,
      header,
      () => sctp.describe(view, at, end),
      () => sctp.fields(view, at, end),
    ),
  )
  rest(view, at + header, end, layers, () => '')
}

function datagram(view: DataView, at: number, end: number, layers: Layer[]): void {
  layers.push(
    new Header(
      'UDP',
      at,
      udp.HEADER,
      () => udp.describe(view, at),
      () => udp.fields(view, at),
    ),
  )
  rest(view, at + udp.HEADER, end, layers, () => '')
}

function message(view: DataView, at: number, end: number, protocol: number, layers: Layer[]): void {
  const codec = protocol === ICMPV4 ? icmpv4 : icmpv6
  const type = codec.type(view, at)
  const body = at + codec.HEADER
  const echo = protocol === ICMPV4 ? type === icmpv4.ECHO || type === icmpv4.ECHO_REPLY : type === 128 || type === 129
  layers.push(
    new Header(
      protocolNames[protocol] as string,
      at,
      codec.HEADER,
      () =>
        ((protocol === ICMPV6 && describeLocal(view, at, end)) || codec.describe(view, at)) +
        (echo ? ` payload ${end - body}` : ''),
      () => [
        ['type', `${type}`],
        ['code', `${codec.code(view, at)}`],
        ['checksum', hex(view.getUint16(at + 2), 4)],
        ['rest of header', hexBytes(view, at + 4, body)],
      ],
    ),
  )
  if (!codec.isError(type) || body === end) {
    rest(view, body, end, layers, () => '')
    return
  }
  const quoted: Layer[] = []
  internet(view, body, end, quoted)
  quoted.forEach((each, index) => {
    const { name, at, length } = each
    layers.push(
      new Header(
        `quoted ${name}`,
        at,
        length,
        () => (index === 0 ? `quoting ${each.line}` : each.line),
        () => each.fields,
      ),
    )
  })
}

/**
 * Neighbor Discovery and group management, which have codecs of their own; `''` for anything else,
 * and for what is cut.
 */
function describeLocal(view: DataView, at: number, end: number): string {
  const type = icmpv6.type(view, at)
  const whole = end - at >= ndp.NEIGHBOR_HEADER
  if (
    type === ndp.ROUTER_SOLICITATION ||
    type === ndp.ROUTER_ADVERTISEMENT ||
    (whole && type > 134 && type <= ndp.REDIRECT)
  )
    return ndp.describe(view, at)
  return type === mld.REPORT_V2 || (whole && type >= mld.QUERY && type <= mld.DONE) ? mld.describe(view, at, end) : ''
}

/** Bytes that no codec reads. Returns -1. */
function rest(view: DataView, at: number, end: number, layers: Layer[], line: () => string): number {
  if (at < end || line() !== '')
    layers.push(new Header('payload', at, end - at, line, () => [['bytes', hexBytes(view, at, end)]]))
  return -1
}

function hardwareAddress(view: DataView, at: number): string {
  return formatHardwareAddress(view.getUint16(at), view.getInt32(at + 2))
}
