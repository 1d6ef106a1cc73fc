import * as kernelDgram from 'node:dgram'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import '../../src/socket-api/dgram/dgram.ts'
import { Stack } from '../../src/stack.ts'
import { MEMBERS } from './members.ts'

const { dgram } = new Stack()
const table = readFileSync(new URL('../../docs/node-dgram.md', import.meta.url), 'utf8')

/** The first cells of the table's rows, without their formatting. */
const rows = new Set(
  table
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .flatMap((line) => (line.split('|')[1] as string).match(/`[^`]+`/g) ?? [])
    .map((name) => name.slice(1, -1)),
)

describe('every documented member of node:dgram', () => {
  test.each(MEMBERS.functions)('%s is a function of the module, and in the table', (name) => {
    expect(dgram[name]).toBeTypeOf('function')
    expect(rows).toContain(`dgram.${name}`)
  })

  test.each(MEMBERS.classes)('%s is a class of the module, and in the table', (name) => {
    expect(dgram[name]).toBeTypeOf('function')
    expect(rows).toContain(`dgram.${name}`)
  })

  test.each(MEMBERS.methods)('socket.%s is a method, and in the table', (name) => {
    expect(dgram.Socket.prototype[name]).toBeTypeOf('function')
    expect(rows).toContain(`socket.${name}`)
  })

  test('socket[Symbol.asyncDispose] is a method, and in the table', () => {
    expect(dgram.Socket.prototype[Symbol.asyncDispose]).toBeTypeOf('function')
    expect(rows).toContain('socket[Symbol.asyncDispose]')
  })

  test('each event is emitted, and in the table', async () => {
    const seen = new Set<string>()
    const socket = dgram.createSocket('udp4')
    for (const event of MEMBERS.events) socket.on(event, () => seen.add(event))
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    socket.send('x', socket.address().port, '127.0.0.1')
    await once(socket, 'message')
    socket.connect(9, '127.0.0.1')
    await once(socket, 'connect')
    socket.send('to a closed port')
    await once(socket, 'error').catch(() => {})
    socket.close()
    await once(socket, 'close')
    expect([...seen].sort()).toEqual([...MEMBERS.events])
    for (const event of MEMBERS.events) expect(rows).toContain(`'${event}'`)
  })

  test.each([...MEMBERS.createSocketOptions, ...MEMBERS.bindOptions, ...MEMBERS.rinfo])(
    '%s is in the table',
    (name) => {
      expect(rows).toContain(name)
    },
  )

  test('the list has every method that Node has under a public name, but for those of later versions', () => {
    const own = Object.getOwnPropertyNames(kernelDgram.Socket.prototype).filter(
      (name) => !name.startsWith('_') && name !== 'constructor',
    )
    const others = own.filter((name) => !(MEMBERS.methods as readonly string[]).includes(name))
    // `sendto` is public in name only: no documentation has it. Here it is all the same.
    expect(others.filter((name) => !MEMBERS.later.includes(name))).toEqual(['sendto'])
    expect('sendto' in dgram.Socket.prototype).toBe(true)
  })

  test.each(MEMBERS.later)('%s, of a later version, exists, and is in the table', (name) => {
    expect(typeof (dgram.Socket.prototype as unknown as Record<string, unknown>)[name]).toBe('function')
    expect(table).toContain(`\`${name}\``)
  })

  test('the options that Node reads are in the list, and all of the list are read here', async () => {
    const documented: string[] = [...MEMBERS.createSocketOptions, ...MEMBERS.bindOptions].sort()
    // `recvStart` shows whether the options are a handle.
    expect(
      (await optionsRead(kernelDgram)).filter((name) => !documented.includes(name) && name !== 'recvStart'),
    ).toEqual([])
    // Without a cluster there is nothing to be exclusive in.
    expect(await optionsRead(dgram)).toEqual(documented.filter((name) => name !== 'exclusive'))
  })
})

/** The names of the options that `createSocket` and `bind` look at. */
async function optionsRead({ createSocket }: Pick<typeof kernelDgram, 'createSocket'>): Promise<string[]> {
  const names = new Set<string>()
  const watched = <T extends object>(options: T) =>
    new Proxy(options, {
      get(target, name) {
        names.add(String(name))
        return Reflect.get(target, name)
      },
    })
  const socket = createSocket(watched<kernelDgram.SocketOptions>({ type: 'udp4' }))
  await new Promise<void>((resolve) => socket.bind(watched({ port: 0, address: '127.0.0.1' }), resolve))
  socket.close()
  return [...names].sort()
}
