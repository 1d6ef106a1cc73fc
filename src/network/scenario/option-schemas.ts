/**
 * The schemas of options: what the library's calls are given, and the same keys in scenario files.
 */
import { HOST_RANGES } from '../../ip/host-ranges.ts'
import { NEIGHBOR_MINIMUM, type NeighborOptions } from '../../ip/nic/neighbor-limits.ts'
import type { FilterSpec } from '../nodes/filter.ts'
import { BLOCK_PATTERN } from '../nodes/port-block.ts'
import type { ConnectOptions, HostOptions, NatSettings, SegmentSettings, SwitchSettings } from '../settings.ts'
import type { ImpairmentSpec } from './impairment-spec.ts'
import type { Definitions, Schema } from './json-schema.ts'
import { flag, integer, list, map, object, oneOf, ref, text, within } from './schema-words.ts'

/** Text that {@link bitsPerSecond} reads. */
export const BIT_RATE = '^\\s*\\d+(\\.\\d+)?\\s*[kMG]?bit(/s)?\\s*$'

export const duration = ref('duration')
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
      { type: 'string', pattern: BIT_RATE },
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
  fcs: flag('frames of Ethernet as on a wire: 64 bytes at least with a check sequence, which shows wrong bits'),
} satisfies Record<string, Schema>

/** Of one direction of a cable. */
export const IMPAIRMENT = { mtu: MTU, ...impairments } satisfies Record<keyof ImpairmentSpec, Schema>

/** Of hosts and routers. */
export const HOST = {
  hopLimit: within('TTL and hop limit of what is sent, 1 to 255', HOST_RANGES.hopLimit),
  icmpRateLimit: {
    description: 'ICMP errors per second; false for no limit',
    anyOf: [HOST_RANGES.icmpRateLimit, { enum: [false] }],
  },
  icmpRateLimitPerDestination: {
    description: 'ICMP errors per second to one destination; false for no limit',
    anyOf: [HOST_RANGES.icmpRateLimitPerDestination, { enum: [false] }],
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
  identification: oneOf(
    'where IPv4 Identifications come from: a counter for each destination, or chance; default counter',
    'counter',
    'random',
  ),
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
    gcThresh1: integer(
      'entries from which on those unused for a minute are forgotten; default 128',
      NEIGHBOR_MINIMUM.gcThresh1,
      2 ** 24,
    ),
    gcThresh2: integer(
      'entries from which on those that did not change for five seconds are; default 512',
      NEIGHBOR_MINIMUM.gcThresh2,
      2 ** 24,
    ),
    gcThresh3: integer('entries at most; default 1024', NEIGHBOR_MINIMUM.gcThresh3, 2 ** 24),
    queueBytes: integer(
      "bytes that may wait for one neighbor's hardware address; default 212992",
      NEIGHBOR_MINIMUM.queueBytes,
      2 ** 40,
    ),
    totalQueueBytes: integer(
      'bytes that may wait for all neighbors; default 4 MiB',
      NEIGHBOR_MINIMUM.totalQueueBytes,
      2 ** 40,
    ),
  } satisfies Record<keyof NeighborOptions, Schema>),
} satisfies Record<keyof HostOptions, Schema>

/** A number a second, or with how many pass at once. */
function messageRate(description: string): Schema {
  return {
    description,
    anyOf: [
      { type: 'number', minimum: 0 },
      object(
        `${description}, and how many at once after a silence`,
        {
          rate: { description: 'messages per second, 0 or more', type: 'number', minimum: 0 },
          burst: {
            description: 'messages at once, 1 or more; default a twentieth of the rate',
            type: 'number',
            minimum: 1,
          },
        },
        ['rate'],
      ),
    ],
  }
}

export const FILTER = {
  icmp: messageRate('ICMP messages per second that pass, 0 or more'),
  icmpErrors: messageRate('ICMP errors per second that pass, 0 or more; echo is not touched'),
  block: list("ports that do not pass, from or to: '80/tcp', '5000-5010/udp', or a protocol alone: 'sctp'", {
    type: 'string',
    pattern: BLOCK_PATTERN,
  }),
} satisfies Record<Exclude<keyof FilterSpec, 'drop'>, Schema>

const cost: Schema = {
  description: 'what the way through it costs in routes, above 0; default 1',
  type: 'number',
  exclusiveMinimum: 0,
}
export const SWITCH = {
  subnet,
  cost,
  snooping: flag('frames to a group go only to ports with members or multicast routers; default false'),
} satisfies Record<keyof SwitchSettings, Schema>
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
  tcpTimeout: duration,
  tcpOpeningTimeout: duration,
  tcpClosingTimeout: duration,
  inboundRefresh: flag('what comes in prolongs a mapping'),
  preservePorts: flag('the outside port is the inside one where that is free'),
  preserveParity: flag('an outside port that is not the inside one is odd or even as that is (RFC 4787 REQ-4)'),
} satisfies Record<keyof NatSettings, Schema>

export const SEED: Schema = {
  description: 'all chance comes from it: a number or text',
  anyOf: [{ type: 'number' }, { type: 'string' }],
}

/** What other schemas refer to by name. */
export const DEFINITIONS = {
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
      object('by a pattern', { pattern: { description: 'dots pass, x is hit', type: 'string', pattern: '^[.x]+$' } }, [
        'pattern',
      ]),
      object('by number', { frames: list('numbers from 1', integer('a number', 1, 1e9)) }, ['frames']),
      object('by bits', { bitErrorRate: ref('probability') }, ['bitErrorRate']),
    ],
  },
  impairments: object('faults of one direction; mtu here is a black hole for longer packets', IMPAIRMENT),
} satisfies Definitions
