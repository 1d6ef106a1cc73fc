import { Packet } from '../src/base/packet.ts'
import { SeededRandom } from '../src/base/random.ts'

/**
 * Packets whose buffers are full of ones, and of random bytes: an encoder has to write every byte
 * of its header.
 */
export function dirtyPackets(): Packet[] {
  const ones = new Packet()
  ones.bytes.fill(0xff)
  const noise = new Packet()
  const random = new SeededRandom('dirt')
  for (let at = 0; at < noise.bytes.length; at++) noise.bytes[at] = random.below(256)
  return [ones, noise]
}
