/**
 * The check of what the library's calls are given, by the rules of scenario files; a program may
 * have functions besides.
 */
import { complaintAbout, type Schema } from './json-schema.ts'
import { CONNECT, DEFINITIONS, FILTER, HOST, IMPAIRMENT, NAT, SEED, SEGMENT, SWITCH } from './option-schemas.ts'
import { placeOf } from './scenario-error.ts'

const TEXTS = { type: 'array', items: { type: 'string' } } as const
/** Functions are taken out before: what is left is none. */
const aFunction = (description: string): Schema => ({ description: `a function: ${description}`, anyOf: [] })

const OPTIONS = {
  network: {
    seed: SEED,
    clock: { description: "'virtual', 'real' or a Clock", enum: ['virtual', 'real'] },
    lineage: {
      description: '0 or more datagrams to be remembered',
      anyOf: [{ type: 'number', minimum: 0 }, { enum: [Number.POSITIVE_INFINITY] }],
    },
  },
  host: HOST,
  switch: SWITCH,
  segment: SEGMENT,
  connect: CONNECT,
  impair: IMPAIRMENT,
  filter: { ...FILTER, drop: aFunction('whether to discard a packet') },
  nat: NAT,
  attach: {
    to: { description: 'the name of a host or router', type: 'string' },
    addresses: { description: 'addresses with prefix lengths', ...TEXTS },
    gateway: { description: 'an address', type: 'string' },
  },
  capture: {
    of: { description: 'names of nodes or cables', ...TEXTS },
    snapLength: { description: 'the most bytes of a frame, 1 or more', type: 'integer', minimum: 1 },
  },
  installTimers: { random: { description: 'true or false', type: 'boolean' } },
  replay: { frames: aFunction('whether to send a frame') },
} satisfies Record<string, Record<string, Schema>>

type Call = keyof typeof OPTIONS

const REQUIRED: Partial<Record<Call, readonly string[]>> = {
  nat: ['outside'],
  attach: ['to', 'addresses'],
}

const SCHEMAS = Object.fromEntries(
  Object.entries(OPTIONS).map(([call, properties]): [string, Schema] => [
    call,
    { type: 'object', description: 'options', properties, required: REQUIRED[call as Call] ?? [] },
  ]),
) as Record<Call, Schema>

/** What may be a function, which nobody can look into. */
const FUNCTIONS = new Set([
  'rate',
  'queue',
  'loss',
  'corruption',
  'duplication',
  'reordering',
  'delay',
  'drop',
  'frames',
])

/**
 * Checks the options of a call; `whose` tells what they belong to, for the message.
 * @throws {TypeError} for an unknown option, one of the wrong kind, and one that is missing;
 *   {RangeError} for a number beyond its bounds
 */
export function checkOptions(call: Call, options: unknown, whose: string): void {
  const found = complaintAbout(withoutFunctions(options), SCHEMAS[call], DEFINITIONS)
  if (found === null) return
  const message = `${placeOf(found.path)}${found.reason} (${whose}).`
  throw found.outOfRange ? new RangeError(message) : new TypeError(message)
}

function withoutFunctions(options: unknown): unknown {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) return options
  // Most have none, and are no copy's worth.
  if (Object.values(options).every((value) => typeof value !== 'function' && typeof value !== 'object')) return options
  const data = Object.entries(options).filter(([name, value]) => !(typeof value === 'function' && FUNCTIONS.has(name)))
  return Object.fromEntries(
    data.map(([name, value]) => [name, name === 'forward' || name === 'back' ? withoutFunctions(value) : value]),
  )
}
