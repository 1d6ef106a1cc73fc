/** Plots as data: what there is to see of a run or of a sweep. The page and reports draw them. */

export interface Line {
  readonly name: string
  /** Its number in the palette, which begins anew after the last. */
  readonly color: number
  readonly dashed?: boolean
  readonly values: readonly (number | null)[]
  /** The ends of an interval around each value. */
  readonly low?: readonly (number | null)[]
  readonly high?: readonly (number | null)[]
  /** Whether the interval is drawn as bars, not as a band. */
  readonly bars?: boolean
  /** Whether values are dots that no line joins. */
  readonly dots?: boolean
}

export interface Plot {
  readonly title: string
  readonly note: string
  /** What is to be seen, in a sentence. */
  readonly see: string
  readonly xLabel: string
  readonly yLabel: string
  /** Numbers, or names. */
  readonly x: readonly (number | string)[]
  /** Where names that are quantities stand, `10ms` at 10; other names stand side by side. */
  readonly at?: readonly number[]
  /** Whether equal factors of x are equally far apart; all of x is above 0 then. */
  readonly log?: boolean
  readonly lines: readonly Line[]
  /** Plots of a group share cursor and zoom. */
  readonly group?: 'time'
}
