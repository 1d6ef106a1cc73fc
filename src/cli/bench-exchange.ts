/**
 * Datagrams to a program that sends them back, for a while: how many come back, how long each
 * takes, and what that costs this process. One way, none has to come back.
 */
import { setTimeout as delay } from 'node:timers/promises'

/** A socket that is connected to the other end: node:dgram's, or a stack's. */
export interface BenchSocket {
  send(message: Uint8Array, callback: (error?: Error | null) => void): void
  on(event: 'message', listener: (message: Uint8Array) => void): unknown
}

export interface BenchTask {
  /** Bytes of payload, {@link HEADER} at least. */
  readonly size: number
  /** Datagrams on their way at a time, unless a rate is given. */
  readonly window: number
  /** Datagrams a second; `undefined` for as many as the window allows. */
  readonly rate: number | undefined
  /** Milliseconds. */
  readonly duration: number
  /** Nobody sends anything back. */
  readonly oneWay: boolean
}

/** What one exchange gave; times in microseconds. */
export interface BenchResult {
  readonly sent: number
  readonly received: number
  readonly lost: number
  /** Datagrams a second that came back; one way, that were sent. */
  readonly rate: number
  /** The round trip; `null` one way, or when nothing came back. */
  readonly p50: number | null
  readonly p99: number | null
  /** CPU time of this process for each of these datagrams. */
  readonly cpu: number
}

/** Bytes that each payload begins with: which run, which datagram. */
export const HEADER = 8
/** Milliseconds without an answer after which what is on its way is given up. */
const PATIENCE = 200
/** Datagrams whose time of departure is known. */
const REMEMBERED = 1 << 16
/** Round trips that are kept; then every second of them, every fourth … */
const KEPT = 1 << 17
/** Sends of a turn where nothing comes back. */
const OUTSTANDING = 64

/** Round trips, in milliseconds: all of them, or an even part of very many. */
class RoundTrips {
  readonly #kept = new Float64Array(KEPT)
  #length = 0
  #seen = 0
  /** Every so many one is kept. */
  #stride = 1

