import { describe, expect, test } from 'vitest'
import { checkRawOptions, type RawOptions, RawSettings } from '../../src/raw/raw-options.ts'

const message = (options: RawOptions): string => {
  try {
    checkRawOptions(options)
    return ''
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`
  }
}

describe('the options of a raw endpoint', () => {
  test.each([0, 1, 17, 41, 58, 253, 255])('protocol %i is taken over IPv4', (protocol) => {
    expect(message({ family: 4, protocol })).toBe('')
  })

  test.each([-1, 256, 1.5, Number.NaN, '17'])('protocol %s is refused, and the range is named', (protocol) => {
    expect(message({ family: 4, protocol: protocol as number })).toBe(
      `RangeError: protocol ${protocol} is out of range: an IP header has 0 to 255. ` +
        'For experiments there are 253 and 254 (RFC 3692).',
    )
  })

  test.each([0, 43, 44, 59, 60])('IPv6 extension header %i is refused, and the way out is named', (protocol) => {
    expect(message({ family: 6, protocol })).toBe(
      `RangeError: protocol ${protocol} is an IPv6 extension header, which IP itself reads: ` +
        'give the protocol behind it, or write such a header with headerIncluded.',
    )
    expect(message({ family: 4, protocol })).toBe('')
  })

  test.each([5, undefined, '4'])('family %s is refused', (family) => {
    expect(message({ family: family as 4, protocol: 17 })).toBe(`TypeError: family ${family} is none: give 4 or 6.`)
  })

  test('a checksum offset is even, within the longest payload, and for IPv6 without headers of its own', () => {
    const six = { family: 6, protocol: 253 } as const
    for (const checksumOffset of [0, 2, 65_534]) expect(message({ ...six, checksumOffset })).toBe('')
    for (const checksumOffset of [-2, 3, 65_536, 0.5])
      expect(message({ ...six, checksumOffset })).toBe(
        `RangeError: checksumOffset ${checksumOffset} is none: an even number of bytes, 0 to 65534.`,
      )
    expect(message({ family: 4, protocol: 253, checksumOffset: 2 })).toMatch(/^TypeError: checksumOffset is for IPv6: /)
    expect(message({ ...six, headerIncluded: true, checksumOffset: 2 })).toMatch(/^TypeError: .* do not go together/)
    expect(message({ family: 6, protocol: 255, checksumOffset: 2 })).toMatch(/^TypeError: .* do not go together/)
  })

  test.each(['receive', 'icmp'])('%s is a function', (name) => {
    const options = { family: 4, protocol: 253 } as const
    expect(message({ ...options, [name]: () => {} })).toBe('')
    expect(message({ ...options, [name]: null })).toBe(`TypeError: ${name} is no function: give one, or leave it out.`)
  })

  test('the checksum of ICMPv6 is where it is', () => {
    expect(message({ family: 6, protocol: 58, checksumOffset: 2 })).toBe('')
    expect(message({ family: 6, protocol: 58, checksumOffset: 4 })).toBe(
      'RangeError: checksumOffset 4 is wrong: ICMPv6 has its checksum at 2.',
    )
  })
})

describe('the settings of a raw endpoint', () => {
  test('one nic for groups is that of both families', () => {
    const settings = new RawSettings()
    settings.multicastNic = 3
    expect([settings.multicastNic4, settings.multicastNic6]).toEqual([3, 3])
  })

  test('IPv4 options are taken when they are well formed, and taken away by none', () => {
    const settings = new RawSettings()
    expect(settings.setIpOptions(Uint8Array.of(148, 4, 0, 0))).toBe('')
    expect(settings.setIpOptions(Uint8Array.of(7, 1))).toBe('EINVAL')
    expect(settings.ownOptions?.given).toEqual(Uint8Array.of(148, 4, 0, 0))
    expect(settings.setIpOptions(new Uint8Array(0))).toBe('')
    expect(settings.ownOptions).toBe(null)
  })
})
