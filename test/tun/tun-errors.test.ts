import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { openTun, type TunLink, type TunOptions } from '../../src/link/device/tun.ts'
import { loadLibc } from '../../src/link/device/tun-libc.ts'
import { skipAloud } from '../skips.ts'
import { without } from './capabilities.ts'
import { describeOnTun } from './namespace.ts'

const ip = (...args: string[]) => execFileSync('ip', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })

const CAP_DAC_OVERRIDE = 1
const CAP_DAC_READ_SEARCH = 2
const CAP_NET_ADMIN = 12

describeOnTun('a device that cannot be opened says what to do', () => {
  const links: TunLink[] = []
  function open(options?: TunOptions): TunLink {
    const link = openTun(options)
    links.push(link)
    return link
  }
  /** The error of opening; nothing may stay behind. */
  function failure(options?: TunOptions): NodeJS.ErrnoException {
    try {
      open(options)
    } catch (error) {
      return error as NodeJS.ErrnoException
    }
    return expect.fail('the device was opened')
  }
  afterEach(() => {
    for (const link of links.splice(0)) link.close()
  })

  test('a device says what to do when it is in use', () => {
    open({ name: 'taken' })
    const error = failure({ name: 'taken' })
    expect(error).toMatchObject({ code: 'EBUSY', syscall: 'ioctl', errno: -16 })
    expect(error.message).toMatch(/'taken' is in use by another program.*close that, or choose another name/)
  })

  test('a device says what to do when it exists as the other kind', () => {
    ip('tuntap', 'add', 'dev', 'bridge-side', 'mode', 'tap')
    const error = failure({ name: 'bridge-side' })
    expect(error.code).toBe('EINVAL')
    expect(error.message).toMatch(/exists as a TAP device: open it with kind 'tap'/)
    expect(open({ name: 'bridge-side', kind: 'tap' }).name).toBe('bridge-side')
    links.pop()?.close()
    ip('link', 'del', 'bridge-side')
  })

  test('a device says what to do when the name is taken by an interface of another sort', () => {
    const error = failure({ name: 'lo' })
    expect(error.code).toBe('EINVAL')
    expect(error.message).toMatch(/'lo' is a network interface but no TUN or TAP device/)
  })

  test('a device says what to do when it has queues and is opened without, and the other way round', () => {
    ip('tuntap', 'add', 'dev', 'many', 'mode', 'tun', 'multi_queue')
    expect(failure({ name: 'many' }).message).toMatch(/made with multiple queues: open it with queues: 2 or more/)
    ip('link', 'del', 'many')
    ip('tuntap', 'add', 'dev', 'one', 'mode', 'tun')
    const error = failure({ name: 'one', queues: 2 })
    expect(error.code).toBe('EINVAL')
    expect(error.message).toMatch(/made without multiple queues: open it with one queue/)
    ip('link', 'del', 'one')
  })

  test('a device says what to do when the privilege is missing', () => {
    const error = without([CAP_NET_ADMIN], () => failure({ name: 'mine' }))
    expect(error).toMatchObject({ code: 'EPERM', syscall: 'ioctl' })
    expect(error.message).toMatch(/CAP_NET_ADMIN.*unshare -rn.*ip tuntap add dev mine mode tun user USER/)
    expect(without([CAP_NET_ADMIN], () => failure({ kind: 'tap' })).message).toMatch(
      /TAP.*ip tuntap add dev NAME mode tap user USER/,
    )
  })

  // Under 'unshare -r' there is one user only.
  const users = Number(readFileSync('/proc/self/uid_map', 'utf8').trim().split(/\s+/)[2])
  const somebodyElse = 'when it belongs to somebody else'
  if (users <= 1234) skipAloud(somebodyElse, "a second user: run as root, not under 'unshare -r'")
  else
    test(somebodyElse, () => {
      ip('tuntap', 'add', 'dev', 'theirs', 'mode', 'tun', 'user', '1234')
      const error = without([CAP_NET_ADMIN], () => failure({ name: 'theirs' }))
      expect(error.code).toBe('EPERM')
      expect(error.message).toMatch(/'theirs', which belongs to somebody else/)
      ip('link', 'del', 'theirs')
    })

  test('a persistent device of the user opens without privilege, as root left it', () => {
    ip('tuntap', 'add', 'dev', 'mine', 'mode', 'tun', 'user', String(process.getuid?.()))
    ip('link', 'set', 'mine', 'up', 'mtu', '1400')
    ip('address', 'add', '10.7.0.1/24', 'dev', 'mine')
    without([CAP_NET_ADMIN], () => {
      const link = open({ name: 'mine', mtu: 1400, peer: '10.7.0.1/24' })
      expect(link.mtu).toBe(1400)
      links.pop()?.close()

      const mtu = failure({ name: 'mine', mtu: 1300 })
      expect(mtu.code).toBe('EPERM')
      expect(mtu.message).toMatch(/'ip link set mine mtu 1300'/)
      const peer = failure({ name: 'mine', peer: '10.7.0.2/24' })
      expect(peer.code).toBe('EPERM')
      expect(peer.message).toMatch(/'ip address add 10.7.0.2\/24 dev mine'/)
    })
    ip('link', 'set', 'mine', 'down')
    expect(without([CAP_NET_ADMIN], () => failure({ name: 'mine' })).message).toMatch(/'ip link set mine up'/)
    ip('link', 'del', 'mine')
  })

  test('a device says what to do when the kernel refuses the MTU', () => {
    expect(() => openTun({ mtu: 67 })).toThrow(RangeError)
    expect(() => openTun({ mtu: 1500.5 })).toThrow(RangeError)
    const error = failure({ mtu: 65_535, kind: 'tap' })
    expect(error.code).toBe('EINVAL')
    expect(error.message).toMatch(/Setting the MTU of 'tap0' to 65535 failed: EINVAL/)
    expect(() => ip('link', 'show', 'tap0')).toThrow(/does not exist/)
  })

  test('a device says what to do when an IPv6 address cannot be, for want of MTU or because IPv6 is off', () => {
    expect(failure({ mtu: 1000, peer: 'fd00::1/64' }).message).toMatch(
      /Adding the address fd00::1\/64 to 'tun0' failed.*at least 1280/,
    )
    writeFileSync('/proc/sys/net/ipv6/conf/default/disable_ipv6', '1')
    const error = failure({ peer: 'fd00::1/64' })
    expect(error.code).toBe('EACCES')
    expect(error.message).toMatch(/IPv6 is disabled.*disable_ipv6/)
    writeFileSync('/proc/sys/net/ipv6/conf/default/disable_ipv6', '0')
  })

  /** `/dev/net` hidden by an empty directory, in a mount namespace of this process. */
  describe('because of /dev/net/tun', () => {
    let hidden = false
    beforeAll(() => {
      const { library } = loadLibc()
      const CLONE_NEWNS = 0x20000
      const MS_REC_PRIVATE = 0x4000 | 0x40000
      expect(library.func('int unshare(int flags)')(CLONE_NEWNS)).toBe(0)
      const mount = library.func(
        'int mount(const char *source, const char *target, const char *type, unsigned long flags, void *data)',
      )
      expect(mount('none', '/', null, MS_REC_PRIVATE, null)).toBe(0)
      expect(mount('none', '/dev/net', 'tmpfs', 0, null)).toBe(0)
      hidden = true
    })
    afterEach(() => {
      // Never the machine's own.
      if (hidden) rmSync('/dev/net/tun', { force: true })
    })

    test('a device says what to do when /dev/net/tun does not exist', () => {
      const error = failure()
      expect(error).toMatchObject({ code: 'ENOENT', syscall: 'open' })
      expect(error.message).toMatch(/modprobe tun.*--device \/dev\/net\/tun/)
    })

    test('a device says what to do when /dev/net/tun has no driver', async () => {
      // Opening a socket's file answers as a device node without its driver does.
      const server = createServer().listen('/dev/net/tun')
      await once(server, 'listening')
      const error = failure()
      expect(error.code).toBe('ENXIO')
      expect(error.message).toMatch(/modprobe tun/)
      await new Promise((resolve) => server.close(resolve))
    })

    test('a device says what to do when /dev/net/tun may not be opened', () => {
      writeFileSync('/dev/net/tun', '')
      chmodSync('/dev/net/tun', 0)
      const error = without([CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH], () => failure())
      expect(error).toMatchObject({ code: 'EACCES', syscall: 'open' })
      expect(error.message).toMatch(/CAP_NET_ADMIN.*unshare -rn/)
      // A namespace of one's own does not change who may open the file.
      expect(error.message).toMatch(/its mode is 0000.*chmod 666 \/dev\/net\/tun/)
    })
  })
})
