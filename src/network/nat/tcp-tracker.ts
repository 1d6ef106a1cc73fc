/**
 * The TCP connections of a NAT's mappings: which state each has, when it ends, and with the last
 * one its mapping (RFC 5382 section 5, RFC 7857 section 2).
 */
import type { Clock } from '../../base/clock.ts'
import type { Mapping, Queue } from './mapping.ts'
import type { NatOptions } from './nat-options.ts'
import type { OutsidePorts } from './outside-ports.ts'
import { firstState, nextState, phaseOf, prolongs, type TcpPhase, TcpSession } from './tcp-session.ts'

/** Connections that one mapping remembers; of more, the one silent for longest is forgotten. */
const SESSIONS = 1024

export class TcpTracker {
  readonly #clock: Clock
  readonly #outside: OutsidePorts
  readonly #queues: Record<TcpPhase, Queue>
  readonly #inboundRefresh: boolean

  /** `outside.queues` are the lists of mappings that are opening, established and closing. */
  constructor(clock: Clock, outside: OutsidePorts, { inboundRefresh }: Required<NatOptions>) {
    this.#clock = clock
    this.#outside = outside
    const [opening, established, closing] = outside.queues as [Queue, Queue, Queue]
    this.#queues = { opening, established, closing }
    this.#inboundRefresh = inboundRefresh
  }

  /** A segment passes between a mapping and a remote end. */
  passes(mapping: Mapping, address: number, port: number, fromInside: boolean, flags: number): void {
    const { sessions } = mapping
    let session = this.find(mapping, address, port)
    const before = session === null ? firstState(fromInside, flags) : session.state
    if (before === -1) return
    if (session === null) session = new TcpSession(address, port, before)
    else {
      session.state = nextState(before, fromInside, flags)
      if (session.state === before && !prolongs(before, fromInside)) return
    }
    const held = session.endsAt === mapping.endsAt
    const queue = this.#queues[phaseOf(session.state)]
    session.endsAt = this.#clock.now() + queue.timeout
    sessions.set(0, 0, address, port, session)
    if (sessions.size > SESSIONS) sessions.deleteOldest()
    if (!this.#holds(session)) return
    if (session.endsAt >= mapping.endsAt) this.#outside.move(mapping, queue, session.endsAt)
    else if (held) this.#shorten(mapping)
  }

  /** The connection of a mapping with a remote end; `null` when there is none, or it has ended. */
  find(mapping: Mapping, address: number, port: number): TcpSession | null {
    const session = mapping.sessions.get(0, 0, address, port)
    return session === undefined || session.endsAt < this.#clock.now() ? null : session
  }

  /** Whether the inside takes part in a connection with the address. */
  knows(mapping: Mapping, address: number): boolean {
    const now = this.#clock.now()
    for (const each of mapping.sessions.values())
      if (each.address === address && each.isWanted && each.endsAt >= now) return true
    return false
  }

  /** What a mapping is kept for: not for what comes in alone, unless that was asked for. */
  #holds(session: TcpSession): boolean {
    return session.isWanted || this.#inboundRefresh
  }

  /** The connection that held the mapping for longest ends earlier now. */
  #shorten(mapping: Mapping): void {
    let last: TcpSession | null = null
    for (const each of mapping.sessions.values())
      if (this.#holds(each) && (last === null || each.endsAt >= last.endsAt)) last = each
    if (last === null) return
    const queue = this.#queues[phaseOf(last.state)]
    // Within its list it may be later than its turn is: its port is free a little later then.
    if (queue === mapping.queue) mapping.endsAt = last.endsAt
    else this.#outside.move(mapping, queue, last.endsAt)
  }
}

/** The connections of a mapping that have not ended, the one with the latest segment last. */
export function sessionsOf(mapping: Mapping, now: number): TcpSession[] {
  return [...mapping.sessions.values()].filter(({ endsAt }) => endsAt >= now)
}
