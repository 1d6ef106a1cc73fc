import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../src/base/clock.ts'
import { Drop } from '../../src/base/drop.ts'
import { ChecksumState, Packet } from '../../src/base/packet.ts'
import { Loopback, type LoopbackOptions } from '../../src/link/loopback.ts'
import { linkContract, pattern, Recorder } from './link-contract.ts'

linkContract('Loopback', () => {
  const clock = new ManualClock()
  const lo = new Loopback(clock)
  return { a: lo, b: lo, settle: () => clock.settle() }
})

function setUp(options?: LoopbackOptions) {
  const clock = new ManualClock()
  const lo = new Loopback(clock, options)
  const receiver = new Recorder()
  lo.attach(receiver)
  return { clock, lo, receiver, packet: new Packet() }
}

describe('Loopback', () => {
  it('is the IP link lo with an MTU of 65536 that says it is a loopback', () => {
    const { lo } = setUp()
    expect([lo.name, lo.medium, lo.mtu, lo.loopback, lo.offload.checksum]).toEqual(['lo', 'ip', 65536, true, false])
  })

  it('delivers 32 frames a turn, with idle after the last of each', () => {
    const { clock, lo, receiver, packet } = setUp()
    for (let seed = 0; seed < 80; seed++) lo.send(packet.load(pattern(28, seed)))
    expect(clock.step()).toBe(true)
    expect(receiver.calls).toBe(`${'i'.repeat(32)}.`)
    clock.settle()
    expect(receiver.calls).toBe(`${'i'.repeat(32)}.${'i'.repeat(32)}.${'i'.repeat(16)}.`)
    expect(clock.step()).toBe(false)
  })

  it('gives timers their turn during a flood', () => {
    const { clock, lo, receiver, packet } = setUp()
    for (let i = 0; i < 5000; i++) lo.send(packet.load(pattern(28, i)))
    let seen = -1
    clock.soon(() => {
      seen = receiver.frames.length
    })
    clock.settle()
    expect(seen).toBe(32)
    expect(receiver.frames.length).toBe(5000)
  })

  it('answers to answers take a later turn', () => {
    const { clock, lo, receiver, packet } = setUp()
    receiver.onInput = (lent) => lo.send(lent)
    lo.send(packet.load(pattern(28, 1)))
    for (let turn = 1; turn <= 5; turn++) {
      clock.step()
      expect(receiver.calls).toBe('i.'.repeat(turn))
    }
  })

  it('refuses frames beyond its queue and takes them again when it is empty', () => {
    const { clock, lo, receiver, packet } = setUp({ queueBytes: 10 * (12 + 100) })
    const results = Array.from({ length: 12 }, (_, seed) => lo.send(packet.load(pattern(100, seed))))
    expect(results).toEqual([...new Array(10).fill(Drop.None), Drop.LinkQueueFull, Drop.LinkQueueFull])
    clock.settle()
    expect(receiver.frames.length).toBe(10)
    expect(lo.send(packet.load(pattern(100, 1)))).toBe(Drop.None)
  })

  it('carries the trace number, and the checksum state only with checksumOffload', () => {
    for (const checksumOffload of [false, true]) {
      const { clock, lo, receiver, packet } = setUp({ checksumOffload })
      packet.load(pattern(28, 1))
      packet.trace = 4_000_000_000
      packet.checksumState = ChecksumState.Partial
      lo.send(packet)
      lo.send(packet.load(pattern(28, 1)))
      clock.settle()
      expect(receiver.traces).toEqual([4_000_000_000, 0])
      expect(receiver.states).toEqual([
        checksumOffload ? ChecksumState.Partial : ChecksumState.None,
        ChecksumState.None,
      ])
    }
  })

  it('carries the nic of a packet that was on its way through the stack', () => {
    const { clock, lo, receiver, packet } = setUp()
    const nics: number[] = []
    receiver.onInput = (lent) => nics.push(lent.nic)
    packet.load(pattern(28, 1))
    packet.nic = 40_000
    lo.send(packet)
    lo.send(packet.load(pattern(28, 1)))
    clock.settle()
    expect(nics).toEqual([40_000, 0])
  })

  it('goes on after a receiver that throws, and still says idle', () => {
    const { clock, lo, receiver, packet } = setUp()
    receiver.onInput = () => {
      receiver.onInput = null
      throw new Error('a bug of the program')
    }
    for (let seed = 0; seed < 3; seed++) lo.send(packet.load(pattern(28, seed)))
    expect(() => clock.step()).toThrow('a bug of the program')
    expect(receiver.calls).toBe('i.')
    clock.settle()
    expect(receiver.calls).toBe('i.ii.')
    expect(receiver.frames.map((bytes) => bytes[0])).toEqual([0, 1, 2])
  })
})
