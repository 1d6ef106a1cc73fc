/**
 * The filter expression of `dump`, in tcpdump's language as far as it goes:
 * `host 10.0.0.1 and (port 53 or icmp) and not frag`.
 */
import { Address, Prefix } from '../base/address.ts'
import type { Description } from '../describe.ts'

export type PacketFilter = (description: Description) => boolean

const PROTOCOLS: Record<string, string> = {
  udp: 'UDP',
  icmp: 'ICMP',
  icmp6: 'ICMPv6',
  tcp: 'TCP',
  sctp: 'SCTP',
  igmp: 'IGMP',
  arp: 'ARP',
  ip: 'IPv4',
  ip6: 'IPv6',
}

type Side = 'src' | 'dst' | 'either' | 'both'
type Kind = 'host' | 'net' | 'port' | 'portrange'

/**
 * What stands in front of an address or a port; one that stands alone has those of the one before,
 * as in `port 53 or 67`.
 */
interface Qualifiers {
  readonly protocol: string | null
  readonly side: Side
  readonly kind: Kind
}

const KINDS: readonly string[] = ['host', 'net', 'port', 'portrange']
const EXPECTED =
  "host, port, proto, icmp, frag, not or '(' belongs (also src, dst, net, portrange, vlan, udp, tcp, " +
  'sctp, icmp6, igmp, arp, ip, ip6)'

/**
 * Reads an expression: `[udp|tcp|ip|…] [src|dst] host ADDRESS`, `net PREFIX`, `port N`,
 * `portrange N-M`, a protocol by itself (`icmp` is that of both families), `proto NAME`,
 * `vlan [N]`, `frag`, joined by `and`, `or`, `not` (`&&`, `||`, `!`) and parentheses. As in tcpdump
 * `not` binds most, and `and` and `or` equally, from left to right. Of an ICMP error the headers
 * count, not the packet that it quotes; tags of VLANs are looked through.
 * @throws {TypeError} for what is no expression
 */
export function packetFilter(expression: string): PacketFilter {
  return new Parser(expression).parse()
}

class Parser {
  readonly #words: readonly string[]
  #at = 0
  #last: Qualifiers | null = null

  constructor(expression: string) {
    this.#words = expression.match(/&&|\|\||[()!]|[^\s()!&|]+|[&|]/g) ?? []
  }

  parse(): PacketFilter {
    const filter = this.#joined()
    if (this.#at < this.#words.length) this.#fail("'and', 'or' or the end belongs")
    return filter
  }

  get #word(): string | undefined {
    return this.#words[this.#at]
  }

