/**
 * Neighbor Discovery of a host on Ethernet: RFC 4861 section 7, RFC 4862 section 5.4. The states'
 * timers are tested in `arp.test.ts`.
 */
import { describe, expect, test } from 'vitest'
import { Address } from '../../src/base/address.ts'
import type { AddressEvent } from '../../src/ip/nic/nic.ts'
import {
  advertisement,
  bytesOf,
  type EthernetHost,
  ethernetHost,
  frame,
  groupMac6,
  hex,
  linkOption,
  ndFrame,
  OTHER_MAC,
  OUR_LINK_LOCAL,
  OUR_MAC,
  OUR6,
  OVERRIDE,
  PEER_LINK_LOCAL,
  PEER_MAC,
  PEER6,
  ROUTER,
  SOLICITED,
  solicitation,
  solicitedNode,
} from '../ethernet.ts'
import { dropCount, HOST6, makeHost, open, send } from '../host.ts'
import { datagram, fragmentHeader, icmp, icmpPacket, inFrame, ipv6, isUdp, macDestination } from '../packet.ts'
import { readVectors, vector } from '../vectors/read.ts'

const vectors = readVectors('ethernet')
const SOLICITATION = hex(vector(vectors, 'neighbor solicitation for an address').bytes)

/** What we say. */
const ours = (type: number, rest: number, body: readonly number[], destination: string, source: string, to: string) =>
  hex(ndFrame(type, rest, body, { destination, source, mac: OUR_MAC, to }))
const answer = (target: string, flags: number, destination: string, to: string) =>
  ours(136, flags << 24, [...bytesOf(target), ...linkOption(2, OUR_MAC)], destination, target, to)
const probe = (target: string) =>
  ours(135, 0, bytesOf(target), solicitedNode(target), '::', groupMac6(solicitedNode(target)))
const carriesUdp = (each: string) => isUdp(inFrame(each))
const neighbor = ({ stack }: EthernetHost, address = PEER6) => stack.neighbors.find((each) => each.address === address)

function say(host: EthernetHost, to = PEER6, nic = 0): string {
  const { endpoint } = open(host.stack, 6)
  const error = send(endpoint, Uint8Array.of(0x41), to, 7, null, nic)
  endpoint.close()
  return error
}

function resolved(host: EthernetHost): void {
  say(host)
  host.link.receive(advertisement(PEER6, SOLICITED | OVERRIDE))
  host.take()
  expect(neighbor(host)?.state).toBe('REACHABLE')
}

describe('a packet for a host that is not known', () => {
  test('makes the solicitation that Linux makes, and waits for the advertisement', () => {
    const host = ethernetHost()
    expect(say(host)).toBe('')
    expect(host.take()).toEqual([SOLICITATION])
    host.link.receive(vector(vectors, 'neighbor advertisement that answers it').bytes)
    const sent = host.take()
    expect(sent.map(carriesUdp)).toEqual([true])
    expect(sent[0]?.startsWith('02000000000202000000000186dd6')).toBe(true)
    expect(neighbor(host)).toEqual({
      nic: 'eth0',
      address: PEER6,
      hardwareAddress: PEER_MAC,
      state: 'REACHABLE',
      router: false,
    })
  })

  test('is asked for three times, from the address it comes from, and then given up with address unreachable', () => {
    const host = ethernetHost()
    const { endpoint, mailbox } = open(host.stack, 6)
    endpoint.receiveErrors = true
    send(endpoint, Uint8Array.of(1), PEER6, 7)
    expect(host.take()).toEqual([SOLICITATION])
    expect(host.after(3000)).toEqual([SOLICITATION, SOLICITATION])
    expect(neighbor(host)?.state).toBe('FAILED')
    expect(dropCount(host.stack, 'NeighborUnreachable')).toBe(1)
    expect(
      mailbox.errors.map(({ error, errno }) => [error.type, error.code, error.offender.toString(), errno]),
    ).toEqual([[1, 3, OUR6, 'EHOSTUNREACH']])
  })

  test('from our link-local address is asked for, and given up, there', () => {
    const host = ethernetHost()
    const { endpoint, mailbox } = open(host.stack, 6)
    endpoint.receiveErrors = true
    send(endpoint, Uint8Array.of(1), PEER_LINK_LOCAL, 7, null, host.nic.index)
    const body = [...bytesOf(PEER_LINK_LOCAL), ...linkOption(1, OUR_MAC)]
    const group = solicitedNode(PEER_LINK_LOCAL)
    expect(host.take()).toEqual([ours(135, 0, body, group, OUR_LINK_LOCAL, groupMac6(group))])
    host.after(4000)
    expect(mailbox.errors.map(({ errno }) => errno)).toEqual(['EHOSTUNREACH'])
  })

  test('to a group needs no neighbor', () => {
    const host = ethernetHost()
    say(host, 'ff15::1:2345:6789', host.nic.index)
    expect(macDestination(host.take()[0] as string)).toBe('33:33:23:45:67:89')
    expect(host.stack.neighbors).toEqual([])
  })
})

