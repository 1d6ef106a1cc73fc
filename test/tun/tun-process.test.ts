import dgram from 'node:dgram'
import { networkInterfaces } from 'node:os'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { compile, removeCompiled, run, script } from './child.ts'
import { describeOnTun } from './namespace.ts'

// Programs start slowly on a busy machine.
vi.setConfig({ testTimeout: 120_000 })

describeOnTun('a program with a TUN device', () => {
  beforeAll(compile, 60_000)
  afterAll(removeCompiled)
  // Whatever a program did: it ended, and so did its interface.
  afterEach(() => expect(Object.keys(networkInterfaces())).toEqual(['lo']))

  /** The kernel sends a datagram to the stack's side, 10.0.0.2. */
  function send(text: string): void {
    const socket = dgram.createSocket('udp4')
    socket.send(text, 7, '10.0.0.2', () => socket.close())
  }

  describe.each(['uv', 'worker'])('woken by %s', (wakeup) => {
    /**
     * `open` makes `link`; `receiver(input)` is a receiver that shows its datagrams to `input` as
     * text.
     */
    const prelude = `
      import { execFileSync } from 'node:child_process'
      const open = (options) => openTun({ wakeup: '${wakeup}', peer: '10.0.0.1/24', ...options })
      const receiver = (input) => ({
        input: (packet) => { if (packet.bytes[packet.start + 9] === 17)
          input(Buffer.from(packet.copy().subarray(28)).toString()) },
        idle() {}, dropped() {}, failed(error) { console.log('failed', error.code) },
      })
    `
    const program = (name: string, body: string) => script(`${name}-${wakeup}`, prelude + body)

    test('a program with a TUN device ends when it has nothing else to do: a link does not keep it alive', async () => {
      const path = program('idle', "const link = open(); link.attach(receiver(() => {})); console.log('open')")
      expect(await run(path)).toEqual({ code: 0, output: 'open\n', errors: '' })
    })

    test('a program with a TUN device stays alive by ref, and ends after unref', async () => {
      const path = program(
        'ref',
        `const link = open()
        link.ref()
        link.attach(receiver((text) => { console.log(text); link.unref() }))
        link.unref(); link.ref()
        console.log('ready')`,
      )
      const outcome = await run(path, (line) => line === 'ready' && setTimeout(send, 300, 'one'))
      expect(outcome).toEqual({ code: 0, output: 'ready\none\n', errors: '' })
    })

    // What polls, or looks once more in the next turn, keeps a process alive for that long. Here a
    // read always finds a packet.
    test.each([0, 100])(
      'a program with a TUN device ends under a flood that does not, busyPoll %i',
      async (busyPoll) => {
        const path = program(
          `flood-${busyPoll}`,
          `const { TunLink } = await import('./link/device/tun.js'),
            { loadLibc } = await import('./link/device/tun-libc.js')
        const { attachDevice, openDevice } = await import('./link/device/tun-setup.js'),
          { findInterface } = await import('./link/device/tun-netlink.js')
        const fd = openDevice()
        attachDevice(loadLibc(), fd, 'tun', 'flood', 1, false)
        let flooding = false
        const libc = { ...loadLibc(), read: (...given) => (flooding ? 60 : loadLibc().read(...given)) }
        const link = new TunLink(libc, fd, findInterface(libc, 'flood'), 'tun', null, '${wakeup}', false, ${busyPoll})
        link.attach(receiver(() => {}))
        flooding = true
        setTimeout(() => console.log('done'), 1000)
        execFileSync('ip', ['link', 'set', 'flood', 'up'])`,
        )
        expect(await run(path)).toEqual({ code: 0, output: 'done\n', errors: '' })
      },
    )

    test('a program with a TUN device ends after close, referenced or not', async () => {
      const path = program(
        'close',
        'const link = open(); link.ref(); link.attach(receiver(() => {})); setTimeout(() => link.close(), 100)',
      )
      expect(await run(path)).toEqual({ code: 0, output: '', errors: '' })
    })

    test('a program with a TUN device may be closed by what it delivers', async () => {
      const path = program(
        'close-inside',
        `const link = open(); link.ref()
        link.attach(receiver((text) => { console.log(text); link.close(); link.close() }))
        console.log('ready')`,
      )
      const outcome = await run(path, (line) => line === 'ready' && setTimeout(send, 200, 'only'))
      expect(outcome).toEqual({ code: 0, output: 'ready\nonly\n', errors: '' })
    })

    test('a program with a TUN device ends by process.exit with the device open', async () => {
      const path = program(
        'exit',
        'const link = open(); link.ref(); link.attach(receiver(() => {})); setImmediate(() => ' +
          'setImmediate(() => process.exit(3)))',
      )
      expect((await run(path)).code).toBe(3)
    })

    test('a program with a TUN device has sent its answers when it exits while it still receives', async () => {
      const path = program(
        'exit-inside',
        `const link = open(); link.ref()
        let count = 0
        link.attach({ ...receiver(() => {}), input(packet) {
          const { view, start, bytes } = packet
          if (bytes[start + 9] !== 17) return
          const [from, to] = [view.getUint32(start + 12), view.getUint32(start + 16)]
          view.setUint32(start + 12, to); view.setUint32(start + 16, from)
          const [source, destination] = [view.getUint16(start + 20), view.getUint16(start + 22)]
          view.setUint16(start + 20, destination); view.setUint16(start + 22, source)
          link.send(packet)
          if (++count === 5) process.exit(4)
        } })
        console.log('ready')
        const end = Date.now() + 500
        while (Date.now() < end);`,
      )
      const socket = dgram.createSocket('udp4')
      const received: string[] = []
      socket.on('message', (message) => received.push(String(message)))
      // All five wait in the device when the program gets to read.
      const outcome = await run(path, (line) => {
        if (line === 'ready') for (const text of ['a', 'b', 'c', 'd', 'e']) socket.send(text, 7, '10.0.0.2')
      })
      expect(outcome.code).toBe(4)
      await vi.waitFor(() => expect(received).toEqual(['a', 'b', 'c', 'd', 'e']))
      socket.close()
    })

    test(
      'a program with a TUN device runs next ticks and promises right after the packet, with nothing else ' +
        'to wake it',
      async () => {
        const path = program(
          'ticks',
          `const link = open(); link.ref()
        link.attach(receiver(async (text) => {
          await null
          process.nextTick(async () => {
            await new Promise((resolve) => queueMicrotask(resolve))
            console.log(text)
            link.unref()
          })
        }))
        console.log('ready')`,
        )
        const outcome = await run(path, (line) => line === 'ready' && setTimeout(send, 300, 'tick'))
        // Otherwise nothing would ever wake the program, which the link keeps alive.
        expect(outcome.output).toBe('ready\ntick\n')
      },
    )

    test('a program with a TUN device dies of an exception of its receiver as of any other', async () => {
      const path = program(
        'throw',
        `const link = open(); link.ref()
        link.attach(receiver(() => { throw new Error('thrown by the receiver') }))
        console.log('ready')`,
      )
      const outcome = await run(path, (line) => line === 'ready' && setTimeout(send, 300, 'boom'))
      expect(outcome.code).toBe(1)
      expect(outcome.errors).toContain('Error: thrown by the receiver')
    })

    test(
      'a program with a TUN device may survive exceptions of its receiver, each reported, and goes on ' + 'receiving',
      async () => {
        const path = program(
          'survive',
          `const link = open(); link.ref()
        process.on('uncaughtException', (error) => console.log('caught', error.message))
        const upper = receiver((text) => { if (text === 'last') link.unref(); throw new Error(text) })
        link.attach({ ...upper, idle() { if (link.counters.receivedPackets > 0) throw new Error('idle') } })
        console.log('ready')`,
        )
        const outcome = await run(
          path,
          (line) =>
            line === 'ready' &&
            setTimeout(() => {
              send('first')
              setTimeout(send, 100, 'last')
            }, 300),
        )
        expect(outcome.code).toBe(0)
        expect(outcome.output).toContain('caught first\n')
        expect(outcome.output).toContain('caught last\n')
        expect(outcome.output).toContain('caught idle\n')
      },
    )

    test('a program with a TUN device survives garbage collections while packets come', async () => {
      const path = program(
        'collect',
        `import v8 from 'node:v8'; import vm from 'node:vm'
        v8.setFlagsFromString('--expose-gc'); const gc = vm.runInNewContext('gc')
        let seen = 0
        function start() {
          const link = open(); link.ref()
          link.attach(receiver((text) => { gc(); if (++seen === 50) { console.log('all'); link.close() } }))
        }
        start(); gc(); gc()
        console.log('ready')`,
      )
      const outcome = await run(
        path,
        (line) =>
          line === 'ready' &&
          setTimeout(() => Array.from({ length: 50 }, (_, at) => setTimeout(send, at * 5, 'x')), 300),
      )
      expect(outcome).toEqual({ code: 0, output: 'ready\nall\n', errors: '' })
    })
  })

  describe('in a worker thread', () => {
    const inside = `
      import { parentPort } from 'node:worker_threads'
      const link = openTun({ peer: '10.0.0.1/24' })
      let refused = ''
      try { openTun({ wakeup: 'uv' }) } catch (error) { refused = error.code }
      link.attach({ input: (packet) => { if (packet.bytes[packet.start + 9] === 17)
        parentPort.postMessage(Buffer.from(packet.copy().subarray(28)).toString()) },
        idle() {}, dropped() {}, failed() {} })
    `

    test('a device in a worker thread is woken by another thread, and libuv is refused by name', async () => {
      const thread = script('thread', `${inside}; link.ref(); parentPort.postMessage(link.wakeup + ' ' + refused)`)
      const path = script(
        'thread-main',
        `import { Worker } from 'node:worker_threads'
        const worker = new Worker(${JSON.stringify(thread)})
        worker.on('message', async (text) => {
          console.log(text)
          if (text === 'two') { await worker.terminate(); console.log('terminated') }
        })`,
      )
      const outcome = await run(path, (line) => {
        if (line.startsWith('worker')) setTimeout(send, 300, 'one')
        if (line === 'one') send('two')
      })
      expect(outcome).toEqual({ code: 0, output: 'worker ERR_TUN_NO_UV\none\ntwo\nterminated\n', errors: '' })
    })

    test('a device in a worker thread does not keep the thread alive; the interface goes with the thread', async () => {
      const thread = script('short', inside)
      const path = script(
        'short-main',
        `import { Worker } from 'node:worker_threads'; import { networkInterfaces } from 'node:os'
        const worker = new Worker(${JSON.stringify(thread)})
        worker.on('exit', (code) => console.log('ended', code, Object.keys(networkInterfaces()).join()))`,
      )
      expect(await run(path)).toEqual({ code: 0, output: 'ended 0 lo\n', errors: '' })
    })
  })
})
