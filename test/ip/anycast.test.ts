/**
 * The subnet-router anycast address: RFC 4291 section 2.6.1, RFC 4861 section 7.2.7. What Linux's
 * router does was captured and is done here.
 */
import { describe, expect, test } from 'vitest'
import { Address } from '../../src/base/address.ts'
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
  OUR_MAC,
  OUR6,
  PEER_MAC,
  PEER6,
  ROUTER,
  SOLICITED,
  solicitation,
  solicitedNode,
} from '../ethernet.ts'
import { dropCount, makeHost, open, send, TestLink } from '../host.ts'
import { datagram, destination, icmpPacket, icmpType, inFrame, ipv6, source } from '../packet.ts'

const ANYCAST = '2001:db8::'
const ANYCAST_GROUP = hex(bytesOf(solicitedNode(ANYCAST)))

const answer = (flags: number, to: string, mac: string) =>
  hex(
    ndFrame(136, flags << 24, [...bytesOf(ANYCAST), ...linkOption(2, OUR_MAC)], {
      destination: to,
      source: OUR6,
      mac: OUR_MAC,
      to: mac,
    }),
  )
const routes = ({ stack }: Pick<EthernetHost, 'stack'>) =>
  stack.netstat().routes.filter((each) => each.startsWith('anycast'))

/** A router on a link without neighbors, with these addresses besides those of every host. */
function router(...addresses: string[]) {
  const host = makeHost({ forwarding: true })
  for (const address of addresses) host.nic.addAddress(address)
  host.link.take()
  return host
}

const PEER = '2001:db8:7::2'
const echo = (destination: string) => icmpPacket(128, 0, 7, [1, 2], 6, { source: PEER, destination })
/** Source and destination, type and code of an ICMPv6 packet. */
const said = (packet: Uint8Array) => [source(packet), destination(packet), packet[40], packet[41]]

