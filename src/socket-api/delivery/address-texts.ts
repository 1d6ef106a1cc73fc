/** Texts of addresses, made once: a peer that has written before costs one comparison. */
import { Address, formatWords, isLinkLocal, MAPPED } from '../../base/address.ts'
import type { Stack } from '../../stack.ts'

/** Peers whose text is kept at first, and at most; powers of two. */
const FIRST_SLOTS = 8
const MOST_SLOTS = 1024
/** Words of a slot: those of the address, and the zone. */
const WORDS = 5

/**
 * Address words to text, in a direct-mapped cache. It doubles when it has made as many texts as it
 * has slots, so that a host with few peers has a small one.
 */
export class AddressTexts {
  readonly #stack: Stack
  /** Put in front of IPv4 addresses. */
  readonly #mapped: string
  #keys = new Int32Array(FIRST_SLOTS * WORDS)
  #texts: string[] = new Array(FIRST_SLOTS).fill('')
  /** Texts that were made since it has its size. */
  #made = 0

  constructor(stack: Stack, mapped: string) {
    this.#stack = stack
    this.#mapped = mapped
  }

  /** The text of an address; a link-local IPv6 one gets the name of nic `nic` as its zone. */
  text(w0: number, w1: number, w2: number, w3: number, nic: number): string {
    const zone = w2 !== MAPPED && isLinkLocal(w0, w1, w2, w3) ? nic : 0
    const keys = this.#keys
    const slot = (w3 ^ (w3 >>> 10) ^ (w3 >>> 20) ^ w1) & (this.#texts.length - 1)
    const at = slot * WORDS
    const known = this.#texts[slot] as string
    if (
      known !== '' &&
      keys[at + 3] === w3 &&
      keys[at + 2] === w2 &&
      keys[at + 1] === w1 &&
      keys[at] === w0 &&
      keys[at + 4] === zone
    ) {
      return known
    }
    if (++this.#made > this.#texts.length && this.#texts.length < MOST_SLOTS) {
      this.#grow()
      return this.text(w0, w1, w2, w3, nic)
    }
    const four = w0 === 0 && w1 === 0 && w2 === MAPPED
    const zoneText = zone === 0 ? '' : `%${this.#zoneName(new Address(w0, w1, w2, w3), zone)}`
    const text = `${four ? this.#mapped : ''}${formatWords(w0, w1, w2, w3)}${zoneText}`
    keys[at] = w0
    keys[at + 1] = w1
    keys[at + 2] = w2
    keys[at + 3] = w3
    keys[at + 4] = zone
    this.#texts[slot] = text
    return text
  }

  /** Twice as many slots, empty: texts are made again when they are asked for. */
  #grow(): void {
    const slots = this.#texts.length * 2
    this.#keys = new Int32Array(slots * WORDS)
    this.#texts = new Array(slots).fill('')
    this.#made = 0
  }

  /** A datagram to ourselves comes by the loopback nic, but from the zone that has the address. */
  #zoneName(address: Address, zone: number): string {
    const nic = this.#stack.nic(zone)
    const home = nic?.isLoopback ? this.#stack.nics.find((each) => each.hasAddress(address)) : nic
    return home?.name ?? `${zone}`
  }
}
