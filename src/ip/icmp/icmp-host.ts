/** What ICMP asks of the IP layer and of a nic. */
import type { Address } from '../../base/address.ts'
import type { Drop } from '../../base/drop.ts'
import type { KeyedHash } from '../../base/hash.ts'
import type { Packet } from '../../base/packet.ts'
import type { PmtuMode } from '../routing/pmtu-mode.ts'
import type { RouteNic } from '../routing/route-nic.ts'
import type { Route } from '../routing/route-table.ts'

/** The nic by which a message came. */
export interface IcmpNic extends RouteNic {
  /** Whether the stack forwards, or the nic advertises a router. */
  readonly isRouter: boolean
  /** Takes a message of Multicast Listener Discovery. */
  mld(packet: Packet): Drop
  /** Takes a message of Neighbor Discovery other than a redirect. */
  neighborDiscovery(packet: Packet): Drop
  /** A redirect at `packet.transport` was believed. */
  redirected(packet: Packet, isRouter: boolean): void
}

/** What it takes to send a message to an address. */
export interface OutputHost {
  /** TTL or hop limit of what leaves by a nic. */
  hopLimitOver(nic: RouteNic, family: number): number
  selectSource(route: Route, w0: number, w1: number, w2: number, w3: number, over?: RouteNic): Address | null
  output(packet: Packet, route: Route, mode: PmtuMode, loop?: boolean, options?: Uint8Array | null): Drop
}

/** What it takes to answer a packet. */
export interface AnswerHost extends OutputHost {
  readonly routes: { lookup(w0: number, w1: number, w2: number, w3: number, nic: number): Route | null }
  isLocalOn(nic: RouteNic, packet: Packet): boolean
  isAnycastOn(nic: RouteNic, packet: Packet): boolean
}

/** What it takes to send an error. */
export interface ErrorHost extends AnswerHost {
  /** Whether an IPv4 word can be one host's address. */
  isUnicast4(word: number): boolean
  mtuTo(route: Route, w0: number, w1: number, w2: number, w3: number): number
}

/** What it takes to believe an error. */
export interface ReportHost {
  isLocal(w0: number, w1: number, w2: number, w3: number): boolean
  /** A router's too-big report about a packet of `length` bytes that this host sent to `to`. */
  reportMtu(to: Address, mtu: number, length: number): number
}

/** What it takes to send an echo request. */
export interface EchoHost extends OutputHost {
  route(w0: number, w1: number, w2: number, w3: number, nic: number): Route | null
}

/** What it takes to believe a redirect. */
export interface RedirectHost {
  readonly redirects: { accept(nic: IcmpNic, from: Address, destination: Address, target: Address): Drop }
}

/** The IP layer, as ICMP sees it. */
export interface IcmpHost extends ErrorHost, ReportHost, EchoHost, RedirectHost {
  /** Of all tables whose keys come from others. */
  readonly hash: KeyedHash
  /** Milliseconds since midnight, Universal Time. */
  timeOfDay(): number
}
