/**
 * The drop-in on devices: programs in processes of their own, and the kernel's node:dgram on the
 * other side.
 */
import dgram from 'node:dgram'
import { once } from 'node:events'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { compile } from '../cli/program.ts'
import { runNode } from '../drop-in/child.ts'
import { describeOnTun } from './namespace.ts'

/**
 * Asks the echo service on the kernel's side over each family, tells its interfaces, and ends by
 * itself.
 */
const ASKER = `
  const dgram = require('node:dgram')
  async function ask(type, host) {
    const socket = dgram.createSocket(type)
    const answer = new Promise((resolve) => socket.on('message', (message, { address }) =>
      resolve(message + ' from ' + address)))
    // The kernel's addresses may take a moment.
    const again = setInterval(() => socket.send('hello', 7, host), 100)
    console.log(await answer)
    clearInterval(again)
    socket.close()
  }
  ask('udp4', '10.9.0.1').then(() => ask('udp6', 'fd09::1')).then(() => {
    console.log(Object.values(require('node:os').networkInterfaces()).flat().map(({ cidr }) => cidr).join(' '))
  })`

describeOnTun('the drop-in on a device', () => {
  let built: ReturnType<typeof compile>
  let register: string
  const services: dgram.Socket[] = []
  beforeAll(async () => {
    built = compile()
    register = join(built.directory, 'socket-api/register.js')
    for (const type of ['udp4', 'udp6'] as const) {
      const service = dgram.createSocket({ type, ipv6Only: type === 'udp6' }, (message, { port, address }) =>
        service.send(message, port, address),
      )
      services.push(service.bind(7))
      await once(service, 'listening')
    }
  })
  afterAll(() => {
    for (const service of services) service.close()
    built.remove()
  })

  test.each(['tun', 'tap'])(
    'a program talks with the kernel through a %s, which is gone when the program ends',
    async (kind) => {
      const device = {
        name: 'drop0',
        address: ['10.9.0.2/24', 'fd09::2/64', 'fe80::2/64'],
        peer: ['10.9.0.1/24', 'fd09::1/64'],
      }
      const { code, stdout, stderr } = await runNode(['--import', register, '-e', ASKER], { [kind]: device, mtu: 1400 })
      expect({ code, stderr, lines: stdout.trimEnd().split('\n') }).toEqual({
        code: 0,
        stderr: '',
        lines: ['hello from 10.9.0.1', 'hello from fd09::1', '127.0.0.1/8 ::1/128 10.9.0.2/24 fd09::2/64 fe80::2/64'],
      })
      expect(Object.keys(networkInterfaces())).not.toContain('drop0')
    },
  )

  test('a worker thread without sockets leaves the device to others; one that asks for it too is refused', async () => {
    const program = `
      const { Worker } = require('node:worker_threads')
      const socket = require('node:dgram').createSocket('udp4')
      const bind = "require('node:dgram').createSocket('udp4').bind(5000)"
      socket.bind(5000, () => new Worker("require('node:dgram')", { eval: true }).on('exit', (code) => {
        console.log(code)
        new Worker(bind, { eval: true }).on('error', ({ message }) => console.log(message)).
          on('exit', () => socket.close())
      }))`
    const { stdout, stderr } = await runNode(['--import', register, '-e', program], {
      tun: { name: 'drop0', address: '10.9.0.2/24' },
    })
    expect(stderr).toBe('')
    expect(stdout).toMatch(/^0\nThe device 'drop0' is in use/)
  })

  test('a worker thread has a device of its own where the kernel names it', async () => {
    const program = `
      const { Worker } = require('node:worker_threads')
      console.log(Object.keys(require('node:os').networkInterfaces()).join())
      new Worker("console.log(Object.keys(require('node:os').networkInterfaces()).join())", { eval: true })`
    const { stdout, stderr } = await runNode(['--import', register, '-e', program], {
      tun: { name: 'drop%d', address: '10.9.0.2/24' },
    })
    expect({ stdout, stderr }).toEqual({ stdout: 'lo,drop0\nlo,drop1\n', stderr: '' })
  })

  test('what keeps the device from opening is told by the first socket', async () => {
    const program = `console.log('runs'); require('node:dgram').createSocket('udp4').bind(5000)`
    const { code, stdout, stderr } = await runNode(['--import', register, '-e', program], {
      tun: { name: 'lo', address: '10.9.0.2/24' },
    })
    expect({ code, stdout }).toEqual({ code: 1, stdout: 'runs\n' })
    expect(stderr).toContain("'lo' is a network interface but no TUN or TAP device")
  })
})