describe('a solicitation', () => {
  test('for an address of ours is answered, and its sender is known then', () => {
    const host = ethernetHost()
    host.link.receive(solicitation(OUR6))
    expect(host.take()).toEqual([answer(OUR6, SOLICITED | OVERRIDE, PEER6, PEER_MAC)])
    // Heard of, and sent to at once: delayed, until it is probed.
    expect(neighbor(host)).toMatchObject({ state: 'DELAY', hardwareAddress: PEER_MAC })
    host.link.receive(solicitation(OUR_LINK_LOCAL, { source: PEER_LINK_LOCAL }))
    expect(host.take()).toEqual([answer(OUR_LINK_LOCAL, SOLICITED | OVERRIDE, PEER_LINK_LOCAL, PEER_MAC)])
  })

  test('sent to our address alone, without a hardware address, is answered to the one that is known', () => {
    const host = ethernetHost()
    resolved(host)
    host.link.receive(solicitation(OUR6, { destination: OUR6, option: [], mac: OTHER_MAC }))
    expect(host.take()).toEqual([answer(OUR6, SOLICITED | OVERRIDE, PEER6, PEER_MAC)])
    expect(neighbor(host)?.hardwareAddress).toBe(PEER_MAC)
  })

  test('from a host whose address changed makes the new one doubtful, and known', () => {
    const host = ethernetHost()
    resolved(host)
    host.link.receive(solicitation(OUR6, { mac: OTHER_MAC }))
    expect(neighbor(host)).toMatchObject({ hardwareAddress: OTHER_MAC, state: 'DELAY' })
  })

  test('from nobody is answered to all: somebody tries our address (RFC 4861 section 7.2.4)', () => {
    const host = ethernetHost()
    host.link.receive(solicitation(OUR6, { source: '::', option: [] }))
    expect(host.take()).toEqual([answer(OUR6, OVERRIDE, 'ff02::1', groupMac6('ff02::1'))])
    expect(host.stack.neighbors).toEqual([])
  })

  test('for an address that is not ours, though its group is, stays unanswered', () => {
    const host = ethernetHost()
    host.link.receive(solicitation('2001:db8:5::1'))
    expect(host.take()).toEqual([])
    expect(dropCount(host.stack, 'NdIgnored')).toBe(1)
    expect(host.stack.neighbors).toEqual([])
  })

  test('for a group that we are not in is not even read', () => {
    const host = ethernetHost()
    host.link.receive(solicitation('2001:db8::5'))
    expect(dropCount(host.stack, 'IpNotMember')).toBe(1)
  })

  test('of a router is answered with the router flag', () => {
    const host = ethernetHost({ forwarding: true })
    host.link.receive(solicitation(OUR6))
    expect(host.take()).toEqual([answer(OUR6, ROUTER | SOLICITED | OVERRIDE, PEER6, PEER_MAC)])
  })
})

