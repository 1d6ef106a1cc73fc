import { describe, expect, test } from 'vitest'
import { SeededRandom } from '../../src/base/random.ts'
import {
  addressHigh,
  addressKey,
  addressLow,
  formatHardwareAddress,
  formatKey,
  isStation,
  parseHardwareAddress,
  randomHardwareAddress,
} from '../../src/wire/hardware-address.ts'

describe('hardware addresses', () => {
  test('hardware addresses are read in both notations and written in one', () => {
    for (const text of ['02:00:5e:7f:ff:01', 'FE:DC:BA:98:76:54', '00:00:00:00:00:01']) {
      const bytes = parseHardwareAddress(text)
      const [high, low] = [addressHigh(bytes), addressLow(bytes)]
      expect(formatHardwareAddress(high, low)).toBe(text.toLowerCase())
      expect(formatKey(addressKey(high, low))).toBe(text.toLowerCase())
      expect(parseHardwareAddress(text.replaceAll(':', '-'))).toEqual(bytes)
    }
  })

  test('hardware addresses are 16 bits and a signed word, or one number', () => {
    const bytes = parseHardwareAddress('fe:dc:ba:98:76:54')
    expect([addressHigh(bytes), addressLow(bytes)]).toEqual([0xfedc, 0xba987654 | 0])
    expect(addressKey(addressHigh(bytes), addressLow(bytes))).toBe(0xfedcba987654)
  })

  test.each([
    '',
    '02:00:00:00:00',
    '02:00:00:00:00:01:02',
    '02:00:00:00:00:0g',
    '01:00:5e:00:00:01',
    'ff:ff:ff:ff:ff:ff',
    '00:00:00:00:00:00',
  ])("as '%s', which is none or no single station, are refused", (text) => {
    expect(() => parseHardwareAddress(text)).toThrow(TypeError)
  })

  test('hardware addresses that are bytes of another number are no station', () => {
    expect(isStation(Uint8Array.of(2, 0, 0, 0, 0))).toBe(false)
    expect(isStation(Uint8Array.of(2, 0, 0, 0, 0, 0))).toBe(true)
  })

  test('hardware addresses at random are single stations, locally administered', () => {
    const random = new SeededRandom('hardware')
    for (let count = 0; count < 100; count++) {
      const bytes = randomHardwareAddress(random)
      expect(isStation(bytes)).toBe(true)
      expect((bytes[0] as number) & 3).toBe(2)
    }
  })
})
