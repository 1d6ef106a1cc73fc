/** The sockets of flows: one for each host, family and port, whatever flows share it. */
import { Address } from '../../base/address.ts'
import type { Stack } from '../../stack.ts'
import type { Endpoint } from '../../udp/endpoint.ts'
import type { Network } from '../network.ts'

/** Payload of each datagram: the flow's number, and the datagram's. */
export const HEADER = 8

/** A flow, as its sockets see it. */
export interface SocketFlow {
  readonly to: string
  readonly echoes: boolean
  /** The receiver sends a datagram back. */
  answer(endpoint: Endpoint, stack: Stack, number: number, length: number, to: Address, port: number): void
  /** A datagram is where it belongs. */
  arrived(number: number, length: number): void
}

/** The endpoints of all flows, one for each host, family and port. */
export class FlowSockets {
  flows: readonly SocketFlow[] = []
  readonly #network: Network
  readonly #endpoints = new Map<string, Endpoint>()

  constructor(network: Network) {
    this.#network = network
  }

  get(host: string, family: 4 | 6, port: number): Endpoint {
    const key = `${host} ${family} ${port}`
    return this.#endpoints.get(key) ?? this.#open(key, host, family, port)
  }

  #open(key: string, host: string, family: 4 | 6, port: number): Endpoint {
    const stack = this.#network.stack(host)
    /** Echoes that wait until the datagram is taken in. */
    const waiting: (() => void)[] = []
    const endpoint: Endpoint = stack.udp.createEndpoint(family, {
      receive: (packet, sourcePort) => {
        const { start, end, view } = packet
        endpoint.release(end - start)
        if (end - start < HEADER) return
        const flow = this.flows[view.getUint32(start)]
        const number = view.getUint32(start + 4)
        if (flow === undefined) return
        if (flow.echoes && host === flow.to) {
          const to = new Address(packet.s0, packet.s1, packet.s2, packet.s3)
          waiting.push(() => flow.answer(endpoint, stack, number, end - start, to, sourcePort))
        } else flow.arrived(number, end - start)
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
}
