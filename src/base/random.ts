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
  #a = 0
  #b = 0
  #c = 0
  /** 0 until the first draw: most generators never draw, and forks need the name alone. */
  #counter = 0
  /** The seed, or the label of a fork. */
  readonly #label: string
  /** What was forked, of a fork. */
  #parent: SeededRandom | null = null
  #made: string | null = null

  constructor(seed: number | string) {
    this.#label = String(seed)
  }

  /**
   * The seed, and the labels of the forks that lead here: what a fork's seed is made of. Put
   * together with the first draw only: a network of ten thousand hosts has hundreds of thousands.
   */
  get #name(): string {
    // With the length, so that different labels never make the same name.
    const label = this.#label
    this.#made ??= this.#parent === null ? label : `${this.#parent.#name} ${label.length}:${label}`
    return this.#made
  }

  uint32(): number {
    if (this.#counter === 0) this.#start()
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
   * draws. Its seed, of 64 bits, is made of the names that lead to it and of nothing else, so it is
   * the same whatever was drawn or forked before.
   */
  fork(label: string): SeededRandom {
    const made = new SeededRandom(label)
    made.#parent = this
    return made
  }

  #start(): void {
    if (this.#parent !== null) {
      const [high, low] = hash64(this.#name)
      this.#seed(high, low, high ^ low ^ 0x9e3779b9)
      return
    }
    // FNV-1a spreads the seed's characters; the warm-up mixes them into all three words.
    let hash = 0x811c9dc5
    for (const char of this.#name) hash = Math.imul(hash ^ (char.codePointAt(0) as number), 0x01000193)
    this.#seed(hash, hash ^ 0x9e3779b9, ~hash)
  }

  #seed(a: number, b: number, c: number): void {
    this.#a = a
    this.#b = b
    this.#c = c
    this.#counter = 1
    for (let i = 0; i < 15; i++) this.uint32()
  }
}

/** 64 bits of a text, in two words that depend on each other and on every character. */
function hash64(text: string): [number, number] {
  let high = 0x243f6a88
  let low = 0x85a308d3
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    high = Math.imul(high ^ unit, 0x9e3779b1) + ((low << 13) | (low >>> 19))
    low = Math.imul(low ^ unit, 0x85ebca77) + ((high << 17) | (high >>> 15))
  }
  for (let i = 0; i < 3; i++) {
    high = Math.imul(high ^ (high >>> 15) ^ low, 0x2c1b3c6d)
    low = Math.imul(low ^ (low >>> 16) ^ high, 0x297a2d39)
  }
  return [high ^ (high >>> 14), low ^ (low >>> 15)]
}

function below(random: Random, limit: number): number {
  // Rejection: the top, incomplete run of `limit` values is drawn again.
  const end = 0x1_0000_0000 - (0x1_0000_0000 % limit)
  for (;;) {
    const word = random.uint32()
    if (word < end) return word % limit
  }
}
