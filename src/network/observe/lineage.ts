/**
 * The lives of datagrams: who sent them, what became of each fragment and copy on every hop, which
 * ICMP error they caused, and their end.
 *
 * A datagram has a number, its trace, which links carry along with the frame. It is given by the
 * first port through which the datagram leaves.
 */
import { Drop, type DropName, dropLayer } from '../../base/drop.ts'
import type { Packet } from '../../base/packet.ts'
import type { Medium } from '../../link/link.ts'
import { ICMPV4, ICMPV6, UDP } from '../../wire/protocol.ts'
import { ipOffset, isUpkeep, type Summary, summarize } from './ip-frame.ts'

export type LineageKind =
  | 'sent'
  | 'forwarded'
  | 'queued'
  | 'delayed'
  | 'duplicated'
  | 'corrupted'
  | 'overtaking'
  | 'arrived'
  | 'translated'
  | 'delivered'
  | 'dropped'
  | 'caused'

/** One thing that happened to a datagram, or to a fragment or copy of it. */
export interface LineageEvent {
  /** Milliseconds of the network's time. */
  readonly time: number
  /** The host, router or switch. */
  readonly node: string
  /** The nic, where one is concerned. */
  readonly nic: string
  readonly what: LineageKind
  /**
   * The headers as they were, for `sent`, `forwarded`, `arrived` and `translated`; `null` where
   * damage has left no IP packet of the frame.
   */
  readonly packet: Summary | null
  /** For `dropped`. */
  readonly reason: DropName | null
  /** Milliseconds for `delayed`, the number of the other datagram for `caused`, else 0. */
  readonly value: number
}

/** One datagram's life. */
export interface Datagram {
  /** Unique in the network, from 1. */
  readonly id: number
  /** When it was sent, in milliseconds of the network's time. */
  readonly time: number
  /** Who sent it: a host, or the nic by which it came into the network. */
  readonly from: string
  /** Its headers as the sender wrote them; of its first fragment. */
  readonly packet: Summary
  /** The datagram on account of which this one, an ICMP message, was sent; 0 for none. */
  readonly causedBy: number
  readonly events: LineageEvent[]
}

/** What `network.datagrams` looks for; all that is given must agree. */
export interface DatagramFilter {
  /** Name of the host that sent it. */
  from?: string
  /** Name of a host that it was delivered to. */
  to?: string
  /** Source or destination address. */
  address?: string
  /** Source or destination port. */
  port?: number
  protocol?: 'udp' | 'icmp'
  /** Whether a part or copy of it was discarded somewhere; or the reason. */
  dropped?: boolean | DropName
  delivered?: boolean
}

/** Datagrams whose fragments may come in turns. */
const FRAGMENTED = 64

export class Lineage {
  readonly #limit: number
  readonly #now: () => number
  readonly #datagrams = new Map<number, Datagram>()
  #next = 1
  /** The last datagrams that began in fragments. */
  readonly #fragmented = new Map<string, number>()
  /**
   * What the node `#inputNode` is just taking in: what it sends meanwhile is sent on account of it.
   */
  #input = 0
  #inputNode = ''
  /** Told of each datagram before it is forgotten. */
  onForget: ((datagram: Datagram) => void) | null = null

  /** Remembers the last `limit` datagrams. */
  constructor(limit: number, now: () => number) {
    this.#limit = limit
    this.#now = now
  }

  get on(): boolean {
    return this.#limit > 0
  }

  get(id: number): Datagram | undefined {
    return this.#datagrams.get(id)
  }

