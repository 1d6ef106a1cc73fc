import { afterEach, describe, expect, test } from 'vitest'
import { type CapturedFrame, readCapture } from '../../../src/link/capture/pcapng.ts'
import { Network } from '../../../src/network/network.ts'
import type { NetworkOptions } from '../../../src/network/settings.ts'
import { listen } from '../host.ts'

let network: Network
afterEach(() => network.close())

function chain(options: NetworkOptions = {}) {
  network = new Network({ seed: 1, ...options })
  const a = network.host('a')
  const b = network.host('b')
  network.router('r')
  network.connect(a, 'r', { delay: 10 })
  network.connect('r', b, { delay: 5, mtu: 1000 })
  return { a, b }
}

describe('the life of a datagram', () => {
  test('is told hop by hop, with its fragments and its end', async () => {
    const { a, b } = chain()
    listen(network, b, 9)
    const { socket } = listen(network, a, 5000)
    network.cable('r', 'b').impair({ loss: { frames: [3] }, duplication: { frames: [1] }, delay: 5 }, 'r')
    socket.send(new Uint8Array(2000), 9, 'b')
    await network.run()
    expect(network.explain(1)).toBe(
      `
datagram 1: UDP 10.0.0.1:5000 > 10.0.1.2:9, sent by a
       0.000 ms  a  sent by eth0: fragment of 1500 bytes with bytes 0 to 1479, hop limit 64
       0.000 ms  a  on the wire of eth0 for 10 ms
       0.000 ms  a  sent by eth0: fragment of 548 bytes with bytes 1480 to 2007, the last, hop limit 64
       0.000 ms  a  on the wire of eth0 for 10 ms
      10.000 ms  r  arrived at eth0: fragment of 1500 bytes with bytes 0 to 1479
      10.000 ms  r  forwarded by eth1: fragment of 996 bytes with bytes 0 to 975, hop limit 63
      10.000 ms  r  doubled on the wire of eth1
      10.000 ms  r  on the wire of eth1 for 5 ms
      10.000 ms  r  on the wire of eth1 for 5 ms
      10.000 ms  r  forwarded by eth1: fragment of 524 bytes with bytes 976 to 1479, hop limit 63
      10.000 ms  r  on the wire of eth1 for 5 ms
      10.000 ms  r  arrived at eth0: fragment of 548 bytes with bytes 1480 to 2007, the last
      10.000 ms  r  forwarded by eth1: fragment of 548 bytes with bytes 1480 to 2007, the last, hop limit 63
      10.000 ms  r  DROPPED at eth1: WireLoss (link)
      15.000 ms  b  arrived at eth0: fragment of 996 bytes with bytes 0 to 975
      15.000 ms  b  arrived at eth0: fragment of 996 bytes with bytes 0 to 975
      15.000 ms  b  DROPPED: FragmentDuplicate (ip)
      15.000 ms  b  arrived at eth0: fragment of 524 bytes with bytes 976 to 1479
  dropped 2 times`.trim(),
    )
  })

  test('is one for all fragments, also when they wait for a neighbor', async () => {
    network = new Network({ seed: 1 })
    const a = network.host('a')
    const b = network.host('b')
    network.router('r')
    network.connect(a, 'r', { medium: 'ethernet', delay: 1 })
    network.connect('r', b, { medium: 'ethernet', delay: 1 })
    listen(network, b, 9)
    const { socket } = listen(network, a, 5000)
    socket.send(new Uint8Array(4000), 9, 'b')
    await network.run()
    const [datagram, ...others] = network.datagrams()
    expect(others).toEqual([])
    expect(
      datagram?.events
        .map(({ node, what }) => `${node} ${what}`)
        .filter((each) => / (sent|forwarded|delivered)$/.test(each)),
    ).toEqual([...['a sent', 'a sent', 'a sent'], ...['r forwarded', 'r forwarded', 'r forwarded'], 'b delivered'])
  })

  test('names the ICMP error that it caused, and the error its cause', async () => {
    const { a } = chain()
    const { socket } = listen(network, a, 5000)
    socket.send('x', 99, 'b')
    await network.run()
    const [question] = network.datagrams({ protocol: 'udp' })
    const [answer] = network.datagrams({ protocol: 'icmp' })
    expect(answer).toMatchObject({ from: 'b', causedBy: question?.id })
    expect(network.explain({ port: 99 })).toContain(
      `b  answered with datagram ${answer?.id}: ICMP port unreachable 10.0.1.2 > 10.0.0.1`,
    )
    expect(network.explain({ protocol: 'icmp' })).toContain(`on account of datagram ${question?.id}`)
    expect(network.explain({ port: 99 })).toContain('b  DROPPED: UdpNoPort (udp)')
  })

  test('ends where a fragment was waited for in vain', async () => {
    const { a, b } = chain()
    listen(network, b, 9)
    network.cable('r', 'b').impair({ loss: { frames: [1] } }, 'r')
    listen(network, a, 5000).socket.send(new Uint8Array(2000), 9, 'b')
    await network.runFor('31s')
    expect(network.explain({ port: 9 })).toContain('30010.000 ms  b  DROPPED: FragmentTimeout (ip)')
  })

  test('is found by who sent it, who got it, address, port, and what became of it', async () => {
    const { a, b } = chain()
    listen(network, b, 9)
    const { socket } = listen(network, a, 5000)
    const back = listen(network, b, 10)
    socket.send('got', 9, 'b')
    socket.send('not', 99, 'b')
    back.socket.send('back', 5000, 'a')
    await network.run()
    const ids = (filter: Parameters<Network['datagrams']>[0]) => network.datagrams(filter).map(({ id }) => id)
    expect(ids({}).length).toBe(4)
    expect(ids({ from: 'b', protocol: 'udp' })).toEqual([3])
    expect(ids({ to: 'b' })).toEqual([1])
    expect(ids({ to: 'a', protocol: 'icmp' }).length).toBe(1)
    expect(ids({ port: 99 })).toEqual([2])
    expect(ids({ address: '10.0.0.1', port: 10 })).toEqual([3])
    expect(ids({ dropped: true })).toEqual([2])
    expect(ids({ dropped: 'UdpNoPort' })).toEqual([2])
    expect(ids({ dropped: 'WireLoss' })).toEqual([])
    expect(ids({ delivered: true, protocol: 'udp' })).toEqual([1, 3])
  })

  test('is remembered for the last ones only, or not at all', async () => {
    const { a } = chain({ lineage: 3 })
    const { socket } = listen(network, a, 5000)
    for (let i = 0; i < 5; i++) socket.send('x', 9, '10.0.0.2')
    network.filter('r', { icmp: 0 })
    await network.run()
    expect(network.datagrams().length).toBe(3)
    expect(() => network.explain(1)).toThrow('Datagram 1 is not remembered.')
    network.close()
    const silent = chain({ lineage: 0 })
    listen(network, silent.a, 5000).socket.send('x', 9, 'b')
    await network.run()
    expect(network.datagrams()).toEqual([])
    expect(network.drops('b')).toEqual([{ node: 'b', nic: null, reason: 'UdpNoPort', layer: 'udp', count: 1 }])
  })
})

describe('a capture', () => {
  function captured(chunks: Uint8Array[]): CapturedFrame[] {
    return [...readCapture(Buffer.concat(chunks))]
  }

  test('has an interface for each nic, the times of the network, datagrams and drops in comments', async () => {
    const { a } = chain()
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
    const { a } = chain()
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

  test('is replayed from a host with the pauses that it had', async () => {
    const first = chain()
    const chunks: Uint8Array[] = []
    network.capture((chunk) => chunks.push(chunk), { of: ['a'] })
    const { socket } = listen(network, first.a, 5000)
    listen(network, first.b, 9)
    socket.send('one', 9, 'b')
    network.at('250ms', () => socket.send(new Uint8Array(3000), 9, 'b'))
    await network.run()
    network.close()
    const second = chain()
    const { received } = listen(network, second.b, 9)
    await network.runFor('1s')
    expect(network.replay('a', Buffer.concat(chunks))).toBe(4)
    await network.run()
    expect(received.map(({ time, text, from }) => [time, text, from])).toEqual([
      [1015, 'one', '10.0.0.1:5000'],
      [1265, '3000 bytes', '10.0.0.1:5000'],
    ])
    expect(() => network.replay('a', new Uint8Array(3))).toThrow('Not a capture file')
  })
})
