import { closeSync, readdirSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { timerCalls } from '../../../src/link/device/timerfd.ts'
import { openOwned } from '../../../src/link/device/tun-descriptor.ts'
import { loadLibc } from '../../../src/link/device/tun-libc.ts'
import { watch } from '../../../src/link/device/tun-poll.ts'
import type { Watcher } from '../../../src/link/device/watcher.ts'

const libc = loadLibc()
const timers = timerCalls(libc)

describe('a watcher that rests', () => {
  const undo: (() => void)[] = []
  afterEach(() => {
    for (const each of undo.splice(0).reverse()) each()
  })

  /** Of a descriptor that is readable all the time. */
  function watching(readable: (watcher: Watcher) => void): Watcher {
    const fd = openOwned(libc, 'timerfd_create', 'No timer', timers.create)
    timers.set(fd, 0)
    const watcher: Watcher = watch(libc, fd, 'uv', {
      readable: () => {
        readable(watcher)
        return 0
      },
      failed: () => {},
      exit: () => {},
    })
    undo.push(() => {
      watcher.close()
      closeSync(fd)
    })
    watcher.ref()
    return watcher
  }

  test('is called when the rest is over, and not before, as long as it rests again', async () => {
    const times: number[] = []
    watching((watcher) => {
      times.push(performance.now())
      watcher.rest?.(20)
    })
    await vi.waitFor(() => expect(times.length).toBeGreaterThan(3), 5000)
    for (let i = 1; i < times.length; i++) expect((times[i] as number) - (times[i - 1] as number)).toBeGreaterThan(19)
  })

  test('watches as before when it does not', async () => {
    const times: number[] = []
    watching((watcher) => {
      times.push(performance.now())
      if (times.length === 1) watcher.rest?.(20)
    })
    await vi.waitFor(() => expect(times.length).toBeGreaterThan(20), 5000)
    expect((times[1] as number) - (times[0] as number)).toBeGreaterThan(19)
  })

  test('is not called any more once it is closed, and leaves no descriptor', async () => {
    const before = readdirSync('/proc/self/fd').length
    let calls = 0
    watching((watcher) => {
      calls++
      watcher.rest?.(5)
    })
    await vi.waitFor(() => expect(calls).toBeGreaterThan(1), 5000)
    for (const each of undo.splice(0)) each()
    const last = calls
    await delay(20)
    expect(calls).toBe(last)
    expect(readdirSync('/proc/self/fd').length).toBe(before)
  })
})
