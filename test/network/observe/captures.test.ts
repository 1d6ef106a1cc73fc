import { afterEach, describe, expect, test } from 'vitest'
import { ManualClock } from '../../../src/base/clock.ts'
import type { Capture } from '../../../src/link/capture/capture.ts'
import { readCapture } from '../../../src/link/capture/capture-reader.ts'
import type { CapturedFrame } from '../../../src/link/capture/pcapng.ts'
import { Network } from '../../../src/network/network.ts'
import { Captures } from '../../../src/network/observe/captures.ts'
import { hop, listen } from '../host.ts'

let network = new Network()
afterEach(() => network.close())

function make() {
  network = new Network({ seed: 1 })
  return hop(network)
}

function captured(chunks: Uint8Array[]): CapturedFrame[] {
  return [...readCapture(Buffer.concat(chunks))]
}

class Port {
  readonly running = new Set<Capture>()
  startCapture = (capture: Capture) => void this.running.add(capture)
  stopCapture = (capture: Capture) => void this.running.delete(capture)
}

test('a capture of all takes in ports that come later, one of some nodes does not', () => {
  const ports = [new Port(), new Port()] as [Port, Port]
  const captures = new Captures({ ports, portsOf: () => [ports[1]] }, new ManualClock())
  const stopAll = captures.start(() => {}, {})
  const stopSome = captures.start(() => {}, { of: ['b', 'b'] })
  const late = new Port()
  ports.push(late)
  captures.portAdded(late)
  expect(ports.map(({ running }) => running.size)).toEqual([1, 2, 1])
  stopAll()
  captures.portAdded(new Port())
  expect(ports.map(({ running }) => running.size)).toEqual([0, 1, 0])
  stopSome()
  expect(ports.map(({ running }) => running.size)).toEqual([0, 0, 0])
})

describe('a capture', () => {
  test('has an interface for each nic, the times of the network, datagrams and drops in comments', async () => {
    const { a } = make()
    const chunks: Uint8Array[] = []
    const stop = network.capture((chunk) => chunks.push(chunk))
    const { socket } = listen(network, a, 5000)
    socket.send('x', 99, 'b')
    await network.run()
    stop()
    socket.send('x', 99, 'b')
    await network.run()
    const epoch = BigInt(Date.UTC(2000, 0, 1)) * 1_000_000n
    expect(
      captured(chunks).map(({ interface: name, time, direction, comments }) => [
        name,
        Number(time - epoch) / 1e6,
        direction,
        ...comments,
      ]),
    ).toEqual([
      ['a.eth0', 0, 'out', 'datagram 1'],
      ['r.eth0', 10, 'in', 'datagram 1'],
      ['r.eth1', 10, 'out', 'datagram 1'],
      ['b.eth0', 15, 'in', 'datagram 1', 'dropped: UdpNoPort (udp)'],
      ['b.eth0', 15, 'out', 'datagram 2'],
      ['r.eth1', 20, 'in', 'datagram 2'],
      ['r.eth0', 20, 'out', 'datagram 2'],
      ['a.eth0', 30, 'in', 'datagram 2'],
    ])
  })

  test('says which datagram made way when the reassembly memory is full, and so does its life', async () => {
    network = new Network({ seed: 1 })
    const a = network.host('a')
    const b = network.host('b', { reassemblyMemory: 40_000 })
    network.connect(a, b, { forward: { loss: { frames: [2, 4] } } })
    const chunks: Uint8Array[] = []
    network.capture((chunk) => chunks.push(chunk), { of: ['b'] })
    listen(network, b, 9)
    const { socket } = listen(network, a, 5000)
    for (let i = 0; i < 3; i++) socket.send(new Uint8Array(4400), 9, 'b')
    await network.run()
    expect(captured(chunks).flatMap(({ comments }) => comments.filter((each) => each.includes('dropped')))).toEqual([
      'datagram 1 dropped: FragmentMemory (ip)',
    ])
    expect(network.explain(1)).toContain('b  DROPPED: FragmentMemory (ip)')
    expect(network.datagrams({ delivered: true }).map(({ id }) => id)).toEqual([3])
  })

  test('of one cable or node leaves the others out, and several go on at a time', async () => {
    const { a } = make()
    const one: Uint8Array[] = []
    const other: Uint8Array[] = []
    network.capture((chunk) => one.push(chunk), { of: ['a-r'] })
    network.capture((chunk) => other.push(chunk), { of: ['b'], snapLength: 20 })
    listen(network, a, 5000).socket.send('x', 99, 'b')
    await network.run()
    expect(captured(one).map((frame) => frame.interface)).toEqual(['a.eth0', 'r.eth0', 'r.eth0', 'a.eth0'])
    expect(captured(other).map(({ bytes, originalLength }) => [bytes.length, originalLength])).toEqual([
      [20, 29],
      [20, 57],
    ])
    expect(() => network.capture(() => {}, { of: ['nobody'] })).toThrow('Neither a node nor a cable is named nobody.')
  })
})
