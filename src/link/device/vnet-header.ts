/**
 * The header in front of each frame of a TUN device with IFF_VNET_HDR: `struct virtio_net_hdr`
 * (OASIS virtio 1.2 section 5.1.6; Linux: include/uapi/linux/virtio_net.h), in the machine's byte
 * order:
 *
 *     +-------+----------+--------------+--------------+--------------+---------------+
 *     | flags | gso_type |   hdr_len    |   gso_size   |  csum_start  |  csum_offset  |      1, 1, 2, 2, 2, 2 bytes
 *     +-------+----------+--------------+--------------+--------------+---------------+
 *
 * A frame of type UDP is one datagram that is to leave as fragments of `gso_size` bytes of payload.
 * A frame of type UDP_L4, TCPV4 or TCPV6 is one IP and one UDP or TCP header and the payloads of
 * all datagrams or segments, `gso_size` bytes each but for the last.
 */
export const VNET_HEADER = 10

/**
 * Flag: the checksum at `csum_start + csum_offset`, over all from `csum_start` on, is to be
 * completed; the field holds the pseudo-header's sum.
 */
export const NEEDS_CSUM = 1
/** Flag of a received frame: its transport checksum is right. */
export const DATA_VALID = 2
export const GSO_NONE = 0
/** The device makes TCP segments over IPv4. */
export const GSO_TCPV4 = 1
/** The device makes IP fragments. */
export const GSO_UDP = 3
/** The device makes TCP segments over IPv6. */
export const GSO_TCPV6 = 4
/** The device makes datagrams. */
export const GSO_UDP_L4 = 5
/** A bit beside the type: the first of the TCP segments has CWR, the others have not. */
export const GSO_ECN = 0x80

const LITTLE = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1

export function needsChecksum(view: DataView, at: number): boolean {
  return (view.getUint8(at) & NEEDS_CSUM) !== 0
}

export function isVerified(view: DataView, at: number): boolean {
  return (view.getUint8(at) & DATA_VALID) !== 0
}

export function gsoType(view: DataView, at: number): number {
  return view.getUint8(at + 1) & ~GSO_ECN
}

/**
 * Bytes of all headers: a hint, which may be too large (Linux gives what lies in one piece of
 * memory).
 */
export function headersLength(view: DataView, at: number): number {
  return view.getUint16(at + 2, LITTLE)
}

export function gsoSize(view: DataView, at: number): number {
  return view.getUint16(at + 4, LITTLE)
}

/** From the frame's first byte, behind this header. */
export function checksumStart(view: DataView, at: number): number {
  return view.getUint16(at + 6, LITTLE)
}

/** From `checksumStart`. */
export function checksumOffset(view: DataView, at: number): number {
  return view.getUint16(at + 8, LITTLE)
}

/** Makes the header one of the frame without its first `bytes`. */
export function skip(view: DataView, at: number, bytes: number): void {
  view.setUint16(at + 2, Math.max(0, headersLength(view, at) - bytes), LITTLE)
  view.setUint16(at + 6, checksumStart(view, at) - bytes, LITTLE)
}

/** Writes a header that asks for nothing. */
export function encodePlain(view: DataView, at: number): void {
  view.setInt32(at, 0)
  view.setInt32(at + 4, 0)
  view.setUint16(at + 8, 0)
}

/**
 * Writes the header of a frame that the device splits: `ip` bytes of IP header, then `transport`
 * bytes of the next header, whose checksum is at `field`.
 */
export function encode(
  view: DataView,
  at: number,
  type: number,
  ip: number,
  transport: number,
  size: number,
  field: number,
): void {
  view.setUint8(at, NEEDS_CSUM)
  view.setUint8(at + 1, type)
  view.setUint16(at + 2, ip + transport, LITTLE)
  view.setUint16(at + 4, size, LITTLE)
  view.setUint16(at + 6, ip, LITTLE)
  view.setUint16(at + 8, field, LITTLE)
}
