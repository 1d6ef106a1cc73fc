/** QUIC of native code (quiche) between two hosts, over a bad network. */
import { cpSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readCapture } from '../../src/link/capture/capture-reader.ts'
import { selfSigned } from '../drop-in/certificate.ts'
import { here as packages } from '../drop-in/child.ts'
import { skipAloud } from '../skips.ts'
import { describeForUsers, Files, run } from './run.ts'

const files = new Files()
afterAll(() => files.remove())

const NET = files.write(
  'bad.yaml',
  `
hosts: { client: , server: }
routers: { r: }
links:
  - { between: [client, r], mtu: 1300, delay: 5ms, loss: 5% }
  - { between: [r, server] }
`,
)

/** A package with all that it needs, where every user may read it. */
function bring(name: string): void {
  const from = join(packages, 'node_modules', name)
  const to = join(files.directory, 'node_modules', name)
  if (!existsSync(from) || existsSync(to)) return
  cpSync(from, to, { recursive: true })
  const { dependencies = {}, optionalDependencies = {} } = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8'))
  for (const each of Object.keys({ ...dependencies, ...optionalDependencies })) bring(each)
}

/** A connection that has not come through after 20 s is tried again: one in dozens of runs stood still. */
const AGAIN = ['sh', '-c', 'for i in 1 2 3 4; do timeout 20 "$@" && exit 0; done; exit 1', 'sh']

const isThere = existsSync(join(packages, 'node_modules/@matrixai/quic'))
if (isThere) bring('@matrixai/quic')
else skipAloud('native QUIC over a bad network', "'npm ci --prefix test/drop-in'", 'TUNGRAM_REQUIRE_DROPIN')

if (isThere)
  describeForUsers('native QUIC', (user) => {
    test('echoes a stream over 5 % loss and an MTU of 1300', { timeout: 120_000 }, async () => {
      const program = files.write('quic.mjs', readFileSync(join(packages, 'programs/quic.mjs'), 'utf8'))
      const keys = files.write(
        'keys.json',
        JSON.stringify(await selfSigned({ name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' })),
      )
      const capture = join(files.directory, `quic-${user}.pcapng`)
      const peer = (role: string) => [process.execPath, program, role, '10.0.1.2', keys]
      const { code, stdout, stderr } = await run(
        user,
        ...['--net', NET, '--json', '--capture', capture],
        ...['--on', 'server', '--', ...peer('server')],
        ...['--on', 'client', '--after', '2s', '--', ...AGAIN, ...peer('client')],
      )
      expect({ code, stderr }).toMatchObject({
        code: 0,
        stderr: expect.stringContaining('client | echoed 200000 bytes'),
      })
      const { drops } = JSON.parse(stdout)
      const lost = drops.filter(({ reason }: { reason: string }) => reason === 'WireLoss')
      expect(lost.length).toBeGreaterThan(0)
      const packets = [...readCapture(readFileSync(capture))].filter((packet) => packet.interface === 'client.eth0')
      // Twice 200 000 bytes in packets of no more than 1300.
      expect(packets.length).toBeGreaterThan(300)
      expect(Math.max(...packets.map(({ originalLength }) => originalLength))).toBeLessThanOrEqual(1300)
    })
  })
