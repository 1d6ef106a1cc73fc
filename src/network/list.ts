/** Names in an error message: the first eight, and how many there are besides. */
export function list(names: readonly string[]): string {
  if (names.length === 0) return 'none'
  if (names.length <= 8) return names.join(', ')
  return `${names.slice(0, 8).join(', ')} and ${names.length - 8} more`
}
