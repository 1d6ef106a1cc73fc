/** The lives of datagrams, as columns. */
import type { Datagram, Summary } from '../../network/index.ts'
import { icmpName } from '../../network/observe/icmp-names.ts'
import { protocolNames } from '../../wire/text.ts'
import { float64, inOrder, int32, Texts, uint8, uint32 } from './columns.ts'
import { type Hop, lifeOf, type Neighbors } from './life.ts'
import {
  COPY,
  DAMAGED,
  type Datagrams,
  type Events,
  type Frames,
  KINDS,
  LOST,
  MARKED,
  MORE,
  QUEUED,
} from './run-columns.ts'

const KIND_NUMBERS = new Map(KINDS.map((kind, number) => [kind as string, number]))

export interface LifeTables {
  readonly datagrams: Datagrams
  readonly frames: Frames
  readonly events: Events
}

export class LifeColumns {
  readonly texts = new Texts()
  readonly #neighbors: Neighbors
  readonly #ways = new WeakMap<Summary, number>()
  readonly #datagrams = {
    time: float64(),
    from: int32(),
    flow: int32(),
    causedBy: uint32(),
    source: int32(),
    destination: int32(),
    sourcePort: int32(),
    destinationPort: int32(),
    title: int32(),
    length: uint32(),
  }
  readonly #frames = {
    datagram: uint32(),
    from: int32(),
    to: int32(),
    nic: int32(),
    start: float64(),
    left: float64(),
    end: float64(),
    length: uint32(),
    ttl: uint8(),
    offset: int32(),
    part: int32(),
    flags: uint8(),
    reason: int32(),
    lostAt: int32(),
    way: int32(),
    identification: float64(),
  }
  readonly #events = {
    time: float64(),
    datagram: uint32(),
    node: int32(),
    nic: int32(),
    what: uint8(),
    reason: int32(),
    value: float64(),
  }

  constructor(neighbors: Neighbors) {
    this.#neighbors = neighbors
  }

  /** How many there are. */
  get events(): number {
    return this.#events.time.length
  }

  /** The next datagram, of a flow, -1 for none; its number is its row's, from 1. */
  add(datagram: Datagram, flow: number): void {
    const { time, from, packet, causedBy, events } = datagram
    const { texts } = this
    const rows = this.#datagrams
    rows.time.push(time)
    rows.from.push(texts.place(from))
    rows.flow.push(flow)
    rows.causedBy.push(causedBy)
    rows.source.push(texts.place(packet.source))
    rows.destination.push(texts.place(packet.destination))
    rows.sourcePort.push(packet.sourcePort ?? -1)
    rows.destinationPort.push(packet.destinationPort ?? -1)
    rows.title.push(texts.place(titleOf(packet)))
    rows.length.push(packet.length)
    const id = rows.time.length
    const marked = new Set<string>()
    for (const { time: at, node, nic, what, reason, value } of events) {
      const row = this.#events
      row.time.push(at)
      row.datagram.push(id)
      row.node.push(texts.place(node))
      row.nic.push(texts.place(nic))
      row.what.push(KIND_NUMBERS.get(what) as number)
      row.reason.push(texts.place(reason))
      row.value.push(value)
      if (what === 'marked') marked.add(`${node} ${nic}`)
    }
    for (const hop of lifeOf(datagram, this.#neighbors).hops)
      this.#hop(id, hop, packet, marked.has(`${hop.start.node} ${hop.nic}`))
  }

  /** A row for each node that it came to, and for its loss. */
  #hop(id: number, hop: Hop, whole: Summary, marked: boolean): void {
    const { start, arrivals, lost, toward, packet } = hop
    const seen = new Set<string>()
    const common =
      (hop.queued ? QUEUED : 0) |
      (hop.corrupted ? DAMAGED : 0) |
      (packet.fragment?.more === true ? MORE : 0) |
      (marked ? MARKED : 0)
    const push = (to: string | undefined, end: number, flags: number, reason: string | null, lostAt: string | null) => {
      const { texts } = this
      const rows = this.#frames
      rows.datagram.push(id)
      rows.from.push(texts.place(start.node))
      rows.to.push(texts.place(to))
      rows.nic.push(texts.place(hop.nic))
      rows.start.push(start.time)
      rows.left.push(hop.left ?? start.time)
      rows.end.push(end)
      rows.length.push(packet.length)
      rows.ttl.push(packet.hopLimit)
      rows.offset.push(packet.fragment?.offset ?? -1)
      rows.part.push(packet.fragment?.length ?? -1)
      rows.flags.push(common | flags)
      rows.reason.push(texts.place(reason))
      rows.lostAt.push(texts.place(lostAt))
      rows.way.push(this.#wayOf(packet, whole))
      rows.identification.push(packet.fragment?.identification ?? -1)
    }
    for (const { node, time } of arrivals) {
      push(node, time, seen.has(node) ? COPY : 0, null, null)
      seen.add(node)
    }
    if (lost !== null) push(toward, lost.time, LOST, lost.reason, lost.node)
    else if (arrivals.length === 0) push(toward, Number.NaN, 0, null, null)
  }

  /**
   * The place of the text; frames of a flow share their headers, which need be put into words
   * once.
   */
  #wayOf(packet: Summary, whole: Summary): number {
    const known = packet.fragment === null ? this.#ways.get(packet) : undefined
    if (known !== undefined) return known
    const place = this.texts.place(wayOf(packet, whole))
    if (packet.fragment === null) this.#ways.set(packet, place)
    return place
  }

  take(): LifeTables {
    const datagrams = Object.fromEntries(Object.entries(this.#datagrams).map(([name, column]) => [name, column.take()]))
    const sorted = (columns: Record<string, ReturnType<typeof float64 | typeof int32>>, by: string) => {
      const order = inOrder(columns[by] as ReturnType<typeof float64>)
      return Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, column.takeIn(order)]))
    }
    return {
      datagrams: datagrams as unknown as Datagrams,
      frames: sorted(this.#frames as never, 'start') as unknown as Frames,
      events: sorted(this.#events as never, 'time') as unknown as Events,
    }
  }
}

/** `10.0.0.1:5000 > 10.0.0.2:7`: as the frame has it; a fragment has its datagram's ports. */
function wayOf(packet: Summary, whole: Summary): string {
  const end = (address: string, port: number | null) =>
    port === null ? address : address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
  return (
    `${end(packet.source, packet.sourcePort ?? whole.sourcePort)} > ` +
    end(packet.destination, packet.destinationPort ?? whole.destinationPort)
  )
}

function titleOf({ family, protocol, type, code, flags }: Summary): string {
  if (type !== null) return icmpName(family, type, code ?? 0)
  const name = protocolNames[protocol] ?? `protocol ${protocol}`
  return flags === null ? name : `${name} [${flags}]`
}
