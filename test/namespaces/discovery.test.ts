/** Two avahi daemons find each other's names on a segment, without D-Bus. */
import { afterAll, expect, test } from 'vitest'
import { skipAloud } from '../skips.ts'
import { describeForUsers, Files, has, run } from './run.ts'

const files = new Files()
afterAll(() => files.remove())

const NET = files.write(
  'segment.yaml',
  `
hosts: { printer-host: , laptop-host: , outside: }
segments: { lan: { subnet: [192.0.2.0/24, 'fd02::/64'] } }
routers: { r: }
links:
  - { between: [printer-host, lan] }
  - { between: [laptop-host, lan] }
  - { between: [r, lan] }
  - { between: [r, outside] }
`,
)

/**
 * The daemon under the name $1, with a /run of its own: pid file and socket have fixed names there.
 * With a second argument it looks that name up, $3 times at most, over the socket that the C library uses.
 */
const AVAHI = files.write(
  'avahi.sh',
  `mount -t tmpfs none /run || exit 91
# Its files belong to its user, and without root there is no other user than root.
for file in passwd group; do
  sed 's/^avahi:x:[0-9]*\\(:[0-9]*\\)/avahi:x:0\\1/; s/^\\(avahi:x:0\\):[0-9]*:/\\1:0:/' /etc/$file > /run/$file
  mount --bind /run/$file /etc/$file || exit 91
done
printf '[server]\\nhost-name=%s\\nenable-dbus=no\\nallow-interfaces=eth0\\n' "$1" > /run/avahi.conf
avahi-daemon --no-drop-root --no-chroot --no-rlimits -f /run/avahi.conf 2>/run/log &
socket=/run/avahi-daemon/socket
for i in $(seq 100); do grep -q 'startup complete' /run/log && break; sleep 0.1; done
[ -S $socket ] || { cat /run/log; exit 92; }
echo ready
[ -n "$2" ] || { wait; exit; }
for version in 4 6; do
  for i in $(seq \${3:-3}); do
    echo "RESOLVE-HOSTNAME-IPV$version $2" | socat -t6 STDIO,ignoreeof UNIX:$socket | tee /run/answer
    grep -q '^+' /run/answer && break
  done
done
exit 0
`,
)

describeForUsers('discovery on a segment', (user) => {
  for (const program of ['avahi-daemon', 'socat'])
    if (!has(program)) {
      skipAloud('avahi finds names', `the program ${program}`)
      return
    }
  test('avahi finds a name on its segment, in both families, and none behind a router', {
    timeout: 90_000,
  }, async () => {
    const daemon = (...names: string[]) => ['--', 'unshare', '-m', 'sh', AVAHI, ...names]
    const { code, stdout, stderr } = await run(
      user,
      ...['--net', NET, '--json'],
      ...['--on', 'printer-host', ...daemon('printer')],
      ...['--on', 'outside', '--expect', '0', '--after', '1s', ...daemon('elsewhere', 'printer.local', '1')],
      ...['--on', 'laptop-host', '--after', '1s', ...daemon('laptop', 'printer.local')],
    )
    expect({ code, stderr }).toMatchObject({ code: 0 })
    // `+ 2 0`: found on the interface 2 by IPv4; 1 is IPv6. Who is asked by which is answered by either.
    const said = stderr.split('\n').map((line) => line.replace(/\s+\| (\+ 2 [01] )?/, ' '))
    const answers = said.filter((line) => line.includes('printer.local'))
    expect([...new Set(answers)].sort()).toEqual([
      'laptop-host printer.local 192.0.2.1',
      'laptop-host printer.local fd02::1',
    ])
    // The router is in no group, and its wire to the outside has none of the datagrams.
    expect(JSON.parse(stdout).drops).toEqual([])
    expect(said).toContain('outside ready')
  })
})
