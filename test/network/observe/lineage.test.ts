import { afterEach, describe, expect, test } from 'vitest'
import { Network } from '../../../src/network/network.ts'
import type { NetworkOptions } from '../../../src/network/settings.ts'
import { hop, listen } from '../host.ts'

let network: Network
afterEach(() => network.close())

function chain(options: NetworkOptions = {}) {
  network = new Network({ seed: 1, ...options })
  return hop(network)
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

test('a datagram whose neighbor does not answer has a life that begins and ends in its host', async () => {
  network = new Network({ seed: 1 })
  const a = network.host('a')
  network.host('b')
  network.connect(a, 'b', { medium: 'ethernet', subnet: '10.0.0.0/24' })
  const { socket } = listen(network, a, 5000)
  socket.send('x', 9, '10.0.0.77')
  await network.runFor('10s')
  const [, end, last] = network.explain({ port: 9 }).split('\n')
  expect(end).toContain('a  DROPPED: NeighborUnreachable')
  expect(last).toBe('  dropped')
})
