import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compile, start } from '../cli/program.ts'
import { counting, type Outcome, runNode } from './child.ts'

let built: ReturnType<typeof compile>
let directory: string
beforeAll(() => {
  built = compile()
  directory = mkdtempSync(join(tmpdir(), 'tungram drop-in '))
})
afterAll(() => {
  built.remove()
  rmSync(directory, { recursive: true })
})

/** A program's file; ES module or CommonJS by its extension. */
function write(name: string, code: string): string {
  const path = join(directory, name)
  writeFileSync(path, code)
  return path
}

/** Runs a program under the drop-in; the kernel's UDP must not be called. */
async function run(path: string, config?: object | string): Promise<Outcome> {
  const register = join(built.directory, 'socket-api/register.js')
  const outcome = await runNode([...counting, '--import', register, path], config)
  const [rest, ...calls] = outcome.stderr.split('kernel UDP calls: ')
  // One count a thread or process.
  expect(new Set(calls), outcome.stderr).toEqual(new Set(['0\n']))
  return { ...outcome, stderr: rest as string }
}

const lines = (text: string) => text.trimEnd().split('\n')

describe('node:dgram is replaced', () => {
  /** Prints whether each form of import gives the same, and a socket of tungram's. */
  const FORMS = {
    'forms.mjs': `
      import dgram, { createSocket, Socket } from 'dgram'
      import * as all from 'node:dgram'
      import { createRequire } from 'node:module'
      const require = createRequire(import.meta.url)
      const later = await import('node:dgram')
      const modules = [all, later, all.default, require('dgram'), require('node:dgram')]
      if (process.getBuiltinModule) modules.push(process.getBuiltinModule('dgram'))
      console.log(modules.every((each) => each.createSocket === createSocket && each.Socket === Socket &&
        dgram.Socket === Socket))
      console.log(typeof createSocket('udp4').setTOS, new Socket('udp6') instanceof dgram.Socket)`,
    'forms.cjs': `
      const dgram = require('dgram')
      const { createSocket, Socket } = require('node:dgram')
      import('node:dgram').then((all) => {
        console.log(all.createSocket === createSocket && all.default.Socket === Socket && dgram.Socket === Socket)
        console.log(typeof createSocket('udp4').setTOS, new Socket('udp6') instanceof dgram.Socket)
      })`,
  }

  test.each(Object.entries(FORMS))('in every form of import: %s', async (name, code) => {
    expect(lines((await run(write(name, code))).stdout)).toEqual(['true', 'function true'])
  })

  test.each([
    ['a file', `new Worker(PATH)`],
    ['a file with its own execArgv', `new Worker(PATH, { execArgv: ['--no-warnings'] })`],
    ['a URL', `new Worker(pathToFileURL(PATH))`],
    ['code', `new Worker(CODE, { eval: true })`],
    ['code with its own execArgv', `new Worker(CODE, { eval: true, execArgv: [] })`],
    [
      'a file, by a worker',
      `new Worker("new (require('node:worker_threads').Worker)(" + JSON.stringify(PATH) + ")", { eval: true })`,
    ],
  ])('in worker threads: %s', async (_what, expression) => {
    const path = write('forms.cjs', FORMS['forms.cjs'])
    const program = `
      import { pathToFileURL } from 'node:url'
      import threads, { Worker } from 'node:worker_threads'
      const PATH = ${JSON.stringify(path)}
      const CODE = ${JSON.stringify(FORMS['forms.cjs'])}
      const worker = ${expression}
      worker.on('error', (error) => console.log(error))
      if (!(worker instanceof Worker && threads.Worker === Worker)) console.log('another class')`
    expect(lines((await run(write('worker.mjs', program))).stdout)).toEqual(['true', 'function true'])
  })

  describe('in worker threads of a process with flags', () => {
    /**
     * The worker tells whether its sockets are tungram's, what it sees as `execArgv`, and a flag
     * that is the thread's.
     */
    const WORKER = `
      const { parentPort } = require('node:worker_threads')
      const { createSocket } = require('node:dgram')
      parentPort.postMessage({ own: typeof createSocket('udp4').setTOS, execArgv: process.execArgv })`

    /**
     * Starts a file and code as workers with each of the options, and prints what it tells or the
     * error of starting it.
     */
    const starting = (options: readonly string[]) => `
      import { SHARE_ENV, Worker } from 'node:worker_threads'
      for (const options of [${options}].flatMap((each) => [each, { ...each, eval: true }])) {
        try {
          const worker = new Worker(options.eval ? ${JSON.stringify(WORKER)}
            : ${JSON.stringify(write('flags.cjs', WORKER))}, options)
          console.log(await new Promise((resolve) => worker.on('message', (told) => resolve(JSON.stringify(told)))))
        } catch (error) {
          console.log(error.code, error.message)
        }
      }`

    async function told(flags: readonly string[], options: readonly string[], nodeOptions = ''): Promise<string[]> {
      const path = write('flags.mjs', starting(options))
      const register = join(built.directory, 'socket-api/register.js')
      const env = nodeOptions === '' ? {} : { NODE_OPTIONS: nodeOptions.replace('REGISTER', JSON.stringify(register)) }
      const all = flags.map((flag) => (flag === 'REGISTER' ? register : flag))
      const { stdout, stderr } = await runNode([...all, path], undefined, env)
      expect(stderr).toBe('')
      return lines(stdout.replaceAll(register, 'REGISTER'))
    }

    const V8 = ['--max-old-space-size=512', '--stack-trace-limit=30', '--import', 'REGISTER']
    const OPTIONS = ['{}', '{ env: SHARE_ENV, execArgv: null }', '{ env: {} }']
    const twice = <Told>(each: Told) => [each, each]

    test.each<[string, string[]]>([
      ['V8’s', V8],
      ['the process’s, with a value each', ['--title', 'of mine', '--import', 'REGISTER', '--conditions', 'own']],
      ['the drop-in behind another import', ['--import', 'data:text/javascript,0', ...V8]],
      ['the drop-in before another import', [...V8, '--import', 'data:text/javascript,0']],
      ['the drop-in by require', ['--expose-gc', '--require', 'REGISTER']],
    ])('they inherit %s', async (_what, flags) => {
      const each = JSON.stringify({ own: 'function', execArgv: flags })
      expect(await told(flags, OPTIONS)).toEqual(OPTIONS.flatMap(() => twice(each)))
    })

    test('NODE_OPTIONS has the flags and the drop-in', async () => {
      const each = JSON.stringify({ own: 'function', execArgv: [] })
      expect(await told([], OPTIONS, '--max-old-space-size=512 --import REGISTER')).toEqual(
        OPTIONS.flatMap(() => twice(each)),
      )
    })

    test('execArgv that is given goes before what would be inherited', async () => {
      const execArgv = ['--require', 'REGISTER', '--no-warnings']
      expect(await told(V8, [`{ execArgv: ['--no-warnings'] }`])).toEqual(
        twice(JSON.stringify({ own: 'function', execArgv })),
      )
    })

    test('what is given is checked, as Node does', async () => {
      const given = [
        `{ execArgv: ['--max-old-space-size=100'] }`,
        `{ execArgv: 'no array' }`,
        `{ env: { NODE_OPTIONS: '--no-such-flag' } }`,
      ]
      expect(await told(V8, given)).toEqual(
        [
          'ERR_WORKER_INVALID_EXEC_ARGV Initiated Worker with invalid execArgv flags: --max-old-space-size=100',
          expect.stringMatching(/^ERR_INVALID_ARG_TYPE The "options.execArgv" property must be an instance of Array/),
          expect.stringMatching(/^ERR_WORKER_INVALID_EXEC_ARGV .*invalid NODE_OPTIONS/),
        ].flatMap(twice),
      )
    })
  })

  test('a worker of a worker inherits what the first one was given or inherited', async () => {
    const inner =
      `require('node:worker_threads').parentPort.postMessage([typeof ` +
      `require('node:dgram').createSocket('udp4').setTOS, process.execArgv.at(-1)])`
    const outer = `
      const { Worker, parentPort, getEnvironmentData } = require('node:worker_threads')
      new Worker(${JSON.stringify(inner)}, { eval: true }).on('message', (told) => parentPort.postMessage(told))`
    const program = `
      import { Worker } from 'node:worker_threads'
      for (const options of [{}, { execArgv: ['--no-deprecation'] }]) {
        const worker = new Worker(${JSON.stringify(outer)}, { eval: true, ...options })
        console.log(JSON.stringify(await new Promise((resolve) => worker.on('message', resolve))))
      }`
    const register = join(built.directory, 'socket-api/register.js')
    const { stdout } = await runNode([
      '--max-old-space-size=512',
      '--import',
      register,
      '--no-warnings',
      write('nested.mjs', program),
    ])
    expect(lines(stdout)).toEqual(['["function","--no-warnings"]', '["function","--no-deprecation"]'])
  })

  test('in children that fork starts', async () => {
    const path = write('forms.cjs', FORMS['forms.cjs'])
    const program = `require('node:child_process').fork(${JSON.stringify(path)})`
    expect(lines((await run(write('fork.cjs', program))).stdout)).toEqual(['true', 'function true'])
  })

  test('each thread has a stack of its own, by its own TUNGRAM_CONFIG', async () => {
    const program = `
      import dgram from 'node:dgram'
      import { networkInterfaces } from 'node:os'
      import { isMainThread, Worker } from 'node:worker_threads'
      const socket = dgram.createSocket('udp4')
      await new Promise((resolve) => socket.bind(5000, resolve))
      const addresses = Object.values(networkInterfaces()).flat().filter(({ family }) => family === 'IPv4')
      console.log(isMainThread, addresses.map(({ cidr }) => cidr).join())
      if (isMainThread) {
        const env = { ...process.env, TUNGRAM_CONFIG: '{ "hosts": { "a": "192.0.2.1/28" } }' }
        await new Promise((resolve) => new Worker(new URL(import.meta.url), { env }).on('exit', resolve))
        await new Promise((resolve) => new Worker(new URL(import.meta.url)).on('exit', resolve))
      }
      socket.close()`
    expect(lines((await run(write('stacks.mjs', program))).stdout)).toEqual([
      'true 127.0.0.1/8,10.77.0.1/24',
      'false 127.0.0.1/8,192.0.2.1/28',
      'false 127.0.0.1/8,10.77.0.1/24',
    ])
  })

  test('an import and a require meet on one stack', async () => {
    const program = `
      import { createSocket } from 'node:dgram'
      import { createRequire } from 'node:module'
      const other = createRequire(import.meta.url)('dgram').createSocket('udp6', (message, { address }) => {
        console.log(String(message), address)
        other.close()
      })
      other.bind(5000, () => {
        const socket = createSocket('udp6')
        socket.send('hello', 5000, '2001:db8:77::1', () => socket.close())
      })`
    expect((await run(write('meet.mjs', program))).stdout).toBe('hello 2001:db8:77::1\n')
  })
})

