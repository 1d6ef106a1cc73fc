/**
 * Addresses that a host makes for itself: stable and private ones (RFC 7217), and temporary ones
 * (RFC 8981).
 */
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { Address } from '../../../src/base/address.ts'
import type { Random } from '../../../src/base/random.ts'
import { InterfaceIdentifiers } from '../../../src/ip/nd/interface-identifier.ts'
import { type NicOptions, Stack, type StackOptions } from '../../../src/stack.ts'
import {
  advertisement,
  bytesOf,
  bytesOfMac,
  type EthernetHost,
  ethernetHost,
  OUR_MAC,
  prefixOption,
  routerAdvertisement,
} from '../../ethernet.ts'
import { open, send } from '../../host.ts'
import { icmpType, inFrame, source } from '../../packet.ts'

const PREFIX = '2001:db8:77::'
const OTHER = '2001:db8:78::'
const EUI64 = '2001:db8:77::ff:fe00:1'
const SECRET = '000102030405060708090a0b0c0d0e0f'
const HOUR = 3_600_000
const DAY = 24 * HOUR

const hostOf = (options: StackOptions & NicOptions & { quiet?: boolean } = {}) =>
  ethernetHost({ addresses: [], acceptRouterAdvertisements: true, ...options })
const hear = (host: EthernetHost, valid = 30 * 86_400, preferred = 7 * 86_400, prefix = PREFIX) =>
  host.link.receive(routerAdvertisement({ options: prefixOption(prefix, 64, valid, preferred) }))
const all = ({ nic }: EthernetHost) => nic.addresses.filter(({ address }) => address.family === 6)
const linkLocals = (host: EthernetHost) =>
  all(host)
    .filter(({ address }) => address.isLinkLocal)
    .map(({ address }) => `${address}`)
const globals = (host: EthernetHost) => all(host).filter(({ address }) => !address.isLinkLocal)
const stable = (host: EthernetHost) =>
  globals(host)
    .filter(({ temporary }) => !temporary)
    .map(({ address }) => `${address}`)
const temporary = (host: EthernetHost) => globals(host).filter((each) => each.temporary)
const preferred = (host: EthernetHost) =>
  temporary(host)
    .filter(({ deprecated }) => !deprecated)
    .map(({ address }) => `${address}`)

/** RFC 7217's F, by the obvious code: SHA-256 over secret, prefix, hardware address and counter. */
function f(prefix: string, counter: number): string {
  const input = Buffer.concat([
    Buffer.from(SECRET, 'hex'),
    Buffer.from(bytesOf(prefix).slice(0, 8)),
    Buffer.from([...bytesOfMac(OUR_MAC), 0, 0, 0, counter]),
  ])
  const digest = createHash('sha256').update(input).digest()
  return Address.fromBytes([...bytesOf(prefix).slice(0, 8), ...digest.subarray(0, 8)]).toString()
}

describe('stable-privacy (RFC 7217)', () => {
  const options = { addressGeneration: 'stable-privacy', stableSecret: SECRET } as const

  test('makes the link-local address and those of prefixes of the secret, another one of each prefix', () => {
    const host = hostOf(options)
    hear(host)
    hear(host, 7200, 3600, OTHER)
    expect(linkLocals(host)).toEqual([f('fe80::', 0)])
    expect(stable(host)).toEqual([f(PREFIX, 0), f(OTHER, 0)])
    expect(temporary(host)).toEqual([])
    host.nic.link.close()
    const again = hostOf(options)
    hear(again)
    expect(stable(again)).toEqual([f(PREFIX, 0)])
  })

  test('draws a secret when none is given, and asks the stack for what is not said of the nic', () => {
    const one = hostOf({ addressGeneration: 'stable-privacy' })
    const two = hostOf({ addressGeneration: 'stable-privacy', stableSecret: 'f'.repeat(32) })
    for (const host of [one, two]) hear(host)
    expect(stable(one)).toHaveLength(1)
    expect(stable(one)).not.toEqual(stable(two))
    expect(stable(one)).not.toEqual([EUI64])
    const nic = one.stack.addNic(two.link, { name: 'eth1', addressGeneration: 'eui64' })
    expect(nic.addresses.map(({ address }) => `${address}`)).toEqual(['fe80::ff:fe00:1'])
  })

  test('tries three others when another station has the address, and then no more', () => {
    const host = hostOf({ ...options, dad: true, quiet: false })
    host.after(3000)
    hear(host)
    for (let counter = 0; counter <= 3; counter++) {
      expect(host.nic.tentativeAddresses.map(({ address }) => `${address}`)).toEqual([f(PREFIX, counter)])
      host.after(500)
      host.link.receive(advertisement(f(PREFIX, counter), 0, { destination: 'ff02::1' }))
    }
    expect(host.nic.tentativeAddresses).toEqual([])
    host.after(10_000)
    expect(stable(host)).toEqual([])
  })

  test('does so for the link-local address, but for none that was given', () => {
    const host = hostOf({ ...options, dad: true, quiet: false })
    host.link.receive(advertisement(f('fe80::', 0), 0, { destination: 'ff02::1' }))
    host.after(5000)
    expect(linkLocals(host)).toEqual([f('fe80::', 1)])
    const given = hostOf({ ...options, dad: true, quiet: false, addresses: ['fe80::7/64'] })
    given.link.receive(advertisement('fe80::7', 0, { destination: 'ff02::1' }))
    given.after(5000)
    expect(linkLocals(given)).toEqual([])
  })

  test('an EUI-64 address that another station has is not replaced (RFC 4862 section 5.4.5)', () => {
    const host = hostOf({ dad: true, quiet: false })
    host.after(3000)
    hear(host)
    host.link.receive(advertisement(EUI64, 0, { destination: 'ff02::1' }))
    expect(host.nic.tentativeAddresses).toEqual([])
  })
})

