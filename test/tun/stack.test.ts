/**
 * The whole stack against Linux's, over a real device: the kernel's sockets and tools on one side,
 * ours on the other, tshark as the judge.
 */
import { execFile, execFileSync } from 'node:child_process'
import dgram from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CaptureFile, openCaptureFile } from '../../src/link/capture/capture-file.ts'
import { openTun, type TunLink } from '../../src/link/device/tun.ts'
import '../../src/socket-api/dgram/dgram.ts'
import { Stack } from '../../src/stack.ts'
import { pattern } from '../packet.ts'
import { skipAloud } from '../skips.ts'
import { describeOnTun } from './namespace.ts'

const run = promisify(execFile)

const ADDRESSES = { 4: { ours: '10.9.0.2', kernel: '10.9.0.1' }, 6: { ours: 'fd09::2', kernel: 'fd09::1' } } as const
const SIZES = [0, 1, 63, 64, 1472, 1473, 8192, 32_768]
/** The longest payload of each family. */
const LONGEST = { 4: 65_507, 6: 65_527 } as const

function isInstalled(tool: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${tool}`], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** A test that needs a program of the machine. */
const testWith = (tool: string, name: string, body: () => Promise<void>) =>
  isInstalled(tool) ? test(name, body) : skipAloud(name, `the program ${tool}`)

type AnySocket = Pick<dgram.Socket, 'bind' | 'connect' | 'send' | 'close' | 'address'> & NodeJS.EventEmitter

async function bound(socket: AnySocket, port: number, address: string): Promise<AnySocket> {
  socket.bind(port, address)
  await once(socket, 'listening')
  return socket
}

const within = <T>(promise: Promise<T>, what: string, limit = 5000): Promise<T> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${limit} ms`)), limit)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

/**
 * Sends each payload and waits until it is there, so that no queue in between is the matter of the
 * test.
 */
async function exchange(
  from: AnySocket,
  to: AnySocket,
  port: number,
  address: string,
  sizes: readonly number[],
  fromAddress: string,
): Promise<void> {
  for (const size of sizes) {
    const payload = pattern(size, size)
    const arrival = within(once(to, 'message'), `${size} bytes`)
    await new Promise<void>((resolve, reject) =>
      from.send(payload, port, address, (error) => (error === null ? resolve() : reject(error))),
    )
    const [message, info] = (await arrival) as [Buffer, dgram.RemoteInfo]
    expect(message.equals(payload), `${size} bytes arrive intact`).toBe(true)
    expect(info).toMatchObject({
      address: fromAddress,
      port: from.address().port,
      size,
      family: address.includes(':') ? 'IPv6' : 'IPv4',
    })
  }
}

