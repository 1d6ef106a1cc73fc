/** What a packet's addresses allow is remembered from one packet to the next: it must not outlive what it was found from. */
import { expect, test } from 'vitest'
import { Address } from '../../src/base/address.ts'
import { HOST4, makeHost, PEER4, TestLink } from '../host.ts'
import { datagram } from '../wire.ts'

const toHost = () => datagram([1], 4, { destinationPort: 5000 })

/** Reasons of drops that were counted since the last call. */
function watch({ stack }: ReturnType<typeof makeHost>) {
  const reasons: string[] = []
  stack.onDrop((reason) => reasons.push(reason))
  return () => reasons.splice(0)
}

test('an address that was taken away is no longer ours with the next packet', () => {
  const host = makeHost()
  const drops = watch(host)
  host.link.receive(toHost(), toHost())
  expect(drops()).toEqual(['UdpNoPort', 'UdpNoPort'])
  host.nic.removeAddress(Address.parse(HOST4))
  host.link.receive(toHost())
  expect(drops()).toEqual(['IpNotForUs'])
  host.nic.addAddress(`${HOST4}/24`)
  host.link.receive(toHost())
  expect(drops()).toEqual(['UdpNoPort'])
})

test("a peer's address that became ours is no source any more", () => {
  const host = makeHost()
  const drops = watch(host)
  host.link.receive(toHost())
  host.nic.addAddress(`${PEER4}/24`)
  host.link.receive(toHost())
  expect(drops()).toEqual(['UdpNoPort', 'IpMartianSource'])
})

test('a martian source between packets of a good one is still found', () => {
  const host = makeHost()
  const drops = watch(host)
  host.link.receive(toHost(), datagram([1], 4, { destinationPort: 5000, source: '224.0.0.9' }), toHost())
  expect(drops()).toEqual(['UdpNoPort', 'IpMartianSource', 'UdpNoPort'])
})

test('in the strong host model the other nic with the same packet is another matter', () => {
  const host = makeHost({ strongHost: true })
  const drops = watch(host)
  const other = new TestLink('eth1')
  host.stack.addNic(other, { addresses: ['203.0.113.1/24'] })
  host.link.receive(toHost())
  other.receive(toHost())
  host.link.receive(toHost())
  expect(drops()).toEqual(['UdpNoPort', 'IpNotForUs', 'UdpNoPort'])
})
