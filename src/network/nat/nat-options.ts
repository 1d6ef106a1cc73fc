/** The behaviours of a NAT that RFC 4787 and RFC 5382 tell apart. */

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
   * Milliseconds after the last packet from inside when a mapping of UDP ends: REQ-5 asks for 2
   * minutes or more. Default 5 minutes.
   */
  timeout?: number
  /**
   * Milliseconds after the last segment when a TCP connection that is open is forgotten: RFC 5382
   * REQ-5 asks for 2 hours and 4 minutes or more. Default that.
   */
  tcpTimeout?: number
  /**
   * Milliseconds after its SYN when a TCP connection that did not come about is. Default 4 minutes
   * (RFC 7857 section 2.1).
   */
  tcpOpeningTimeout?: number
  /** Milliseconds after the second FIN, or the RST, when one that ended is. Default 4 minutes. */
  tcpClosingTimeout?: number
  /**
   * Whether incoming packets prolong a mapping too (REQ-6 leaves it open); of TCP, a SYN that
   * nobody inside has answered. Default false.
   */
  inboundRefresh?: boolean
  /**
   * Whether the outside port is the inside one where that is free. Default true; else it is random.
   */
  preservePorts?: boolean
  /**
   * Whether an outside port that is not the inside one is odd or even as that one is (RFC 4787
   * REQ-4; RFC 7857 section 8 leaves it open). Default true.
   */
  preserveParity?: boolean
}

const MINUTE = 60_000

/** @throws {RangeError} for a timeout that is not above 0 */
export function readNatOptions(options: NatOptions): Required<NatOptions> {
  const {
    mapping = 'endpoint-independent',
    filtering = 'address-and-port-dependent',
    hairpin = true,
    timeout = 5 * MINUTE,
    tcpTimeout = 124 * MINUTE,
    tcpOpeningTimeout = 4 * MINUTE,
    tcpClosingTimeout = 4 * MINUTE,
    inboundRefresh = false,
    preservePorts = true,
    preserveParity = true,
  } = options
  const timeouts = { timeout, tcpTimeout, tcpOpeningTimeout, tcpClosingTimeout }
  for (const [name, value] of Object.entries(timeouts))
    if (!(value > 0)) throw new RangeError(`The ${name} ${value} of a NAT has to be above 0 ms.`)
  return { mapping, filtering, hairpin, ...timeouts, inboundRefresh, preservePorts, preserveParity }
}
