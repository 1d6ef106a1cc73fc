import { expect, test } from 'vitest'
import { hostsFile, nsswitchFile } from '../../src/namespaces/host-files.ts'

test('the hosts file has the names of the network, and localhost', () => {
  const names = new Map([
    ['a', ['10.0.0.1', 'fd00::1']],
    ['b.lab', ['10.0.0.2']],
  ])
  expect(hostsFile(names)).toBe(
    '127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n10.0.0.1 a\nfd00::1 a\n10.0.0.2 b.lab\n',
  )
})

test('names are asked of no daemon, everything else as before', () => {
  const before =
    'passwd: files systemd\n hosts:  files resolve [!UNAVAIL=return] mdns4_minimal dns\nnetworks: nis\ngroup: files\n'
  expect(nsswitchFile(before)).toBe('passwd: files systemd\ngroup: files\nhosts: files dns\nnetworks: files\n')
})
