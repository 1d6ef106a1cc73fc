import { AddressMap } from '../../base/address-map.ts'
import { Drop } from '../../base/drop.ts'
import type { KeyedHash } from '../../base/hash.ts'
import { Cast, type Packet } from '../../base/packet.ts'
import type { LinkReceiver } from '../../link/link.ts'
import * as ethernet from '../../wire/ethernet.ts'
import { addressKey, formatKey } from '../../wire/hardware-address.ts'
import { GroupSnooper } from './group-snooper.ts'
import type { Port } from './port.ts'

/**
 * Milliseconds for which a switch remembers where an address was last seen (IEEE 802.1Q section
 * 8.8.3, the recommended value).
 */
const AGING = 300_000
/** Addresses that a switch remembers; the oldest goes first. */
const TABLE = 8192

/** Where an address was seen last, and when. */
interface Seen {
  /** The address as one number. */
  readonly key: number
  port: Port
  time: number
}

/**
 * An Ethernet switch that learns: a frame leaves by the port behind which its destination was seen,
 * or by all the others.
 */
export class Switch {
  readonly name: string
  /** @internal */
  readonly stack = null
  /** @internal */
  outputGate = null
  /** @internal */
  inputGate = null
  /** @internal */
  seen = 0
  /** @internal */
  portReports = false
  /** @internal */
  receiving = null
  /** @internal */
  readonly ports: Port[] = []
  readonly #now: () => number
  /** By the two halves of an address. */
  readonly #table: AddressMap<Seen>
  readonly #groups: GroupSnooper | null

  /** @internal */
  constructor(name: string, now: () => number, hash: KeyedHash, snooping = false) {
    this.name = name
    this.#now = now
    this.#table = new AddressMap(hash)
    this.#groups = snooping ? new GroupSnooper(now) : null
  }

  /** @internal Takes a port into use. */
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
    return [...this.#table.values()].map(({ key, port }) => ({
      address: formatKey(key),
      port: port.name,
    }))
  }

  /** @internal Addresses that a lookup may have to compare. */
  get longestChain(): number {
    return this.#table.longestChain
  }

  #input(packet: Packet, from: Port): void {
    const { view, start } = packet
    const now = this.#now()
    const high = ethernet.sourceHigh(view, start)
    const low = ethernet.sourceLow(view, start)
    const known = this.#table.get(0, 0, high, low)
    if (known !== undefined) {
      known.port = from
      known.time = now
    } else if (ethernet.castOf(high, low) === Cast.Unicast) {
      if (this.#table.size === TABLE) this.#table.deleteOldest()
      this.#table.set(0, 0, high, low, { key: addressKey(high, low), port: from, time: now })
    }
    // A group is nobody's source, and so never in the table.
    const toHigh = ethernet.destinationHigh(view, start)
    const toLow = ethernet.destinationLow(view, start)
    const entry = this.#table.get(0, 0, toHigh, toLow)
    if (entry !== undefined && now - entry.time <= AGING) {
      // A frame for the side that it comes from has arrived already.
      if (entry.port !== from) this.#send(entry.port, packet)
      return
    }
    const isGroup = this.#groups !== null && ethernet.castOf(toHigh, toLow) === Cast.Multicast
    const ports = (isGroup ? this.#groups?.portsFor(packet, from) : null) ?? this.ports
    let copies = 0
    for (const port of ports) {
      if (port === from || !port.isUp) continue
      this.#send(port, packet)
      copies++
    }
    if (isGroup && copies === 0) from.dropped(Drop.WireNoReceiver, packet)
  }

  #send(port: Port, packet: Packet): void {
    const { start, end } = packet
    const drop = port.send(packet)
    packet.start = start
    packet.end = end
    if (drop !== Drop.None) port.dropped(drop, packet)
  }
}
