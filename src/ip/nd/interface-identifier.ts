/**
 * The lower 64 bits of the addresses that a nic makes for itself: from the hardware address (RFC
 * 4291 appendix A), stable but telling nothing (RFC 7217), or random for a while (RFC 8981).
 */
import { Address } from '../../base/address.ts'
import type { Random } from '../../base/random.ts'
import { sha256 } from '../../base/sha256.ts'

/**
 * `eui64`: whoever knows one address knows the hardware address, and the host on every network.
 * `stable-privacy`: another one on every network.
 */
export type AddressGeneration = 'eui64' | 'stable-privacy'

/** Bytes of the secret (RFC 7217 section 5: 128 bits at least). */
export const SECRET_LENGTH = 16

export class InterfaceIdentifiers {
  readonly generation: AddressGeneration
  readonly #high: number
  readonly #low: number
  readonly #random: Random
  /** Drawn when it is needed first, unless given. */
  #secret: Uint8Array | null

  /**
   * `high` and `low` are the hardware address; without a `secret` one is drawn, and addresses last
   * as long as the stack.
   */
  constructor(generation: AddressGeneration, high: number, low: number, random: Random, secret: Uint8Array | null) {
    this.generation = generation
    this.#high = high
    this.#low = low
    this.#random = random
    this.#secret = secret
  }

  /** The address of a 64-bit prefix; `attempt` counts those that were found in use before. */
  stable(prefix: Address, attempt: number): Address {
    if (this.generation === 'eui64') {
      const w2 = ((this.#high ^ 0x0200) << 16) | ((this.#low >>> 16) & 0xff00) | 0xff
      return new Address(prefix.w0, prefix.w1, w2, 0xfe000000 | (this.#low & 0xffffff))
    }
    // RFC 7217 section 5: F(prefix, interface, network, counter, secret). A counter that meets a
    // reserved identifier goes on.
    this.#secret ??= this.#draw()
    const input = new DataView(new ArrayBuffer(SECRET_LENGTH + 18))
    new Uint8Array(input.buffer).set(this.#secret)
    input.setInt32(SECRET_LENGTH, prefix.w0)
    input.setInt32(SECRET_LENGTH + 4, prefix.w1)
    input.setUint16(SECRET_LENGTH + 8, this.#high)
    input.setInt32(SECRET_LENGTH + 10, this.#low)
    for (let counter = attempt; ; counter += 0x100) {
      input.setUint32(SECRET_LENGTH + 14, counter)
      const digest = new DataView(sha256(new Uint8Array(input.buffer)).buffer)
      const w2 = digest.getInt32(0)
      const w3 = digest.getInt32(4)
      if (!isReserved(w2, w3)) return new Address(prefix.w0, prefix.w1, w2, w3)
    }
  }

  /** A random address of a 64-bit prefix (RFC 8981 section 3.3.1). */
  temporary(prefix: Address): Address {
    for (;;) {
      const w2 = this.#random.uint32() | 0
      const w3 = this.#random.uint32() | 0
      if (!isReserved(w2, w3)) return new Address(prefix.w0, prefix.w1, w2, w3)
    }
  }

  #draw(): Uint8Array {
    const secret = new DataView(new ArrayBuffer(SECRET_LENGTH))
    for (let at = 0; at < SECRET_LENGTH; at += 4) secret.setUint32(at, this.#random.uint32())
    return new Uint8Array(secret.buffer)
  }
}

/**
 * RFC 5453: the subnet-router anycast address, identifiers made by IANA's own Ethernet block, and
 * reserved anycast addresses.
 */
function isReserved(w2: number, w3: number): boolean {
  if (w2 === 0 && w3 === 0) return true
  if (w2 === 0x02005eff && w3 >>> 24 === 0xfe) return true
  return w2 >>> 0 === 0xfdffffff && w3 >>> 7 === 0xffffff80 >>> 7
}
