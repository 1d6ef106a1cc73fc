/** What is to happen at named times of a clock that runs by itself: one timer for each time. */
import type { Clock, Timer } from '../../base/clock.ts'

interface Moment {
  readonly timer: Timer
  readonly actions: (() => void)[]
}

export class Moments {
  readonly #clock: Clock
  readonly #byTime = new Map<number, Moment>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Plans an action for the time that is called `time`, which comes after `delay` milliseconds. */
  add(time: number, delay: number, action: () => void): Timer {
    const moment = this.#byTime.get(time) ?? this.#make(time, delay)
    // Each call's own: an action may be planned twice.
    const own = () => action()
    moment.actions.push(own)
    return {
      cancel: () => {
        const index = moment.actions.indexOf(own)
        if (index >= 0) moment.actions.splice(index, 1)
        if (moment.actions.length > 0 || this.#byTime.get(time) !== moment) return
        this.#byTime.delete(time)
        moment.timer.cancel()
      },
    }
  }

  #make(time: number, delay: number): Moment {
    const actions: (() => void)[] = []
    const timer = this.#clock.schedule(delay, () => {
      this.#byTime.delete(time)
      happen(actions)
    })
    const moment = { timer, actions }
    this.#byTime.set(time, moment)
    return moment
  }
}

/** One that throws does not keep the others from happening. */
function happen(actions: (() => void)[]): void {
  try {
    for (let action = actions.shift(); action !== undefined; action = actions.shift()) action()
  } finally {
    if (actions.length > 0) happen(actions)
  }
}
