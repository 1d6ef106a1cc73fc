/**
 * koffi, the foreign function interface through which devices are driven.
 *
 * Its binaries for Linux are optional dependencies: each is a whole koffi, for one architecture,
 * and has no install script. A `koffi` that the program has installed itself is taken where there
 * is none of these.
 */

/** What is used of it (https://koffi.dev). Types of C are its strings. */
export interface Koffi {
  /** The functions of a library, of the process itself for `null`. */
  load(path: string | null): ForeignLibrary
  errno(): number
  address(value: unknown): number | bigint
  /** Memory that is not JavaScript's, as long as it is mapped. */
  view(address: number, length: number): ArrayBuffer
  alloc(type: string, count: number): unknown
  free(memory: unknown): void
  proto(result: string, parameters: readonly string[]): unknown
  pointer(type: unknown): unknown
  // biome-ignore lint/suspicious/noExplicitAny: the types of arguments are those of C
  register(callback: (...args: any[]) => unknown, type: unknown): bigint
}

export interface ForeignLibrary {
  func(prototype: string): ForeignFunction
  func(name: string, result: string, parameters: readonly string[]): ForeignFunction
}

// biome-ignore lint/suspicious/noExplicitAny: the types of arguments and results are those of C
export type ForeignFunction = (...args: any[]) => any

/** @throws {Error} of Node's when there is none for this machine */
export function loadKoffi(): { koffi: Koffi; path: string } {
  // Asked for in this way webpack leaves it alone: it would look for the binary when it bundles.
  const require = process.getBuiltinModule('node:module').createRequire(import.meta.url)
  const names = [`@koromix/koffi-${process.platform}-${process.arch}`, 'koffi']
  for (const name of names) {
    try {
      return { koffi: require(name) as Koffi, path: require.resolve(name) }
    } catch (error) {
      const isMissing = (error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND'
      if (!isMissing || name === names.at(-1)) throw error
    }
  }
  throw new Error('koffi has no name')
}
