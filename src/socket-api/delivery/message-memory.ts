/**
 * The memory of received messages: each has its own, as in Node, so that a program may hand it to
 * another thread, keep it or clone it.
 */
import { Buffer } from '#platform'
import type { Packet } from '../../base/packet.ts'

/** What Buffer's own methods make Buffers with. */
const FastBuffer = (Buffer as unknown as { [Symbol.species]: BufferConstructor })[Symbol.species]

interface BufferConstructor {
  new (length: number): Buffer<ArrayBuffer>
  new (memory: ArrayBuffer, at: number, length: number): Buffer<ArrayBuffer>
}

/**
 * V8 keeps typed arrays up to this length on its heap, 0.5 µs cheaper than an ArrayBuffer, which it
 * makes when a program asks for it.
 */
const ON_HEAP = 64

/**
 * The payload of a lent packet in an ArrayBuffer of exactly its length. A slab for many messages
 * would save 0.7 µs for each (Node 20, bench/memory.mjs), but then to transfer one message would
 * take the others away, to clone one would show them, and to keep one would keep them.
 */
export function messageOf(packet: Packet): Buffer<ArrayBuffer> {
  const { start, end } = packet
  const length = end - start
  const message = length <= ON_HEAP ? new FastBuffer(length) : new FastBuffer(new ArrayBuffer(length), 0, length)
  message.set(packet.window(start, end))
  return message
}
