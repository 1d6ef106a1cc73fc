/** The behaviours of a NAT that RFC 4787 tells apart. */

/**
 * What a mapping, or a filter, depends on besides the inside address and port: RFC 4787 sections
 * 4.1 and 5.
 */
export type NatBehaviour = 'endpoint-independent' | 'address-dependent' | 'address-and-port-dependent'

export interface NatOptions {
  /**
   * When an inside endpoint keeps its outside port. Default endpoint-independent (RFC 4787 REQ-1).
   */
  mapping?: NatBehaviour
  /**
   * Who may send to an outside port. Default address-and-port-dependent, which is the strictest,
   * and the commonest.
   */
  filtering?: NatBehaviour
  /** Whether inside hosts reach each other by their outside addresses (REQ-9). Default true. */
  hairpin?: boolean
  /**
   * Milliseconds after the last packet from inside when a mapping ends: REQ-5 asks for 2 minutes or
   * more. Default 5 minutes.
   */
  timeout?: number
  /** Whether incoming packets prolong a mapping too (REQ-6 leaves it open). Default false. */
  inboundRefresh?: boolean
  /**
   * Whether the outside port is the inside one where that is free. Default true; else it is random.
   */
  preservePorts?: boolean
}

/** @throws {RangeError} for a timeout that is not above 0 */
export function readNatOptions(options: NatOptions): Required<NatOptions> {
  const {
    mapping = 'endpoint-independent',
    filtering = 'address-and-port-dependent',
    hairpin = true,
    timeout = 300_000,
    inboundRefresh = false,
    preservePorts = true,
  } = options
  if (!(timeout > 0)) throw new RangeError(`The timeout ${timeout} of a NAT has to be above 0 ms.`)
  return { mapping, filtering, hairpin, timeout, inboundRefresh, preservePorts }
}
