/** Vectors of Linux's frames, as the codecs get them. */
import { expect } from 'vitest'
import { formatWords } from '../../src/base/address.ts'
import { Drop } from '../../src/base/drop.ts'
import { Packet } from '../../src/base/packet.ts'
import * as icmpv6 from '../../src/wire/icmpv6.ts'
import * as ipv4 from '../../src/wire/ipv4.ts'
import * as ipv6 from '../../src/wire/ipv6.ts'
import { readVectors, type Vector } from './read.ts'

/** Ethernet frames that Linux sent. */
export const frames = readVectors('ethernet')

/** Those of which tshark shows the field. */
export const having = (field: string) => frames.filter((each) => each.text(field) !== '')

export const ip4 = (word: number) => formatWords(0, 0, 0xffff, word)

/** Behind the Ethernet header. */
export function load(each: Vector): Packet {
  const packet = new Packet().load(each.bytes)
  packet.start += 14
  return packet
}

/** Behind the IPv4 header. */
export function load4(each: Vector): Packet {
  const packet = load(each)
  expect(ipv4.parse(packet)).toBe(Drop.None)
  return packet
}

/** An ICMPv6 message, its checksum verified. */
export function load6(each: Vector): Packet {
  const packet = load(each)
  expect(ipv6.parse(packet)).toBe(Drop.None)
  expect(ipv6.walk(packet)).toBe(Drop.None)
  expect(icmpv6.parse(packet)).toBe(Drop.None)
  return packet
}
