/** Transport checksums that were left to a device (`ChecksumState.Partial`): completing them where no device does. */
import { finish, sum, sumLong } from '../base/checksum.ts'
import { ChecksumState, type Packet } from '../base/packet.ts'

const TCP = 6
const UDP = 17
const TCP_CHECKSUM_AT = 16
const UDP_CHECKSUM_AT = 6
const HEADER6 = 40

/** The unfolded sum of the pseudo-header (RFC 768, RFC 8200 section 8.1) of `length` bytes behind the IP header at `at`. */
export function pseudoHeaderSum(view: DataView, at: number, four: boolean, protocol: number, length: number): number {
  return four ? sum(view, at + 12, at + 20, protocol + length) : sum(view, at + 8, at + 40, protocol + length)
}

/**
 * Completes the checksum of a packet whose field holds the pseudo-header's sum only (`ChecksumState.Partial`): UDP or TCP directly behind the IP
 * header, as Linux leaves it to a device.
 */
export function completeChecksum(packet: Packet): void {
  packet.checksumState = ChecksumState.None
  const { view, start, end } = packet
  const four = view.getUint8(start) >>> 4 === 4
  const protocol = view.getUint8(start + (four ? 9 : 6))
  if (protocol !== UDP && protocol !== TCP) return
  const at = start + (four ? (view.getUint8(start) & 15) * 4 : HEADER6)
  const field = at + (protocol === UDP ? UDP_CHECKSUM_AT : TCP_CHECKSUM_AT)
  if (field + 2 > end) return
  view.setUint16(field, 0)
  const value = finish(sumLong(packet, at, end, pseudoHeaderSum(view, start, four, protocol, end - at)))
  view.setUint16(field, value === 0 && protocol === UDP ? 0xffff : value)
}
