/** Parts of the engine that the built page loads when a run needs them (page/vite/later.ts). */
import type { Scenario } from '../../../src/network/index.ts'
import type { Program } from '../protocol.ts'

export async function partsOfScenario({ routers = {} }: Scenario): Promise<void> {
  if (Object.values(routers).some((router) => router?.nat !== undefined))
    await import('../../../src/network/nat/place-nat.ts')
}

export async function partsOfPrograms(programs: readonly Program[]): Promise<void> {
  if (programs.some(({ capture }) => capture !== undefined)) await import('../../../src/network/observe/replay.ts')
  // Its `stack` opens raw endpoints.
  if (programs.some(({ code }) => code !== undefined)) await import('../../../src/raw/raw-layer.ts')
}

export async function partsOfLife(): Promise<void> {
  await import('../../../src/network/observe/explain.ts')
}
