import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../src/base/clock.ts'
import { Drop } from '../../src/base/drop.ts'
import { Cast, ChecksumState, Packet } from '../../src/base/packet.ts'
import { SeededRandom } from '../../src/base/random.ts'
import type { Link, LinkReceiver } from '../../src/link/link.ts'
import { Segment, type SegmentLinkOptions, type SegmentOptions } from '../../src/link/segment.ts'
import { ethernetFrame, linkContract, pattern, Recorder } from './link-contract.ts'

for (const medium of ['ip', 'ethernet'] as const) {
  for (const others of [0, 2]) {
    linkContract(`Segment of medium ${medium} with ${2 + others} links`, () => {
      const clock = new ManualClock()
      const segment = new Segment({ clock, medium, random: new SeededRandom(1) })
      const [a, b] = [segment.link(), segment.link()]
      for (let i = 0; i < others; i++) segment.link().attach(new Recorder())
      return { a, b, settle: () => clock.settle() }
    })
  }
}
linkContract('Segment with checksum offload', () => {
  const clock = new ManualClock()
  const segment = new Segment({ clock, checksumOffload: true })
  return { a: segment.link(), b: segment.link(), settle: () => clock.settle() }
})

function setUp(count: number, options: SegmentOptions = {}, linkOptions: SegmentLinkOptions[] = []) {
  const clock = new ManualClock()
  const segment = new Segment({ clock, random: new SeededRandom(7), ...options })
  const links = Array.from({ length: count }, (_, index) => segment.link(linkOptions[index]))
  const receivers = links.map((link) => {
    const receiver = new Recorder()
    link.attach(receiver)
    return receiver
  })
  const packet = new Packet()
  const send = (from: number, bytes: Uint8Array) => (links[from] as Link).send(packet.load(bytes))
  const mac = (index: number) => (links[index] as Link).hardwareAddress as Uint8Array
  const received = () => receivers.map((receiver) => receiver.frames.length)
  return { clock, segment, links, receivers, packet, send, mac, received }
}
const BROADCAST = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff]

describe('Segment of medium ip', () => {
  it('brings each packet to all other links', () => {
    const { clock, send, received, receivers } = setUp(3)
    send(1, pattern(40, 1))
    clock.settle()
    expect(received()).toEqual([1, 0, 1])
    expect(receivers[0]?.casts).toEqual([Cast.Unicast])
  })

  it('delivers a burst in one turn with one idle', () => {
    const { clock, send, receivers } = setUp(2)
    for (let i = 0; i < 30; i++) send(0, pattern(40, i))
    clock.step()
    expect(receivers[1]?.calls).toBe(`${'i'.repeat(30)}.`)
    expect(clock.step()).toBe(false)
  })

  it('names its links after itself', () => {
    expect(setUp(2, { name: 'lan' }).links.map((link) => link.name)).toEqual(['lan0', 'lan1'])
    expect(setUp(1, {}, [{ name: 'eth0' }]).links.map((link) => link.name)).toEqual(['eth0'])
  })

  it('tells the sender when nobody is there', () => {
    const alone = setUp(1)
    expect(alone.send(0, pattern(40, 1))).toBe(Drop.None)
    expect(alone.receivers[0]?.drops).toEqual([Drop.WireNoReceiver])
    const left = setUp(2)
    left.links[1]?.close()
    left.send(0, pattern(40, 1))
    expect(left.receivers[0]?.drops).toEqual([Drop.WireNoReceiver])
  })

  it('does not deliver what was sent before the receiver was attached', () => {
    const clock = new ManualClock()
    const segment = new Segment({ clock })
    const [a, b] = [segment.link(), segment.link()]
    const [sender, receiver] = [new Recorder(), new Recorder()]
    a.attach(sender)
    a.send(new Packet().load(pattern(40, 1)))
    b.attach(receiver)
    a.send(new Packet().load(pattern(40, 2)))
    clock.settle()
    expect(receiver.frames).toEqual([pattern(40, 2)])
    expect(sender.drops).toEqual([Drop.WireNoReceiver])
  })

  it('refuses a frame for the only other link when its queue is full', () => {
    const { clock, send, received } = setUp(2, { queueBytes: 3 * (12 + 40) })
    const results = [1, 2, 3, 4].map((seed) => send(0, pattern(40, seed)))
    expect(results).toEqual([Drop.None, Drop.None, Drop.None, Drop.LinkQueueFull])
    clock.settle()
    expect(received()).toEqual([0, 3])
    expect(send(0, pattern(40, 5))).toBe(Drop.None)
  })

  it('lets each full link among many report its own drop', () => {
    const { clock, send, receivers } = setUp(3, { queueBytes: 12 + 40 })
    expect([send(0, pattern(40, 1)), send(0, pattern(40, 2))]).toEqual([Drop.None, Drop.None])
    clock.settle()
    expect(receivers.map((receiver) => receiver.drops)).toEqual([[], [Drop.LinkQueueFull], [Drop.LinkQueueFull]])
  })

  it('lets links have MTUs of their own', () => {
    const { send } = setUp(2, {}, [{ mtu: 576 }])
    expect(send(0, pattern(576, 1))).toBe(Drop.None)
    expect(send(0, pattern(577, 1))).toBe(Drop.LinkMtuExceeded)
    expect(send(1, pattern(1500, 1))).toBe(Drop.None)
  })

  it('refuses an MTU that no IP link may have', () => {
    expect(() => new Segment({ mtu: 67 })).toThrow(RangeError)
    expect(() => new Segment({ mtu: 1500.5 })).toThrow(RangeError)
    expect(() => new Segment().link({ mtu: 70_000 })).toThrow('70000')
  })

  it('delivers Partial as it is on a wire with checksum offload, so that a router can complete it', () => {
    const { clock, links, packet, receivers } = setUp(2, { checksumOffload: true })
    packet.load(pattern(40, 1))
    packet.checksumState = ChecksumState.Partial
    packet.trace = 9
    links[0]?.send(packet)
    clock.settle()
    expect(receivers[1]?.states).toEqual([ChecksumState.Partial])
    expect(receivers[1]?.traces).toEqual([9])
  })
})

