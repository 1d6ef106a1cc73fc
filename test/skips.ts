/**
 * Tests that need what a machine may lack: a privilege, a program, a package. Without it they are
 * skipped, and the summary of the run counts them with the reason (`test/skips-reporter.ts`).
 */
import { describe, test } from 'vitest'

/**
 * Skips by name what needs `want`. Where the environment variable `required` is 1, as in CI, that is
 * a failure; `''` for what is never required.
 */
export function skipAloud(name: string, want: string, required = 'TUNGRAM_REQUIRE_TUN'): void {
  if (process.env[required] === '1')
    test(name, () => {
      throw new Error(`${required} is set, and this is skipped for want of ${want}`)
    })
  else test(name, ({ skip }) => skip(want))
}

/** `test`, or, without what it needs, a stand-in that skips what it is given (an `each` as one). */
export function testWith(isThere: boolean, want: string, required?: string): typeof test {
  return isThere ? test : (lacking(want, required) as unknown as typeof test)
}

/** `describe`, or, without what it needs, a stand-in that skips the suite as one. */
export function describeWith(isThere: boolean, want: string, required?: string): typeof describe {
  return isThere ? describe : (lacking(want, required) as unknown as typeof describe)
}

function lacking(want: string, required?: string) {
  const skip = (name: string) => skipAloud(name, want, required)
  return Object.assign(skip, { each: () => skip })
}
