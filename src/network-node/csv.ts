/** A value as a field of a line of CSV (RFC 4180 section 2). */
export function csvField(value: string | number | boolean): string {
  const text = `${value}`
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
