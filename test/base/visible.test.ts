import { expect, test } from 'vitest'
import { visible, visibleJson } from '../../src/base/visible.ts'

test.each([
  ['plain, with "quotes", ünïcode 日本 and 🙂', 'plain, with "quotes", ünïcode 日本 and 🙂'],
  ['\x1b[31mred\x07', '\\x1b[31mred\\x07'],
  ['two\nlines\r\tand', 'two\\nlines\\r\\tand'],
  ['\x9b31m\x7f', '\\x9b31m\\x7f'],
  ['\u202egnp.exe\u2066', '\\u202egnp.exe\\u2066'],
  ['zero\u200bwidth\ufeff', 'zero\\u200bwidth\\ufeff'],
  ['a\u2028b\u2029c', 'a\\u2028b\\u2029c'],
  ['half \ud800 of a pair', 'half \\ud800 of a pair'],
  ['tags \u{e0041}', 'tags \\u{e0041}'],
])('%j is shown as %j', (text, shown) => {
  expect(visible(text)).toBe(shown)
})

test('JSON has no raw control either, and reads back as it was', () => {
  const value = { name: 'a\x1b]0;x\x07\x9b\u202e\u{e0041}\n' }
  const text = visibleJson(value)
  expect(text).toMatch(/^[ -~]*$/)
  expect(JSON.parse(text)).toEqual(value)
})