describe('a router', () => {
  test('takes what is for the first address of its prefix, and answers from its own', () => {
    const { stack, link } = router('2001:db8:7::1/64')
    const { mailbox } = open(stack, 6, 7)
    link.receive(
      echo('2001:db8:7::'),
      datagram([5], 6, { source: PEER, destination: '2001:db8:7::', destinationPort: 7 }),
    )
    expect(link.take().map(said)).toEqual([['2001:db8:7::1', PEER, 129, 0]])
    expect(mailbox.received.map(({ to, from }) => [to, from])).toEqual([['2001:db8:7::', PEER]])
  })

  test('says that a port is closed, or a protocol unknown, from the anycast address itself, as Linux does', () => {
    const { link } = router('2001:db8:7::1/64')
    link.receive(datagram([5], 6, { source: PEER, destination: '2001:db8:7::', destinationPort: 99 }))
    link.receive(ipv6([5], { source: PEER, destination: '2001:db8:7::', next: 200 }))
    expect(link.take().map(said)).toEqual([
      ['2001:db8:7::', PEER, 1, 4],
      ['2001:db8:7::', PEER, 4, 1],
    ])
  })

  test('says so from the anycast address of another nic as well, and from the link-local one of its link', () => {
    const { stack, link } = router('2001:db8:7::1/64')
    stack.addNic(new TestLink('eth1'), { addresses: ['2001:db8:8::1/64', 'fe80::8/64'] })
    link.receive(datagram([5], 6, { source: PEER, destination: '2001:db8:8::', destinationPort: 99 }))
    link.receive(datagram([5], 6, { source: PEER, destination: 'fe80::', destinationPort: 99 }))
    expect(link.take().map((each) => said(each)[0])).toEqual(['2001:db8:8::', 'fe80::'])
  })

  test('answers a datagram from its own address, when the socket is bound to any', () => {
    const { stack, link } = router('2001:db8:7::1/64')
    const { endpoint } = open(stack, 6, 7)
    link.receive(datagram([5], 6, { source: PEER, destination: '2001:db8:7::', destinationPort: 7 }))
    expect(send(endpoint, Uint8Array.of(1), PEER, 7)).toBe('')
    expect(link.take().map((each) => said(each).slice(0, 2))).toEqual([['2001:db8:7::1', PEER]])
  })

  test('has it on every one of its nics, whichever the packet comes by', () => {
    const { stack, link } = router()
    const other = new TestLink('eth1')
    stack.addNic(other, { addresses: ['2001:db8:7::1/64'] })
    link.receive(echo('2001:db8:7::'), echo('2001:db8:b::'))
    expect(other.take().map((each) => said(each)[2])).toEqual([129, 129])
    expect(dropCount(stack, 'IpNotForUs')).toBe(0)
  })

  test.each([
    ['/64', '2001:db8:7::1/64', '2001:db8:7::'],
    ['/126', '2001:db8:7::fffd/126', '2001:db8:7::fffc'],
    ['link-local', 'fe80::9/64', 'fe80::'],
  ])('has one for a prefix: %s', (_name, address, anycast) => {
    const host = router(address)
    expect(routes(host)).toContain(`anycast ${anycast}/128 dev lo`)
    host.link.receive(
      icmpPacket(128, 0, 7, [], 6, { source: anycast.startsWith('fe80') ? 'fe80::2' : PEER, destination: anycast }),
    )
    expect(host.link.take().map((each) => said(each)[2])).toEqual([129])
  })

  test.each(['2001:db8:7::1/127', '2001:db8:7::1/128'])(
    'has none for two hosts, or one: %s (RFC 6164 6)',
    (address) => {
      const host = router(address)
      expect(routes(host).some((each) => each.includes('2001:db8:7::'))).toBe(false)
    },
  )

  test('has it as long as it has an address of the prefix', () => {
    const host = router('2001:db8:7::1/64', '2001:db8:7::3/64')
    const listed = () => routes(host).filter((each) => each.includes('2001:db8:7::'))
    expect(listed()).toEqual(['anycast 2001:db8:7::/128 dev lo'])
    host.nic.removeAddress(Address.parse('2001:db8:7::1'))
    host.link.receive(echo('2001:db8:7::'))
    expect(listed().length).toBe(1)
    expect(host.link.take().map(said)).toEqual([['2001:db8:7::3', PEER, 129, 0]])
    host.nic.removeAddress(Address.parse('2001:db8:7::3'))
    expect(listed()).toEqual([])
    host.link.receive(echo('2001:db8:7::'))
    expect(host.link.take().filter((each) => each[40] === 129)).toEqual([])
  })

  test('reaches it at itself', () => {
    const { stack, clock } = router('2001:db8:7::1/64')
    const { mailbox } = open(stack, 6, 7)
    expect(send(open(stack, 6).endpoint, Uint8Array.of(1), '2001:db8:7::', 7)).toBe('')
    clock.settle()
    expect(mailbox.received.map(({ to, from }) => [to, from])).toEqual([['2001:db8:7::', '2001:db8:7::1']])
  })

  test('cannot bind to it, nor send from it', () => {
    const { stack } = router('2001:db8:7::1/64')
    const bound = stack.udp.createEndpoint(6, { receive: () => {}, flush: () => {}, icmp: () => {} })
    expect(bound.bind(Address.parse('2001:db8:7::'), 7)).toBe('EADDRNOTAVAIL')
    const packet = bound.beginSend(1)
    expect(bound.send(packet, Address.parse(PEER), 7, 0, { source: Address.parse('2001:db8:7::') })).toBe('EINVAL')
  })

  test('sends no error to it: IcmpAmbiguousSource', () => {
    const { stack, link } = router('2001:db8:7::1/64')
    link.receive(datagram([5], 6, { source: '2001:db8:7::', destination: '2001:db8:7::1', destinationPort: 99 }))
    expect(link.take()).toEqual([])
    expect(dropCount(stack, 'IcmpAmbiguousSource')).toBe(1)
  })

  test('in the strong host model has it on its own link only', () => {
    const host = makeHost({ forwarding: true, strongHost: true })
    host.stack.addNic(new TestLink('eth1'), { addresses: ['2001:db8:9::1/64'] })
    host.link.receive(echo('2001:db8:9::'))
    expect(host.link.take().filter((each) => each[40] === 129)).toEqual([])
  })
})

test('a host has no such address', () => {
  const { stack, nic, link } = makeHost()
  nic.addAddress('2001:db8:7::1/64')
  link.receive(echo('2001:db8:7::'))
  expect(link.take()).toEqual([])
  expect(dropCount(stack, 'IpNotForUs')).toBe(1)
  expect(routes({ stack })).toEqual([])
})

