import type { Clock, Timer } from '../../base/clock.ts'
import { Fifo } from '../../base/fifo.ts'
import type { Packet } from '../../base/packet.ts'

interface Entry {
  readonly packet: Packet
  readonly time: number
  readonly sequence: number
}

/**
 * Packets that each have a time at which they go on; those of the same time in the order in which
 * they were added. One timer for all.
 */
export class DelayLine {
  readonly #clock: Clock
  readonly #release: (packet: Packet) => void
  readonly #batchEnd: () => void
  /** What was added in the order of time, as nearly everything is: a queue. */
  readonly #line = new Fifo<Entry>()
  /** What goes on before something that was added earlier: a binary heap. */
  readonly #heap: Entry[] = []
  #sequence = 0
  #timer: Timer | null = null
  #timerAt = Number.POSITIVE_INFINITY
  readonly #fire = () => this.#run()

  /** `batchEnd` is called after the last `release` of each run. */
  constructor(clock: Clock, release: (packet: Packet) => void, batchEnd: () => void) {
    this.#clock = clock
    this.#release = release
    this.#batchEnd = batchEnd
  }

  get isEmpty(): boolean {
    return this.#heap.length === 0 && this.#line.length === 0
  }

  /** Keeps `packet` itself until the clock's `time`. */
  add(packet: Packet, time: number): void {
    const entry = { packet, time, sequence: this.#sequence++ }
    const { last } = this.#line
    if (last === undefined || time >= last.time) this.#line.push(entry)
    else this.#push(entry)
    if (time < this.#timerAt) this.#arm()
  }

  clear(): void {
    this.#heap.length = 0
    this.#line.clear()
    this.#disarm()
  }

  #arm(): void {
    const next = this.#first()
    if (next === undefined || next.time >= this.#timerAt) return
    this.#disarm()
    this.#timerAt = next.time
    this.#timer = this.#clock.schedule(Math.max(0, next.time - this.#clock.now()), this.#fire)
  }

  #disarm(): void {
    this.#timer?.cancel()
    this.#timer = null
    this.#timerAt = Number.POSITIVE_INFINITY
  }

  #run(): void {
    this.#timer = null
    this.#timerAt = Number.POSITIVE_INFINITY
    const now = this.#clock.now()
    // What is added meanwhile waits for another run, whatever its time.
    const limit = this.#sequence
    try {
      for (;;) {
        const next = this.#first()
        if (next === undefined || next.time > now || next.sequence >= limit) break
        if (next === this.#line.first) this.#line.shift()
        else this.#pop()
        this.#release(next.packet)
      }
    } finally {
      this.#arm()
      this.#batchEnd()
    }
  }

  #first(): Entry | undefined {
    const inLine = this.#line.first
    const early = this.#heap[0]
    if (inLine === undefined || early === undefined) return inLine ?? early
    return before(early, inLine) ? early : inLine
  }

  #push(entry: Entry): void {
    const heap = this.#heap
    let at = heap.length
    while (at > 0) {
      const up = (at - 1) >> 1
      const parent = heap[up] as Entry
      if (!before(entry, parent)) break
      heap[at] = parent
      at = up
    }
    heap[at] = entry
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let at = 0
    for (;;) {
      let child = at * 2 + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1] as Entry, heap[child] as Entry)) child++
      if (!before(heap[child] as Entry, last)) break
      heap[at] = heap[child] as Entry
      at = child
    }
    heap[at] = last
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.time < b.time || (a.time === b.time && a.sequence < b.sequence)
}
