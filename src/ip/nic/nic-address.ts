/** One address of a nic, and what becomes of it. */
import type { Address, Cidr } from '../../base/address.ts'

/**
 * An address with its prefix. A deprecated one (RFC 4862 section 5.5.4) still receives, and is a
 * source only when there is no better one.
 */
export interface NicAddress extends Cidr {
  deprecated: boolean
  /** Made at random for a while (RFC 8981), and preferred as a source to others. */
  readonly temporary: boolean
}

/**
 * What became of an address: in use, found in use by another station before or after that, or taken
 * away.
 */
export interface AddressEvent {
  readonly kind: 'assigned' | 'duplicate' | 'conflict' | 'removed'
  readonly address: Address
  /** The other station's, of a duplicate or a conflict. */
  readonly hardwareAddress: string | null
}
