/**
 * The form of a scenario file, as JSON Schema (2020-12), and the check of a value against the part
 * of JSON Schema that it uses. The parts that are options of the library's calls are checked there
 * by the same rules.
 */
import type { NeighborOptions } from '../../ip/nic/neighbor-limits.ts'
import type { FilterSpec } from '../nodes/filter.ts'
import type { ConnectOptions, HostOptions, NatSettings, SegmentSettings } from '../settings.ts'
import type { ImpairmentSpec } from './impairment-spec.ts'

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

const ref = (name: string): Schema => ({ $ref: `#/$defs/${name}` })
const object = (description: string, properties: Record<string, Schema>, required: readonly string[] = []): Schema => ({
  description,
  type: 'object',
  properties,
  additionalProperties: false,
  ...(required.length === 0 ? {} : { required }),
})
const map = (description: string, each: Schema): Schema => ({ description, type: 'object', additionalProperties: each })
const list = (description: string, items: Schema, minItems = 0): Schema => ({
  description,
  type: 'array',
  items,
  minItems,
})
const text = (description: string): Schema => ({ description, type: 'string' })
const flag = (description: string): Schema => ({ description, type: 'boolean' })
const integer = (description: string, minimum: number, maximum: number): Schema => ({
  description,
  type: 'integer',
  minimum,
  maximum,
})
const oneOf = (description: string, ...names: string[]): Schema => ({ description, enum: names })
const optional = (schema: Schema): Schema => ({ anyOf: [schema, { description: 'nothing', type: 'null' }] })

const duration = ref('duration')
const MTU = integer('an MTU: bytes of IP packet, 68 to 65535', 68, 65_535)
const subnet: Schema = {
  description: 'a prefix, or a list with one of each family',
  anyOf: [text('a prefix'), list('prefixes', text('a prefix'), 1)],
}
const choose = (name: string) => ({ ...ref('chooser'), description: `which frames are hit by ${name}` })

const impairments = {
  rate: {
    description: "bits per second above 0: a number, text such as '10Mbit', or a trace of opportunities to send",
    anyOf: [
      { type: 'number', exclusiveMinimum: 0 },
      { type: 'string', pattern: '^\\s*\\d+(\\.\\d+)?\\s*[kMG]?bit(/s)?\\s*$' },
      object('a trace', { trace: text('a line for each 1500 bytes: the millisecond at which they may leave') }, [
        'trace',
      ]),
    ],
  },
  queue: {
    description: 'what waits before a slow wire: tailDrop, codel or priorityBands with their options',
    anyOf: [
      object('tail drop', { tailDrop: ref('queueLimit') }, ['tailDrop']),
      object(
        'CoDel (RFC 8289)',
        {
          codel: object('options', {
            packets: { type: 'integer', minimum: 1 },
            bytes: { type: 'integer', minimum: 1 },
            target: { description: 'milliseconds', type: 'number', exclusiveMinimum: 0 },
            interval: { description: 'milliseconds', type: 'number', exclusiveMinimum: 0 },
            ecn: flag('marks instead of dropping'),
          }),
        },
        ['codel'],
      ),
      object('three bands by TOS', { priorityBands: ref('queueLimit') }, ['priorityBands']),
    ],
  },
  loss: choose('loss'),
  corruption: choose('a flipped bit'),
  duplication: choose('duplication'),
  reordering: choose('overtaking'),
  delay: {
    description: "a delay: a duration ('20ms'), or uniform, normal or pareto",
    anyOf: [
      duration,
      object(
        'evenly between two',
        { uniform: { type: 'array', items: duration, minItems: 2, maxItems: 2 }, correlation: ref('probability') },
        ['uniform'],
      ),
      object(
        'normal',
        {
          normal: object('normal', { mean: duration, deviation: duration }, ['mean', 'deviation']),
          correlation: ref('probability'),
        },
        ['normal'],
      ),
      object(
        'pareto',
        {
          pareto: object('pareto', { minimum: duration, shape: { type: 'number', exclusiveMinimum: 0 } }, [
            'minimum',
            'shape',
          ]),
          correlation: ref('probability'),
        },
        ['pareto'],
      ),
    ],
  },
  jitter: duration,
  keepOrder: flag('false lets jitter reorder'),
} satisfies Record<string, Schema>

