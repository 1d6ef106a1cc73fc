/** What ARP and Neighbor Discovery know of their nic. */
import type { Address } from '../../base/address.ts'
import type { RouteNic } from '../routing/route-nic.ts'
import type { NicAddress } from './nic-address.ts'

export interface LinkNic extends RouteNic {
  hasAddress(address: Address): boolean
  /** Nobody else uses the address: it is this nic's. */
  checkPassed(added: NicAddress): void
  /** Another station uses, or wants, the address: it is not taken. */
  checkFailed(added: NicAddress, hardwareAddress: string): void
  /** Another station uses an address of this nic. */
  conflict(address: Address, hardwareAddress: string): void
}