  #fail(expected: string): never {
    const word = this.#word
    throw new TypeError(`the filter has ${word === undefined ? 'an end' : `'${word}'`} where ${expected}`)
  }

  #take(...words: string[]): boolean {
    if (this.#word === undefined || !words.includes(this.#word)) return false
    this.#at++
    return true
  }

  #joined(): PacketFilter {
    let left = this.#one()
    for (;;) {
      const first = left
      if (this.#take('and', '&&')) {
        const second = this.#one()
        left = (description) => first(description) && second(description)
      } else if (this.#take('or', '||')) {
        const second = this.#one()
        left = (description) => first(description) || second(description)
      } else return left
    }
  }

  #one(): PacketFilter {
    if (this.#take('not', '!')) {
      const inner = this.#one()
      return (description) => !inner(description)
    }
    if (this.#take('(')) {
      const inner = this.#joined()
      if (!this.#take(')')) this.#fail("')' belongs")
      return inner
    }
    if (this.#take('frag')) return isFragment
    if (this.#take('vlan')) return this.#vlan()
    if (this.#take('proto')) return ofProtocol(this.#protocolName())
    return this.#primitive()
  }

  #protocolName(): string {
    const word = this.#word
    if (word === undefined || !Object.hasOwn(PROTOCOLS, word))
      this.#fail(`one of ${Object.keys(PROTOCOLS).join(', ')} belongs`)
    this.#at++
    return word as string
  }

  #vlan(): PacketFilter {
    const tags = (description: Description) => fieldsOf(description, /^VLAN$/, ['identifier'])
    if (!/^\d{1,4}$/.test(this.#word ?? '')) return (description) => tags(description).length > 0
    const number = `${Number(this.#words[this.#at++])}`
    return (description) => tags(description).includes(number)
  }

  /** `[protocol] [side] [kind] value`, or a protocol alone. */
  #primitive(): PacketFilter {
    const begin = this.#at
    const word = this.#word
    const protocol = word !== undefined && Object.hasOwn(PROTOCOLS, word) ? word : null
    if (protocol !== null) this.#at++
    if (protocol !== null && this.#take('proto')) {
      const first = ofProtocol(protocol)
      const second = ofProtocol(this.#protocolName())
      return (description) => first(description) && second(description)
    }
    const side = this.#side()
    const kind = this.#word !== undefined && KINDS.includes(this.#word) ? (this.#words[this.#at++] as Kind) : null
    if (side === null && kind === null) {
      if (protocol !== null) return protocol === 'icmp' ? isIcmp : ofProtocol(protocol)
      // A value alone.
      if (this.#last === null || !looksLikeValue(word ?? '')) this.#fail(EXPECTED)
    }
    const alone = this.#at === begin
    const qualifiers: Qualifiers = alone
      ? (this.#last as Qualifiers)
      : { protocol, side: side ?? 'either', kind: kind ?? 'host' }
    const test = this.#value(qualifiers)
    this.#last = qualifiers
    if (qualifiers.protocol === null) return test
    const isProtocol = qualifiers.protocol === 'icmp' ? isIcmp : ofProtocol(qualifiers.protocol)
    return (description) => isProtocol(description) && test(description)
  }

  /** `src`, `dst`, `src or dst`, `src and dst`. */
  #side(): Side | null {
    const first = this.#word
    if (first !== 'src' && first !== 'dst') return null
    this.#at++
    const [joint, second] = [this.#word, this.#words[this.#at + 1]]
    if ((joint === 'or' || joint === 'and') && (second === 'src' || second === 'dst') && second !== first) {
      this.#at += 2
      return joint === 'or' ? 'either' : 'both'
    }
    return first
  }

  #value({ side, kind }: Qualifiers): PacketFilter {
    const word = this.#word ?? ''
    if (kind === 'host') {
      const address = Address.tryParse(word)
      if (address === null) this.#fail('an address belongs')
      this.#at++
      const text = addressText(address as Address, word)
      return sides(side, ADDRESSES, (value) => value === text)
    }
    if (kind === 'net') {
      const prefix = prefixOf(word)
      if (prefix === null) this.#fail('a prefix, such as 10.0.0.0/8, belongs')
      this.#at++
      return sides(side, ADDRESSES, (value) => {
        const address = Address.tryParse(value)
        // A mapped address on the wire is one of IPv6.
        return (
          address !== null && value.includes(':') === (prefix?.family === 6) && (prefix as Prefix).contains(address)
        )
      })
    }
    const range = kind === 'port' ? /^(\d{1,5})$/.exec(word) : /^(\d{1,5})-(\d{1,5})$/.exec(word)
    const [from, to] = [Number(range?.[1] ?? -1), Number(range?.[2] ?? range?.[1] ?? -1)]
    if (range === null || from > 65_535 || to > 65_535)
      this.#fail(kind === 'port' ? 'a port belongs' : 'two ports, such as 5000-5010, belong')
    this.#at++
    return sides(side, PORTS, (value) => Number(value) >= Math.min(from, to) && Number(value) <= Math.max(from, to))
  }
}

function looksLikeValue(word: string): boolean {
  return /^\d+(-\d+)?$/.test(word) || Address.tryParse(word) !== null || prefixOf(word) !== null
}

function prefixOf(word: string): Prefix | null {
  try {
    return Prefix.parse(word)
  } catch {
    return null
  }
}

/** As headers show it: a mapped address that was written as one stays one. */
function addressText(address: Address, written: string): string {
  return address.family === 4 && written.includes(':') ? `::ffff:${address}` : `${address}`
}

/** Layers, and the names of their fields of the sender's side and of the receiver's. */
interface Ends {
  readonly layer: RegExp
  readonly source: readonly string[]
  readonly destination: readonly string[]
}

const ADDRESSES: Ends = {
  layer: /^(IPv[46]|ARP)$/,
  source: ['source', 'sender address'],
  destination: ['destination', 'target address'],
}
const PORTS: Ends = { layer: /^(UDP|TCP|SCTP)$/, source: ['source port'], destination: ['destination port'] }

function sides(side: Side, { layer, source, destination }: Ends, test: (value: string) => boolean): PacketFilter {
  const at = (names: readonly string[]) => (description: Description) => fieldsOf(description, layer, names).some(test)
  const [from, to] = [at(source), at(destination)]
  if (side === 'src') return from
  if (side === 'dst') return to
  return side === 'both'
    ? (description) => from(description) && to(description)
    : (description) => from(description) || to(description)
}

function fieldsOf({ layers }: Description, layer: RegExp, names: readonly string[]): string[] {
  return layers.flatMap((each) =>
    layer.test(each.name) ? each.fields.flatMap(([field, value]) => (names.includes(field) ? [value] : [])) : [],
  )
}

function isIcmp(description: Description): boolean {
  return hasProtocol(description, 'ICMP') || hasProtocol(description, 'ICMPv6')
}

function ofProtocol(word: string): PacketFilter {
  const name = PROTOCOLS[word] as string
  return (description) => hasProtocol(description, name)
}

/**
 * Whether a header of the protocol is there, or, in a fragment without it, the IP header names it.
 */
function hasProtocol(description: Description, name: string): boolean {
  if (description.layers.some((layer) => layer.name === name)) return true
  const said = [
    ...fieldsOf(description, /^IPv[46]$/, ['protocol', 'next header']),
    ...fieldsOf(description, /^(fragment header|hop-by-hop options|routing header|destination options)$/, [
      'next header',
    ]),
    ...fieldsOf(description, /^(Ethernet|SLL2?)$/, ['type', 'protocol']),
  ]
  return said.some((value) => value === name || value.endsWith(` (${name})`))
}

function isFragment(description: Description): boolean {
  const [offset] = fieldsOf(description, /^IPv4$/, ['fragment offset'])
  const [flags] = fieldsOf(description, /^IPv4$/, ['flags'])
  if (offset !== undefined && (offset !== '0' || flags?.includes('MF'))) return true
  return description.layers.some(({ name }) => name === 'fragment header')
}
