/** What is typed, and documents that come from elsewhere meanwhile. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Typing } from '../src/editor/typing.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function begin() {
  const written: string[] = []
  const typing = new Typing('a', (text) => {
    written.push(text)
    // It comes back as the document at once: this is no news.
    expect(typing.isOther(text)).toBe(false)
  })
  return { typing, written }
}

test('what is typed is written once, after a pause, and its echo is not shown', () => {
  const { typing, written } = begin()
  typing.typed('ab')
  vi.advanceTimersByTime(200)
  typing.typed('abc')
  vi.advanceTimersByTime(249)
  expect(written).toEqual([])
  vi.advanceTimersByTime(1)
  expect(written).toEqual(['abc'])
  // Taken back, it is another document again.
  expect(typing.isOther('a')).toBe(true)
  expect(typing.isOther('abc')).toBe(true)
})

test('another document is shown, and what was typed before is not written over it', () => {
  const { typing, written } = begin()
  typing.typed('ab')
  expect(typing.isOther('opened')).toBe(true)
  vi.advanceTimersByTime(1000)
  typing.end()
  expect(written).toEqual([])
})

test('an editor that goes writes what waits, once', () => {
  const { typing, written } = begin()
  typing.typed('ab')
  typing.end()
  vi.advanceTimersByTime(1000)
  expect(written).toEqual(['ab'])
})
