/** Words that every object has are no options, keys or names anywhere. */
import { afterEach, describe, expect, test } from 'vitest'
import { buildScenario, checkScenario } from '../../src/network/scenario/scenario.ts'
import { buildNetwork } from '../../src/network/scenario/topology.ts'
import {
  deleteProcess,
  makeNetworkProcess,
  type NetworkProcess,
  processContact,
  setNetworkProcessOption,
} from '../../src/socket-api/network-process.ts'
import { readConfig } from '../../src/socket-api/process/config.ts'
import { bound, open, stack } from './pair.ts'

const WORDS = ['toString', '__proto__', 'constructor', 'valueOf', 'hasOwnProperty', 'isPrototypeOf', '__defineGetter__']
/** A node's name begins and ends with a letter or digit. */
const NAMES = WORDS.filter((word) => !word.startsWith('_'))

/** An object that has the word as a key of its own. */
const having = (word: string, value: unknown) => JSON.parse(`{ ${JSON.stringify(word)}: ${JSON.stringify(value)} }`)

const processes: NetworkProcess[] = []
afterEach(() => processes.splice(0).forEach(deleteProcess))

describe.each(WORDS)('%s', (word) => {
  test('is no option and no mode of a socket', async () => {
    const socket = await bound(stack(), 'udp4', '127.0.0.1')
    const refused = expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' })
    expect(() => socket.setDontFragment(word as 'off')).toThrow(refused)
    expect(() => socket.setOption(word as 'ttl', 1)).toThrow(refused)
    expect(() => socket.getOption(word as 'ttl')).toThrow(refused)
    const { port, address } = socket.address()
    expect(() => socket.send('x', { port, address, dontFragment: word as 'off' })).toThrow(refused)
    expect(() => socket.sendBatch([{ msg: 'x', port, address, dontFragment: word as 'off' }])).toThrow(refused)
    expect(socket.getDontFragment()).toBe('want')
  })

  test('is no socket type and no interface', () => {
    const host = stack()
    expect(() => host.dgram.createSocket(word as 'udp4')).toThrow(
      expect.objectContaining({ code: 'ERR_SOCKET_BAD_TYPE' }),
    )
    expect(() => open(host).setOption('bindToDevice', word)).toThrow(expect.objectContaining({ code: 'ENODEV' }))
    expect(() => host.dgram.createSocket('udp4').send('x', { port: 9, address: '127.0.0.1', interface: word })).toThrow(
      'ENODEV',
    )
  })

  test('is no keyword, option or contact of a network process', () => {
    const options = { stack: stack(), name: 'p', type: 'datagram', service: 9 } as const
    expect(() => makeNetworkProcess({ ...options, ...having(word, 1), [word]: 1 })).toThrow(/^Not a keyword/)
    const process = makeNetworkProcess(options)
    processes.push(process)
    for (const key of [word, `:${word}`]) expect(processContact(process, key)).toBe(null)
    expect(() => setNetworkProcessOption(process, word, true)).toThrow(/^Not a network option/)
    expect(setNetworkProcessOption(process, word, true, true)).toBe(null)
    expect(() => makeNetworkProcess({ ...options, coding: word as 'utf-8' })).toThrow(/^Bad value for coding/)
    expect(() => makeNetworkProcess({ ...options, family: word as 'ipv4' })).toThrow(/^Bad value for family/)
    expect(() => makeNetworkProcess({ ...options, host: word })).toThrow(/^Unknown host/)
  })

  test('is no key of TUNGRAM_CONFIG, and a host may be called so', () => {
    const read = (config: object) => readConfig(JSON.stringify(config))
    expect(() => readConfig(`{ ${JSON.stringify(word)}: 1 }`)).toThrow(`${word} is unknown`)
    expect(() => readConfig(`{ "tun": { "address": "10.0.0.1/24", ${JSON.stringify(word)}: 1 } }`)).toThrow(
      'is unknown',
    )
    expect(() => read({ hosts: { a: '10.0.0.1/24' }, host: word })).toThrow(`must be one of a, not '${word}'`)
    expect(
      readConfig(`{ "hosts": { ${JSON.stringify(word)}: "10.0.0.1/24" }, "host": ${JSON.stringify(word)} }`).host,
    ).toBe(word)
  })

  test('is no key of a scenario', () => {
    const read = (scenario: object) => checkScenario(scenario)
    expect(() => read(having(word, 1))).toThrow(`${word}: unknown key`)
    expect(() => read({ hosts: { a: having(word, 1) } })).toThrow('unknown key')
    expect(() => read({ hosts: { a: null }, links: [{ between: ['a', word] }] })).toThrow()
    const flows = [{ from: 'a', to: word, port: 7 }]
    expect(() => read({ hosts: { a: null }, flows })).toThrow(/there/)
  })
})

describe.each(NAMES)('a node named %s', (word) => {
  test('is like any other in a scenario', () => {
    const read = (scenario: object) => checkScenario(scenario)
    const hosts = having(word, null)
    const flows = [{ from: 'a', to: word, port: 7 }]
    const routers = having(word, { echo: [7] })
    const links = [{ between: ['a', word] }]
    expect(() => read({ hosts: { a: null }, routers, links, flows })).toThrow('echo service on 7')
    const network = buildScenario(read({ hosts: { a: null, ...hosts }, links }))
    expect(network.stack(word).nics).toHaveLength(2)
    network.close()
  })

  test('is no switch: its cables come after those of switches', () => {
    const network = buildNetwork({
      hosts: JSON.parse(`{ "a": {}, ${JSON.stringify(word)}: {} }`),
      switches: { s: {}, t: {} },
      links: [{ between: [word, 's'] }, { between: ['a', 't'] }, { between: ['s', 't'] }],
    })
    expect(network.stack('a').nics).toHaveLength(2)
    network.close()
  })
})

test('bindtodevice is off with false, as with nil', () => {
  const process = makeNetworkProcess({ stack: stack(), name: 'p', type: 'datagram', service: 9, bindtodevice: false })
  processes.push(process)
  expect(processContact(process, 'bindtodevice')).toBe(null)
  setNetworkProcessOption(process, 'bindtodevice', 'lo')
  expect(processContact(process, ':bindtodevice')).toBe('lo')
  for (const off of [false, null, undefined, '']) {
    setNetworkProcessOption(process, 'bindtodevice', 'lo')
    expect(setNetworkProcessOption(process, 'bindtodevice', off)).toBe(true)
    expect([processContact(process, 'bindtodevice'), process.endpoint.boundNic]).toEqual([null, 0])
  }
  for (const bad of [true, 1, {}])
    expect(() => setNetworkProcessOption(process, 'bindtodevice', bad)).toThrow(/^Bad value/)
})
