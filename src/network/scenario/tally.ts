/** Counts, from the lives of datagrams, what happened to those of flows. */
import { SCTP, TCP } from '../../wire/protocol.ts'
import type { Datagram } from '../observe/datagram.ts'
import { icmpName } from '../observe/icmp-names.ts'
import type { FlowDrop } from './run-types.ts'

/** What is counted for a flow. */
export class FlowCounts {
  fragments = 0
  /** ICMP messages that its datagrams caused, by name. */
  readonly icmp = new Map<string, number>()
  readonly drops: FlowDrop[] = []

  dropped(node: string, nic: string, reason: string): void {
    const row = this.drops.find((each) => each.node === node && each.nic === nic && each.reason === reason)
    if (row === undefined) this.drops.push({ node, nic, reason, count: 1 })
    else row.count++
  }

  caused(name: string): void {
    this.icmp.set(name, (this.icmp.get(name) ?? 0) + 1)
  }
}

/** A flow, as its datagrams are told from others. */
export interface TalliedFlow {
  readonly from: string
  readonly fromPort: number
  readonly to: string
  readonly port: number
  readonly echoes: boolean
  readonly counts: FlowCounts
}

/** The flows whose datagrams one host sends, by ports. */
class Sender<Flow> {
  /** By both ports, the source's in the upper half. */
  readonly flows = new Map<number, Flow>()
  /** The host's echoes by their source port: behind a NAT they go to another port. */
  readonly echoes = new Map<number, Flow>()
}

export class Tally<Flow extends TalliedFlow> {
  readonly #senders = new Map<string, Sender<Flow>>()
  /** Datagrams that a flow's datagram caused, which are younger and come later. */
  readonly #caused = new Map<number, Flow>()

  constructor(flows: readonly Flow[]) {
    for (const flow of flows) {
      this.#sender(flow.from).flows.set(both(flow.fromPort, flow.port), flow)
      if (flow.echoes) this.#sender(flow.to).echoes.set(flow.port, flow)
    }
  }

  /** @returns the flow to which a datagram belongs, or for whose datagram it was sent */
  add({ id, from, packet, events }: Datagram): Flow | undefined {
    const cause = this.#caused.get(id)
    if (cause !== undefined) {
      this.#caused.delete(id)
      if (packet.type !== null) cause.counts.caused(icmpName(packet.family, packet.type, packet.code as number))
      return cause
    }
    const { protocol, sourcePort, destinationPort } = packet
    const sender = this.#senders.get(from)
    if (sender === undefined || sourcePort === null || protocol === TCP || protocol === SCTP) return undefined
    const flow = sender.flows.get(both(sourcePort, destinationPort as number)) ?? sender.echoes.get(sourcePort)
    if (flow !== undefined) this.#count(flow, events)
    return flow
  }

  #count(flow: Flow, events: Datagram['events']): void {
    const { counts } = flow
    /** Nodes to which it came in fragments. */
    let cut = null as Set<string> | null
    for (const { what, node, nic, reason, packet, value } of events) {
      if (what === 'dropped') counts.dropped(node, nic, reason as string)
      else if (what === 'caused') this.#caused.set(value, flow)
      else if (packet === null || packet.fragment === null) continue
      else if (what === 'arrived') {
        cut ??= new Set()
        cut.add(node)
      } else if ((what === 'sent' || what === 'forwarded') && cut?.has(node) !== true) counts.fragments++
    }
  }

  #sender(name: string): Sender<Flow> {
    const known = this.#senders.get(name)
    if (known !== undefined) return known
    const made = new Sender<Flow>()
    this.#senders.set(name, made)
    return made
  }
}

function both(sourcePort: number, destinationPort: number): number {
  return sourcePort * 0x1_0000 + destinationPort
}
