import { expect, test } from 'vitest'
import { TextLines } from '../../src/namespaces/lines.ts'

function lines(...chunks: (string | Buffer)[]): string[] {
  const text = new TextLines()
  const found = chunks.flatMap((chunk) => text.add(Buffer.from(chunk)))
  return [...found, text.end()]
}

test('a line may come in pieces, its last bytes without an end', () => {
  expect(lines('one\ntw', 'o\n', 'rest')).toEqual(['one', 'two', 'rest'])
})

test('a letter of several bytes may come in pieces', () => {
  const bytes = Buffer.from('ä\n')
  expect(lines(bytes.subarray(0, 1), bytes.subarray(1))).toEqual(['ä', ''])
})

test('a carriage return ends a line, before a line feed it is part of its end', () => {
  expect(lines('10 %\r20 %\r\n', '30 %\r', '40 %\r')).toEqual(['10 %', '20 %', '30 %', '40 %'])
})

test('a line without end is passed on in pieces', () => {
  const found = lines('x'.repeat(200_000))
  expect(found.join('')).toBe('x'.repeat(200_000))
  expect(Math.max(...found.map(({ length }) => length))).toBe(65_536)
})
