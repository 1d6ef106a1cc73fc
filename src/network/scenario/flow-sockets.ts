/** The sockets of flows: one for each host, family and port, whatever flows share it. */
import { Address } from '../../base/address.ts'
import type { Packet } from '../../base/packet.ts'
import type { Stack } from '../../stack.ts'
import type { Endpoint } from '../../udp/endpoint.ts'
import type { Network } from '../network.ts'
import * as payload from './payload.ts'

/** A flow, as its sockets see it. */
export interface SocketFlow {
  /** That of its payloads. */
  readonly identity: number
  readonly from: string
  readonly fromPort: number
  readonly to: string
  readonly port: number
  readonly echoes: boolean
  /** The receiver sends a datagram back, as it came. */
  answer(endpoint: Endpoint, stack: Stack, bytes: Uint8Array, to: Address, port: number): void
  /** A datagram is where it belongs. */
  arrived(number: number, length: number): void
  /** Something was delivered that the flow has not sent. */
  damaged(): void
}

/** The endpoints of all flows, one for each host, family and port. */
export class FlowSockets {
  readonly #network: Network
  readonly #endpoints = new Map<string, Endpoint>()
  #flows: readonly SocketFlow[] = []
  #byIdentity = new Map<number, SocketFlow>()

  /** Whether a program may be woken by what it is told of arrivals. */
  readonly #wakes: boolean

  constructor(network: Network, wakes: boolean) {
    this.#network = network
    this.#wakes = wakes
  }

  set flows(flows: readonly SocketFlow[]) {
    this.#flows = flows
    this.#byIdentity = new Map(flows.map((flow) => [flow.identity, flow]))
  }

  get(host: string, family: 4 | 6, port: number): Endpoint {
    const key = `${host} ${family} ${port}`
    return this.#endpoints.get(key) ?? this.#open(key, host, family, port)
  }

  #open(key: string, host: string, family: 4 | 6, port: number): Endpoint {
    const stack = this.#network.stack(host)
    /** Echoes that wait until the datagram is taken in. */
    const waiting: (() => void)[] = []
    const unheard = this.#wakes ? () => {} : this.#network.unheard(host)
    const endpoint: Endpoint = stack.udp.createEndpoint(family, {
      receive: (packet, sourcePort) => {
        const { start, end, view } = packet
        endpoint.release(end - start)
        unheard()
        const sender = this.#senderOf(packet)
        const flow = sender ?? this.#expected(host, port, sourcePort)
        if (flow === undefined) return
        if (flow.echoes && host === flow.to && port === flow.port) {
          // An echo service looks at nothing: who gets it back tells whether it is whole.
          const bytes = packet.bytes.slice(start, end)
          const to = new Address(packet.s0, packet.s1, packet.s2, packet.s3)
          waiting.push(() => flow.answer(endpoint, stack, bytes, to, sourcePort))
        } else if (sender === undefined) flow.damaged()
        else flow.arrived(payload.numberOf(view, start), end - start)
      },
      flush: () => {
        for (const answer of waiting.splice(0)) answer()
      },
      icmp() {},
    })
    const errno = endpoint.bind(family === 4 ? Address.ANY4 : Address.ANY6, port)
    if (errno !== '') throw new Error(`${host}: the port ${port} of a flow cannot be opened: ${errno}`)
    endpoint.ipv6Only = family === 6
    this.#endpoints.set(key, endpoint)
    return endpoint
  }

  /** The flow that has sent this payload, byte for byte; `undefined` when none has. */
  #senderOf({ view, start, end }: Packet): SocketFlow | undefined {
    if (end - start < payload.HEADER) return undefined
    const flow = this.#byIdentity.get(payload.claimedIdentity(view, start, end))
    return flow !== undefined && payload.isWhole(view, start, end, flow.identity) ? flow : undefined
  }

  /** Whose datagram was meant, by the ports; behind a NAT the other end's port is another one. */
  #expected(host: string, port: number, otherPort: number): SocketFlow | undefined {
    const own = this.#flows.filter((flow) =>
      flow.to === host && flow.port === port ? true : flow.echoes && flow.from === host && flow.fromPort === port,
    )
    return own.find((flow) => otherPort === (flow.port === port ? flow.fromPort : flow.port)) ?? own[0]
  }
}
