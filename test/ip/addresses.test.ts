/** The addresses of a host, apart from the host. */
import { describe, expect, test } from 'vitest'
import { Address, parseCidr } from '../../src/base/address.ts'
import { KeyedHash } from '../../src/base/hash.ts'
import { SeededRandom } from '../../src/base/random.ts'
import { OwnAddresses } from '../../src/ip/addresses.ts'
import type { NicAddress } from '../../src/ip/nic/nic-address.ts'
import type { RouteNic } from '../../src/ip/routing/route-nic.ts'
import { RouteTable } from '../../src/ip/routing/route-table.ts'

class FakeNic {
  readonly index: number
  readonly isLoopback: boolean
  isUp = true
  addresses: NicAddress[] = []
  constructor(index: number) {
    this.index = index
    this.isLoopback = index === 1
  }
  hasWords(w0: number, w1: number, w2: number, w3: number): boolean {
    return this.addresses.some(({ address }) => address.is(w0, w1, w2, w3))
  }
}

function makeAddresses() {
  const hash = new KeyedHash(new SeededRandom(1))
  const routes = new RouteTable(hash)
  const nics = [undefined, new FakeNic(1), new FakeNic(2), new FakeNic(3)]
  const addresses = new OwnAddresses(nics as unknown as (RouteNic | undefined)[], routes, hash)
  const entryOf = (text: string): NicAddress => ({ ...parseCidr(text), deprecated: false, temporary: false })
  return {
    addresses,
    routes,
    loopback: nics[1] as FakeNic,
    add: (index: number, text: string) => {
      const nic = nics[index] as FakeNic
      const entry = entryOf(text)
      nic.addresses = [...nic.addresses, entry]
      addresses.add(nic as unknown as RouteNic, entry)
    },
    remove: (index: number, text: string) => {
      const nic = nics[index] as FakeNic
      const entry = entryOf(text)
      nic.addresses = nic.addresses.filter(({ address }) => !address.equals(entry.address))
      addresses.remove(nic as unknown as RouteNic, entry)
    },
    anycast: (index: number, text: string, add = true) => {
      const nic = nics[index] as unknown as RouteNic
      if (add) addresses.addAnycast(nic, Address.parse(text))
      else addresses.removeAnycast(nic, Address.parse(text))
    },
    isLocal: (text: string) => {
      const { w0, w1, w2, w3 } = Address.parse(text)
      return addresses.isLocal(w0, w1, w2, w3)
    },
    isDestination: (text: string) => {
      const { w0, w1, w2, w3 } = Address.parse(text)
      return addresses.isDestination6(w0, w1, w2, w3)
    },
    listed: () => routes.list().map(({ kind, prefix, nic }) => `${kind} ${prefix} ${nic.index}`),
  }
}

describe('an address of a host', () => {
  test('brings the routes that come with it, and takes them away again', () => {
    const host = makeAddresses()
    host.add(2, '192.0.2.7/24')
    expect(host.listed()).toEqual(['local 192.0.2.7/32 1', 'unicast 192.0.2.0/24 2', 'broadcast 192.0.2.255/32 2'])
    host.add(2, '192.0.2.8/24')
    host.remove(2, '192.0.2.7/24')
    expect(host.listed()).toContain('unicast 192.0.2.0/24 2')
    expect(host.listed()).not.toContain('local 192.0.2.7/32 1')
    host.remove(2, '192.0.2.8/24')
    expect(host.listed()).toEqual([])
  })

  test('is local as long as some nic has it', () => {
    const host = makeAddresses()
    host.add(2, '192.0.2.7/24')
    host.add(3, '192.0.2.7/24')
    host.remove(2, '192.0.2.7/24')
    expect(host.isLocal('192.0.2.7')).toBe(true)
    expect(host.addresses.nicOf(Address.parse('192.0.2.7'))).toBe(3)
    host.remove(3, '192.0.2.7/24')
    expect(host.isLocal('192.0.2.7')).toBe(false)
    expect(host.addresses.nicOf(Address.parse('192.0.2.7'))).toBe(0)
  })

  test('in 127.0.0.0/8 is local while the loopback nic is up and has an IPv4 address', () => {
    const host = makeAddresses()
    expect(host.isLocal('127.9.9.9')).toBe(false)
    host.add(1, '127.0.0.1/8')
    expect(host.isLocal('127.9.9.9')).toBe(true)
    expect(host.addresses.nicOf(Address.parse('127.9.9.9'))).toBe(1)
    host.loopback.isUp = false
    expect(host.isLocal('127.9.9.9')).toBe(false)
  })

  test('that is anycast is a destination, and not local', () => {
    const host = makeAddresses()
    host.anycast(2, '2001:db8::')
    expect([host.isDestination('2001:db8::'), host.isLocal('2001:db8::')]).toEqual([true, false])
    expect(host.listed()).toEqual(['anycast 2001:db8::/128 1'])
    host.anycast(2, '2001:db8::', false)
    expect(host.isDestination('2001:db8::')).toBe(false)
    expect(host.listed()).toEqual([])
  })

  test('makes a broadcast address that is known until its last network is gone', () => {
    const host = makeAddresses()
    const word = Address.parse('192.0.2.255').w3
    host.add(2, '192.0.2.7/24')
    host.add(2, '192.0.2.8/24')
    host.remove(2, '192.0.2.7/24')
    expect([host.addresses.isBroadcast4(word), host.addresses.isUnicast4(word)]).toEqual([true, false])
    host.remove(2, '192.0.2.8/24')
    expect([host.addresses.isBroadcast4(word), host.addresses.isUnicast4(word)]).toEqual([false, true])
  })
})
