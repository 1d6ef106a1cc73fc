/**
 * The check of a value against a JSON Schema (2020-12), of which this is the part that schemas here
 * use.
 */

export interface Schema {
  readonly [annotation: `$${string}`]: unknown
  readonly title?: string
  readonly description?: string
  readonly type?: 'object' | 'array' | 'string' | 'number' | 'integer' | 'boolean' | 'null'
  readonly properties?: Readonly<Record<string, Schema>>
  /** Default here: false. A schema is that of all other keys. */
  readonly additionalProperties?: false | Schema
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly minItems?: number
  readonly maxItems?: number
  readonly enum?: readonly (string | number | boolean)[]
  readonly minimum?: number
  readonly exclusiveMinimum?: number
  readonly maximum?: number
  readonly pattern?: string
  readonly anyOf?: readonly Schema[]
}

/** The schemas that `$ref` names, without the `#/$defs/` in front. */
export type Definitions = Readonly<Record<string, Schema>>

/** The keys and indexes that lead to a place in a value. */
export type Path = readonly (string | number)[]

/** A value that is not as its schema says, and where. */
export class SchemaError extends Error {
  readonly path: readonly (string | number)[]
  /** What is wrong, without the place. */
  readonly reason: string
  /** Whether it is a number beyond its bounds. */
  readonly outOfRange: boolean

  constructor(path: readonly (string | number)[], reason: string, outOfRange = false) {
    super(`${placeOf(path)}${reason}`)
    this.name = 'SchemaError'
    this.path = path
    this.reason = reason
    this.outOfRange = outOfRange
  }
}

