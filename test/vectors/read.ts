import { readFileSync } from 'node:fs'

/** A packet that somebody else made, and what tshark reads in it. */
export interface Vector {
  readonly name: string
  readonly origin: string
  readonly bytes: Uint8Array
  /** A field of tshark's by its name, as a number; `NaN` when the packet does not have it. */
  number(field: string): number
  /** The same as text; `''` when the packet does not have it. */
  text(field: string): string
}

/** The vectors of `test/vectors/<name>.hex`, whose head says how the file is written. */
export function readVectors(name: 'ipv4' | 'ipv6' | 'ethernet'): Vector[] {
  const text = readFileSync(new URL(`./${name}.hex`, import.meta.url), 'utf8')
  return text
    .split('\n\n')
    .slice(1)
    .map((block) => {
      const lines = block.trim().split('\n')
      const [, title = '', origin = ''] = /^# (.*) \(([^()]*)\)$/.exec(lines[0] as string) ?? []
      const fields = new Map(
        lines
          .filter((line) => line.startsWith('='))
          .flatMap((line) => line.slice(2).split(' '))
          .map((pair) => pair.split('=') as [string, string]),
      )
      const hex = lines.filter((line) => /^[0-9a-f]+$/.test(line)).join('')
      return {
        name: title,
        origin,
        bytes: Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)),
        number: (field) => Number(fields.get(field) ?? Number.NaN),
        text: (field) => fields.get(field) ?? '',
      }
    })
}

/** The one vector of that name. */
export function vector(vectors: readonly Vector[], name: string): Vector {
  const found = vectors.find((each) => each.name === name)
  if (found === undefined) throw new Error(`There is no vector '${name}'.`)
  return found
}
