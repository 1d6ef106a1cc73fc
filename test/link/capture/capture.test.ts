import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { ManualClock } from '../../../src/base/clock.ts'
import { Drop, dropLayer, dropName } from '../../../src/base/drop.ts'
import { Packet } from '../../../src/base/packet.ts'
import { SeededRandom } from '../../../src/base/random.ts'
import { Capture, type CapturedLink, type CaptureOptions } from '../../../src/link/capture/capture.ts'
import { CaptureFile, openCaptureFile } from '../../../src/link/capture/capture-file.ts'
import { readCapture } from '../../../src/link/capture/capture-reader.ts'
import type { CapturedFrame } from '../../../src/link/capture/pcapng.ts'
import { impair } from '../../../src/link/impairment/impairment.ts'
import { frames } from '../../../src/link/impairment/impairment-models.ts'
import { Segment, type SegmentOptions } from '../../../src/link/segment.ts'
import { describeWith } from '../../skips.ts'
import { ethernetFrame, linkContract, pattern, Recorder } from '../link-contract.ts'

const folder = mkdtempSync(join(tmpdir(), 'tungram-capture-'))
afterAll(() => rmSync(folder, { recursive: true }))

for (const medium of ['ip', 'ethernet'] as const)
  linkContract(`a capture of a segment of medium ${medium}`, () => {
    const clock = new ManualClock()
    const segment = new Segment({ clock, medium, random: new SeededRandom(1) })
    const capture = new Capture(() => {}, { clock })
    return { a: capture.link(segment.link()), b: capture.link(segment.link()), settle: () => clock.settle() }
  })

/** An IPv4 packet of protocol 253 (for experiments, RFC 3692) that is 20 bytes and its payload. */
function ipv4Packet(payload: Uint8Array): Uint8Array {
  const length = 20 + payload.length
  return Uint8Array.from([
    0x45,
    0,
    length >>> 8,
    length & 255,
    0,
    0,
    0,
    0,
    64,
    253,
    0,
    0,
    192,
    0,
    2,
    1,
    192,
    0,
    2,
    2,
    ...payload,
  ])
}

function setUp(segmentOptions: SegmentOptions = {}, captureOptions: CaptureOptions = {}) {
  const clock = new ManualClock()
  const segment = new Segment({ clock, random: new SeededRandom(1), ...segmentOptions })
  const chunks: Uint8Array[] = []
  const capture = new Capture((chunk) => chunks.push(chunk), { clock, ...captureOptions })
  const a = capture.link(segment.link())
  const b = segment.link()
  const receivers = [new Recorder(), new Recorder()] as const
  a.attach(receivers[0])
  b.attach(receivers[1])
  const read = (): CapturedFrame[] => [...readCapture(new Uint8Array(Buffer.concat(chunks)))]
  return { clock, segment, capture, a, b, receivers, read, packet: new Packet() }
}

function note(link: CapturedLink, drop: Drop, packet: Packet): void {
  link.noteDrop(dropName(drop), dropLayer(drop), packet)
}

