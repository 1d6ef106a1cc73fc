/** Columns that grow: typed arrays for rows whose number is not known before. */

type Numbers = Float64Array | Int32Array | Uint32Array | Uint8Array

/**
 * Gives memory back at once, where the platform can (Node 21): garbage is collected late, for
 * there is little of it beside columns.
 */
function release({ buffer }: Numbers): void {
  ;(buffer as ArrayBuffer & { transfer?: (length: number) => ArrayBuffer }).transfer?.(0)
}

/** Rows of a piece: a column grows by one more, and what it has stays where it is. */
const PIECE_BITS = 13
const PIECE = 1 << PIECE_BITS

/** One column; it is taken once, in memory that nobody else has, and is empty then. */
class Column<Kind extends Numbers> {
  #pieces: Kind[] = []
  /** The one that is being filled. */
  #last: Kind
  readonly #make: (length: number) => Kind
  length = 0

  constructor(make: (length: number) => Kind) {
    this.#make = make
    this.#last = make(0)
  }

  push(value: number): void {
    const place = this.length++ & (PIECE - 1)
    if (place === 0) {
      this.#last = this.#make(PIECE)
      this.#pieces.push(this.#last)
    }
    this.#last[place] = value
  }

  at(row: number): number {
    return (this.#pieces[row >>> PIECE_BITS] as Kind)[row & (PIECE - 1)] as number
  }

  take(): Kind {
    const taken = this.#make(this.length)
    for (const [index, piece] of this.#pieces.entries()) {
      const from = index * PIECE
      taken.set(this.length - from < PIECE ? piece.subarray(0, this.length - from) : piece, from)
      release(piece)
    }
    this.#empty()
    return taken
  }

  /** The rows in another order. */
  takeIn(order: Uint32Array): Kind {
    const taken = this.#make(order.length)
    for (let i = 0; i < order.length; i++) taken[i] = this.at(order[i] as number)
    for (const piece of this.#pieces) release(piece)
    this.#empty()
    return taken
  }

  #empty(): void {
    this.#pieces = []
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
