/** Interfaces whose names `net.isIP` takes in no zone: bind, connect and send answer as Node does on Linux. */
import { once } from 'node:events'
import { isIP } from 'node:net'
import { expect, test } from 'vitest'
import { Segment } from '../../../src/link/segment.ts'
import { connected, open, sent, stack } from '../pair.ts'

/** A Node whose isIP takes the zone needs no lookup: then the zone counts as any other. */
const taken = isIP('fe80::1%my_nic') === 6

function host() {
  const made = stack()
  made.addNic(new Segment({ clock: made.clock, random: made.random }).link(), {
    name: 'my_nic',
    addresses: ['fe80::1/64'],
  })
  return made
}

const outcome = (call: Promise<unknown>) =>
  call.then(
    () => 'ok',
    (error: Error) => error.message,
  )

test('a zone with an underscore that names an interface is taken by send, and lost by bind and connect', async () => {
  const made = host()
  const server = open(made, 'udp6')
  server.bind(5000, 'fe80::1%my_nic')
  expect(await outcome(once(server, 'listening'))).toBe(taken ? 'ok' : 'bind EINVAL fe80::1:5000')
  const client = open(made, 'udp6')
  expect(await outcome(sent(client, 'x', 9, 'fe80::2%my_nic'))).toBe('ok')
  expect(await outcome(connected(client, 9, 'fe80::2%my_nic'))).toBe(taken ? 'ok' : 'connect EINVAL fe80::2%my_nic:9')
})

test.runIf(!taken)('a zone with an underscore that names none is a host that is not found', async () => {
  const made = host()
  const server = open(made, 'udp6')
  server.bind(5000, 'fe80::1%no_nic')
  expect(await outcome(once(server, 'listening'))).toBe('getaddrinfo ENOTFOUND fe80::1%no_nic')
  const client = open(made, 'udp6')
  const error = 'getaddrinfo ENOTFOUND fe80::2%no_nic'
  expect(await outcome(sent(client, 'x', 9, 'fe80::2%no_nic'))).toBe(error)
  expect(await outcome(connected(client, 9, 'fe80::2%no_nic'))).toBe(error)
})