describe('Capture', () => {
  it('never goes back in time, though the wall clock does', () => {
    const manual = new ManualClock()
    let step = 0
    const stepped = {
      now: () => manual.now(),
      wallTime: () => manual.wallTime() + step,
      schedule: manual.schedule,
      soon: manual.soon,
    }
    const { a, read, packet } = setUp({}, { clock: stepped })
    const sendAfter = (change: number) => {
      step += change
      manual.advance(1)
      a.send(packet.load(pattern(40, 1)))
    }
    for (const change of [0, 3_600_000, -3_600_000, 0, 3_599_990, 0, 100]) sendAfter(change)
    const epoch = 946_684_800_000n
    const times = read().map(({ time }) => Number(time / 1_000_000n - epoch))
    expect(times).toEqual([1, 3_600_002, 3_600_002, 3_600_002, 3_600_002, 3_600_002, 3_600_097])
  })

  it('writes both directions with interface, time and bytes', () => {
    const { clock, a, b, read, packet } = setUp()
    a.send(packet.load(pattern(40, 1)))
    clock.advance(1.25)
    b.send(packet.load(pattern(50, 2)))
    clock.settle()
    const epoch = 946_684_800_000_000_000n
    expect(read()).toMatchObject([
      {
        interface: 'wire0',
        linkType: 101,
        time: epoch,
        bytes: pattern(40, 1),
        originalLength: 40,
        direction: 'out',
        comments: [],
      },
      { interface: 'wire0', time: epoch + 1_250_000n, bytes: pattern(50, 2), direction: 'in', comments: [] },
    ])
  })

  it('keeps the first bytes only, up to the snapshot length', () => {
    const { a, read, packet } = setUp({}, { snapLength: 16 })
    a.send(packet.load(pattern(40, 1)))
    expect(read()).toMatchObject([{ bytes: pattern(16, 1), originalLength: 40 }])
  })

  it('serves many links, of both media, each with its name', () => {
    const { clock, capture, a, read, packet } = setUp()
    const lan = new Segment({ clock, medium: 'ethernet', name: 'lan' })
    const named = capture.link(lan.link(), { name: 'the office' })
    named.attach(new Recorder())
    const frame = ethernetFrame([255, 255, 255, 255, 255, 255], named.hardwareAddress as Uint8Array, pattern(20, 1))
    named.send(packet.load(frame))
    a.send(packet.load(pattern(40, 1)))
    expect(read().map((each) => [each.interface, each.interfaceIndex, each.linkType])).toEqual([
      ['the office', 1, 1],
      ['wire0', 0, 101],
    ])
  })

  it('comments a frame with the drop that happened while it was received', () => {
    const { clock, a, b, receivers, read, packet } = setUp()
    receivers[0].onInput = (lent) => {
      lent.bytes.fill(0, lent.start, lent.end)
      note(a, Drop.UdpNoPort, lent)
    }
    b.send(packet.load(pattern(40, 1)))
    clock.settle()
    expect(read()).toMatchObject([{ direction: 'in', bytes: pattern(40, 1), comments: ['dropped: UdpNoPort (udp)'] }])
  })

  it('keeps the order of time when a frame is answered while it is received', () => {
    const { clock, a, b, receivers, read, packet } = setUp()
    receivers[0].onInput = (lent) => {
      a.send(new Packet().load(pattern(28, 9)))
      note(a, Drop.UdpNoPort, lent)
    }
    b.send(packet.load(pattern(40, 1)))
    clock.settle()
    expect(read().map((frame) => [frame.direction, frame.comments.length])).toEqual([
      ['in', 1],
      ['out', 0],
    ])
  })

  it('writes a frame whose receiver throws', () => {
    const { clock, b, receivers, read, packet } = setUp()
    receivers[0].onInput = () => {
      throw new Error('a bug of the program')
    }
    b.send(packet.load(pattern(40, 1)))
    expect(() => clock.settle()).toThrow('a bug of the program')
    expect(read().length).toBe(1)
  })

  it('comments a frame that the link refuses, once, though the stack reports it again', () => {
    const { a, read, packet } = setUp({ mtu: 100 })
    packet.load(pattern(101, 1))
    note(a, a.send(packet), packet)
    expect(read()).toMatchObject([{ direction: 'out', comments: ['dropped: LinkMtuExceeded (link)'] }])
  })

  it('comments a frame that the link accepts and then drops, once', () => {
    const { a, b, receivers, read, packet } = setUp()
    b.close()
    const dropped = receivers[0].dropped
    receivers[0].dropped = (drop, lost) => {
      dropped.call(receivers[0], drop, lost)
      note(a, drop, lost)
    }
    a.send(packet.load(pattern(40, 1)))
    expect(receivers[0].drops).toEqual([Drop.WireNoReceiver])
    expect(read()).toMatchObject([{ direction: 'out', comments: ['dropped: WireNoReceiver (link)'] }])
  })

  it('comments the frames that an impaired link loses, at once or later', () => {
    const { clock, capture, segment, read, packet } = setUp()
    const lossy = impair(segment.link(), { clock, send: { loss: frames(1) } })
    const slow = impair(segment.link(), { clock, send: { loss: frames(1), rate: 8000 } })
    for (const inner of [lossy, slow]) {
      const link = capture.link(inner)
      link.attach(new Recorder())
      link.send(packet.load(pattern(40, 1)))
      clock.advance(100)
    }
    expect(read().map(({ comments, time }) => [comments, Number(time / 1_000_000n) - 946_684_800_000])).toEqual([
      [['dropped: WireLoss (link)'], 0],
      [[], 100],
      [['dropped: WireLoss (link)'], 140],
    ])
  })

  it('writes an IP packet that is not passing, such as a rebuilt datagram, with its comment', () => {
    const { clock, a, b, receivers, read, packet } = setUp()
    const fragment = pattern(40, 3)
    const bytes = ipv4Packet(pattern(30, 1))
    const rebuilt = new Packet().load(bytes)
    Object.assign(rebuilt, {
      nic: 2,
      family: 4,
      network: rebuilt.start,
      networkEnd: rebuilt.end,
      start: rebuilt.start + 28,
    })
    receivers[0].onInput = (lent) => {
      lent.nic = 2
      note(a, Drop.UdpChecksum, rebuilt)
    }
    b.send(packet.load(fragment))
    clock.settle()
    note(a, Drop.FragmentTimeout, rebuilt)
    note(a, Drop.IpNoRoute, packet.load(bytes))
    expect(read()).toMatchObject([
      { direction: 'in', bytes: fragment, comments: [] },
      { direction: 'in', bytes, comments: ['dropped: UdpChecksum (udp)'] },
      { direction: 'in', bytes, comments: ['dropped: FragmentTimeout (ip)'] },
      { direction: 'out', bytes, comments: ['dropped: IpNoRoute (ip)'] },
    ])
  })

  it('leaves out packets that came in by another nic', () => {
    const { clock, a, b, receivers, read, packet } = setUp()
    receivers[0].onInput = (lent) => {
      lent.nic = 2
    }
    b.send(packet.load(pattern(40, 3)))
    clock.settle()
    packet.load(ipv4Packet(pattern(30, 1)))
    Object.assign(packet, { nic: 1, family: 4, network: packet.start, networkEnd: packet.end })
    note(a, Drop.UdpNoPort, packet)
    expect(read().length).toBe(1)
  })

  it('puts a frame header before such a packet on Ethernet', () => {
    const { a, read, packet } = setUp({ medium: 'ethernet' })
    const bytes = ipv4Packet(pattern(30, 1))
    note(a, Drop.FragmentTimeout, packet.load(bytes))
    expect(read()).toMatchObject([{ linkType: 1, bytes: Uint8Array.from([...new Uint8Array(12), 8, 0, ...bytes]) }])
  })

  it('leaves out what is not yet an IP packet', () => {
    const { a, read, packet } = setUp()
    note(a, Drop.IpNoRoute, packet.load(pattern(100, 0x45)))
    expect(read()).toEqual([])
  })
})

