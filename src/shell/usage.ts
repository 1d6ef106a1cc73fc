/** Reading the values of options, and the errors that end in exit code 2. */

/** The command line is wrong: the usage is shown and the exit code is 2. */
export class UsageError extends Error {}

/**
 * The only positional argument.
 * @throws {UsageError} `message` when there is none, or another one
 */
export function onlyOne(positionals: readonly string[], message: string): string {
  const [first, ...others] = positionals
  if (first === undefined || others.length > 0) throw new UsageError(message)
  return first
}

/**
 * A whole number within bounds; `undefined` when the option was not given.
 * @throws {UsageError}
 */
export function integer(option: string, text: string | undefined, lowest: number, highest: number): number | undefined {
  return text === undefined ? undefined : wholeNumber(`--${option}`, text, lowest, highest)
}

function wholeNumber(what: string, text: string, lowest: number, highest: number): number {
  const value = Number(text)
  // Number() also reads '', ' 5 ' and '1e3'; 0x… stays welcome (`--tos 0xb8`).
  if (!/^(\d+|0x[\da-f]+)$/i.test(text) || value < lowest || value > highest)
    throw new UsageError(`${what} takes a whole number from ${lowest} to ${highest}, not '${text}'`)
  return value
}

/** `what` as it is to be called: `--port`, `PORT`. @throws {UsageError} when it is no port */
export function port(what: string, text: string): number {
  return wholeNumber(what, text, 1, 65_535)
}

/** A time in seconds, with a fraction. @throws {UsageError} */
export function seconds(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (!/^\d+(\.\d+)?$/.test(text) || value > 86_400)
    throw new UsageError(`--${option} takes seconds, such as 0.5, not '${text}'`)
  return value * 1000
}
