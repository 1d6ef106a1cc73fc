import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ManualClock } from '../../src/base/clock.ts'
import { SeededRandom } from '../../src/base/random.ts'
import { impair } from '../../src/link/impairment/impairment.ts'
import { priorityBands, tosOf } from '../../src/link/impairment/queue-discipline.ts'
import { Segment } from '../../src/link/segment.ts'
import {
  continueProcess,
  deleteProcess,
  formatNetworkAddress,
  makeNetworkProcess,
  type NetworkProcess,
  networkInterfaceInfo,
  networkInterfaceList,
  processContact,
  processDatagramAddress,
  processSend,
  processStatus,
  setNetworkProcessOption,
  setProcessDatagramAddress,
  stopProcess,
} from '../../src/socket-api/network-process.ts'
import { Stack } from '../../src/stack.ts'
import { makeHost, PEER4 } from '../host.ts'
import { datagram } from '../wire.ts'

// Two hosts with two wires between them; a third network is behind a gateway on the first wire.
let clock: ManualClock
let a: Stack
let b: Stack

beforeEach(() => {
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
})

afterEach(() => {
  a.close()
  b.close()
})

/** A server on `b`'s port 7000, and what its filter was called with. */
function server(options: object = {}): { process: NetworkProcess; heard: string[] } {
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

function client(options: object = {}): { process: NetworkProcess; heard: string[] } {
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

describe('datagrams', () => {
  test.each([1, 100, 1400])('a Buffer of %i bytes has its memory for itself', (size) => {
    const raw: Buffer[] = []
    server({ coding: 'buffer', filter: (_process: NetworkProcess, data: Buffer) => raw.push(data) })
    const { process } = client()
    for (let n = 0; n < 3; n++) processSend(process, Buffer.alloc(size, n))
    clock.settle()
    expect(raw.map((data) => [data[0], data.byteOffset, data.buffer.byteLength])).toEqual(
      [0, 1, 2].map((n) => [n, 0, size]),
    )
  })

  test('a filter gets 32 in a turn at most, after a stop as well', () => {
    const { process: receiver, heard } = server({ stop: true })
    const { process } = client()
    for (let n = 0; n < 80; n++) processSend(process, `${n}`)
    clock.settle()
    expect(heard).toEqual([])
    continueProcess(receiver)
    const counts: number[] = []
    while (clock.pending > 0 && heard.length < 80) {
      clock.step()
      counts.push(heard.length)
    }
    expect(counts.filter((count, at) => count !== counts[at - 1])).toEqual([32, 64, 80])
  })

  test('one send is one datagram and one call of the filter, empty ones and their bounds included', () => {
    const { heard } = server()
    const { process } = client()
    for (const text of ['one', '', 'two words']) processSend(process, text)
    expect(heard).toEqual([])
    clock.settle()
    expect(heard).toEqual(['one', '', 'two words'])
  })

  test('4000 sends of 1400 bytes in one turn are all delivered, or counted as dropped by the receiver', () => {
    const { heard } = server()
    const { process } = client()
    const bytes = new Uint8Array(1400).fill(65)
    for (let n = 0; n < 4000; n++) processSend(process, bytes)
    // They are the caller's again.
    bytes.fill(66)
    clock.settle()
    expect(heard.length + b.counters.UdpRcvbufErrors).toBe(4000)
    expect(heard.every((text) => text === 'A'.repeat(1400))).toBe(true)
  })

  test('a sender without a port gets no answer, and a warning once; the server goes on', async () => {
    const host = makeHost()
    const { process: echo, heard } = server({
      stack: host.stack,
      service: 7,
      filter: (process: NetworkProcess, text: string) => {
        heard.push(text)
        processSend(process, text)
      },
    })
    const warnings: string[] = []
    const warn = (warning: Error) => warnings.push(warning.message)
    process.on('warning', warn)
    for (const sourcePort of [0, 40_000, 0]) host.link.receive(datagram([0x61], 4, { sourcePort }))
    expect(heard).toEqual(['a', 'a', 'a'])
    expect(host.link.take().map((packet) => packet.subarray(20, 24).join())).toEqual([
      `0,7,${40_000 >> 8},${40_000 & 255}`,
    ])
    expect(processDatagramAddress(echo)).toEqual({ address: PEER4, port: 0 })
    await new Promise((resolve) => setImmediate(resolve))
    process.off('warning', warn)
    expect(warnings).toEqual([
      `Process server does not answer ${PEER4}, which sent from port 0: there is no port to send to.`,
    ])
    // A program's own mistake is still one.
    setProcessDatagramAddress(echo, `${PEER4}:0`)
    expect(() => processSend(echo, 'x')).toThrow('send EINVAL')
    host.stack.close()
  })

  test('the peer is the sender before the filter runs, so that a send inside the filter answers each sender', () => {
    const seen: unknown[] = []
    server({
      filter: (process: NetworkProcess, text: string) => {
        seen.push(processDatagramAddress(process))
        processSend(process, `${text}!`)
      },
    })
    const first = client({ local: '10.0.0.1:5001' })
    const second = client({ local: '10.0.1.1:5002', host: '10.0.1.2' })
    processSend(first.process, 'first')
    processSend(second.process, 'second')
    clock.settle()
    expect(seen).toEqual([
      { address: '10.0.0.1', port: 5001 },
      { address: '10.0.1.1', port: 5002 },
    ])
    expect(first.heard).toEqual(['first!'])
    expect(second.heard).toEqual(['second!'])
  })

  test('the peer follows the sender also without a filter, and for a client', () => {
    const { process } = server({ filter: null })
    const { process: asker } = client({ local: '10.0.0.1:5001' })
    processSend(asker, 'x')
    clock.settle()
    expect(processDatagramAddress(process)).toEqual({ address: '10.0.0.1', port: 5001 })

    const stranger = makeNetworkProcess({
      stack: b,
      name: 'stranger',
      type: 'datagram',
      remote: '10.0.0.1:5001',
      local: '10.0.0.2:9',
    })
    processSend(stranger, 'y')
    clock.settle()
    expect(processDatagramAddress(asker)).toEqual({ address: '10.0.0.2', port: 9 })
  })

  test('a server that nobody has written to yet cannot send', () => {
    const { process } = server()
    expect(processDatagramAddress(process)).toBeNull()
    expect(() => processSend(process, 'x')).toThrow(
      expect.objectContaining({ code: 'EDESTADDRREQ', message: expect.stringContaining('no peer') }),
    )
  })

  test('a server with remote may speak first', () => {
    const { process: listener, heard } = client({ local: '10.0.0.1:5001' })
    const { process } = server({ remote: '10.0.0.1:5001' })
    processSend(process, 'hello')
    clock.settle()
    expect(heard).toEqual(['hello'])
    expect(processDatagramAddress(listener)).toEqual({ address: '10.0.0.2', port: 7000 })
  })

  test('the peer can be set, in any form of address; what does not fit is null and changes nothing', () => {
    const { heard } = server()
    const { process } = client({ service: 1 })
    const address = [10, 0, 0, 2, 7000]
    expect(setProcessDatagramAddress(process, address)).toBe(address)
    processSend(process, 'x')
    expect(setProcessDatagramAddress(process, '[::1]:7000')).toBeNull()
    expect(setProcessDatagramAddress(process, 'nonsense')).toBeNull()
    expect(setProcessDatagramAddress(process, [10, 0, 0, 256, 7000])).toBeNull()
    expect(processDatagramAddress(process)).toEqual({ address: '10.0.0.2', port: 7000 })
    clock.settle()
    expect(heard).toEqual(['x'])
  })

  test('IPv6, and a link-local peer with its zone', () => {
    const { process, heard } = server({ host: '::' })
    const { process: asker, heard: answers } = client({ host: 'fe80::2%eth0' })
    processSend(asker, 'six')
    clock.settle()
    expect(heard).toEqual(['six'])
    expect(processDatagramAddress(process)).toEqual({ address: 'fe80::1%eth0', port: asker.endpoint.localPort })
    processSend(process, 'back')
    clock.settle()
    expect(answers).toEqual(['back'])
  })

  test('an IPv6 server hears IPv4 too, under mapped addresses, and answers', () => {
    const { process, heard } = server({ host: '::' })
    const { process: asker, heard: answers } = client({ local: '10.0.0.1:5001' })
    processSend(asker, 'four')
    clock.settle()
    expect(heard).toEqual(['four'])
    expect(processDatagramAddress(process)).toEqual({ address: '::ffff:10.0.0.1', port: 5001 })
    processSend(process, 'back')
    clock.settle()
    expect(answers).toEqual(['back'])
  })

  test('the coding says what a string is', () => {
    const raw: unknown[] = []
    const { process } = server({
      coding: 'buffer',
      filter: (_process: NetworkProcess, data: unknown) => raw.push(data),
    })
    const { process: text } = client({ coding: 'utf-8' })
    const { process: binary } = client({ coding: 'binary' })
    processSend(text, 'é')
    processSend(binary, '\xe9\x00')
    processSend(binary, Uint8Array.of(1, 2))
    clock.settle()
    expect(raw).toEqual([Buffer.from([0xc3, 0xa9]), Buffer.from([0xe9, 0]), Buffer.from([1, 2])])
    deleteProcess(process)

    const { heard } = server({ coding: 'binary' })
    processSend(text, 'é')
    clock.settle()
    expect(heard).toEqual(['\xc3\xa9'])
  })

  test('each message has memory of its own', () => {
    const raw: Buffer[] = []
    server({ coding: 'buffer', filter: (_process: NetworkProcess, data: Buffer) => raw.push(data) })
    const { process } = client()
    processSend(process, 'one')
    processSend(process, 'two')
    clock.settle()
    expect(raw.map(String)).toEqual(['one', 'two'])
  })

  test('a datagram longer than UDP carries is EMSGSIZE, also where it is longer than any packet', () => {
    const { process } = client()
    for (const length of [65_508, 70_000])
      expect(() => processSend(process, new Uint8Array(length))).toThrow(
        expect.objectContaining({ code: 'EMSGSIZE', address: '10.0.0.2', port: 7000 }),
      )
    processSend(process, new Uint8Array(65_507))
  })

  test.each([[undefined], [7], [['one']], [new Uint16Array(2)]])('%o is no datagram', (data) => {
    const { process } = client()
    expect(() => processSend(process, data as never)).toThrow(/Bad value for data/)
  })

  test('a filter that throws does not keep the datagrams behind it', async () => {
    const uncaught: unknown[] = []
    const before = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.on('uncaughtException', (error) => uncaught.push(error))
    try {
      const heard: string[] = []
      server({
        filter: (_process: NetworkProcess, text: string) => {
          heard.push(text)
          throw new Error(text)
        },
      })
      const { process: asker } = client()
      processSend(asker, 'one')
      processSend(asker, 'two')
      clock.settle()
      await new Promise(setImmediate)
      expect(heard).toEqual(['one', 'two'])
      expect(uncaught).toEqual([new Error('one'), new Error('two')])
    } finally {
      process.removeAllListeners('uncaughtException')
      for (const listener of before) process.on('uncaughtException', listener)
    }
  })
})

describe('making a process', () => {
  test('names are unique on a stack, and free again when the process is deleted', () => {
    const made = [1, 2, 3].map((service) => client({ service }).process)
    expect(made.map(({ name }) => name)).toEqual(['client', 'client<1>', 'client<2>'])
    deleteProcess(made[1] as NetworkProcess)
    expect(client().process.name).toBe('client<1>')
    expect(server({ name: 'client' }).process.name).toBe('client')
  })

  test('service true is a random port, which processContact then tells', () => {
    const { process } = server({ service: true })
    const service = processContact(process, 'service') as number
    expect(service).toBeGreaterThan(1023)
    expect(processContact(process)).toEqual(['0.0.0.0', service])
    expect(processContact(process, 'local')).toEqual({ address: '0.0.0.0', port: service })
  })

  test('a server without host is bound to the loopback of its family', () => {
    const bound = (options: object) => processContact(server({ host: undefined, ...options }).process, 'local')
    expect(bound({})).toEqual({ address: '127.0.0.1', port: 7000 })
    expect(bound({ family: 'ipv6' })).toEqual({ address: '::1', port: 7000 })
    expect(bound({ host: 'local', service: '7001' })).toEqual({ address: '127.0.0.1', port: 7001 })
    expect(bound({ host: 'localhost', service: 7002, family: 'ipv4' })).toEqual({ address: '127.0.0.1', port: 7002 })
  })

  test('local goes before host and service of a server, remote before those of a client', () => {
    expect(
      processContact(server({ host: '10.0.0.2', service: 1, local: [10, 0, 1, 2, 7001] }).process, 'local'),
    ).toEqual({
      address: '10.0.1.2',
      port: 7001,
    })
    expect(
      processContact(
        client({ host: '10.0.0.2', service: 1, remote: [0x2001, 0xdb8, 0, 0, 0, 0, 0, 2, 80] }).process,
        'remote',
      ),
    ).toEqual({
      address: '2001:db8::2',
      port: 80,
    })
  })

  test('a name of the stack is a host, by family', () => {
    a.hosts.set('printer', ['10.0.0.2', '2001:db8::2'])
    expect(processContact(client({ host: 'printer' }).process, 'remote')).toEqual({ address: '10.0.0.2', port: 7000 })
    expect(processContact(client({ host: 'printer', family: 'ipv6' }).process, 'remote')).toEqual({
      address: '2001:db8::2',
      port: 7000,
    })
    expect(() => client({ host: 'scanner' })).toThrow(expect.objectContaining({ code: 'ENOTFOUND' }))
  })

  test.each([
    [{ type: 'stream' }, /type/],
    [{ type: undefined }, /type/],
    [{ name: 7 }, /name/],
    [{ family: 'local' }, /family/],
    [{ family: 'ipv6' }, /10\.0\.0\.2.*ipv6/],
    [{ service: 0 }, /service/],
    [{ service: true }, /service/],
    [{ service: 'ntp' }, /service/],
    [{ service: 65_536 }, /service/],
    [{ service: undefined }, /service/],
    [{ remote: 'nonsense' }, /remote/],
    [{ remote: [1, 2, 3, 4] }, /remote/],
    [{ remote: '10.0.0.2:7', local: '[2001:db8::1]:7' }, /families/],
    [{ coding: 'klingon' }, /coding/],
    [{ filter: 'echo' }, /filter/],
    [{ sentinel: 7 }, /sentinel/],
    [{ priority: 256 }, /priority/],
    [{ linger: -1 }, /linger/],
    [{ bindtodevice: 7 }, /bindtodevice/],
    [{ boradcast: true }, /boradcast.*broadcast/],
  ])('%o is an error that names the fault', (options, message) => {
    expect(() => client(options)).toThrow(TypeError)
    expect(() => client(options)).toThrow(message)
  })

  test('an address in use or not of this host is an error of bind, and the name stays free', () => {
    server({ reuseaddr: false })
    expect(() => server({ name: 'other', reuseaddr: false })).toThrow(
      expect.objectContaining({ code: 'EADDRINUSE', syscall: 'bind', address: '0.0.0.0', port: 7000 }),
    )
    expect(() => server({ name: 'other', host: '192.0.2.1' })).toThrow(
      expect.objectContaining({ code: 'EADDRNOTAVAIL' }),
    )
    expect(server({ name: 'other', service: 7001 }).process.name).toBe('other')
  })
})

describe('stopping and deleting', () => {
  test('what comes while a process is stopped waits, and it can send', () => {
    const { process, heard } = server({ stop: true, remote: '10.0.0.1:5001' })
    const { process: asker, heard: answers } = client({ local: '10.0.0.1:5001' })
    expect(processStatus(process)).toBe('stop')
    processSend(asker, 'one')
    processSend(process, 'answer')
    clock.settle()
    expect(heard).toEqual([])
    expect(answers).toEqual(['answer'])

    expect(continueProcess(process)).toBe(process)
    expect(processStatus(process)).toBe('open')
    expect(heard).toEqual([])
    clock.settle()
    expect(heard).toEqual(['one'])

    expect(stopProcess(process)).toBe(process)
    processSend(asker, 'two')
    clock.settle()
    expect(heard).toEqual(['one'])
  })

  test('a filter may stop its process in the middle of a run', () => {
    const heard: string[] = []
    const { process } = server({
      filter: (self: NetworkProcess, text: string) => {
        heard.push(text)
        stopProcess(self)
      },
    })
    const { process: asker } = client()
    processSend(asker, 'one')
    processSend(asker, 'two')
    clock.settle()
    expect(heard).toEqual(['one'])
    continueProcess(process)
    clock.settle()
    expect(heard).toEqual(['one', 'two'])
  })

  test('a stopped process keeps no more than its receive buffer', () => {
    const { process, heard } = server({ stop: true })
    const { process: asker } = client()
    for (let i = 0; i < 10; i++) processSend(asker, new Uint8Array(60_000))
    clock.settle()
    expect(b.drops.map(({ reason }) => reason)).toContain('UdpReceiveBuffer')
    continueProcess(process)
    clock.settle()
    expect(heard.length).toBe(3)
    expect(process.endpoint.queued).toBe(0)
  })

  test('deleting tells the sentinel once, when the process is closed and its address free', () => {
    const events: unknown[] = []
    const sentinel = (process: NetworkProcess, event: string) => {
      events.push([event, processStatus(process)])
      server({ reuseaddr: false })
    }
    const { process, heard } = server({ sentinel, reuseaddr: false })
    expect(processStatus(process)).toBe('open')
    const { process: asker } = client()
    processSend(asker, 'late')
    deleteProcess(process)
    deleteProcess(process)
    clock.settle()
    expect(events).toEqual([['deleted\n', 'closed']])
    expect(heard).toEqual([])
    expect(() => processSend(process, 'x')).toThrow(
      expect.objectContaining({ code: 'EBADF', message: expect.stringContaining('deleted') }),
    )
    expect(() => setNetworkProcessOption(process, 'broadcast', true, true)).toThrow(/deleted/)
  })

  test('a filter that deletes its process gets no more', () => {
    const heard: string[] = []
    server({
      filter: (self: NetworkProcess, text: string) => {
        heard.push(text)
        deleteProcess(self)
      },
    })
    const { process: asker } = client()
    processSend(asker, 'one')
    processSend(asker, 'two')
    clock.settle()
    expect(heard).toEqual(['one'])
  })

  test('a process that can receive keeps the program alive until it is deleted', () => {
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
    const before = timers()
    const { process: listener } = server()
    expect(timers()).toBe(before + 1)
    const { process: asker } = client()
    expect(timers()).toBe(before + 1)
    processSend(asker, 'x')
    expect(timers()).toBe(before + 2)
    deleteProcess(listener)
    deleteProcess(asker)
    expect(timers()).toBe(before)
  })
})

describe('network options', () => {
  test('bindtodevice restricts what is received to the interface, and null undoes it', () => {
    const { process, heard } = server({ bindtodevice: 'eth1' })
    const { process: left } = client()
    const { process: right } = client({ host: '10.0.1.2' })
    const both = () => {
      processSend(left, 'left')
      processSend(right, 'right')
      clock.settle()
      return heard.splice(0)
    }
    expect(both()).toEqual(['right'])
    expect(setNetworkProcessOption(process, 'bindtodevice', null)).toBe(true)
    expect(both()).toEqual(['left', 'right'])
    expect(setNetworkProcessOption(process, 'bindtodevice', 'eth0')).toBe(true)
    expect(both()).toEqual(['left'])
    expect(setNetworkProcessOption(process, 'bindtodevice', '')).toBe(true)
    expect(both()).toEqual(['left', 'right'])
    expect(() => setNetworkProcessOption(process, 'bindtodevice', 'eth7')).toThrow(
      expect.objectContaining({ code: 'ENODEV', message: expect.stringContaining('eth0, eth1') }),
    )
  })

  test('bindtodevice restricts what is sent to the interface, and null undoes it', () => {
    const { heard } = server()
    const { process } = client()
    processSend(process, 'free')
    setNetworkProcessOption(process, 'bindtodevice', 'eth1')
    expect(() => processSend(process, 'bound')).toThrow(expect.objectContaining({ code: 'ENETUNREACH' }))
    setNetworkProcessOption(process, 'bindtodevice', null)
    processSend(process, 'free again')
    clock.settle()
    expect(heard).toEqual(['free', 'free again'])
  })

  test('broadcast allows sending to broadcast addresses', () => {
    const { heard } = server({ broadcast: true })
    const { process } = client({ host: '10.0.0.255' })
    expect(() => processSend(process, 'x')).toThrow(expect.objectContaining({ code: 'EACCES' }))
    expect(setNetworkProcessOption(process, ':broadcast', true)).toBe(true)
    processSend(process, 'all')
    clock.settle()
    expect(heard).toEqual(['all'])
    setNetworkProcessOption(process, 'broadcast', null)
    expect(() => processSend(process, 'x')).toThrow(expect.objectContaining({ code: 'EACCES' }))
  })

  test('dontroute reaches the own networks only, also after a datagram that was routed', () => {
    const { heard } = server()
    const { process: far } = client({ host: '198.51.100.1' })
    const { process: near } = client({ dontroute: true })
    processSend(far, 'by the gateway')
    expect(setNetworkProcessOption(far, 'dontroute', true)).toBe(true)
    expect(() => processSend(far, 'x')).toThrow(
      expect.objectContaining({ code: 'ENETUNREACH', address: '198.51.100.1', port: 7000 }),
    )
    processSend(near, 'on the link')
    setNetworkProcessOption(far, 'dontroute', false)
    processSend(far, 'by the gateway again')
    clock.settle()
    expect(heard).toEqual(['by the gateway', 'on the link', 'by the gateway again'])
  })

  test.each([['10.0.9.2'], ['2001:db8:9::2']])('priority is the TOS or Traffic Class byte of packets to %s', (host) => {
    const wire = new Segment({ clock })
    a.addNic(wire.link(), { addresses: ['10.0.9.1/24', '2001:db8:9::1/64'] })
    const seen: number[] = []
    wire
      .link()
      .attach({ input: (packet) => seen.push(tosOf(packet, 'ip') as number), idle() {}, dropped() {}, failed() {} })
    const { process } = client({ host, priority: 0xb8 })
    processSend(process, 'x')
    for (const off of [false, null, undefined]) {
      setNetworkProcessOption(process, 'priority', off)
      expect([processContact(process, 'priority'), process.endpoint.tos]).toEqual([0, 0])
    }
    expect(setNetworkProcessOption(process, 'priority', 0x10)).toBe(true)
    processSend(process, 'x')
    clock.settle()
    expect(seen).toEqual([0xb8, 0x10])
  })

  test('priority chooses the band of a link that has some', () => {
    const wire = new Segment({ clock, name: 'slow' })
    const slow = impair(wire.link(), { clock, send: { rate: 8000, queue: priorityBands() } })
    a.addNic(slow, { name: 'slow', addresses: ['10.0.9.1/24'] })
    b.addNic(wire.link(), { name: 'slow', addresses: ['10.0.9.2/24'] })
    const { heard } = server()
    const { process: ordinary } = client({ host: '10.0.9.2' })
    const { process: urgent } = client({ host: '10.0.9.2', priority: 0x10 })
    for (const text of ['1', '2', '3']) processSend(ordinary, text)
    processSend(urgent, 'urgent')
    clock.advance(10_000)
    expect(heard).toEqual(['1', 'urgent', '2', '3'])
  })

  test('reuseaddr is true for servers, false for clients, and cannot be changed later', () => {
    const { process: first } = server()
    const { process: second, heard } = server()
    expect(processContact(first, 'reuseaddr')).toBe(true)
    const { process: asker } = client()
    expect(processContact(asker, 'reuseaddr')).toBe(false)
    processSend(asker, 'x')
    clock.settle()
    expect(heard).toEqual(['x'])
    expect(() => server({ reuseaddr: null })).toThrow(expect.objectContaining({ code: 'EADDRINUSE' }))
    expect(() => setNetworkProcessOption(second, 'reuseaddr', false)).toThrow(/makeNetworkProcess/)
    expect(setNetworkProcessOption(second, 'reuseaddr', false, true)).toBeNull()
    expect(processContact(second, 'reuseaddr')).toBe(true)
  })

  test('the options of streams are kept and told', () => {
    const { process } = client({ keepalive: true, linger: 5 })
    expect(processContact(process, true)).toMatchObject({ keepalive: true, linger: 5, oobinline: false })
    expect(setNetworkProcessOption(process, 'keepalive', null)).toBe(true)
    expect(setNetworkProcessOption(process, 'linger', true)).toBe(true)
    expect(setNetworkProcessOption(process, 'oobinline', 1)).toBe(true)
    expect(processContact(process, true)).toMatchObject({ keepalive: false, linger: true, oobinline: true })
    expect(setNetworkProcessOption(process, 'linger', null)).toBe(true)
    expect(processContact(process, 'linger')).toBeNull()
  })

  test('an unknown option is an error, or null on request; a bad value is always an error and changes nothing', () => {
    const { process } = client({ priority: 8 })
    expect(() => setNetworkProcessOption(process, 'nodelay', true)).toThrow(/'nodelay'.*broadcast/)
    expect(() => setNetworkProcessOption(process, 'toString', true)).toThrow(TypeError)
    expect(() => setNetworkProcessOption(process, undefined as never, true)).toThrow(/Not a network option/)
    expect(setNetworkProcessOption(process, 'nodelay', true, true)).toBeNull()
    expect(() => setNetworkProcessOption(process, 'priority', 'high', true)).toThrow(/priority/)
    expect(processContact(process, 'priority')).toBe(8)
  })
})

describe('processContact', () => {
  test('gives host and service, all keywords with their present values, or one of them', () => {
    const plist = { owner: 'me' }
    const { process } = client({ plist })
    expect(processContact(process)).toEqual(['10.0.0.2', 7000])
    const all = processContact(process, true)
    expect(all).toEqual({
      name: 'client',
      type: 'datagram',
      host: '10.0.0.2',
      service: 7000,
      filter: expect.any(Function),
      plist,
      bindtodevice: null,
      broadcast: false,
      dontroute: false,
      keepalive: false,
      linger: null,
      oobinline: false,
      priority: 0,
      reuseaddr: false,
      local: { address: '0.0.0.0', port: 0 },
      remote: { address: '10.0.0.2', port: 7000 },
    })
    expect(processContact(process, ':remote')).toEqual({ address: '10.0.0.2', port: 7000 })
    expect(processContact(process, 'sentinel')).toBeNull()
    expect(process.plist).toEqual(plist)
    expect(process.plist).not.toBe(plist)
    processSend(process, 'x')
    expect(processContact(process, ':local')).toEqual({ address: '0.0.0.0', port: process.endpoint.localPort })
    setProcessDatagramAddress(process, { address: '10.0.1.2', port: 9 })
    expect(processContact(process, 'remote')).toEqual({ address: '10.0.1.2', port: 9 })
  })
})

describe('interfaces and addresses', () => {
  test('all addresses of the interfaces are listed, or those of a family', () => {
    expect(networkInterfaceList({ stack: b, family: 'ipv4' })).toEqual([
      { name: 'lo', address: '127.0.0.1', broadcast: null, netmask: '255.0.0.0' },
      { name: 'eth0', address: '10.0.0.2', broadcast: '10.0.0.255', netmask: '255.255.255.0' },
      { name: 'eth1', address: '10.0.1.2', broadcast: '10.0.1.255', netmask: '255.255.255.0' },
      { name: 'far', address: '198.51.100.1', broadcast: '198.51.100.255', netmask: '255.255.255.0' },
    ])
    expect(networkInterfaceList({ stack: a }).map(({ address }) => address)).toEqual([
      '127.0.0.1',
      '::1',
      ...['10.0.0.1', '2001:db8::1', 'fe80::1'],
      ...['10.0.1.1', '2001:db8:1::1', 'fe80::1:1'],
    ])
  })

  test('an interface tells its address, mask, hardware address and flags', () => {
    expect(networkInterfaceInfo('eth0', { stack: a })).toEqual({
      address: '10.0.0.1',
      broadcast: '10.0.0.255',
      netmask: '255.255.255.0',
      hardwareAddress: null,
      flags: ['up', 'pointopoint', 'noarp', 'multicast', 'running'],
    })
    expect(networkInterfaceInfo('lo', { stack: a })).toMatchObject({
      address: '127.0.0.1',
      flags: ['up', 'loopback', 'running'],
    })
    expect(networkInterfaceInfo('eth7', { stack: a })).toBeNull()
  })

  test.each([
    [[127, 0, 0, 1, 8080], '127.0.0.1:8080', '127.0.0.1'],
    [[127, 0, 0, 1], '127.0.0.1', '127.0.0.1'],
    [[0, 0, 0, 0, 0, 0, 0, 1, 80], '[::1]:80', '::1'],
    [[0xfe80, 0, 0, 0, 0, 0, 0, 1], 'fe80::1', 'fe80::1'],
    ['192.0.2.1:5', '192.0.2.1:5', '192.0.2.1'],
    ['[2001:DB8:0:0::1]:5', '[2001:db8::1]:5', '2001:db8::1'],
    [{ address: 'fe80::1%eth0', port: 5 }, '[fe80::1%eth0]:5', 'fe80::1%eth0'],
  ])('%o is %s, or without its port %s', (address, text, withoutPort) => {
    expect(formatNetworkAddress(address)).toBe(text)
    expect(formatNetworkAddress(address, true)).toBe(withoutPort)
  })

  test.each([
    [[1, 2, 3]],
    [[1, 2, 3, 256, 5]],
    [[1, 2, 3, 4, 65_536]],
    ['::1:80'],
    ['host:80'],
    [{ address: 'x', port: 1 }],
    [{ address: '::1', port: -1 }],
    [null],
  ])('%o is no address', (address) => {
    expect(formatNetworkAddress(address as never)).toBeNull()
  })
})
