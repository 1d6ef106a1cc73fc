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
  open(plan: SocketPlan): void
  /** One packet from the wire; when this returns the host is done with it. */
  input(packet: Bytes): void
  /** What it sent since the last call. */
  receive(): Bytes[]
  /** What its sockets got since the last call, by port. */
  delivered(): Delivered[]
  /** Milliseconds since midnight, Universal Time, by the host's clock. */
  timeOfDay(): number
  close(): void
}