describe('CaptureFile', () => {
  const clock = new ManualClock()
  const segment = new Segment({ clock })
  segment.link().attach(new Recorder())

  it('has everything in the file after close', () => {
    const path = join(folder, 'all.pcapng')
    const file = openCaptureFile(path)
    const link = file.capture(segment.link())
    link.attach(new Recorder())
    const packet = new Packet()
    for (let i = 0; i < 300; i++) link.send(packet.load(pattern(1000, i)))
    file.close()
    file.close()
    link.send(packet.load(pattern(1000, 0)))
    expect([...readCapture(readFileSync(path))].map(({ bytes }) => bytes[0])).toEqual(
      Array.from({ length: 300 }, (_, i) => i & 255),
    )
  })

  it('has everything in the file when the process exits without close', () => {
    const path = join(folder, 'exit.pcapng')
    const file = openCaptureFile(path)
    const link = file.capture(segment.link())
    link.attach(new Recorder())
    link.send(new Packet().load(pattern(100, 1)))
    const listeners = process.listeners('exit')
    ;(listeners[listeners.length - 1] as (code: number) => void)(0)
    expect([...readCapture(readFileSync(path))].length).toBe(1)
    file.close()
    expect(process.listeners('exit').length).toBe(listeners.length - 1)
  })

  it('has everything in the file a moment after it was captured', async () => {
    const path = join(folder, 'live.pcapng')
    const file = openCaptureFile(path)
    const link = file.capture(segment.link())
    link.attach(new Recorder())
    link.send(new Packet().load(pattern(100, 1)))
    await expect.poll(() => [...readCapture(readFileSync(path))].length, { timeout: 3000 }).toBe(1)
    file.close()
  })

  it('says which file cannot be opened, and why', () => {
    expect(() => openCaptureFile(join(folder, 'no', 'such.pcapng'))).toThrow(
      expect.objectContaining({
        code: 'ENOENT',
        message: expect.stringMatching(/no\/such\.pcapng: the folder does not exist \(ENOENT\)\.$/),
      }),
    )
    expect(() => openCaptureFile(folder)).toThrow(expect.objectContaining({ code: 'EISDIR' }))
  })

  it('passes packets on when the disk is full, and says so once', () => {
    const errors: Error[] = []
    const file = new CaptureFile('/dev/full', { onError: (error) => errors.push(error) })
    const link = file.capture(segment.link())
    link.attach(new Recorder())
    const packet = new Packet()
    for (let i = 0; i < 200; i++) expect(link.send(packet.load(pattern(1000, i)))).toBe(Drop.None)
    expect(errors.map((error) => error.message)).toEqual([
      'Cannot write the capture file /dev/full: the disk is full (ENOSPC).',
    ])
    expect(() => file.close()).not.toThrow()
  })

  it('throws the error of writing from close when nobody listens', () => {
    const file = new CaptureFile('/dev/full')
    expect(() => file.close()).toThrow('the disk is full')
  })
})

