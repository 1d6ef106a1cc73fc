/** The options of a socket by name, and what each holds. */

export type DontFragment = 'off' | 'want' | 'do' | 'probe'

/** Options and what they hold. Defaults and Linux's names are in `docs/node-dgram.md`. */
export interface SocketOptionValues {
  broadcast: boolean
  ttl: number
  /**
   * Datagrams with a lower TTL or hop limit are discarded: 255 takes those of neighbors only (RFC
   * 5082).
   */
  minTTL: number
  multicastTTL: number
  multicastLoopback: boolean
  /** Name of an interface, `null` for what the route says. */
  multicastInterface: string | null
  tos: number
  dscp: number
  ecn: number
  dontFragment: DontFragment
  /** Options in the header of every IPv4 datagram sent, as bytes; empty for none. */
  ipOptions: Uint8Array
  recvBufferSize: number
  sendBufferSize: number
  /** For tunnels over IPv6 alone: UDP checksums are left out, and may be (RFC 6935). */
  sendZeroChecksum: boolean
  recvZeroChecksum: boolean
  recvInfo: boolean
  recvErrors: boolean
  /** Name of an interface, `null` for all. */
  bindToDevice: string | null
  dontRoute: boolean
  reuseAddr: boolean
  reusePort: boolean
  ipv6Only: boolean
}

export type OptionName = keyof SocketOptionValues
