import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Drop } from '../../src/base/drop.ts'
import { ChecksumState, Packet } from '../../src/base/packet.ts'
import type { Link, LinkReceiver } from '../../src/link/link.ts'

/** Two ends of one wire, or twice the same loopback: what `a` sends, `b` receives. */
export interface LinkPair {
  a: Link
  b: Link
  /** Returns when everything on its way has arrived. */
  settle(): void | Promise<void>
  /**
   * A frame from `a` to `b` that ends with `payload`. Default: the payload itself behind the
   * Ethernet header that the medium asks for.
   */
  frame?(payload: Uint8Array): Uint8Array
  /** Frees what the links do not. */
  dispose?(): void | Promise<void>
}

/**
 * Keeps what arrives, in the words of a test: the bytes of each frame, and the order of the calls.
 */
export class Recorder implements LinkReceiver {
  readonly frames: Uint8Array[] = []
  readonly casts: number[] = []
  readonly states: number[] = []
  readonly traces: number[] = []
  readonly drops: Drop[] = []
  readonly errors: Error[] = []
  calls = ''
  onInput: ((packet: Packet) => void) | null = null

  input(packet: Packet): void {
    this.calls += 'i'
    this.frames.push(packet.copy())
    this.casts.push(packet.cast)
    this.states.push(packet.checksumState)
    this.traces.push(packet.trace)
    this.onInput?.(packet)
  }

  idle(): void {
    this.calls += '.'
  }

  dropped(drop: Drop, _packet: Packet): void {
    this.drops.push(drop)
  }

  failed(error: Error): void {
    this.errors.push(error)
  }
}

/** `size` bytes that differ with the seed. */
export function pattern(size: number, seed: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, at) => seed + at * 7)
}

/** An Ethernet frame with the local experimental EtherType 0x88b5. */
export function ethernetFrame(
  destination: Uint8Array | readonly number[],
  source: Uint8Array,
  payload: Uint8Array,
): Uint8Array {
  return Uint8Array.from([...destination, ...source, 0x88, 0xb5, ...payload])
}

/**
 * The laws of `src/link/link.ts`, tried on the links that `make` returns; `make` is called for each
 * test.
 */
