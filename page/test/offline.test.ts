/** The service worker: its version tells whether the built page is another one. */
import { expect, test } from 'vitest'
import { offline } from '../vite/offline.ts'

function workerOf(page: string, ...files: string[]): string {
  const bundle = Object.fromEntries(
    ['index.html', ...files].map((name) => [name, { type: 'asset', source: name === 'index.html' ? page : '' }]),
  )
  let worker = ''
  const generate = offline().generateBundle as unknown as (options: object, of: object) => void
  generate.call({ emitFile: ({ source }: { source: string }) => (worker = source) }, {}, bundle)
  return worker
}

test('another index.html, or another file, is another version', () => {
  const [first, same, page, file] = [
    workerOf('a', 'assets/x-1.js'),
    workerOf('a', 'assets/x-1.js'),
    workerOf('b', 'assets/x-1.js'),
    workerOf('a', 'assets/x-2.js'),
  ]
  expect(first).toContain('FILES = ["./","./assets/x-1.js","./index.html"]')
  expect(same).toBe(first)
  expect(new Set([first, page, file]).size).toBe(3)
})
