import { spawnSync } from 'node:child_process'
import timersModule, { setTimeout as timersTimeout } from 'node:timers'
import timersPromises, {
  setInterval as every,
  setImmediate as immediate,
  scheduler,
  setTimeout as sleep,
} from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { Network } from '../../../src/network-node.ts'
import { compile } from '../../cli/program.ts'

let network = new Network()
afterEach(() => {
  network.close()
  vi.useRealTimers()
})

const EPOCH = Date.UTC(2000, 0, 1)

describe('installed timers', () => {
  test('follow the network', async () => {
    network = new Network({ seed: 1 })
    const restore = network.installTimers()
    const seen: [string, number, number][] = []
    const note = (what: string) => seen.push([what, Date.now() - EPOCH, performance.now()])
    setTimeout(note, 1500, 'timeout')
    setImmediate(note, 'immediate')
    let beats = 0
    const interval = setInterval(() => {
      note('interval')
      beats++
      if (beats === 2) clearInterval(interval)
    }, 1000)
    const cancelled = setTimeout(note, 1200, 'cancelled')
    clearTimeout(cancelled)
    clearTimeout(Number(setTimeout(note, 1300, 'cancelled by number')))
    await network.run()
    restore()
    expect(seen).toEqual([
      ['immediate', 0, 0],
      ['interval', 1000, 1000],
      ['timeout', 1500, 1500],
      ['interval', 2000, 2000],
    ])
  })

  test('have the shape of those of Node', async () => {
    network = new Network({ seed: 1 })
    const real = { setTimeout, Date, now: performance.now }
    const restore = network.installTimers()
    const happened: string[] = []
    const timeout = setTimeout(() => happened.push('refreshed'), 100)
    expect(timeout.unref().hasRef()).toBe(false)
    expect(timeout.ref().hasRef()).toBe(true)
    setTimeout(() => timeout.refresh(), 50)
    const sleeper = promisify(setTimeout)(70, 'slept').then((text) => happened.push(`${text} ${Date.now() - EPOCH}`))
    expect(() => setTimeout(null as unknown as () => void, 1)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
    )
    setTimeout(() => happened.push(`odd delays are 1: ${performance.now()}`), Number.NaN)
    await network.run(sleeper)
    await network.run()
    expect(happened).toEqual(['odd delays are 1: 1', 'slept 70', 'refreshed'])
    expect(new Date().toISOString()).toBe('2000-01-01T00:00:00.150Z')
    expect(new Date(5).getTime()).toBe(5)
    expect(new Date()).toBeInstanceOf(real.Date)
    expect(Date()).toContain('2000')
    class Later extends Date {}
    expect(new Later()).toBeInstanceOf(Later)
    expect(new Later().getTime()).toBe(EPOCH + 150)
    restore()
    restore()
    expect([setTimeout, Date, performance.now]).toEqual([real.setTimeout, real.Date, real.now])
  })

  test('let a protocol with retransmissions run unmodified', async () => {
    network = new Network({ seed: 1 })
    const [a, b] = [network.host('a'), network.host('b')]
    network.connect(a, b, { delay: 100, forward: { loss: { pattern: 'xx.' } } })
    network.installTimers()
    const server = b.dgram.createSocket('udp4').bind(7)
    server.on('message', (message, { port, address }) => server.send(message, port, address))
    /** Asks again after 1, 2, 4 s, … */
    const ask = () =>
      new Promise<number>((resolve) => {
        const begun = Date.now()
        const client = a.dgram.createSocket('udp4')
        let timer: NodeJS.Timeout
        const attempt = (wait: number) => {
          client.send('question', 7, 'b')
          timer = setTimeout(attempt, wait, wait * 2)
        }
        client.on('message', () => {
          clearTimeout(timer)
          client.close()
          resolve(Date.now() - begun)
        })
        attempt(1000)
      })
    expect(await network.run(ask())).toBe(3200)
    await network.run()
    expect(network.now).toBe(3200)
  })

  test('are installed once, in virtual time only, and close gives them back', () => {
    const real = setTimeout
    network = new Network({ seed: 1 })
    network.installTimers()
    expect(() => network.installTimers()).toThrow('installed already')
    network.close()
    expect(setTimeout).toBe(real)
    network = new Network({ clock: 'real' })
    expect(() => network.installTimers()).toThrow('installTimers is for virtual time')
  })
})

