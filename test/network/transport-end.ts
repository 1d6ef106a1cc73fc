/**
 * The end of a transport that the stack does not speak, on a host of a network: it sends the packets
 * that a test makes, and keeps those that reach the host.
 */
import { Address } from '../../src/base/address.ts'
import type { Drop } from '../../src/base/drop.ts'
import { HEADROOM, Packet } from '../../src/base/packet.ts'
import { PmtuMode } from '../../src/ip/routing/pmtu-mode.ts'
import type { Route } from '../../src/ip/routing/route-table.ts'
import type { Stack } from '../../src/stack.ts'
import { type Bytes, type TcpFields, tcp } from '../packet.ts'

const packet = new Packet()

/** What is different from a packet as any. */
export interface Sending {
  readonly tos?: number
  /** Whether it may be fragmented: it may. */
  readonly mode?: PmtuMode
}

/** Sends what is behind the IP header; IPv4 is fragmented where it is too long. */
export function sendTransport(
  host: Stack,
  from: string,
  to: string,
  protocol: number,
  bytes: Bytes,
  sending: Sending = {},
): Drop {
  const [source, target] = [Address.parse(from), Address.parse(to)]
  packet.reset(HEADROOM, HEADROOM + bytes.length)
  packet.bytes.set(bytes, HEADROOM)
  Object.assign(packet, { family: target.family, protocol, hopLimit: 64, tos: sending.tos ?? 0 })
  Object.assign(packet, { s0: source.w0, s1: source.w1, s2: source.w2, s3: source.w3 })
  Object.assign(packet, { d0: target.w0, d1: target.w1, d2: target.w2, d3: target.w3 })
  const { ip } = host
  return ip.output(
    packet,
    ip.route(target.w0, target.w1, target.w2, target.w3, 0) as Route,
    sending.mode ?? PmtuMode.Dont,
  )
}

/** A segment that came. */
export interface Segment {
  readonly time: number
  /** `address:port`. */
  readonly from: string
  readonly to: string
  /** The lower eight bits. */
  readonly flags: number
  readonly tos: number
  /** From the IP header on, and what is behind it. */
  readonly packet: Uint8Array
  readonly bytes: Uint8Array
}

/** TCP on a host, without its rules: nothing is answered. */
export class TcpEnd {
  readonly received: Segment[] = []
  readonly #host: Stack
  readonly #address: string

  /** `now` is the network's time. */
  constructor(host: Stack, address: string, now: () => number) {
    this.#host = host
    this.#address = address
    // What the stack would answer is what the test looks at instead.
    host.ip.icmp.sendProtocolUnreachable = ({ bytes, view, network, networkEnd, transport, tos, ...words }) => {
      const end = (w: readonly number[], port: number) =>
        `${new Address(...(w as [number, number, number, number]))}:${port}`
      this.received.push({
        time: now(),
        from: end([words.s0, words.s1, words.s2, words.s3], view.getUint16(transport)),
        to: end([words.d0, words.d1, words.d2, words.d3], view.getUint16(transport + 2)),
        flags: view.getUint8(transport + 13),
        tos,
        packet: bytes.slice(network, networkEnd),
        bytes: bytes.slice(transport, networkEnd),
      })
    }
  }

  /** Sends a segment to `address:port`. */
  send(port: number, to: string, flags: number, fields: TcpFields = {}, payload: ArrayLike<number> = []): void {
    const colon = to.lastIndexOf(':')
    const [destination, destinationPort] = [to.slice(0, colon).replace(/^\[|\]$/g, ''), Number(to.slice(colon + 1))]
    const source = this.#address
    const family = source.includes(':') ? 6 : 4
    const bytes = tcp(payload, family, { ...fields, source, destination, sourcePort: port, destinationPort, flags })
    sendTransport(this.#host, source, destination, 6, bytes)
  }

  /** Those that came since the last call, as `from > to flags`. */
  take(): string[] {
    return this.received.splice(0).map(({ from, to, flags }) => `${from} > ${to} ${flagWords(flags)}`)
  }
}

function flagWords(flags: number): string {
  return ['F', 'S', 'R', 'P', '.', 'U', 'E', 'W'].filter((_, bit) => (flags >>> bit) & 1).join('')
}