export function linkContract(name: string, make: () => LinkPair | Promise<LinkPair>): void {
  describe(`${name} keeps the laws of a link`, () => {
    let pair: LinkPair
    let receiver: Recorder
    const packet = new Packet()

    beforeEach(async () => {
      pair = await make()
      receiver = new Recorder()
      pair.b.attach(receiver)
      if (pair.a !== pair.b) pair.a.attach(new Recorder())
    })
    afterEach(async () => {
      pair.a.close()
      pair.b.close()
      await pair.dispose?.()
    })

    function frame(payload: Uint8Array): Uint8Array {
      if (pair.frame !== undefined) return pair.frame(payload)
      const { hardwareAddress } = pair.b
      return hardwareAddress === null
        ? payload
        : ethernetFrame(hardwareAddress, pair.a.hardwareAddress as Uint8Array, payload)
    }
    function send(payload: Uint8Array): Drop {
      return pair.a.send(packet.load(frame(payload)))
    }
    function payloads(size: number): Uint8Array[] {
      return receiver.frames.map((bytes) => bytes.subarray(bytes.length - size))
    }

    it('has a name, an MTU, and a hardware address exactly on Ethernet', () => {
      expect(pair.a.name).not.toBe('')
      expect(pair.a.mtu).toBeGreaterThanOrEqual(68)
      expect(pair.a.hardwareAddress?.length).toBe(pair.a.medium === 'ethernet' ? 6 : undefined)
    })

    it('carries frames of every size, bytes unchanged', async () => {
      const room = pair.a.mtu - (frame(new Uint8Array(1)).length - 1 - (pair.a.medium === 'ethernet' ? 14 : 0))
      for (const size of [1, 2, 19, 64, 255, 256, 257, 300, 1000, room]) {
        receiver.frames.length = 0
        expect(send(pattern(size, size))).toBe(Drop.None)
        pair.a.flush()
        await pair.settle()
        expect(payloads(size)).toEqual([pattern(size, size)])
      }
    })

    it('does not call input before send returns', async () => {
      send(pattern(50, 1))
      expect(receiver.calls).toBe('')
      pair.a.flush()
      await pair.settle()
      expect(payloads(50)).toEqual([pattern(50, 1)])
    })

    it('copies what it is lent: the sender may overwrite the packet at once', async () => {
      send(pattern(64, 3))
      packet.bytes.fill(0xee)
      pair.a.flush()
      await pair.settle()
      expect(payloads(64)).toEqual([pattern(64, 3)])
    })

    it('lets the receiver overwrite the packet and its headroom', async () => {
      receiver.onInput = (lent) => lent.bytes.fill(0xee, Math.max(0, lent.start - 64), lent.end)
      for (let seed = 0; seed < 5; seed++) send(pattern(64, seed))
      pair.a.flush()
      await pair.settle()
      expect(payloads(64)).toEqual([0, 1, 2, 3, 4].map((seed) => pattern(64, seed)))
    })

    it('delivers in the order of sending', async () => {
      for (let seed = 0; seed < 200; seed++) expect(send(pattern(40, seed))).toBe(Drop.None)
      pair.a.flush()
      await pair.settle()
      expect(payloads(40).map((bytes) => bytes[0])).toEqual(Array.from({ length: 200 }, (_, seed) => seed))
    })

    it('ends every run of input by idle', async () => {
      for (let seed = 0; seed < 20; seed++) send(pattern(40, seed))
      pair.a.flush()
      await pair.settle()
      expect(receiver.calls).toMatch(/^\.*(i+\.+)+$/)
    })

    it('delivers a frame that is sent while another is being received, after it', async () => {
      receiver.onInput = () => {
        receiver.onInput = null
        send(pattern(40, 2))
        pair.a.flush()
        expect(receiver.frames.length).toBe(1)
      }
      send(pattern(40, 1))
      pair.a.flush()
      await pair.settle()
      await pair.settle()
      expect(payloads(40)).toEqual([pattern(40, 1), pattern(40, 2)])
    })

    it('refuses a packet longer than the MTU by its name', async () => {
      const longest = pair.a.mtu + (pair.a.medium === 'ethernet' ? 14 : 0)
      const bytes = new Uint8Array(longest + 1)
      bytes.set(frame(pattern(40, 1)))
      expect(pair.a.send(packet.load(bytes))).toBe(Drop.LinkMtuExceeded)
      pair.a.flush()
      await pair.settle()
      expect(receiver.frames).toEqual([])
    })

    it('has one receiver', () => {
      expect(() => pair.b.attach(new Recorder())).toThrow(Error)
    })

    it('is silent after close, and sends nothing', async () => {
      send(pattern(40, 1))
      pair.b.close()
      pair.b.close()
      pair.a.flush()
      await pair.settle()
      expect(receiver.frames).toEqual([])
      pair.a.close()
      expect(send(pattern(40, 1))).toBe(Drop.LinkDown)
      expect(() => pair.a.flush()).not.toThrow()
    })

    it('may be closed by its receiver while it delivers', async () => {
      receiver.onInput = () => pair.b.close()
      for (let seed = 0; seed < 5; seed++) send(pattern(40, seed))
      pair.a.flush()
      await pair.settle()
      expect(payloads(40)).toEqual([pattern(40, 0)])
    })

    it('claims a verified checksum only where it offloads checksums', async () => {
      packet.load(frame(pattern(40, 1)))
      packet.checksumState = ChecksumState.Verified
      pair.a.send(packet)
      pair.a.flush()
      await pair.settle()
      expect(receiver.states).toHaveLength(1)
      const allowed: number[] = pair.b.offload.checksum
        ? [ChecksumState.Verified, ChecksumState.None]
        : [ChecksumState.None]
      expect(allowed).toContain(receiver.states[0])
    })
  })
}
