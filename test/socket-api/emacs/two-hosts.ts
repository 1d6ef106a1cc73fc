import { afterEach, beforeEach } from 'vitest'
import { ManualClock } from '../../../src/base/clock.ts'
import { SeededRandom } from '../../../src/base/random.ts'
import { Segment } from '../../../src/link/segment.ts'
import { makeNetworkProcess, type NetworkProcess } from '../../../src/socket-api/network-process.ts'
import { Stack } from '../../../src/stack.ts'

/** Two hosts with two wires between them; a third network is behind a gateway on the first wire. */
export let clock: ManualClock
export let a: Stack
export let b: Stack

/** Makes them before each test of a file, which calls this once, and closes them behind it. */
export function useTwoHosts(): void {
  beforeEach(make)
  afterEach(() => {
    a.close()
    b.close()
  })
}

function make(): void {
  clock = new ManualClock()
  const random = new SeededRandom(1)
  const wires = ['left', 'right'].map((name) => new Segment({ clock, random, name }))
  a = new Stack({ name: 'a', clock, random })
  b = new Stack({ name: 'b', clock, random })
  wires.forEach((wire, index) => {
    for (const [host, number] of [
      [a, 1],
      [b, 2],
    ] as const) {
      const addresses = [`10.0.${index}.${number}/24`, `2001:db8:${index}::${number}/64`, `fe80::${index}:${number}/64`]
      host.addNic(wire.link(), { name: `eth${index}`, addresses })
    }
  })
  a.addRoute({ to: 'default', via: '10.0.0.2' })
  b.addNic(new Segment({ clock, random, name: 'far' }).link(), { name: 'far', addresses: ['198.51.100.1/24'] })
}

/** A server on `b`'s port 7000, and what its filter was called with. */
export function server(options: object = {}): { process: NetworkProcess; heard: string[] } {
  const heard: string[] = []
  const process = makeNetworkProcess({
    stack: b,
    name: 'server',
    type: 'datagram',
    server: true,
    host: '0.0.0.0',
    service: 7000,
    filter: (_process, text: string) => heard.push(text),
    ...options,
  })
  return { process, heard }
}

export function client(options: object = {}): { process: NetworkProcess; heard: string[] } {
  const heard: string[] = []
  const process = makeNetworkProcess({
    stack: a,
    name: 'client',
    type: 'datagram',
    host: '10.0.0.2',
    service: 7000,
    filter: (_process, text: string) => heard.push(text),
    ...options,
  })
  return { process, heard }
}