test('no identifier is a reserved one (RFC 5453)', () => {
  const words = [0, 0, 0xfdffffff, 0xffffff85, 0x02005eff, 0xfe000001, 0x11112222, 0x33334444]
  const random = { uint32: () => words.shift() as number } as Random
  const identifiers = new InterfaceIdentifiers('eui64', 0x0200, 1, random, null)
  expect(`${identifiers.temporary(Address.parse(PREFIX))}`).toBe('2001:db8:77:0:1111:2222:3333:4444')
})

describe('temporary addresses (RFC 8981)', () => {
  const options = { temporaryAddresses: true } as const

  test('are not there unless asked for', () => {
    const host = hostOf()
    hear(host)
    expect(globals(host).map(({ address }) => `${address}`)).toEqual([EUI64])
  })

  test('stand beside the stable one, and are preferred as sources (RFC 6724 rule 7)', () => {
    const host = hostOf(options)
    hear(host)
    expect(stable(host)).toEqual([EUI64])
    expect(temporary(host)).toHaveLength(1)
    const { endpoint } = open(host.stack, 6)
    host.take()
    send(endpoint, Uint8Array.of(1), '2001:db8:77::9', 7)
    const asked = host.take().find((each) => icmpType(inFrame(each)) === 135) as string
    expect(source(inFrame(asked))).toBe(preferred(host)[0] as string)
    hear(host)
    expect(temporary(host)).toHaveLength(1)
  })

  test('are preferred for a day at most, replaced 5 seconds before, and gone after two, while routers go on', () => {
    const host = hostOf(options)
    const seen = new Map<string, { since: number; preferred: number; valid: number }>()
    for (let at = 0; at < 6 * DAY; at += HOUR / 2) {
      hear(host)
      for (const { address, deprecated } of temporary(host)) {
        const entry = seen.get(`${address}`) ?? { since: at, preferred: at, valid: at }
        seen.set(`${address}`, entry)
        entry.valid = at
        if (!deprecated) entry.preferred = at
      }
      expect(preferred(host)).toHaveLength(1)
      expect(temporary(host).length).toBeLessThanOrEqual(4)
      host.after(HOUR / 2)
    }
    const ended = [...seen.values()].filter(({ since, valid }) => valid < 6 * DAY - HOUR && since < 3 * DAY)
    expect(ended.length).toBeGreaterThanOrEqual(3)
    for (const { since, preferred, valid } of ended) {
      expect(preferred - since).toBeLessThanOrEqual(DAY)
      expect(preferred - since).toBeGreaterThanOrEqual(0.6 * DAY - HOUR)
      expect(valid - since).toBeLessThanOrEqual(2 * DAY)
      expect(valid - since).toBeGreaterThanOrEqual(2 * DAY - HOUR)
    }
  })

  test('live no longer than the prefix, and are not made for one that is about to be deprecated', () => {
    const host = hostOf(options)
    hear(host, 7200, 60)
    expect(preferred(host)).toHaveLength(1)
    host.after(60_000)
    expect(preferred(host)).toEqual([])
    expect(temporary(host)).toHaveLength(1)
    host.after(7_140_000)
    expect(globals(host)).toEqual([])
    hear(host, 7200, 5, OTHER)
    expect(stable(host)).toHaveLength(1)
    expect(temporary(host)).toEqual([])
  })

  test('do not pile up however often a router changes its mind', () => {
    const host = hostOf(options)
    for (let i = 0; i < 500; i++) {
      hear(host, 86_400, i % 2 === 0 ? 0 : 10)
      host.after(1000)
    }
    expect(temporary(host)).toHaveLength(1)
  })

  test('are drawn anew, three times at most, when another station has them', () => {
    const host = hostOf({ ...options, dad: true, quiet: false })
    host.after(3000)
    hear(host)
    const tried = new Set<string>()
    for (let i = 0; i <= 3; i++) {
      const [added, ...more] = host.nic.tentativeAddresses.filter((each) => each.temporary)
      expect(more).toEqual([])
      tried.add(`${added?.address}`)
      host.link.receive(advertisement(`${added?.address}`, 0, { destination: 'ff02::1' }))
    }
    expect(tried.size).toBe(4)
    expect(host.nic.tentativeAddresses.filter((each) => each.temporary)).toEqual([])
    host.after(3000)
    expect(stable(host)).toEqual([EUI64])
  })

  test('go with the nic, and its IPv6', () => {
    const host = hostOf(options)
    hear(host)
    host.nic.mtu = 1000
    expect(all(host)).toEqual([])
    host.after(3 * DAY)
    expect(all(host)).toEqual([])
    host.stack.close()
    expect(host.after(3 * DAY)).toEqual([])
  })
})

test('what cannot be is refused, with what is allowed', () => {
  expect(() => new Stack({ addressGeneration: 'random' as 'eui64' })).toThrow(
    /addressGeneration 'random' is unknown: expected 'eui64' or 'stable-privacy'/,
  )
  const host = hostOf()
  const { link } = hostOf()
  expect(() => host.stack.addNic(link, { name: 'eth1', stableSecret: '12' })).toThrow(
    /stableSecret has to be 32 hexadecimal digits/,
  )
  expect(() => host.stack.addNic(link, { name: 'eth1', addressGeneration: '' as 'eui64' })).toThrow(TypeError)
})
