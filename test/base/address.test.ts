import { isIP } from 'node:net'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Address, formatWords, MAPPED, Prefix, parseCidr, parseScoped } from '../../src/base/address.ts'

const seeded = { seed: 5952, numRuns: 500 }
const word = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff })
const group = fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(0xffff) })
const groups = fc.array(group, { minLength: 8, maxLength: 8 })

function ofGroups(groups: readonly number[]): Address {
  return Address.fromBytes(groups.flatMap((each) => [each >> 8, each & 255]))
}

/** RFC 5952's text by the platform's URL parser. */
function canonical(text: string): string {
  return new URL(`http://[${text}]/`).hostname.slice(1, -1)
}

describe('an address', () => {
  test('an address is four signed words, IPv4 in its mapped form', () => {
    const four = Address.parse('192.0.2.1')
    expect([four.w0, four.w1, four.w2, four.w3]).toEqual([0, 0, MAPPED, 0xc0000201 | 0])
    const six = Address.parse('2001:db8::ffff:1')
    expect([six.w0, six.w1, six.w2, six.w3]).toEqual([0x20010db8, 0, 0, 0xffff0001 | 0])
    expect(Address.parse('::ffff:192.0.2.1').equals(four)).toBe(true)
    expect([four.family, six.family, Address.parse('::1.2.3.4').family]).toEqual([4, 6, 6])
  })

  test('an address reads IPv4 text as inet_pton does', () => {
    for (const text of ['0.0.0.0', '255.255.255.255', '192.0.2.1', '10.0.0.1'])
      expect(Address.parse(text).toString()).toBe(text)
    for (const text of [
      '256.0.0.1',
      '1.2.3',
      '1.2.3.4.5',
      '01.2.3.4',
      '1.2.3.00',
      '1.2.3.',
      '.1.2.3',
      '1.2.3.4 ',
      ' 1.2.3.4',
      '1.2.3.-4',
      '0x1.2.3.4',
      '1e1.2.3.4',
      '',
      '1',
      '１.2.3.4',
    ])
      expect(Address.tryParse(text), `'${text}'`).toBe(null)
  })

  test('an address reads every legal form of IPv6 text', () => {
    const forms = fc.tuple(groups, fc.nat(7), fc.nat(8), fc.boolean(), fc.boolean(), fc.boolean())
    fc.assert(
      fc.property(forms, ([parts, from, length, padded, upper, dotted]) => {
        const texts = parts.map((each) => each.toString(16).padStart(padded ? 4 : 1, '0'))
        const low = [parts[6], parts[7]].map((part = 0) => `${part >> 8}.${part & 255}`).join('.')
        const pieces = dotted ? [...texts.slice(0, 6), low] : texts
        // "::" stands for a run of zero groups, which must not reach into dotted decimals.
        const to = Math.min(from + length, dotted ? 6 : 8)
        const isRun = to > from && parts.slice(from, to).every((each) => each === 0)
        let text = isRun ? `${pieces.slice(0, from).join(':')}::${pieces.slice(to).join(':')}` : pieces.join(':')
        if (upper) text = text.toUpperCase()
        fc.pre(isIP(text) === 6)
        expect(Address.parse(text).equals(ofGroups(parts)), text).toBe(true)
      }),
      seeded,
    )
  })

  test('an address reads what node:net calls an address and nothing else', () => {
    const piece = fc.constantFrom(
      '0',
      '1',
      'f',
      'ffff',
      '12345',
      'g',
      ':',
      '::',
      '.',
      '1.2.3.4',
      '255',
      '256',
      ':0',
      '00',
      'F',
      '',
      ' ',
    )
    const texts = fc.oneof(
      fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join('')),
      fc.array(fc.constantFrom('0', 'db8', ':', ':'), { minLength: 3, maxLength: 16 }).map((pieces) => pieces.join('')),
    )
    fc.assert(
      fc.property(texts, (text) => {
        expect(Address.tryParse(text) !== null, `'${text}'`).toBe(isIP(text) !== 0)
      }),
      { seed: 5952, numRuns: 5000 },
    )
  })

  test.each([
    '1::2::3',
    ':1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:',
    ':::',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:1.2.3.4',
    '::1.2.3.256',
    '::1.2.3',
    '12345::',
    '::g',
    '[::1]',
    '::1/64',
    'fe80::1%lo',
    '::1 ',
    '::01.2.3.4',
  ])("refuses '%s'", (text) => {
    expect(Address.tryParse(text)).toBe(null)
    expect(() => Address.parse(text)).toThrow(TypeError)
  })

  test('an address says in its error what it got and what it wants', () => {
    expect(() => Address.parse('localhost')).toThrow(
      "Not an IP address: 'localhost'. Expected an IPv4 address such as 192.0.2.1",
    )
  })

  test('an address is written as RFC 5952 asks, by the examples of its section 4', () => {
    const pairs = [
      ['2001:0db8::0001', '2001:db8::1'],
      ['2001:db8:0:0:0:0:2:1', '2001:db8::2:1'],
      ['2001:db8::1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
      ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
      ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
      ['2001:DB8::AAAA', '2001:db8::aaaa'],
      ['0:0:0:0:0:0:0:0', '::'],
      ['1:0:0:0:0:0:0:0', '1::'],
      ['0:0:0:0:0:0:0:1', '::1'],
      ['0:1:0:0:0:0:0:0', '0:1::'],
    ]
    for (const [text, expected] of pairs) expect(Address.parse(text as string).toString()).toBe(expected)
  })

  test('an address is written as the URL parser writes it, and read back the same', () => {
    fc.assert(
      fc.property(groups, (parts) => {
        const address = ofGroups(parts)
        const text = address.toString()
        if (address.family === 6) expect(text).toBe(canonical(parts.map((each) => each.toString(16)).join(':')))
        expect(Address.parse(text).equals(address)).toBe(true)
        expect(formatWords(address.w0, address.w1, address.w2, address.w3)).toBe(text)
        expect(JSON.stringify({ address })).toBe(`{"address":"${text}"}`)
      }),
      seeded,
    )
  })

  test('an address becomes bytes and comes back', () => {
    expect([...Address.parse('192.0.2.1').toBytes()]).toEqual([192, 0, 2, 1])
    fc.assert(
      fc.property(word, word, word, word, (w0, w1, w2, w3) => {
        const address = new Address(w0, w1, w2, w3)
        expect(Address.fromBytes(address.toBytes()).equals(address)).toBe(true)
        const view = new DataView(new ArrayBuffer(20))
        address.write(view, 3)
        const length = address.family === 4 ? 4 : 16
        expect([...new Uint8Array(view.buffer, 3, length)]).toEqual([...address.toBytes()])
      }),
      seeded,
    )
    expect(() => Address.fromBytes([1, 2, 3])).toThrow(RangeError)
  })

  test('an address is equal only to itself, word by word', () => {
    const address = new Address(1, 2, 3, 4)
    expect(address.equals(new Address(1, 2, 3, 4))).toBe(true)
    expect(address.is(1, 2, 3, 4)).toBe(true)
    for (const other of [
      new Address(0, 2, 3, 4),
      new Address(1, 0, 3, 4),
      new Address(1, 2, 0, 4),
      new Address(1, 2, 3, 0),
    ]) {
      expect(address.equals(other)).toBe(false)
      expect(address.is(other.w0, other.w1, other.w2, other.w3)).toBe(false)
    }
    expect(new Address(0xffffffff, 0, 0, 0).equals(new Address(-1, 0, 0, 0))).toBe(true)
  })

  const kinds = ['isUnspecified', 'isLoopback', 'isMulticast', 'isLinkLocal', 'isLimitedBroadcast'] as const
  test.each([
    ['0.0.0.0', 'isUnspecified'],
    ['::', 'isUnspecified'],
    ['0.0.0.1', ''],
    ['::1', 'isLoopback'],
    ['::2', ''],
    ['127.0.0.1', 'isLoopback'],
    ['127.255.255.255', 'isLoopback'],
    ['128.0.0.1', ''],
    ['126.255.255.255', ''],
    ['::127.0.0.1', ''],
    ['224.0.0.0', 'isMulticast'],
    ['239.255.255.255', 'isMulticast'],
    ['240.0.0.0', ''],
    ['223.255.255.255', ''],
    ['ff00::', 'isMulticast'],
    ['ff02::1', 'isMulticast'],
    ['fe00::', ''],
    ['::e000:1', ''],
    ['169.254.0.0', 'isLinkLocal'],
    ['169.254.255.255', 'isLinkLocal'],
    ['169.253.255.255', ''],
    ['fe80::', 'isLinkLocal'],
    ['febf:ffff::', 'isLinkLocal'],
    ['fec0::', ''],
    ['fe7f:ffff::', ''],
    ['255.255.255.255', 'isLimitedBroadcast'],
    ['255.255.255.254', ''],
    ['ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'isMulticast'],
  ])('%s is %s', (text, kind) => {
    const address = Address.parse(text)
    expect(kinds.filter((each) => address[each])).toEqual(kind === '' ? [] : [kind])
  })

  test('an address has names for the well-known ones', () => {
    expect([Address.ANY4, Address.ANY6, Address.LOOPBACK4, Address.LOOPBACK6, Address.BROADCAST4].map(String)).toEqual([
      '0.0.0.0',
      '::',
      '127.0.0.1',
      '::1',
      '255.255.255.255',
    ])
  })
})

describe('a prefix', () => {
  const bitsOf = (address: Address) => [...address.toBytes()].map((byte) => byte.toString(2).padStart(8, '0')).join('')

  test('a prefix holds the addresses that share its first bits, and no others', () => {
    const address = fc
      .oneof(fc.tuple(fc.constant(0), fc.constant(0), fc.constant(MAPPED), word), fc.tuple(word, word, word, word))
      .map(([a, b, c, d]) => new Address(a, b, c, d))
    fc.assert(
      fc.property(address, fc.nat(128), fc.nat(127), (base, wanted, flip) => {
        const bits = base.family === 4 ? 32 : 128
        const length = wanted % (bits + 1)
        const prefix = new Prefix(base, length)
        expect(bitsOf(prefix.address)).toBe(bitsOf(base).slice(0, length).padEnd(bits, '0'))
        expect(prefix.contains(base)).toBe(true)
        const at = flip % bits
        const bytes = base.toBytes()
        bytes[at >> 3] = (bytes[at >> 3] as number) ^ (0x80 >> (at & 7))
        const other = Address.fromBytes(bytes)
        if (other.family === base.family) expect(prefix.contains(other)).toBe(at >= length)
      }),
      seeded,
    )
  })

  test('a prefix of one family does not hold the other', () => {
    expect(Prefix.parse('0.0.0.0/0').contains(Address.parse('::1'))).toBe(false)
    expect(Prefix.parse('0.0.0.0/0').contains(Address.parse('1.2.3.4'))).toBe(true)
    expect(Prefix.parse('2001::/16').contains(Address.parse('32.1.0.0'))).toBe(false)
  })

  test('a prefix is read from text, with and without a length', () => {
    expect(Prefix.parse('192.0.2.77/24').toString()).toBe('192.0.2.0/24')
    expect(Prefix.parse('192.0.2.77').toString()).toBe('192.0.2.77/32')
    expect(Prefix.parse('2001:db8::7').toString()).toBe('2001:db8::7/128')
    expect(Prefix.parse('2001:db8:ffff::/33').toString()).toBe('2001:db8:8000::/33')
    expect(Prefix.parse('::/0').toString()).toBe('::/0')
    expect(Prefix.parse('10.0.0.0/8').equals(Prefix.parse('10.1.2.3/8'))).toBe(true)
    expect(Prefix.parse('10.0.0.0/8').equals(Prefix.parse('10.0.0.0/9'))).toBe(false)
  })

  test.each([
    '192.0.2.0/',
    '192.0.2.0/-1',
    '192.0.2.0/a',
    '192.0.2.0/2 ',
    '/24',
    '192.0.2/24',
    '192.0.2.0/24/1',
    '192.0.2.0/1e1',
  ])("refuses '%s'", (text) => {
    expect(() => Prefix.parse(text)).toThrow(TypeError)
  })

  test('a prefix refuses a length that the family does not have', () => {
    expect(() => Prefix.parse('192.0.2.0/33')).toThrow(RangeError)
    expect(() => Prefix.parse('2001:db8::/129')).toThrow(RangeError)
    expect(() => new Prefix(Address.ANY6, 1.5)).toThrow(RangeError)
    expect(new Prefix(Address.ANY6, 128).length).toBe(128)
  })

  test('a prefix has a broadcast address in IPv4 up to /30', () => {
    expect(Prefix.parse('192.0.2.0/24').broadcast?.toString()).toBe('192.0.2.255')
    expect(Prefix.parse('10.0.0.0/8').broadcast?.toString()).toBe('10.255.255.255')
    expect(Prefix.parse('192.0.2.4/30').broadcast?.toString()).toBe('192.0.2.7')
    expect(Prefix.parse('0.0.0.0/0').broadcast?.toString()).toBe('255.255.255.255')
    for (const text of ['192.0.2.0/31', '192.0.2.0/32', '2001:db8::/64'])
      expect(Prefix.parse(text).broadcast).toBe(null)
  })

  test('a prefix of an interface keeps the host bits in the address', () => {
    const { address, prefix } = parseCidr('192.0.2.7/24')
    expect([address.toString(), prefix.toString()]).toEqual(['192.0.2.7', '192.0.2.0/24'])
  })
})

describe('a scoped address', () => {
  test('a scoped address is split at the percent sign', () => {
    expect(parseScoped('fe80::1%eth0')).toMatchObject({ zone: 'eth0' })
    expect(parseScoped('fe80::1%eth0')?.address.toString()).toBe('fe80::1')
    expect(parseScoped('fe80::1')).toMatchObject({ zone: '' })
    expect(parseScoped('192.0.2.1')).toMatchObject({ zone: '' })
  })

  test('a scoped address of IPv4 has no zone, and nonsense is null', () => {
    expect(parseScoped('169.254.0.1%eth0')).toBe(null)
    expect(parseScoped('fe80::x%eth0')).toBe(null)
    expect(parseScoped('%eth0')).toBe(null)
  })
})
