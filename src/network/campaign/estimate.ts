/** Means of repeated runs, and how sure they are. */

/**
 * A mean with its 95 % confidence interval; `null` for a single run, which says nothing of others.
 */
export interface Estimate {
  mean: number
  /** Not below 0: nothing that is counted or measured here is. */
  low: number | null
  high: number | null
  /** Half of the interval before it is cut off at 0. */
  halfWidth: number | null
}

/** The mean of what is not below 0, with Student's interval. */
export function estimate(values: readonly number[]): Estimate {
  const count = values.length
  const mean = values.reduce((sum, each) => sum + each, 0) / count
  if (count < 2) return { mean, low: null, high: null, halfWidth: null }
  const halfWidth = student(count - 1) * Math.sqrt(varianceOf(values, mean) / count)
  return { mean, low: Math.max(0, mean - halfWidth), high: mean + halfWidth, halfWidth }
}

/**
 * The share of hits among all trials of all runs, with Wilson's score interval, which is right
 * near 0 and 1 too. Runs that differ more than independent trials do (losses come in bursts) have
 * as many independent trials as their spread says, and Student's quantile for their number.
 */
export function estimateShare(runs: readonly { readonly hits: number; readonly trials: number }[]): Estimate {
  const trials = runs.reduce((sum, each) => sum + each.trials, 0)
  const mean = runs.reduce((sum, each) => sum + each.hits, 0) / trials
  const count = runs.length
  if (count < 2) return { mean, low: null, high: null, halfWidth: null }
  // The variance of the ratio of two sums (Cochran, Sampling Techniques, section 6.3).
  const size = trials / count
  const spread = runs.reduce((sum, { hits, trials: n }) => sum + (hits - mean * n) ** 2, 0) / (count - 1) / size ** 2
  const binomial = (mean * (1 - mean)) / size
  const effect = binomial > 0 ? spread / binomial : 0
  const isSpread = effect > 1
  const n = isSpread ? trials / effect : trials
  const z = isSpread ? student(count - 1) : NORMAL
  const center = (mean + z ** 2 / (2 * n)) / (1 + z ** 2 / n)
  const halfWidth = (z / (1 + z ** 2 / n)) * Math.sqrt((mean * (1 - mean)) / n + z ** 2 / (4 * n ** 2))
  const low = mean === 0 ? 0 : Math.max(0, center - halfWidth)
  return { mean, low, high: mean === 1 ? 1 : Math.min(1, center + halfWidth), halfWidth }
}

function varianceOf(values: readonly number[], mean: number): number {
  return values.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (values.length - 1)
}

/** The 97.5 % quantile of the normal distribution. */
const NORMAL = 1.959964

/** The 97.5 % quantiles of Student's t for 1 to 10 degrees of freedom. */
const STUDENT = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228]

/** Beyond the table: the expansion of Cornish and Fisher, right to 0.001. */
function student(degrees: number): number {
  const known = STUDENT[degrees - 1]
  if (known !== undefined) return known
  const z = NORMAL
  return z + (z ** 3 + z) / (4 * degrees) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * degrees ** 2)
}
