/** The form of a scenario file, as JSON Schema (2020-12). */
import { HOST_RANGES } from '../../ip/host-ranges.ts'
import { complaintAbout, type Schema } from './json-schema.ts'
import { BIT_RATE, CONNECT, DEFINITIONS, duration, FILTER, HOST, NAT, SEED, SEGMENT, SWITCH } from './option-schemas.ts'
import { ScenarioError } from './scenario-error.ts'
import { integer, list, map, object, oneOf, optional, ref, text, within } from './schema-words.ts'

const echo = list('UDP ports whose datagrams are sent back', integer('a port', 1, 65_535))
const groups = list('multicast groups that are joined on all links', { type: 'string' })
const filter = object('what a node lets not pass', FILTER)

export const SCENARIO_SCHEMA: Schema & { readonly $defs: Readonly<Record<string, Schema>> } = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'A scenario of tungram',
  ...object('A network, what happens to it, and who sends what.', {
    $schema: text('where this schema lies, for editors'),
    name: text('what the scenario is called'),
    description: text('what it shows'),
    seed: SEED,
    duration: { ...duration, description: 'when flows without count and stop end; default 10s' },
    measure: object(
      'the span of all statistics: datagrams sent from then until before then, and what happened at hops meanwhile',
      {
        from: { ...duration, description: 'after the warm-up; default 0' },
        to: { ...duration, description: 'default: the end' },
      },
    ),
    hosts: map('hosts by name', optional(object('a host', { ...HOST, echo, groups }))),
    routers: map(
      'routers by name',
      optional(
        object('a router', {
          ...HOST,
          echo,
          groups,
          filter,
          nat: object('NAT of the cables inside to the one outside', NAT, ['outside']),
        }),
      ),
    ),
    switches: map('learning Ethernet switches by name', optional(object('a switch', SWITCH))),
    segments: map('Ethernet wires by name', optional(object('a wire', SEGMENT))),
    anycast: map('addresses that several hosts have: the nearest is reached', list('hosts', { type: 'string' }, 2)),
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
      'what happens when; one thing each: state, impair, change, partition, heal, filter or updateRoutes',
      object(
        'an event',
        {
          at: duration,
          link: text('the cable of state, impair and change'),
          state: oneOf('pulls or plugs the cable', 'up', 'down'),
          impair: { ...ref('impairments'), description: 'replaces the faults of the cable' },
          change: { ...ref('impairments'), description: 'changes the faults that are named, and no others' },
          from: text('for impair and change: the node from which on; default both'),
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
              { type: 'string', pattern: BIT_RATE },
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
          ttl: within('TTL or hop limit, 1 to 255', HOST_RANGES.hopLimit),
          tos: integer('TOS or Traffic Class byte', 0, 255),
          dontFragment: oneOf('as IP_MTU_DISCOVER; default want', 'off', 'want', 'do', 'probe'),
        },
        ['from', 'to'],
      ),
    ),
    programs: list(
      'programs of the machine, each on a host, for tungram run --net',
      object(
        'a program',
        {
          on: text('the host that it runs on'),
          command: {
            description: 'the program and its arguments as a list, or a line for sh',
            anyOf: [{ type: 'string', pattern: '\\S' }, list('program and arguments', { type: 'string' }, 1)],
          },
          start: { ...duration, description: 'when it is started; default 0' },
          env: map('environment variables besides those that are there', { type: 'string' }),
          cwd: text('the directory that it runs in; default: the one of the command'),
          expect: integer('the exit code that is a success, 0 to 255; the run waits for it', 0, 255),
        },
        ['on', 'command'],
      ),
    ),
  }),
  $defs: DEFINITIONS,
}

/** @throws {ScenarioError} for a value that is not as the schema says */
export function checkScenarioForm(value: unknown): void {
  const found = complaintAbout(value, SCENARIO_SCHEMA, DEFINITIONS)
  if (found !== null) throw new ScenarioError(found.path, found.reason, found.outOfRange)
}
