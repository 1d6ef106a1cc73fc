/** What the differential tests ask of a host, be it the kernel or a stack. */
import type { Bytes } from './raw-ip.ts'

export interface SocketPlan {
  family: 4 | 6
  port: number
  /** Default: any. */
  address?: string
  /** A connected socket. */
  peer?: string
  peerPort?: number
  group?: string
  /** An IPv6 socket that takes IPv4 as well. */
  dual?: boolean
}

/** Linux: IP_PMTUDISC_DONT and so on. */
export const DISCOVER = { dont: 0, want: 1, do: 2, probe: 3 } as const

/** A datagram that reached a socket, or the error that its `recvmsg` reported. */
export interface Delivered {
  port: number
  error: string
  /** Address in hex, a colon, the port. */
  from: string
  payload: string
  hopLimit: number
  tos: number
}

export interface Host {
  /** How many links it has: 1, and 2 for a router. */
  readonly links: number
  open(plan: SocketPlan): void
  /** As `sendto`: an errno name, or `''`. */
  send(family: 4 | 6, port: number, payload: Bytes, to: string, toPort: number): string
  /** IP_MTU_DISCOVER and IPV6_MTU_DISCOVER: {@link DISCOVER}. */
  setMtuDiscover(family: 4 | 6, port: number, mode: number): void
  /** IP_MTU and IPV6_MTU of a connected socket. */
  knownMtu(family: 4 | 6, port: number): number
  /**
   * One packet from a wire, the first one's unless told otherwise; when this returns the host is
   * done with it.
   */
  input(packet: Bytes, link?: number): void
  /** What it sent there since the last call. */
  receive(link?: number): Bytes[]
  /** What its sockets got since the last call, by port. */
  delivered(): Delivered[]
  /** Milliseconds since midnight, Universal Time, by the host's clock. */
  timeOfDay(): number
  close(): void
}
