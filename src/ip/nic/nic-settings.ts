/** How a nic is set up. */
import type { Random } from '../../base/random.ts'
import { addressHigh, addressLow } from '../../wire/hardware-address.ts'
import { type AddressGeneration, InterfaceIdentifiers } from '../nd/interface-identifier.ts'

/** How a nic behaves on Ethernet; on another medium nothing of it applies. */
export interface NicSettings {
  /**
   * Duplicate address detection for IPv6 (RFC 4862 section 5.4): an address is used only some 1 to
   * 2 s after it was added.
   */
  readonly dad: boolean
  /** The same for IPv4 (RFC 5227), which takes 4 to 7 s. */
  readonly conflictDetection: boolean
  /** A link-local IPv6 address made of the hardware address, if none is given. */
  readonly linkLocal: boolean
  /**
   * Default routes, prefixes and addresses from router advertisements. A stack that forwards never
   * takes them.
   */
  readonly acceptRouterAdvertisements: boolean
  /** How interface identifiers are made. */
  readonly addressGeneration: AddressGeneration
  /** The secret of stable-privacy; `null`: one is drawn. */
  readonly stableSecret: Uint8Array | null
  /** Temporary addresses beside those from routers' prefixes. */
  readonly temporaryAddresses: boolean
}

/** How a nic makes interface identifiers; `null` on a link without hardware addresses. */
export function identifiersOf(
  hardwareAddress: Uint8Array | null,
  { addressGeneration, stableSecret }: NicSettings,
  random: Random,
): InterfaceIdentifiers | null {
  if (hardwareAddress === null) return null
  const [high, low] = [addressHigh(hardwareAddress), addressLow(hardwareAddress)]
  return new InterfaceIdentifiers(addressGeneration, high, low, random, stableSecret)
}