describe('installed timers of modules', () => {
  test('of node:timers and node:timers/promises follow the network, also under names imported before', async () => {
    network = new Network({ seed: 1 })
    const real = {
      ...timersPromises,
      timeout: timersTimeout,
      wait: scheduler.wait,
      yield: scheduler.yield,
      required: timersModule.setTimeout,
    }
    const restore = network.installTimers()
    const happened: [string, number][] = []
    const note = (what: string) => happened.push([what, network.now])
    timersTimeout(note, 250, 'node:timers')
    const program = async () => {
      note(await sleep(1000, 'slept'))
      await scheduler.wait(500)
      note('waited')
      await scheduler.yield()
      note(await immediate('immediate'))
      let beat = 0
      for await (const value of every(100, 'beat')) {
        note(value)
        if (++beat === 2) break
      }
      return 'done'
    }
    expect(await network.run(program())).toBe('done')
    await network.run()
    expect(happened).toEqual([
      ['node:timers', 250],
      ['slept', 1000],
      ['waited', 1500],
      ['immediate', 1500],
      ['beat', 1600],
      ['beat', 1700],
    ])
    restore()
    const after = {
      ...timersPromises,
      timeout: timersTimeout,
      wait: scheduler.wait,
      yield: scheduler.yield,
      required: timersModule.setTimeout,
    }
    expect(after).toEqual(real)
    expect([sleep, immediate, every]).toEqual([real.setTimeout, real.setImmediate, real.setInterval])
    expect(Object.hasOwn(scheduler, 'wait')).toBe(false)
    const begun = performance.now()
    await sleep(20)
    expect(performance.now() - begun).toBeGreaterThan(15)
  })

  test('end early by a signal, as those of Node', async () => {
    network = new Network({ seed: 1 })
    network.installTimers()
    const controller = new AbortController()
    const { signal } = controller
    setTimeout(() => controller.abort('enough'), 300)
    const told = (error: Error & { code?: string }) => [error.name, error.code, error.message, error.cause]
    const abort = ['AbortError', 'ABORT_ERR', 'The operation was aborted', 'enough']
    const loop = async () => {
      let beats = 0
      try {
        for await (const _ of every(100, null, { signal })) beats++
      } catch (error) {
        return [beats, ...told(error as Error)]
      }
      return []
    }
    const ended = await network.run(Promise.all([sleep(1000, null, { signal }).catch(told), loop()]))
    expect(ended[0]).toEqual(abort)
    expect(ended[1]).toEqual([expect.any(Number), ...abort])
    expect(ended[1]?.[0]).toBeGreaterThan(1)
    expect(network.now).toBe(300)
    expect(await network.run(immediate(1, { signal }).catch(told))).toEqual(abort)
    await network.run()
    expect(network.now).toBe(300)
  })

  test('AbortSignal.timeout counts in the network', async () => {
    network = new Network({ seed: 1 })
    const real = AbortSignal.timeout
    const restore = network.installTimers()
    const signal = AbortSignal.timeout(5000)
    const reason = new Promise<[Error, number]>((resolve) =>
      signal.addEventListener('abort', () => resolve([signal.reason as Error, network.now])),
    )
    const [error, time] = await network.run(reason)
    expect([error.name, error.message, time]).toEqual([
      'TimeoutError',
      'The operation was aborted due to timeout',
      5000,
    ])
    expect(error).toBeInstanceOf(DOMException)
    expect(() => AbortSignal.timeout(-1)).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }))
    const virtual = AbortSignal.timeout
    restore()
    expect(AbortSignal.timeout).toBe(real)
    const later = virtual(20)
    await sleep(60)
    expect(later.aborted).toBe(true)
  })
})

describe("beside vitest's fake timers", () => {
  test('the network runs while they stand still', async () => {
    vi.useFakeTimers()
    network = new Network({ seed: 1 })
    let fake = 0
    setTimeout(() => fake++, 1000)
    const happened: number[] = []
    network.at('5s', () => happened.push(network.now))
    await network.runFor('10s')
    expect([happened, fake]).toEqual([[5000], 0])
    vi.advanceTimersByTime(1000)
    expect(fake).toBe(1)
  })

  for (const order of ['ours last', 'theirs last'] as const)
    test(
      'installed after them, ' +
        `${order === 'ours last' ? 'they are back when ours are gone' : 'and undone after them'}, nothing is ` +
        'left over',
      async () => {
        const real = setTimeout
        vi.useFakeTimers()
        const theirs = setTimeout
        network = new Network({ seed: 1 })
        const restore = network.installTimers()
        let ran = 0
        setTimeout(() => ran++, 1000)
        await network.run()
        expect([ran, network.now]).toEqual([1, 1000])
        if (order === 'ours last') {
          restore()
          expect(setTimeout).toBe(theirs)
          vi.useRealTimers()
        } else {
          vi.useRealTimers()
          restore()
        }
        expect(setTimeout).toBe(real)
      },
    )

  test('installed before them and gone before them, a timer is a real one', async () => {
    const realDate = Date
    network = new Network({ seed: 1 })
    const restore = network.installTimers()
    vi.useFakeTimers()
    restore()
    vi.useRealTimers()
    // What they put back is ours, which has nothing left to say.
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(Math.abs(Date.now() - realDate.now())).toBeLessThan(1000)
    expect(network.now).toBe(0)
  })
})

test("beside node:test's mock timers", () => {
  const { directory, remove } = compile()
  try {
    const file = fileURLToPath(new URL('../timers-node.mjs', import.meta.url))
    const run = spawnSync(process.execPath, ['--test', file], {
      encoding: 'utf8',
      env: { ...process.env, COMPILED: directory },
    })
    expect(run.stdout + run.stderr).toMatch(/pass 4\b/)
    expect(run.status).toBe(0)
  } finally {
    remove()
  }
})
