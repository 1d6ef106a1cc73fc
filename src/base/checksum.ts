/**
 * The Internet checksum: RFC 1071, and its incremental update, RFC 1624.
 *
 * Everything stays within small integers, which is what makes it fast in V8. Bytes are read as
 * little-endian 32-bit words, four a turn, and added up modulo 2^32; their high halves are added up
 * apart, and the low halves' sum follows from both. One's-complement sums do not care about byte
 * order (RFC 1071 section 2 (B)), so the bytes are swapped once at the end. What is long goes
 * through vector instructions instead, where there are any. `bench/codecs.mjs` has the figures.
 */
import { SIMD_FROM, simd, sumWords } from './checksum-simd.ts'
import type { Packet } from './packet.ts'

/**
 * The one's-complement sum of `view[start, end)` added to `initial`: below 2^31 when `initial` is
 * below 2^30. Not folded. An odd last byte counts as the high byte of a pair (RFC 1071 section
 * 4.1). At most 128 KiB.
 */
export function sum(view: DataView, start: number, end: number, initial: number): number {
  let whole = 0
  let high = 0
  let at = start
  for (const stop = end - 15; at < stop; at += 16) {
    const a = view.getInt32(at, true)
    const b = view.getInt32(at + 4, true)
    const c = view.getInt32(at + 8, true)
    const d = view.getInt32(at + 12, true)
    whole = (whole + a + b + c + d) | 0
    high = (high + (a >>> 16) + (b >>> 16) + (c >>> 16) + (d >>> 16)) | 0
  }
  for (const stop = end - 3; at < stop; at += 4) {
    const a = view.getInt32(at, true)
    whole = (whole + a) | 0
    high = (high + (a >>> 16)) | 0
  }
  // What the words add up to without their high halves: below 2^31, so the overflows of `whole`
  // cancel out.
  let low = (whole - (high << 16)) | 0
  if (end - at >= 2) {
    low = (low + view.getUint16(at, true)) | 0
    at += 2
  }
  if (at < end) low = (low + view.getUint8(at)) | 0
  return initial + swap(fold(fold(low) + fold(high)))
}

/** {@link sum} of `packet.bytes[start, end)`, by vector instructions when they are many. */
export function sumLong(packet: Packet, start: number, end: number, initial: number): number {
  if (!simd || end - start < SIMD_FROM) return sum(packet.view, start, end, initial)
  return initial + swap(fold(sumWords(packet.window(start, end), end - start)))
}

function swap(word: number): number {
  return ((word & 0xff) << 8) | (word >>> 8)
}

/** Folds a sum below 2^32 to 16 bits; the result is 0 only for a sum of 0. */
export function fold(total: number): number {
  const once = (total & 0xffff) + (total >>> 16)
  return (once & 0xffff) + (once >>> 16)
}

/** The checksum field for a sum: its one's complement. */
export function finish(total: number): number {
  return ~fold(total) & 0xffff
}

/** The checksum of `view[start, end)`. */
export function checksum(view: DataView, start: number, end: number): number {
  return finish(sum(view, start, end, 0))
}

/**
 * Whether a region that contains its checksum field, and whose sum is `total`, sums to all ones;
 * 0x0000 and 0xffff are the same (RFC 1071 section 1).
 */
export function isComplete(total: number): boolean {
  const folded = fold(total)
  return folded === 0xffff || folded === 0
}

/** Whether the region is {@link isComplete}. */
export function verify(view: DataView, start: number, end: number, initial: number): boolean {
  return isComplete(sum(view, start, end, initial))
}

/** The checksum after one 16-bit word changed: HC' = ~(~HC + ~m + m'), RFC 1624 equation 3. */
export function update(oldChecksum: number, oldWord: number, newWord: number): number {
  return finish((~oldChecksum & 0xffff) + (~oldWord & 0xffff) + newWord)
}
