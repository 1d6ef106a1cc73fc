import Module from 'node:module'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { openTun } from '../../../src/link/device/tun.ts'

/** What opening a device says before it needs any privilege. */
describe('options of a TUN device', () => {
  test.each([
    ['sixteen-bytes-xx', /16 bytes/],
    ['äääääääö', /16 bytes/],
    ['a/b', /slashes/],
    ['a b', /blanks/],
    ['a\tb', /blanks/],
    ['eth0:1', /colons/],
    ['a\0b', /blanks/],
    ['.', /directory/],
    ['..', /directory/],
    ['%d%d', /once/],
    ['x%s', /once/],
  ])('refuse the name %j', (name, message) => {
    expect(() => openTun({ name })).toThrow(expect.objectContaining({ code: 'EINVAL', syscall: 'ioctl', errno: -22 }))
    expect(() => openTun({ name })).toThrow(message)
  })

  test.each(['', '02:00:00:00:00', '02-00:zz:00:00:01', '03:00:00:00:00:01', '00:00:00:00:00:00'])(
    'refuse the hardware address %j',
    (hardwareAddress) => {
      expect(() => openTun({ kind: 'tap', hardwareAddress })).toThrow(TypeError)
    },
  )

  test('refuse an unknown kind and a peer that is no address with a prefix length', () => {
    expect(() => openTun({ kind: 'tub' as 'tun' })).toThrow(TypeError)
    expect(() => openTun({ peer: '10.0.0.1/x' })).toThrow(TypeError)
    expect(() => openTun({ peer: ['10.0.0.1/24', 'nobody'] })).toThrow(TypeError)
  })
})

describe('without what a device needs', () => {
  const { platform } = process
  beforeEach(() => vi.resetModules())
  afterEach(() => {
    Object.defineProperty(process, 'platform', { value: platform })
    vi.restoreAllMocks()
  })

  test('another system is named, and the links that work there', async () => {
    Object.defineProperty(process, 'platform', { value: 'darwin' })
    const fresh = await import('../../../src/link/device/tun.ts')
    expect(() => fresh.openTun()).toThrow(
      expect.objectContaining({
        code: 'ENOTSUP',
        message: expect.stringMatching(/need Linux, this is darwin.*in-memory links/),
      }),
    )
  })

  test.runIf(platform === 'linux')(
    'a koffi that does not load fails at the first device, not at the import',
    async () => {
      const loader = Module as unknown as { _load(request: string, ...rest: unknown[]): unknown }
      const original = loader._load
      vi.spyOn(loader, '_load').mockImplementation(function (this: unknown, request, ...rest) {
        if (request.includes('koffi')) throw new Error('no binary for this machine')
        return original.call(this, request, ...rest)
      })
      const fresh = await import('../../../src/link/device/tun.ts')
      expect(() => fresh.openTun()).toThrow(
        expect.objectContaining({
          code: 'ERR_TUN_NO_KOFFI',
          message: expect.stringMatching(/no binary for this machine.*npm install koffi/),
        }),
      )
    },
  )
})
