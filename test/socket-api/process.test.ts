/**
 * What a program sees of its own process: when it ends, and how it dies. Each case runs over
 * node:dgram as well.
 */
import { spawnSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compile } from '../cli/program.ts'

let program: ReturnType<typeof compile>
beforeAll(() => {
  program = compile()
}, 60_000)
afterAll(() => program.remove())

type World = 'kernel' | 'tungram'

/** Runs a module that has `dgram`, on the loopback interface. */
function runIn(world: World, body: string): { status: number | null; stdout: string; stderr: string } {
  const header =
    world === 'kernel'
      ? `import dgram from 'node:dgram'`
      : `import { Stack } from '${program.directory}/index.js'; const { dgram } = new Stack()`
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', `${header}\n${body}`], {
    encoding: 'utf8',
    timeout: 10_000,
  })
  return { status, stdout, stderr }
}

test('an open socket of a closed stack does not keep the process, not even with ref', () => {
  const { status, stdout } = spawnSync(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { Stack } from '${program.directory}/index.js'
      setTimeout(() => { console.log('still here'); process.exit(7) }, 5000).unref()
      const stack = new Stack()
      const s = stack.dgram.createSocket('udp4')
      s.bind(0, () => { stack.close(); s.ref(); s.send('x', 9, '10.0.0.1', (error) => console.log(error?.code)) })`,
    ],
    { encoding: 'utf8', timeout: 10_000 },
  )
  expect({ status, stdout }).toEqual({ status: 0, stdout: 'ENETUNREACH\n' })
})

test.each([
  ["s.bind(0, 'fe80::1%mem0', () => console.log(s.address().address))", 'fe80::1%mem0'],
  ["s.send('x', 9, 'fe80::2%mem0', (error) => console.log(error))", 'null'],
  ["s.connect(9, 'fe80::2%mem0', () => console.log(s.remoteAddress().address))", 'fe80::2%mem0'],
  ["s.send('x', { port: 9, address: 'fe80::2', interface: 'mem0' }, (error) => console.log(error))", 'null'],
  ["s.send('x', { port: 9, address: 'fe80::2', source: 'fe80::1%mem0' }, (error) => console.log(error))", 'null'],
])('the first call of a fresh drop-in process knows the zones: %s', (call, expected) => {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [
      '--import',
      `${program.directory}/socket-api/register.js`,
      '-e',
      `const s = require('node:dgram').createSocket('udp6').unref(); ${call}`,
    ],
    { encoding: 'utf8', timeout: 10_000 },
  )
  expect({ stdout, stderr }).toEqual({ stdout: `${expected}\n`, stderr: '' })
})

describe.each<World>(['kernel', 'tungram'])('%s', (world) => {
  const run = (body: string) => runIn(world, body)
  const LATER = `setTimeout(() => { console.log('still here'); process.exit(7) }, 300).unref()\n`

  test('a bound socket keeps the process', () => {
    expect(run(`${LATER}dgram.createSocket('udp4').bind(0, '127.0.0.1')`)).toMatchObject({
      status: 7,
      stdout: 'still here\n',
    })
  })

  test.each([
    ['a socket that is not bound', `dgram.createSocket('udp4')`],
    ['one that is not bound, with ref', `dgram.createSocket('udp4').ref()`],
    ['an unref’d socket', `dgram.createSocket('udp4').unref().bind(0, '127.0.0.1')`],
    [
      'one that is unref’d when it is bound',
      `const s = dgram.createSocket('udp4'); s.bind(0, '127.0.0.1', () => s.unref())`,
    ],
    ['a closed socket', `const s = dgram.createSocket('udp4'); s.bind(0, '127.0.0.1', () => s.close())`],
    [
      'one that could not be bound',
      `const s = dgram.createSocket('udp4'); s.on('error', () => {}); s.bind(0, '192.0.2.77')`,
    ],
    [
      'one that was unref’d after its last message',
      `const s = dgram.createSocket('udp4', () => s.unref()); s.bind(0, '127.0.0.1', () => s.send('x', ` +
        `s.address().port, '127.0.0.1'))`,
    ],
  ])('%s does not keep it', (_, body) => {
    // Long enough for a busy machine; who does not keep the process ends long before.
    expect(run(LATER.replace('300', '5000') + body)).toMatchObject({ status: 0, stdout: '', stderr: '' })
  })

  test('ref after unref keeps it again', () => {
    expect(
      run(`${LATER}const s = dgram.createSocket('udp4').unref(); s.bind(0, '127.0.0.1', () => s.ref())`).status,
    ).toBe(7)
  })

  test('exit in the callback of a send', () => {
    expect(
      run(
        `dgram.createSocket('udp4').send('x', 9, '127.0.0.1', (error, bytes) => { console.log(error, ` +
          'bytes); process.exit(3) })',
      ),
    ).toMatchObject({ status: 3, stdout: 'null 1\n' })
  })

  test("a failed bind without a listener is an unhandled 'error' and ends the process", () => {
    const { status, stderr } = run(`dgram.createSocket('udp4').bind(0, '192.0.2.77')`)
    expect(status).toBe(1)
    expect(stderr).toContain('bind EADDRNOTAVAIL 192.0.2.77')
    expect(stderr).toContain("Unhandled 'error' event")
  })

  test.each([
    ['a listener', `throw new Error('over')`],
    ['a tick of a listener', `process.nextTick(() => { throw new Error('over') })`],
    ['a promise of a listener', `Promise.reject(new Error('over'))`],
  ])('an exception in %s ends the process with status 1, once', (_, thrower) => {
    const { status, stdout, stderr } = run(`
      process.on('exit', (code) => console.log('exit', code))
      const s = dgram.createSocket('udp4', (msg) => { console.log(String(msg)); ${thrower} })
      s.bind(0, '127.0.0.1', () => { for (const text of ['1', '2', '3'])
        s.send(text, s.address().port, '127.0.0.1') })`)
    expect({ status, stdout }).toEqual({ status: 1, stdout: '1\nexit 1\n' })
    expect(stderr.match(/Error: over/g)).toHaveLength(1)
  })

  test('the report of a crash in a listener shows the line that threw, with nothing of ours above it', () => {
    const { status, stderr } = run(`
      const s = dgram.createSocket('udp4', function heard(msg) { const mine = undefined; mine.property })
      s.bind(0, '127.0.0.1', () => s.send('x', s.address().port, '127.0.0.1'))`)
    expect(status).toBe(1)
    const [place, line, mark] = stderr.split('\n')
    expect(place).toMatch(/\[eval1\]:\d+$/)
    expect(line).toContain('function heard(msg)')
    expect(mark).toMatch(/^ +\^$/)
  })

  test.each([
    ['a listener', `throw new Error('over ' + msg)`],
    ['a tick of a listener', `process.nextTick(() => { throw new Error('over ' + msg) })`],
    ['a promise of a listener', `Promise.reject(new Error('over ' + msg))`],
    [
      'a tick of a listener, with async hooks',
      `process.nextTick(() => { throw new Error('over ' + msg) }); storage.getStore()`,
    ],
  ])("an 'uncaughtException' of %s comes before the next message", (_, thrower) => {
    const { status, stdout, stderr } = run(`
      import { AsyncLocalStorage, createHook } from 'node:async_hooks'
      const storage = new AsyncLocalStorage()
      createHook({ init() {}, before() {}, after() {} }).enable()
      process.on('uncaughtException', (error) => console.log(error.message))
      storage.run('creation', () => {
        const s = dgram.createSocket('udp4', (msg) => { console.log(String(msg), storage.getStore());
          if (String(msg) === '3') s.close(); ${thrower} })
        s.bind(0, '127.0.0.1', () => { for (const text of ['1', '2', '3'])
          s.send(text, s.address().port, '127.0.0.1') })
      })`)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toBe('1 creation\nover 1\n2 creation\nover 2\n3 creation\nover 3\n')
  })

  test('nothing is added to the globals, and no warning is written', () => {
    const { stdout, stderr } = run(`
      const before = new Set(Object.keys(globalThis))
      const s = dgram.createSocket('udp6')
      s.bind(0, '::1', () => { s.send('x', s.address().port, '::1', () => { s.close();
        console.log(Object.keys(globalThis).filter((key) => !before.has(key)).length) }) })`)
    expect({ stdout, stderr }).toEqual({ stdout: '0\n', stderr: '' })
  })
})

test('errors print as they do in Node', () => {
  const show = `
    import { inspect } from 'node:util'
    const show = (call) => {
      try {
        call()
      } catch (error) {
        console.log(inspect(error).replace(/\\n +at .*/g, ''), String(error),
          error.stack.split('\\n')[0], Object.keys(error))
      }
    }
    const s = dgram.createSocket('udp4')
    show(() => s.getRecvBufferSize())
    show(() => s.address())
    show(() => s.setTTL('x'))
    show(() => s.send('x', 0))
    show(() => s.send({}, 9))
    show(() => s.disconnect())
    show(() => s.addMembership())
    show(() => s.bind({ fd: 99999 }))
    show(() => dgram.createSocket('udp5'))
    const t = dgram.createSocket('udp4')
    t.on('error', (error) => show(() => { throw error }))
    t.bind(4464, '192.0.2.77')`
  const kernel = runIn('kernel', show)
  expect(kernel.stdout.split('\n').length).toBeGreaterThan(40)
  expect(runIn('tungram', show)).toEqual(kernel)
})
