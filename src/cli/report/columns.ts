/** Columns that grow: typed arrays for rows whose number is not known before. */

type Numbers = Float64Array | Int32Array | Uint32Array | Uint8Array

/**
 * Gives memory back at once, where the platform can (Node 21): garbage is collected late, for
 * there is little of it beside columns.
 */
function release({ buffer }: Numbers): void {
  ;(buffer as ArrayBuffer & { transfer?: (length: number) => ArrayBuffer }).transfer?.(0)
}

/** One column; it is taken once, in memory that nobody else has, and is empty then. */
class Column<Kind extends Numbers> {
  #values: Kind
  readonly #make: (length: number) => Kind
  length = 0

  constructor(make: (length: number) => Kind) {
    this.#make = make
    this.#values = make(1024)
  }

  push(value: number): void {
    if (this.length === this.#values.length) {
      const grown = this.#make(Math.max(1024, this.length * 2))
      grown.set(this.#values)
      release(this.#values)
      this.#values = grown
    }
    this.#values[this.length++] = value
  }

  at(row: number): number {
    return this.#values[row] as number
  }

  take(): Kind {
    const taken = this.#values.slice(0, this.length) as Kind
    this.#empty()
    return taken
  }

  /** The rows in another order. */
  takeIn(order: Uint32Array): Kind {
    const taken = this.#make(order.length)
    for (let i = 0; i < order.length; i++) taken[i] = this.#values[order[i] as number] as number
    this.#empty()
    return taken
  }

  #empty(): void {
    release(this.#values)
    this.#values = this.#make(0)
    this.length = 0
  }
}

export const float64 = () => new Column((length) => new Float64Array(length))
export const int32 = () => new Column((length) => new Int32Array(length))
export const uint32 = () => new Column((length) => new Uint32Array(length))
export const uint8 = () => new Column((length) => new Uint8Array(length))

/** The rows by rising time; those of one time stay in their order. */
export function inOrder(time: Column<Float64Array>): Uint32Array {
  const order = new Uint32Array(time.length)
  let sorted = true
  for (let i = 0; i < order.length; i++) {
    order[i] = i
    if (i > 0 && time.at(i) < time.at(i - 1)) sorted = false
  }
  return sorted ? order : order.sort((a, b) => time.at(a) - time.at(b) || a - b)
}

/** Texts, each kept once. */
export class Texts {
  readonly list: string[] = []
  readonly #places = new Map<string, number>()

  /** The place of a text; -1 for none. */
  place(text: string | null | undefined): number {
    if (text === null || text === undefined || text === '') return -1
    let place = this.#places.get(text)
    if (place === undefined) {
      place = this.list.push(text) - 1
      this.#places.set(text, place)
    }
    return place
  }
}
