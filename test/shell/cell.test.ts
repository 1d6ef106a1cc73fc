import { afterEach, expect, test } from 'vitest'
import { Network } from '../../src/network/network.ts'
import { syntaxError } from '../../src/shell/cell.ts'
import { type Program, startPrograms } from '../../src/shell/programs.ts'

const { setTimeout: realSetTimeout } = globalThis
const networks: Network[] = []
afterEach(() => {
  for (const network of networks.splice(0)) network.close()
})

/** What programs on two hosts say, with its time. */
async function said(programs: readonly Program[], until = 60_000): Promise<string[]> {
  const network = new Network({ seed: 1 })
  networks.push(network)
  network.host('a')
  network.host('b')
  network.connect('a', 'b', { delay: 10 })
  const running = startPrograms(network, programs)
  const take = (error: unknown) => expect(running.takes(error)).toBe(true)
  const others = process.listeners('unhandledRejection')
  process.removeAllListeners('unhandledRejection').on('unhandledRejection', take)
  try {
    await network.runFor(until)
  } finally {
    process.off('unhandledRejection', take)
    for (const other of others) process.on('unhandledRejection', other)
  }
  running.end()
  return running.said.map(({ program, time, line }) => `${program} ${time} ${line}`)
}

const SERVER = `
const socket = dgram.createSocket('udp4')
socket.on('message', (message, { address, port }) => {
  console.log('got', message.toString(), 'from', address)
  socket.send('echo ' + message, port, address)
})
socket.bind(7)`

test('a program on a host has its sockets and its time', async () => {
  const client = `import dgram from 'node:dgram'
import { Buffer as Bytes } from 'node:buffer'
await sleep(100)
const began = Date.now()
const socket = dgram.createSocket('udp4', (message) => {
  console.log(message, { took: Date.now() - began }, host)
  socket.close()
})
socket.send(Bytes.from('hi'), 7, 'b')`
  expect(
    await said([
      { host: 'b', at: 0, code: SERVER },
      { host: 'a', at: 50, code: client },
    ]),
  ).toEqual(['0 160 got hi from 10.0.0.1', '1 170 <Buffer 65 63 68 6f 20 68 69> {"took":20} a'])
  expect(globalThis.setTimeout).not.toBe(realSetTimeout)
  networks.pop()?.close()
  expect(globalThis.setTimeout).toBe(realSetTimeout)
})

test('a terminal beside it talks with it, and the same run says the same', async () => {
  const programs = [
    { host: 'b', at: 0, code: `${SERVER}\nconsole.log(Math.random())` },
    { host: 'a', at: 1, line: 'echo hello | nc b 7' },
  ]
  const first = await said(programs)
  networks.pop()?.close()
  expect(first.slice(1)).toEqual(['0 11 got hello', '0 11  from 10.0.0.1', '1 21 echo hello'])
  expect(await said(programs)).toEqual(first)
})

test.each([
  [
    'of its own',
    'const a = 1\n  a.b.c()',
    "TypeError: Cannot read properties of undefined (reading 'c') (line 2, column 7)",
  ],
  [
    'of a listener',
    `${SERVER}\nsocket.on('listening', () => {\n  throw new Error('no')\n})`,
    'Error: no (line 9, column 9)',
  ],
  ['of a timer', "setTimeout(() => {\n throw new RangeError('late')\n}, 5)", 'RangeError: late (line 2, column 8)'],
  [
    'of a promise that nobody waits for',
    "setTimeout(async () => {\n await 1\n throw new Error('lost')\n})",
    'Error: lost (line 3, column 8)',
  ],
  [
    'of a callback',
    "dgram.createSocket('udp4').send('x', 7, 'b', () => {\n null.x\n})",
    "TypeError: Cannot read properties of null (reading 'x') (line 2, column 7)",
  ],
  ['that is none', 'throw 5', 'thrown: 5'],
  [
    'of a module',
    "require('fs')",
    "Error: There is no module 'fs' here: there are dgram, buffer, events. (line 1, column 1)",
  ],
  ['of an event', "dgram.createSocket('udp4').bind(9, '192.0.2.1')", 'Error: bind EADDRNOTAVAIL 192.0.2.1:9'],
])('an error %s has its line, and ends the program', async (_, code, text) => {
  const ended = `setInterval(() => console.log('still here'), 1)\n`
  const lines = await said([{ host: 'a', at: 0, code }], 50)
  expect(lines.map((line) => line.replace(/^0 [\d.]+ /, ''))).toEqual([text])
  expect(
    (await said([{ host: 'a', at: 0, code: `${ended}await sleep(3.5); throw new Error('x')` }], 50)).slice(-1),
  ).toEqual(['0 3 Error: x (line 2, column 25)'])
})

test('a program that prints too much is cut', async () => {
  const lines = await said([{ host: 'a', at: 0, code: 'for (let i = 0; i < 6000; i++) console.log(i)' }], 10)
  expect(lines.slice(-1)).toEqual(['0 0 … only 5000 lines are kept'])
})

test('a syntax error is known without a run; what is no program is refused', async () => {
  expect(syntaxError('let a = ')).toBeInstanceOf(SyntaxError)
  expect(syntaxError("import dgram from 'node:dgram'\nawait sleep(1)")).toBeNull()
  expect(await said([{ host: 'a', at: 0, code: 'let a = ' }], 1)).toEqual([expect.stringMatching(/^0 0 SyntaxError: /)])
  await expect(said([{ host: 'a', at: -1, line: 'ping b' }])).rejects.toThrow('A program begins at a time from 0 on')
  await expect(said([{ host: 'c', at: 0, line: 'ping b' }])).rejects.toThrow('c')
  await expect(said([{ host: 'a', at: 0 }])).rejects.toThrow('has a line or code')
})
