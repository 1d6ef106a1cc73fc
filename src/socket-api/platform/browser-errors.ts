/** What errors say of a value, in the words of node:util. */

/** libuv's texts of the errors that the buffer size calls throw. */
const TEXTS: readonly (readonly [number, readonly [string, string]])[] = [
  [-9, ['EBADF', 'bad file descriptor']],
  [-22, ['EINVAL', 'invalid argument']],
]

export function getSystemErrorMap(): ReadonlyMap<number, readonly [string, string]> {
  return new Map(TEXTS)
}

/** A value in a message: simple ones as node:util shows them, others by their kind. */
export function inspect(value: unknown, _options?: object): string {
  switch (typeof value) {
    case 'string':
      return quoted(value)
    case 'bigint':
      return `${value}n`
    case 'number':
      return Object.is(value, -0) ? '-0' : `${value}`
    case 'function':
      return value.name === '' ? '[Function (anonymous)]' : `[Function: ${value.name}]`
    case 'object': {
      if (value === null) return 'null'
      if (Array.isArray(value))
        return value.length === 0 ? '[]' : `[ ${value.map((each) => inspect(each)).join(', ')} ]`
      const name: unknown = Object.getPrototypeOf(value)?.constructor?.name
      return typeof name === 'string' ? `[${name}]` : '[Object: null prototype] {}'
    }
    default:
      return String(value)
  }
}
inspect.custom = Symbol.for('nodejs.util.inspect.custom')

/** In the first quotes of ' " ` that the text has not. */
function quoted(text: string): string {
  const mark = ["'", '"', '`'].find((each) => !text.includes(each)) ?? "'"
  const escaped = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"')
  return `${mark}${mark === "'" ? escaped.replaceAll("'", "\\'") : escaped}${mark}`
}
