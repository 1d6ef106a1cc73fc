/**
 * Packets from one inside host to another while they are in the router: the destination is
 * translated, the source is not yet (RFC 4787 section 6).
 */
import { MAPPED } from '../../base/address.ts'
import type { KeyedHash } from '../../base/hash.ts'
import { type Hashed, HashTable } from '../../base/hash-table.ts'

/** How many are remembered. */
const MOST = 1024

class Hairpin implements Hashed<Hairpin> {
  hash = 0
  chain: Hairpin | null = null
  source = 0
  destination = 0
  /** Both, the source's in the upper half. */
  ports = 0
  protocol = 0
  outsidePort = 0
}

export class Hairpins {
  readonly #hash: KeyedHash
  readonly #table = new HashTable<Hairpin>()
  /** Entries that were taken, to be used again. */
  #spare: Hairpin | null = null

  constructor(hash: KeyedHash) {
    this.#hash = hash
  }

  get size(): number {
    return this.#table.size
  }

  /**
   * Remembers a packet by its ends behind the first translation, with its source's outside port.
   */
  add(
    source: number,
    sourcePort: number,
    destination: number,
    destinationPort: number,
    protocol: number,
    outsidePort: number,
  ): void {
    // One that was dropped on its way through the router is never taken.
    if (this.#table.size >= MOST) this.#table.clear()
    const ports = (sourcePort << 16) | destinationPort
    const hash = this.#hashOf(source, destination, ports, protocol)
    const known = this.#find(hash, source, destination, ports, protocol)
    const entry = known ?? this.#spare ?? new Hairpin()
    entry.outsidePort = outsidePort
    if (known !== null) return
    if (entry === this.#spare) this.#spare = entry.chain
    entry.hash = hash
    entry.source = source
    entry.destination = destination
    entry.ports = ports
    entry.protocol = protocol
    this.#table.add(entry)
  }

  /** The outside port of a packet's source, once; -1 for a packet that is no hairpin. */
  take(source: number, sourcePort: number, destination: number, destinationPort: number, protocol: number): number {
    const ports = (sourcePort << 16) | destinationPort
    const hash = this.#hashOf(source, destination, ports, protocol)
    const found = this.#find(hash, source, destination, ports, protocol)
    if (found === null) return -1
    this.#table.remove(found)
    found.chain = this.#spare
    this.#spare = found
    return found.outsidePort
  }

  clear(): void {
    this.#table.clear()
  }

  #hashOf(source: number, destination: number, ports: number, protocol: number): number {
    return this.#hash.flow(0, 0, MAPPED, source, 0, 0, MAPPED, destination, ports, protocol)
  }

  #find(hash: number, source: number, destination: number, ports: number, protocol: number): Hairpin | null {
    for (let each = this.#table.head(hash); each !== null; each = each.chain)
      if (
        each.source === source &&
        each.destination === destination &&
        each.ports === ports &&
        each.protocol === protocol
      )
        return each
    return null
  }
}
