/** Rows of bits, of which few stretches have any: a bit in use costs little more than a bit. */

const WORDS = 64
const BITS = WORDS * 32

export class SparseBits {
  readonly #rows: Map<number, Uint32Array>[] = []

  add(row: number, bit: number): void {
    let chunks = this.#rows[row]
    if (chunks === undefined) {
      chunks = new Map()
      this.#rows[row] = chunks
    }
    const number = Math.floor(bit / BITS)
    let chunk = chunks.get(number)
    if (chunk === undefined) {
      chunk = new Uint32Array(WORDS)
      chunks.set(number, chunk)
    }
    const at = bit % BITS
    chunk[at >>> 5] = (chunk[at >>> 5] as number) | (1 << (at & 31))
  }

  has(row: number, bit: number): boolean {
    const chunk = this.#rows[row]?.get(Math.floor(bit / BITS))
    const at = bit % BITS
    return chunk !== undefined && (((chunk[at >>> 5] as number) >>> (at & 31)) & 1) === 1
  }
}
