/**
 * The routes that lookups found, by destination: a router is asked for the same ones again and
 * again, and a lookup tries one prefix length after another.
 *
 * Each destination has one place, which it may have to leave to another one. So whoever sends to
 * addresses that share a place gains nothing but what a router without memory costs: the places
 * need no secret hash, and the memory has a limit.
 */
import type { Route, RouteTable } from './route-table.ts'

const FIRST = 16
const MOST = 4096
/** Of a destination that was not looked up; `null` is one without a route. */
const UNKNOWN = undefined

export class RememberedRoutes {
  readonly #table: RouteTable
  /** For which state of the table the routes are. */
  #generation = -1
  #routes: (Route | null | undefined)[] = []
  /** Four words for each place. */
  #destinations = new Int32Array(0)
  /** What was put in the place of another destination since the memory has its size. */
  #replaced = 0

  constructor(table: RouteTable) {
    this.#table = table
  }

  /** The most destinations that are remembered now. */
  get places(): number {
    return this.#routes.length
  }

  /** What {@link RouteTable.lookup} finds, over any nic. */
  lookup(w0: number, w1: number, w2: number, w3: number): Route | null {
    if (this.#generation !== this.#table.generation) this.#forget()
    const place = this.#placeOf(w0, w1, w2, w3)
    const known = this.#routes[place]
    const words = this.#destinations
    const at = 4 * place
    if (known !== UNKNOWN) {
      if (words[at + 3] === w3 && words[at + 2] === w2 && words[at + 1] === w1 && words[at] === w0) return known
      // As many as there are places: most destinations are not found again.
      if (++this.#replaced > this.#routes.length && this.#routes.length < MOST) this.#resize(4 * this.#routes.length)
    }
    return this.#remember(w0, w1, w2, w3)
  }

  #remember(w0: number, w1: number, w2: number, w3: number): Route | null {
    const route = this.#table.lookup(w0, w1, w2, w3, 0)
    const place = this.#placeOf(w0, w1, w2, w3)
    this.#routes[place] = route
    const at = 4 * place
    this.#destinations[at] = w0
    this.#destinations[at + 1] = w1
    this.#destinations[at + 2] = w2
    this.#destinations[at + 3] = w3
    return route
  }

  #forget(): void {
    this.#generation = this.#table.generation
    if (this.#routes.length === 0) this.#resize(FIRST)
    else this.#routes.fill(UNKNOWN)
  }

  #resize(places: number): void {
    this.#routes = new Array(places).fill(UNKNOWN)
    this.#destinations = new Int32Array(4 * places)
    this.#replaced = 0
  }

  #placeOf(w0: number, w1: number, w2: number, w3: number): number {
    const mixed = Math.imul(w3 ^ Math.imul(w1 ^ Math.imul(w0 ^ w2, 0x85ebca6b), 0xc2b2ae35), 0x9e3779b1)
    // The upper bits are the better mixed ones.
    return (mixed >>> 16) & (this.#routes.length - 1)
  }
}
