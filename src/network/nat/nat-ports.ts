/**
 * The outside ports of a NAT for one protocol: which are taken, and one of those that are free, at
 * random and at once, however few are left. A port belongs to one of four kinds: well-known or not
 * (RFC 4787 REQ-3 a), odd or even (REQ-4).
 */
import type { Random } from '../../base/random.ts'

const WELL_KNOWN = 1024
const PORTS = 65_536
/** How many free ports are tried that the router uses itself, before all are looked at. */
const TRIES = 8

/** Ports of one kind: those that are free first, in any order. */
class Kind {
  readonly #ports: Uint16Array
  free: number

  constructor(first: number, end: number) {
    this.#ports = Uint16Array.from({ length: Math.ceil((end - first) / 2) }, (_, i) => first + 2 * i)
    this.free = this.#ports.length
  }

  at(index: number): number {
    return this.#ports[index] as number
  }

  /** Exchanges two places. */
  swap(index: number, other: number, places: Uint16Array): void {
    const a = this.at(index)
    const b = this.at(other)
    this.#ports[index] = b
    this.#ports[other] = a
    places[b] = index
    places[a] = other
  }
}

export class NatPorts {
  readonly #random: Random
  readonly #taken = new Set<number>()
  /**
   * By `kindOf`; made when ports are chosen at random for the first time: most NATs of a simulation
   * never do.
   */
  #kinds: Kind[] = []
  /** Where each port is in its kind. */
  #places = new Uint16Array(0)

  constructor(random: Random) {
    this.#random = random
  }

  isTaken(port: number): boolean {
    return this.#taken.has(port)
  }

  take(port: number): void {
    this.#taken.add(port)
    if (this.#kinds.length > 0) this.#move(port, true)
  }

  release(port: number): void {
    if (this.#taken.delete(port) && this.#kinds.length > 0) this.#move(port, false)
  }

  clear(): void {
    this.#taken.clear()
    this.#kinds = []
  }

  /**
   * A random port that is free and that `isUsed` does not know; with `wellKnown` one below 1024,
   * else one from there on. `like` is a port whose parity it has, or null. 0 when there is none.
   * Each is as likely as any other.
   */
  choose(like: number | null, wellKnown: boolean, isUsed: (port: number) => boolean): number {
    const low = wellKnown ? 1 : WELL_KNOWN
    const high = wellKnown ? WELL_KNOWN - 1 : PORTS - 1
    // Most ports are free as a rule: a random one of the right kind is.
    const drawn = low + this.#random.below(high - low + 1)
    const fits = like === null || (drawn & 1) === (like & 1)
    const first = fits ? drawn : drawn < high ? drawn + 1 : low + ((low ^ like) & 1)
    if (!this.#taken.has(first) && !isUsed(first)) return first
    const kind = this.#kind(kindOf(first))
    const other = like === null ? this.#kind(kindOf(first ^ 1)) : null
    const free = kind.free + (other?.free ?? 0)
    if (free === 0) return 0
    const at = (index: number) => (index < kind.free ? kind.at(index) : (other as Kind).at(index - kind.free))
    for (let i = 0; i < TRIES; i++) {
      const port = at(this.#random.below(free))
      if (!isUsed(port)) return port
    }
    const open: number[] = []
    for (let i = 0; i < free; i++) if (!isUsed(at(i))) open.push(at(i))
    return open.length === 0 ? 0 : (open[this.#random.below(open.length)] as number)
  }

  #kind(index: number): Kind {
    if (this.#kinds.length === 0) {
      this.#kinds = [
        new Kind(2, WELL_KNOWN),
        new Kind(1, WELL_KNOWN),
        new Kind(WELL_KNOWN, PORTS),
        new Kind(WELL_KNOWN + 1, PORTS),
      ]
      this.#places = new Uint16Array(PORTS)
      for (const kind of this.#kinds) for (let i = 0; i < kind.free; i++) this.#places[kind.at(i)] = i
      for (const taken of this.#taken) this.#move(taken, true)
    }
    return this.#kinds[index] as Kind
  }

  /** To the free ones of its kind, or to the taken ones. */
  #move(port: number, taken: boolean): void {
    // An identifier of echo messages may be 0, which is never chosen.
    if (port === 0) return
    const kind = this.#kinds[kindOf(port)] as Kind
    if (taken) kind.free--
    kind.swap(this.#places[port] as number, kind.free, this.#places)
    if (!taken) kind.free++
  }
}

function kindOf(port: number): number {
  return (port < WELL_KNOWN ? 0 : 2) + (port & 1)
}
