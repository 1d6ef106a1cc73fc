/**
 * The groups of a router are reported, so that switches pass on what goes to them: RFC 4291 section
 * 2.8, RFC 9777 section 6.
 */
import { expect, test } from 'vitest'
import { type EthernetHost, ethernetHost, hex } from '../../ethernet.ts'
import { makeHost, TestLink } from '../../host.ts'

/** The groups in the MLDv2 reports among frames, with the type of their records. */
function reported(frames: readonly string[], header = 14): string[] {
  const groups = frames.flatMap((text) => {
    const bytes = Uint8Array.from((text.match(/../g) as string[]).map((pair) => Number.parseInt(pair, 16))).subarray(
      header,
    )
    if (bytes[6] !== 0 || bytes[48] !== 143) return []
    const count = (bytes[54] as number) * 256 + (bytes[55] as number)
    return Array.from({ length: count }, (_, at) => {
      const record = bytes.subarray(56 + at * 20, 76 + at * 20)
      return `${record[0]} ${hex(record.subarray(4))}`
    })
  })
  return [...new Set(groups)].sort()
}
const LINK = 'ff020000000000000000000000000002'
const SITE = 'ff050000000000000000000000000002'
const TO_EXCLUDE = 4
const TO_INCLUDE = 3
const IS_EXCLUDE = 2
const routers = (type: number) => [`${type} ${LINK}`, `${type} ${SITE}`]
const ofRouters = (all: readonly string[]) => all.filter((each) => /ff0[25]0{27}2$/.test(each))

/** A general query. */
function ask(host: EthernetHost): string[] {
  const body = [130, 0, 0, 0, 0, 1, 0, 0, ...new Array(16).fill(0), 2, 125, 0, 0]
  const source = [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe, 0, 0, 2]
  const all = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
  const words = [...source, ...all, 0, 0, 0, body.length, 0, 0, 0, 58, ...body]
  let sum = 0
  for (let at = 0; at < words.length; at += 2) sum += (words[at] as number) * 256 + (words[at + 1] as number)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  body[2] = (~sum >>> 8) & 255
  body[3] = ~sum & 255
  const ip = [0x60, 0, 0, 0, 0, 8 + body.length, 0, 1, ...source, ...all, 58, 0, 5, 2, 0, 0, 1, 0, ...body]
  host.link.receive(Uint8Array.from([0x33, 0x33, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x86, 0xdd, ...ip]))
  return reported(host.after(1000))
}

test('a router reports ff02::2 and ff05::2, at once and when it is asked', () => {
  const host = ethernetHost({ forwarding: true, quiet: false })
  expect(ofRouters(reported(host.after(5000)))).toEqual(routers(TO_EXCLUDE))
  expect(ofRouters(ask(host))).toEqual(routers(IS_EXCLUDE))
})

test('a host does not, until it advertises itself as a router and as long as it does', () => {
  const host = ethernetHost({ quiet: false })
  expect(ofRouters(reported(host.after(5000)))).toEqual([])
  host.nic.advertise({})
  expect(ofRouters(reported(host.after(5000)))).toEqual(routers(TO_EXCLUDE))
  host.nic.advertise({ interval: 5000 })
  expect(ofRouters(reported(host.after(5000)))).toEqual([])
  host.nic.advertise(null)
  expect(ofRouters(reported(host.after(5000)))).toEqual(routers(TO_INCLUDE))
  expect(ofRouters(ask(host))).toEqual([])
})

test('a router without IPv6 on a nic is in none there, and leaves with its last address', () => {
  const host = ethernetHost({ forwarding: true, quiet: false, addresses: ['10.0.0.1/24'], linkLocal: false })
  expect(reported(host.after(5000))).toEqual([])
  host.nic.addAddress('2001:db8::1/64')
  expect(ofRouters(reported(host.after(5000)))).toEqual(routers(TO_EXCLUDE))
  host.nic.mtu = 1000
  expect(ofRouters(reported(host.after(5000)))).toEqual(routers(TO_INCLUDE))
})

test('on a link without stations there is nobody to tell', () => {
  const { stack, clock } = makeHost({ forwarding: true })
  const other = new TestLink('eth1')
  stack.addNic(other, { addresses: ['2001:db8:9::1/64'] })
  clock.advance(5000)
  expect(ofRouters(reported(other.take().map(hex), 0))).toEqual([])
})
