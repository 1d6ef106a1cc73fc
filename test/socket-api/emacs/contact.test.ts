import { expect, test } from 'vitest'
import {
  makeNetworkProcess,
  type NetworkProcess,
  processContact,
  processDatagramAddress,
  processSend,
  setProcessDatagramAddress,
} from '../../../src/socket-api/network-process.ts'
import { b, client, clock, server, useTwoHosts } from './two-hosts.ts'

useTwoHosts()

test('the peer is the sender before the filter runs, so that a send inside the filter answers each sender', () => {
  const seen: unknown[] = []
  server({
    filter: (process: NetworkProcess, text: string) => {
      seen.push(processDatagramAddress(process))
      processSend(process, `${text}!`)
    },
  })
  const first = client({ local: '10.0.0.1:5001' })
  const second = client({ local: '10.0.1.1:5002', host: '10.0.1.2' })
  processSend(first.process, 'first')
  processSend(second.process, 'second')
  clock.settle()
  expect(seen).toEqual([
    { address: '10.0.0.1', port: 5001 },
    { address: '10.0.1.1', port: 5002 },
  ])
  expect(first.heard).toEqual(['first!'])
  expect(second.heard).toEqual(['second!'])
})

test('the peer follows the sender also without a filter, and for a client', () => {
  const { process } = server({ filter: null })
  const { process: asker } = client({ local: '10.0.0.1:5001' })
  processSend(asker, 'x')
  clock.settle()
  expect(processDatagramAddress(process)).toEqual({ address: '10.0.0.1', port: 5001 })

  const stranger = makeNetworkProcess({
    stack: b,
    name: 'stranger',
    type: 'datagram',
    remote: '10.0.0.1:5001',
    local: '10.0.0.2:9',
  })
  processSend(stranger, 'y')
  clock.settle()
  expect(processDatagramAddress(asker)).toEqual({ address: '10.0.0.2', port: 9 })
})

test('the peer can be set, in any form of address; what does not fit is null and changes nothing', () => {
  const { heard } = server()
  const { process } = client({ service: 1 })
  const address = [10, 0, 0, 2, 7000]
  expect(setProcessDatagramAddress(process, address)).toBe(address)
  processSend(process, 'x')
  expect(setProcessDatagramAddress(process, '[::1]:7000')).toBeNull()
  expect(setProcessDatagramAddress(process, 'nonsense')).toBeNull()
  expect(setProcessDatagramAddress(process, [10, 0, 0, 256, 7000])).toBeNull()
  expect(processDatagramAddress(process)).toEqual({ address: '10.0.0.2', port: 7000 })
  clock.settle()
  expect(heard).toEqual(['x'])
})

test('IPv6, and a link-local peer with its zone', () => {
  const { process, heard } = server({ host: '::' })
  const { process: asker, heard: answers } = client({ host: 'fe80::2%eth0' })
  processSend(asker, 'six')
  clock.settle()
  expect(heard).toEqual(['six'])
  expect(processDatagramAddress(process)).toEqual({ address: 'fe80::1%eth0', port: asker.endpoint.localPort })
  processSend(process, 'back')
  clock.settle()
  expect(answers).toEqual(['back'])
})

test('an IPv6 server hears IPv4 too, under mapped addresses, and answers', () => {
  const { process, heard } = server({ host: '::' })
  const { process: asker, heard: answers } = client({ local: '10.0.0.1:5001' })
  processSend(asker, 'four')
  clock.settle()
  expect(heard).toEqual(['four'])
  expect(processDatagramAddress(process)).toEqual({ address: '::ffff:10.0.0.1', port: 5001 })
  processSend(process, 'back')
  clock.settle()
  expect(answers).toEqual(['back'])
})

test('gives host and service, all keywords with their present values, or one of them', () => {
  const plist = { owner: 'me' }
  const { process } = client({ plist })
  expect(processContact(process)).toEqual(['10.0.0.2', 7000])
  const all = processContact(process, true)
  expect(all).toEqual({
    name: 'client',
    type: 'datagram',
    host: '10.0.0.2',
    service: 7000,
    filter: expect.any(Function),
    plist,
    bindtodevice: null,
    broadcast: false,
    dontroute: false,
    keepalive: false,
    linger: null,
    oobinline: false,
    priority: 0,
    reuseaddr: false,
    local: { address: '0.0.0.0', port: 0 },
    remote: { address: '10.0.0.2', port: 7000 },
  })
  expect(processContact(process, ':remote')).toEqual({ address: '10.0.0.2', port: 7000 })
  expect(processContact(process, 'sentinel')).toBeNull()
  expect(process.plist).toEqual(plist)
  expect(process.plist).not.toBe(plist)
  processSend(process, 'x')
  expect(processContact(process, ':local')).toEqual({ address: '0.0.0.0', port: process.endpoint.localPort })
  setProcessDatagramAddress(process, { address: '10.0.1.2', port: 9 })
  expect(processContact(process, 'remote')).toEqual({ address: '10.0.1.2', port: 9 })
})
