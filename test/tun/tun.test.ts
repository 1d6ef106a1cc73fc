import { execFileSync, spawn } from 'node:child_process'
import dgram from 'node:dgram'
import dns from 'node:dns/promises'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { Drop } from '../../src/base/drop.ts'
import { Packet } from '../../src/base/packet.ts'
import { openTun, type TunLink, type TunOptions } from '../../src/link/device/tun.ts'
import { Recorder } from '../link/link-contract.ts'
import { between, isArp, mac, macDestination, macSource } from '../packet.ts'
import { describeOnTun } from './namespace.ts'

const ip = (...args: string[]) => execFileSync('ip', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
const bytes = (text: string) => new TextEncoder().encode(text)
const turn = (ms = 0) => new Promise((resolve) => setTimeout(resolve, ms))

describeOnTun('a TUN device', () => {
  const links: TunLink[] = []
  const sockets: dgram.Socket[] = []
  const packet = new Packet()

  function open(options?: TunOptions): TunLink {
    const link = openTun(options)
    links.push(link)
    return link
  }

  /** A socket of the kernel. */
  async function socket(type: dgram.SocketType, address: string): Promise<dgram.Socket> {
    const made = dgram.createSocket(type)
    sockets.push(made)
    made.bind(0, address)
    await once(made, 'listening')
    return made
  }

  afterEach(() => {
    for (const link of links.splice(0)) link.close()
    for (const each of sockets.splice(0)) each.close()
  })

  describe('and its interface', () => {
    test('a TUN device gets a name from the kernel, and is gone at once when it is closed', () => {
      const link = open()
      expect(link.name).toBe('tun0')
      expect(link.interfaceName).toBe('tun0')
      expect(ip('-o', 'link', 'show', 'tun0')).toContain('mtu 1500')
      link.close()
      link.close()
      expect(() => ip('link', 'show', 'tun0')).toThrow(/does not exist/)
    })

    test('a TUN device can be opened again under the same name', () => {
      for (let round = 0; round < 20; round++) {
        const link = open({ name: 'again', peer: '10.0.0.1/24' })
        expect(link.name).toBe('again')
        link.attach(new Recorder())
        link.close()
      }
    })

    test('a TUN device takes the first free number for %d, and a name of 15 bytes', () => {
      expect(open({ name: 'left%d' }).name).toBe('left0')
      expect(open({ name: 'left%d' }).name).toBe('left1')
      expect(open({ name: 'fifteen-bytes-x' }).name).toBe('fifteen-bytes-x')
      expect(open({ name: '' }).name).toBe('tun0')
    })

    test('a TUN device has the MTU asked for, and says so', () => {
      const link = open({ mtu: 1280 })
      expect(link.mtu).toBe(1280)
      expect(ip('-o', 'link', 'show', link.name)).toContain('mtu 1280')
      link.setMtu(9000)
      expect(link.mtu).toBe(9000)
      expect(ip('-o', 'link', 'show', link.name)).toContain('mtu 9000')
      ip('link', 'set', link.name, 'mtu', '1400')
      expect(link.refresh()).toBe(1400)
      expect(link.mtu).toBe(1400)
    })

    test('a TUN device gives the kernel addresses of both families that can be used at once', async () => {
      const link = open({ peer: ['10.1.0.1/24', '10.1.1.1/32', 'fd01::1/64', 'fd02::1/128'] })
      const texts = link.kernelAddresses().map(({ address, prefix }) => `${address}/${prefix.length}`)
      expect(texts).toEqual(expect.arrayContaining(['10.1.0.1/24', '10.1.1.1/32', 'fd01::1/64', 'fd02::1/128']))
      const seen = networkInterfaces()[link.name]?.map(({ cidr }) => cidr)
      expect(seen).toEqual(expect.arrayContaining(['10.1.0.1/24', '10.1.1.1/32', 'fd01::1/64', 'fd02::1/128']))
      await socket('udp6', 'fd02::1')
    })

    test('a TUN device notices addresses that somebody else adds and removes', () => {
      const link = open({ peer: '10.1.0.1/24' })
      ip('address', 'add', '10.9.9.9/30', 'dev', link.name)
      ip('address', 'del', '10.1.0.1/24', 'dev', link.name)
      expect(
        link
          .kernelAddresses()
          .filter(({ address }) => address.family === 4)
          .map(({ address, prefix }) => `${address} in ${prefix}`),
      ).toEqual(['10.9.9.9 in 10.9.9.8/30'])
    })

    test('a TUN device stays down when it is not to be brought up', () => {
      const link = open({ up: false })
      expect(ip('-o', 'link', 'show', link.name)).not.toMatch(/[<,]UP/)
      const other = open()
      expect(ip('-o', 'link', 'show', other.name)).toMatch(/[<,]UP/)
    })

    test('a TUN device keeps as many packets waiting as asked for', () => {
      expect(ip('-o', 'link', 'show', open({ queueLength: 4000 }).name)).toContain('qlen 4000')
    })

    test('a TUN device attaches to a persistent device, which stays behind', () => {
      ip('tuntap', 'add', 'dev', 'lasting', 'mode', 'tun')
      ip('link', 'set', 'lasting', 'mtu', '1400')
      const link = open({ name: 'lasting', peer: '10.2.0.1/24' })
      expect(link.mtu).toBe(1400)
      link.close()
      const again = open({ name: 'lasting', peer: '10.2.0.1/24' })
      expect(again.kernelAddresses().filter(({ address }) => address.family === 4)).toHaveLength(1)
      again.close()
      ip('link', 'del', 'lasting')
    })

    test('a TUN device opens one queue after the other of a multi-queue device', () => {
      const first = open({ name: 'queues', queues: 2, peer: '10.3.0.1/24' })
      const second = open({ name: 'queues', queues: 2, peer: '10.3.0.1/24' })
      expect(second.name).toBe('queues')
      expect(() => openTun({ name: 'queues', queues: 2 })).toThrow(/'queues' has its 2 queues open already/)
      expect(() => openTun({ name: 'other', queues: 257 })).toThrow(/from 1 to 256, not 257/)
      first.close()
      expect(ip('-o', 'link', 'show', 'queues')).toContain('queues')
      second.close()
      expect(() => ip('link', 'show', 'queues')).toThrow(/does not exist/)
    })
  })

  test(
    'a TUN device finds what comes within the time of a busy poll without a wake-up, serves timers ' +
      'meanwhile, and sleeps after it',
    async () => {
      const link = open({ wakeup: 'uv', peer: '10.0.0.1/24', busyPoll: 10_000 })
      const times: number[] = []
      link.attach(Object.assign(new Recorder(), { input: () => void times.push(performance.now()) }))
      await turn(100)
      const { wakeups } = link.counters
      times.length = 0
      const sender = spawn('bash', ['-c', 'for i in {1..200}; do echo $i > /dev/udp/10.0.0.2/7; sleep 0.002; done'], {
        stdio: 'inherit',
      })
      let timers = 0
      const timer = setInterval(() => timers++, 20)
      await once(sender, 'exit')
      clearInterval(timer)
      expect(times.length).toBeGreaterThanOrEqual(200)
      // On a busy machine some come later.
      const late = times.filter((time, i) => time - (times[i - 1] ?? 0) > 9).length
      expect(link.counters.wakeups - wakeups).toBeLessThan(late + 30)
      expect(timers).toBeGreaterThan(5)
      await turn(50)
      const cpu = process.cpuUsage()
      await turn(200)
      const { user, system } = process.cpuUsage(cpu)
      expect(user + system).toBeLessThan(100_000)
      expect(() => open({ busyPoll: -1 })).toThrow('busyPoll must be 0 to 10000 microseconds, not -1.')
      expect(() => open({ busyPoll: Number.NaN })).toThrow(RangeError)
      expect(() => open({ busyPoll: 'always' as 'auto' })).toThrow("not always. 'auto' polls as long as that pays.")
    },
  )

  describe.each(['uv', 'worker'] as const)('woken by %s', (wakeup) => {
    test('a TUN device receives what the kernel sends, IPv4 and IPv6', async () => {
      const link = open({ wakeup, peer: ['10.0.0.1/24', 'fd00::1/64'] })
      const receiver = new Recorder()
      link.attach(receiver)
      expect(link.wakeup).toBe(wakeup)
      const four = await socket('udp4', '10.0.0.1')
      const six = await socket('udp6', 'fd00::1')
      four.send('over four', 7, '10.0.0.2')
      six.send('over six', 7, 'fd00::2')
      const texts = () => receiver.frames.map((frame) => Buffer.from(frame).toString('latin1'))
      await vi.waitFor(() => {
        expect(texts().some((text) => text.startsWith('E') && text.endsWith('over four'))).toBe(true)
        expect(texts().some((text) => text.startsWith('`') && text.endsWith('over six'))).toBe(true)
      })
      expect(receiver.calls).toMatch(/^(i+\.)+$/)
      expect(link.counters.receivedPackets).toBe(receiver.frames.length)
      expect(link.counters.receivedBytes).toBe(receiver.frames.reduce((total, frame) => total + frame.length, 0))
    })

    test('a TUN device sends what a socket of the kernel receives, IPv4 and IPv6', async () => {
      const link = open({ wakeup, peer: ['10.0.0.1/24', 'fd00::1/64'] })
      link.attach(new Recorder())
      const four = await socket('udp4', '10.0.0.1')
      const six = await socket('udp6', 'fd00::1')
      const arrived = Promise.all([once(four, 'message'), once(six, 'message')])
      expect(link.send(packet.load(between('10.0.0.2:5', `10.0.0.1:${four.address().port}`, bytes('to four'))))).toBe(
        Drop.None,
      )
      expect(link.send(packet.load(between('[fd00::2]:6', `[fd00::1]:${six.address().port}`, bytes('to six'))))).toBe(
        Drop.None,
      )
      const [[first, from], [second, from6]] = await arrived
      expect(first.toString()).toBe('to four')
      expect(from).toMatchObject({ address: '10.0.0.2', port: 5 })
      expect(second.toString()).toBe('to six')
      expect(from6).toMatchObject({ address: 'fd00::2', port: 6 })
      expect(link.counters).toMatchObject({ sentPackets: 2, sentBytes: 28 + 7 + 48 + 6, refusedPackets: 0 })
    })

    test('a TUN device delivers every packet of 200 000 that come in bursts, in order', async () => {
      const link = open({ wakeup, peer: '10.0.0.1/24', queueLength: 2000 })
      const far = open({ wakeup, peer: '10.0.9.1/24' })
      writeFileSync('/proc/sys/net/ipv4/ip_forward', '1')
      let next = 0
      let wrong = 0
      let refused = 0
      let idles = 0
      link.attach({
        input(received) {
          // Whatever else the kernel says on a new interface is not from us.
          if (received.bytes[received.start + 9] !== 17 || received.bytes[received.start] !== 0x45) return
          if (received.view.getUint32(received.start + 28) !== next++) wrong++
        },
        idle: () => void idles++,
        dropped() {},
        failed() {},
      })
      const template = between('10.0.9.2:1', '10.0.0.2:2', new Uint8Array(64))
      let sent = 0
      while (sent < 200_000) {
        for (let burst = 0; burst < 500; burst++) {
          packet.load(template)
          packet.view.setUint32(packet.start + 28, sent++)
          if (far.send(packet) !== Drop.None) refused++
        }
        while (sent - next > 1000) await turn()
      }
      await vi.waitFor(() => expect(next).toBe(200_000), 5000)
      expect({ wrong, refused }).toEqual({ wrong: 0, refused: 0 })
      expect(idles).toBeLessThan(20_000)
    }, 30_000)

    test('a TUN device leaves room for timers and files while packets never end', async () => {
      const link = open({ wakeup, peer: '10.0.0.1/24' })
      const far = open({ wakeup, peer: '10.0.9.1/24' })
      writeFileSync('/proc/sys/net/ipv4/ip_forward', '1')
      // Each packet that arrives is sent once more, so that some are always waiting; not for ever,
      // should the loop never give way.
      const resend = () => far.send(packet.load(between('10.0.9.2:1', '10.0.0.2:2', new Uint8Array(64))))
      const stop = performance.now() + 20_000
      link.attach({
        input: () => void (performance.now() < stop && resend()),
        idle() {},
        dropped() {},
        failed() {},
      })
      for (let count = 0; count < 300; count++) resend()
      await vi.waitFor(() => expect(link.counters.receivedPackets).toBeGreaterThan(1000), 5000)
      const before = performance.now()
      for (let round = 0; round < 10; round++) {
        await turn(1)
        await readFile(new URL(import.meta.url))
      }
      expect(performance.now() - before).toBeLessThan(10_000)
      const seen = link.counters.receivedPackets
      await vi.waitFor(() => expect(link.counters.receivedPackets).toBeGreaterThan(seen), 5000)
    })

    test('a TUN device reports a deleted interface once, sends nothing more and does not spin', async () => {
      const link = open({ wakeup })
      const failures: [string | undefined, boolean][] = []
      const receiver = new Recorder()
      link.attach(
        Object.assign(receiver, {
          failed: (error: NodeJS.ErrnoException, fatal: boolean) => void failures.push([error.code, fatal]),
        }),
      )
      await turn(50)
      ip('link', 'del', link.name)
      await vi.waitFor(() => expect(failures).toEqual([['EBADFD', true]]))
      expect(link.send(packet.load(between('10.0.0.2:1', '10.0.0.1:2', bytes('late'))))).toBe(Drop.LinkDown)
      expect(link.kernelAddresses()).toEqual([])
      expect(() => link.setMtu(1300)).toThrow(expect.objectContaining({ code: 'ENODEV' }))
      const { wakeups } = link.counters
      const cpu = process.cpuUsage()
      await turn(200)
      const { user, system } = process.cpuUsage(cpu)
      expect(user + system).toBeLessThan(100_000)
      expect(link.counters.wakeups).toBe(wakeups)
      expect(failures).toHaveLength(1)
      link.close()
    })

    test('a TUN device reports a deleted interface when a send is the first to notice', async () => {
      const link = open({ wakeup })
      const failures: [string | undefined, boolean][] = []
      link.attach(
        Object.assign(new Recorder(), {
          failed: (error: NodeJS.ErrnoException, fatal: boolean) => void failures.push([error.code, fatal]),
        }),
      )
      ip('link', 'del', link.name)
      expect(link.send(packet.load(between('10.0.0.2:1', '10.0.0.1:2', bytes('late'))))).toBe(Drop.LinkDown)
      expect(failures).toEqual([])
      await turn(100)
      expect(failures).toEqual([['EBADFD', true]])
    })

    test('a TUN device reports an interface that is down once, and works again when it is up', async () => {
      const link = open({ wakeup, peer: '10.0.0.1/24' })
      const failures: [string | undefined, boolean][] = []
      const receiver = new Recorder()
      link.attach(
        Object.assign(receiver, {
          failed: (error: NodeJS.ErrnoException, fatal: boolean) => void failures.push([error.code, fatal]),
        }),
      )
      const kernel = await socket('udp4', '10.0.0.1')
      const send = () =>
        link.send(packet.load(between('10.0.0.2:5', `10.0.0.1:${kernel.address().port}`, bytes('hello'))))
      for (let round = 1; round <= 2; round++) {
        ip('link', 'set', link.name, 'down')
        for (let count = 0; count < 100; count++) expect(send()).toBe(Drop.LinkDown)
        await turn()
        expect(failures).toEqual(new Array(round).fill(['EIO', false]))
        expect(link.counters.refusedPackets).toBe(round * 100)

        ip('link', 'set', link.name, 'up')
        const arrived = once(kernel, 'message')
        expect(send()).toBe(Drop.None)
        expect((await arrived)[0].toString()).toBe('hello')
        receiver.frames.length = 0
        kernel.send('back', 7, '10.0.0.2')
        await vi.waitFor(() =>
          expect(receiver.frames.some((frame) => Buffer.from(frame).toString().endsWith('back'))).toBe(true),
        )
      }
    })

    test('a TUN device keeps working when the receiver changes what it is lent', async () => {
      const link = open({ wakeup, peer: '10.0.0.1/24' })
      const lengths: number[] = []
      link.attach({
        input(received) {
          if (received.bytes[received.start] === 0x45) lengths.push(received.length)
          received.start = 3
          received.end = 5
        },
        idle() {},
        dropped() {},
        failed() {},
      })
      const kernel = await socket('udp4', '10.0.0.1')
      for (const size of [1, 100, 1400]) kernel.send(Buffer.alloc(size), 7, '10.0.0.2')
      await vi.waitFor(() => expect(lengths).toEqual([29, 128, 1428]))
    })
  })

  test("a TUN device is woken by libuv unless told otherwise, on Node's main thread", () => {
    expect(open().wakeup).toBe('uv')
    expect(open({ wakeup: 'worker' }).wakeup).toBe('worker')
  })

  test('a TUN device does not deliver what came before the receiver, and counts it', async () => {
    const link = open({ peer: '10.0.0.1/24' })
    const kernel = await socket('udp4', '10.0.0.1')
    await new Promise((resolve) => kernel.send('early', 7, '10.0.0.2', resolve))
    const receiver = new Recorder()
    link.attach(receiver)
    expect(link.counters.earlyPackets).toBeGreaterThan(0)
    await turn(20)
    expect(receiver.frames.some((frame) => Buffer.from(frame).toString().endsWith('early'))).toBe(false)
  })

  test('a TUN device refuses a packet that is no IP packet, and one beyond the MTU, by name', () => {
    const link = open()
    link.attach(new Recorder())
    expect(link.send(packet.load(new Uint8Array(40)))).toBe(Drop.LinkRefused)
    expect(link.send(packet.load(new Uint8Array(0)))).toBe(Drop.LinkRefused)
    expect(link.send(packet.load(between('10.0.0.2:5', '10.0.0.1:6', new Uint8Array(1473))))).toBe(Drop.LinkMtuExceeded)
    expect(link.send(packet.load(between('10.0.0.2:5', '10.0.0.1:6', new Uint8Array(1472))))).toBe(Drop.None)
    link.flush()
    expect(link.counters).toMatchObject({ refusedPackets: 3, sentPackets: 1 })
  })

  test('a TUN device sends from several packets in turn, each from its own buffer', async () => {
    const link = open({ peer: '10.0.0.1/24' })
    link.attach(new Recorder())
    const kernel = await socket('udp4', '10.0.0.1')
    const texts: string[] = []
    kernel.on('message', (message) => texts.push(message.toString()))
    const packets = [new Packet(2000), new Packet(3000), new Packet()]
    for (let round = 0; round < 6; round++) {
      const each = packets[round % 3] as Packet
      expect(
        link.send(each.load(between('10.0.0.2:5', `10.0.0.1:${kernel.address().port}`, bytes(`number ${round}`)))),
      ).toBe(Drop.None)
    }
    await vi.waitFor(() => expect(texts).toEqual([0, 1, 2, 3, 4, 5].map((round) => `number ${round}`)))
  })

  test('a TUN device leaves files and DNS usable with five devices open', async () => {
    for (let count = 0; count < 5; count++) open({ peer: `10.5.${count}.1/24` }).attach(new Recorder())
    const results = await Promise.all([
      ...Array.from({ length: 8 }, () => readFile(new URL(import.meta.url))),
      ...Array.from({ length: 4 }, () => dns.lookup('localhost')),
    ])
    expect(results).toHaveLength(12)
  })

  test('a TUN device is an IP link; TAP is an Ethernet link with an address of its own', () => {
    expect(open()).toMatchObject({ medium: 'ip', hardwareAddress: null, loopback: false })
    const tap = open({ kind: 'tap' })
    expect(tap).toMatchObject({ name: 'tap0', medium: 'ethernet', mtu: 1500 })
    expect(((tap.hardwareAddress as Uint8Array)[0] as number) & 3).toBe(2)
    expect(Buffer.from(open({ kind: 'tap' }).hardwareAddress as Uint8Array)).not.toEqual(
      Buffer.from(tap.hardwareAddress as Uint8Array),
    )
    expect(open({ kind: 'tap', hardwareAddress: '02:00:5e:00:53:01' }).hardwareAddress).toEqual(
      Uint8Array.of(0x02, 0x00, 0x5e, 0x00, 0x53, 0x01),
    )
  })

  test(
    'a TUN device carries Ethernet frames as TAP: ARP is asked and answered, then a datagram passes each ' + 'way',
    async () => {
      const link = open({ kind: 'tap', peer: '10.0.0.1/24', hardwareAddress: '02:00:5e:00:53:01' })
      const own = link.hardwareAddress as Uint8Array
      const receiver = new Recorder()
      link.attach(receiver)
      const kernel = await socket('udp4', '10.0.0.1')
      kernel.send('over ethernet', 7, '10.0.0.2')

      const arp = await vi.waitFor(() => receiver.frames.find(isArp) ?? expect.fail('no ARP request'))
      expect(macDestination(arp)).toBe('ff:ff:ff:ff:ff:ff')
      const kernelAddress = mac(macSource(arp))
      const header = (type: number) => Uint8Array.of(...kernelAddress, ...own, 8, type)
      const reply = Uint8Array.of(
        ...header(6),
        0,
        1,
        8,
        0,
        6,
        4,
        0,
        2,
        ...own,
        10,
        0,
        0,
        2,
        ...kernelAddress,
        10,
        0,
        0,
        1,
      )
      expect(link.send(packet.load(reply))).toBe(Drop.None)

      await vi.waitFor(() =>
        expect(receiver.frames.some((frame) => Buffer.from(frame).toString().endsWith('over ethernet'))).toBe(true),
      )
      const frame = receiver.frames.find((each) => Buffer.from(each).toString().endsWith('over ethernet')) as Uint8Array
      expect(frame.subarray(0, 14)).toEqual(Uint8Array.of(...own, ...kernelAddress, 8, 0))
      expect(frame.length).toBe(14 + 28 + 13)

      const arrived = once(kernel, 'message')
      const port = kernel.address().port
      const largest = new Uint8Array(1472).fill(0x61)
      expect(
        link.send(packet.load(Uint8Array.of(...header(0), ...between('10.0.0.2:7', `10.0.0.1:${port}`, largest)))),
      ).toBe(Drop.None)
      expect((await arrived)[0].length).toBe(1472)
      const tooLong = Uint8Array.of(...header(0), ...between('10.0.0.2:7', `10.0.0.1:${port}`, new Uint8Array(1473)))
      expect(link.send(packet.load(tooLong))).toBe(Drop.LinkMtuExceeded)
    },
  )
})
