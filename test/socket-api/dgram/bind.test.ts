import { expect, test } from 'vitest'
import { bound, pair, sent, turns } from '../pair.ts'

test('reusePort spreads flows over the sockets, and keeps each flow with its socket', async () => {
  const { a, b } = pair()
  const first = await bound(b, { type: 'udp4', reusePort: true })
  const { port } = first.address()
  const others = await Promise.all([1, 2, 3].map(() => bound(b, { type: 'udp4', reusePort: true }, undefined, port)))
  const seen = new Map<number, Set<number>>()
  for (const [index, socket] of [first, ...others].entries())
    socket.on('message', (_, rinfo) => seen.set(rinfo.port, (seen.get(rinfo.port) ?? new Set()).add(index)))
  for (let n = 0; n < 40; n++) {
    const client = await bound(a)
    for (let k = 0; k < 3; k++) await sent(client, 'x', port, '10.0.0.2')
  }
  await turns(3)
  expect([...seen.values()].every((sockets) => sockets.size === 1)).toBe(true)
  expect(new Set([...seen.values()].flatMap((sockets) => [...sockets])).size).toBeGreaterThan(2)
})
