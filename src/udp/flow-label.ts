/** The IPv6 flow label of a datagram: RFC 6437 section 3. */
import type { Address } from '../base/address.ts'
import type { KeyedHash } from '../base/hash.ts'
import type { Random } from '../base/random.ts'

export class FlowLabels {
  readonly #hash: KeyedHash
  readonly #secret: number

  /** `hash`: the stack's, with a secret of 96 bits. */
  constructor(random: Random, hash: KeyedHash) {
    this.#hash = hash
    this.#secret = random.uint32() | 0
  }

  /**
   * One label for each flow (addresses, ports, protocol), never 0, not to be predicted without the
   * secrets.
   */
  of(source: Address, to: Address, localPort: number, port: number): number {
    const ports = (localPort << 16) | port
    const { w0, w1, w2, w3 } = source
    return this.#hash.flow(w0, w1, w2, w3, to.w0, to.w1, to.w2, to.w3, ports, this.#secret) & 0xfffff || 1
  }
}
