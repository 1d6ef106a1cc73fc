import { spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { testWith } from '../skips.ts'
import { compile, start } from './program.ts'

let program: ReturnType<typeof compile>
beforeAll(() => {
  program = compile()
}, 120_000)
afterAll(() => program.remove())

const RAW = '\x1b[31m\x07\u202e'
/** Printable characters and line breaks alone are safe. */
const unsafe = /[^ -~\n]/u

function file(name: string, text: string): string {
  const path = join(program.directory, name)
  writeFileSync(path, text)
  return path
}

const scenario = (host: string) =>
  JSON.stringify({
    name: `${RAW}\nsecond line`,
    hosts: { [host]: {}, b: {} },
    links: [{ between: [host, 'b'] }],
    flows: [{ name: `${RAW}\nflow`, from: host, to: 'b', count: 3 }],
  })

test('what a scenario names is shown escaped, each in one line', async () => {
  const path = file('names.json', scenario(`${RAW}\na`))
  for (const args of [
    ['sim', path],
    ['sim', path, '--json'],
    ['sim', path, '--sweep', 'mtu=600,700'],
    ['ping', '--on', path, '--from', 'b', `${RAW}\na`],
    ['trace', '--on', path, '--from', 'b', `${RAW}\na`],
    ['sim', path, '--sweep', `\x1b[31m=1,2`],
    ['ping', '--on', path, '--from', `\x1b[31m`, 'b'],
    [`\x1b[31m`],
  ]) {
    const { stdout, stderr } = await start(program.cli, args).end()
    expect(stdout + stderr).not.toMatch(unsafe)
    expect(stdout + stderr).toContain('[31m')
    expect(stdout).not.toMatch(/^(second line|flow|a\b)/m)
  }
}, 120_000)

test('an error that quotes a file shows what it quotes escaped', async () => {
  for (const [name, text] of [
    ['key.yaml', '"\\e[31mkey": 1'],
    ['value.yaml', 'hosts: { a: { hopLimit: "\\e[31m\\n" } }'],
    ['link.yaml', 'hosts: { a: , b: }\nlinks: [{ between: ["\\e[31m", b] }]'],
    ['alias.yaml', 'hosts: *\x1b[31m'],
  ] as const) {
    const { code, stderr } = await start(program.cli, ['sim', file(name, text)]).end()
    expect({ name, code }).toEqual({ name, code: 1 })
    expect(stderr).not.toMatch(unsafe)
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
  }
}, 60_000)

testWith(existsSync('/dev/full'), '/dev/full', '')(
  'a capture that the disk has no room for is told, the command goes on, and the exit code is 1',
  async () => {
    const path = file('full.json', scenario('a'))
    for (const args of [
      ['sim', path, '--capture', '/dev/full'],
      ['ping', '--on', path, '--from', 'a', 'b', '--capture', '/dev/full'],
      ['demo', '--memory', '--capture', '/dev/full'],
    ]) {
      const { code, stdout, stderr } = await start(program.cli, args).end()
      expect({ args, code }).toEqual({ args, code: 1 })
      expect(stderr).toContain('Cannot write the capture file /dev/full: the disk is full (ENOSPC)')
      expect(stderr.trimEnd().split('\n')).toHaveLength(1)
      expect(stdout).toMatch(/received 3, lost 0|4 received, 0% packet loss|22 checks, all passed/)
    }
  },
  60_000,
)

testWith(existsSync('/dev/full'), '/dev/full', '')(
  'the drop-in tells of a capture that fails, the program goes on, and its exit code is not 0',
  async () => {
    const app = file(
      'app.cjs',
      `const s = require('node:dgram').createSocket('udp4')
     s.on('message', (m) => { console.log('got ' + m); s.close();
       process.argv[2] === 'exit' && setTimeout(() => process.exit(0)) })
     s.bind(5000, () => s.send('hello', 5000, '10.0.0.1'))`,
    )
    const config = JSON.stringify({ hosts: { a: '10.0.0.1/24' }, capture: '/dev/full' })
    for (const how of ['end', 'exit']) {
      const { code, stdout, stderr } = await start(program.cli, [
        'run',
        '--config',
        config,
        '--',
        process.execPath,
        app,
        how,
      ]).end()
      expect({ how, code, stdout }).toEqual({ how, code: 1, stdout: 'got hello\n' })
      expect(stderr).toContain(
        'tungram: Cannot write the capture file /dev/full: the disk is full (ENOSPC). The program goes on ' +
          'without it.\n',
      )
    }
  },
  60_000,
)

test('a reader that has gone ends a command as SIGTERM does', () => {
  const path = file('gone.json', scenario('a'))
  // The first line is read, then nobody reads: ping writes on until it is told.
  const script = `"$0" "$1" ping --on "$2" --from a b -c 200000 | head -1 > /dev/null; echo "\${PIPESTATUS[0]}"`
  const { stdout } = spawnSync('bash', ['-c', script, process.execPath, program.cli, path], { encoding: 'utf8' })
  expect(stdout).toBe('143\n')
}, 60_000)
