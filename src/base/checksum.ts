/**
 * The Internet checksum: RFC 1071, and its incremental update, RFC 1624.
 *
 * Sums are kept as plain numbers of at most 2^53 and folded once. 32-bit words are added four a turn into separate accumulators, which is
 * `bench/checksum.ts`'s fastest form; one's-complement sums do not care in which order, or as which power-of-two words, bytes are added
 * (RFC 1071 section 2 (A) and (B)) as long as the 16-bit pairs stay aligned to `start`.
 */

/**
 * The unfolded one's-complement sum of `view[start, end)` added to `initial`.
 * An odd last byte counts as the high byte of a pair (RFC 1071 section 4.1). `end - start` must be at most 64 KiB or so: no overflow below 2^21 words.
 */
export function sum(view: DataView, start: number, end: number, initial: number): number {
  let a = initial
  let b = 0
  let c = 0
  let d = 0
  let at = start
  for (const stop = end - 15; at < stop; at += 16) {
    a += view.getUint32(at)
    b += view.getUint32(at + 4)
    c += view.getUint32(at + 8)
    d += view.getUint32(at + 12)
  }
  a += b + c + d
  for (const stop = end - 3; at < stop; at += 4) a += view.getUint32(at)
  if (end - at >= 2) {
    a += view.getUint16(at)
    at += 2
  }
  if (at < end) a += view.getUint8(at) << 8
  return a
}

/** Folds a sum of any size below 2^53 to 16 bits; the result is 0 only for a sum of 0. */
export function fold(total: number): number {
  let low = (total >>> 0) + Math.floor(total / 0x1_0000_0000)
  if (low > 0xffffffff) low -= 0xffffffff
  let folded = (low & 0xffff) + (low >>> 16)
  folded = (folded & 0xffff) + (folded >>> 16)
  return folded
}

/** The checksum field for a sum: its one's complement. */
export function finish(total: number): number {
  return ~fold(total) & 0xffff
}

/** The checksum of `view[start, end)`. */
export function checksum(view: DataView, start: number, end: number): number {
  return finish(sum(view, start, end, 0))
}

/** Whether a region that contains its checksum field sums to all ones, so that 0x0000 and 0xffff are the same (RFC 1071 section 1). */
export function verify(view: DataView, start: number, end: number, initial: number): boolean {
  const folded = fold(sum(view, start, end, initial))
  return folded === 0xffff || folded === 0
}

/** The checksum after one 16-bit word changed: HC' = ~(~HC + ~m + m'), RFC 1624 equation 3. */
export function update(oldChecksum: number, oldWord: number, newWord: number): number {
  return finish((~oldChecksum & 0xffff) + (~oldWord & 0xffff) + newWord)
}
