import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { compile } from '../cli/program.ts'
import { describeWith } from '../skips.ts'
import { counting, here, runNode } from './child.ts'

/** Programs that use a package as its users do, and what each prints. */
const PROGRAMS: Record<string, string[]> = {
  'bittorrent-dht.mjs': ['value kept', 'peer 10.77.0.1 6881'],
  'bonjour-service.mjs': ['A printer 8080 A4 true true'],
  'coap.mjs': ['udp4 6000 /light', 'udp6 6000 /light', 'multicast here'],
  'dns2.mjs': ['udp4 www.example.org 192.0.2.80', 'udp6 www.example.org 192.0.2.80'],
  'multicast-dns.mjs': ['IPv4 5353 printer.local 10.77.0.1', 'IPv6 5353 printer.local 10.77.0.1'],
  'net-snmp.cjs': ['udp4 an agent on udp4', 'udp6 an agent on udp6'],
  'node-osc.mjs': ['["/volume",11,"loud"]', '2'],
  'node-ssdp.cjs': ['200 urn:schemas-upnp-org:device:MediaServer:1 http://10.77.0.1/description.xml 10.77.0.1'],
  'quic.mjs': ['echoed 200000 bytes'],
  'tftp.cjs': ['100000 true'],
  'werift.mjs': ['hello, and hello', 'true true'],
}

const installed = existsSync(join(here, 'node_modules'))
describeWith(
  installed,
  "the packages of 'npm ci --prefix test/drop-in'",
  'TUNGRAM_REQUIRE_DROPIN',
)('packages that use dgram run unmodified, without the kernel', () => {
  let built: ReturnType<typeof compile>
  beforeAll(() => {
    built = compile()
  })
  afterAll(() => built.remove())

  test('each program is in the list', () => {
    expect(readdirSync(join(here, 'programs')).sort()).toEqual(Object.keys(PROGRAMS).sort())
  })

  test.each(Object.entries(PROGRAMS))('%s', async (program, lines) => {
    const register = join(built.directory, 'socket-api/register.js')
    const { code, stdout, stderr } = await runNode([...counting, '--import', register, join(here, 'programs', program)])
    expect({ code, stdout: stdout.trimEnd().split('\n'), stderr }).toEqual({
      code: 0,
      stdout: lines,
      stderr: 'kernel UDP calls: 0\n',
    })
  })

  test('without the drop-in the same check counts calls of the kernel', async () => {
    const { stdout, stderr } = await runNode([...counting, join(here, 'programs/node-osc.mjs')])
    expect(stdout.trimEnd().split('\n')).toEqual(PROGRAMS['node-osc.mjs'])
    expect(Number(/kernel UDP calls: (\d+)/.exec(stderr)?.[1])).toBeGreaterThan(3)
  })
})
