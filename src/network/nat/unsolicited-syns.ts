/**
 * SYNs that a NAT lets not in (RFC 5382 REQ-4). The inside may be about to open the same connection
 * (a simultaneous open): only after six seconds their senders are told that nobody is there.
 */

import { AddressMap } from '../../base/address-map.ts'
import type { Clock, Timer } from '../../base/clock.ts'
import type { KeyedHash } from '../../base/hash.ts'
import type { Packet } from '../../base/packet.ts'

const WAIT = 6000
/** How many wait; the senders of others are told nothing. */
const MOST = 256
/** Bytes of the longest packet that is kept. */
const LONGEST = 1500

/** A packet that an error may be sent about later, as its sender wrote it. */
export interface KeptPacket {
  /** From the IP header on. */
  readonly bytes: Uint8Array
  readonly checksumState: Packet['checksumState']
  readonly trace: number
}

interface Waiting {
  readonly syn: KeptPacket
  readonly due: number
  readonly port: number
  readonly remote: number
  readonly remotePort: number
}

export class UnsolicitedSyns {
  readonly #clock: Clock
  readonly #refuse: (syn: KeptPacket) => void
  /** By outside port and remote end, in the order of their coming. */
  readonly #waiting: AddressMap<Waiting>
  #timer: Timer | null = null

  /** `refuse` is given those whose time is over. */
  constructor(clock: Clock, hash: KeyedHash, refuse: (syn: KeptPacket) => void) {
    this.#clock = clock
    this.#refuse = refuse
    this.#waiting = new AddressMap(hash)
  }

  get size(): number {
    return this.#waiting.size
  }

  /**
   * Keeps a copy of the SYN whose IP header is at `at`; one that came before, of the same ends,
   * stands for it.
   */
  add(packet: Packet, at: number, port: number, remote: number, remotePort: number): void {
    const { end, checksumState, trace } = packet
    if (this.#waiting.size >= MOST || end - at > LONGEST) return
    if (this.#waiting.get(0, port, remote, remotePort) !== undefined) return
    const syn = { bytes: packet.bytes.slice(at, end), checksumState, trace }
    const due = this.#clock.now() + WAIT
    this.#waiting.set(0, port, remote, remotePort, { syn, due, port, remote, remotePort })
    if (this.#timer === null) this.#arm(WAIT)
  }

  /** The inside opens the connection itself: the SYN is forgotten in silence. */
  wanted(port: number, remote: number, remotePort: number): void {
    if (this.#waiting.size > 0) this.#waiting.delete(0, port, remote, remotePort)
  }

  clear(): void {
    this.#waiting.clear()
    this.#timer?.cancel()
    this.#timer = null
  }

  #arm(delay: number): void {
    this.#timer = this.#clock.schedule(delay, () => this.#run())
  }

  #run(): void {
    this.#timer = null
    const now = this.#clock.now()
    for (const { syn, due, port, remote, remotePort } of this.#waiting.values()) {
      if (due > now) {
        this.#arm(due - now)
        return
      }
      this.#waiting.delete(0, port, remote, remotePort)
      this.#refuse(syn)
    }
  }
}
