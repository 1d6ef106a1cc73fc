/**
 * The platform's chance, from a network's seed: `Math.random`, `crypto.getRandomValues`,
 * `crypto.randomUUID`, and what the platform has besides. As with the timers, what was there before
 * is put back, unless somebody else has put something on top.
 */
import type { Random } from '../../base/random.ts'
import { platformContext, replace } from './timers.ts'

/**
 * What programs draw. Each host has a generator of its own, and so has code that runs on none: what
 * one draws does not shift what another does.
 */
export class ProgramChance {
  readonly #fork: (host: string) => Random
  readonly #byHost = new Map<string, Random>()

  /** `fork` makes the generator of a host, and that of no host for ''. */
  constructor(fork: (host: string) => Random) {
    this.#fork = fork
  }

  /** From 0 to below 1, with 53 bits, as `Math.random` gives. */
  float(): number {
    const random = this.#random()
    return ((random.uint32() >>> 5) * 0x400_0000 + (random.uint32() >>> 6)) / 0x20_0000_0000_0000
  }

  /** An integer from 0 to `limit` - 1, without bias; `limit` is at most 2^48. */
  below(limit: number): number {
    const random = this.#random()
    if (limit <= 0x1_0000_0000) return random.below(limit)
    const end = 0x1_0000_0000_0000 - (0x1_0000_0000_0000 % limit)
    for (;;) {
      const drawn = random.uint32() * 0x1_0000 + (random.uint32() >>> 16)
      if (drawn < end) return drawn % limit
    }
  }

  /** One draw for each four bytes. */
  fill(bytes: Uint8Array): void {
    const random = this.#random()
    for (let at = 0; at < bytes.length; at += 4) {
      const word = random.uint32()
      for (let i = 0; i < 4 && at + i < bytes.length; i++) bytes[at + i] = (word >>> (8 * i)) & 0xff
    }
  }

  /** A UUID of version 4 (RFC 9562 section 5.4). */
  uuid(): string {
    const bytes = new Uint8Array(16)
    this.fill(bytes)
    return uuidText(bytes, 4)
  }

  #random(): Random {
    const host = platformContext.hostName()
    let random = this.#byHost.get(host)
    if (random === undefined) {
      random = this.#fork(host)
      this.#byHost.set(host, random)
    }
    return random
  }
}

/** 16 bytes as a UUID, with version and variant in their places (RFC 9562 section 4). */
export function uuidText(bytes: Uint8Array, version: number): string {
  const own = Uint8Array.from(bytes)
  own[6] = ((own[6] as number) & 0x0f) | (version << 4)
  own[8] = ((own[8] as number) & 0x3f) | 0x80
  const hex = Array.from(own, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

/** What a platform has besides the globals; `network-node.ts` names `node:crypto`. */
export const platformChance: ((chance: ProgramChance, installed: () => boolean) => (() => void)[])[] = []

/** Puts `chance` behind the globals. @returns what undoes it; harmless when called twice */
export function installChance(chance: ProgramChance): () => void {
  let installed = true
  const isInstalled = () => installed
  const formerRandom = Math.random
  const restores = [
    replace(Math as unknown as Record<string, unknown>, 'random', () => (installed ? chance.float() : formerRandom())),
  ]
  // On the prototype: who holds the object draws from the seed, too.
  if (typeof globalThis.crypto?.getRandomValues === 'function')
    restores.push(...replaceCrypto(Object.getPrototypeOf(globalThis.crypto), chance, isInstalled))
  for (const each of platformChance) restores.push(...each(chance, isInstalled))
  return () => {
    if (!installed) return
    installed = false
    for (const restore of restores) restore()
  }
}

type CryptoMethod = (this: unknown, ...args: unknown[]) => unknown

/** The former methods are called first: what they refuse is refused, in their words. */
function replaceCrypto(
  prototype: Record<string, unknown>,
  chance: ProgramChance,
  installed: () => boolean,
): (() => void)[] {
  const { getRandomValues, randomUUID } = prototype as Record<string, CryptoMethod>
  const restores: (() => void)[] = []
  const put = (name: string, former: CryptoMethod | undefined, own: (result: unknown) => unknown) => {
    // An object whose methods are its own: another library's, in the place of the platform's.
    if (typeof former !== 'function') return
    const value = {
      [name](this: unknown, ...args: unknown[]) {
        const result = former.apply(this, args)
        return installed() ? own(result) : result
      },
    }[name]
    restores.push(replace(prototype, name, value))
  }
  put('getRandomValues', getRandomValues, (result) => {
    const { buffer, byteOffset, byteLength } = result as ArrayBufferView
    chance.fill(new Uint8Array(buffer, byteOffset, byteLength))
    return result
  })
  put('randomUUID', randomUUID, () => chance.uuid())
  return restores
}
