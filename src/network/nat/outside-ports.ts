/**
 * The outside ports of one protocol, the mappings that have them, and in which order those end.
 * Mappings of one timeout end in the order of their last use, so there is a list for each timeout.
 */
import type { Random } from '../../base/random.ts'
import { type Mapping, Queue } from './mapping.ts'
import { NatPorts } from './nat-ports.ts'

export class OutsidePorts {
  readonly ports: NatPorts
  readonly isUsed: (port: number) => boolean
  readonly mappings = new Map<number, Mapping>()
  readonly queues: readonly Queue[]

  /** `isUsed`: the router has a socket of the protocol on this port, which no mapping may get. */
  constructor(random: Random, timeouts: readonly number[], isUsed: (port: number) => boolean) {
    this.ports = new NatPorts(random)
    this.queues = timeouts.map((timeout) => new Queue(timeout))
    this.isUsed = isUsed
  }

  /** The list of the first timeout. */
  get queue(): Queue {
    return this.queues[0] as Queue
  }

  add(mapping: Mapping): void {
    this.ports.take(mapping.outsidePort)
    this.mappings.set(mapping.outsidePort, mapping)
    this.queue.add(mapping)
  }

  remove(mapping: Mapping): void {
    this.ports.release(mapping.outsidePort)
    this.mappings.delete(mapping.outsidePort)
    mapping.queue?.remove(mapping)
  }

  /** The mapping ends at `endsAt`, last of those with the timeout of `queue`. */
  move(mapping: Mapping, queue: Queue, endsAt: number): void {
    mapping.endsAt = endsAt
    if (mapping === queue.newest) return
    mapping.queue?.remove(mapping)
    queue.add(mapping)
  }

  clear(): void {
    this.ports.clear()
    this.mappings.clear()
    for (const queue of this.queues) queue.oldest = queue.newest = null
  }
}
