/** What the sockets of one stack have in common: its tables, its turns, and what they hold. */
import { process } from '#platform'
import type { KeepAlive } from '../../link/keep-alive.ts'
import type { Stack } from '../../stack.ts'
import { AddressTexts } from '../delivery/address-texts.ts'
import type { Inbox, InboxHost } from '../delivery/inbox.ts'
import { Turns } from '../delivery/turns.ts'
import { SendTicks } from '../sending/ticks.ts'
import { Descriptors } from './descriptors.ts'
import { AddressReader } from './scoped-address.ts'

export class StackSockets implements InboxHost {
  readonly stack: Stack
  readonly turns: Turns
  readonly sendTicks: SendTicks
  readonly addresses: AddressReader
  readonly descriptors = new Descriptors()
  #flushing = false
  readonly #flush = () => {
    this.#flushing = false
    for (const { link } of this.stack.nics) link.flush()
  }
  #texts4: AddressTexts | null = null
  #texts6: AddressTexts | null = null
  /** Handles of the sockets that keep the process alive. */
  readonly #holds = new Set<KeepAlive>()

  constructor(stack: Stack) {
    this.stack = stack
    this.turns = new Turns(stack.clock)
    this.sendTicks = new SendTicks(stack.clock)
    this.addresses = new AddressReader(stack)
    stack.atClose(() => {
      for (const hold of this.#holds) hold.off()
      this.#holds.clear()
    })
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
    this.descriptors.free(inbox)
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
   * Flushes the links in the next tick. Some links collect datagrams: all that are sent before that
   * tick leave together.
   */
  flushSoon(): void {
    if (this.#flushing) return
    this.#flushing = true
    process.nextTick(this.#flush)
  }
}

const tables = new WeakMap<Stack, StackSockets>()

/** What the sockets of `stack.dgram` have in common. */
export function socketsOf(stack: Stack): StackSockets {
  let shared = tables.get(stack)
  if (shared === undefined) {
    shared = new StackSockets(stack)
    tables.set(stack, shared)
  }
  return shared
}
