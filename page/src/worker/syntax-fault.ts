/** What is wrong in the code of a program, and where. */
import { scriptOf, syntaxError } from '../../../src/shell/cell.ts'
import type { TextFault } from '../protocol.ts'

export interface Place {
  /** From 1. */
  readonly line: number
  readonly column: number
}

/** Lines that `scriptOf` has in front. */
const FRONT = 1

/** `placeOf` tells where an error in a script is; `null` for what it does not know. */
export async function syntaxFault(
  code: string,
  placeOf: (script: string) => Promise<Place | null>,
): Promise<TextFault | null> {
  const error = syntaxError(code)
  if (error === null) return null
  const place = await placeOf(scriptOf(code)).catch(() => null)
  // Behind the last line: something is missing at the end.
  const last = code.split('\n').length
  const line = place === null ? 1 : Math.min(Math.max(place.line - FRONT, 1), last)
  return { line, column: Math.max(place?.column ?? 1, 1), message: error.message }
}
