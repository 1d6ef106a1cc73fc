/** Node's EventEmitter where there is no Node: that of the package `events`, and what it lacks. */
import { EventEmitter as Base } from 'events'

type Emitter = Base
type Listen = (event: string | symbol, ...args: unknown[]) => boolean

const errorMonitor: unique symbol = Symbol('events.errorMonitor')
const emitBase = Base.prototype.emit as Listen

/** A function and no class: older programs inherit by calling it. */
function make(this: Emitter): void {
  ;(Base as unknown as (this: Emitter) => void).call(this)
}
Object.setPrototypeOf(make, Base)
make.errorMonitor = errorMonitor
make.prototype = Object.create(Base.prototype, {
  constructor: { value: make, writable: true, configurable: true },
  emit: {
    /** Whoever watches errors is told first, and handles none. */
    value: function emit(this: Emitter, event: string | symbol, ...args: unknown[]): boolean {
      if (event === 'error' && this.listenerCount(errorMonitor) > 0) emitBase.call(this, errorMonitor, ...args)
      return emitBase.call(this, event, ...args)
    },
    writable: true,
    configurable: true,
  },
})
Object.defineProperty(make, 'name', { value: 'EventEmitter' })

export const EventEmitter = make as unknown as typeof Base
