import { expect, test } from 'vitest'
import { continueProcess, type NetworkProcess, processSend } from '../../../src/socket-api/network-process.ts'
import { client, clock, server, useTwoHosts } from './two-hosts.ts'

useTwoHosts()

test.each([1, 100, 1400])('a Buffer of %i bytes has its memory for itself', (size) => {
  const raw: Buffer[] = []
  server({ coding: 'buffer', filter: (_process: NetworkProcess, data: Buffer) => raw.push(data) })
  const { process } = client()
  for (let n = 0; n < 3; n++) processSend(process, Buffer.alloc(size, n))
  clock.settle()
  expect(raw.map((data) => [data[0], data.byteOffset, data.buffer.byteLength])).toEqual(
    [0, 1, 2].map((n) => [n, 0, size]),
  )
})

test('a filter gets 32 in a turn at most, after a stop as well', () => {
  const { process: receiver, heard } = server({ stop: true })
  const { process } = client()
  for (let n = 0; n < 80; n++) processSend(process, `${n}`)
  clock.settle()
  expect(heard).toEqual([])
  continueProcess(receiver)
  const counts: number[] = []
  while (clock.pending > 0 && heard.length < 80) {
    clock.step()
    counts.push(heard.length)
  }
  expect(counts.filter((count, at) => count !== counts[at - 1])).toEqual([32, 64, 80])
})

test('one send is one datagram and one call of the filter, empty ones and their bounds included', () => {
  const { heard } = server()
  const { process } = client()
  for (const text of ['one', '', 'two words']) processSend(process, text)
  expect(heard).toEqual([])
  clock.settle()
  expect(heard).toEqual(['one', '', 'two words'])
})

test('each message has memory of its own', () => {
  const raw: Buffer[] = []
  server({ coding: 'buffer', filter: (_process: NetworkProcess, data: Buffer) => raw.push(data) })
  const { process } = client()
  processSend(process, 'one')
  processSend(process, 'two')
  clock.settle()
  expect(raw.map(String)).toEqual(['one', 'two'])
})

test('a filter that throws does not keep the datagrams behind it', async () => {
  const uncaught: unknown[] = []
  const before = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', (error) => uncaught.push(error))
  try {
    const heard: string[] = []
    server({
      filter: (_process: NetworkProcess, text: string) => {
        heard.push(text)
        throw new Error(text)
      },
    })
    const { process: asker } = client()
    processSend(asker, 'one')
    processSend(asker, 'two')
    clock.settle()
    await new Promise(setImmediate)
    expect(heard).toEqual(['one', 'two'])
    expect(uncaught).toEqual([new Error('one'), new Error('two')])
  } finally {
    process.removeAllListeners('uncaughtException')
    for (const listener of before) process.on('uncaughtException', listener)
  }
})
