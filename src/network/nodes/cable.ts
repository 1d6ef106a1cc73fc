import type { Nic } from '../../ip/nic/nic.ts'
import { type ImpairmentSpec, impairmentsOf } from '../scenario/impairment-spec.ts'
import { checkOptions } from '../scenario/options.ts'
import type { Port } from './port.ts'

/** One end of a cable. */
export interface CableEnd {
  readonly node: string
  /** @internal `null` for the end in a segment. */
  readonly port: Port | null
  /** `null` but on a host or router. */
  readonly nic: Nic | null
}

/** What joins two nodes: made by `network.connect`. */
export class Cable {
  readonly name: string
  readonly ends: readonly [CableEnd, CableEnd]
  readonly #changed: () => void
  #isUp = true

  /** @internal */
  constructor(name: string, ends: readonly [CableEnd, CableEnd], changed: () => void) {
    this.name = name
    this.ends = ends
    this.#changed = changed
  }

  get isUp(): boolean {
    return this.#isUp
  }

  /**
   * Replaces the faults of both directions, or of the one that begins at the node `from`; `{}` is a
   * perfect wire. Frames on their way are not touched.
   * @throws {Error} when `from` is none of the ends; {TypeError | RangeError} for a fault out of
   *   range
   */
  impair(faults: ImpairmentSpec, from?: string): void {
    if (from !== undefined && !this.ends.some(({ node }) => node === from))
      throw new Error(
        `The cable ${this.name} does not begin at ${from}: its ends are ` +
          `${this.ends.map(({ node }) => node).join(' and ')}.`,
      )
    checkOptions('impair', faults, `cable ${this.name}`)
    const [a, b] = this.ends
    for (const [end, other] of [
      [a, b],
      [b, a],
    ] as const) {
      if (from !== undefined && end.node !== from) continue
      if (end.port !== null) impairEnd(end.port, faults, null)
      else if (other.port !== null) impairEnd(other.port, null, faults)
    }
  }

  /**
   * Pulls the cable: both nics lose their carrier, and routes over them no longer count; routers
   * answer that there is no route.
   */
  down(): void {
    this.#set(false)
  }

  up(): void {
    this.#set(true)
  }

  #set(isUp: boolean): void {
    if (this.#isUp === isUp) return
    this.#isUp = isUp
    for (const { port, nic } of this.ends) {
      if (port !== null) port.isUp = isUp
      if (nic !== null) nic.isUp = isUp
    }
    this.#changed()
  }
}

/**
 * What leaves by a port, and what comes to it from a segment, which has no port of its own; `null`
 * leaves a direction as it is.
 */
export function impairEnd(port: Port, out: ImpairmentSpec | null, into: ImpairmentSpec | null): void {
  if (out !== null) port.wire.impair('send', impairmentsOf(out))
  if (into !== null) port.wire.impair('receive', impairmentsOf(into))
}
