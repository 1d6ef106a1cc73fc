/** One address of a nic. */
import type { Cidr } from '../../base/address.ts'

/**
 * An address with its prefix. A deprecated one (RFC 4862 section 5.5.4) still receives, and is a
 * source only when there is no better one.
 */
export interface NicAddress extends Cidr {
  deprecated: boolean
  /** Made at random for a while (RFC 8981), and preferred as a source to others. */
  readonly temporary: boolean
}
