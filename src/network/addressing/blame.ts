/**
 * Names the option that is to blame in front of an error: `subnet: …`.
 * @throws what `make` throws, as the same kind of error
 */
export function blaming<T>(option: string, make: () => T): T {
  try {
    return make()
  } catch (error) {
    const Kind = error instanceof RangeError ? RangeError : error instanceof TypeError ? TypeError : Error
    throw new Kind(`${option}: ${(error as Error).message}`, { cause: error })
  }
}
