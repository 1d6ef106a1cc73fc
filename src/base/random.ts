/** Randomness comes in from outside, so that a seeded stack sends the same bytes every time. */
export interface Random {
  /** A 32-bit unsigned integer. */
  uint32(): number
  /** An integer from 0 to `limit` - 1, without modulo bias; `limit` is 1 to 2^32. */
  below(limit: number): number
  /** A number from 0 (included) to 1 (excluded), with 32 bits of precision. */
  float(): number
  /**
   * A generator of its own for one part, if this kind of generator has such; `branch` takes this
   * one otherwise.
   */
  fork?(label: string): Random
}

/**
 * The generator for one part. Where `random` can fork, its draws do not shift those of other parts.
 */
export function branch(random: Random, label: string): Random {
  return random.fork?.(label) ?? random
}

/** Read once: a network may put its seed behind the platform's chance. */
const platform = globalThis.crypto?.getRandomValues.bind(globalThis.crypto)

/**
 * The platform's cryptographic generator, 256 words at a time: ports and identifications must not
 * be predictable (RFC 6056, RFC 7739).
 */
export class SystemRandom implements Random {
  #pool = new Uint32Array(256)
  #used = 256

  uint32(): number {
    if (this.#used === 256) {
      platform(this.#pool)
      this.#used = 0
    }
    return this.#pool[this.#used++] as number
  }

  below(limit: number): number {
    return below(this, limit)
  }

  float(): number {
    return this.uint32() / 0x1_0000_0000
  }
}

/**
 * sfc32 (the 32-bit "small fast counting" generator of PractRand), seeded from a number or a text.
 */
export class SeededRandom implements Random {
  #a: number
  #b: number
  #c: number
  #counter = 1

  constructor(seed: number | string) {
    // FNV-1a spreads the seed's characters; the warm-up mixes them into all three words.
    let hash = 0x811c9dc5
    for (const char of String(seed)) hash = Math.imul(hash ^ (char.codePointAt(0) as number), 0x01000193)
    this.#a = hash
    this.#b = hash ^ 0x9e3779b9
    this.#c = ~hash
    for (let i = 0; i < 15; i++) this.uint32()
  }

  uint32(): number {
    const t = (this.#a + this.#b + this.#counter++) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + t) | 0
    return t >>> 0
  }

  below(limit: number): number {
    return below(this, limit)
  }

  float(): number {
    return this.uint32() / 0x1_0000_0000
  }

  /**
   * An independent generator: what one part of a simulation draws does not shift what another
   * draws.
   */
  fork(label: string): SeededRandom {
    return new SeededRandom(`${this.#a}:${this.#b}:${this.#c}:${label}`)
  }
}

function below(random: Random, limit: number): number {
  // Rejection: the top, incomplete run of `limit` values is drawn again.
  const end = 0x1_0000_0000 - (0x1_0000_0000 % limit)
  for (;;) {
    const word = random.uint32()
    if (word < end) return word % limit
  }
}
