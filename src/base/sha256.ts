/**
 * SHA-256 (FIPS 180-4), for what needs a hash that nobody can turn back and is asked for seldom: in
 * the browser there is none that answers at once.
 */

/**
 * The first 32 bits of the fractional parts of the cube roots of the first 64 primes (section
 * 4.2.2), …
 */
const K = new Int32Array(64)
/** … and of the square roots of the first eight (section 5.3.3). */
const H = new Int32Array(8)
for (let prime = 2, found = 0; found < 64; prime++) {
  let isPrime = true
  for (let factor = 2; factor * factor <= prime; factor++) if (prime % factor === 0) isPrime = false
  if (!isPrime) continue
  if (found < 8) H[found] = fraction(prime ** (1 / 2))
  K[found++] = fraction(prime ** (1 / 3))
}

function fraction(root: number): number {
  return ((root - Math.floor(root)) * 0x1_0000_0000) | 0
}

/** The hash, 32 bytes. */
export function sha256(message: Uint8Array): Uint8Array {
  const padded = new Uint8Array((message.length + 9 + 63) & ~63)
  padded.set(message)
  padded[message.length] = 0x80
  const view = new DataView(padded.buffer)
  view.setUint32(padded.length - 8, Math.floor(message.length / 0x2000_0000))
  view.setUint32(padded.length - 4, message.length << 3)
  const state = H.slice()
  const w = new Int32Array(64)
  for (let block = 0; block < padded.length; block += 64) {
    for (let t = 0; t < 16; t++) w[t] = view.getInt32(block + 4 * t)
    for (let t = 16; t < 64; t++) {
      const a = w[t - 15] as number
      const b = w[t - 2] as number
      const small0 = rotate(a, 7) ^ rotate(a, 18) ^ (a >>> 3)
      const small1 = rotate(b, 17) ^ rotate(b, 19) ^ (b >>> 10)
      w[t] = (small1 + (w[t - 7] as number) + small0 + (w[t - 16] as number)) | 0
    }
    compress(state, w)
  }
  const digest = new Uint8Array(32)
  const out = new DataView(digest.buffer)
  state.forEach((word, at) => {
    out.setInt32(4 * at, word)
  })
  return digest
}

/** Section 6.2.2, steps 2 to 4. */
function compress(state: Int32Array, w: Int32Array): void {
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state
  for (let t = 0; t < 64; t++) {
    const t1 =
      (h +
        (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) +
        ((e & f) ^ (~e & g)) +
        (K[t] as number) +
        (w[t] as number)) |
      0
    const t2 = ((rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0
    h = g
    g = f
    f = e
    e = (d + t1) | 0
    d = c
    c = b
    b = a
    a = (t1 + t2) | 0
  }
  for (const [at, value] of [a, b, c, d, e, f, g, h].entries()) state[at] = ((state[at] as number) + value) | 0
}

function rotate(word: number, by: number): number {
  return (word >>> by) | (word << (32 - by))
}
