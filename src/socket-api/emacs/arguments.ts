/** What the functions of Emacs's API take, read with Elisp's truth and keywords. */
import { inspect } from 'node:util'

/** Elisp's truth. */
export function isOn(value: unknown): boolean {
  return value !== null && value !== undefined && value !== false
}

export function withoutColon(keyword: string): string {
  return keyword.startsWith(':') ? keyword.slice(1) : keyword
}

export function badValue(name: string, value: unknown, expected: string): TypeError {
  return new TypeError(`Bad value for ${name}: ${inspect(value)}. Expected ${expected}.`)
}
