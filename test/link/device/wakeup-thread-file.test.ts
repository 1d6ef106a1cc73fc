import { existsSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import { wakeupThreadFile } from '../../../src/link/device/wakeup-thread-file.ts'

const built = fileURLToPath(new URL('../../../dist/link/device/wakeup-thread.js', import.meta.url))

describe('the program of the thread that waits for a device', () => {
  test('is found without being told', () => {
    expect(existsSync(wakeupThreadFile())).toBe(true)
  })

  test.each([
    ['a path', built],
    ['a URL', pathToFileURL(built)],
    ['the text of a URL', pathToFileURL(built).href],
  ])('is where a program says, by %s', (_, told) => {
    expect(wakeupThreadFile(told)).toBe(built)
  })

  test('that is not where a program says is missed by name, with what to do', () => {
    expect(() => wakeupThreadFile('/nowhere/wakeup-thread.js')).toThrow(
      expect.objectContaining({
        code: 'ERR_TUN_NO_THREAD',
        message: expect.stringMatching(/not at \/nowhere\/wakeup-thread\.js.*openTun\(\{ wakeupThread \}\)/),
      }),
    )
  })
})
