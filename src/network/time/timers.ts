/**
 * The platform's timers and clocks, moved by a network's time: setTimeout, setInterval,
 * setImmediate, Date, performance.now, AbortSignal.timeout, and what the platform has besides.
 *
 * Whatever was there before, real or another library's fake, is put back. If something else has
 * been put on top meanwhile, ours stay below it and hand every call on to what was there before
 * them, so that the order of uninstalling does not matter.
 */
import type { Clock, Timer } from '../../base/clock.ts'

type Callback = (...args: unknown[]) => void

/** Node's longest delay, 2^31 - 1; a longer one, and one below 1, counts as 1. */
const LONGEST = 0x7fff_ffff

/** The timers that follow the network, by their names. */
export type VirtualTimers = Readonly<Record<string, (...args: unknown[]) => unknown>>

/**
 * What a platform has besides the globals is replaced by these, each of which gives what undoes it;
 * `network-node.ts` names Node's modules. `installed` tells whether the timers are still to follow
 * the network.
 */
export const platformTimers: ((timers: VirtualTimers, installed: () => boolean) => (() => void)[])[] = []

/**
 * What a platform keeps for a callback until it is called (Node: its async context), so that it is
 * called as if by the program that gave it.
 */
export const platformContext: {
  bind(callback: () => void): () => void
  /** The host that the program runs as; '' for code that runs as none. */
  hostName(): string
} = { bind: (callback) => callback, hostName: () => '' }

/** `util.promisify` looks for this. */
const PROMISIFY = Symbol.for('nodejs.util.promisify.custom')

/** What setTimeout and setInterval return, with the methods of Node's. */
class VirtualTimeout {
  readonly #clock: Clock
  readonly #id: number
  readonly #delay: number
  readonly #repeat: boolean
  readonly #callback: () => void
  readonly #byId: Map<number, VirtualTimeout>
  #timer: Timer | null = null
  #isRef = true

  constructor(
    clock: Clock,
    byId: Map<number, VirtualTimeout>,
    id: number,
    callback: () => void,
    delay: number,
    repeat: boolean,
  ) {
    this.#clock = clock
    this.#byId = byId
    this.#id = id
    this.#callback = callback
    this.#delay = delay
    this.#repeat = repeat
    this.#arm()
  }