/** Of one direction of a cable. */
export const IMPAIRMENT = { mtu: MTU, ...impairments } satisfies Record<keyof ImpairmentSpec, Schema>

/** Of hosts and routers. */
export const HOST = {
  hopLimit: integer('TTL and hop limit of what is sent, 1 to 255', 1, 255),
  icmpRateLimit: {
    description: 'ICMP errors per second; false for no limit',
    anyOf: [{ type: 'number', minimum: 0 }, { enum: [false] }],
  },
  icmpRateLimitPerDestination: {
    description: 'ICMP errors per second to one destination; false for no limit',
    anyOf: [{ type: 'number', exclusiveMinimum: 0 }, { enum: [false] }],
  },
  dad: flag('IPv6 addresses on Ethernet are used only when no other host has answered for them; default false'),
  strongHost: flag('takes only packets for an address of the nic they came by; default false'),
  reversePath: oneOf(
    'discards packets whose source is not reached at all, or by another nic; default off',
    'off',
    'loose',
    'strict',
  ),
  reassemblyMemory: integer('bytes of fragments that may wait, per family, 0 or more; default 4 MiB', 0, 2 ** 40),
  sourceRoute: flag('follows IPv4 source routes; default false'),
  acceptRedirects: flag('believes redirects of its routers; default true, but never for a router'),
  sendRedirects: flag('a router tells hosts on Ethernet of better first hops on their link; default false'),
  addressGeneration: oneOf(
    'how IPv6 addresses on Ethernet are made: of the hardware address, or of a secret (RFC 7217); default eui64',
    'eui64',
    'stable-privacy',
  ),
  temporaryAddresses: flag("temporary addresses beside those from routers' prefixes (RFC 8981); default false"),
  neighborLimits: object('how much is remembered of neighbors, by nic and family', {
    gcThresh1: integer('entries from which on those unused for a minute are forgotten; default 128', 0, 2 ** 24),
    gcThresh2: integer('entries from which on those that did not change for five seconds are; default 512', 0, 2 ** 24),
    gcThresh3: integer('entries at most; default 1024', 1, 2 ** 24),
    queueBytes: integer("bytes that may wait for one neighbor's hardware address; default 212992", 0, 2 ** 40),
    totalQueueBytes: integer('bytes that may wait for all neighbors; default 4 MiB', 0, 2 ** 40),
  } satisfies Record<keyof NeighborOptions, Schema>),
} satisfies Record<keyof HostOptions, Schema>

const echo = list('UDP ports whose datagrams are sent back', integer('a port', 1, 65_535))

export const FILTER = {
  icmp: { description: 'ICMP messages per second that pass, 0 or more', type: 'number', minimum: 0 },
  icmpErrors: {
    description: 'ICMP errors per second that pass, 0 or more; echo is not touched',
    type: 'number',
    minimum: 0,
  },
} satisfies Record<Exclude<keyof FilterSpec, 'drop'>, Schema>
const filter = object('what a node lets not pass', FILTER)

const cost: Schema = {
  description: 'what the way through it costs in routes, above 0; default 1',
  type: 'number',
  exclusiveMinimum: 0,
}
export const SWITCH = { subnet, cost } satisfies Record<string, Schema>
export const SEGMENT = { mtu: MTU, subnet, cost } satisfies Record<keyof SegmentSettings, Schema>

export const CONNECT = {
  name: text("default: the two nodes' names with a dash"),
  mtu: MTU,
  medium: oneOf('what the cable is like', 'ip', 'ethernet'),
  subnet,
  addresses: map('addresses by node', subnet),
  cost,
  ...impairments,
  forward: ref('impairments'),
  back: ref('impairments'),
} satisfies Record<keyof ConnectOptions, Schema>

