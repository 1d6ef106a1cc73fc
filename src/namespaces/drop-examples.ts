/** The first datagram that was discarded at each place for each reason, with its life in words. */
import type { Network } from '../network/network.ts'
import type { Datagram } from '../network/observe/datagram.ts'

/** Lives that are kept. */
const MOST = 20

export interface DropExample {
  /** `WireQueueFull at r1.eth1` */
  readonly drop: string
  /** What `network.explain` says of it. */
  readonly life: string
}

export class DropExamples {
  readonly all: DropExample[] = []
  readonly #seen = new Set<string>()
  readonly #network: Network

  constructor(network: Network) {
    this.#network = network
  }

  /** A datagram to which nothing more happens. */
  ended(datagram: Datagram): void {
    for (const { what, node, nic, reason } of datagram.events) {
      if (what !== 'dropped' || this.all.length >= MOST) continue
      const drop = `${reason} at ${node}${nic === '' ? '' : `.${nic}`}`
      if (this.#seen.has(drop)) continue
      this.#seen.add(drop)
      this.all.push({ drop, life: this.#network.explain(datagram) })
    }
  }
}