  #arm(): void {
    this.#byId.set(this.#id, this)
    this.#timer = this.#clock.schedule(this.#delay, () => {
      this.#timer = null
      if (this.#repeat) this.#arm()
      else this.#byId.delete(this.#id)
      this.#callback()
    })
  }

  ref(): this {
    this.#isRef = true
    return this
  }

  unref(): this {
    this.#isRef = false
    return this
  }

  hasRef(): boolean {
    return this.#isRef
  }

  refresh(): this {
    this.#timer?.cancel()
    this.#arm()
    return this
  }

  close(): this {
    this.#timer?.cancel()
    this.#timer = null
    this.#byId.delete(this.#id)
    return this
  }

  [Symbol.toPrimitive](): number {
    return this.#id
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

/** Puts `clock` behind the globals. @returns what undoes it; harmless when called twice */
export function installTimers(clock: Clock): () => void {
  const globals = globalThis as unknown as Record<string, unknown>
  let installed = true
  const byId = new Map<number, VirtualTimeout>()
  let lastId = 0
  const before = {
    setTimeout: globals.setTimeout,
    clearTimeout: globals.clearTimeout,
    setInterval: globals.setInterval,
    clearInterval: globals.clearInterval,
    setImmediate: globals.setImmediate,
    clearImmediate: globals.clearImmediate,
  } as Record<string, ((...args: unknown[]) => unknown) | undefined>

  const start = (name: string, repeat: boolean, immediate: boolean) => {
    return (callback: unknown, ...rest: unknown[]): unknown => {
      if (!installed) return before[name]?.(callback, ...rest)
      if (typeof callback !== 'function') throw invalidCallback(callback)
      const args = immediate ? rest : rest.slice(1)
      const given = Number(rest[0])
      const delay = immediate ? 0 : given >= 1 && given <= LONGEST ? Math.trunc(given) : 1
      return new VirtualTimeout(
        clock,
        byId,
        ++lastId,
        platformContext.bind(() => (callback as Callback)(...args)),
        delay,
        repeat,
      )
    }
  }
  const stop = (name: string) => {
    return (timer: unknown): void => {
      const own = timer instanceof VirtualTimeout ? timer : byId.get(Number(timer))
      if (own !== undefined && (installed || timer instanceof VirtualTimeout)) own.close()
      // One that was started before.
      else before[name]?.(timer)
    }
  }
  const timers: Record<string, (...args: unknown[]) => unknown> = {
    setTimeout: start('setTimeout', false, false),
    clearTimeout: stop('clearTimeout'),
    setInterval: start('setInterval', true, false),
    clearInterval: stop('clearInterval'),
    ...(before.setImmediate === undefined
      ? {}
      : { setImmediate: start('setImmediate', false, true), clearImmediate: stop('clearImmediate') }),
  }
  for (const [name, delayed] of [
    ['setTimeout', true],
    ['setImmediate', false],
  ] as const) {
    const timer = timers[name]
    if (timer !== undefined)
      Object.defineProperty(timer, PROMISIFY, {
        value: (first: unknown, second: unknown) =>
          new Promise((resolve) => {
            if (delayed) timer(resolve, first, second)
            else timer(resolve, first)
          }),
      })
  }

  // Fake timers of other libraries mark their functions, and look for the marks when they go.
  for (const [name, timer] of Object.entries(timers))
    Object.assign(timer, Object.fromEntries(Object.entries(before[name] ?? {})))
  const restores = Object.entries(timers).map(([name, value]) => replace(globals, name, value))
  restores.push(replaceDate(globals, clock, () => installed))
  restores.push(replacePerformance(clock, () => installed))
  restores.push(replaceAbortTimeout(start('setTimeout', false, false), () => installed))
  for (const each of platformTimers) restores.push(...each(timers, () => installed))
  return () => {
    if (!installed) return
    installed = false
    for (const timeout of [...byId.values()]) timeout.close()
    for (const restore of restores) restore()
  }
}

/** @returns what puts the former value back, unless somebody else has put another one there */
export function replace(target: Record<string, unknown>, name: string, value: unknown): () => void {
  const former = Object.getOwnPropertyDescriptor(target, name)
  Object.defineProperty(target, name, {
    value,
    writable: true,
    configurable: true,
    enumerable: former?.enumerable ?? true,
  })
  return () => {
    if (target[name] !== value) return
    if (former === undefined) delete target[name]
    else Object.defineProperty(target, name, former)
  }
}

function replaceDate(globals: Record<string, unknown>, clock: Clock, installed: () => boolean): () => void {
  const Former = globals.Date as DateConstructor
  const now = () => (installed() ? Math.floor(clock.wallTime()) : Former.now())
  const Virtual: DateConstructor = new Proxy(Former, {
    construct: (target, args, newTarget): Date =>
      Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget === Virtual ? target : newTarget),
    apply: () => new Former(now()).toString(),
    get: (target, key) => (key === 'now' ? now : Reflect.get(target, key)),
  })
  return replace(globals, 'Date', Virtual)
}

function replacePerformance(clock: Clock, installed: () => boolean): () => void {
  const { performance } = globalThis
  const former = performance.now.bind(performance)
  const now = Object.assign(() => (installed() ? clock.now() : former()), performance.now)
  return replace(performance as unknown as Record<string, unknown>, 'now', now)
}

function replaceAbortTimeout(start: (...args: unknown[]) => unknown, installed: () => boolean): () => void {
  const former = AbortSignal.timeout.bind(AbortSignal)
  const timeout = (delay: number): AbortSignal => {
    // What is no delay is the platform's to refuse.
    if (!installed() || !(delay >= 0 && delay <= Number.MAX_SAFE_INTEGER)) return former(delay)
    const controller = new AbortController()
    start(() => controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError')), delay)
    return controller.signal
  }
  return replace(AbortSignal as unknown as Record<string, unknown>, 'timeout', timeout)
}

function invalidCallback(callback: unknown): TypeError {
  const kind = callback === null ? 'null' : typeof callback
  return Object.assign(new TypeError(`The "callback" argument must be of type function. Received ${kind}`), {
    code: 'ERR_INVALID_ARG_TYPE',
  })
}
