/** What a thread may do less, for a while. */
import { expect } from 'vitest'
import { loadLibc } from '../../src/link/device/tun-libc.ts'

/** Runs `body` with capabilities of this thread switched off (capset(2), version 3). */
export function without<T>(capabilities: number[], body: () => T): T {
  const { library } = loadLibc()
  const capget = library.func('int capget(void *header, void *data)')
  const capset = library.func('int capset(void *header, void *data)')
  const header = Uint32Array.of(0x20080522, 0)
  const data = new Uint32Array(6)
  expect(capget(header, data)).toBe(0)
  const reduced = Uint32Array.from(data)
  for (const capability of capabilities) reduced[0] = (reduced[0] as number) & ~(1 << capability)
  expect(capset(header, reduced)).toBe(0)
  try {
    return body()
  } finally {
    expect(capset(header, data)).toBe(0)
  }
}
