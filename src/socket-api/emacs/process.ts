/** A datagram process: its name, its endpoint, its peer, and whether it runs. */
import type { Buffer } from 'node:buffer'
import { Address } from '../../base/address.ts'
import type { Packet } from '../../base/packet.ts'
import { KeepAlive } from '../../link/keep-alive.ts'
import type { Stack } from '../../stack.ts'
import type { Endpoint } from '../../udp/endpoint.ts'
import { messageOf } from '../delivery/message-memory.ts'
import { errnoError } from '../dgram/errors.ts'
import { Backlog } from '../sending/backlog.ts'
import { isOn } from './arguments.ts'
import { type Arrival, FilterQueue } from './filter.ts'
import type { Peer } from './network-address.ts'

/** Called once per datagram; the process's peer is its sender by then. */
export type Filter<Data> = (process: NetworkProcess, data: Data) => void

/** Called with what happened to the process, a line of text with its newline: `deleted\n`. */
export type Sentinel = (process: NetworkProcess, event: string) => void

/** `open`, `stop` (stopped: incoming datagrams wait) or `closed` (deleted). */
export type ProcessStatus = 'open' | 'stop' | 'closed'

/** What a process is made with. */
export interface ProcessSettings {
  readonly filter?: Filter<string & Buffer> | null
  readonly sentinel?: Sentinel | null
  readonly plist?: Record<string, unknown> | null
  readonly coding?: BufferEncoding | 'buffer'
  readonly stop?: boolean | null
}

/**
 * Made by `makeNetworkProcess`. `filter`, `sentinel` and `plist` may be replaced at any time.
 */
export class NetworkProcess {
  readonly name: string
  readonly stack: Stack
  readonly endpoint: Endpoint
  filter: Filter<string & Buffer> | null
  sentinel: Sentinel | null
  plist: Record<string, unknown>
  /** @internal How strings are bytes. */
  readonly coding: BufferEncoding | 'buffer'
  /** @internal The options as given and set since. */
  readonly contact: Record<string, unknown>
  /** @internal */
  peer: Peer | null = null
  /** @internal Who sent last. */
  sender: Peer | null = null
  /** @internal Whether the program was told that a sender has no port. */
  warned = false
  /** @internal */
  stopped: boolean
  /** @internal What waits for room in its link. */
  readonly backlog: Backlog
  readonly #keepAlive = new KeepAlive()
  readonly #queue: FilterQueue

  /** @internal Use `makeNetworkProcess`. */
  constructor(stack: Stack, name: string, family: 4 | 6, settings: ProcessSettings) {
    this.stack = stack
    this.name = name
    this.endpoint = stack.udp.createEndpoint(family, this)
    this.filter = settings.filter ?? null
    this.sentinel = settings.sentinel ?? null
    this.plist = { ...settings.plist }
    this.coding = settings.coding ?? 'utf-8'
    this.stopped = isOn(settings.stop)
    this.contact = {}
    this.backlog = new Backlog(stack)
    this.#queue = new FilterQueue(this, stack.clock)
  }

  /** @internal */
  receive(packet: Packet, sourcePort: number): void {
    const address = new Address(packet.s0, packet.s1, packet.s2, packet.s3)
    const nic = address.family === 6 && address.isLinkLocal ? packet.nic : 0
    this.#queue.add({ data: messageOf(packet), from: { address, port: sourcePort, nic } })
  }

  /** @internal */
  flush(): void {
    this.#queue.run()
  }

  /** @internal */
  filterOne({ data, from }: Arrival): void {
    this.endpoint.release(data.length)
    this.sender = this.peer = from
    this.filter?.(this, (this.coding === 'buffer' ? data : data.toString(this.coding)) as string & Buffer)
  }

  /** @internal An unconnected socket does not hear of ICMP errors. */
  icmp(): void {}

  /** @internal An open process that can receive keeps the program alive. */
  stayAlive(): void {
    if (this.endpoint.isBound) this.#keepAlive.on()
  }

  /** @internal */
  close(): void {
    this.#queue.clear()
    this.backlog.cancel()
    this.#keepAlive.off()
    this.endpoint.close()
  }
}

export function processStatus(process: NetworkProcess): ProcessStatus {
  return process.endpoint.closed ? 'closed' : process.stopped ? 'stop' : 'open'
}

/**
 * Incoming datagrams wait from now on, as many as the receive buffer holds; sending goes on.
 * Returns the process.
 */
export function stopProcess(process: NetworkProcess): NetworkProcess {
  process.stopped = true
  return process
}

/**
 * Undoes {@link stopProcess}: what waited reaches the filter soon, though not within this call.
 * Returns the process.
 */
export function continueProcess(process: NetworkProcess): NetworkProcess {
  process.stopped = false
  process.stack.clock.soon(() => process.flush())
  return process
}

/**
 * Frees the address and the name, forgets what waits, and tells the sentinel `deleted\n`. Once:
 * further calls do nothing.
 */
export function deleteProcess(process: NetworkProcess): void {
  if (process.endpoint.closed) return
  process.close()
  names(process.stack).delete(process.name)
  process.sentinel?.(process, 'deleted\n')
}

/** The error of a deleted process. */
export function notRunning({ name }: NetworkProcess): Error {
  return Object.assign(errnoError('EBADF', 'send'), { message: `Process ${name} is not running: it was deleted.` })
}

// ── names ──

/** Names in use on each stack. */
const namesOf = new WeakMap<Stack, Set<string>>()

/** Emacs: `echo`, then `echo<1>`, `echo<2>`, …. */
export function freeName(stack: Stack, name: string): string {
  let free = name
  for (let i = 1; names(stack).has(free); i++) free = `${name}<${i}>`
  return free
}

export function names(stack: Stack): Set<string> {
  const known = namesOf.get(stack)
  if (known !== undefined) return known
  const made = new Set<string>()
  namesOf.set(stack, made)
  return made
}
