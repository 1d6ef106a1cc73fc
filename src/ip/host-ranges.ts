/** The ranges of a host's options: a stack checks them, and scenario files say them. */
import type { NumberRange } from '../base/range.ts'

export const HOST_RANGES = {
  hopLimit: { type: 'integer', minimum: 1, maximum: 255 },
  /** ICMP errors per second. */
  icmpRateLimit: { type: 'number', minimum: 0 },
  icmpRateLimitPerDestination: { type: 'number', exclusiveMinimum: 0 },
} as const satisfies Record<string, NumberRange>
