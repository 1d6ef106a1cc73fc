/** What is wrong with a scenario, and where in it. */

/** A scenario that is none, and where: the keys and indexes that lead to the place. */
export class ScenarioError extends Error {
  readonly path: readonly (string | number)[]
  /** What is wrong, without the place. */
  readonly reason: string
  /** Whether it is a number beyond its bounds. */
  readonly outOfRange: boolean

  constructor(path: readonly (string | number)[], reason: string, outOfRange = false) {
    super(`${placeOf(path)}${reason}`)
    this.name = 'ScenarioError'
    this.path = path
    this.reason = reason
    this.outOfRange = outOfRange
  }
}

/** `links[2].forward.loss: ` */
export function placeOf(path: readonly (string | number)[]): string {
  if (path.length === 0) return ''
  const steps = path.map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`))
  return `${steps.join('')}: `
}

/** @throws {ScenarioError} what `action` throws, with its place */
export function placing(path: readonly (string | number)[], action: () => unknown): void {
  try {
    action()
  } catch (error) {
    throw new ScenarioError(path, (error as Error).message)
  }
}
