import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type BenchSocket, type BenchTask, Exchange } from '../../src/cli/bench-exchange.ts'
import { describeOnTun } from '../tun/namespace.ts'
import { compile, start } from './program.ts'

const TASK: BenchTask = { size: 32, window: 4, rate: undefined, duration: 60, oneWay: false }

/** The other end, which does with a datagram what it is told to. */
class Wire implements BenchSocket {
  #listener: (message: Uint8Array) => void = () => {}
  #sent = 0
  onTheWay = 0
  most = 0
  readonly #answers: (number: number) => number

  /** `answers`: how many of the datagram with this number. */
  constructor(answers: (number: number) => number = () => 1) {
    this.#answers = answers
  }

  on(_event: 'message', listener: (message: Uint8Array) => void): void {
    this.#listener = listener
  }

  send(message: Uint8Array, callback: (error?: Error | null) => void): void {
    const number = this.#sent++
    this.most = Math.max(this.most, ++this.onTheWay)
    setImmediate(() => {
      this.onTheWay--
      callback(null)
      for (let i = this.#answers(number); i > 0; i--) this.#listener(message)
    })
  }
}

describe('an exchange', () => {
  test('keeps as many datagrams on their way as its window, and counts what comes back', async () => {
    const wire = new Wire()
    const exchange = new Exchange(wire, TASK)
    await exchange.meet(1000)
    wire.most = 0
    const { sent, received, lost, rate, p50, p99, cpu } = await exchange.measure()
    expect(wire.most).toBe(4)
    expect(received).toBeGreaterThan(10)
    expect([sent - received, lost]).toEqual([0, 0])
    expect(rate).toBeGreaterThan(received / 2)
    expect(p50).toBeGreaterThan(0)
    expect(p99).toBeGreaterThanOrEqual(p50 as number)
    expect(cpu).toBeGreaterThan(0)
  })

  test('goes on after losses, and says how many there were', async () => {
    // Of the first that count, five are lost: more than the window.
    const wire = new Wire((number) => (number > 10 && number <= 15 ? 0 : 1))
    const { sent, received, lost } = await new Exchange(wire, { ...TASK, duration: 400 }).measure()
    expect(lost).toBe(5)
    expect(sent).toBe(received + 5)
    expect(received).toBeGreaterThan(50)
  })

  test('sends at a rate, whether or not anything comes back', async () => {
    const { sent, received, lost, p50 } = await new Exchange(new Wire(() => 0), {
      ...TASK,
      rate: 1000,
      duration: 100,
    }).measure()
    expect(sent).toBeGreaterThan(50)
    expect(sent).toBeLessThanOrEqual(100)
    expect([received, lost, p50]).toEqual([0, sent, null])
  })

  test('one way counts what was sent', async () => {
    const { sent, received, lost, rate } = await new Exchange(new Wire(() => 0), { ...TASK, oneWay: true }).measure()
    expect(sent).toBeGreaterThan(64)
    expect([received, lost]).toEqual([0, 0])
    expect(rate).toBeGreaterThan(0)
  })

  test('counts no answer to an earlier run', async () => {
    const wire = new Wire()
    const exchange = new Exchange(wire, { ...TASK, duration: 20 })
    const seen: Uint8Array[] = []
    const { send } = wire
    wire.send = (message, callback) => {
      seen.push(message)
      send.call(wire, message, callback)
    }
    await exchange.measure()
    const again = exchange.measure()
    // The answer of the wire to a datagram of the first run.
    send.call(wire, seen[0] as Uint8Array, () => {})
    const { sent, received } = await again
    expect(received).toBe(sent)
  })

  test('says that nobody answers, and what a send has failed with', async () => {
    await expect(new Exchange(new Wire(() => 0), TASK).meet(50)).rejects.toThrow('nothing comes back')
    const broken: BenchSocket = { on() {}, send: (_message, callback) => callback(new Error('send EMSGSIZE')) }
    await expect(new Exchange(broken, TASK).measure()).rejects.toThrow('send EMSGSIZE')
  })
})

describe('tungram bench', () => {
  let program: ReturnType<typeof compile>
  beforeAll(() => {
    program = compile()
  }, 60_000)
  afterAll(() => program.remove())
  const run = (...args: string[]) => start(program.cli, ['bench', '--duration', '30ms', ...args]).end()

  test('shows memory and kernel side by side, answering itself', async () => {
    const [text, json] = await Promise.all([run('--rounds', '1'), run('--rounds', '2', '--json', '--size', '200')])
    expect(text).toMatchObject({ code: 0, stderr: 'measuring memory, kernel: 1 round of 30 ms each\n' })
    const [head, ...rows] = text.stdout.trimEnd().split('\n')
    expect(head).toMatch(/^lane +answered +payload +p50 +p99 +CPU each +lost$/)
    expect(rows.map((row) => row.split(' ')[0])).toEqual(['memory', 'kernel'])
    const { lanes, ...rest } = JSON.parse(json.stdout)
    expect(rest).toEqual({ size: 200, window: 64, rate: null, duration: 30, to: null, rounds: 2 })
    for (const { lane, rate, p50, samples, received } of lanes) {
      expect({ lane, rounds: samples.length }).toEqual({ lane, rounds: 2 })
      expect(received).toBe(samples[0].received + samples[1].received)
      expect(rate).toBeGreaterThan(0)
      expect(p50).toBeGreaterThan(0)
    }
  }, 30_000)

  test("measures a program's own echo, and one that says nothing", async () => {
    const echo = createSocket('udp4')
    echo.on('message', (message, { port, address }) => echo.send(message, port, address))
    const silent = createSocket('udp4')
    try {
      for (const socket of [echo, silent]) {
        socket.bind(0, '127.0.0.1')
        await once(socket, 'listening')
      }
      const to = (socket: typeof echo) => `127.0.0.1:${socket.address().port}`
      const [own, oneWay, nobody] = await Promise.all([
        run('--to', to(echo), '--rounds', '1', '--json'),
        run('--to', to(silent), '--one-way', '--rounds', '1', '--json'),
        run('--to', to(silent), '--rounds', '1'),
      ])
      const closed = await run('--to', '127.0.0.1:1', '--one-way', '--rounds', '1')
      expect(closed.code).toBe(1)
      expect(closed.stderr).toContain('127.0.0.1:1 answers that the port is closed')
      expect(JSON.parse(own.stdout)).toMatchObject({ to: to(echo), lanes: [{ lane: 'kernel', lost: 0 }] })
      expect(JSON.parse(oneWay.stdout)).toMatchObject({ lanes: [{ lane: 'kernel', received: 0, p50: null }] })
      expect(nobody).toMatchObject({ code: 1, stdout: '' })
      expect(nobody.stderr).toContain(`nothing comes back from ${to(silent)} over kernel within 5 s`)
    } finally {
      echo.close()
      silent.close()
    }
  }, 30_000)

  test('ends with what it has when it is interrupted', async () => {
    const running = start(program.cli, ['bench', '--duration', '1h', '--rounds', '1'])
    await running.says('measuring memory, kernel: 1 round')
    const { code } = await running.end('SIGINT')
    expect(code).toBe(130)
  }, 30_000)
})

describeOnTun('tungram bench on a device', () => {
  let program: ReturnType<typeof compile>
  beforeAll(() => {
    program = compile()
  }, 60_000)
  afterAll(() => program.remove())

  test('measures it beside memory and the kernel, and leaves nothing', async () => {
    const device = ['--tun', 'bench0', '--address', '10.9.0.2/24', '--peer', '10.9.0.1/24']
    const args = ['bench', ...device, '--duration', '50ms', '--rounds', '1', '--json']
    const { code, stdout } = await start(program.cli, args).end()
    expect(code).toBe(0)
    const { lanes } = JSON.parse(stdout)
    expect(lanes.map(({ lane }: { lane: string }) => lane)).toEqual(['memory', 'kernel', 'tun'])
    for (const { received, lane } of lanes) expect([lane, received > 0]).toEqual([lane, true])
  }, 30_000)
})
