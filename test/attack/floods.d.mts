/** Types of the plain JavaScript beside it, which benchmarks run as it is. */
export interface Flood {
  readonly name: string
  make(n: number, random: () => number): Uint8Array
}

export interface Station {
  readonly mac: Uint8Array
  readonly four: Uint8Array
  readonly six: Uint8Array
  readonly local: Uint8Array
}

export const FLOODS: readonly Flood[]
export const VICTIM: Station
export const HONEST: Station
export const ATTACKER: Station
export const GROUP4: Uint8Array
export const GROUP6: Uint8Array
export const ECHO_PORT: number
export const UNREAD_PORT: number
export function words(seed: number): () => number
export function arpAnswer(): Uint8Array
export function advertisementOf(address: Uint8Array, asker: Uint8Array): Uint8Array
