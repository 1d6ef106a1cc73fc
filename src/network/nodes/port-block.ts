/** Ports that a filter blocks, as firewalls write them: `80/tcp`, `5000-5010/udp`, `sctp`. */
import { SCTP, TCP, UDP } from '../../wire/protocol.ts'
import type { Summary } from '../observe/ip-frame.ts'

/** What {@link portBlock} takes, for the schema of scenarios too. */
export const BLOCK_PATTERN = '^((\\d{1,5})(-(\\d{1,5}))?/)?(udp|tcp|sctp)$'

const PROTOCOLS: Record<string, number> = { udp: UDP, tcp: TCP, sctp: SCTP }

interface Range {
  readonly protocol: number
  readonly from: number
  readonly to: number
}

/**
 * Whether a packet is one from or to a port of the list. A protocol alone is all of it, later
 * fragments included, which have no ports.
 * @throws {RangeError} for an entry that is none
 */
export function portBlock(entries: readonly string[]): (packet: Summary) => boolean {
  const ranges = entries.map(range)
  return ({ protocol, sourcePort, destinationPort }) =>
    ranges.some(
      (each) =>
        each.protocol === protocol &&
        (each.from < 0 || isWithin(each, sourcePort ?? -1) || isWithin(each, destinationPort ?? -1)),
    )
}

function range(entry: string): Range {
  const found = new RegExp(BLOCK_PATTERN).exec(entry)
  const from = Number(found?.[2] ?? -1)
  const to = Number(found?.[4] ?? found?.[2] ?? -1)
  if (found === null || from > to || to > 65_535)
    throw new RangeError(
      `'${entry}' blocks nothing: expected a port or a range and a protocol, '80/tcp' or '5000-5010/udp', ` +
        'or a protocol alone: udp, tcp, sctp.',
    )
  return { protocol: PROTOCOLS[found[5] as string] as number, from, to }
}

function isWithin({ from, to }: Range, port: number): boolean {
  return port >= from && port <= to
}
