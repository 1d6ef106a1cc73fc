import { rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { run, writeScript } from './child.ts'
import { describeOnTun } from './namespace.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const directory = `${root}node_modules/.cache/tungram-bundle-${process.pid}`

describeOnTun('a device in a bundle', () => {
  beforeAll(async () => {
    const bundle = await rolldown({ input: `${root}dist/link/device/tun.js`, platform: 'node', external: ['koffi'] })
    await bundle.write({ file: `${directory}/bundle.mjs`, format: 'esm' })
    await bundle.close()
  })
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  const program = (name: string, options: string) =>
    writeScript(
      `${directory}/${name}.mjs`,
      `import { openTun } from './bundle.mjs'
      try {
        const link = openTun({ peer: '10.0.0.1/24', wakeup: 'worker'${options} })
        link.attach({ input() { link.close(); console.log('received') }, idle() {}, dropped() {}, failed() {} })
        link.ref()
        console.log('ready')
      } catch (error) { console.log(error.code) }`,
    )

  test('a device in a bundle that is woken by a thread has to be told where the thread is', async () => {
    expect(await run(program('silent', ''))).toEqual({ code: 0, output: 'ERR_TUN_NO_THREAD\n', errors: '' })
  })

  test('a device in a bundle is woken by a thread of the file that the package exports', async () => {
    const file = createRequire(import.meta.url).resolve('tungram/wakeup-thread')
    const dgram = await import('node:dgram')
    const socket = dgram.createSocket('udp4')
    const outcome = await run(program('told', `, wakeupThread: ${JSON.stringify(file)}`), (line) => {
      if (line === 'ready') socket.send('x', 7, '10.0.0.2')
    })
    socket.close()
    expect(outcome).toEqual({ code: 0, output: 'ready\nreceived\n', errors: '' })
  })
})
