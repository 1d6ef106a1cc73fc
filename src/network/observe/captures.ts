/** The captures of a network: which ports write to which, those that come later included. */
import type { Clock } from '../../base/clock.ts'
import { Capture } from '../../link/capture/capture.ts'

/** A port, as far as a capture sees it. */
export interface CapturedPort {
  startCapture(capture: Capture): void
  stopCapture(capture: Capture): void
}

/** Where captures find their ports. */
export interface CapturedNetwork {
  readonly ports: readonly CapturedPort[]
  /** The ports of a node or a cable. @throws {Error} for an unknown name */
  portsOf(name: string): readonly CapturedPort[]
}

/** Which frames, and how much of each. */
export interface CaptureSettings {
  /** Names of nodes or cables. Default: all, also those that come later. */
  of?: readonly string[]
  /** The most bytes of a frame that are kept. Default: all. */
  snapLength?: number
}

export class Captures {
  readonly #network: CapturedNetwork
  readonly #clock: Clock
  /** Those of all ports, also of what is added later. */
  readonly #ofAll = new Set<Capture>()

  constructor(network: CapturedNetwork, clock: Clock) {
    this.#network = network
    this.#clock = clock
  }

  /** @returns what ends the capture; @throws {Error} for a name that is no node and no cable */
  start(sink: (chunk: Uint8Array) => void, { of, snapLength }: CaptureSettings): () => void {
    const network = this.#network
    const ports = of === undefined ? network.ports : new Set(of.flatMap((name) => network.portsOf(name)))
    const capture = new Capture(sink, { clock: this.#clock, ...(snapLength === undefined ? {} : { snapLength }) })
    if (of === undefined) this.#ofAll.add(capture)
    for (const port of ports) port.startCapture(capture)
    return () => {
      this.#ofAll.delete(capture)
      for (const port of network.ports) port.stopCapture(capture)
    }
  }

  /** A new port: captures of all ports take it in. */
  portAdded(port: CapturedPort): void {
    for (const capture of this.#ofAll) port.startCapture(capture)
  }
}
