/** Multicast Listener Discovery on the wire: what Linux sent and tshark reads. */
import { describe, expect, test } from 'vitest'
import { Address, formatWords } from '../../src/base/address.ts'
import { Drop } from '../../src/base/drop.ts'
import { Packet } from '../../src/base/packet.ts'
import * as mld from '../../src/wire/mld.ts'
import { having, load6 } from '../vectors/frames.ts'
import type { Vector } from '../vectors/read.ts'

describe.each(having('icmpv6.mld.multicast_address').concat(having('icmpv6.mldr.nb_mcast_records')))(
  'MLD: $name',
  (each: Vector) => {
    test('every field is read', () => {
      const packet = load6(each)
      expect(mld.parse(packet)).toBe(Drop.None)
      const { view, bytes, transport, end } = packet
      if (each.number('icmpv6.type') === mld.REPORT_V2) return
      const group = formatWords(
        mld.group(view, transport, 0),
        mld.group(view, transport, 1),
        mld.group(view, transport, 2),
        mld.group(view, transport, 3),
      )
      expect(group).toBe(each.text('icmpv6.mld.multicast_address'))
      if (each.number('icmpv6.type') !== mld.QUERY) return
      const version = mld.queryVersion(end, transport)
      expect(version).toBe(each.text('icmpv6.mld.nb_sources') === '' ? 1 : 2)
      const shown = each.text('icmpv6.mld.maximum_response_delay') || each.text('icmpv6.mld.maximum_response_code')
      expect(mld.maxResponse(view, transport, version)).toBe(Number(shown))
      if (version === 1) return
      expect(mld.robustness(view, transport)).toBe(each.number('icmpv6.mld.flag.qrv'))
      expect(mld.queryInterval(view, transport)).toBe(each.number('icmpv6.mld.qqi') * 1000)
      const source = mld.sourceAt(transport, 0)
      expect(Address.fromBytes(bytes.subarray(source, source + 16)).toString()).toBe(
        each.text('icmpv6.mld.source_address'),
      )
    })

    test('no truncation passes, nor hop limit 2, nor a missing router alert, nor a source beyond the link', () => {
      const whole = load6(each)
      for (let length = 8; length < whole.end - whole.transport; length++) {
        const packet = load6(each)
        packet.end = packet.transport + length
        // Cut to 24 bytes a query is one of version 1, and a version 2 report's records are the
        // routers' business.
        const isWhole =
          each.number('icmpv6.type') === mld.REPORT_V2 || (each.number('icmpv6.type') === mld.QUERY && length === 24)
        expect(mld.parse(packet), `${length} bytes`).toBe(isWhole ? Drop.None : Drop.GroupReportMalformed)
      }
      const far = load6(each)
      far.hopLimit = 2
      expect(mld.parse(far)).toBe(Drop.GroupReportMalformed)
      const silent = load6(each)
      silent.bytes[silent.network + 42] = 1
      silent.bytes.fill(0, silent.network + 44, silent.network + 46)
      expect(mld.parse(silent)).toBe(Drop.GroupReportMalformed)
      const forRsvp = load6(each)
      forRsvp.bytes[forRsvp.network + 45] = 1
      expect(mld.parse(forRsvp)).toBe(Drop.GroupReportMalformed)
      const global = load6(each)
      global.s0 = 0x20010db8
      expect(mld.parse(global)).toBe(Drop.GroupReportMalformed)
    })

    test('a query from nobody is refused, a report is not', () => {
      const packet = load6(each)
      packet.s0 = packet.s1 = packet.s2 = packet.s3 = 0
      expect(mld.parse(packet)).toBe(each.number('icmpv6.type') === mld.QUERY ? Drop.GroupReportMalformed : Drop.None)
    })
  },
)

test('MLD: from 32768 on (RFC 9777 section 5.1.3)', () => {
  const { view } = new Packet()
  const of = (code: number) => {
    view.setUint16(4, code)
    return mld.maxResponse(view, 0, 2)
  }
  expect([1, 32_767, 0x8000, 0x8fff, 0xffff].map(of)).toEqual([1, 32_767, 32_768, 65_528, 8_387_584])
})
