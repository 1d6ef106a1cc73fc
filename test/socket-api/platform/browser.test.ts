/** The stand-ins of a browser beside what they stand for. */
import { EventEmitter as NodeEmitter } from 'node:events'
import { isIP as nodeIsIP } from 'node:net'
import { constants as nodeConstants } from 'node:os'
import { getSystemErrorMap as nodeErrors, inspect as nodeInspect } from 'node:util'
import { expect, test } from 'vitest'
import * as browser from '../../../src/socket-api/platform/browser.ts'
import * as node from '../../../src/socket-api/platform/node.ts'

test('both platforms have the same names', () => {
  expect(Object.keys(browser).sort()).toEqual(Object.keys(node).sort())
})

test.each([
  '10.0.0.1',
  '10.0.0.01',
  '10.0.0',
  '256.0.0.1',
  '::',
  '::ffff:10.0.0.1',
  'fe80::1%eth0',
  'fe80::1%',
  'fe80::1%my_nic',
  '10.0.0.1%eth0',
  '1:2:3:4:5:6:7:8:9',
  'localhost',
  '',
])("isIP('%s') is Node's", (text) => {
  expect(browser.isIP(text)).toBe(nodeIsIP(text))
})

test('numbers and texts of errors are those of Linux', () => {
  if (process.platform === 'linux') {
    const { errno } = browser.constants
    // EHOSTDOWN and ENONET have no name in Node.
    const { EHOSTDOWN: _, ENONET: __, ...named } = errno
    const ofNode: Record<string, number> = nodeConstants.errno
    expect(named).toEqual(Object.fromEntries(Object.keys(named).map((name) => [name, ofNode[name]])))
  }
  for (const [number, words] of browser.getSystemErrorMap()) expect(nodeErrors().get(number)).toEqual(words)
})

test.each(['text', "it's", `it's "both"`, 1, -0, 1n, true, null, undefined, Symbol('s'), [], [1, 'a'], () => {}])(
  'inspect shows %o as node:util does',
  (value) => {
    expect(browser.inspect(value)).toBe(nodeInspect(value))
  },
)

test('who watches errors hears of them first, and handles none', () => {
  const emitter = new browser.EventEmitter()
  const heard: string[] = []
  emitter.on(browser.EventEmitter.errorMonitor, (error) => heard.push(`monitor ${error.message}`))
  expect(() => emitter.emit('error', new Error('one'))).toThrow('one')
  emitter.on('error', (error) => heard.push(`listener ${error.message}`))
  emitter.emit('error', new Error('two'))
  expect(heard).toEqual(['monitor one', 'monitor two', 'listener two'])
  expect(emitter).toBeInstanceOf(NodeEmitter)
})

test('a name that nobody knows has an error that says what to do', async () => {
  const ask = (name: string, family: number) =>
    new Promise((resolve) => browser.dns.lookup(name, family, (error, address) => resolve(error?.message ?? address)))
  expect(await ask('localhost', 6)).toBe('::1')
  expect(await ask('10.0.0.1', 4)).toBe('10.0.0.1')
  expect(await ask('www.example', 4)).toBe(
    'getaddrinfo ENOTFOUND www.example (a browser looks no names up: give an address, the name of a host of the ' +
      'network, or a socket with the option lookup)',
  )
})
