/** Parts of the engine that the built page loads when a run needs them (page/vite/later.ts). */
import type { Program } from '../protocol.ts'

/** Before the text is read, for who reads it builds the network to check it. */
export async function partsOfText(text: string): Promise<void> {
  // The key, in letters or in YAML's escapes for them.
  if (/\bnat\b|\\/.test(text)) await import('../../../src/network/nat/place-nat.ts')
}

export async function partsOfPrograms(programs: readonly Program[]): Promise<void> {
  if (programs.some(({ capture }) => capture !== undefined)) await import('../../../src/network/observe/replay.ts')
  // Its `stack` opens raw endpoints.
  if (programs.some(({ code }) => code !== undefined)) await import('../../../src/raw/raw-layer.ts')
}

export async function partsOfLife(): Promise<void> {
  await import('../../../src/network/observe/explain.ts')
}
