/** The filter expression of `dump`: `host 10.0.0.1 and (port 53 or icmp) and not frag`. */
import { Address } from '../base/address.ts'
import type { Description } from '../describe.ts'

export type PacketFilter = (description: Description) => boolean

const PROTOCOLS: Record<string, string> = {
  udp: 'UDP',
  icmp: 'ICMP',
  icmp6: 'ICMPv6',
  tcp: 'TCP',
  igmp: 'IGMP',
  arp: 'ARP',
  ip: 'IPv4',
  ip6: 'IPv6',
}

/**
 * Reads an expression: `host ADDRESS`, `port N`, `proto NAME`, `icmp` (of both families), `frag`, joined by `and`, `or`, `not` and parentheses, of
 * which `not` binds most and `or` least. Of an ICMP error the headers count, not the packet that it quotes.
 * @throws {TypeError} for what is no expression
 */
export function packetFilter(expression: string): PacketFilter {
  const words = expression.match(/[()]|[^\s()]+/g) ?? []
  let at = 0
  const fail = (expected: string): never => {
    throw new TypeError(`the filter has ${words[at] === undefined ? 'an end' : `'${words[at]}'`} where ${expected} belongs`)
  }
  const either = (): PacketFilter => {
    let left = both()
    while (words[at] === 'or') {
      at++
      const [first, second] = [left, both()]
      left = (description) => first(description) || second(description)
    }
    return left
  }
  const both = (): PacketFilter => {
    let left = one()
    while (words[at] === 'and') {
      at++
      const [first, second] = [left, one()]
      left = (description) => first(description) && second(description)
    }
    return left
  }
  const one = (): PacketFilter => {
    const word = words[at]
    at++
    if (word === 'not') {
      const inner = one()
      return (description) => !inner(description)
    }
    if (word === '(') {
      const inner = either()
      if (words[at] !== ')') fail("')'")
      at++
      return inner
    }
    if (word === 'icmp') return (description) => hasProtocol(description, 'ICMP') || hasProtocol(description, 'ICMPv6')
    if (word === 'frag') return isFragment
    const argument = words[at] ?? ''
    if (word === 'host') {
      const address = Address.tryParse(argument)
      if (address === null) fail('an address')
      at++
      const text = `${address}`
      return (description) => fieldsOf(description, /^IPv[46]$/, ['source', 'destination']).includes(text)
    }
    if (word === 'port') {
      if (!/^\d{1,5}$/.test(argument) || Number(argument) > 65_535) fail('a port')
      at++
      return (description) => fieldsOf(description, /^UDP$/, ['source port', 'destination port']).includes(`${Number(argument)}`)
    }
    if (word === 'proto') {
      const name = Object.hasOwn(PROTOCOLS, argument) ? (PROTOCOLS[argument] as string) : null
      if (name === null) fail(`one of ${Object.keys(PROTOCOLS).join(', ')}`)
      at++
      return (description) => hasProtocol(description, name as string)
    }
    at--
    return fail("host, port, proto, icmp, frag, not or '('")
  }
  const filter = either()
  if (at < words.length) fail("'and', 'or' or the end")
  return filter
}

function fieldsOf({ layers }: Description, layer: RegExp, names: readonly string[]): string[] {
  return layers.flatMap(({ name, fields }) =>
    layer.test(name) ? fields.flatMap(([field, value]) => (names.includes(field) ? [value] : [])) : [],
  )
}

/** By the header that is there, or by what the header before says of a part of it. */
function hasProtocol(description: Description, name: string): boolean {
  if (description.layers.some((layer) => layer.name === name)) return true
  const said = [
    ...fieldsOf(description, /^IPv[46]$/, ['protocol', 'next header']),
    ...fieldsOf(description, /^(fragment header|hop-by-hop options|routing header|destination options)$/, ['next header']),
    ...fieldsOf(description, /^Ethernet$/, ['type']),
  ]
  return said.some((value) => value === name || value.endsWith(` (${name})`))
}

function isFragment(description: Description): boolean {
  const [offset] = fieldsOf(description, /^IPv4$/, ['fragment offset'])
  const [flags] = fieldsOf(description, /^IPv4$/, ['flags'])
  if (offset !== undefined && (offset !== '0' || flags?.includes('MF'))) return true
  return description.layers.some(({ name }) => name === 'fragment header')
}