describeOnTun('our stack and the kernel', () => {
  let directory: string
  let file: CaptureFile
  let capturePath: string
  let tun: TunLink
  let stack: Stack

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'tungram-'))
    capturePath = join(directory, 'stack.pcapng')
    tun = openTun({ peer: [`${ADDRESSES[4].kernel}/24`, `${ADDRESSES[6].kernel}/64`] })
    file = openCaptureFile(capturePath)
    stack = new Stack()
    const link = file.capture(tun)
    stack.addNic(link, { addresses: [`${ADDRESSES[4].ours}/24`, `${ADDRESSES[6].ours}/64`] })
    tun.ref()
  })
  afterAll(() => {
    stack.close()
    file.close()
    rmSync(directory, { recursive: true, force: true })
  })

  describe.each([4, 6] as const)('exchange IPv%i datagrams', (family) => {
    const { ours, kernel } = ADDRESSES[family]
    const sizes = [...SIZES, LONGEST[family]]
    const type = `udp${family}` as const

    test('our stack and the kernel exchange datagrams of every size, from our socket to the kernel’s', async () => {
      const theirs = await bound(dgram.createSocket({ type, recvBufferSize: 200_000 }), 0, kernel)
      const mine = await bound(stack.dgram.createSocket(type) as unknown as AnySocket, 0, ours)
      await exchange(mine, theirs, theirs.address().port, kernel, sizes, ours)
      theirs.close()
      mine.close()
    }, 20_000)

    test('our stack and the kernel exchange datagrams of every size, from the kernel’s socket to ours', async () => {
      const theirs = await bound(dgram.createSocket({ type, sendBufferSize: 200_000 }), 0, kernel)
      const mine = await bound(stack.dgram.createSocket(type) as unknown as AnySocket, 0, ours)
      await exchange(theirs, mine, mine.address().port, ours, sizes, kernel)
      theirs.close()
      mine.close()
    }, 20_000)

    test(
      'our stack and the kernel exchange datagrams to a closed port of ours, which the kernel reports as ' +
        'ECONNREFUSED',
      async () => {
        const socket = dgram.createSocket(type)
        socket.connect(9, ours)
        await once(socket, 'connect')
        const failure = within(once(socket, 'error'), 'the error')
        socket.send('anybody there?')
        expect((await failure)[0]).toMatchObject({ code: 'ECONNREFUSED' })
        socket.close()
        expect(stack.counters[family === 4 ? 'UdpNoPorts' : 'Udp6NoPorts']).toBeGreaterThan(0)
      },
    )

    test(
      'our stack and the kernel exchange datagrams to a closed port of the kernel, which our socket reports ' +
        'as ECONNREFUSED',
      async () => {
        const socket = stack.dgram.createSocket(type)
        socket.connect(9, kernel)
        await once(socket, 'connect')
        const failure = within(once(socket, 'error'), 'the error')
        socket.send('anybody there?')
        expect((await failure)[0]).toMatchObject({ code: 'ECONNREFUSED' })
        socket.close()
      },
    )

    test('a datagram longer than the longest is refused', async () => {
      const socket = stack.dgram.createSocket(type)
      const error = await new Promise<NodeJS.ErrnoException | null>((resolve) =>
        socket.send(new Uint8Array(LONGEST[family] + 1), 9, kernel, (each: NodeJS.ErrnoException | null) =>
          resolve(each),
        ),
      )
      expect(error?.code).toBe('EMSGSIZE')
      socket.close()
    })

    testWith('ping', 'answer pings of all sizes', async () => {
      for (const size of [0, 56, 1452, 1473, 8000, 65_000]) {
        // ping's own socket has room for one reply of the last size only.
        const count = size > 8000 ? 1 : 3
        const { stdout } = await run('ping', [
          `-${family}`,
          '-n',
          '-c',
          `${count}`,
          '-i',
          '0.02',
          '-W',
          '2',
          '-s',
          `${size}`,
          ours,
        ])
        expect(stdout, `${size} bytes`).toContain(`${count} packets transmitted, ${count} received, 0% packet loss`)
        expect(stdout).not.toMatch(/wrong data|DUP/)
      }
    })
  })

  test('a burst in both directions comes through whole', async () => {
    const theirs = await bound(dgram.createSocket({ type: 'udp4', recvBufferSize: 200_000 }), 0, ADDRESSES[4].kernel)
    const mine = await bound(stack.dgram.createSocket('udp4') as unknown as AnySocket, 0, ADDRESSES[4].ours)
    const count = 100
    const seen = { theirs: new Set<number>(), mine: new Set<number>() }
    theirs.on('message', (message: Buffer) => seen.theirs.add(message.readUInt32BE(0)))
    mine.on('message', (message: Buffer) => seen.mine.add(message.readUInt32BE(0)))
    for (let i = 0; i < count; i++) {
      const payload = Buffer.alloc(500)
      payload.writeUInt32BE(i)
      mine.send(payload, theirs.address().port, ADDRESSES[4].kernel)
      theirs.send(payload, mine.address().port, ADDRESSES[4].ours)
    }
    const deadline = Date.now() + 5000
    while ((seen.mine.size < count || seen.theirs.size < count) && Date.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 5))
    expect([seen.mine.size, seen.theirs.size]).toEqual([count, count])
    theirs.close()
    mine.close()
  })

  test('a socket on the device gets 32 messages in a turn at most, as one of the kernel’s does', async () => {
    const theirs = await bound(dgram.createSocket('udp4'), 0, ADDRESSES[4].kernel)
    const mine = await bound(stack.dgram.createSocket('udp4') as unknown as AnySocket, 0, ADDRESSES[4].ours)
    const port = mine.address().port
    let got = 0
    let first = -1
    const all = within(
      new Promise<void>((resolve) => {
        mine.on('message', () => {
          if (got++ === 0)
            setImmediate(() => {
              first = got
            })
          if (got === 150) resolve()
        })
      }),
      '150 datagrams',
    )
    // All of them leave before the loop looks at the device again.
    for (let i = 0; i < 150; i++) theirs.send('x', port, ADDRESSES[4].ours)
    await all
    expect(first).toBe(32)
    theirs.close()
    mine.close()
  })

  testWith('tshark', 'tshark finds nothing wrong with any frame that we sent', async () => {
    file.flush()
    const { sentPackets } = tun.counters
    expect(sentPackets).toBeGreaterThan(300)
    const checks = ['ip', 'udp', 'tcp'].flatMap((protocol) => ['-o', `${protocol}.check_checksum:TRUE`])
    const count = async (filter: string) => {
      const { stdout } = await run(
        'tshark',
        ['-r', capturePath, ...checks, '-Y', filter, '-T', 'fields', '-e', 'frame.number'],
        {
          maxBuffer: 1 << 24,
        },
      )
      return stdout.split('\n').filter((line) => line !== '')
    }
    const sent = 'frame.packet_flags_direction == 2'
    const [all, bad, goodUdp, goodIcmp] = await Promise.all([
      count(sent),
      count(
        `${sent} && (_ws.malformed || ip.checksum.status == "Bad" || udp.checksum.status == "Bad" || ` +
          'icmp.checksum.status == "Bad" || icmpv6.checksum.status == "Bad" || _ws.expert.severity == ' +
          'error)',
      ),
      count(`${sent} && udp.checksum.status == "Good" && udp.length`),
      count(`${sent} && (icmp.checksum.status == "Good" || icmpv6.checksum.status == "Good")`),
    ])
    expect(all.length).toBe(sentPackets)
    expect(bad).toEqual([])
    // Both families, nine sizes each, and the burst; three pings of five sizes, one of the longest,
    // and an error.
    expect(goodUdp.length).toBeGreaterThanOrEqual(118)
    expect(goodIcmp.length).toBeGreaterThanOrEqual(2 * (3 * 5 + 1 + 1))
  })

  test('counts agree: nothing that was for us is lost without a name', () => {
    const { counters } = stack
    expect(counters.IpInReceives + counters.Ip6InReceives).toBe(tun.counters.receivedPackets)
    expect(counters.IpReasmFails + counters.Ip6ReasmFails).toBe(0)
    expect(counters.UdpInErrors + counters.Udp6InErrors).toBe(0)
    expect(counters.IpReasmOKs).toBeGreaterThan(0)
    expect(counters.Ip6ReasmOKs).toBeGreaterThan(0)
  })

  test('the device is gone when the stack is closed', async () => {
    expect(Object.keys(networkInterfaces())).toContain(tun.name)
    stack.close()
    expect(Object.keys(networkInterfaces())).not.toContain(tun.name)
    expect(() => execFileSync('ip', ['link', 'show', tun.name], { stdio: 'pipe' })).toThrow(/does not exist/)
  })
})
