/** Addresses of an interface as `ip address add` writes them, point-to-point ones included. */
import { type Address, type Cidr, parseCidr } from '../../base/address.ts'

export interface InterfaceAddress extends Cidr {
  /**
   * The other end of a point-to-point address, whose prefix `prefix` then is (Linux: IFA_ADDRESS);
   * `null` for an address of a network.
   */
  readonly far: Address | null
}

/**
 * Reads `10.9.0.1/24` and `10.9.0.1 peer 10.9.0.2`, the latter with a prefix length behind it or
 * without.
 * @throws {TypeError} for anything else
 */
export function parseInterfaceAddress(text: string): InterfaceAddress {
  const [, own, other] = /^(\S+) +peer +(\S+)$/.exec(text) ?? []
  if (own === undefined || other === undefined) return { ...parseCidr(text), far: null }
  const near = parseCidr(own)
  const { address: far, prefix } = parseCidr(other)
  if (own.includes('/') || near.address.family !== far.family || near.address.equals(far))
    throw new TypeError(
      `Not a point-to-point address: '${text}'. Expected two addresses of one family, for example ` +
        `'10.9.0.1 peer 10.9.0.2'.`,
    )
  return { address: near.address, prefix, far }
}