const behaviour = oneOf('RFC 4787 section 4', 'endpoint-independent', 'address-dependent', 'address-and-port-dependent')

export const NAT = {
  outside: text('the cable, or the node at its other end'),
  mapping: behaviour,
  filtering: behaviour,
  hairpin: flag('inside hosts reach each other by outside addresses'),
  timeout: duration,
  inboundRefresh: flag('what comes in prolongs a mapping'),
  preservePorts: flag('the outside port is the inside one where that is free'),
} satisfies Record<keyof NatSettings, Schema>

export const SEED: Schema = {
  description: 'all chance comes from it: a number or text',
  anyOf: [{ type: 'number' }, { type: 'string' }],
}

export const SCENARIO_SCHEMA: Schema & { readonly $defs: Readonly<Record<string, Schema>> } = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'A scenario of tungram',
  ...object('A network, what happens to it, and who sends what.', {
    $schema: text('where this schema lies, for editors'),
    name: text('what the scenario is called'),
    description: text('what it shows'),
    seed: SEED,
    duration: { ...duration, description: 'when flows without count and stop end; default 10s' },
    hosts: map('hosts by name', optional(object('a host', { ...HOST, echo }))),
    routers: map(
      'routers by name',
      optional(
        object('a router', {
          ...HOST,
          echo,
          filter,
          nat: object('NAT of the cables inside to the one outside', NAT, ['outside']),
        }),
      ),
    ),
    switches: map('learning Ethernet switches by name', optional(object('a switch', SWITCH))),
    segments: map('Ethernet wires by name', optional(object('a wire', SEGMENT))),
    links: list(
      'cables',
      object(
        'a cable; forward is from the first node to the second',
        {
          between: { description: 'the two nodes', type: 'array', items: { type: 'string' }, minItems: 2, maxItems: 2 },
          ...CONNECT,
        },
        ['between'],
      ),
    ),
    events: list(
      'what happens when; one thing each: state, impair, partition, heal, filter or updateRoutes',
      object(
        'an event',
        {
          at: duration,
          link: text('the cable of state and impair'),
          state: oneOf('pulls or plugs the cable', 'up', 'down'),
          impair: { ...ref('impairments'), description: 'replaces the faults of the cable' },
          from: text('for impair: the node from which on; default both'),
          partition: list('groups of hosts that do not hear each other', list('hosts', { type: 'string' }), 1),
          heal: { description: 'ends the partition', enum: [true] },
          node: text('the node of filter'),
          filter: optional(filter),
          updateRoutes: { description: 'routes are computed anew, over cables that are up', enum: [true] },
        },
        ['at'],
      ),
    ),
    flows: list(
      'who sends what to whom',
      object(
        'a flow of datagrams',
        {
          name: text('default: from-to'),
          from: text('the host that sends'),
          to: text('the host that receives'),
          address: text("where it is sent, when that is not the receiver's own address, but for example its NAT's"),
          family: { description: 'default 4', enum: [4, 6] },
          port: integer("the receiver's port; default 20000 and the flow's number", 1, 65_535),
          fromPort: integer("the sender's port; default 30000 and the flow's number", 1, 65_535),
          size: {
            description: 'bytes of payload, 8 to 65507, or evenly between two sizes; default 1000',
            anyOf: [
              integer('bytes', 8, 65_507),
              object(
                'between',
                { uniform: { type: 'array', items: integer('bytes', 8, 65_507), minItems: 2, maxItems: 2 } },
                ['uniform'],
              ),
            ],
          },
          rate: {
            description: "datagrams a second above 0, or payload bits a second such as '5Mbit'; default 100",
            anyOf: [
              { type: 'number', exclusiveMinimum: 0 },
              { type: 'string', pattern: '^\\s*\\d+(\\.\\d+)?\\s*[kMG]?bit(/s)?\\s*$' },
            ],
          },
          count: integer('datagrams to be sent', 1, 1e9),
          start: duration,
          stop: duration,
          pattern: {
            description: 'constant, poisson, or so many at once; default constant',
            anyOf: [
              { enum: ['constant', 'poisson'] },
              object('bursts', { burst: integer('datagrams at once', 1, 1e6) }, ['burst']),
            ],
          },
          mode: oneOf('default one-way', 'one-way', 'echo'),
          ttl: integer('TTL or hop limit, 1 to 255', 1, 255),
          tos: integer('TOS or Traffic Class byte', 0, 255),
          dontFragment: oneOf('as IP_MTU_DISCOVER; default want', 'off', 'want', 'do', 'probe'),
        },
        ['from', 'to'],
      ),
    ),
  }),
  $defs: {
    duration: {
      description: "a duration: milliseconds from 0, or text such as '150ms', '2s', '1m'",
      anyOf: [
        { type: 'number', minimum: 0 },
        { type: 'string', pattern: '^\\s*\\d+(\\.\\d+)?\\s*(us|ms|s|m|min|h)\\s*$' },
      ],
    },
    probability: { description: 'a probability, 0 to 1', type: 'number', minimum: 0, maximum: 1 },
    queueLimit: object('limits', { packets: { type: 'integer', minimum: 1 }, bytes: { type: 'integer', minimum: 1 } }),
    chooser: {
      description: "a probability (0.01 or '1%'), probability, gilbertElliott, bySize, pattern, frames or bitErrorRate",
      anyOf: [
        ref('probability'),
        { type: 'string', pattern: '^\\s*\\d+(\\.\\d+)?\\s*%\\s*$' },
        object('chance', { probability: ref('probability'), correlation: ref('probability') }, ['probability']),
        object(
          'bursts',
          {
            gilbertElliott: object(
              'Gilbert-Elliott',
              {
                toBad: ref('probability'),
                toGood: ref('probability'),
                inGood: ref('probability'),
                inBad: ref('probability'),
              },
              ['toBad', 'toGood'],
            ),
          },
          ['gilbertElliott'],
        ),
        object(
          'by size',
          {
            bySize: object(
              'frames of these lengths',
              { from: integer('bytes', 0, 65_549), to: integer('bytes', 0, 65_549), probability: ref('probability') },
              ['from'],
            ),
          },
          ['bySize'],
        ),
        object(
          'by a pattern',
          { pattern: { description: 'dots pass, x is hit', type: 'string', pattern: '^[.x]+$' } },
          ['pattern'],
        ),
        object('by number', { frames: list('numbers from 1', integer('a number', 1, 1e9)) }, ['frames']),
        object('by bits', { bitErrorRate: ref('probability') }, ['bitErrorRate']),
      ],
    },
    impairments: object('faults of one direction; mtu here is a black hole for longer packets', IMPAIRMENT),
  },
}