describe('messages that are discarded by name', () => {
  const target = [...bytesOf(OUR6), ...linkOption(1, PEER_MAC)]

  test.each([
    ['a hop limit of 254: a router was in between', solicitation(OUR6, { hopLimit: 254 })],
    ['a code that is not 0', ndFrame(135, 0, target, { code: 1 })],
    ['a message that is cut', ndFrame(135, 0, bytesOf(OUR6).slice(0, 15))],
    ['an option of length 0', ndFrame(135, 0, [...bytesOf(OUR6), 1, 0, 0, 0, 0, 0, 0, 0])],
    ['an option beyond the end', ndFrame(135, 0, [...bytesOf(OUR6), 1, 2, 0, 0, 0, 0, 0, 0])],
    ['a multicast target', solicitation('ff02::1', { destination: OUR6 })],
    ['a solicitation from nobody to us alone', ndFrame(135, 0, bytesOf(OUR6), { source: '::' })],
    ['a solicited advertisement to all', advertisement(PEER6, SOLICITED, { destination: 'ff02::1' })],
    [
      'a router solicitation from nobody with a hardware address',
      ndFrame(133, 0, linkOption(1, PEER_MAC), { source: '::' }),
    ],
    ['a router advertisement from a global address', ndFrame(134, 0, new Array(8).fill(0))],
  ])('%s', (_, bytes) => {
    const host = ethernetHost()
    host.link.receive(bytes)
    expect(dropCount(host.stack, 'NdMalformed')).toBe(1)
    expect(host.stack.counters.Icmp6InErrors).toBe(1)
    expect(host.take()).toEqual([])
    expect(host.stack.neighbors).toEqual([])
  })

  test('one that came in a fragment, even an atomic one (RFC 6980)', () => {
    const host = ethernetHost()
    const message = icmp(135, 0, 0, target, 6, { source: PEER6, destination: OUR6 })
    const packet = ipv6([...fragmentHeader(58, 0, false), ...message], {
      next: 44,
      hopLimit: 255,
      source: PEER6,
      destination: OUR6,
    })
    host.link.receive(frame(OUR_MAC, PEER_MAC, 0x86dd, packet))
    expect(dropCount(host.stack, 'NdMalformed')).toBe(1)
    expect(host.take()).toEqual([])
  })

  test('router messages where they mean nothing', () => {
    const host = ethernetHost()
    const router = ndFrame(134, 1800, new Array(8).fill(0), { source: PEER_LINK_LOCAL })
    host.link.receive(router, ndFrame(133, 0, [], { source: PEER_LINK_LOCAL }))
    expect(dropCount(host.stack, 'NdIgnored')).toBe(2)
    expect(host.take()).toEqual([])
  })
})

