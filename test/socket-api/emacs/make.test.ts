import { expect, test } from 'vitest'
import { deleteProcess, type NetworkProcess, processContact } from '../../../src/socket-api/network-process.ts'
import { a, client, server, useTwoHosts } from './two-hosts.ts'

useTwoHosts()

test('names are unique on a stack, and free again when the process is deleted', () => {
  const made = [1, 2, 3].map((service) => client({ service }).process)
  expect(made.map(({ name }) => name)).toEqual(['client', 'client<1>', 'client<2>'])
  deleteProcess(made[1] as NetworkProcess)
  expect(client().process.name).toBe('client<1>')
  expect(server({ name: 'client' }).process.name).toBe('client')
})

test('service true is a random port, which processContact then tells', () => {
  const { process } = server({ service: true })
  const service = processContact(process, 'service') as number
  expect(service).toBeGreaterThan(1023)
  expect(processContact(process)).toEqual(['0.0.0.0', service])
  expect(processContact(process, 'local')).toEqual({ address: '0.0.0.0', port: service })
})

test('a server without host is bound to the loopback of its family', () => {
  const bound = (options: object) => processContact(server({ host: undefined, ...options }).process, 'local')
  expect(bound({})).toEqual({ address: '127.0.0.1', port: 7000 })
  expect(bound({ family: 'ipv6' })).toEqual({ address: '::1', port: 7000 })
  expect(bound({ host: 'local', service: '7001' })).toEqual({ address: '127.0.0.1', port: 7001 })
  expect(bound({ host: 'localhost', service: 7002, family: 'ipv4' })).toEqual({ address: '127.0.0.1', port: 7002 })
})

test('local goes before host and service of a server, remote before those of a client', () => {
  expect(processContact(server({ host: '10.0.0.2', service: 1, local: [10, 0, 1, 2, 7001] }).process, 'local')).toEqual(
    {
      address: '10.0.1.2',
      port: 7001,
    },
  )
  expect(
    processContact(
      client({ host: '10.0.0.2', service: 1, remote: [0x2001, 0xdb8, 0, 0, 0, 0, 0, 2, 80] }).process,
      'remote',
    ),
  ).toEqual({
    address: '2001:db8::2',
    port: 80,
  })
})

test('a name of the stack is a host, by family', () => {
  a.hosts.set('printer', ['10.0.0.2', '2001:db8::2'])
  expect(processContact(client({ host: 'printer' }).process, 'remote')).toEqual({ address: '10.0.0.2', port: 7000 })
  expect(processContact(client({ host: 'printer', family: 'ipv6' }).process, 'remote')).toEqual({
    address: '2001:db8::2',
    port: 7000,
  })
  expect(() => client({ host: 'scanner' })).toThrow(expect.objectContaining({ code: 'ENOTFOUND' }))
})

test.each([
  [{ type: 'stream' }, /type/],
  [{ type: undefined }, /type/],
  [{ name: 7 }, /name/],
  [{ family: 'local' }, /family/],
  [{ family: 'ipv6' }, /10\.0\.0\.2.*ipv6/],
  [{ service: 0 }, /service/],
  [{ service: true }, /service/],
  [{ service: 'ntp' }, /service/],
  [{ service: 65_536 }, /service/],
  [{ service: undefined }, /service/],
  [{ remote: 'nonsense' }, /remote/],
  [{ remote: [1, 2, 3, 4] }, /remote/],
  [{ remote: '10.0.0.2:7', local: '[2001:db8::1]:7' }, /families/],
  [{ coding: 'klingon' }, /coding/],
  [{ filter: 'echo' }, /filter/],
  [{ sentinel: 7 }, /sentinel/],
  [{ priority: 256 }, /priority/],
  [{ linger: -1 }, /linger/],
  [{ bindtodevice: 7 }, /bindtodevice/],
  [{ boradcast: true }, /boradcast.*broadcast/],
])('%o is an error that names the fault', (options, message) => {
  expect(() => client(options)).toThrow(TypeError)
  expect(() => client(options)).toThrow(message)
})

test('an address in use or not of this host is an error of bind, and the name stays free', () => {
  server({ reuseaddr: false })
  expect(() => server({ name: 'other', reuseaddr: false })).toThrow(
    expect.objectContaining({ code: 'EADDRINUSE', syscall: 'bind', address: '0.0.0.0', port: 7000 }),
  )
  expect(() => server({ name: 'other', host: '192.0.2.1' })).toThrow(expect.objectContaining({ code: 'EADDRNOTAVAIL' }))
  expect(server({ name: 'other', service: 7001 }).process.name).toBe('other')
})