/** `links[2].forward.loss: ` */
export function placeOf(path: Path): string {
  if (path.length === 0) return ''
  const steps = path.map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`))
  return `${steps.join('')}: `
}

/**
 * Checks a value against the schema; `definitions` has what its `$ref`s name.
 * @throws {SchemaError} for the first thing in it that is not as the schema says
 */
export function checkSchema(value: unknown, schema: Schema, definitions: Definitions = {}, path: Path = []): void {
  const form = resolved(schema, definitions)
  if (form.anyOf !== undefined) {
    checkAnyOf(value, form, form.anyOf, definitions, path)
    return
  }
  checkKind(value, form, path)
  if (typeof value === 'number') checkNumber(value, form, path)
  else if (Array.isArray(value)) checkArray(value, form, definitions, path)
  else if (form.type === 'object') checkObject(value as Record<string, unknown>, form, definitions, path)
}

/** What a schema refers to, or itself. */
function resolved(schema: Schema, definitions: Definitions): Schema {
  return typeof schema.$ref === 'string' ? (definitions[schema.$ref.slice('#/$defs/'.length)] as Schema) : schema
}

/** What belongs there, in words. */
function expected(schema: Schema): string {
  return schema.description ?? schema.enum?.join(' or ') ?? withArticle(schema.type)
}

function checkKind(value: unknown, schema: Schema, path: Path): void {
  const { enum: allowed, type, pattern, description } = schema
  if (allowed !== undefined && !allowed.includes(value as string))
    throw new SchemaError(
      path,
      `${shown(value)} is not allowed; there ${allowed.length === 1 ? 'is' : 'are'} ${allowed.join(', ')}`,
    )
  if (type !== undefined && !hasType(value, type))
    throw new SchemaError(path, `${shown(value)} is not ${withArticle(type)}; expected ${expected(schema)}`)
  if (typeof value === 'string' && pattern !== undefined && !new RegExp(pattern).test(value))
    throw new SchemaError(path, `'${value}' is ${description === undefined ? 'of another form' : `not ${description}`}`)
}

function checkNumber(value: number, schema: Schema, path: Path): void {
  const { minimum, exclusiveMinimum, maximum } = schema
  const beyond = (bound: string) => new SchemaError(path, `${value} is ${bound}; expected ${expected(schema)}`, true)
  if (minimum !== undefined && value < minimum) throw beyond(`below ${minimum}`)
  if (exclusiveMinimum !== undefined && value <= exclusiveMinimum) throw beyond(`not above ${exclusiveMinimum}`)
  if (maximum !== undefined && value > maximum) throw beyond(`above ${maximum}`)
}

function checkArray(value: readonly unknown[], schema: Schema, definitions: Definitions, path: Path): void {
  const { minItems = 0, maxItems = Number.POSITIVE_INFINITY, items } = schema
  if (value.length < minItems || value.length > maxItems)
    throw new SchemaError(path, `${value.length} entries where ${minItems} belong`)
  if (items === undefined) return
  for (const [index, each] of value.entries()) checkSchema(each, items, definitions, [...path, index])
}

function checkObject(
  value: Readonly<Record<string, unknown>>,
  schema: Schema,
  definitions: Definitions,
  path: Path,
): void {
  const { properties = {}, additionalProperties = false, required = [] } = schema
  for (const [key, each] of Object.entries(value)) {
    const known = Object.hasOwn(properties, key) ? (properties[key] as Schema) : additionalProperties
    if (known === false) {
      const names = Object.keys(properties)
      const meant = names.find((name) => isNear(key, name))
      const question = meant === undefined ? '' : `, did you mean ${meant}?`
      throw new SchemaError([...path, key], `unknown key${question}; there are ${names.join(', ')}`)
    }
    // A program may pass `undefined` for an option that it does not set.
    if (each !== undefined) checkSchema(each, known, definitions, [...path, key])
  }
  for (const key of required) if (value[key] === undefined) throw new SchemaError(path, `'${key}' is missing`)
}

/**
 * Throws the complaint of the one alternative that the value was meant to be, where that can be
 * told.
 */
function checkAnyOf(
  value: unknown,
  { description }: Schema,
  schemas: readonly Schema[],
  definitions: Definitions,
  path: Path,
): void {
  const alternatives = schemas.map((schema) => resolved(schema, definitions))
  const complaints: SchemaError[] = []
  for (const schema of alternatives) {
    try {
      checkSchema(value, schema, definitions, path)
      return
    } catch (error) {
      if (!(error instanceof SchemaError)) throw error
      const meant =
        schema.type === 'object' ? isMeant(value, schema) : schema.type !== undefined && hasType(value, schema.type)
      if (meant || (schema.anyOf !== undefined && (error.outOfRange || error.path.length > path.length)))
        complaints.push(error)
    }
  }
  const [only] = complaints
  const wanted =
    description ?? alternatives.map((schema) => schema.description ?? withArticle(schema.type)).join(', or ')
  if (complaints.length === 1 && only !== undefined) {
    if (only.path.length > path.length || description === undefined) throw only
    throw new SchemaError(path, `${only.reason.split('; expected')[0]}; expected ${wanted}`, only.outOfRange)
  }
  throw new SchemaError(path, `${shown(value)} does not belong here; expected ${wanted}`)
}

/** Whether two words differ in the case, in one letter, or in two neighbors that changed places. */
function isNear(a: string, b: string): boolean {
  const [one, other] = [a.toLowerCase(), b.toLowerCase()]
  let from = 0
  while (from < one.length && one[from] === other[from]) from++
  const rest = (text: string, skipped: number) => text.slice(from + skipped)
  const swapped = `${one[from + 1] ?? ''}${one[from] ?? ''}${rest(one, 2)}`
  return (
    one === other ||
    rest(one, 1) === rest(other, 1) ||
    rest(one, 1) === rest(other, 0) ||
    rest(one, 0) === rest(other, 1) ||
    swapped === rest(other, 0)
  )
}

/**
 * Whether an object has one of the keys that this schema requires: another alternative has others.
 */
function isMeant(value: unknown, schema: Schema): boolean {
  if (!hasType(value, 'object')) return false
  const required = schema.required ?? []
  return required.length === 0 || required.some((key) => key in (value as object))
}

function hasType(value: unknown, type: NonNullable<Schema['type']>): boolean {
  if (type === 'null') return value === null || value === undefined
  if (type === 'array') return Array.isArray(value)
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value)
  if (type === 'integer') return Number.isInteger(value)
  return type === 'number' ? Number.isFinite(value) : typeof value === type
}

function shown(value: unknown): string {
  if (typeof value === 'number') return String(value)
  if (typeof value === 'function') return 'a function'
  return typeof value === 'bigint' || typeof value === 'symbol' ? String(value) : JSON.stringify(value)
}

function withArticle(type: Schema['type']): string {
  if (type === undefined) return 'something else'
  if (type === 'null') return 'nothing'
  if (type === 'string') return 'text'
  return type === 'integer' ? 'a whole number' : `${/^[aeiou]/.test(type) ? 'an' : 'a'} ${type}`
}
