/** What the completion of a shell is made from. */

/** Names of files, or words; none means that nothing is offered. */
export type Offer = 'files' | readonly string[]

export interface CompletedOption {
  /** `-v`, or `''`. */
  readonly short: string
  /** `--verbose`. */
  readonly long: string
  readonly help: string
  readonly isRepeatable: boolean
  /** `null` for an option without a value. */
  readonly value: { readonly name: string; readonly isOptional: boolean; readonly values: Offer } | null
}

export interface CompletedCommand {
  readonly name: string
  readonly summary: string
  readonly options: readonly CompletedOption[]
  /** For an argument that is no option. */
  readonly words: Offer
  /** Whether a program with its arguments stands behind `--`. */
  readonly runsProgram: boolean
}

/** The names of an option, the long one last. */
export function namesOf({ short, long }: CompletedOption): string[] {
  return short === '' ? [long] : [short, long]
}

/** A word for a shell. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
