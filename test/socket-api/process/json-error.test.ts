import fc from 'fast-check'
import { expect, test } from 'vitest'
import { jsonError } from '../../../src/socket-api/process/json-error.ts'

const parses = (text: string) => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

test.each([
  ['', 1, 1],
  ['{"a": 1, }', 1, 10],
  ['{"a" 1}', 1, 6],
  ['{"a": 1}x', 1, 9],
  ['[1,\n2,\n]', 3, 1],
  ['{"a": "x\ny"}', 1, 7],
  ['01', 1, 2],
])('%j has its first error in line %i, column %i', (text, line, column) => {
  expect(jsonError(text)).toEqual({ line, column })
})

test('what JSON.parse takes has no error, and what it refuses has one', () => {
  const piece = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"a"',
    '"',
    '1',
    '-',
    '0',
    '.5',
    'e3',
    'true',
    'null',
    ' ',
    '\n',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const text = pieces.join('')
      expect(jsonError(text) === null).toBe(parses(text))
    }),
    { numRuns: 2000 },
  )
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(jsonError(text)).toBeNull()
    }),
  )
})
