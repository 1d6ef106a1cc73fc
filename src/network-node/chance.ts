/** The chance of `node:crypto`, from a network's seed. */
import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import { type ProgramChance, uuidText } from '../network/time/chance.ts'
import { disguised, type Restore, replaceValue } from '../socket-api/hosts/replace.ts'

type Drawing = (...args: unknown[]) => unknown

/** Further names of Node's for randomBytes, of old. */
const SAME = ['pseudoRandomBytes', 'prng', 'rng']

/** @returns what gives Node's own chance back */
export function replaceCryptoChance(chance: ProgramChance, installed: () => boolean): Restore[] {
  const module = crypto as unknown as Record<string, unknown>
  const former = { ...module } as Record<string, Drawing | undefined>
  const put = (name: string, own: Drawing, original = former[name]) => {
    if (typeof original !== 'function') return []
    const either: Drawing = (...args) => (installed() ? own : original)(...args)
    return [replaceValue(module, name, disguised(either, original))]
  }
  const own = drawing(former as Record<string, Drawing>, chance)
  const restores = Object.entries(own).flatMap(([name, draw]) => put(name, draw))
  for (const name of SAME)
    if (name in module) restores.push(...put(name, own.randomBytes as Drawing, former.randomBytes))
  syncBuiltinESMExports()
  return [...restores, syncBuiltinESMExports]
}

/**
 * Functions that draw, by their names. The former one is called first, without a callback: it
 * refuses what it would have refused, in its words. Callbacks get what was drawn at the call.
 */
function drawing(former: Record<string, Drawing>, chance: ProgramChance): Record<string, Drawing> {
  const call = (name: string, args: readonly unknown[]) => former[name]?.(...args)
  const filled = (bytes: Uint8Array) => {
    chance.fill(bytes)
    return bytes
  }
  const fillSync: Drawing = (...args) => {
    const [target, offset = 0, size] = args as [ArrayBufferView, number?, number?]
    call('randomFillSync', args)
    filled(region(target, offset, size))
    return target
  }
  return {
    randomBytes: withCallback((...args) => filled(call('randomBytes', args) as Uint8Array)),
    randomInt: withCallback((...args) => {
      const [first, second] = args as [number, number?]
      call('randomInt', args)
      return second === undefined ? chance.below(first) : first + chance.below(second - first)
    }),
    randomUUID: (...args) => {
      call('randomUUID', args)
      return chance.uuid()
    },
    // The first 48 bits are the time in milliseconds (RFC 9562 section 5.7).
    randomUUIDv7: (...args) => {
      call('randomUUIDv7', args)
      const bytes = filled(new Uint8Array(16))
      const time = Date.now()
      for (let i = 0; i < 6; i++) bytes[i] = Math.floor(time / 2 ** (8 * (5 - i))) & 0xff
      return uuidText(bytes, 7)
    },
    randomFillSync: fillSync,
    // Without a callback it is refused.
    randomFill: (...args) =>
      (typeof args.at(-1) === 'function' ? withCallback(fillSync) : former.randomFill)?.(...args),
  }
}

function withCallback(draw: Drawing): Drawing {
  return (...args) => {
    const done = args.at(-1)
    if (typeof done !== 'function') return draw(...args)
    const result = draw(...args.slice(0, -1))
    process.nextTick(done as Drawing, null, result)
    return undefined
  }
}

/** The bytes that randomFill fills; offset and size count elements. */
function region(target: ArrayBufferView | ArrayBuffer, offset: number, size: number | undefined): Uint8Array {
  const width = (target as Uint8Array).BYTES_PER_ELEMENT ?? 1
  const whole = ArrayBuffer.isView(target)
    ? new Uint8Array(target.buffer, target.byteOffset, target.byteLength)
    : new Uint8Array(target)
  return whole.subarray(offset * width, size === undefined ? undefined : (offset + size) * width)
}
