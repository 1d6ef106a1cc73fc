import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import { Drop } from '../../../src/base/drop.ts'
import { Packet } from '../../../src/base/packet.ts'
import { fromTuntap2, type Tuntap2Device } from '../../../src/link/device/tuntap2.ts'
import { linkContract, pattern, Recorder } from '../link-contract.ts'

/** The shape of `tuntap2`'s classes: writes are done one after the other, each in a later turn. */
class FakeDevice extends EventEmitter implements Tuntap2Device {
  readonly name = 'fake0'
  readonly isTap: boolean
  readonly mtu = 1500
  /** Where written frames come out. */
  far: FakeDevice = this
  released = 0
  failure: (Error & { code?: string }) | null = null
  readonly #queue: [Uint8Array, (error?: Error | null) => void][] = []

  constructor(isTap = false) {
    super()
    this.isTap = isTap
  }

  write(chunk: Uint8Array, _encoding: undefined, callback: (error?: Error | null) => void): boolean {
    this.#queue.push([chunk, callback])
    if (this.#queue.length === 1) setImmediate(() => this.work())
    return true
  }

  work(): void {
    const [chunk, callback] = this.#queue.shift() ?? []
    if (chunk === undefined || callback === undefined) return
    if (this.failure === null) this.far.emit('data', Buffer.from(chunk))
    callback(this.failure)
    if (this.#queue.length > 0) setImmediate(() => this.work())
  }

  release(): void {
    this.released++
    setImmediate(() => this.emit('close'))
  }
}

const settle = () => new Promise<void>((resolve) => setTimeout(resolve, 20))
const settleMany = async () => {
  for (let round = 0; round < 5; round++) await settle()
}

for (const isTap of [false, true]) {
  linkContract(`a pair of tuntap2 ${isTap ? 'TAP' : 'TUN'} devices`, () => {
    const near = new FakeDevice(isTap)
    const far = new FakeDevice(isTap)
    near.far = far
    far.far = near
    return { a: fromTuntap2(near), b: fromTuntap2(far), settle: settleMany }
  })
}

test('a device without a queue to spare refuses by name, and takes frames again when some were written', async () => {
  const device = new FakeDevice()
  device.far = new FakeDevice()
  const link = fromTuntap2(device, { queueLength: 2 })
  const packet = new Packet()
  link.attach(new Recorder())
  expect(link.send(packet.load(pattern(40, 1)))).toBe(Drop.None)
  expect(link.send(packet.load(pattern(40, 2)))).toBe(Drop.None)
  expect(link.send(packet.load(pattern(40, 3)))).toBe(Drop.LinkQueueFull)
  await settle()
  expect(link.send(packet.load(pattern(40, 3)))).toBe(Drop.None)
})

test.each([
  ['EIO', Drop.LinkDown],
  ['EINVAL', Drop.LinkRefused],
])('a frame whose write fails with %s is dropped by name', async (code, drop) => {
  const device = new FakeDevice()
  const link = fromTuntap2(device)
  const receiver = new Recorder()
  const lost: Uint8Array[] = []
  link.attach(
    Object.assign(receiver, {
      dropped(reason: Drop, packet: Packet) {
        receiver.drops.push(reason)
        lost.push(packet.copy())
      },
    }),
  )
  device.failure = Object.assign(new Error('write'), { code })
  expect(link.send(new Packet().load(pattern(40, 1)))).toBe(Drop.None)
  await settle()
  expect(receiver.drops).toEqual([drop])
  expect(lost).toEqual([pattern(40, 1)])
})

test('an error of the device is fatal, told once, and nothing is sent any more', async () => {
  const device = new FakeDevice()
  const link = fromTuntap2(device)
  const receiver = new Recorder()
  const fatal: boolean[] = []
  link.attach(
    Object.assign(receiver, {
      failed(error: Error, isFatal: boolean) {
        receiver.errors.push(error)
        fatal.push(isFatal)
      },
    }),
  )
  const error = new Error('gone')
  device.emit('error', error)
  device.emit('error', new Error('again'))
  device.emit('close')
  expect(receiver.errors).toEqual([error])
  expect(fatal).toEqual([true])
  expect(link.send(new Packet().load(pattern(40, 1)))).toBe(Drop.LinkDown)
})

test('close releases the device once, and its late events are not told', async () => {
  const device = new FakeDevice()
  const link = fromTuntap2(device)
  const receiver = new Recorder()
  link.attach(receiver)
  link.close()
  link.close()
  device.emit('data', pattern(40, 1))
  device.emit('error', new Error('late'))
  await settle()
  expect(device.released).toBe(1)
  expect(receiver.calls).toBe('')
  expect(receiver.errors).toEqual([])
})

test('an exception of the receiver does not reach the stream, and surfaces', async () => {
  const device = new FakeDevice()
  const link = fromTuntap2(device)
  const receiver = new Recorder()
  receiver.onInput = () => {
    throw new Error('thrown by the receiver')
  }
  link.attach(receiver)
  const others = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  const surfaced = new Promise<Error>((resolve) => process.once('uncaughtException', resolve))
  expect(() => device.emit('data', pattern(40, 1))).not.toThrow()
  expect((await surfaced).message).toBe('thrown by the receiver')
  for (const listener of others) process.on('uncaughtException', listener)
  expect(receiver.calls).toBe('i.')
})

test('a TAP device has the address asked for, or one of its own', () => {
  expect(fromTuntap2(new FakeDevice(true), { hardwareAddress: '02:00:5e:00:53:01' }).hardwareAddress).toEqual(
    Uint8Array.of(2, 0, 0x5e, 0, 0x53, 1),
  )
  expect((fromTuntap2(new FakeDevice(true)).hardwareAddress?.[0] as number) & 3).toBe(2)
  expect(fromTuntap2(new FakeDevice(false)).hardwareAddress).toBe(null)
  expect(() => fromTuntap2(new FakeDevice(true), { hardwareAddress: 'none' })).toThrow(TypeError)
})