describe('Segment of medium ethernet', () => {
  const ethernet: SegmentOptions = { medium: 'ethernet' }

  it('brings a unicast frame to the owner of its destination only', () => {
    const { clock, send, mac, received, receivers } = setUp(4, ethernet)
    expect(send(0, ethernetFrame(mac(2), mac(0), pattern(40, 1)))).toBe(Drop.None)
    clock.settle()
    expect(received()).toEqual([0, 0, 1, 0])
    expect(receivers[2]?.casts).toEqual([Cast.Unicast])
  })

  it('brings broadcast and multicast to all others, and says which it was', () => {
    const { clock, send, mac, received, receivers } = setUp(3, ethernet)
    send(0, ethernetFrame(BROADCAST, mac(0), pattern(40, 1)))
    send(0, ethernetFrame([0x33, 0x33, 0, 0, 0, 1], mac(0), pattern(40, 2)))
    send(0, ethernetFrame([0xff, 0xff, 0xff, 0xff, 0xff, 0xfe], mac(0), pattern(40, 3)))
    clock.settle()
    expect(received()).toEqual([0, 3, 3])
    expect(receivers[1]?.casts).toEqual([Cast.Broadcast, Cast.Multicast, Cast.Multicast])
  })

  it('tells the sender of a frame that no link has the address for', () => {
    const { clock, send, mac, received, receivers } = setUp(3, ethernet)
    expect(send(0, ethernetFrame([2, 0, 0, 0, 0, 1], mac(0), pattern(40, 1)))).toBe(Drop.None)
    clock.settle()
    expect(received()).toEqual([0, 0, 0])
    expect(receivers.map((receiver) => receiver.drops)).toEqual([[Drop.WireNoReceiver], [], []])
  })

  it('forgets the address of a closed link', () => {
    const { clock, send, mac, links, receivers, segment } = setUp(2, ethernet)
    send(0, ethernetFrame(mac(1), mac(0), pattern(40, 1)))
    expect(receivers[0]?.drops).toEqual([])
    links[1]?.close()
    send(0, ethernetFrame(mac(1), mac(0), pattern(40, 1)))
    expect(receivers[0]?.drops).toEqual([Drop.WireNoReceiver])
    const heir = new Recorder()
    segment.link({ hardwareAddress: mac(1) }).attach(heir)
    send(0, ethernetFrame(mac(1), mac(0), pattern(40, 2)))
    clock.settle()
    expect(heir.frames.length).toBe(1)
  })

  it('shows a promiscuous link the frames of others as such', () => {
    const { clock, send, mac, receivers, received } = setUp(3, ethernet, [{}, {}, { promiscuous: true }])
    send(0, ethernetFrame(mac(1), mac(0), pattern(40, 1)))
    send(0, ethernetFrame([2, 0, 0, 0, 0, 1], mac(0), pattern(40, 2)))
    send(0, ethernetFrame(mac(2), mac(0), pattern(40, 3)))
    clock.settle()
    expect(received()).toEqual([0, 1, 3])
    expect(receivers[1]?.casts).toEqual([Cast.Unicast])
    expect(receivers[2]?.casts).toEqual([Cast.OtherHost, Cast.OtherHost, Cast.Unicast])
    expect(receivers[0]?.drops).toEqual([])
  })

  it('draws distinct, locally administered, individual addresses, the same ones from the same seed', () => {
    const first = setUp(20, ethernet).links.map((link) => Array.from(link.hardwareAddress as Uint8Array))
    const again = setUp(20, ethernet).links.map((link) => Array.from(link.hardwareAddress as Uint8Array))
    expect(first).toEqual(again)
    expect(new Set(first.map(String)).size).toBe(20)
    for (const address of first) expect((address[0] as number) & 3).toBe(2)
  })

  it('takes a given address and refuses a group address, a wrong length and a second owner', () => {
    const segment = new Segment(ethernet)
    const given = Uint8Array.from([0x52, 0x54, 0, 0xff, 0xff, 1])
    expect(segment.link({ hardwareAddress: given }).hardwareAddress).toEqual(given)
    expect(() => segment.link({ hardwareAddress: given })).toThrow('52:54:00:ff:ff:01')
    expect(() => segment.link({ hardwareAddress: Uint8Array.from([1, 0, 0, 0, 0, 1]) })).toThrow(RangeError)
    expect(() => segment.link({ hardwareAddress: new Uint8Array(5) })).toThrow(RangeError)
  })

  it('counts its MTU without the Ethernet header and refuses a frame that has nothing else', () => {
    const { send, mac } = setUp(2, { medium: 'ethernet', mtu: 576 })
    expect(send(0, ethernetFrame(mac(1), mac(0), pattern(576, 1)))).toBe(Drop.None)
    expect(send(0, ethernetFrame(mac(1), mac(0), pattern(577, 1)))).toBe(Drop.LinkMtuExceeded)
    expect(send(0, ethernetFrame(mac(1), mac(0), new Uint8Array(0)))).toBe(Drop.FrameTooShort)
  })
})