describe('on Ethernet', () => {
  const ethernetRouter = () => ethernetHost({ forwarding: true })

  test('a solicitation is answered within a second, from an own address and without Override (RFC 4861 7.2.7)', () => {
    const host = ethernetRouter()
    host.link.receive(solicitation(ANYCAST))
    expect(host.take()).toEqual([])
    expect(host.after(1000)).toEqual([answer(SOLICITED | ROUTER, PEER6, PEER_MAC)])
    expect(host.stack.neighbors).toMatchObject([{ address: PEER6, hardwareAddress: PEER_MAC }])
  })

  test('64 answers may wait; more solicitations are dropped by name (Linux: proxy_qlen)', () => {
    const host = ethernetHost({ forwarding: true })
    for (let i = 0; i < 100; i++) host.link.receive(solicitation(ANYCAST))
    expect(dropCount(host.stack, 'NdQueueFull')).toBe(36)
    expect(host.after(1000).filter((each) => icmpType(inFrame(each)) === 136)).toHaveLength(64)
    host.link.receive(solicitation(ANYCAST))
    expect(dropCount(host.stack, 'NdQueueFull')).toBe(36)
  })

  test('one for this router alone is answered at once', () => {
    const host = ethernetRouter()
    host.link.receive(solicitation(ANYCAST, { destination: ANYCAST, to: OUR_MAC }))
    expect(host.take()).toEqual([answer(SOLICITED | ROUTER, PEER6, PEER_MAC)])
  })

  test('one from nobody is answered to all', () => {
    const host = ethernetRouter()
    host.link.receive(solicitation(ANYCAST, { source: '::', option: [] }))
    expect(host.after(1000)).toEqual([answer(ROUTER, 'ff02::1', groupMac6('ff02::1'))])
  })

  test('another router with the same address is no conflict, nor looked for', () => {
    const events: string[] = []
    const host = ethernetHost({ forwarding: true, dad: true, quiet: false })
    host.nic.onAddress = ({ kind, address }) => events.push(`${kind} ${address}`)
    const probes = host
      .after(5000)
      .filter((each) => icmpType(inFrame(each)) === 135 && each.includes(hex(bytesOf(ANYCAST))))
    host.link.receive(advertisement(ANYCAST, ROUTER))
    expect(probes).toEqual([])
    expect(events.some((each) => each.endsWith(` ${ANYCAST}`))).toBe(false)
    expect(dropCount(host.stack, 'AddressConflict')).toBe(0)
  })

  test('switches hear of its solicited-node group, until the address goes', () => {
    const host = ethernetHost({ forwarding: true, linkLocal: false, quiet: false })
    const reports = (frames: string[]) =>
      frames.filter((each) => icmpType(inFrame(each)) === 143 && each.includes(ANYCAST_GROUP))
    expect(reports(host.after(5000)).length).toBeGreaterThan(0)
    host.nic.removeAddress(Address.parse(OUR6))
    expect(reports(host.after(5000)).length).toBeGreaterThan(0)
    host.link.receive(solicitation(ANYCAST))
    expect(host.after(1000)).toEqual([])
  })

  test('an answer that waits is not given when the address has gone, or the stack is closed', () => {
    const host = ethernetRouter()
    host.link.receive(solicitation(ANYCAST))
    host.nic.removeAddress(Address.parse(OUR6))
    expect(host.after(1000).filter((each) => icmpType(inFrame(each)) === 136)).toEqual([])
    const other = ethernetRouter()
    other.link.receive(solicitation(ANYCAST))
    other.stack.close()
    expect(other.after(1000)).toEqual([])
  })

  test('a host answers no solicitation for it', () => {
    const host = ethernetHost()
    host.link.receive(solicitation(ANYCAST))
    expect(host.after(1000)).toEqual([])
  })

  test('an echo request to it is answered from an own address', () => {
    const host = ethernetRouter()
    host.link.receive(solicitation(ANYCAST))
    host.after(1000)
    host.link.receive(
      frame(OUR_MAC, PEER_MAC, 0x86dd, icmpPacket(128, 0, 7, [], 6, { source: PEER6, destination: ANYCAST })),
    )
    const reply = frame(PEER_MAC, OUR_MAC, 0x86dd, icmpPacket(129, 0, 7, [], 6, { source: OUR6, destination: PEER6 }))
    expect(host.take()).toEqual([hex(reply)])
  })
})