describe('an advertisement (RFC 4861 section 7.2.5)', () => {
  const state = (host: EthernetHost) => [neighbor(host)?.hardwareAddress, neighbor(host)?.state]

  test('that nobody asked for makes no entry', () => {
    const host = ethernetHost()
    host.link.receive(advertisement(PEER6, OVERRIDE, { destination: 'ff02::1' }))
    expect(host.stack.neighbors).toEqual([])
  })

  test('of a host that was given up changes nothing: it has to be asked for anew', () => {
    const host = ethernetHost()
    say(host)
    host.after(3000)
    host.link.receive(advertisement(PEER6, OVERRIDE, { destination: 'ff02::1' }))
    expect(neighbor(host)).toMatchObject({ state: 'FAILED', hardwareAddress: null })
  })

  test('that is not solicited completes an entry as stale', () => {
    const host = ethernetHost()
    say(host)
    host.link.receive(advertisement(PEER6, 0, { destination: 'ff02::1' }))
    expect(state(host)).toEqual([PEER_MAC, 'DELAY'])
    expect(host.take().filter(carriesUdp)).toHaveLength(1)
  })

  test('without a hardware address completes nothing', () => {
    const host = ethernetHost()
    say(host)
    host.link.receive(advertisement(PEER6, SOLICITED | OVERRIDE, { option: [] }))
    expect(neighbor(host)?.state).toBe('INCOMPLETE')
  })

  test('of another address without override only casts doubt', () => {
    const host = ethernetHost()
    resolved(host)
    host.link.receive(advertisement(PEER6, SOLICITED, { mac: OTHER_MAC }))
    expect(state(host)).toEqual([PEER_MAC, 'STALE'])
    host.link.receive(advertisement(PEER6, SOLICITED, { mac: OTHER_MAC }))
    expect(state(host)).toEqual([PEER_MAC, 'STALE'])
  })

  test('of another address with override replaces it: reachable when solicited, else stale', () => {
    const host = ethernetHost()
    resolved(host)
    host.link.receive(advertisement(PEER6, OVERRIDE, { mac: OTHER_MAC, destination: 'ff02::1' }))
    expect(state(host)).toEqual([OTHER_MAC, 'STALE'])
    host.link.receive(advertisement(PEER6, SOLICITED | OVERRIDE))
    expect(state(host)).toEqual([PEER_MAC, 'REACHABLE'])
  })

  test('of the same address confirms when solicited, and changes nothing otherwise', () => {
    const host = ethernetHost()
    resolved(host)
    host.after(45_001)
    host.link.receive(advertisement(PEER6, OVERRIDE, { destination: 'ff02::1' }))
    expect(state(host)).toEqual([PEER_MAC, 'STALE'])
    host.link.receive(advertisement(PEER6, SOLICITED, { option: [] }))
    expect(state(host)).toEqual([PEER_MAC, 'REACHABLE'])
    host.link.receive(advertisement(PEER6, 0, { destination: 'ff02::1' }))
    expect(state(host)).toEqual([PEER_MAC, 'REACHABLE'])
  })

  test('tells whether it is a router', () => {
    const host = ethernetHost()
    resolved(host)
    expect(neighbor(host)?.router).toBe(false)
    // Not when it is about another hardware address, and not believed.
    host.link.receive(advertisement(PEER6, ROUTER, { mac: OTHER_MAC, destination: 'ff02::1' }))
    expect(neighbor(host)?.router).toBe(false)
    host.link.receive(advertisement(PEER6, ROUTER | SOLICITED))
    expect(neighbor(host)?.router).toBe(true)
  })

  test('with our own address is a conflict', () => {
    const host = ethernetHost()
    const seen: AddressEvent[] = []
    host.nic.onAddress = (event) => seen.push(event)
    host.link.receive(advertisement(OUR6, OVERRIDE, { destination: 'ff02::1' }))
    expect(seen).toEqual([{ kind: 'conflict', address: Address.parse(OUR6), hardwareAddress: PEER_MAC }])
    expect(dropCount(host.stack, 'AddressConflict')).toBe(1)
  })
})

