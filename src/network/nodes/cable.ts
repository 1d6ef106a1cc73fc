import type { Nic } from '../../ip/nic/nic.ts'
import type { WireMeter } from '../../link/impairment/wire-meter.ts'
import { FaultModels } from '../scenario/fault-models.ts'
import type { ImpairmentSpec } from '../scenario/impairment-spec.ts'
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
  /** Of what each end sends. */
  readonly #faults: readonly [FaultModels, FaultModels]
  #isUp = true

  /** @internal */
  constructor(
    name: string,
    ends: readonly [CableEnd, CableEnd],
    faults = [new FaultModels(), new FaultModels()] as const,
  ) {
    this.name = name
    this.ends = ends
    this.#faults = faults
  }

  get isUp(): boolean {
    return this.#isUp
  }

  /**
   * Replaces the faults of both directions, or of the one that begins at the node `from`; `{}` is a
   * perfect wire. A fault that is described as before goes on as if nothing had been said; frames
   * on their way are not touched, and those that wait have waited as long as they have.
   * @throws {Error} when `from` is none of the ends; {TypeError | RangeError} for a fault out of
   *   range
   */
  impair(faults: ImpairmentSpec, from?: string): void {
    this.#describe('impair', from, faults, () => faults)
  }

  /**
   * Changes the faults that are named, and leaves the others as they are: as {@link Cable.impair}
   * else.
   */
  change(faults: ImpairmentSpec, from?: string): void {
    this.#describe('change', from, faults, (before) => ({ ...before, ...faults }))
  }

  #describe(
    call: string,
    from: string | undefined,
    faults: ImpairmentSpec,
    next: (before: ImpairmentSpec) => ImpairmentSpec,
  ): void {
    if (from !== undefined && !this.ends.some(({ node }) => node === from))
      throw new Error(
        `The cable ${this.name} does not begin at ${from}: its ends are ` +
          `${this.ends.map(({ node }) => node).join(' and ')}.`,
      )
    checkOptions('impair', faults, call === 'impair' ? `cable ${this.name}` : `change of the cable ${this.name}`)
    for (const [index, end] of this.ends.entries()) {
      if (from !== undefined && end.node !== from) continue
      const models = this.#faults[index] as FaultModels
      const spec = next(models.spec)
      const other = this.ends[1 - index] as CableEnd
      // What comes from a segment, which has no port, is impaired at the other end.
      if (end.port !== null) impairEnd(models, end.port, 'send', spec)
      else if (other.port !== null) impairEnd(models, other.port, 'receive', spec)
    }
  }

  /** @internal Lets a meter count what each end sends: where its faults are. */
  meter(meterOf: (from: CableEnd, to: CableEnd) => WireMeter): void {
    const [one, other] = this.ends
    for (const [from, to] of [
      [one, other],
      [other, one],
    ] as const) {
      if (from.port !== null) from.port.wire.meter('send', meterOf(from, to))
      else to.port?.wire.meter('receive', meterOf(from, to))
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
  }
}

/**
 * Sets the faults of one direction where they are: as frames leave by a port, or as they reach it.
 */
export function impairEnd(faults: FaultModels, port: Port, direction: 'send' | 'receive', spec: ImpairmentSpec): void {
  faults.change(spec, (made) => port.wire.impair(direction, made))
}
