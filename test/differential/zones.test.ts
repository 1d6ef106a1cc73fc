/**
 * Zones and interfaces in the group calls of node:dgram: `::%eth0`, `::%`, numbers, unknown names,
 * loopback; what is thrown, and which interface is meant.
 */
import type { Socket } from 'node:dgram'
import { afterAll, describe, expect, test } from 'vitest'
import { describeOnTun } from '../tun/namespace.ts'
import { A, B, makeWorlds, type World } from './bound-world.ts'

const interfaces = [
  undefined,
  ...[
    '::%',
    `::%${A}`,
    `::%${B}`,
    '::%lo',
    '::%1',
    '::%2',
    '::%3',
    '::%nolink',
    '::%a%b',
    '::% ',
    '::',
    `fe80::a%${A}`,
    `fe80::a%${B}`,
  ],
  ...[`::1%${A}`, `fd09::1%${B}`, 'fe80::a', `::ffff:10.9.0.1%${A}`, `0.0.0.0%${A}`, A, `%${A}`, 'rubbish'],
  ...['0.0.0.0', '10.9.0.1', '10.8.0.1', '10.9.0.2', '127.0.0.1', '127.0.0.2', '10.9.0.01', '10.9.1'],
]
const groups = [
  ...[
    'ff02::5',
    `ff02::5%${A}`,
    `ff02::5%${B}`,
    'ff02::5%lo',
    'ff02::5%2',
    'ff02::5%',
    'ff02::5%no link',
    'ff05::5',
    'ff01::5',
    '::%',
  ],
  ...[`fe80::a%${A}`, '239.1.2.3', `239.1.2.3%${A}`, '::ffff:239.1.2.3'],
]
const bound = { udp4: ['0.0.0.0', '10.9.0.1'], udp6: ['::', `fe80::a%${A}`] } as const

const attempt = (call: () => void): string => {
  try {
    call()
    return 'done'
  } catch (error) {
    const { message, code, syscall } = error as { message: string; code?: string; syscall?: string }
    return `${message} ${code} ${syscall}`
  }
}

async function openSocket(world: World, type: 'udp4' | 'udp6', address: string): Promise<Socket> {
  const socket = world.dgram.createSocket(type)
  await new Promise<void>((resolve) => socket.bind(0, address, resolve))
  return socket
}

/** Which interfaces a group was joined on: by leaving it there. */
function joined(socket: Socket, group: string): string {
  const named = group.includes(':') ? [`::%${A}`, `::%${B}`, '::%lo'] : ['10.9.0.1', '10.8.0.1', '127.0.0.1']
  return named.filter((each) => attempt(() => socket.dropMembership(group, each)) === 'done').join(' ')
}

describeOnTun('the kernel and the stack', () => {
  const { kernel, stack, setDefaultRoutes, close } = makeWorlds()
  setDefaultRoutes(true)
  afterAll(close)

  describe.each(['udp4', 'udp6'] as const)('of %s sockets', (type) => {
    test.each(bound[type])('bound to %s: take the same interfaces for groups', async (address) => {
      const outcomes: string[][] = [[], []]
      for (const [at, world] of [kernel, stack].entries()) {
        const socket = await openSocket(world, type, address)
        const log = (text: string) => outcomes[at]?.push(text)
        for (const nic of interfaces) {
          for (const group of groups) {
            const what = `${group} ${nic}`
            log(`join ${what}: ${attempt(() => socket.addMembership(group, nic))}, ${joined(socket, group)}`)
            log(`leave ${what}: ${attempt(() => socket.dropMembership(group, nic))}`)
            const source = group.includes(':') ? 'fd09::2' : '10.9.0.2'
            log(`join source ${what}: ${attempt(() => socket.addSourceSpecificMembership(source, group, nic))}`)
            log(`leave source ${what}: ${attempt(() => socket.dropSourceSpecificMembership(source, group, nic))}`)
          }
          log(`send by ${nic}: ${nic === undefined ? '' : attempt(() => socket.setMulticastInterface(nic))}`)
        }
        socket.close()
      }
      const [expected, actual] = outcomes as [string[], string[]]
      expect(expected.length).toBeGreaterThan(1000)
      const differences = expected.flatMap((line, index) =>
        line === actual[index] ? [] : [`kernel ${line}; stack ${actual[index]}`],
      )
      expect(differences).toEqual([])
    })
  })
})