describe('duplicate address detection (RFC 4862 section 5.4)', () => {
  /** A host with one address that is being checked. */
  function checking() {
    const host = ethernetHost({ addresses: [`${OUR6}/64`], dad: true, linkLocal: false, quiet: false })
    const seen: AddressEvent[] = []
    host.nic.onAddress = (event) => seen.push(event)
    return { host, seen }
  }
  const isProbe = (each: string) => each === probe(OUR6)

  test('asks once within a second, and takes the address a second later', async () => {
    const { host, seen } = checking()
    const ready = host.nic.addressesReady()
    let asked = -1
    for (let at = 0; asked < 0 && at <= 1000; at++) if (host.after(1).some(isProbe)) asked = at
    expect(asked).toBeGreaterThanOrEqual(0)
    expect(host.nic.tentativeAddresses).toHaveLength(1)
    expect(host.after(998).filter(isProbe)).toEqual([])
    expect(host.nic.addresses).toEqual([])
    host.after(2)
    expect(host.nic.addresses.map(({ address }) => address.toString())).toEqual([OUR6])
    expect(seen).toEqual([{ kind: 'assigned', address: Address.parse(OUR6), hardwareAddress: null }])
    await ready
  })

  test('answers nothing and sends nothing from the address meanwhile', () => {
    const { host } = checking()
    host.after(500)
    host.link.receive(solicitation(OUR6))
    host.link.receive(frame(OUR_MAC, PEER_MAC, 0x86dd, datagram([1], 6, { source: PEER6, destination: OUR6 })))
    expect(dropCount(host.stack, 'IpNotForUs')).toBe(1)
    const { endpoint } = open(host.stack, 6)
    expect(send(endpoint, Uint8Array.of(1), PEER6, 7)).toBe('ENETUNREACH')
    expect(host.take().filter((each) => !isProbe(each) && !each.startsWith('333300000016'))).toEqual([])
  })

  test.each([
    ['an advertisement', advertisement(OUR6, OVERRIDE, { destination: 'ff02::1' })],
    ['another host that tries the same', solicitation(OUR6, { source: '::', option: [] })],
  ])('gives the address up for %s', (_, bytes) => {
    const { host, seen } = checking()
    host.after(900)
    host.link.receive(bytes)
    expect(seen).toEqual([{ kind: 'duplicate', address: Address.parse(OUR6), hardwareAddress: PEER_MAC }])
    expect(dropCount(host.stack, 'AddressConflict')).toBe(1)
    host.after(10_000)
    expect(host.nic.addresses).toEqual([])
    expect(host.nic.isMember(...solicitedWords())).toBe(false)
  })

  test("does not take its own solicitation, come back, for another host's", () => {
    const { host, seen } = checking()
    const own = host.after(1000).find(isProbe)
    host.link.receive(Uint8Array.from((own?.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16))))
    host.after(1000)
    expect(seen.map(({ kind }) => kind)).toEqual(['assigned'])
  })

  test(
    'makes a link-local address of the hardware address first (RFC 4291 appendix A), unless told not to or ' +
      'given one',
    () => {
      const made = ethernetHost({ dad: true })
      expect(made.nic.addresses.map(({ address }) => address.toString())).toContain(OUR_LINK_LOCAL)
      expect(ethernetHost({ linkLocal: false }).nic.addresses).toHaveLength(2)
      const given = ethernetHost({ addresses: ['fe80::77/64'] })
      expect(given.nic.addresses.map(({ address }) => address.toString())).toEqual(['fe80::77'])
    },
  )

  test('ends with the nic, and nobody waits for it any more', async () => {
    const { host, seen } = checking()
    const ready = host.nic.addressesReady()
    host.stack.removeNic(host.nic)
    await ready
    expect(host.after(5000)).toEqual([])
    expect(seen).toEqual([])
  })

  test('is left out with dad: false', () => {
    const host = ethernetHost({ quiet: false, dad: false })
    expect(host.nic.tentativeAddresses).toEqual([])
    expect(host.after(5000).filter(isProbe)).toEqual([])
  })
})

function solicitedWords(): [number, number, number, number] {
  const { w0, w1, w2, w3 } = Address.parse(solicitedNode(OUR6))
  return [w0, w1, w2, w3]
}

describe('Neighbor Discovery where there are no neighbors', () => {
  test('is ignored by name on a link of IP packets', () => {
    const host = makeHost()
    host.link.receive(icmpPacket(135, 0, 0, bytesOf(HOST6), 6, { hopLimit: 255 }))
    expect(dropCount(host.stack, 'NdIgnored')).toBe(1)
    expect(host.link.take()).toEqual([])
    expect(host.nic.neighbors).toEqual([])
    expect(() => host.nic.advertise({})).toThrow(/not Ethernet/)
  })
})
