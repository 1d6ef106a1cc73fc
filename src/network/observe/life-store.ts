/**
 * What happened to the datagrams that are remembered, as columns: an event costs its numbers and
 * the references to its texts, and its place is taken by another when its datagram is forgotten.
 * As objects, which live for as long as thousands of others pass, they would be half of the heap
 * of a long run.
 */
import type { DropName } from '../../base/drop.ts'
import type { Datagram, LineageEvent, LineageKind } from './datagram.ts'
import type { Summary } from './ip-frame.ts'

const FIRST_SIZE = 64
const NONE = -1

/** A remembered datagram; its events are a chain of places in the columns. */
interface Life extends Omit<Datagram, 'events'> {
  first: number
  last: number
}

export class LifeStore {
  readonly #lives = new Map<number, Life>()
  #time = new Float64Array(FIRST_SIZE)
  #value = new Float64Array(FIRST_SIZE)
  /** The place of the same datagram's next event; of a free place, the next free one. */
  #next = new Int32Array(FIRST_SIZE)
  readonly #nodes: string[] = []
  readonly #nics: string[] = []
  readonly #kinds: LineageKind[] = []
  readonly #packets: (Summary | null)[] = []
  readonly #reasons: (DropName | null)[] = []
  /** Places that were in use before. */
  #free = NONE

  get size(): number {
    return this.#lives.size
  }

  has(id: number): boolean {
    return this.#lives.has(id)
  }

  /** Who sent it; `undefined` for one that is not remembered. */
  fromOf(id: number): string | undefined {
    return this.#lives.get(id)?.from
  }

  begin(id: number, time: number, from: string, packet: Summary, causedBy: number): void {
    this.#lives.set(id, { id, time, from, packet, causedBy, first: NONE, last: NONE })
  }

  /** Nothing happens to a datagram that is not remembered. */
  add(
    id: number,
    time: number,
    node: string,
    nic: string,
    what: LineageKind,
    packet: Summary | null,
    reason: DropName | null,
    value: number,
  ): void {
    const life = this.#lives.get(id)
    if (life === undefined) return
    const place = this.#place()
    this.#time[place] = time
    this.#value[place] = value
    this.#next[place] = NONE
    this.#nodes[place] = node
    this.#nics[place] = nic
    this.#kinds[place] = what
    this.#packets[place] = packet
    this.#reasons[place] = reason
    if (life.last === NONE) life.first = place
    else this.#next[life.last] = place
    life.last = place
  }

  /** The life until now, as an object of its own. */
  get(id: number): Datagram | undefined {
    const life = this.#lives.get(id)
    return life && this.#told(life)
  }

  /** Lives from the oldest on, each made when it is asked for. */
  *all(): Generator<Datagram, void, void> {
    for (const life of this.#lives.values()) yield this.#told(life)
  }

  forget(id: number): void {
    const life = this.#lives.get(id)
    if (life === undefined) return
    this.#lives.delete(id)
    for (let place = life.first; place !== NONE; place = this.#next[place] as number) this.#packets[place] = null
    if (life.last === NONE) return
    this.#next[life.last] = this.#free
    this.#free = life.first
  }

  #place(): number {
    const place = this.#free
    if (place !== NONE) {
      this.#free = this.#next[place] as number
      return place
    }
    const size = this.#nodes.length
    if (size === this.#time.length) {
      this.#time = grown(this.#time, new Float64Array(size * 2))
      this.#value = grown(this.#value, new Float64Array(size * 2))
      this.#next = grown(this.#next, new Int32Array(size * 2))
    }
    return size
  }

  #told({ id, time, from, packet, causedBy, first }: Life): Datagram {
    const events: LineageEvent[] = []
    for (let place = first; place !== NONE; place = this.#next[place] as number)
      events.push({
        time: this.#time[place] as number,
        node: this.#nodes[place] as string,
        nic: this.#nics[place] as string,
        what: this.#kinds[place] as LineageKind,
        packet: this.#packets[place] as Summary | null,
        reason: this.#reasons[place] as DropName | null,
        value: this.#value[place] as number,
      })
    return { id, time, from, packet, causedBy, events }
  }
}

function grown<Numbers extends Float64Array | Int32Array>(from: Numbers, into: Numbers): Numbers {
  into.set(from)
  return into
}
