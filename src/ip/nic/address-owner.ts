/** Who is told what ARP and Neighbor Discovery find out about a nic's addresses. */
import type { Address } from '../../base/address.ts'
import type { NicAddress } from './nic-address.ts'

export interface AddressOwner {
  has(address: Address): boolean
  /** Nobody else uses the address: it is the nic's. */
  checkPassed(added: NicAddress): void
  /** Another station uses, or wants, the address: it is not taken. */
  checkFailed(added: NicAddress, hardwareAddress: string): void
  /** Another station uses an address of the nic. */
  conflict(address: Address, hardwareAddress: string): void
}
