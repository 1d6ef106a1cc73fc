import { Drop } from '../base/drop.ts'
import { Cast, type Packet } from '../base/packet.ts'
import * as ethernet from '../link/ethernet.ts'
import { addressKey, formatKey } from '../link/hardware-address.ts'
import type { LinkReceiver } from '../link/link.ts'
import type { Port, PortOwner } from './port.ts'

/** Milliseconds for which a switch remembers where an address was last seen (IEEE 802.1Q section 8.8.3, the recommended value). */
const AGING = 300_000
/** Addresses that a switch remembers; the oldest goes first. */
const TABLE = 8192

/** An Ethernet switch that learns: a frame leaves by the port behind which its destination was seen, or by all the others. */
export class Switch implements PortOwner {
  readonly name: string
  readonly stack = null
  outputGate = null
  inputGate = null
  seen = 0
  portReports = false
  receiving = null
  readonly ports: Port[] = []
  readonly #now: () => number
  /** Where an address, as one number, was seen last, and when. */
  readonly #table = new Map<number, { port: Port; time: number }>()

  constructor(name: string, now: () => number) {
    this.name = name
    this.#now = now
  }

  /** Takes a port into use. */
  addPort(port: Port): void {
    this.ports.push(port)
    const receiver: LinkReceiver = {
      input: (packet) => this.#input(packet, port),
      idle: () => {
        for (const each of this.ports) each.flush()
      },
      // Counted by the port itself.
      dropped: () => {},
      failed: () => {},
    }
    port.attach(receiver)
  }

  /** Addresses by the name of the port behind which they were seen. */
  get table(): { address: string; port: string }[] {
    return [...this.#table].map(([key, { port }]) => ({
      address: formatKey(key),
      port: port.name,
    }))
  }

  #input(packet: Packet, from: Port): void {
    const { view, start } = packet
    const now = this.#now()
    const source = addressKey(ethernet.sourceHigh(view, start), ethernet.sourceLow(view, start))
    const known = this.#table.get(source)
    if (known !== undefined) {
      known.port = from
      known.time = now
    } else if (ethernet.castOf(ethernet.sourceHigh(view, start), ethernet.sourceLow(view, start)) === Cast.Unicast) {
      if (this.#table.size === TABLE) this.#table.delete(this.#table.keys().next().value as number)
      this.#table.set(source, { port: from, time: now })
    }
    // A group is nobody's source, and so never in the table.
    const entry = this.#table.get(addressKey(ethernet.destinationHigh(view, start), ethernet.destinationLow(view, start)))
    if (entry !== undefined && now - entry.time <= AGING) {
      // A frame for the side that it comes from has arrived already.
      if (entry.port !== from) this.#send(entry.port, packet)
      return
    }
    for (const port of this.ports) if (port !== from && port.isUp) this.#send(port, packet)
  }

  #send(port: Port, packet: Packet): void {
    const { start, end } = packet
    const drop = port.send(packet)
    packet.start = start
    packet.end = end
    if (drop !== Drop.None) port.dropped(drop, packet)
  }
}
