import { expect, test } from 'vitest'
import { connected, open, pair } from '../pair.ts'

test('connect is a route probe: the address that was chosen shows, and errors go to its callback', async () => {
  const { a } = pair()
  const four = open(a)
  await connected(four, 9, '10.0.0.77')
  expect(four.address()).toMatchObject({ address: '10.0.0.1', family: 'IPv4' })
  const six = open(a, 'udp6')
  await connected(six, 9, 'fd00::77')
  expect(six.address()).toMatchObject({ address: 'fd00::1', family: 'IPv6' })
  const local = open(a, 'udp6')
  await connected(local, 9, 'fe80::77%wire')
  expect(local.address().address).toBe('fe80::1%wire')
  const lost = open(a)
  await expect(connected(lost, 9, '192.0.2.1')).rejects.toMatchObject({ message: 'connect ENETUNREACH 192.0.2.1:9' })
  four.disconnect()
  expect(four.address().address).toBe('0.0.0.0')
})