  add(trip: number): void {
    if (this.#seen++ % this.#stride !== 0) return
    if (this.#length === KEPT) {
      this.#length = KEPT / 2
      for (let i = 0; i < this.#length; i++) this.#kept[i] = this.#kept[2 * i] as number
      this.#stride *= 2
    }
    this.#kept[this.#length++] = trip
  }

  /** Below which that share of them is; `null` when there are none. */
  percentile(share: number): number | null {
    if (this.#length === 0) return null
    const sorted = this.#kept.slice(0, this.#length).sort()
    return sorted[Math.max(0, Math.ceil(share * this.#length) - 1)] as number
  }
}

export class Exchange {
  readonly #socket: BenchSocket
  readonly #task: BenchTask
  readonly #payload: Buffer
  readonly #left = new Float64Array(REMEMBERED)
  #trips = new RoundTrips()
  /** Which run the datagrams are of: answers to an earlier one count for nothing. */
  #run = 0
  #sent = 0
  #received = 0
  #onTheWay = 0
  #lastAnswer = 0
  #isRunning = false
  #isStopped = false
  #heard: (() => void) | null = null
  #failure: Error | null = null

  constructor(socket: BenchSocket, task: BenchTask) {
    this.#socket = socket
    this.#task = task
    this.#payload = Buffer.alloc(task.size)
    socket.on('message', (message) => this.#answered(message))
  }

  /** Ends what goes on; what was measured until then is the result. */
  stop(): void {
    this.#isStopped = true
  }

  /**
   * Waits until the other end answers.
   * @throws {Error} when it does not within `patience` milliseconds
   */
  async meet(patience: number): Promise<void> {
    if (this.#task.oneWay) return
    const deadline = performance.now() + patience
    let isThere = false
    this.#heard = () => {
      isThere = true
    }
    this.#run++
    while (!isThere && !this.#isStopped) {
      if (performance.now() > deadline) throw new Error('nothing comes back')
      this.#send(() => {})
      await delay(20)
    }
    this.#heard = null
  }

  /**
   * Exchanges datagrams for the task's duration, or for `duration` milliseconds.
   * @throws {Error} of a send that failed
   */
  async measure(duration = this.#task.duration): Promise<BenchResult> {
    this.#run++
    this.#sent = this.#received = this.#onTheWay = 0
    this.#trips = new RoundTrips()
    this.#failure = null
    this.#isRunning = true
    const cpu = process.cpuUsage()
    const begun = performance.now()
    this.#lastAnswer = begun
    const end = begun + duration
    if (this.#task.oneWay && this.#task.rate === undefined) this.#sendOn()
    else if (this.#task.rate === undefined) this.#fill()
    for (let now = begun; now < end && this.#failure === null && !this.#isStopped; now = performance.now()) {
      if (this.#task.rate !== undefined) this.#pace(Math.min(now, end) - begun, this.#task.rate)
      else if (!this.#task.oneWay && now - this.#lastAnswer > PATIENCE) this.#giveUp(now)
      await delay(1)
    }
    const ended = performance.now()
    const { user, system } = process.cpuUsage(cpu)
    this.#isRunning = false
    // What is still on its way may come; it counts for the loss alone.
    const counted = this.#task.oneWay ? this.#sent : this.#received
    if (!this.#task.oneWay) await delay(Math.min(PATIENCE, 20 + 3 * (this.#trips.percentile(1) ?? 0)))
    if (this.#failure !== null) throw this.#failure
    return {
      sent: this.#sent,
      received: this.#received,
      lost: this.#task.oneWay ? 0 : this.#sent - this.#received,
      rate: (counted * 1000) / (ended - begun),
      p50: inMicroseconds(this.#trips.percentile(0.5)),
      p99: inMicroseconds(this.#trips.percentile(0.99)),
      cpu: counted === 0 ? 0 : (user + system) / counted,
    }
  }

  #send(callback: (error?: Error | null) => void): void {
    const number = this.#sent++
    // Node may still read the payload of the one before: each has its own.
    const payload = Buffer.from(this.#payload)
    payload.writeUInt32BE(this.#run, 0)
    payload.writeUInt32BE(number >>> 0, 4)
    this.#left[number % REMEMBERED] = performance.now()
    this.#onTheWay++
    this.#socket.send(payload, callback)
  }

  readonly #note = (error?: Error | null): void => {
    if (error) this.#failure ??= error
  }

  /** A turn's share, and the next when all of it is done. */
  #sendOn(): void {
    let left = OUTSTANDING
    const done = (error?: Error | null): void => {
      this.#note(error)
      // In a later turn: a kernel takes what it is given at once, and the end has to be heard of.
      if (--left === 0 && this.#isRunning && this.#failure === null) setImmediate(() => this.#sendOn())
    }
    for (let i = 0; i < OUTSTANDING && this.#failure === null; i++) this.#send(done)
  }

  #fill(): void {
    while (this.#isRunning && this.#onTheWay < this.#task.window) this.#send(this.#note)
  }

  /** Sends what is due after `elapsed` milliseconds. */
  #pace(elapsed: number, rate: number): void {
    const due = Math.floor((elapsed * rate) / 1000)
    while (this.#sent < due) this.#send(this.#note)
  }

  /** Everything on its way is lost, or very late: the window is free again. */
  #giveUp(now: number): void {
    this.#onTheWay = 0
    this.#lastAnswer = now
    this.#fill()
  }

  #answered(message: Uint8Array): void {
    if (message.length !== this.#task.size) return
    const view = new DataView(message.buffer, message.byteOffset, HEADER)
    if (view.getUint32(0) !== this.#run) return
    this.#heard?.()
    const now = performance.now()
    this.#lastAnswer = now
    this.#received++
    if (this.#onTheWay > 0) this.#onTheWay--
    if (this.#isRunning) this.#trips.add(now - (this.#left[view.getUint32(4) % REMEMBERED] as number))
    if (this.#task.rate === undefined && this.#isRunning) this.#fill()
  }
}

function inMicroseconds(milliseconds: number | null): number | null {
  return milliseconds === null ? null : milliseconds * 1000
}
