import { expect, test } from 'vitest'
import {
  formatNetworkAddress,
  networkInterfaceInfo,
  networkInterfaceList,
} from '../../../src/socket-api/network-process.ts'
import { a, b, useTwoHosts } from './two-hosts.ts'

useTwoHosts()

test('all addresses of the interfaces are listed, or those of a family', () => {
  expect(networkInterfaceList({ stack: b, family: 'ipv4' })).toEqual([
    { name: 'lo', address: '127.0.0.1', broadcast: null, netmask: '255.0.0.0' },
    { name: 'eth0', address: '10.0.0.2', broadcast: '10.0.0.255', netmask: '255.255.255.0' },
    { name: 'eth1', address: '10.0.1.2', broadcast: '10.0.1.255', netmask: '255.255.255.0' },
    { name: 'far', address: '198.51.100.1', broadcast: '198.51.100.255', netmask: '255.255.255.0' },
  ])
  expect(networkInterfaceList({ stack: a }).map(({ address }) => address)).toEqual([
    '127.0.0.1',
    '::1',
    ...['10.0.0.1', '2001:db8::1', 'fe80::1'],
    ...['10.0.1.1', '2001:db8:1::1', 'fe80::1:1'],
  ])
})

test('an interface tells its address, mask, hardware address and flags', () => {
  expect(networkInterfaceInfo('eth0', { stack: a })).toEqual({
    address: '10.0.0.1',
    broadcast: '10.0.0.255',
    netmask: '255.255.255.0',
    hardwareAddress: null,
    flags: ['up', 'pointopoint', 'noarp', 'multicast', 'running'],
  })
  expect(networkInterfaceInfo('lo', { stack: a })).toMatchObject({
    address: '127.0.0.1',
    flags: ['up', 'loopback', 'running'],
  })
  expect(networkInterfaceInfo('eth7', { stack: a })).toBeNull()
})

test.each([
  [[127, 0, 0, 1, 8080], '127.0.0.1:8080', '127.0.0.1'],
  [[127, 0, 0, 1], '127.0.0.1', '127.0.0.1'],
  [[0, 0, 0, 0, 0, 0, 0, 1, 80], '[::1]:80', '::1'],
  [[0xfe80, 0, 0, 0, 0, 0, 0, 1], 'fe80::1', 'fe80::1'],
  ['192.0.2.1:5', '192.0.2.1:5', '192.0.2.1'],
  ['[2001:DB8:0:0::1]:5', '[2001:db8::1]:5', '2001:db8::1'],
  [{ address: 'fe80::1%eth0', port: 5 }, '[fe80::1%eth0]:5', 'fe80::1%eth0'],
])('%o is %s, or without its port %s', (address, text, withoutPort) => {
  expect(formatNetworkAddress(address)).toBe(text)
  expect(formatNetworkAddress(address, true)).toBe(withoutPort)
})

test.each([
  [[1, 2, 3]],
  [[1, 2, 3, 256, 5]],
  [[1, 2, 3, 4, 65_536]],
  ['::1:80'],
  ['host:80'],
  [{ address: 'x', port: 1 }],
  [{ address: '::1', port: -1 }],
  [null],
])('%o is no address', (address) => {
  expect(formatNetworkAddress(address as never)).toBeNull()
})
