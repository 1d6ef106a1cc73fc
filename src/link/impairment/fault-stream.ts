/**
 * Where one fault of one direction draws from. Each has a stream of its own, named after it, so
 * that a fault that is added, or that draws more often, changes no other; and within it each flow
 * has one, where flows are told apart, so that traffic that is added changes what befalls no other
 * flow.
 */
import type { Packet } from '../../base/packet.ts'
import { branch, type Random } from '../../base/random.ts'

/** The name of the flow to which a frame belongs, `''` for none. */
export type FlowOf = (packet: Packet) => string

/** Most faults of most cables never draw: generators are made when they are asked for. */
export class FaultStream {
  readonly #parent: Random
  readonly #fault: string
  readonly #flowOf: FlowOf | undefined
  #random: Random | null = null
  #flows: Map<string, Random> | null = null

  constructor(random: Random, fault: string, flowOf: FlowOf | undefined) {
    this.#parent = random
    this.#fault = fault
    this.#flowOf = flowOf
  }

  /** What is drawn from for this frame. */
  of(packet: Packet): Random {
    this.#random ??= branch(this.#parent, this.#fault)
    const flow = this.#flowOf?.(packet) ?? ''
    if (flow === '') return this.#random
    this.#flows ??= new Map()
    let random = this.#flows.get(flow)
    if (random === undefined) {
      random = branch(this.#random, flow)
      this.#flows.set(flow, random)
    }
    return random
  }
}
