import { describe, expect, test } from 'vitest'
import { type IcmpError, isTooBig } from '../../src/ip/icmp/icmp-error.ts'
import type { Endpoint } from '../../src/udp/endpoint.ts'
import { type Host, makeHost, open, PEER4, PEER6, send } from '../host.ts'
import { icmpPacket, pattern } from '../packet.ts'
import { slowChecksum } from '../twins/checksum.ts'

/** An MPLS label stack entry (RFC 4950): label 16, experimental 0, bottom of stack, TTL 1. */
const MPLS = [0, 8, 1, 1, 0, 1, 1, 1]

/** The header and objects, with the right checksum unless told otherwise. */
function structure(objects: readonly number[], version = 2, checksum?: number): number[] {
  const right = slowChecksum(Uint8Array.from([version << 4, 0, 0, 0, ...objects]))
  const sum = checksum ?? right
  return [version << 4, 0, sum >>> 8, sum & 255, ...objects]
}

describe.each([4, 6] as const)('ICMP extensions over IPv%i (RFC 4884)', (family) => {
  const peer = family === 4 ? PEER4 : PEER6
  const unit = family === 4 ? 4 : 8
  /** Byte 5 of ICMPv4, byte 4 of ICMPv6: the length attribute of section 4. */
  const lengthAttribute = (bytes: number) => (family === 4 ? (bytes / unit) << 16 : ((bytes / unit) << 24) >>> 0)

  function error(fields: {
    behind?: readonly number[]
    attribute?: number
    quote?: number
    payload?: number
    type?: number
  }): {
    host: Host
    endpoint: Endpoint
    errors: IcmpError[]
  } {
    const {
      behind = structure(MPLS),
      quote = 128,
      attribute = quote,
      type = family === 4 ? 11 : 3,
      payload = 8,
    } = fields
    const host = makeHost()
    const { endpoint, mailbox } = open(host.stack, family, 5000)
    send(endpoint, pattern(payload), peer, 9)
    const sent = host.link.take()[0] as Uint8Array
    const padded = [...sent.subarray(0, quote), ...new Array(Math.max(0, quote - sent.length)).fill(0)]
    host.link.receive(icmpPacket(type, 0, lengthAttribute(attribute), [...padded, ...behind], family))
    return { host, endpoint, errors: mailbox.errors.map((each) => each.error) }
  }

  test('ICMP extensions behind a quote that is padded to 128 bytes come with the error', () => {
    const { errors, host } = error({})
    expect(host.stack.drops).toEqual([])
    expect(errors.map(({ extensions, destinationPort }) => [destinationPort, extensions])).toEqual([
      [9, [{ class: 1, type: 1, payload: Uint8Array.from([0, 1, 1, 1]) }]],
    ])
  })

  test('ICMP extensions may be many, and be behind a longer quote', () => {
    const { errors } = error({
      behind: structure([...MPLS, 0, 4, 2, 9, 0, 12, 3, 1, 1, 2, 3, 4, 5, 6, 7, 8]),
      quote: 200,
      payload: 400,
    })
    expect(errors[0]?.extensions.map((each) => [each.class, each.type, each.payload.length])).toEqual([
      [1, 1, 4],
      [2, 9, 0],
      [3, 1, 8],
    ])
  })

  test('ICMP extensions without a checksum are taken', () => {
    expect(error({ behind: structure(MPLS, 2, 0) }).errors[0]?.extensions).toHaveLength(1)
  })

  test.each([
    ['of another version', { behind: structure(MPLS, 1) }],
    ['with a wrong checksum', { behind: structure(MPLS, 2, 0x1234) }],
    ['that are cut', { behind: structure(MPLS.slice(0, 6)) }],
    ['with an object of length 0', { behind: structure([0, 0, 1, 1]) }],
    ['without a length attribute, whatever follows the quote', { attribute: 0 }],
    ['behind fewer than 128 bytes', { quote: 96 }],
    ['that would begin behind the message', { attribute: family === 4 ? 1020 : 2040 }],
  ])('%s are none, and the error counts even so', (_, fields) => {
    const { errors, host } = error(fields)
    expect(errors.map(({ extensions }) => extensions)).toEqual([[]])
    expect(host.stack.drops).toEqual([])
  })

  test('ICMP extensions are not looked for in a too-big report, whose second word is the MTU', () => {
    const host = makeHost()
    const { endpoint, mailbox } = open(host.stack, family, 5000)
    send(endpoint, pattern(1400), peer, 9)
    const sent = host.link.take()[0] as Uint8Array
    host.link.receive(icmpPacket(family === 4 ? 3 : 2, family === 4 ? 4 : 0, 1300, sent.subarray(0, 200), family))
    const [report] = mailbox.errors.map((each) => each.error) as [IcmpError]
    expect([isTooBig(family, report.type, report.code), report.mtu, report.extensions]).toEqual([true, 1300, []])
  })
})
