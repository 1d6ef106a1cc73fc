import { afterAll, beforeAll, expect, test } from 'vitest'
import { compile, removeCompiled, run, script } from './child.ts'
import { describeOnTun } from './namespace.ts'

/** Counts the process's descriptors by kind. */
const COUNT = `
  import { closeSync, openSync, readdirSync, readlinkSync } from 'node:fs'
  import { once } from 'node:events'
  import { Worker } from 'node:worker_threads'
  const kinds = () => readdirSync('/proc/self/fd').flatMap((fd) => {
    try { return [readlinkSync('/proc/self/fd/' + fd).replace(/\\d+/g, 'N')] } catch { return [] }
  }).sort()
  const leaked = (before) => {
    const now = kinds()
    for (const each of before) if (now.includes(each)) now.splice(now.indexOf(each), 1)
    return now
  }
  // What is left when everything that is still ending has ended.
  const settled = async (before) => {
    for (let turn = 0; turn < 100 && leaked(before).length > 0; turn++)
  await new Promise((resolve) => setTimeout(resolve, 50))
    return leaked(before)
  }
  const receiver = { input() {}, idle() {}, dropped() {}, failed() {} }
`

describeOnTun('descriptors of a device', () => {
  beforeAll(compile, 60_000)
  afterAll(removeCompiled)

  test('descriptors of a device are all closed when the thread that has the device is terminated', async () => {
    const path = script(
      'terminated',
      `${COUNT}
      const code = \`import(process.argv[2]).then(({ openTun }) => {
        openTun({ peer: '10.0.0.1/24' }).attach({ input() {}, idle() {}, dropped() {}, failed() {} })
        require('node:worker_threads').parentPort.postMessage('up')
        setInterval(() => {}, 1000)
      })\`
      const round = async () => {
        const worker = new Worker(code, { eval: true, argv: [new URL('./link/device/tun.js', import.meta.url).href] })
        await once(worker, 'message')
        await worker.terminate()
      }
      await round()
      const before = kinds()
      for (let i = 0; i < 5; i++) await round()
      console.log(JSON.stringify(await settled(before)))`,
    )
    expect(await run(path, () => {}, 50_000)).toEqual({ code: 0, output: '[]\n', errors: '' })
  }, 60_000)

  test('descriptors of a device are all closed when a device cannot be had for want of descriptors', async () => {
    const path = script(
      'emfile',
      `${COUNT}
      import koffi from 'koffi'
      const RLIMIT_NOFILE = 7
      koffi.load(null).func('int setrlimit(int resource, void *limit)')(RLIMIT_NOFILE, new BigUint64Array([128n, 128n]))
      const attempt = (wakeup) => {
        let link = null
        try {
          link = openTun({ wakeup, peer: '10.0.0.1/24' })
          link.attach(receiver)
          return 'open'
        } catch (error) {
          return error.code
        } finally {
          link?.close()
        }
      }
      const outcomes = new Set()
      for (const wakeup of ['uv', 'worker']) {
        // Everything is loaded that is loaded once.
        attempt(wakeup)
        await new Promise((resolve) => setTimeout(resolve, 300))
        for (let free = 0; free < 16; free++) {
          const before = kinds()
          const fill = []
          for (;;) try { fill.push(openSync('/dev/zero', 'r')) } catch { break }
          for (let i = 0; i < free; i++) closeSync(fill.pop())
          outcomes.add(attempt(wakeup))
          for (const fd of fill) closeSync(fd)
          const left = await settled(before)
          if (left.length > 0) console.log(wakeup, free, JSON.stringify(left))
        }
      }
      console.log([...outcomes].sort().join())`,
    )
    expect(await run(path, () => {}, 50_000)).toEqual({ code: 0, output: 'EMFILE,open\n', errors: '' })
  }, 60_000)
})
