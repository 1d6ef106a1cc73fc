/** Options of commands, described once: how they are written, and what their values are. */

export interface OptionDescription<Flags extends string = string, Repeatable extends boolean = boolean> {
  /** As commander reads them: `-v, --verbose`, `--to <ADDR:PORT>`, `--df [MODE]`. */
  readonly flags: Flags
  readonly help: string
  /** Whether it may be given more than once, and its value is a list. */
  readonly isRepeatable: Repeatable
  /** The values it takes, where they are few: for completion; who reads the option checks it. */
  readonly choices: readonly string[]
}

export type OptionDescriptions = Readonly<Record<string, OptionDescription>>

/** What an option's value is, by its flags: required, optional, or none. */
type Value<Flags extends string> = Flags extends `${string}<${string}`
  ? string
  : Flags extends `${string}[${string}`
    ? string | true
    : true

/** The values of described options; those that were not given are left out. */
export type OptionValues<Options extends OptionDescriptions> = {
  -readonly [Name in keyof Options]?: Options[Name] extends OptionDescription<infer Flags, infer Repeatable>
    ? Repeatable extends true
      ? string[]
      : Value<Flags>
    : never
}

export function option<const Flags extends string>(
  flags: Flags,
  help: string,
  choices: readonly string[] = [],
): OptionDescription<Flags, false> {
  return { flags, help, isRepeatable: false, choices }
}

export function repeatable<const Flags extends string>(flags: Flags, help: string): OptionDescription<Flags, true> {
  return { flags, help, isRepeatable: true, choices: [] }
}
