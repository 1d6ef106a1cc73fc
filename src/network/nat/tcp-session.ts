/**
 * What a NAT remembers of one TCP connection: the states of RFC 6146 section 3.5.2, which RFC 7857
 * section 2 makes those of every NAT.
 */
import { ACK, FIN, RST, SYN } from '../../wire/tcp.ts'

export const TcpState = {
  /** A SYN left; it was not answered yet. */
  SynFromInside: 0,
  /** A SYN came in; it was not answered yet. */
  SynFromOutside: 1,
  /** Segments leave of a connection that was there before the NAT was. */
  PickedUp: 2,
  Established: 3,
  /** One side has sent all that it will send. */
  FinFromInside: 4,
  FinFromOutside: 5,
  /** Both have. */
  Closed: 6,
  /** One side has given up. */
  Reset: 7,
} as const
export type TcpState = (typeof TcpState)[keyof typeof TcpState]

/** Which timer a connection has. */
export type TcpPhase = 'opening' | 'established' | 'closing'

const PHASES: readonly TcpPhase[] = [
  'opening',
  'opening',
  'opening',
  'established',
  'established',
  'established',
  'closing',
  'closing',
]

const NAMES = [
  'SYN from inside',
  'SYN from outside',
  'picked up',
  'established',
  'FIN from inside',
  'FIN from outside',
  'closed',
  'reset',
] as const

export function phaseOf(state: TcpState): TcpPhase {
  return PHASES[state] as TcpPhase
}

/** `established`, `FIN from inside`, … */
export function stateName(state: TcpState): string {
  return NAMES[state] as string
}

/**
 * The state after the first segment that is seen; -1 when the segment begins nothing: a RST, or
 * what comes in without a SYN. Connections from inside are picked up, as by Linux
 * (nf_conntrack_tcp_loose): the NAT may be younger than they are.
 */
export function firstState(fromInside: boolean, flags: number): TcpState | -1 {
  if ((flags & RST) !== 0) return -1
  if ((flags & SYN) !== 0) return fromInside ? TcpState.SynFromInside : TcpState.SynFromOutside
  return fromInside ? TcpState.PickedUp : -1
}

/** The state after another segment. */
export function nextState(state: TcpState, fromInside: boolean, flags: number): TcpState {
  if ((flags & RST) !== 0) {
    // RFC 7857 section 7.1: the refusal of what came in uninvited prolongs nothing.
    return state === TcpState.Closed || state === TcpState.SynFromOutside ? state : TcpState.Reset
  }
  const syn = (flags & SYN) !== 0
  // RFC 7857 section 2.2: a RST may be forged; what follows one shows that the connection lives.
  if (state === TcpState.Reset || state === TcpState.Closed) {
    if (syn && (flags & ACK) === 0) return fromInside ? TcpState.SynFromInside : TcpState.SynFromOutside
    return state === TcpState.Reset ? TcpState.Established : state
  }
  if (state === TcpState.SynFromInside) return syn && !fromInside ? TcpState.Established : state
  if (state === TcpState.SynFromOutside) return syn && fromInside ? TcpState.Established : state
  if (state === TcpState.PickedUp) return fromInside ? state : TcpState.Established
  if ((flags & FIN) === 0) return state
  if (state === TcpState.Established) return fromInside ? TcpState.FinFromInside : TcpState.FinFromOutside
  const other = state === TcpState.FinFromInside ? !fromInside : fromInside
  return other ? TcpState.Closed : state
}

/**
 * Whether a segment that leaves the state as it is sets its timer back: any of a connection that
 * is open, and the next try of whoever opens one.
 */
export function prolongs(state: TcpState, fromInside: boolean): boolean {
  if (state === TcpState.SynFromOutside) return !fromInside
  if (state === TcpState.SynFromInside || state === TcpState.PickedUp) return fromInside
  return PHASES[state] === 'established'
}

/** A connection of a mapping. */
export class TcpSession {
  readonly address: number
  readonly port: number
  state: TcpState
  /** When it ends without another segment, in milliseconds of the clock. */
  endsAt = 0

  constructor(address: number, port: number, state: TcpState) {
    this.address = address
    this.port = port
    this.state = state
  }

  /**
   * Whether the inside has taken part: a SYN from outside alone neither holds a mapping nor opens a
   * filter.
   */
  get isWanted(): boolean {
    return this.state !== TcpState.SynFromOutside
  }
}
