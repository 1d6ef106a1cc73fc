/** The states of a TCP connection in a NAT: RFC 6146 section 3.5.2, RFC 7857 section 2. */
import { expect, test } from 'vitest'
import {
  firstState,
  nextState,
  phaseOf,
  prolongs,
  stateName,
  type TcpState,
} from '../../../src/network/nat/tcp-session.ts'

const BITS: Record<string, number> = { F: 1, S: 2, R: 4, P: 8, '.': 16 }

/** `>S <S. >.`: segments from inside and from outside, by their flags. */
function states(segments: string): string[] {
  let state: TcpState | -1 = -1
  return segments.split(' ').map((segment) => {
    const fromInside = segment[0] === '>'
    const flags = [...segment.slice(1)].reduce((bits, letter) => bits | (BITS[letter] as number), 0)
    state = state === -1 ? firstState(fromInside, flags) : nextState(state, fromInside, flags)
    return state === -1 ? 'none' : stateName(state)
  })
}

test.each([
  ['the handshake from inside', '>S <S. >.', ['SYN from inside', 'established', 'established']],
  ['the handshake from outside', '<S >S. <.', ['SYN from outside', 'established', 'established']],
  ['a simultaneous open', '>S <S >S. <S.', ['SYN from inside', 'established', 'established', 'established']],
  ['a SYN that is sent again', '>S >S <.', ['SYN from inside', 'SYN from inside', 'SYN from inside']],
  ['a refusal', '>S <R.', ['SYN from inside', 'reset']],
  ['another try after it', '>S <R. >S <S.', ['SYN from inside', 'reset', 'SYN from inside', 'established']],
  [
    'a close from inside',
    '>S <S. >F. <. <F. >.',
    ['SYN from inside', 'established', 'FIN from inside', 'FIN from inside', 'closed', 'closed'],
  ],
  [
    'a close from outside, half open for long',
    '>S <S. <F. >P. >F. <.',
    ['SYN from inside', 'established', 'FIN from outside', 'FIN from outside', 'closed', 'closed'],
  ],
  [
    'a FIN that is sent again',
    '>S <S. >F. >F.',
    ['SYN from inside', 'established', 'FIN from inside', 'FIN from inside'],
  ],
  [
    'the same ports anew',
    '>S <S. >F. <F. <R >S',
    ['SYN from inside', 'established', 'FIN from inside', 'closed', 'closed', 'SYN from inside'],
  ],
  ['a RST that was forged', '>S <S. <R >P. ', ['SYN from inside', 'established', 'reset', 'established']],
  ['a RST and another', '>S <S. >R <R', ['SYN from inside', 'established', 'reset', 'reset']],
  ['what was there before', '>P. >P. <.', ['picked up', 'picked up', 'established']],
  ['what begins nothing', '>R <. <R. <F. <S', ['none', 'none', 'none', 'none', 'SYN from outside']],
] as const)('%s', (_what, segments, expected) => {
  expect(states(segments.trim())).toEqual(expected)
})

test('the timer is the long one while either side may send', () => {
  expect([0, 1, 2, 3, 4, 5, 6, 7].map((state) => phaseOf(state as TcpState))).toEqual([
    ...['opening', 'opening', 'opening'],
    ...['established', 'established', 'established'],
    ...['closing', 'closing'],
  ])
})

test('both sides prolong an open connection, its opener alone one that opens, nobody one that closes', () => {
  const all = [0, 1, 2, 3, 4, 5, 6, 7] as TcpState[]
  expect(all.map((state) => prolongs(state, true))).toEqual([true, false, true, true, true, true, false, false])
  expect(all.map((state) => prolongs(state, false))).toEqual([false, true, false, true, true, true, false, false])
})