function hasTshark(): boolean {
  try {
    execFileSync('tshark', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

describeWith(hasTshark(), 'the program tshark')('Wireshark', () => {
  it('opens the file and shows interface, direction, comment, time and protocol', () => {
    const path = join(folder, 'wireshark.pcapng')
    const clock = new ManualClock()
    const packet = new Packet()
    const file = openCaptureFile(path, { clock, application: 'tungram 1.2.3' })
    const segment = new Segment({ clock, name: 'p2p' })
    const lan = new Segment({ clock, name: 'lan', medium: 'ethernet' })
    const tapped = file.capture(segment.link())
    const ethernet = file.capture(lan.link())
    const far = segment.link()
    const receiver = new Recorder()
    receiver.onInput = (lent) => note(tapped, Drop.UdpNoPort, lent)
    tapped.attach(receiver)
    ethernet.attach(new Recorder())
    far.attach(new Recorder())
    tapped.send(packet.load(ipv4Packet(pattern(8, 1))))
    clock.advance(0.5)
    far.send(packet.load(ipv4Packet(pattern(8, 2))))
    clock.settle()
    const mac = ethernet.hardwareAddress as Uint8Array
    const arp = Uint8Array.from([
      ...new Array(6).fill(255),
      ...mac,
      8,
      6,
      0,
      1,
      8,
      0,
      6,
      4,
      0,
      1,
      ...mac,
      192,
      0,
      2,
      1,
      0,
      0,
      0,
      0,
      0,
      0,
      192,
      0,
      2,
      2,
    ])
    ethernet.send(packet.load(arp))
    file.close()
    const fields = [
      'frame.interface_name',
      'frame.packet_flags_direction',
      'frame.comment',
      'frame.time_epoch',
      'frame.protocols',
    ]
    const lines = execFileSync(
      'tshark',
      ['-r', path, '-T', 'fields', '-E', 'separator=|', ...fields.flatMap((field) => ['-e', field])],
      {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    )
    expect(lines.trimEnd().split('\n')).toEqual([
      'p2p0|0x00000002||946684800.000000000|raw:ip:data',
      'p2p0|0x00000001|dropped: UdpNoPort (udp)|946684800.000500000|raw:ip:data',
      'lan0|0x00000002|dropped: WireNoReceiver (link)|946684800.000500000|eth:ethertype:arp',
    ])
  })

  it('writes files that the reader reads as tshark does', () => {
    const path = join(folder, 'source.pcapng')
    const file = openCaptureFile(path, { clock: new ManualClock() })
    const link = file.capture(new Segment({ clock: new ManualClock() }).link())
    for (let i = 0; i < 5; i++) link.send(new Packet().load(ipv4Packet(pattern(i * 3, i))))
    file.close()
    const source = [...readCapture(readFileSync(path))]
    for (const format of ['pcap', 'nsecpcap', 'pcapng']) {
      const converted = join(folder, `converted.${format}`)
      execFileSync('editcap', ['-F', format, path, converted], { stdio: 'ignore' })
      const frames = [...readCapture(readFileSync(converted))]
      expect(frames.map(({ bytes, time, linkType }) => [Buffer.from(bytes).toString('hex'), time, linkType])).toEqual(
        source.map(({ bytes, time, linkType }) => [Buffer.from(bytes).toString('hex'), time, linkType]),
      )
    }
    writeFileSync(join(folder, 'cut.pcapng'), readFileSync(path).subarray(0, -10))
    expect(() => [...readCapture(readFileSync(join(folder, 'cut.pcapng')))]).toThrow('cut off')
  })
})
