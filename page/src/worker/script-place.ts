/**
 * Where a syntax error in a script is: a browser tells that of a script that is loaded alone, so one
 * is, in a worker of its own. It has to be a script that does nothing.
 */
import type { Place } from './syntax-fault.ts'

/** Milliseconds for the worker to tell. */
const WAIT = 2000

export function placeOf(script: string): Promise<Place | null> {
  const url = URL.createObjectURL(new Blob([script], { type: 'text/javascript' }))
  return new Promise<Place | null>((resolve) => {
    const worker = new Worker(url)
    const end = (place: Place | null) => {
      clearTimeout(timer)
      worker.terminate()
      resolve(place)
    }
    const timer = setTimeout(() => end(null), WAIT)
    worker.addEventListener('error', (event) => {
      event.preventDefault()
      end({ line: event.lineno, column: event.colno })
    })
  }).finally(() => URL.revokeObjectURL(url))
}
