/** Ethernet addresses of our own stations, as text and at random. */
import { SystemRandom } from '../base/random.ts'

/**
 * Reads `02:00:00:00:00:01` (or with `-`) into six bytes.
 * @throws {TypeError} when it is no address, or not one of a single station
 */
export function parseHardwareAddress(text: string): Uint8Array {
  if (!/^([0-9a-f]{2}[:-]){5}[0-9a-f]{2}$/i.test(text))
    throw new TypeError(`Not an Ethernet address: '${text}'. Expected for example 02:00:00:00:00:01.`)
  const bytes = Uint8Array.from(text.split(/[:-]/), (octet) => Number.parseInt(octet, 16))
  if (((bytes[0] as number) & 1) !== 0 || bytes.every((octet) => octet === 0))
    throw new TypeError(`'${text}' is no address of a single station: its first octet must be even, and not all octets zero.`)
  return bytes
}

/** Six bytes: random, locally administered, not a group (IEEE 802, first octet). */
export function randomHardwareAddress(): Uint8Array {
  const random = new SystemRandom()
  const bytes = Uint8Array.from({ length: 6 }, () => random.below(256))
  bytes[0] = ((bytes[0] as number) & 0xfc) | 0x02
  return bytes
}
