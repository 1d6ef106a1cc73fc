/**
 * Inside's end of the lifeline (`sandbox.ts`): signals come by it, and its end ends the process, by
 * which the kernel ends all programs.
 */
import { Socket } from 'node:net'

const LIFELINE = 3

/** Calls `stop` with each signal that the process outside got. */
export function holdLifeline(stop: (signal: NodeJS.Signals) => void): void {
  // A terminal sends Ctrl-C to this process too: the one outside decides. SIGTERM can come from
  // this process itself, when nobody reads its output any more.
  process.on('SIGINT', () => {})
  process.on('SIGHUP', () => {})
  process.on('SIGTERM', () => stop('SIGTERM'))
  const socket = new Socket({ fd: LIFELINE, readable: true, writable: false })
  let text = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (text + chunk).split('\n')
    text = lines.pop() as string
    for (const line of lines) stop(line as NodeJS.Signals)
  })
  socket.on('error', () => process.exit(1))
  socket.on('close', () => process.exit(1))
  socket.unref()
}
