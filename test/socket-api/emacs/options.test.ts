import { expect, test } from 'vitest'
import { impair } from '../../../src/link/impairment/impairment.ts'
import { priorityBands, tosOf } from '../../../src/link/impairment/queue-discipline.ts'
import { Segment } from '../../../src/link/segment.ts'
import { processContact, processSend, setNetworkProcessOption } from '../../../src/socket-api/network-process.ts'
import { a, b, client, clock, server, useTwoHosts } from './two-hosts.ts'

useTwoHosts()

test('bindtodevice restricts what is received to the interface, and null undoes it', () => {
  const { process, heard } = server({ bindtodevice: 'eth1' })
  const { process: left } = client()
  const { process: right } = client({ host: '10.0.1.2' })
  const both = () => {
    processSend(left, 'left')
    processSend(right, 'right')
    clock.settle()
    return heard.splice(0)
  }
  expect(both()).toEqual(['right'])
  expect(setNetworkProcessOption(process, 'bindtodevice', null)).toBe(true)
  expect(both()).toEqual(['left', 'right'])
  expect(setNetworkProcessOption(process, 'bindtodevice', 'eth0')).toBe(true)
  expect(both()).toEqual(['left'])
  expect(setNetworkProcessOption(process, 'bindtodevice', '')).toBe(true)
  expect(both()).toEqual(['left', 'right'])
  expect(() => setNetworkProcessOption(process, 'bindtodevice', 'eth7')).toThrow(
    expect.objectContaining({ code: 'ENODEV', message: expect.stringContaining('eth0, eth1') }),
  )
})

test('bindtodevice restricts what is sent to the interface, and null undoes it', () => {
  const { heard } = server()
  const { process } = client()
  processSend(process, 'free')
  setNetworkProcessOption(process, 'bindtodevice', 'eth1')
  expect(() => processSend(process, 'bound')).toThrow(expect.objectContaining({ code: 'ENETUNREACH' }))
  setNetworkProcessOption(process, 'bindtodevice', null)
  processSend(process, 'free again')
  clock.settle()
  expect(heard).toEqual(['free', 'free again'])
})

test('broadcast allows sending to broadcast addresses', () => {
  const { heard } = server({ broadcast: true })
  const { process } = client({ host: '10.0.0.255' })
  expect(() => processSend(process, 'x')).toThrow(expect.objectContaining({ code: 'EACCES' }))
  expect(setNetworkProcessOption(process, ':broadcast', true)).toBe(true)
  processSend(process, 'all')
  clock.settle()
  expect(heard).toEqual(['all'])
  setNetworkProcessOption(process, 'broadcast', null)
  expect(() => processSend(process, 'x')).toThrow(expect.objectContaining({ code: 'EACCES' }))
})

test('dontroute reaches the own networks only, also after a datagram that was routed', () => {
  const { heard } = server()
  const { process: far } = client({ host: '198.51.100.1' })
  const { process: near } = client({ dontroute: true })
  processSend(far, 'by the gateway')
  expect(setNetworkProcessOption(far, 'dontroute', true)).toBe(true)
  expect(() => processSend(far, 'x')).toThrow(
    expect.objectContaining({ code: 'ENETUNREACH', address: '198.51.100.1', port: 7000 }),
  )
  processSend(near, 'on the link')
  setNetworkProcessOption(far, 'dontroute', false)
  processSend(far, 'by the gateway again')
  clock.settle()
  expect(heard).toEqual(['by the gateway', 'on the link', 'by the gateway again'])
})

test.each([['10.0.9.2'], ['2001:db8:9::2']])('priority is the TOS or Traffic Class byte of packets to %s', (host) => {
  const wire = new Segment({ clock })
  a.addNic(wire.link(), { addresses: ['10.0.9.1/24', '2001:db8:9::1/64'] })
  const seen: number[] = []
  wire
    .link()
    .attach({ input: (packet) => seen.push(tosOf(packet, 'ip') as number), idle() {}, dropped() {}, failed() {} })
  const { process } = client({ host, priority: 0xb8 })
  processSend(process, 'x')
  for (const off of [false, null, undefined]) {
    setNetworkProcessOption(process, 'priority', off)
    expect([processContact(process, 'priority'), process.endpoint.tos]).toEqual([0, 0])
  }
  expect(setNetworkProcessOption(process, 'priority', 0x10)).toBe(true)
  processSend(process, 'x')
  clock.settle()
  expect(seen).toEqual([0xb8, 0x10])
})

test('priority chooses the band of a link that has some', () => {
  const wire = new Segment({ clock, name: 'slow' })
  const slow = impair(wire.link(), { clock, send: { rate: 8000, queue: priorityBands() } })
  a.addNic(slow, { name: 'slow', addresses: ['10.0.9.1/24'] })
  b.addNic(wire.link(), { name: 'slow', addresses: ['10.0.9.2/24'] })
  const { heard } = server()
  const { process: ordinary } = client({ host: '10.0.9.2' })
  const { process: urgent } = client({ host: '10.0.9.2', priority: 0x10 })
  for (const text of ['1', '2', '3']) processSend(ordinary, text)
  processSend(urgent, 'urgent')
  clock.advance(10_000)
  expect(heard).toEqual(['1', 'urgent', '2', '3'])
})

test('reuseaddr is true for servers, false for clients, and cannot be changed later', () => {
  const { process: first } = server()
  const { process: second, heard } = server()
  expect(processContact(first, 'reuseaddr')).toBe(true)
  const { process: asker } = client()
  expect(processContact(asker, 'reuseaddr')).toBe(false)
  processSend(asker, 'x')
  clock.settle()
  expect(heard).toEqual(['x'])
  expect(() => server({ reuseaddr: null })).toThrow(expect.objectContaining({ code: 'EADDRINUSE' }))
  expect(() => setNetworkProcessOption(second, 'reuseaddr', false)).toThrow(/makeNetworkProcess/)
  expect(setNetworkProcessOption(second, 'reuseaddr', false, true)).toBeNull()
  expect(processContact(second, 'reuseaddr')).toBe(true)
})

test('the options of streams are kept and told', () => {
  const { process } = client({ keepalive: true, linger: 5 })
  expect(processContact(process, true)).toMatchObject({ keepalive: true, linger: 5, oobinline: false })
  expect(setNetworkProcessOption(process, 'keepalive', null)).toBe(true)
  expect(setNetworkProcessOption(process, 'linger', true)).toBe(true)
  expect(setNetworkProcessOption(process, 'oobinline', 1)).toBe(true)
  expect(processContact(process, true)).toMatchObject({ keepalive: false, linger: true, oobinline: true })
  expect(setNetworkProcessOption(process, 'linger', null)).toBe(true)
  expect(processContact(process, 'linger')).toBeNull()
})

test('an unknown option is an error, or null on request; a bad value is always an error and changes nothing', () => {
  const { process } = client({ priority: 8 })
  expect(() => setNetworkProcessOption(process, 'nodelay', true)).toThrow(/'nodelay'.*broadcast/)
  expect(() => setNetworkProcessOption(process, 'toString', true)).toThrow(TypeError)
  expect(() => setNetworkProcessOption(process, undefined as never, true)).toThrow(/Not a network option/)
  expect(setNetworkProcessOption(process, 'nodelay', true, true)).toBeNull()
  expect(() => setNetworkProcessOption(process, 'priority', 'high', true)).toThrow(/priority/)
  expect(processContact(process, 'priority')).toBe(8)
})
