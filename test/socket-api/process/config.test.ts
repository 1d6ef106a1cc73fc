import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { DEFAULT_CONFIG, readConfig } from '../../../src/socket-api/process/config.ts'

const read = (value: unknown) => readConfig(JSON.stringify(value))

test('nothing, or settings without a place, is a host in memory with all kinds of addresses', () => {
  expect(readConfig(undefined)).toBe(DEFAULT_CONFIG)
  expect(readConfig('  ')).toBe(DEFAULT_CONFIG)
  expect(read({ mtu: 1280, delay: 2.5, loss: 0.1, seed: 'x', capture: 'a.pcapng' })).toEqual({
    ...DEFAULT_CONFIG,
    mtu: 1280,
    delay: 2.5,
    loss: 0.1,
    seed: 'x',
    capture: 'a.pcapng',
  })
})

test('a device takes one or more addresses, peers and gateways', () => {
  expect(read({ tun: { address: '10.9.0.2/24' } })).toEqual({
    tun: { address: ['10.9.0.2/24'], peer: [], gateway: [] },
  })
  const tap = {
    name: 'tap0',
    address: ['10.9.0.2/24', 'fd09::2/64'],
    peer: ['10.9.0.1/24'],
    gateway: ['10.9.0.1', 'fd09::1'],
  }
  expect(read({ tap, mtu: 9000 })).toEqual({ tap, mtu: 9000 })
})

test('hosts are addresses by name, some with echo services', () => {
  expect(
    read({
      hosts: { app: '10.0.0.1/24', printer: ['10.0.0.2/24', 'fd00::2/64'], clock: { address: '10.0.0.3/24', echo: 7 } },
      host: 'app',
    }),
  ).toEqual({
    hosts: {
      app: { address: ['10.0.0.1/24'], echo: [] },
      printer: { address: ['10.0.0.2/24', 'fd00::2/64'], echo: [] },
      clock: { address: ['10.0.0.3/24'], echo: [7] },
    },
    host: 'app',
  })
})

test('a path leads to a file with JSON', () => {
  const directory = mkdtempSync(join(tmpdir(), 'tungram-'))
  const path = join(directory, 'net.json')
  try {
    writeFileSync(path, '{ "mtu": 600 }')
    expect(readConfig(path).mtu).toBe(600)
    writeFileSync(path, '{ "mtu": 6 }')
    expect(() => readConfig(path)).toThrow(
      `TUNGRAM_CONFIG (${path}): mtu must be a whole number from 68 to 65535, not 6`,
    )
    writeFileSync(path, '{ mtu: 6 }')
    expect(() => readConfig(path)).toThrow(`TUNGRAM_CONFIG (${path}): Expected property name`)
    expect(() => readConfig(join(directory, 'none.json'))).toThrow(/TUNGRAM_CONFIG.*ENOENT.*none\.json/)
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test.each([
  ['{ mtu: 6 }', 1, 3],
  ['{\n  "mtu": 600,\n}', 3, 1],
  ['{ "hosts": { "a": [ "10.0.0.1/24" }', 1, 35],
  ['{ "mtu": 600', 1, 13],
])('a mistake in the JSON %j is told with line %i and column %i', (text, line, column) => {
  expect(() => readConfig(text)).toThrow(`(line ${line}, column ${column})`)
})

test('what an error quotes of the file acts on no terminal', () => {
  const seen = (text: string) => {
    try {
      readConfig(text)
    } catch (error) {
      return (error as Error).message
    }
    return ''
  }
  for (const text of [
    '{ "mtu": \u001b[31m }',
    '{ "\u001b[31m\u202e": 1 }',
    '{\n"mtu": x\n}',
    '{ "host": "\\u001b[2J", "hosts": { "a": "10.0.0.1/24" } }',
  ]) {
    expect(seen(text)).toMatch(/^TUNGRAM_CONFIG: /)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(seen(text)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/)
  }
})

test.each([
  [{ mtus: 1 }, 'mtus is unknown: expected tun, tap, hosts'],
  [{ tun: { address: '10.0.0.1/24' }, hosts: { a: '10.0.0.1/24' } }, 'hosts cannot be together with tun'],
  [{ tun: 'tun0' }, 'tun must be an object'],
  [{ tun: { adress: '10.0.0.1/24' } }, 'tun.adress is unknown: expected name, address, peer, gateway'],
  [{ tun: {} }, 'tun.address is missing'],
  [
    { tun: { address: '10.0.0.1' } },
    `tun.address is no address of a host with a prefix length, such as "10.0.0.1/24": '10.0.0.1'`,
  ],
  [{ tap: { address: ['10.0.0.1/24', '10.0.0.2/33'] } }, 'tap.address[1] is no address'],
  [{ tap: { address: '10.0.0.1/24', gateway: ['10.0.0.0/8'] } }, `tap.gateway[0] is no address: '10.0.0.0/8'`],
  [{ tap: { address: '10.0.0.1/24', name: 7 } }, 'tap.name must be a text, not 7'],
  [{ hosts: {} }, 'hosts is empty'],
  [{ hosts: ['a'] }, 'hosts must be an object'],
  [{ hosts: { a: [] } }, 'hosts.a.address is missing'],
  [{ hosts: { a: '224.0.0.1/4' } }, 'hosts.a.address is no address of a host'],
  [
    { hosts: { a: { address: '10.0.0.1/24', echo: [7, 0] } } },
    'hosts.a.echo[1] must be a whole number from 1 to 65535, not 0',
  ],
  [{ hosts: { a: { address: '10.0.0.1/24', port: 7 } } }, 'hosts.a.port is unknown: expected address, echo'],
  [{ hosts: { a: '10.0.0.1/24' }, host: 'b' }, `host must be one of a, not 'b'`],
  [{ host: 'a' }, 'host needs hosts'],
  [{ mtu: 1500.5 }, 'mtu must be a whole number'],
  [{ mtu: '1500' }, 'mtu must be a whole number from 68 to 65535, not "1500"'],
  [{ delay: -1 }, 'delay must be a number from 0 to 3600000, not -1'],
  [{ loss: 1.1 }, 'loss must be a number from 0 to 1, not 1.1'],
  [{ seed: true }, 'seed must be a text, not true'],
  [{ capture: '' }, 'capture must be a text, not ""'],
])('%j: %s', (value, message) => {
  expect(() => read(value)).toThrow(`TUNGRAM_CONFIG: ${message}`)
})
