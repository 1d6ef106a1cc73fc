import { expect, test } from 'vitest'
import { complaintAbout, type Schema } from '../../../src/network/scenario/json-schema.ts'
import { placeOf } from '../../../src/network/scenario/scenario-error.ts'

const DEFINITIONS = { chance: { description: 'a chance', type: 'number', minimum: 0, maximum: 1 } } as const

function complaint(value: unknown, schema: Schema): string {
  const found = complaintAbout(value, schema, DEFINITIONS)
  return found === null ? '' : `${found.outOfRange ? 'range ' : ''}${placeOf(found.path)}${found.reason}`
}

const chance: Schema = { $ref: '#/$defs/chance' }

test('a $ref is followed wherever a schema may stand', () => {
  const lists: Schema = { type: 'array', items: chance }
  const maps: Schema = { type: 'object', additionalProperties: chance }
  const either: Schema = { anyOf: [{ type: 'string' }, chance] }
  expect(complaint(2, chance)).toBe('range 2 is above 1; expected a chance')
  expect(complaint([0, -1], lists)).toBe('range [1]: -1 is below 0; expected a chance')
  expect(complaint({ a: 1, b: 'x' }, maps)).toBe('b: "x" is not a number; expected a chance')
  expect(complaint(3, either)).toBe('range 3 is above 1; expected a chance')
  expect(complaint(true, either)).toBe('true does not belong here; expected text, or a chance')
  for (const [value, schema] of [
    [1, chance],
    [[0.5], lists],
    [{ a: 0 }, maps],
    ['x', either],
    [0, either],
  ] as const)
    expect(complaint(value, schema)).toBe('')
})

test.each<[unknown, Schema, string]>([
  [0, { type: 'number', exclusiveMinimum: 0 }, 'range 0 is not above 0; expected a number'],
  [1.5, { type: 'integer' }, '1.5 is not a whole number; expected a whole number'],
  [Number.NaN, { type: 'number' }, 'NaN is not a number; expected a number'],
  ['c', { enum: ['a', 'b'] }, '"c" is not allowed; there are a, b'],
  [1, { enum: [true] }, '1 is not allowed; there is true'],
  ['ab', { type: 'string', pattern: '^a$' }, "'ab' is of another form"],
  [[1], { type: 'array', minItems: 2, maxItems: 2 }, '1 entries where 2 belong'],
  [[], { type: 'object' }, '[] is not an object; expected an object'],
  [{}, { type: 'object', required: ['a'] }, "'a' is missing"],
  [
    { aa: 1 },
    { type: 'object', properties: { ab: {}, cc: {} } },
    'aa: unknown key, did you mean ab?; there are ab, cc',
  ],
  [{ zz: 1 }, { type: 'object', properties: { ab: {} } }, 'zz: unknown key; there are ab'],
  [undefined, { type: 'null' }, ''],
])('%o against %o', (value, schema, message) => {
  expect(complaint(value, schema)).toBe(message)
})

test('of several alternatives the one that was meant complains, with the place in it', () => {
  const either: Schema = {
    description: 'one of two',
    anyOf: [
      { type: 'object', properties: { a: chance }, required: ['a'] },
      { type: 'object', properties: { b: chance }, required: ['b'] },
    ],
  }
  expect(complaint({ b: 7 }, either)).toBe('range b: 7 is above 1; expected a chance')
  expect(complaint({ c: 7 }, either)).toBe('{"c":7} does not belong here; expected one of two')
})