describe('a program under the drop-in', () => {
  test.each([
    ['without a socket', ''],
    ['with a socket that is not bound', `dgram.createSocket('udp4')`],
    ['with a bound socket that is unref’d', `dgram.createSocket('udp4').bind(5000).unref()`],
    ['with a socket that was closed', `const socket = dgram.createSocket('udp4').bind(5000, () => socket.close())`],
  ])('ends by itself %s', async (_what, code) => {
    const program = `const dgram = require('node:dgram'); ${code}; process.on('exit', () => console.log('end'))`
    expect(await run(write('ends.cjs', program))).toEqual({ code: 0, stdout: 'end\n', stderr: '' })
  })

  test('goes on while a bound socket is open', async () => {
    const program = `
      const socket = require('node:dgram').createSocket('udp4').bind(5000)
      setTimeout(() => { console.log('still here'); socket.close() }, 200).unref()`
    expect((await run(write('stays.cjs', program))).stdout).toBe('still here\n')
  })

  test('sees the stack’s interfaces, in every form of import', async () => {
    const program = `
      import os, { networkInterfaces } from 'node:os'
      console.log(os.networkInterfaces === networkInterfaces, JSON.stringify(networkInterfaces()))`
    const { stdout } = await run(write('os.mjs', program), { hosts: { a: ['192.0.2.1/28', 'fe80::9/64'] }, mtu: 1280 })
    expect(stdout).toMatch(/^true /)
    const { lo, mem0, ...none } = JSON.parse(stdout.slice(5))
    expect(none).toEqual({})
    expect(lo.map(({ cidr }: { cidr: string }) => cidr)).toEqual(['127.0.0.1/8', '::1/128'])
    expect(mem0).toMatchObject([
      { address: '192.0.2.1', netmask: '255.255.255.240', mac: '02:00:00:00:00:01', internal: false },
      { address: 'fe80::9', scopeid: 2 },
    ])
  })

  test('resolves the names of the hosts, and asks Node for others', async () => {
    const program = `
      import dns, { lookup } from 'node:dns'
      import { lookup as promised } from 'node:dns/promises'
      import { promisify } from 'node:util'
      const show = (...values) => console.log(JSON.stringify(values))
      const called = (...args) => new Promise((resolve) => lookup(...args, (error, ...rest) =>
        resolve(error ? [error.code, error.syscall, error.hostname] : rest)))
      show(await called('printer'), await called('printer', 6),
        await called('printer', { family: 'IPv4' }),
        await called('printer', { all: true }))
      show(await called('plotter', { family: 6 }), await called('127.0.0.9'))
      show(await promised('printer'), await promised('printer', { family: 6 }),
        await promisify(dns.lookup)('printer', { all: true }))
      show(await promised('plotter', 6).catch(({ message }) => message), dns.promises.lookup === promised)
      let inCall = true
      lookup('printer', () => show(inCall))
      inCall = false
      try { lookup('printer') } catch ({ code }) { show(code) }
      show((await promised('localhost')).address)`
    const config = { hosts: { app: '10.0.0.1/24', printer: ['10.0.0.2/24', 'fd00::2/64'], plotter: '10.0.0.3/24' } }
    const four = { address: '10.0.0.2', family: 4 }
    const six = { address: 'fd00::2', family: 6 }
    expect(lines((await run(write('dns.mjs', program), config)).stdout).map((line) => JSON.parse(line))).toEqual([
      [['10.0.0.2', 4], ['fd00::2', 6], ['10.0.0.2', 4], [[four, six]]],
      [
        ['ENOTFOUND', 'getaddrinfo', 'plotter'],
        ['127.0.0.9', 4],
      ],
      [four, six, [four, six]],
      ['getaddrinfo ENOTFOUND plotter', true],
      ['ERR_INVALID_ARG_TYPE'],
      [false],
      [expect.stringMatching(/^127\.0\.0\.1$|^::1$/)],
    ])
  })

  test('sends to the other hosts by their names, over IPv4 and IPv6, and to localhost', async () => {
    const program = `
      const dgram = require('node:dgram')
      async function ask(type, port, host) {
        const socket = dgram.createSocket(type)
        const answer = new Promise((resolve) => socket.on('message', (message, { address }) =>
          resolve(String(message) + ' from ' + address)))
        socket.send('hello', port, host)
        console.log(await answer)
        socket.close()
      }
      const local = dgram.createSocket('udp4', (message, { port }) => local.send(message, port))
      local.bind(5000, 'localhost', async () => {
        await ask('udp4', 7, 'printer')
        await ask('udp6', 7, 'printer')
        await ask('udp4', 5000, 'localhost')
        local.close()
      })`
    const hosts = { app: ['10.0.0.1/24', 'fd00::1/64'], printer: { address: ['10.0.0.2/24', 'fd00::2/64'], echo: 7 } }
    expect(lines((await run(write('names.cjs', program), { hosts })).stdout)).toEqual([
      'hello from 10.0.0.2',
      'hello from fd00::2',
      'hello from 127.0.0.1',
    ])
  })

  test('has its capture complete when it ends, also by process.exit', async () => {
    const capture = join(directory, 'net.pcapng')
    const program = `
      const socket = require('node:dgram').createSocket('udp4')
      socket.send('to the printer', 7, 'printer')
      socket.on('message', () => process.exit(3))`
    const hosts = { app: '10.0.0.1/24', printer: { address: '10.0.0.2/24', echo: 7 } }
    expect(await run(write('capture.cjs', program), { hosts, capture })).toEqual({ code: 3, stdout: '', stderr: '' })
    expect(readFileSync(capture, 'latin1').split('to the printer')).toHaveLength(3)
  })

  test('opens nothing before it has a socket or asks for interfaces', async () => {
    const capture = join(directory, 'none.pcapng')
    await run(write('nothing.cjs', `require('node:dgram').createSocket('udp4')`), { capture })
    expect(existsSync(capture)).toBe(false)
    await run(write('something.cjs', `require('node:os').networkInterfaces()`), { capture })
    expect(existsSync(capture)).toBe(true)
  })

  test('does not start when its configuration is wrong, and is told the key', async () => {
    const file = write('net.json', '{ "hosts": { "app": { "address": "10.0.0.1" } } }')
    const path = write('never.cjs', `console.log('ran')`)
    for (const [config, message] of [
      [{ mut: 1500 }, 'TUNGRAM_CONFIG: mut is unknown'],
      [file, `TUNGRAM_CONFIG (${file}): hosts.app.address is no address of a host`],
      [join(directory, 'none.json'), 'ENOENT'],
    ] as const) {
      const register = join(built.directory, 'socket-api/register.js')
      const { code, stdout, stderr } = await runNode(['--import', register, path], config)
      expect(code).toBe(1)
      expect(stdout).toBe('')
      expect(stderr).toContain(message)
    }
  })
})

