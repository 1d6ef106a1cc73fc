/**
 * Counts what happens to the datagrams of flows, as it happens: a few bytes are kept of each
 * datagram, so that the counts are right however many are in flight, and however long.
 */
import { SCTP, TCP } from '../../wire/protocol.ts'
import type { LineageKind } from '../observe/datagram.ts'
import { icmpName } from '../observe/icmp-names.ts'
import type { Summary } from '../observe/ip-frame.ts'
import type { LifeListener } from '../observe/lineage.ts'
import type { FlowDrop, FlowMarks } from './run-types.ts'
import { SparseBits } from './sparse-bits.ts'

/** The fate of a datagram that has arrived. */
const DELIVERED = 0x4000
/** That of one that was sent outside of the measured span. */
const UNMEASURED = -0x4000

/** What is counted for a flow. */
export class FlowCounts {
  fragments = 0
  /** ICMP messages that its datagrams caused, by name. */
  readonly icmp = new Map<string, number>()
  /** Those that arrived. */
  readonly icmpReached = new Map<string, number>()
  readonly drops: FlowDrop[] = []
  readonly marks: FlowMarks[] = []
  readonly #rows = new Map<string, FlowDrop>()
  readonly #markRows = new Map<string, FlowMarks>()

  dropped(node: string, nic: string, reason: string): void {
    const key = `${node} ${nic} ${reason}`
    const row = this.#rows.get(key)
    if (row !== undefined) {
      row.count++
      return
    }
    const added = { node, nic, reason, count: 1 }
    this.#rows.set(key, added)
    this.drops.push(added)
  }

  marked(node: string, nic: string): void {
    const key = `${node} ${nic}`
    const row = this.#markRows.get(key) ?? { node, nic, count: 0 }
    if (row.count++ > 0) return
    this.#markRows.set(key, row)
    this.marks.push(row)
  }

  caused(name: string): void {
    this.icmp.set(name, (this.icmp.get(name) ?? 0) + 1)
  }

  reached(name: string): void {
    this.icmpReached.set(name, (this.icmpReached.get(name) ?? 0) + 1)
  }
}

/** A flow, as its datagrams are told from others. */
export interface TalliedFlow {
  /** Its name, which no other flow has. */
  readonly label: string
  readonly from: string
  readonly fromPort: number
  readonly to: string
  readonly port: number
  readonly echoes: boolean
  readonly counts: FlowCounts
  /** Whether what left at a time is counted. */
  isMeasured(time: number): boolean
}

/** The flows whose datagrams one host sends, by ports. */
class Sender {
  /** By both ports, the source's in the upper half. */
  readonly flows = new Map<number, number>()
  /** The host's echoes by their source port: behind a NAT they go to another port. */
  readonly echoes = new Map<number, number>()
}

export class Tally<Flow extends TalliedFlow> implements LifeListener {
  readonly #flows: readonly Flow[]
  /** By flow, the label of what its datagrams cause: asked for with every fault of every frame. */
  readonly #accounts: readonly string[]
  readonly #senders = new Map<string, Sender>()
  /**
   * By datagram: the flow's number and 1 if it is the flow's own, below 0 if one of these caused
   * it.
   */
  #flowOf = new Int32Array(1024)
  /** By datagram of a flow: frames that were discarded less those that were made, or DELIVERED. */
  #fateOf = new Int16Array(1024)
  /** The names of ICMP messages that have not arrived. */
  readonly #messages = new Map<number, string>()
  /** Nodes, numbered as they are met. */
  readonly #nodes = new Map<string, number>()
  /** The nodes to which a datagram came in fragments. */
  readonly #cut = new SparseBits()

  constructor(flows: readonly Flow[]) {
    this.#flows = flows
    this.#accounts = flows.map(({ label }) => `on account of ${label}`)
    for (const [index, flow] of flows.entries()) {
      this.#sender(flow.from).flows.set(both(flow.fromPort, flow.port), index)
      if (flow.echoes) this.#sender(flow.to).echoes.set(flow.port, index)
    }
  }

  /** The flow to which a datagram belongs, or for whose datagram it was sent. */
  flowOf(id: number): Flow | undefined {
    const entry = this.#flowOf[id] ?? 0
    return entry === 0 ? undefined : this.#flows[Math.abs(entry) - 1]
  }

