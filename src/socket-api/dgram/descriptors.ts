/** Descriptors of sockets: numbers in a table of the stack's own, not of the process. */
import type { Inbox } from '../delivery/inbox.ts'

/**
 * Descriptors of a stack begin where a process has none of its own, so that a foreign one is not
 * taken for ours.
 */
const FIRST = 1 << 20

/** Which inbox is behind which number. */
export class Descriptors {
  readonly #inboxes = new Map<number, Inbox>()
  #next = FIRST

  /** The number of an inbox, given to it now if it had none. */
  of(inbox: Inbox): number {
    if (inbox.descriptor < 0) {
      inbox.descriptor = this.#next++
      this.#inboxes.set(inbox.descriptor, inbox)
    }
    return inbox.descriptor
  }

  find(descriptor: number): Inbox | undefined {
    return this.#inboxes.get(descriptor)
  }

  free(inbox: Inbox): void {
    this.#inboxes.delete(inbox.descriptor)
  }
}