describe('a frame to a group, on a segment of medium ethernet', () => {
  const GROUP = [0x01, 0x00, 0x5e, 0x01, 0x02, 0x03]

  function withHearers(hear: readonly (boolean | undefined)[]) {
    const net = setUp(hear.length + 1, { medium: 'ethernet' })
    const asked: number[] = []
    for (const [index, answer] of hear.entries()) {
      if (answer === undefined) continue
      const receiver = net.receivers[index + 1] as Recorder & LinkReceiver
      receiver.hears = () => {
        asked.push(index + 1)
        return answer
      }
    }
    const send = (destination: readonly number[]) => {
      expect(net.send(0, ethernetFrame(destination, net.mac(0), pattern(50, 1)))).toBe(Drop.None)
      net.clock.settle()
      return net.received().slice(1)
    }
    return { ...net, send, asked }
  }

  it('reaches those that hear it, and those that do not say', () => {
    const { send, asked } = withHearers([true, false, undefined])
    expect(send(GROUP)).toEqual([1, 0, 1])
    expect(asked).toEqual([1, 2])
  })

  it('is no frame without a receiver when nobody hears it', () => {
    const { send, receivers } = withHearers([false, false])
    expect(send(GROUP)).toEqual([0, 0])
    expect(receivers[0]?.drops).toEqual([])
  })

  it('is a frame for everybody when it is a broadcast', () => {
    const { send, asked } = withHearers([false, false])
    expect(send(BROADCAST)).toEqual([1, 1])
    expect(asked).toEqual([])
  })

  it('reaches the other end of a wire of two, whatever it hears: that end counts what it discards', () => {
    const { send } = withHearers([false])
    expect(send(GROUP)).toEqual([1])
  })
})