  labelOf(id: number): string {
    const entry = this.#flowOf[id] ?? 0
    if (entry === 0) return ''
    return entry > 0 ? (this.#flows[entry - 1] as Flow).label : (this.#accounts[-entry - 1] as string)
  }

  began(id: number, from: string, packet: Summary, causedBy: number, time: number): void {
    const cause = this.#own(causedBy)
    if (cause !== undefined) {
      if (packet.type !== null) {
        const name = icmpName(packet.family, packet.type, packet.code as number)
        cause.counts.caused(name)
        this.#messages.set(id, name)
      }
      this.#set(id, -(this.#flowOf[causedBy] as number))
      return
    }
    const { protocol, sourcePort, destinationPort } = packet
    const sender = this.#senders.get(from)
    if (sender === undefined || sourcePort === null || protocol === TCP || protocol === SCTP) return
    const index = sender.flows.get(both(sourcePort, destinationPort as number)) ?? sender.echoes.get(sourcePort)
    if (index === undefined) return
    this.#set(id, index + 1)
    const flow = this.#flows[index] as Flow
    // An echo is counted with its request, which left a moment ago as a rule.
    if (!flow.isMeasured(time)) this.#fateOf[id] = UNMEASURED
  }

  /** A frame left a node: a fragment counts where it was cut, not where it only passes. */
  left(id: number, node: string, isFragment: boolean): void {
    if (!isFragment) return
    const flow = this.#own(id)
    if (flow !== undefined && !this.#cut.has(this.#nodeNumber(node), id)) flow.counts.fragments++
  }

  reached(id: number, node: string, isFragment: boolean): void {
    if (isFragment && this.#own(id) !== undefined) this.#cut.add(this.#nodeNumber(node), id)
  }

  dropped(id: number, node: string, nic: string, reason: string): void {
    this.#messages.delete(id)
    const flow = this.#own(id)
    if (flow === undefined) return
    flow.counts.dropped(node, nic, reason)
    this.#note(id, 1)
  }

  noted(id: number, node: string, nic: string, what: LineageKind): void {
    if (what === 'delivered') {
      const name = this.#messages.get(id)
      if (name !== undefined) this.flowOf(id)?.counts.reached(name)
      this.#messages.delete(id)
    }
    const flow = this.#own(id)
    if (flow === undefined) return
    if (what === 'delivered') this.#fateOf[id] = DELIVERED
    else if (what === 'duplicated') this.#note(id, -1)
    else if (what === 'marked') flow.counts.marked(node, nic)
  }

  /**
   * How many datagrams of a flow, of those that were not delivered, are known to be lost: a part of
   * them was discarded of which there was no copy.
   */
  lostOf(flow: Flow): number {
    const entry = this.#flows.indexOf(flow) + 1
    let lost = 0
    for (let id = 1; id < this.#flowOf.length; id++) {
      const fate = this.#fateOf[id] as number
      if (this.#flowOf[id] === entry && fate > 0 && fate < DELIVERED) lost++
    }
    return lost
  }

  #note(id: number, change: number): void {
    const fate = this.#fateOf[id] as number
    if (fate < DELIVERED) this.#fateOf[id] = Math.min(DELIVERED - 1, fate + change)
  }

  /** The flow of a datagram that is counted. */
  #own(id: number): Flow | undefined {
    const entry = this.#flowOf[id] ?? 0
    return entry > 0 && this.#fateOf[id] !== UNMEASURED ? this.#flows[entry - 1] : undefined
  }

  #set(id: number, entry: number): void {
    if (id >= this.#flowOf.length) {
      const grown = new Int32Array(Math.max(id + 1, this.#flowOf.length * 2))
      grown.set(this.#flowOf)
      this.#flowOf = grown
      const fates = new Int16Array(grown.length)
      fates.set(this.#fateOf)
      this.#fateOf = fates
    }
    this.#flowOf[id] = entry
  }

  #nodeNumber(node: string): number {
    let number = this.#nodes.get(node)
    if (number === undefined) {
      number = this.#nodes.size
      this.#nodes.set(node, number)
    }
    return number
  }

  #sender(name: string): Sender {
    const known = this.#senders.get(name)
    if (known !== undefined) return known
    const made = new Sender()
    this.#senders.set(name, made)
    return made
  }
}

function both(sourcePort: number, destinationPort: number): number {
  return sourcePort * 0x1_0000 + destinationPort
}
