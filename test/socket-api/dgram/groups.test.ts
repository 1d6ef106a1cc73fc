import { expect, test } from 'vitest'
import { bound, message, pair, sent } from '../pair.ts'

test('a socket that hears a broadcast answers from the unicast address of the interface', async () => {
  const { a, b } = pair()
  const server = await bound(b)
  server.on('message', (msg, rinfo) => server.send(msg, rinfo.port, rinfo.address))
  const client = await bound(a, 'udp4', '10.0.0.1')
  client.setBroadcast(true)
  for (const to of ['10.0.0.255', '255.255.255.255']) {
    const answer = message(client)
    await sent(client, 'anybody?', server.address().port, to)
    expect((await answer).rinfo).toMatchObject({ address: '10.0.0.2', port: server.address().port })
  }
})

test('a socket that hears a group answers from the unicast address of the interface', async () => {
  const { a, b } = pair()
  for (const [type, group, nic, from] of [
    ['udp4', '239.1.1.1', '10.0.0.2', '10.0.0.2'],
    ['udp6', 'ff02::1234', '::%wire', 'fe80::2%wire'],
  ] as const) {
    const server = await bound(b, type)
    server.addMembership(group, nic)
    server.on('message', (msg, rinfo) => server.send(msg, rinfo.port, rinfo.address))
    const client = await bound(a, type)
    client.setMulticastInterface(type === 'udp4' ? '10.0.0.1' : '::%wire')
    const answer = message(client)
    await sent(client, 'anybody?', server.address().port, group)
    expect((await answer).rinfo.address).toBe(from)
  }
})

test('a hop limit of multicast is its own', async () => {
  const { a, b } = pair()
  const server = (await bound(b)).setRecvInfo(true)
  server.addMembership('239.1.1.1', '10.0.0.2')
  const client = await bound(a)
  client.setMulticastInterface('10.0.0.1')
  client.setTTL(99)
  for (const ttl of [1, 7]) {
    client.setMulticastTTL(ttl)
    const got = message(server)
    await sent(client, 'x', server.address().port, '239.1.1.1')
    expect((await got).rinfo.ttl).toBe(ttl)
  }
})
