/** IGMP on the wire: what Linux sent and tshark reads. */
import { describe, expect, test } from 'vitest'
import { Address } from '../../src/base/address.ts'
import { Drop } from '../../src/base/drop.ts'
import { HEADROOM, Packet } from '../../src/base/packet.ts'
import * as igmp from '../../src/wire/igmp.ts'
import { dirtyPackets } from '../dirty.ts'
import { having, ip4, load4 } from '../vectors/frames.ts'
import type { Vector } from '../vectors/read.ts'

const igmpVectors = having('igmp.type')

describe.each(igmpVectors)('IGMP: $name', (each: Vector) => {
  const lists = (field: string) => (each.text(field) === '' ? [] : each.text(field).split(','))

  test('every field is read', () => {
    const packet = load4(each)
    expect(igmp.parse(packet)).toBe(Drop.None)
    const { view, transport, end } = packet
    expect(igmp.type(view, transport)).toBe(each.number('igmp.type'))
    if (each.number('igmp.type') === igmp.REPORT_V3) return
    expect(ip4(igmp.group(view, transport))).toBe(each.text('igmp.maddr'))
    if (each.number('igmp.type') !== igmp.QUERY) return
    const version = igmp.queryVersion(view, transport, end)
    expect(version).toBe(each.number('igmp.version'))
    expect(igmp.maxResponse(view, transport, version)).toBe(each.number('igmp.max_resp') * 100)
    if (version < 3) return
    expect(igmp.robustness(view, transport)).toBe(each.number('igmp.qrv'))
    expect(igmp.queryInterval(view, transport)).toBe(each.number('igmp.qqic') * 1000)
    expect(igmp.sourceCount(view, transport)).toBe(each.number('igmp.num_src'))
    expect(lists('igmp.saddr')).toEqual(
      Array.from({ length: igmp.sourceCount(view, transport) }, (_, index) => ip4(igmp.source(view, transport, index))),
    )
  })

  test('and reports are written, into whatever was there before', () => {
    const type = each.number('igmp.type')
    if (type === igmp.QUERY) return
    const groups = lists('igmp.maddr').map(Address.parse)
    for (const dirty of dirtyPackets()) {
      let end = HEADROOM + igmp.HEADER
      if (type !== igmp.REPORT_V3) igmp.encode(dirty.view, HEADROOM, type, groups[0] as Address)
      else {
        const sources = lists('igmp.saddr').map(Address.parse)
        groups.forEach((group, index) => {
          const own = sources.splice(0, Number(lists('igmp.num_src')[index]))
          end = igmp.encodeRecord(dirty.view, end, Number(lists('igmp.record_type')[index]), group, own)
        })
        igmp.encodeReport(dirty.view, HEADROOM, end, groups.length)
      }
      expect(dirty.bytes.slice(HEADROOM, end)).toEqual(each.bytes.slice(14 + 24))
    }
  })

  test('no truncation passes, and no flipped bit', () => {
    const whole = load4(each)
    for (let length = 0; length < whole.end - whole.transport; length++) {
      const packet = load4(each)
      packet.end = packet.transport + length
      expect(igmp.parse(packet), `${length} bytes`).toBe(Drop.GroupReportMalformed)
    }
    for (let at = whole.transport; at < whole.end; at++) {
      whole.bytes[at] = (whole.bytes[at] as number) ^ 4
      expect(igmp.parse(whole)).toBe(Drop.GroupReportMalformed)
      whole.bytes[at] = (whole.bytes[at] as number) ^ 4
    }
  })
})

test('IGMP: from 128 on a mantissa and an exponent (RFC 9776 section 4.1.1)', () => {
  expect([0, 127, 128, 0x8f, 0x90, 0xff].map(igmp.floatCode)).toEqual([0, 127, 128, 248, 256, 31_744])
})

test('IGMPv1 has none: ten seconds', () => {
  expect(igmp.maxResponse(new Packet().view, 0, 1)).toBe(10_000)
})