/** A scenario that is none, and where: the keys and indexes that lead to the place. */
export class ScenarioError extends Error {
  readonly path: readonly (string | number)[]
  /** What is wrong, without the place. */
  readonly reason: string
  /** Whether it is a number beyond its bounds. */
  readonly outOfRange: boolean

  constructor(path: readonly (string | number)[], reason: string, outOfRange = false) {
    super(`${placeOf(path)}${reason}`)
    this.name = 'ScenarioError'
    this.path = path
    this.reason = reason
    this.outOfRange = outOfRange
  }
}

/** `links[2].forward.loss: ` */
function placeOf(path: readonly (string | number)[]): string {
  if (path.length === 0) return ''
  return `${path.map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`)).join('')}: `
}

/** @throws {ScenarioError} for a value that is not as the schema says */
export function checkSchema(
  value: unknown,
  schema: Schema = SCENARIO_SCHEMA,
  path: readonly (string | number)[] = [],
): void {
  const { $ref, anyOf, type, pattern, minimum, exclusiveMinimum, maximum } = schema
  const description = schema.description
  const fail = (reason: string, outOfRange = false): never => {
    throw new ScenarioError(path, reason, outOfRange)
  }
  if (typeof $ref === 'string') {
    const target = SCENARIO_SCHEMA.$defs[$ref.slice('#/$defs/'.length)] as Schema
    checkSchema(value, target, path)
    return
  }
  if (anyOf !== undefined) {
    checkAnyOf(value, anyOf, path, description)
    return
  }
  const what = description === undefined ? (schema.enum?.join(' or ') ?? withArticle(type)) : description
  if (schema.enum !== undefined && !schema.enum.includes(value as string))
    fail(`${shown(value)} is not allowed; there ${schema.enum.length === 1 ? 'is' : 'are'} ${schema.enum.join(', ')}`)
  if (type !== undefined && !hasType(value, type)) fail(`${shown(value)} is not ${withArticle(type)}; expected ${what}`)
  if (typeof value === 'number') {
    if (minimum !== undefined && value < minimum) fail(`${value} is below ${minimum}; expected ${what}`, true)
    if (exclusiveMinimum !== undefined && value <= exclusiveMinimum)
      fail(`${value} is not above ${exclusiveMinimum}; expected ${what}`, true)
    if (maximum !== undefined && value > maximum) fail(`${value} is above ${maximum}; expected ${what}`, true)
  }
  if (typeof value === 'string' && pattern !== undefined && !new RegExp(pattern).test(value))
    fail(`'${value}' is ${description === undefined ? 'of another form' : `not ${description}`}`)
  if (Array.isArray(value)) {
    const { minItems = 0, maxItems = Number.POSITIVE_INFINITY, items } = schema
    if (value.length < minItems || value.length > maxItems) fail(`${value.length} entries where ${minItems} belong`)
    if (items !== undefined) for (const [index, each] of value.entries()) checkSchema(each, items, [...path, index])
  } else if (type === 'object') checkObject(value as Record<string, unknown>, schema, path)
}

function checkObject(value: Record<string, unknown>, schema: Schema, path: readonly (string | number)[]): void {
  const { properties = {}, additionalProperties = false, required = [] } = schema
  for (const [key, each] of Object.entries(value)) {
    const known = Object.hasOwn(properties, key) ? (properties[key] as Schema) : additionalProperties
    if (known === false) {
      const names = Object.keys(properties)
      const meant = names.find((name) => isNear(key, name))
      const question = meant === undefined ? '' : `, did you mean ${meant}?`
      throw new ScenarioError([...path, key], `unknown key${question}; there are ${names.join(', ')}`)
    }
    // A program may say by `undefined` that it has nothing to say.
    if (each !== undefined) checkSchema(each, known, [...path, key])
  }
  for (const key of required) if (value[key] === undefined) throw new ScenarioError(path, `'${key}' is missing`)
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

/** The complaint of the one alternative that the value was meant to be, where that can be told. */
function checkAnyOf(
  value: unknown,
  schemas: readonly Schema[],
  path: readonly (string | number)[],
  description?: string,
): void {
  const resolved = schemas.map((schema) =>
    typeof schema.$ref === 'string' ? (SCENARIO_SCHEMA.$defs[schema.$ref.slice('#/$defs/'.length)] as Schema) : schema,
  )
  const complaints: ScenarioError[] = []
  for (const schema of resolved) {
    try {
      checkSchema(value, schema, path)
      return
    } catch (error) {
      if (!(error instanceof ScenarioError)) throw error
      const meant =
        schema.type === 'object' ? isMeant(value, schema) : schema.type !== undefined && hasType(value, schema.type)
      if (meant || (schema.anyOf !== undefined && (error.outOfRange || error.path.length > path.length)))
        complaints.push(error)
    }
  }
  const [only] = complaints
  const expected = description ?? resolved.map((schema) => schema.description ?? withArticle(schema.type)).join(', or ')
  if (complaints.length === 1 && only !== undefined) {
    if (only.path.length > path.length || description === undefined) throw only
    throw new ScenarioError(path, `${only.reason.split('; expected')[0]}; expected ${expected}`, only.outOfRange)
  }
  throw new ScenarioError(path, `${shown(value)} does not belong here; expected ${expected}`)
}

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
