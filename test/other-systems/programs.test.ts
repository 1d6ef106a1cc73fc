/** What users start, in processes of other systems (`as.mjs`). */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')
const as = join(import.meta.dirname, 'as.mjs')
const folder = mkdtempSync(join(tmpdir(), 'tungram-other-'))
afterAll(() => rmSync(folder, { recursive: true }))
const cli = join(root, 'dist/cli.js')

describe.each(['darwin', 'win32'])('on %s', (system) => {
  function node(...words: string[]) {
    const env = { ...process.env, TUNGRAM_AS: system, NO_COLOR: '1', COLUMNS: '200' }
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', as, ...words], {
      cwd: folder,
      encoding: 'utf8',
      env,
    })
    return { code: status, output: stdout, errors: stderr }
  }
  const program = (text: string) => {
    const path = join(folder, 'program.mjs')
    writeFileSync(path, text.replaceAll('DIST', join(root, 'dist')))
    return path
  }

  test('scenarios run, with report, capture and threads', () => {
    const one = node(cli, 'sim', '--example', 'ttl-scoping', '--report', 'r.html', '--capture', 'c.pcapng')
    expect(one).toMatchObject({ code: 0, errors: '' })
    expect(one.output).toContain('dropped 10 at r3: IpHopLimitExceeded')
    expect(readFileSync(join(folder, 'r.html'), 'utf8')).toContain('<svg')
    const sweep = node(cli, 'sim', '--example', 'ttl-scoping', '--sweep', 'delay=1ms,2ms', '--jobs', '2', '--quiet')
    expect(sweep).toMatchObject({ code: 0, errors: '' })
  })

  test('captures are read, paths are measured', () => {
    const dump = node(cli, 'dump', 'c.pcapng', 'icmp')
    expect(dump).toMatchObject({ code: 0, errors: '' })
    expect(dump.output).toContain('time exceeded')
    const trace = node(cli, 'trace', 'far', '--on', 'examples/scenarios/ttl-scoping.yaml', '--from', 'near')
    expect(trace).toMatchObject({ code: 0, errors: '' })
    expect(trace.output.split('\n').length).toBe(6)
  })

  test('a program on the drop-in, with other hosts and without', () => {
    const path = program(`
      import dgram from 'node:dgram'
      const socket = dgram.createSocket('udp4', (message) => { console.log(String(message)); socket.close() })
      socket.send('hello', 7, 'printer')`)
    writeFileSync(
      join(folder, 'net.json'),
      '{"hosts":{"app":["10.0.0.1/24"],"printer":{"address":["10.0.0.2/24"],"echo":[7]}}}',
    )
    const run = spawnSync(
      process.execPath,
      ['--import', as, '--import', join(root, 'dist/socket-api/register.js'), path],
      {
        encoding: 'utf8',
        env: { ...process.env, TUNGRAM_AS: system, TUNGRAM_CONFIG: join(folder, 'net.json') },
      },
    )
    expect(run).toMatchObject({ status: 0, stdout: 'hello\n', stderr: '' })
  })

  test('the demo takes a wire in memory, and says why', () => {
    const { code, output } = node(cli, 'demo')
    expect(code).toBe(0)
    expect(output).toContain(`TUN devices are Linux's, and this is ${system}`)
    expect(output).toContain('all passed')
  })

  test('what needs Linux names the ways around', () => {
    const devices = program(`
      import { openPacket, openTun } from 'DIST/index.js'
      for (const open of [() => openTun(), () => openPacket({ interface: 'eth0' })])
        try { open() } catch (error) { console.log(error.code, error.message) }`)
    const { code, output, errors } = node(devices)
    expect({ code, errors }).toEqual({ code: 0, errors: '' })
    const lines = output.trim().split('\n')
    expect(lines.length).toBe(2)
    for (const line of lines) {
      expect(line).toMatch(new RegExp(`^ENOTSUP .*need Linux, this is ${system}`))
      for (const way of ['WSL2', 'fromTuntap2', 'virtual machine', 'VXLAN']) expect(line).toContain(way)
    }
    const programs = node(
      cli,
      'run',
      '--net',
      join(root, 'examples/programs/bad-network.yaml'),
      '--on',
      'client',
      '--',
      'true',
    )
    expect(programs.code).toBe(1)
    expect(programs.errors).toContain(`this is ${system}: use WSL2 or a virtual machine with Linux`)
    expect(programs.errors).not.toContain('asks for')
  })
})

test('the tests of what runs in memory pass in a process of macOS', { timeout: 120_000 }, () => {
  const vitest = join(root, 'node_modules/vitest/vitest.mjs')
  const words = ['run', '--config', join(import.meta.dirname, 'vitest.config.mjs'), '--reporter=json', '--no-color']
  const { stdout, stderr } = spawnSync(process.execPath, [vitest, ...words], { cwd: root, encoding: 'utf8' })
  const { numPassedTests, numFailedTests, success } = JSON.parse(stdout.slice(stdout.indexOf('{')))
  expect({ numFailedTests, success }, stdout.slice(0, 4000)).toEqual({ numFailedTests: 0, success: true })
  expect(numPassedTests).toBeGreaterThan(100)
  expect(stderr).not.toContain('asks for')
})

test('a process of another system has nothing of Linux', () => {
  const look = (code: string) =>
    spawnSync(process.execPath, ['--import', as, '--input-type=commonjs', '-e', code], {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, TUNGRAM_AS: 'win32' },
    })
  expect(look("console.log(process.platform, require('os').platform())").stdout).toBe('win32 win32\n')
  expect(look("try { require('koffi') } catch {}")).toMatchObject({
    status: 97,
    stderr: 'asks for koffi, which win32 has not\n',
  })
  expect(look("require('fs').existsSync('/dev/net/tun')").stderr).toContain('asks for /dev/net/tun')
  expect(look("import('node:fs').then(({ readFileSync }) => readFileSync('/proc/self/status'))").status).not.toBe(0)
})
