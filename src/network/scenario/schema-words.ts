/** Short ways to write the schemas of options. */
import type { NumberRange } from '../../base/range.ts'
import type { Schema } from './json-schema.ts'

export const ref = (name: string): Schema => ({ $ref: `#/$defs/${name}` })
export const object = (
  description: string,
  properties: Record<string, Schema>,
  required: readonly string[] = [],
): Schema => ({
  description,
  type: 'object',
  properties,
  additionalProperties: false,
  ...(required.length === 0 ? {} : { required }),
})
export const map = (description: string, each: Schema): Schema => ({
  description,
  type: 'object',
  additionalProperties: each,
})
export const list = (description: string, items: Schema, minItems = 0): Schema => ({
  description,
  type: 'array',
  items,
  minItems,
})
export const text = (description: string): Schema => ({ description, type: 'string' })
export const flag = (description: string): Schema => ({ description, type: 'boolean' })
export const integer = (description: string, minimum: number, maximum: number): Schema => ({
  description,
  type: 'integer',
  minimum,
  maximum,
})
export const oneOf = (description: string, ...names: string[]): Schema => ({ description, enum: names })
export const optional = (schema: Schema): Schema => ({ anyOf: [schema, { description: 'nothing', type: 'null' }] })
/** The range of an option, which the file that owns the option says. */
export const within = (description: string, range: NumberRange): Schema => ({ description, ...range })
