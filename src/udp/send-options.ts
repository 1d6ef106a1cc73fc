/** Settings of one datagram, which go before those of its endpoint. */
import type { Address } from '../base/address.ts'
import type { PmtuMode } from '../ip/routing/pmtu-mode.ts'

export interface SendOptions {
  hopLimit?: number
  tos?: number
  /** Source address; must be one of the stack's. */
  source?: Address
  /** Index of the nic to leave by. */
  nic?: number
  pmtuMode?: PmtuMode
  /**
   * Bytes at the end of the packet that the UDP length does not count: an area of options
   * (`udp-options.ts`).
   */
  surplus?: number
}
