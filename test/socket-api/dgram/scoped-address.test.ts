import { expect, test } from 'vitest'
import { bound, message, pair, sent } from '../pair.ts'

test('a link-local sender is shown with the zone of the interface, and can be answered', async () => {
  const { a, b } = pair()
  const server = (await bound(b, 'udp6')).setRecvInfo(true)
  const client = await bound(a, 'udp6')
  const got = message(server)
  await sent(client, 'x', server.address().port, 'fe80::2%wire')
  const { rinfo } = await got
  expect(rinfo).toMatchObject({ address: 'fe80::1%wire', local: 'fe80::2%wire', interface: 'wire' })
  const answer = message(client)
  await sent(server, 'y', rinfo.port, rinfo.address)
  expect((await answer).rinfo.address).toBe('fe80::2%wire')
  const byIndex = message(server)
  await sent(client, 'z', server.address().port, `fe80::2%${a.nic('wire')?.index}`)
  expect((await byIndex).text).toBe('z')
})
