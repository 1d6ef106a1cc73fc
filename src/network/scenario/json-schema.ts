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

/**
 * What is not as its schema says. It is no error: a value that may be one of several things is
 * checked against each, and most complaints are heard by nobody.
 */
export interface Complaint {
  /** The keys and indexes that lead to the place in the value. */
  readonly path: readonly (string | number)[]
  /** What is wrong, without the place. */
  readonly reason: string
  /** Whether it is a number beyond its bounds. */
  readonly outOfRange: boolean
}

/**
 * The first thing in a value that is not as the schema says, or `null`; `definitions` has what its
 * `$ref`s name.
 */
export function complaintAbout(value: unknown, schema: Schema, definitions: Definitions = {}): Complaint | null {
  const form = resolved(schema, definitions)
  if (form.anyOf !== undefined) return aboutAnyOf(value, form, form.anyOf, definitions)
  const wrongKind = aboutKind(value, form)
  if (wrongKind !== null) return wrongKind
  if (typeof value === 'number') return aboutNumber(value, form)
  if (Array.isArray(value)) return aboutArray(value, form, definitions)
  return form.type === 'object' ? aboutObject(value as Record<string, unknown>, form, definitions) : null
}

function complaint(reason: string, outOfRange = false): Complaint {
  return { path: [], reason, outOfRange }
}

/** A complaint about what is at `step` of a value. */
function at(step: string | number, inner: Complaint | null): Complaint | null {
  return inner === null ? null : { ...inner, path: [step, ...inner.path] }
}

/** What a schema refers to, or itself. */
function resolved(schema: Schema, definitions: Definitions): Schema {
  return typeof schema.$ref === 'string' ? (definitions[schema.$ref.slice('#/$defs/'.length)] as Schema) : schema
}

/** What belongs there, in words. */
function expected(schema: Schema): string {
  return schema.description ?? schema.enum?.join(' or ') ?? withArticle(schema.type)
}

function aboutKind(value: unknown, schema: Schema): Complaint | null {
  const { enum: allowed, type, pattern, description } = schema
  if (allowed !== undefined && !allowed.includes(value as string))
    return complaint(
      `${shown(value)} is not allowed; there ${allowed.length === 1 ? 'is' : 'are'} ${allowed.join(', ')}`,
    )
  if (type !== undefined && !hasType(value, type))
    return complaint(`${shown(value)} is not ${withArticle(type)}; expected ${expected(schema)}`)
  if (typeof value === 'string' && pattern !== undefined && !new RegExp(pattern).test(value))
    return complaint(`'${value}' is ${description === undefined ? 'of another form' : `not ${description}`}`)
  return null
}

function aboutNumber(value: number, schema: Schema): Complaint | null {
  const { minimum, exclusiveMinimum, maximum } = schema
  const beyond = (bound: string) => complaint(`${value} is ${bound}; expected ${expected(schema)}`, true)
  if (minimum !== undefined && value < minimum) return beyond(`below ${minimum}`)
  if (exclusiveMinimum !== undefined && value <= exclusiveMinimum) return beyond(`not above ${exclusiveMinimum}`)
  return maximum !== undefined && value > maximum ? beyond(`above ${maximum}`) : null
}

function aboutArray(value: readonly unknown[], schema: Schema, definitions: Definitions): Complaint | null {
  const { minItems = 0, maxItems = Number.POSITIVE_INFINITY, items } = schema
  if (value.length < minItems || value.length > maxItems)
    return complaint(`${value.length} entries where ${minItems} belong`)
  if (items === undefined) return null
  for (const [index, each] of value.entries()) {
    const found = at(index, complaintAbout(each, items, definitions))
    if (found !== null) return found
  }
  return null
}

function aboutObject(
  value: Readonly<Record<string, unknown>>,
  schema: Schema,
  definitions: Definitions,
): Complaint | null {
  const { properties = {}, additionalProperties = false, required = [] } = schema
  for (const [key, each] of Object.entries(value)) {
    const known = Object.hasOwn(properties, key) ? (properties[key] as Schema) : additionalProperties
    if (known === false) {
      const names = Object.keys(properties)
      const meant = names.find((name) => isNear(key, name))
      const question = meant === undefined ? '' : `, did you mean ${meant}?`
      return at(key, complaint(`unknown key${question}; there are ${names.join(', ')}`))
    }
    // A program may pass `undefined` for an option that it does not set.
    const found = each === undefined ? null : at(key, complaintAbout(each, known, definitions))
    if (found !== null) return found
  }
  for (const key of required) if (value[key] === undefined) return complaint(`'${key}' is missing`)
  return null
}

/** The complaint of the one alternative that the value was meant to be, where that can be told. */
function aboutAnyOf(
  value: unknown,
  { description }: Schema,
  schemas: readonly Schema[],
  definitions: Definitions,
): Complaint | null {
  const alternatives = schemas.map((schema) => resolved(schema, definitions))
  const complaints: Complaint[] = []
  for (const schema of alternatives) {
    // Another kind of thing was not meant.
    if (schema.anyOf === undefined && schema.type !== undefined && !hasType(value, schema.type)) continue
    const found = complaintAbout(value, schema, definitions)
    if (found === null) return null
    const meant =
      schema.type === 'object' ? isMeant(value, schema) : schema.type !== undefined && hasType(value, schema.type)
    if (meant || (schema.anyOf !== undefined && (found.outOfRange || found.path.length > 0))) complaints.push(found)
  }
  const [only] = complaints
  const wanted =
    description ?? alternatives.map((schema) => schema.description ?? withArticle(schema.type)).join(', or ')
  if (complaints.length === 1 && only !== undefined) {
    if (only.path.length > 0 || description === undefined) return only
    return complaint(`${only.reason.split('; expected')[0]}; expected ${wanted}`, only.outOfRange)
  }
  return complaint(`${shown(value)} does not belong here; expected ${wanted}`)
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
