/** The errors by name, with the type and code that the RFCs give them. */
import { expect, test } from 'vitest'
import { ErrorReason, problemReason } from '../../../src/ip/icmp/error-reasons.ts'

/** Type and code in ICMP (IANA "ICMP Type Numbers") and in ICMPv6. */
const EXPECTED: Record<keyof typeof ErrorReason, readonly [string | null, string | null]> = {
  PortUnreachable: ['3/3', '1/4'],
  ProtocolUnreachable: ['3/2', '4/1'],
  HostUnreachable: ['3/1', '1/3'],
  NoRoute: ['3/0', '1/0'],
  Prohibited: ['3/13', '1/1'],
  BeyondScope: [null, '1/2'],
  SourceRouteFailed: ['3/5', null],
  TooBig: ['3/4', '2/0'],
  HopLimitExceeded: ['11/0', '3/0'],
  ReassemblyTimeExceeded: ['11/1', '3/1'],
  ErroneousField: ['12/0', '4/0'],
  UnknownOption: [null, '4/2'],
  IncompleteHeaderChain: [null, '4/3'],
  Redirect: ['5/1', null],
}

const text = (form: { type: number; code: number } | null) => (form === null ? null : `${form.type}/${form.code}`)

test('every reason to send an error has the type and code of its RFC in both families', () => {
  const found = Object.entries(ErrorReason).map(([name, { four, six }]) => [name, [text(four), text(six)]])
  expect(Object.fromEntries(found)).toEqual(EXPECTED)
})

test('a pointer is the first byte of the second word in ICMP, and all of it in ICMPv6', () => {
  const { four, six } = ErrorReason.ErroneousField
  expect([four.shift, six.shift]).toEqual([24, 0])
})

test('a problem that a drop left in the packet has the reason with its code', () => {
  for (const code of [0, 1, 2, 3]) expect(problemReason(code).six).toMatchObject({ type: 4, code })
})
