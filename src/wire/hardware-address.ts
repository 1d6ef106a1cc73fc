/**
 * Ethernet addresses: six bytes as a link has them; two numbers, `high` (the first 16 bits) and
 * `low` (the other 32 as a signed word), as frames are read and neighbors known; one number below
 * 2^48 as the key of a table; and text.
 */
import type { Random } from '../base/random.ts'

const LOW_SIZE = 0x1_0000_0000

/**
 * Reads `02:00:00:00:00:01` (or with hyphens) into six bytes.
 *
 * @throws {TypeError} when the text is no address, or the address of a group
 */
export function parseHardwareAddress(text: string): Uint8Array {
  if (!/^([0-9a-f]{2}[:-]){5}[0-9a-f]{2}$/i.test(text))
    throw new TypeError(`Not an Ethernet address: '${text}'. Expected for example 02:00:00:00:00:01.`)
  const bytes = Uint8Array.from(text.split(/[:-]/), (octet) => Number.parseInt(octet, 16))
  if (!isStation(bytes))
    throw new TypeError(
      `'${text}' is no address of a single station: its first octet must be even, and not all octets zero.`,
    )
  return bytes
}

/**
 * Whether bytes are the address of a single station: six, of no group (the lowest bit of the first,
 * IEEE 802), and not all zero.
 */
export function isStation(bytes: Uint8Array): boolean {
  return bytes.length === 6 && ((bytes[0] as number) & 1) === 0 && bytes.some((octet) => octet !== 0)
}

/** Six bytes: random, locally administered, not a group (IEEE 802, first octet). */
export function randomHardwareAddress(random: Random): Uint8Array {
  const bytes = Uint8Array.from({ length: 6 }, () => random.below(256))
  bytes[0] = ((bytes[0] as number) & 0xfc) | 0x02
  return bytes
}

export function addressHigh(bytes: Uint8Array): number {
  return ((bytes[0] as number) << 8) | (bytes[1] as number)
}

export function addressLow(bytes: Uint8Array): number {
  return (
    ((bytes[2] as number) << 24) | ((bytes[3] as number) << 16) | ((bytes[4] as number) << 8) | (bytes[5] as number)
  )
}

export function addressKey(high: number, low: number): number {
  return high * LOW_SIZE + (low >>> 0)
}

/** `02:00:00:00:00:01`. */
export function formatHardwareAddress(high: number, low: number): string {
  return formatKey(addressKey(high, low))
}

/** The same of a key. */
export function formatKey(key: number): string {
  return (key.toString(16).padStart(12, '0').match(/../g) as string[]).join(':')
}