describe('tungram run', () => {
  const APP = `
    const { networkInterfaces } = require('node:os')
    console.log(networkInterfaces().mem0[0].address, process.argv.slice(2).join())
    process.exitCode = 3`

  test('runs the command with the drop-in, hands its arguments on and its exit code back', async () => {
    const { code, stdout } = await runNode([
      built.cli,
      'run',
      '--',
      'node',
      write('app.cjs', APP),
      '--help',
      '--config',
      'x',
    ])
    expect({ code, stdout }).toEqual({ code: 3, stdout: '10.77.0.1 --help,--config,x\n' })
  })

  test('reaches Node processes behind other commands, and keeps NODE_OPTIONS', async () => {
    const config = '{ "hosts": { "a": "192.0.2.1/28" } }'
    const path = write('app.cjs', `${APP}; console.log(process.execArgv.length, process.title)`)
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [built.cli, 'run', '--config', config, '--', 'sh', '-c', `node '${path}' || true`],
      { env: { ...process.env, NODE_OPTIONS: '--title=kept' } },
    )
    expect(stdout).toBe('192.0.2.1 \n0 kept\n')
  })

  test('reads a configuration of the directory where it was started, wherever the program runs', async () => {
    writeFileSync(join(directory, 'net.json'), '{ "hosts": { "a": "192.0.2.9/28" } }')
    const args = [
      built.cli,
      'run',
      '--config',
      'net.json',
      '--',
      'sh',
      '-c',
      `cd / && node '${write('app.cjs', APP)}' || true`,
    ]
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: directory })
    expect(stdout).toBe('192.0.2.9 \n')
  })

  test.each([
    ['{ "hosts": { "a": "192.0.2.1/28" }, "loss": 2 }', 'loss must be'],
    ['{', '(line 1, column 2)'],
    ['no-such-file.json', 'no-such-file.json'],
  ])('does not begin with the configuration %s, and says why in a line', async (given, why) => {
    const { code, stdout, stderr } = await runNode([
      built.cli,
      'run',
      '--config',
      given,
      '--',
      'node',
      write('app.cjs', APP),
    ])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^tungram run: .*\n$/)
    expect(stderr).toContain(why)
  })

  test('runs from a directory with blanks in its name', async () => {
    const blank = join(directory, 'a b')
    mkdirSync(join(blank, 'node_modules'), { recursive: true })
    await promisify(execFile)('cp', ['-r', join(built.directory), join(blank, 'dist')])
    for (const name of ['commander', 'ip-address'])
      await promisify(execFile)('ln', ['-s', join(built.directory, '..', name), join(blank, 'node_modules', name)])
    writeFileSync(join(blank, 'package.json'), '{ "type": "module" }')
    const { code, stdout, stderr } = await runNode([
      join(blank, 'dist/cli.js'),
      'run',
      '--',
      'node',
      write('app.cjs', APP),
    ])
    expect({ code, stdout, stderr }).toEqual({ code: 3, stdout: '10.77.0.1 \n', stderr: '' })
  })

  test('hands signals on', async () => {
    const path = write(
      'signals.cjs',
      `require('node:dgram').createSocket('udp4').bind(5000, () => console.error('ready'))
       process.on('SIGTERM', () => process.exit(7))`,
    )
    const running = start(built.cli, ['run', '--', 'node', path])
    await running.says('ready')
    expect((await running.end('SIGTERM')).code).toBe(7)

    const killed = start(built.cli, [
      'run',
      '--',
      'node',
      write('killed.cjs', `console.error('ready'); setInterval(() => {}, 1000)`),
    ])
    await killed.says('ready')
    expect((await killed.end('SIGTERM')).code).toBe(128 + 15)
  })

  test('is told wrong usage, and a command that does not exist', async () => {
    for (const args of [['run'], ['run', '--'], ['run', 'node', 'app.js'], ['run', '--conf', '{}', '--', 'node']]) {
      const { code, stderr } = await runNode([built.cli, ...args])
      expect(code, args.join(' ')).toBe(2)
      expect(stderr).toContain('Usage: tungram run')
    }
    const { code, stderr } = await runNode([built.cli, 'run', '--', 'no-such-command-at-all'])
    expect(code).toBe(1)
    expect(stderr).toContain('no-such-command-at-all')
    expect((await runNode([built.cli, 'run', '--help'])).stdout).toContain('Usage: tungram run')
  })
})

test('no program runs as another host in a process that is one', async () => {
  const network = join(built.directory, 'network-node.js')
  const path = write(
    'host.mjs',
    `import { Network } from ${JSON.stringify(network)}
     const network = new Network({ seed: 1 })
     try { network.host('a').run(() => {}) } catch (error) { console.log(error.message) }
     const socket = network.stack('a').dgram.createSocket('udp4').bind(7)
     await network.run()
     console.log(socket.address().port)
     socket.close()`,
  )
  const { stdout } = await run(path)
  expect(lines(stdout)).toEqual([expect.stringContaining('started under tungram/register'), '7'])
})
