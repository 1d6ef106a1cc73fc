import { expect, test } from 'vitest'
import { isPrivileged, whyNoNamespaces } from '../../src/namespaces/privilege.ts'

const DENIED = 'unshare: unshare failed: Operation not permitted\n'
const FULL = 'unshare: unshare failed: No space left on device\n'

/** A system with these files. */
const system = (files: Record<string, string>) => (path: string) => files[path] ?? null

test('both capabilities are needed', () => {
  const status = (mask: string) => system({ '/proc/self/status': `Name:\tnode\nCapEff:\t${mask}\n` })
  expect(isPrivileged(status('000001ffffffffff'))).toBe(true)
  expect(isPrivileged(status('0000000000201000'))).toBe(true)
  expect(isPrivileged(status('0000000000001000'))).toBe(false)
  expect(isPrivileged(status('00000000a80425fb'))).toBe(false)
  expect(isPrivileged(system({}))).toBe(false)
})

for (const [name, complaint, privileged, files, reason] of [
  [
    'a limit of namespaces',
    FULL,
    false,
    { '/proc/sys/user/max_user_namespaces': '0\n' },
    'user.max_user_namespaces is 0',
  ],
  ['a limit for root', FULL, true, { '/proc/sys/user/max_net_namespaces': '0\n' }, 'user.max_net_namespaces is 0'],
  [
    'Debian of old',
    DENIED,
    false,
    { '/proc/sys/kernel/unprivileged_userns_clone': '0\n' },
    'kernel.unprivileged_userns_clone=1',
  ],
  [
    'AppArmor',
    DENIED,
    false,
    { '/proc/sys/kernel/apparmor_restrict_unprivileged_userns': '1\n' },
    'apparmor_restrict_unprivileged_userns=0',
  ],
  ['a container', DENIED, false, { '/.dockerenv': '' }, 'this is a container'],
  ['seccomp', DENIED, false, { '/proc/self/status': 'Seccomp:\t2\n' }, 'a seccomp filter is in force'],
  ['too many', FULL, false, {}, 'too many namespaces'],
  ['anything else', DENIED, false, {}, 'not allowed for this user'],
  ['a privileged process', DENIED, true, {}, 'the kernel refuses although'],
] as const)
  test(`${name}: what is in the way, and what to do`, () => {
    const text = whyNoNamespaces(complaint, privileged, system(files))
    expect(text).toContain(reason)
    expect(text).toContain(complaint.trim())
  })
