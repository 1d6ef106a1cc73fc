import type { Clock, Timer } from '../../base/clock.ts'
import type { Packet } from '../../base/packet.ts'
import { PacketQueue } from './packet-queue.ts'

/** Where packets go on. */
export interface DelayLineEnd {
  release(packet: Packet): void
  /** After the last packet of each run. */
  batchEnd(): void
}

/**
 * Packets that each have a time at which they go on; those of the same time in the order in which
 * they were added. One timer for all.
 */
export class DelayLine {
  readonly #clock: Clock
  readonly #end: DelayLineEnd
  /** What was added in the order of time, as nearly everything is. */
  readonly #line = new PacketQueue()
  /** What goes on before something that was added earlier: a binary heap, once there is any. */
  #heap: Packet[] | null = null
  #places = 0
  #timer: Timer | null = null
  #timerAt = Number.POSITIVE_INFINITY
  readonly #fire = () => this.#run()

  constructor(clock: Clock, end: DelayLineEnd) {
    this.#clock = clock
    this.#end = end
  }

  get isEmpty(): boolean {
    return this.#first() === null
  }

  /** Keeps `packet` itself until the clock's `time`. */
  add(packet: Packet, time: number): void {
    packet.time = time
    packet.place = this.#places++
    const { last } = this.#line
    if (last === null || time >= last.time) this.#line.push(packet)
    else {
      this.#heap ??= []
      push(this.#heap, packet)
    }
    if (time < this.#timerAt) this.#arm()
  }

  clear(): void {
    this.#heap = null
    this.#line.clear()
    this.#disarm()
  }

  #arm(): void {
    const next = this.#first()
    if (next === null || next.time >= this.#timerAt) return
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
    const limit = this.#places
    try {
      for (;;) {
        const next = this.#first()
        if (next === null || next.time > now || next.place >= limit) break
        if (next === this.#line.first) this.#line.shift()
        else pop(this.#heap as Packet[])
        this.#end.release(next)
      }
    } finally {
      this.#arm()
      this.#end.batchEnd()
    }
  }

  #first(): Packet | null {
    const { first } = this.#line
    const early = this.#heap?.[0]
    if (early === undefined) return first
    return first === null || before(early, first) ? early : first
  }
}

function before(a: Packet, b: Packet): boolean {
  return a.time < b.time || (a.time === b.time && a.place < b.place)
}

function push(heap: Packet[], packet: Packet): void {
  let at = heap.length
  while (at > 0) {
    const up = (at - 1) >> 1
    const parent = heap[up] as Packet
    if (!before(packet, parent)) break
    heap[at] = parent
    at = up
  }
  heap[at] = packet
}

function pop(heap: Packet[]): void {
  const last = heap.pop()
  if (last === undefined || heap.length === 0) return
  let at = 0
  for (;;) {
    let child = at * 2 + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && before(heap[child + 1] as Packet, heap[child] as Packet)) child++
    if (!before(heap[child] as Packet, last)) break
    heap[at] = heap[child] as Packet
    at = child
  }
  heap[at] = last
}
