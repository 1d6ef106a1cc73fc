/** What the sockets of one stack share: texts of addresses, descriptors. */
import { isIP } from 'node:net'
import { Address, formatWords, isLinkLocal, MAPPED } from '../../base/address.ts'
import type { KeepAlive } from '../../link/keep-alive.ts'
import type { Stack } from '../../stack.ts'
import type { Inbox } from '../delivery/inbox.ts'
import { Turns } from '../delivery/turns.ts'
import { SendTicks } from '../sending/ticks.ts'

/** An address with the index of its zone's nic, 0 without one. */
export interface Scoped {
  readonly address: Address
  readonly nic: number
}

/** Peers whose text is kept; a power of two. */
const TEXT_SLOTS = 1024
const PARSED_LIMIT = 1024

/**
 * Descriptors of a stack begin where a process has none of its own, so that a foreign one is not
 * taken for ours.
 */
const FIRST_DESCRIPTOR = 1 << 20

export class Shared {
  readonly stack: Stack
  readonly turns: Turns
  readonly sendTicks: SendTicks
  #flushing = false
  readonly #flush = () => {
    this.#flushing = false
    for (const { link } of this.stack.nics) link.flush()
  }
  #texts4: AddressTexts | null = null
  #texts6: AddressTexts | null = null
  readonly #parsed = new Map<string, Scoped>()
  readonly #descriptors = new Map<number, Inbox>()
  #nextDescriptor = FIRST_DESCRIPTOR
  /** What is held up by sockets that keep the process alive. */
  readonly #holds = new Set<KeepAlive>()

  constructor(stack: Stack) {
    this.stack = stack
    this.turns = new Turns(stack.clock)
    this.sendTicks = new SendTicks(stack.clock)
    stack.atClose(() => {
      for (const hold of this.#holds) hold.off()
      this.#holds.clear()
    })
  }

  /** Lets a socket keep the process alive, or no longer; never that of a closed stack. */
  hold(keepAlive: KeepAlive, on: boolean): void {
    if (on && !this.stack.closed) {
      keepAlive.on()
      this.#holds.add(keepAlive)
    } else {
      keepAlive.off()
      this.#holds.delete(keepAlive)
    }
  }

  /**
   * Reads an address as libuv does: whatever is behind `%` is the name of an interface, and one
   * that does not exist (a number, nothing) is none. `null` for other text.
   */
  parse(text: string): Scoped | null {
    const known = this.#parsed.get(text)
    if (known !== undefined) return known
    const percent = text.indexOf('%')
    const host = percent < 0 ? text : text.slice(0, percent)
    const address = isIP(host) === 0 ? null : Address.tryParse(host)
    if (address === null || (percent >= 0 && !host.includes(':'))) return null
    if (percent >= 0) return { address, nic: this.stack.nic(text.slice(percent + 1))?.index ?? 0 }
    if (this.#parsed.size === PARSED_LIMIT) this.#parsed.clear()
    const parsed = { address, nic: 0 }
    this.#parsed.set(text, parsed)
    return parsed
  }

  /**
   * Datagrams were given to links, which collect some: they are written in the next tick, with all
   * that are sent before it.
   */
  flushSoon(): void {
    if (this.#flushing) return
    this.#flushing = true
    process.nextTick(this.#flush)
  }

  // ── descriptors ──

  /** The number of a socket's descriptor in the stack's own table. */
  descriptor(inbox: Inbox): number {
    if (inbox.descriptor < 0) {
      inbox.descriptor = this.#nextDescriptor++
      this.#descriptors.set(inbox.descriptor, inbox)
    }
    return inbox.descriptor
  }

  inboxOf(descriptor: number): Inbox | undefined {
    return this.#descriptors.get(descriptor)
  }

  get texts4(): AddressTexts {
    this.#texts4 ??= new AddressTexts(this.stack, '')
    return this.#texts4
  }

  get texts6(): AddressTexts {
    this.#texts6 ??= new AddressTexts(this.stack, '::ffff:')
    return this.#texts6
  }

  forget(inbox: Inbox): void {
    this.#descriptors.delete(inbox.descriptor)
  }
}

/** Address words to text, direct-mapped: a peer that has written before costs one comparison. */
class AddressTexts {
  readonly #stack: Stack
  /** Put in front of IPv4 addresses. */
  readonly #mapped: string
  /** Four words and the zone a slot. */
  readonly #keys = new Int32Array(TEXT_SLOTS * 5)
  readonly #texts: string[] = new Array(TEXT_SLOTS).fill('')

  constructor(stack: Stack, mapped: string) {
    this.#stack = stack
    this.#mapped = mapped
  }

  /** The text of an address; a link-local IPv6 one gets the name of nic `nic` as its zone. */
  text(w0: number, w1: number, w2: number, w3: number, nic: number): string {
    const zone = w2 !== MAPPED && isLinkLocal(w0, w1, w2, w3) ? nic : 0
    const slot = (w3 ^ (w3 >>> 10) ^ (w3 >>> 20) ^ w1) & (TEXT_SLOTS - 1)
    const keys = this.#keys
    const at = slot * 5
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
    const four = w0 === 0 && w1 === 0 && w2 === MAPPED
    const text = `${four ? this.#mapped : ''}${formatWords(w0, w1, w2, w3)}${zone === 0 ? '' : `%${this.#zoneName(new Address(w0, w1, w2, w3), zone)}`}`
    keys[at] = w0
    keys[at + 1] = w1
    keys[at + 2] = w2
    keys[at + 3] = w3
    keys[at + 4] = zone
    this.#texts[slot] = text
    return text
  }

  /** A datagram to ourselves comes by the loopback nic, but from the zone that has the address. */
  #zoneName(address: Address, zone: number): string {
    const nic = this.#stack.nic(zone)
    const home = nic?.isLoopback ? this.#stack.nics.find((each) => each.hasAddress(address)) : nic
    return home?.name ?? `${zone}`
  }
}
