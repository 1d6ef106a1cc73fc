/**
 * TCP connections that would leave the machine: refused while a network is to be the only one.
 * Whatever connects (`net`, `tls`, `http`, `fetch`) comes to `net.Socket.prototype.connect`.
 */
import net, { type LookupFunction, type TcpNetConnectOpts } from 'node:net'
import { isLocalName, isLoopback, tcpRefusal } from './guard.ts'
import { disguised, type Restore, replaceValue } from './replace.ts'

type Connect = (this: net.Socket, ...args: unknown[]) => net.Socket

/** @returns what lets connections go again */
export function installConnections(): Restore {
  const { prototype } = net.Socket
  const { connect } = prototype as unknown as { connect: Connect }
  const guarded: Connect = function (...args) {
    const options = optionsOf(args)
    if (options === null) return connect.apply(this, args)
    const { host = 'localhost', port, lookup } = options
    const isLiteral = net.isIP(host) !== 0
    if (isLiteral ? isLoopback(host) : isLocalName(host)) return connect.apply(this, args)
    const error = tcpRefusal(`${host} port ${port}`)
    if (error === null) return connect.apply(this, args)
    // The lookup fails, so that Node tells in its own way and time; it looks up no literal address.
    // The program's own lookup may lead to this machine.
    const checked =
      isLiteral || lookup === undefined
        ? { ...options, host: 'refused.invalid', lookup: failing(error) }
        : { ...options, lookup: checking(lookup, error) }
    return connect.apply(this, withOptions(args, checked))
  }
  return replaceValue(prototype, 'connect', disguised(guarded, connect as () => net.Socket))
}

/**
 * The options of a TCP connection in each form of `connect`; `null` for a path, and for nothing.
 */
function optionsOf(args: readonly unknown[]): TcpNetConnectOpts | null {
  // Node's own callers hand over options and callback as one list, which carries a mark.
  const [first, second] = Array.isArray(args[0]) ? (args[0] as unknown[]) : args
  if (typeof first === 'object' && first !== null)
    return (first as { path?: unknown }).path ? null : (first as TcpNetConnectOpts)
  const isPath = typeof first === 'string' && !(Number(first) >= 0)
  if (first === undefined || first === null || isPath) return null
  return { port: Number(first), ...(typeof second === 'string' ? { host: second } : {}) }
}

/** The arguments with other options, in a form that Node takes. */
function withOptions(args: readonly unknown[], options: TcpNetConnectOpts): unknown[] {
  const [first] = args
  if (!Array.isArray(first)) return [options, ...args.slice(1)]
  const marks = Object.fromEntries(Object.getOwnPropertySymbols(first).map((mark) => [mark, (first as never)[mark]]))
  return [Object.assign([options, ...first.slice(1)], marks)]
}

function failing(error: Error): LookupFunction {
  return (_name, _options, callback) => process.nextTick(callback, error, [])
}

/** A lookup that gives addresses of this machine only, and else an error. */
function checking(lookup: LookupFunction, refused: Error): LookupFunction {
  return (name, options, callback) =>
    lookup(name, options, (error, found, family) => {
      const all = Array.isArray(found) ? found.map(({ address }) => address) : [found]
      if (error !== null && error !== undefined) callback(error, found, family)
      else if (all.every(isLoopback)) callback(null, found, family)
      else callback(refused, [])
    })
}
