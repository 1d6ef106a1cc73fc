/** Node's globals that the cases use; the sockets do without (`src` has none). */
import { Buffer } from 'buffer'
import { EventEmitter } from '../../../src/socket-api/platform/browser-emitter.ts'

class Process extends EventEmitter {
  readonly versions = { node: '24.19.0' }
  readonly nextTick = (call: (...args: unknown[]) => void, ...args: unknown[]) => queueMicrotask(() => call(...args))
}

const process = new Process()
const hear = (event: Event, error: unknown) => {
  if (process.listenerCount('uncaughtException') === 0) return
  event.preventDefault()
  process.emit('uncaughtException', error)
}
type Listen = (type: string, listener: (event: Event & { error?: unknown; reason?: unknown }) => void) => void
const { addEventListener } = globalThis as unknown as { addEventListener: Listen }
addEventListener.call(globalThis, 'error', (event) => hear(event, event.error))
addEventListener.call(globalThis, 'unhandledrejection', (event) => hear(event, event.reason))

Object.assign(globalThis, { process, Buffer })

/** After the sockets were loaded, so that they do not find it. */
export function addImmediate(): void {
  Object.assign(globalThis, {
    setImmediate(call: () => void) {
      const { port1, port2 } = new MessageChannel()
      port1.addEventListener('message', () => {
        port1.close()
        call()
      })
      port1.start()
      port2.postMessage(null)
    },
  })
}
