/** Where namespaces or devices cannot be had, the error says which and what to do. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { describeForUsers, Files, home } from './run.ts'

const cli = join(home('nobody'), 'dist/cli.js')
const files = new Files()
afterAll(() => files.remove())
const NET = files.write('pair.yaml', 'hosts: { a: , b: }\nlinks: [{ between: [a, b] }]\n')
const PATH = '/usr/sbin:/usr/bin:/sbin:/bin'

/** Runs `true` on a host, after a line of a shell in namespaces of its own; what is said. */
function refusal(flags: readonly string[], line: string): { code: number | null; said: string } {
  const script = `${line} "$@"`
  const command = [process.execPath, cli, 'run', '--net', NET, '--on', 'a', '--', 'true']
  const { status, stderr } = spawnSync('unshare', [...flags, 'sh', '-c', script, 'sh', ...command], {
    encoding: 'utf8',
    env: { ...process.env, PATH },
  })
  return { code: status, said: stderr }
}

const AS_NOBODY = 'setpriv --reuid=65534 --regid=65534 --clear-groups --'

describeForUsers('a run that cannot be', () => {
  test('for want of user namespaces', () => {
    const { code, said } = refusal(
      ['-Ur'],
      'echo 0 > /proc/sys/user/max_user_namespaces; exec setpriv --bounding-set -all --inh-caps -all',
    )
    expect(code).toBe(1)
    expect(said).toContain("the sysctl user.max_user_namespaces is 0; let root say 'sysctl user.max_user_namespaces=")
  })

  test('for want of network namespaces, by root', () => {
    const { code, said } = refusal(['-Ur'], 'echo 0 > /proc/sys/user/max_net_namespaces; exec')
    expect({ code, said }).toMatchObject({ code: 1, said: expect.stringContaining('user.max_net_namespaces is 0') })
  })

  test('for want of a device', () => {
    const { code, said } = refusal(['-m'], 'mount -t tmpfs none /dev/net; exec')
    expect({ code, said }).toMatchObject({
      code: 1,
      said: expect.stringContaining('there is no /dev/net/tun: load the driver'),
    })
  })

  test('because the device is for root only', () => {
    const { code, said } = refusal(
      ['-m'],
      `mount -t tmpfs none /dev/net; mknod -m 600 /dev/net/tun c 10 200; exec ${AS_NOBODY}`,
    )
    expect(code).toBe(1)
    expect(said).toContain('/dev/net/tun may not be opened by this user (EACCES)')
    expect(said).toContain("'chmod 0666 /dev/net/tun'")
  })

  test('for want of unshare', () => {
    const { code, said } = refusal(['-n'], 'PATH=/nowhere; export PATH; exec')
    expect({ code, said }).toMatchObject({
      code: 1,
      said: expect.stringContaining("the command 'unshare' is not there: install the package util-linux"),
    })
  })
}, ['root'])
