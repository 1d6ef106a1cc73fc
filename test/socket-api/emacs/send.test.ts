import { expect, test } from 'vitest'
import {
  deleteProcess,
  type NetworkProcess,
  processDatagramAddress,
  processSend,
  setProcessDatagramAddress,
} from '../../../src/socket-api/network-process.ts'
import { makeHost, PEER4 } from '../../host.ts'
import { datagram } from '../../packet.ts'
import { b, client, clock, server, useTwoHosts } from './two-hosts.ts'

useTwoHosts()

test('4000 sends of 1400 bytes in one turn are all delivered, or counted as dropped by the receiver', () => {
  const { heard } = server()
  const { process } = client()
  const bytes = new Uint8Array(1400).fill(65)
  for (let n = 0; n < 4000; n++) processSend(process, bytes)
  // They are the caller's again.
  bytes.fill(66)
  clock.settle()
  expect(heard.length + b.counters.UdpRcvbufErrors).toBe(4000)
  expect(heard.every((text) => text === 'A'.repeat(1400))).toBe(true)
})

test('a sender without a port gets no answer, and a warning once; the server goes on', async () => {
  const host = makeHost()
  const { process: echo, heard } = server({
    stack: host.stack,
    service: 7,
    filter: (process: NetworkProcess, text: string) => {
      heard.push(text)
      processSend(process, text)
    },
  })
  const warnings: string[] = []
  const warn = (warning: Error) => warnings.push(warning.message)
  process.on('warning', warn)
  for (const sourcePort of [0, 40_000, 0]) host.link.receive(datagram([0x61], 4, { sourcePort }))
  expect(heard).toEqual(['a', 'a', 'a'])
  expect(host.link.take().map((packet) => packet.subarray(20, 24).join())).toEqual([
    `0,7,${40_000 >> 8},${40_000 & 255}`,
  ])
  expect(processDatagramAddress(echo)).toEqual({ address: PEER4, port: 0 })
  await new Promise((resolve) => setImmediate(resolve))
  process.off('warning', warn)
  expect(warnings).toEqual([
    `Process server does not answer ${PEER4}, which sent from port 0: there is no port to send to.`,
  ])
  // A program's own mistake is still one.
  setProcessDatagramAddress(echo, `${PEER4}:0`)
  expect(() => processSend(echo, 'x')).toThrow('send EINVAL')
  host.stack.close()
})

test('a server that nobody has written to yet cannot send', () => {
  const { process } = server()
  expect(processDatagramAddress(process)).toBeNull()
  expect(() => processSend(process, 'x')).toThrow(
    expect.objectContaining({ code: 'EDESTADDRREQ', message: expect.stringContaining('no peer') }),
  )
})

test('a server with remote may speak first', () => {
  const { process: listener, heard } = client({ local: '10.0.0.1:5001' })
  const { process } = server({ remote: '10.0.0.1:5001' })
  processSend(process, 'hello')
  clock.settle()
  expect(heard).toEqual(['hello'])
  expect(processDatagramAddress(listener)).toEqual({ address: '10.0.0.2', port: 7000 })
})

test('the coding says what a string is', () => {
  const raw: unknown[] = []
  const { process } = server({
    coding: 'buffer',
    filter: (_process: NetworkProcess, data: unknown) => raw.push(data),
  })
  const { process: text } = client({ coding: 'utf-8' })
  const { process: binary } = client({ coding: 'binary' })
  processSend(text, 'é')
  processSend(binary, '\xe9\x00')
  processSend(binary, Uint8Array.of(1, 2))
  clock.settle()
  expect(raw).toEqual([Buffer.from([0xc3, 0xa9]), Buffer.from([0xe9, 0]), Buffer.from([1, 2])])
  deleteProcess(process)

  const { heard } = server({ coding: 'binary' })
  processSend(text, 'é')
  clock.settle()
  expect(heard).toEqual(['\xc3\xa9'])
})

test('a datagram longer than UDP carries is EMSGSIZE, also where it is longer than any packet', () => {
  const { process } = client()
  for (const length of [65_508, 70_000])
    expect(() => processSend(process, new Uint8Array(length))).toThrow(
      expect.objectContaining({ code: 'EMSGSIZE', address: '10.0.0.2', port: 7000 }),
    )
  processSend(process, new Uint8Array(65_507))
})

test.each([[undefined], [7], [['one']], [new Uint16Array(2)]])('%o is no datagram', (data) => {
  const { process } = client()
  expect(() => processSend(process, data as never)).toThrow(/Bad value for data/)
})
