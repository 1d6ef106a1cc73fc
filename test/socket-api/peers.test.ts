/** Between two hosts. */
import { expect, test } from 'vitest'
import { bound, connected, message, open, pair, sent, turns } from './pair.ts'

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
