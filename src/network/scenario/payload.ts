/**
 * The payload of a flow's datagrams: no two have the same, and whoever gets one can tell whether it
 * is whole. A datagram that was put together from parts of two, or damaged so that its checksum
 * stays right, is not what its flow has sent.
 *
 * ```
 * 0        4        8
 * | check  | number | words that follow from the flow's identity, the number and their place …
 * ```
 *
 * The check is the flow's identity, mixed with the number and the length.
 */

/** Bytes that every payload has. */
export const HEADER = 8

/** 2^32 divided by the golden ratio: successive multiples are spread evenly. */
const STEP = 0x9e3779b9

/** Spreads each bit over all 32; one to one, so that different words stay different. */
function mix(word: number): number {
  let x = word ^ (word >>> 16)
  x = Math.imul(x, 0x21f0aaad)
  x ^= x >>> 15
  x = Math.imul(x, 0x735a2d97)
  return x ^ (x >>> 15)
}

/** The 32-bit identity of a flow, from a text that no other flow has. */
export function identityOf(label: string): number {
  let hash = 0x811c9dc5
  for (const char of label) hash = mix(Math.imul(hash ^ (char.codePointAt(0) as number), 0x01000193))
  return hash >>> 0
}

/** Writes the payload of the datagram `number`, 8 bytes at least, over `start` to `end`. */
export function write(view: DataView, start: number, end: number, identity: number, number: number): void {
  view.setUint32(start, identity ^ mask(number, end - start))
  view.setUint32(start + 4, number)
  let word = firstWord(identity, number)
  let at = start + HEADER
  for (; at + 4 <= end; at += 4, word = (word + STEP) | 0) view.setUint32(at, mix(word))
  for (const last = mix(word); at < end; at++) view.setUint8(at, last >>> (8 * (end - at - 1)))
}

/**
 * The identity that a payload of 8 bytes or more claims; one that no flow has where it is damaged.
 */
export function claimedIdentity(view: DataView, start: number, end: number): number {
  return (view.getUint32(start) ^ mask(numberOf(view, start), end - start)) >>> 0
}

export function numberOf(view: DataView, start: number): number {
  return view.getUint32(start + 4)
}

/** Whether all behind the header is as the flow has sent it. */
export function isWhole(view: DataView, start: number, end: number, identity: number): boolean {
  let word = firstWord(identity, numberOf(view, start))
  let at = start + HEADER
  for (; at + 4 <= end; at += 4, word = (word + STEP) | 0) if (view.getInt32(at) !== mix(word)) return false
  for (const last = mix(word); at < end; at++)
    if (view.getUint8(at) !== ((last >>> (8 * (end - at - 1))) & 0xff)) return false
  return true
}

function mask(number: number, length: number): number {
  return mix(mix(number) + length)
}

function firstWord(identity: number, number: number): number {
  return mix(identity ^ mix(number + STEP))
}
