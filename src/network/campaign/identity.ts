/** What a run is, as a hash: the same identity, the same figures. */
import { sha256 } from '../../base/sha256.ts'
import type { Scenario } from '../scenario/scenario.ts'

/** The hash of a scenario as it is written, names and descriptions included. */
export function scenarioHash(scenario: Scenario): string {
  return hashOf(scenario)
}

/**
 * The hash of one run: the scenario with its parameters set, the seed, and the version of the
 * simulation, of which other figures may come.
 */
export function runIdentity(scenario: Scenario, seed: number | string, version: string): string {
  return hashOf({ scenario, seed: `${seed}`, version })
}

/** 32 hexadecimal digits of SHA-256, over JSON with its keys in order. */
function hashOf(value: unknown): string {
  const digest = sha256(new TextEncoder().encode(JSON.stringify(ordered(value))))
  return [...digest.subarray(0, 16)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => each !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, each]) => [key, ordered(each)]),
  )
}
