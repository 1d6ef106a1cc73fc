/** Properties that are put in the place of others, and what puts those back. */

/** Puts back what was there; harmless when called twice. */
export type Restore = () => void

/**
 * Replaces the value of a property. The result restores the former value, unless somebody else has
 * changed it meanwhile.
 */
export function replaceValue(target: object, name: PropertyKey, value: unknown): Restore {
  const former = Object.getOwnPropertyDescriptor(target, name)
  return replaceProperty(target, name, {
    value,
    writable: true,
    configurable: true,
    enumerable: former?.enumerable ?? true,
  })
}

/** The same for a property of any kind. */
export function replaceProperty(target: object, name: PropertyKey, descriptor: PropertyDescriptor): Restore {
  const former = Object.getOwnPropertyDescriptor(target, name)
  Object.defineProperty(target, name, descriptor)
  return () => {
    const now = Object.getOwnPropertyDescriptor(target, name)
    if (now === undefined || now.value !== descriptor.value || now.get !== descriptor.get) return
    if (former === undefined) Reflect.deleteProperty(target, name)
    else Object.defineProperty(target, name, former)
  }
}

/** A function that shows the name and the number of parameters of the one whose place it takes. */
export function disguised<Replacement extends (...args: never[]) => unknown>(
  replacement: Replacement,
  original: (...args: never[]) => unknown,
): Replacement {
  Object.defineProperty(replacement, 'name', { value: original.name, configurable: true })
  Object.defineProperty(replacement, 'length', { value: original.length, configurable: true })
  return replacement
}
