/** Hand-made packets for tests of the device alone: no code of the stack is in them. */

/**
 * An IPv4 packet with a UDP datagram and no UDP checksum (legal in IPv4). Addresses as `10.0.0.1`.
 */
export function ipv4Udp(
  source: string,
  sourcePort: number,
  destination: string,
  destinationPort: number,
  payload: Uint8Array,
): Uint8Array {
  const bytes = Buffer.alloc(28 + payload.length)
  bytes[0] = 0x45
  bytes.writeUInt16BE(bytes.length, 2)
  bytes[8] = 64
  bytes[9] = 17
  bytes.set(source.split('.').map(Number), 12)
  bytes.set(destination.split('.').map(Number), 16)
  let sum = 0
  for (let at = 0; at < 20; at += 2) sum += bytes.readUInt16BE(at)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  bytes.writeUInt16BE(~sum & 0xffff, 10)
  bytes.writeUInt16BE(sourcePort, 20)
  bytes.writeUInt16BE(destinationPort, 22)
  bytes.writeUInt16BE(8 + payload.length, 24)
  bytes.set(payload, 28)
  return new Uint8Array(bytes)
}

/** An IPv6 packet with a UDP datagram, its checksum computed. Addresses are 16 bytes. */
export function ipv6Udp(
  source: Uint8Array,
  sourcePort: number,
  destination: Uint8Array,
  destinationPort: number,
  payload: Uint8Array,
) {
  const length = 8 + payload.length
  const bytes = Buffer.alloc(40 + length)
  bytes[0] = 0x60
  bytes.writeUInt16BE(length, 4)
  bytes[6] = 17
  bytes[7] = 64
  bytes.set(source, 8)
  bytes.set(destination, 24)
  bytes.writeUInt16BE(sourcePort, 40)
  bytes.writeUInt16BE(destinationPort, 42)
  bytes.writeUInt16BE(length, 44)
  bytes.set(payload, 48)
  const padded = Buffer.concat([bytes.subarray(8), Buffer.alloc(length & 1)])
  let sum = length + 17
  for (let at = 0; at < padded.length; at += 2) sum += padded.readUInt16BE(at)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  bytes.writeUInt16BE(~sum & 0xffff || 0xffff, 46)
  return new Uint8Array(bytes)
}
