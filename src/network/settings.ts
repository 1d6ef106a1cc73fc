/** What the calls of a network are given, as types. */
import type { Clock } from '../base/clock.ts'
import type { Medium } from '../link/link.ts'
import type { StackOptions } from '../stack.ts'
import type { NatOptions } from './nat/nat-options.ts'
import type { ImpairmentSpec } from './scenario/impairment-spec.ts'
import type { Duration } from './time/duration.ts'

export interface NetworkOptions {
  /** All chance comes from it. Default: drawn, and to be read from `network.seed`. */
  seed?: number | string
  /**
   * Simulated time, which moves only in `run`, `runFor` and `step`, or the machine's, or a clock
   * that runs by itself. Default `virtual`.
   */
  clock?: 'virtual' | 'real' | Clock
  /**
   * How many datagrams' lives are remembered, the last ones; 0 for none, which is faster. Default
   * 10 000.
   */
  lineage?: number
}

/** What follows the network besides the program's timers and clocks. */
export interface TimerOptions {
  /**
   * Whether Math.random, crypto.getRandomValues, crypto.randomUUID, and in Node randomBytes,
   * randomInt, randomUUID, randomFill and randomFillSync of `node:crypto` draw from the network's
   * seed, for each host on its own. Everybody who knows the seed knows keys made of them. Chance
   * within OpenSSL (key pairs, signatures, TLS) stays the machine's. Default false.
   */
  random?: boolean
}

/** What a stack may be told, but for what the network gives. */
export type HostOptions = Omit<StackOptions, 'name' | 'clock' | 'random' | 'hosts' | 'forwarding'>

export interface SegmentSettings {
  /** Bytes. Default 1500. */
  mtu?: number
  /** One prefix, or one of each family. Default: numbered, of both families. */
  subnet?: string | readonly string[]
  /** What the way through it costs in routes. Default 1. */
  cost?: number
}

/** A switch. */
export interface SwitchSettings extends Omit<SegmentSettings, 'mtu'> {
  /**
   * Frames to a group go only to ports behind which a member, or a multicast router, was heard in
   * the last minutes (RFC 4541); link-local groups go everywhere. Default false: to all ports.
   */
  snooping?: boolean
}

/**
 * The faults of both directions lie beside the other settings; those of one direction go before
 * them, name by name.
 */
export interface ConnectOptions extends Omit<ImpairmentSpec, 'mtu'> {
  /** Default: the two ends' names with a dash. */
  name?: string
  /**
   * Bytes; both ends know it. Default 1500. A lower `mtu` in `forward` or `back` is a black hole.
   */
  mtu?: number
  /** Between two hosts or routers. Default `ip`, which has no ARP and no Neighbor Discovery. */
  medium?: Medium
  /**
   * Between two hosts or routers: one prefix, or one of each family. Default: numbered, of both
   * families.
   */
  subnet?: string | readonly string[]
  /**
   * Addresses by node, with or without prefix length. Default: the next free ones of the subnet.
   */
  addresses?: Readonly<Record<string, string | readonly string[]>>
  /** What the way over it costs in routes. Default 1. */
  cost?: number
  /** From the first node to the second. */
  forward?: ImpairmentSpec
  /** From the second node to the first. */
  back?: ImpairmentSpec
}

export interface AttachOptions {
  /** The host or router that gets the link. */
  to: string
  /** Its addresses on the link, with prefix lengths. */
  addresses: readonly string[]
  /** The other side's address, when it is everybody's way to all that is not in the network. */
  gateway?: string
}

export interface NatSettings
  extends Omit<NatOptions, 'timeout' | 'tcpTimeout' | 'tcpOpeningTimeout' | 'tcpClosingTimeout'> {
  /** The cable, or the node at its other end, that leads outside. */
  outside: string
  /** How long a mapping of UDP holds after the last packet from inside. Default 5 minutes. */
  timeout?: Duration
  /** How long an open TCP connection is remembered after a segment. Default 2 hours 4 minutes. */
  tcpTimeout?: Duration
  /** How long one is that did not come about, after its SYN. Default 4 minutes. */
  tcpOpeningTimeout?: Duration
  /** How long a connection is kept after its second FIN or its RST. Default 4 minutes. */
  tcpClosingTimeout?: Duration
}
