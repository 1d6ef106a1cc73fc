/** The neighbors of one nic, as its user sees and sets them. */
import type { Address } from '../../base/address.ts'
import { addressHigh, addressLow, formatHardwareAddress, parseHardwareAddress } from '../../wire/hardware-address.ts'
import type { NeighborState } from './neighbor.ts'
import type { NeighborTable } from './neighbor-table.ts'

/** A row of `stack.neighbors`, as `ip neigh` prints it. */
export interface NeighborRow {
  readonly nic: string
  readonly address: string
  /** `null` while it is not known. */
  readonly hardwareAddress: string | null
  readonly state: NeighborState
  readonly router: boolean
}

/** The tables of ARP and Neighbor Discovery. */
export interface NeighborTables {
  readonly arp: { readonly neighbors: NeighborTable }
  readonly nd: { readonly neighbors: NeighborTable }
}

export class NicNeighbors {
  readonly #name: string
  readonly #tables: NeighborTables | null

  /** `tables`: `null` on a link without hardware addresses. */
  constructor(name: string, tables: NeighborTables | null) {
    this.#name = name
    this.#tables = tables
  }

  list(): NeighborRow[] {
    if (this.#tables === null) return []
    const { arp, nd } = this.#tables
    return [...arp.neighbors.list(), ...nd.neighbors.list()].map((neighbor) => ({
      nic: this.#name,
      address: neighbor.address.toString(),
      hardwareAddress: neighbor.isValid ? formatHardwareAddress(neighbor.high, neighbor.low) : null,
      state: neighbor.state,
      router: neighbor.isRouter,
    }))
  }

  /** See `Nic.addNeighbor`. */
  add(address: Address, hardwareAddress: string): void {
    const bytes = parseHardwareAddress(hardwareAddress)
    if (this.#tables === null) throw new Error(`${this.#name} has no neighbors: its link has no hardware addresses.`)
    tableOf(this.#tables, address).addPermanent(address, addressHigh(bytes), addressLow(bytes))
  }

  /** See `Nic.removeNeighbor`. */
  remove(address: Address): boolean {
    return this.#tables !== null && tableOf(this.#tables, address).remove(address)
  }
}

function tableOf({ arp, nd }: NeighborTables, { family }: Address): NeighborTable {
  return (family === 4 ? arp : nd).neighbors
}
