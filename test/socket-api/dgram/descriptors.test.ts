import { closeSync, openSync } from 'node:fs'
import { expect, test } from 'vitest'
import { descriptorType } from '../../../src/socket-api/platform/node.ts'
import { bound, open, stack } from '../pair.ts'

test('a descriptor is the same each time it is asked for, none of the process, and free after close', async () => {
  const host = stack()
  const socket = await bound(host)
  const { fd } = socket
  expect(fd).toBeGreaterThanOrEqual(1 << 20)
  expect(socket.fd).toBe(fd)
  expect((await bound(host)).fd).not.toBe(fd)
  socket.close()
  expect(socket.fd).toBe(-1)
  expect(() => open(host).bind({ fd })).toThrow(expect.objectContaining({ code: 'ERR_INVALID_FD_TYPE' }))
})

test('a descriptor of another stack, or of a socket of the other family, is refused', async () => {
  const [host, other] = [stack('a'), stack('b')]
  const { fd } = await bound(host)
  const refused = expect.objectContaining({ code: 'ERR_INVALID_FD_TYPE' })
  expect(() => open(other).bind({ fd })).toThrow(refused)
  expect(() => open(host, 'udp6').bind({ fd })).toThrow(refused)
})

test('what a descriptor of the process is has a name', () => {
  const file = openSync(new URL(import.meta.url), 'r')
  expect(descriptorType(file)).toBe('FILE')
  closeSync(file)
  expect(descriptorType(1 << 20)).toBe('UNKNOWN')
})
