/** The life of a datagram in words, a line for each thing that happened to it. */
import { Drop, type DropName, dropLayer } from '../../base/drop.ts'
import { ICMPV4, ICMPV6 } from '../../wire/protocol.ts'
import { protocolNames } from '../../wire/text.ts'
import type { Datagram, DatagramFilter, LineageEvent } from './datagram.ts'
import { icmpName } from './icmp-names.ts'
import type { Summary } from './ip-frame.ts'

/** Where lives are found. */
export interface Lives {
  get(id: number): Datagram | undefined
  find(filter: DatagramFilter): Iterable<Datagram>
}

/**
 * One life, or those that a filter describes.
 * @throws {Error} when the datagram is not remembered
 */
export function explainAll(lives: Lives, which: Datagram | number | DatagramFilter): string {
  const found = typeof which === 'number' ? [lives.get(which)] : 'events' in which ? [which] : [...lives.find(which)]
  return found
    .map((datagram) => {
      if (datagram === undefined) throw new Error(`Datagram ${which} is not remembered.`)
      return explain(datagram, (id) => lives.get(id))
    })
    .join('\n\n')
}

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
    case 'marked':
      return `marked in the queue of ${nic}: congestion experienced`
    case 'delayed':
      return `on the wire of ${nic} for ${round(value)} ms`
    case 'duplicated':
      return `doubled on the wire of ${nic}`
    case 'corrupted':
      return `damaged on the wire of ${nic}: ${value > 1 ? `${value} bits are` : 'one bit is'} flipped`
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
  if (packet.fragment === null)
    return packet.segments > 1 ? `${packet.length} bytes for ${packet.segments} segments` : `${packet.length} bytes`
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
  const { protocol, type, code, sourcePort, flags } = packet
  if (sourcePort !== null)
    return `${protocolNames[protocol]} ${ends(packet)}${flags === null ? '' : ` Flags [${flags}]`}`
  if ((protocol === ICMPV4 || protocol === ICMPV6) && type !== null)
    return `${icmpName(packet.family, type, code as number)} ${ends(packet)}`
  return `protocol ${protocol} ${ends(packet)}`
}