  find(filter: DatagramFilter): Datagram[] {
    return [...this.#datagrams.values()].filter((datagram) => matches(datagram, filter))
  }

  /** Forgets all. */
  clear(): void {
    this.#datagrams.clear()
  }

  // ── what ports and nodes report ──

  /** A frame leaves a node: a new datagram, or a known one going on. Gives the packet its trace. */
  leaving(node: string, nic: string, packet: Packet, medium: Medium): void {
    const at = ipOffset(packet, medium)
    if (packet.trace === 0) {
      if (at < 0 || isUpkeep(packet, at)) return
      packet.trace = this.#beginOf(node, packet, at)
    }
    const datagram = this.#datagrams.get(packet.trace)
    if (datagram !== undefined)
      this.#push(datagram, node, nic, datagram.from === node ? 'sent' : 'forwarded', headers(packet, at))
  }

  /**
   * A frame reaches a node. One that nobody has sent comes from a real device: its life begins
   * here.
   */
  arrived(node: string, nic: string, packet: Packet, medium: Medium): void {
    const at = ipOffset(packet, medium)
    if (packet.trace === 0 && at >= 0 && !isUpkeep(packet, at)) packet.trace = this.#beginOf(nic, packet, at)
    const datagram = this.#datagrams.get(packet.trace)
    if (datagram !== undefined) this.#push(datagram, node, nic, 'arrived', headers(packet, at))
  }

  /**
   * Fragments have a life together: those from a real device, and those that waited for a neighbor,
   * come without a trace each.
   */
  #beginOf(from: string, packet: Packet, at: number): number {
    const { source, destination, protocol, fragment } = summarize(packet, at)
    if (fragment === null) return this.#begin(from, packet, at)
    const key = `${source} ${destination} ${protocol} ${fragment.identification}`
    let trace = this.#fragmented.get(key)
    if (trace === undefined) {
      trace = this.#begin(from, packet, at)
      this.#fragmented.set(key, trace)
      if (this.#fragmented.size > FRAGMENTED) this.#fragmented.delete(this.#fragmented.keys().next().value as string)
    }
    return trace
  }

  note(node: string, nic: string, trace: number, what: LineageKind, value = 0): void {
    const datagram = this.#datagrams.get(trace)
    if (datagram !== undefined) this.#push(datagram, node, nic, what, null, value)
  }

  translated(node: string, nic: string, trace: number, packet: Packet, at: number): void {
    const datagram = this.#datagrams.get(trace)
    if (datagram !== undefined) this.#push(datagram, node, nic, 'translated', summarize(packet, at))
  }

  dropped(node: string, nic: string, trace: number, reason: DropName): void {
    const datagram = this.#datagrams.get(trace)
    if (datagram === undefined) return
    datagram.events.push({ time: this.#now(), node, nic, what: 'dropped', packet: null, reason, value: 0 })
  }

  beginInput(node: string, trace: number): void {
    this.#input = trace
    this.#inputNode = node
  }

  endInput(): void {
    this.#input = 0
  }

  #begin(node: string, packet: Packet, at: number): number {
    const id = this.#next
    // Links carry 32 bits, and 0 is nobody.
    this.#next = id === 0xffff_ffff ? 1 : id + 1
    const causedBy = this.#inputNode === node ? this.#input : 0
    if (this.#datagrams.size >= this.#limit) this.#forgetOldest()
    this.#datagrams.set(id, { id, time: this.#now(), from: node, packet: summarize(packet, at), causedBy, events: [] })
    const cause = this.#datagrams.get(causedBy)
    if (cause !== undefined) this.#push(cause, node, '', 'caused', null, id)
    return id
  }

  #forgetOldest(): void {
    const [oldest] = this.#datagrams.values()
    if (oldest === undefined) return
    this.#datagrams.delete(oldest.id)
    this.onForget?.(oldest)
  }

  #push(datagram: Datagram, node: string, nic: string, what: LineageKind, packet: Summary | null, value = 0): void {
    datagram.events.push({ time: this.#now(), node, nic, what, packet, reason: null, value })
  }
}

function headers(packet: Packet, at: number): Summary | null {
  return at < 0 ? null : summarize(packet, at)
}

function matches({ from, packet, events }: Datagram, filter: DatagramFilter): boolean {
  const { address, port, protocol, dropped, delivered } = filter
  if (filter.from !== undefined && from !== filter.from) return false
  if (filter.to !== undefined && !events.some(({ what, node }) => what === 'delivered' && node === filter.to))
    return false
  if (address !== undefined && packet.source !== address && packet.destination !== address) return false
  if (port !== undefined && packet.sourcePort !== port && packet.destinationPort !== port) return false
  if (protocol !== undefined && (protocol === 'udp') !== (packet.protocol === UDP)) return false
  if (dropped !== undefined) {
    const reasons = events.flatMap(({ reason }) => reason ?? [])
    if (typeof dropped === 'string' ? !reasons.includes(dropped) : dropped !== reasons.length > 0) return false
  }
  return delivered === undefined || delivered === events.some(({ what }) => what === 'delivered')
}

// ── in words ──

/** A datagram's life, a line for each thing that happened. */
export function explain(datagram: Datagram, other: (id: number) => Datagram | undefined): string {
  const lines = [`datagram ${datagram.id}: ${title(datagram.packet)}, sent by ${datagram.from}`]
  if (datagram.causedBy !== 0) lines.push(`  on account of datagram ${datagram.causedBy}`)
  const nodes = Math.max(...datagram.events.map(({ node }) => node.length), 1)
  let before = datagram.packet
  for (const event of datagram.events) {
    lines.push(
      `  ${event.time.toFixed(3).padStart(10)} ms  ${event.node.padEnd(nodes)}  ${sentence(event, before, other)}`,
    )
    if (event.packet !== null) before = event.packet
  }
  const drops = datagram.events.filter(({ what }) => what === 'dropped').length
  const deliveries = datagram.events.filter(({ what }) => what === 'delivered').length
  const end = [
    ...(deliveries > 0 ? [`delivered${times(deliveries)}`] : []),
    ...(drops > 0 ? [`dropped${times(drops)}`] : []),
  ]
  lines.push(`  ${end.length === 0 ? 'on its way, or waiting for fragments' : end.join(', ')}`)
  return lines.join('\n')
}

function times(count: number): string {
  return count === 1 ? '' : ` ${count} times`
}

function sentence(
  { what, nic, packet, reason, value }: LineageEvent,
  before: Summary,
  other: (id: number) => Datagram | undefined,
): string {
  switch (what) {
    case 'sent':
    case 'forwarded':
      return `${what} by ${nic}: ${packet === null ? NO_PACKET : `${bounds(packet)}, hop limit ${packet.hopLimit}`}`
    case 'translated':
      return `NAT on ${nic}: ${ends(before)} becomes ${ends(packet as Summary)}`
    case 'queued':
      return `waits in the queue of ${nic}`
    case 'delayed':
      return `on the wire of ${nic} for ${round(value)} ms`
    case 'duplicated':
      return `doubled on the wire of ${nic}`
    case 'corrupted':
      return `damaged on the wire of ${nic}: one bit is flipped`
    case 'overtaking':
      return `overtakes others on the wire of ${nic}`
    case 'arrived':
      if (packet === null) return `arrived at ${nic}: ${NO_PACKET}`
      return `arrived at ${nic}${packet.fragment ? `: ${bounds(packet)}` : ''}`
    case 'delivered':
      return 'delivered'
    case 'dropped':
      return `DROPPED${nic === '' ? '' : ` at ${nic}`}: ${reason} (${dropLayer(Drop[reason as DropName])})`
    case 'caused': {
      const answer = other(value)
      return `answered with datagram ${value}${answer === undefined ? '' : `: ${title(answer.packet)}`}`
    }
  }
}

const NO_PACKET = 'no IP packet any more'

function round(value: number): number {
  return Math.round(value * 1000) / 1000
}

function bounds(packet: Summary): string {
  if (packet.fragment === null) return `${packet.length} bytes`
  const { offset, length, more } = packet.fragment
  return `fragment of ${packet.length} bytes with bytes ${offset} to ${offset + length - 1}${more ? '' : ', the last'}`
}

function ends({ source, destination, sourcePort, destinationPort }: Summary): string {
  return `${withPort(source, sourcePort)} > ${withPort(destination, destinationPort)}`
}

function withPort(address: string, port: number | null): string {
  if (port === null) return address
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

function title(packet: Summary): string {
  const { protocol, type, code } = packet
  if (protocol === UDP) return `UDP ${ends(packet)}`
  if ((protocol === ICMPV4 || protocol === ICMPV6) && type !== null)
    return `${icmpName(packet.family, type, code as number)} ${ends(packet)}`
  return `protocol ${protocol} ${ends(packet)}`
}

const ICMP4_NAMES: Record<string, string> = {
  '0': 'ICMP echo reply',
  '8': 'ICMP echo request',
  '3.0': 'ICMP net unreachable',
  '3.1': 'ICMP host unreachable',
  '3.2': 'ICMP protocol unreachable',
  '3.3': 'ICMP port unreachable',
  '3.4': 'ICMP fragmentation needed',
  '3.13': 'ICMP administratively prohibited',
  '3': 'ICMP unreachable',
  '5': 'ICMP redirect',
  '11.0': 'ICMP time exceeded in transit',
  '11.1': 'ICMP reassembly time exceeded',
  '12': 'ICMP parameter problem',
}
const ICMP6_NAMES: Record<string, string> = {
  '1.0': 'ICMPv6 no route',
  '1.3': 'ICMPv6 address unreachable',
  '1.4': 'ICMPv6 port unreachable',
  '1': 'ICMPv6 unreachable',
  '2': 'ICMPv6 packet too big',
  '3.0': 'ICMPv6 hop limit exceeded',
  '3.1': 'ICMPv6 reassembly time exceeded',
  '4': 'ICMPv6 parameter problem',
  '128': 'ICMPv6 echo request',
  '129': 'ICMPv6 echo reply',
}

/** `ICMP port unreachable`, `ICMPv6 packet too big`, … */
export function icmpName(family: 4 | 6, type: number, code: number): string {
  const names = family === 4 ? ICMP4_NAMES : ICMP6_NAMES
  return names[`${type}.${code}`] ?? names[`${type}`] ?? `ICMP${family === 6 ? 'v6' : ''} type ${type} code ${code}`
}
