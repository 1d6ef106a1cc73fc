/**
 * Builds Ethernet frames and IP packets by the obvious code, independent of the stack. It is plain
 * JavaScript because benchmarks run it too; `packet.ts` has the form for tests.
 */

/** One's-complement sum of 16-bit words, folded and inverted (RFC 1071). */
export function checksum(bytes, sum = 0) {
  for (let at = 0; at + 1 < bytes.length; at += 2) sum += (bytes[at] << 8) | bytes[at + 1]
  if (bytes.length % 2 === 1) sum += bytes[bytes.length - 1] << 8
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000)
  return ~sum & 0xffff
}

/** Writes the lower 16 bits of a value. */
function put16(bytes, value, at) {
  bytes[at] = value >>> 8
  bytes[at + 1] = value
}

/** '02:00:00:00:00:01' as bytes. */
export const mac = (text) => Uint8Array.from(text.split(':'), (octet) => Number.parseInt(octet, 16))

/** '10.0.0.1' and 'fd99::1' as bytes; an IPv6 address may end in dotted form. */
export function address(text) {
  if (!text.includes(':')) return Uint8Array.from(text.split('.'), Number)
  const dotted = /\d+(\.\d+){3}$/.exec(text)
  if (dotted !== null) {
    const [a, b, c, d] = dotted[0].split('.').map(Number)
    const words = [(a << 8) | b, (c << 8) | d].map((word) => word.toString(16))
    return address(`${text.slice(0, dotted.index)}${words.join(':')}`)
  }
  const [head, tail] = text.split('::').map((half) => (half === '' ? [] : half.split(':')))
  const groups = tail === undefined ? head : [...head, ...new Array(8 - head.length - tail.length).fill('0'), ...tail]
  return Uint8Array.from(
    groups.flatMap((group) => [Number.parseInt(group, 16) >>> 8, Number.parseInt(group, 16) & 255]),
  )
}

export const BROADCAST_MAC = mac('ff:ff:ff:ff:ff:ff')

/** The hardware address of a group (RFC 1112 section 6.4, RFC 2464 section 7). */
export function groupMac(address) {
  if (address.length === 4) return Uint8Array.of(1, 0, 0x5e, address[1] & 0x7f, address[2], address[3])
  return Uint8Array.of(0x33, 0x33, ...address.subarray(12))
}

export function ethernet(destination, source, type, payload) {
  const frame = Buffer.alloc(14 + payload.length)
  frame.set(destination, 0)
  frame.set(source, 6)
  put16(frame, type, 12)
  frame.set(payload, 14)
  return frame
}

/** An ARP message; operation 1 asks, 2 answers (RFC 826). */
export function arp(operation, senderMac, sender, targetMac, target) {
  const body = Buffer.alloc(28)
  body.set([0, 1, 8, 0, 6, 4, 0, operation])
  body.set(senderMac, 8)
  body.set(sender, 14)
  body.set(targetMac, 18)
  body.set(target, 24)
  return body
}

/**
 * `flags`: the word of DF, MF and the offset in units of 8 bytes. `version`, `ihl` (words),
 * `totalLength` and `headerChecksum` stand in the header instead of the right values.
 */
export function ipv4(fields, payload) {
  const { source, destination, protocol, ttl = 64, tos = 0, identification = 0, flags = 0x4000, options = [] } = fields
  const header = 20 + options.length
  const packet = Buffer.alloc(header + payload.length)
  packet[0] = ((fields.version ?? 4) << 4) | (fields.ihl ?? header / 4)
  packet[1] = tos
  put16(packet, fields.totalLength ?? packet.length, 2)
  put16(packet, identification, 4)
  put16(packet, flags, 6)
  packet[8] = ttl
  packet[9] = protocol
  packet.set(source, 12)
  packet.set(destination, 16)
  packet.set(options, 20)
  put16(packet, fields.headerChecksum ?? checksum(packet.subarray(0, header)), 10)
  packet.set(payload, header)
  return packet
}

/** `version` and `payloadLength` stand in the header instead of the right values. */
export function ipv6(fields, payload) {
  const { source, destination, next, hopLimit = 64, trafficClass = 0, flowLabel = 0 } = fields
  const packet = Buffer.alloc(40 + payload.length)
  packet.writeUInt32BE((((fields.version ?? 6) << 28) | (trafficClass << 20) | flowLabel) >>> 0, 0)
  put16(packet, fields.payloadLength ?? payload.length, 4)
  packet[6] = next
  packet[7] = hopLimit
  packet.set(source, 8)
  packet.set(destination, 24)
  packet.set(payload, 40)
  return packet
}

/** The sum of the pseudo-header (RFC 768, RFC 8200 section 8.1). */
export function pseudo(source, destination, protocol, length) {
  let sum = protocol + length
  for (const address of [source, destination])
    for (let at = 0; at < address.length; at += 2) sum += (address[at] << 8) | address[at + 1]
  return sum
}

/**
 * `length` and `checksum` stand in the header instead of the right values; the checksum covers what
 * the length field says.
 */
export function udp({ source, destination, sourcePort, destinationPort, ...given }, payload) {
  const datagram = Buffer.alloc(8 + payload.length)
  const length = given.length ?? datagram.length
  const covered = datagram.subarray(0, Math.max(8, length))
  put16(datagram, sourcePort, 0)
  put16(datagram, destinationPort, 2)
  put16(datagram, length, 4)
  datagram.set(payload, 8)
  put16(datagram, given.checksum ?? (checksum(covered, pseudo(source, destination, 17, length)) || 0xffff), 6)
  return datagram
}

/** An ICMPv4 message, or an ICMPv6 one when addresses are given; `rest` is the second word. */
export function icmp(type, code, rest, body, addresses = null) {
  const message = Buffer.alloc(8 + body.length)
  message[0] = type
  message[1] = code
  message.writeUInt32BE(rest >>> 0, 4)
  message.set(body, 8)
  const sum = addresses === null ? 0 : pseudo(addresses.source, addresses.destination, 58, message.length)
  put16(message, checksum(message, sum), 2)
  return message
}

/** An IGMP message, whose checksum stands where ICMP has it. */
export const igmp = (type, code, rest, body) => icmp(type, code, rest, body)

/** An IPv6 fragment header (RFC 8200 section 4.5); `offset` in bytes. */
export function fragmentHeader(next, offset, more, identification) {
  const header = Buffer.alloc(8)
  header[0] = next
  put16(header, offset | (more ? 1 : 0), 2)
  header.writeUInt32BE(identification >>> 0, 4)
  return header
}
