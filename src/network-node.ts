/**
 * `tungram/network` in Node: hosts have their `dgram`, and installed timers are those of Node's
 * modules too.
 *
 * @module tungram/network
 */
import './socket-api/dgram/dgram.ts'
import './socket-api/hosts/run.ts'
import './network-node/only.ts'
import { AsyncResource } from 'node:async_hooks'
import { syncBuiltinESMExports } from 'node:module'
import nodeTimers, * as timersNames from 'node:timers'
import nodePromises, * as promisesNames from 'node:timers/promises'
import { platformChance } from './network/time/chance.ts'
import { platformContext, platformTimers, replace, type VirtualTimers } from './network/time/timers.ts'
import { platformWork } from './network/time/virtual-time.ts'
import { replaceCryptoChance } from './network-node/chance.ts'
import { currentHost } from './socket-api/hosts/context.ts'
import { machineWork, watchMachineWork } from './socket-api/hosts/machine-work.ts'

export * from './network/index.ts'

interface WaitOptions {
  signal?: AbortSignal
}

type Names = Record<string, unknown>

// Not AsyncResource.bind, which takes 20 µs to make a property that warns (Node 20).
platformContext.bind = (callback) => {
  const resource = new AsyncResource('TUNGRAMCALLBACK')
  return () => resource.runInAsyncScope(callback)
}
platformContext.hostName = () => currentHost()?.name ?? ''
platformWork.pending = machineWork
platformChance.push(replaceCryptoChance)
platformTimers.push(() => [watchMachineWork()])

/**
 * What undoes the replacing of `node:timers` and `node:timers/promises`, also for those who have
 * imported names from them before.
 */
platformTimers.push((timers, installed) => {
  const modules = [
    { module: nodeTimers as unknown as Names, names: { ...timersNames } as Names, replaced: Object.keys(timers) },
    {
      module: nodePromises as unknown as Names,
      names: { ...promisesNames } as Names,
      replaced: ['setTimeout', 'setImmediate', 'setInterval'],
    },
  ]
  const restores = Object.entries(timers).map(([name, timer]) => replace(nodeTimers as unknown as Names, name, timer))
  const { scheduler } = nodePromises
  const wait = (delay?: number, value?: unknown, options?: WaitOptions) =>
    promised(timers, 'Timeout', value, options, delay)
  const immediate = (value?: unknown, options?: WaitOptions) => promised(timers, 'Immediate', value, options)
  for (const [target, name, timer] of [
    [nodePromises, 'setTimeout', wait],
    [nodePromises, 'setImmediate', immediate],
    [
      nodePromises,
      'setInterval',
      (delay?: number, value?: unknown, options?: WaitOptions) => beats(timers, delay, value, options),
    ],
    [scheduler, 'wait', (delay: number, options?: WaitOptions) => wait(delay, undefined, options)],
    [scheduler, 'yield', () => immediate()],
  ] as const) {
    const object = target as unknown as Record<string, (...args: unknown[]) => unknown>
    const former = object[name] as (...args: unknown[]) => unknown
    const follows = timer as (...args: unknown[]) => unknown
    restores.push(replace(object, name, (...args: unknown[]) => (installed() ? follows : former.bind(target))(...args)))
  }
  syncBuiltinESMExports()
  return [
    ...restores,
    () => {
      // Importers get what they had before, which is not what the module has when other fake timers
      // are in it.
      const undo = modules.flatMap(({ module, names, replaced }) =>
        replaced.map((name) => replace(module, name, names[name])),
      )
      syncBuiltinESMExports()
      for (const each of undo) each()
    },
  ]
})

function promised(
  timers: VirtualTimers,
  kind: 'Timeout' | 'Immediate',
  value: unknown,
  { signal }: WaitOptions = {},
  delay?: number,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(abortError(signal))
    const fire = () => {
      signal?.removeEventListener('abort', abort)
      resolve(value)
    }
    const timer = timers[`set${kind}`]?.(fire, delay)
    const abort = () => {
      timers[`clear${kind}`]?.(timer)
      reject(abortError(signal as AbortSignal))
    }
    signal?.addEventListener('abort', abort, { once: true })
  })
}

/** A beat that comes while nobody waits is given later. */
async function* beats(timers: VirtualTimers, delay: number | undefined, value: unknown, { signal }: WaitOptions = {}) {
  if (signal?.aborted) throw abortError(signal)
  let due = 0
  let wake = () => {}
  const timer = timers.setInterval?.(() => {
    due++
    wake()
  }, delay)
  const abort = () => wake()
  signal?.addEventListener('abort', abort, { once: true })
  try {
    while (!signal?.aborted) {
      if (due === 0)
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      for (; due > 0; due--) yield value
    }
    throw abortError(signal)
  } finally {
    timers.clearInterval?.(timer)
    signal?.removeEventListener('abort', abort)
  }
}

/** As Node's own. */
function abortError(signal: AbortSignal): Error {
  const error = new Error('The operation was aborted', { cause: signal.reason })
  return Object.assign(error, { name: 'AbortError', code: 'ABORT_ERR' })
}
