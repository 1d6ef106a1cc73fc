/**
 * `stack.run`: a program, or a part of one, as a host. Importing this module gives it to every
 * stack.
 */
import dgram from 'node:dgram'
import { Stack } from '../../stack.ts'
import { UdpSocket } from '../dgram/socket.ts'
import { callAs } from './context.ts'
import { installFor, uninstallFor } from './install.ts'

declare module '../../stack.ts' {
  interface Stack {
    /**
     * Calls a function as this host, and gives what it returns. Code that runs as a host has
     * `node:dgram` sockets on it, `node:dns` knows the names that it knows, and
     * `os.networkInterfaces()` and `os.hostname()` tell of it; so does all code that it starts,
     * through promises, timers and events. Listeners of a host's sockets run as that host.
     *
     * The first call puts what it needs into Node's modules; it is taken out again when the stack,
     * or its network, closes.
     * @throws {Error} when the stack is closed, and under `tungram/register`, where `node:dgram` is
     * that of one stack for the whole process
     */
    run<Result>(program: () => Result): Result
  }
}

Object.defineProperty(Stack.prototype, 'run', {
  value: function run<Result>(this: Stack, program: () => Result): Result {
    useHosts(this)
    return callAs(this, program)
  },
  writable: true,
  configurable: true,
  enumerable: false,
})

const using = new WeakSet<Stack>()

function useHosts(stack: Stack): void {
  if (stack.closed) throw new Error(`The host ${stack.name} is closed: run programs on it before its network closes.`)
  if (using.has(stack)) return
  if (dgram.Socket.prototype instanceof UdpSocket)
    throw new Error(
      `No program can run as ${stack.name} here: the process was started under tungram/register, and is one host ` +
        'already. Start it without (node app.js).',
    )
  using.add(stack)
  installFor(stack)
  stack.atClose(() => uninstallFor(stack))
}
