import { expect, test } from 'vitest'
import { MAPPED } from '../../../src/base/address.ts'
import { AddressTexts } from '../../../src/socket-api/delivery/address-texts.ts'
import { bound, pair, sent, turns } from '../pair.ts'

test('many peers: each message shows its own, also when their slots of the cache are the same', async () => {
  const { a, b } = pair()
  const wire = a.nic('wire')
  const addresses = Array.from({ length: 60 }, (_, index) => `10.0.${index % 4}.${10 + Math.floor(index / 4)}`)
  for (const address of addresses) wire?.addAddress(`${address}/16`)
  b.nic('wire')?.addAddress('10.0.0.2/16')
  const server = await bound(b)
  const got: string[] = []
  server.on('message', (msg, rinfo) => got.push(`${msg}=${rinfo.address}`))
  const client = await bound(a)
  for (let round = 0; round < 2; round++)
    for (const source of addresses)
      await sent(client, source, { port: server.address().port, address: '10.0.0.2', source })
  await turns(10)
  expect(got).toEqual([...addresses, ...addresses].map((address) => `${address}=${address}`))
})

test('few peers: a small cache, which grows with them and stays right while it does', () => {
  const { a } = pair()
  const texts = new AddressTexts(a, '')
  const text = (index: number) => texts.text(0, 0, MAPPED, 0x0a000000 + index, 0)
  for (let round = 0; round < 3; round++)
    for (let index = 0; index < 3000; index++) {
      expect(text(index)).toBe(`10.0.${index >> 8}.${index & 255}`)
      if (index % 7 === 0) expect(text(index >> 1)).toBe(`10.0.${index >> 9}.${(index >> 1) & 255}`)
    }
})
