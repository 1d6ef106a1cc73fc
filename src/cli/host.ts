/**
 * What the commands on a device share: one stack on one device, as the common options describe it.
 * Both are loaded when they are opened: help and wrong usage do without.
 */
import { type HostArguments, hostPlan } from './host-plan.ts'
import type { Host } from './open-host.ts'

export { type HostArguments, hostGroup, hostOptions } from './host-plan.ts'
export type { Host } from './open-host.ts'

/**
 * Opens the device and builds the stack.
 * @throws {UsageError} before anything is opened
 * @throws {Error} when the device or the file cannot be opened
 */
export async function openHost(values: HostArguments): Promise<Host> {
  const plan = hostPlan(values)
  const { openPlan } = await import('./open-host.ts')
  return await openPlan(plan)
}
