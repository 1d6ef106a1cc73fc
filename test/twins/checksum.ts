/**
 * The Internet checksum as RFC 1071 section 1 words it: pairs of bytes, the carry added back at
 * each step.
 */
export function slowChecksum(bytes: Uint8Array): number {
  let sum = 0
  for (let at = 0; at < bytes.length; at += 2) {
    sum += (bytes[at] as number) * 256 + (bytes[at + 1] ?? 0)
    if (sum > 0xffff) sum -= 0xffff
  }
  return 0xffff - sum
}
