/** SCTP on the wire: the common header, and the chunks by name. */
import { expect, test } from 'vitest'
import { Drop } from '../../src/base/drop.ts'
import { Packet } from '../../src/base/packet.ts'
import { describeLine, describe as inWords } from '../../src/describe.ts'
import * as ipv4 from '../../src/wire/ipv4.ts'
import * as sctp from '../../src/wire/sctp.ts'
import { fromHex, ipv4 as packet4 } from '../packet.ts'

/** Ports 5000 and 38412, tag 0x01020304; COOKIE ECHO of 5 bytes, padded, then DATA of 17 bytes. */
const packet = packet4(
  fromHex(`1388 960c 01020304 deadbeef  0a 00 0009 aabbccddee 000000
    00 03 0011 00000001 0000 0002 00000000 78 000000`),
  { protocol: 132 },
)

function load(bytes: Uint8Array): Packet {
  const lent = new Packet().load(bytes)
  expect(ipv4.parse(lent)).toBe(Drop.None)
  return lent
}

test('every field is read, and each chunk has its name', () => {
  const lent = load(packet)
  expect(sctp.parse(lent)).toBe(Drop.None)
  const { view, transport: at, end } = lent
  expect([sctp.sourcePort(view, at), sctp.destinationPort(view, at)]).toEqual([5000, 38_412])
  expect([sctp.verificationTag(view, at), sctp.checksum(view, at)]).toEqual([0x01020304, 0xdeadbeef])
  expect(sctp.describe(view, at, end)).toBe('SCTP 5000 > 38412 [COOKIE ECHO][DATA]')
  expect(Object.fromEntries(sctp.fields(view, at, end))).toEqual({
    'source port': '5000',
    'destination port': '38412',
    'verification tag': '0x01020304',
    checksum: '0xdeadbeef',
    chunks: '[COOKIE ECHO][DATA]',
  })
})

test('in a dump it stands behind its IP header, cut or whole', () => {
  expect(describeLine(inWords(packet))).toMatch(/^IPv4 .*, SCTP 5000 > 38412 \[COOKIE ECHO\]\[DATA\]$/)
  const short = packet4(packet.subarray(20, 28), { protocol: 132 })
  expect(describeLine(inWords(short))).toMatch(/, SCTP 5000 > 38412 \[SctpTooShort\]$/)
})

test('a chunk that no one knows is a number, and one without a length ends the list', () => {
  const { view, transport: at, end } = load(packet)
  view.setUint8(at + 12, 77)
  expect(sctp.chunksText(view, at, end)).toBe('[chunk 77][DATA]')
  view.setUint16(at + 14, 3)
  expect(sctp.chunksText(view, at, end)).toBe('[chunk 77]')
  view.setUint16(at + 14, 0xffff)
  expect(sctp.chunksText(view, at, end)).toBe('[chunk 77]')
  for (let cut = at + 8; cut <= end; cut++) {
    sctp.describe(view, at, cut)
    sctp.fields(view, at, cut)
  }
})
