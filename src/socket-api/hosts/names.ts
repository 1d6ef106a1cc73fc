/**
 * Lookups of names by code of a host, answered from the host's table.
 *
 * Nearly all of `node:dns` (callbacks, promises, `Resolver`, and what a program took out of it
 * before) comes to the same few functions below: Node checks the arguments and makes the errors.
 * They are reached by `process.binding`, which Node has deprecated in its documentation only
 * (DEP0111), for they have no other name. Two functions of `dns.promises` have taken theirs out of
 * there; they are replaced by promises of the ones with callbacks.
 */
import dns, { type LookupAddress } from 'node:dns'
import { readFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import type { Stack } from '../../stack.ts'
import { addressesOf, findAddresses, namesOf, namesOfReverse } from './addresses.ts'
import { currentHost } from './context.ts'
import { isLocalName, refusal } from './guard.ts'
import { disguised, type Restore, replaceValue } from './replace.ts'

/** What Node has made of one call; a promise's has `resolve` and `reject`, another a `callback`. */
interface Request {
  oncomplete: (error: unknown, ...results: unknown[]) => void
  callback?: (error: Error) => void
  reject?: (error: Error) => void
}

type Query = (this: object, request: Request, ...args: unknown[]) => number

interface Cares {
  getaddrinfo: Query
  getnameinfo: Query
  ChannelWrap: { prototype: Record<string, Query> }
  DNS_ORDER_IPV4_FIRST: number
  DNS_ORDER_IPV6_FIRST: number
  AI_ADDRCONFIG: number
  AI_V4MAPPED: number
  AI_ALL: number
}

/** UV_EAI_NONAME, in the same number on every platform. */
const NO_NAME = -3008

/** Seconds for which an answer holds. */
const TTL = 0

/** @returns what gives lookups back; `null` where Node is another runtime */
export function installNames(): Restore | null {
  const cares = binding()
  if (cares === null) return null
  // Node loads it at the first use; it must not take ours.
  const { promises } = dns
  const { prototype } = cares.ChannelWrap
  const restores = [
    replaceValue(cares, 'getaddrinfo', addressLookup(cares)),
    replaceValue(cares, 'getnameinfo', nameLookup(cares)),
    ...Object.getOwnPropertyNames(prototype)
      .filter((name) => /^query[A-Z]|^getHostByAddr$/.test(name))
      .map((name) => replaceValue(prototype, name, query(name, prototype[name] as Query))),
    replaceValue(
      promises,
      'lookup',
      promised(promises.lookup, dns.lookup, (address, family) => ({ address, family })),
    ),
    replaceValue(
      promises,
      'lookupService',
      promised(promises.lookupService, dns.lookupService, (hostname, service) => ({ hostname, service })),
    ),
  ]
  syncBuiltinESMExports()
  return () => {
    for (const restore of restores) restore()
    syncBuiltinESMExports()
  }
}

/** A function of `dns.promises`, by the one with a callback where Node's own is not to be asked. */
function promised(
  original: (...args: never[]) => Promise<unknown>,
  withCallback: unknown,
  result: (...found: unknown[]) => unknown,
): (...args: unknown[]) => Promise<unknown> {
  return disguised((...args: unknown[]) => {
    if (currentHost() === undefined && refusal('') === null) return original(...(args as never[]))
    let done: (error: Error | null, ...found: unknown[]) => void = () => {}
    const promise = new Promise((resolve, reject) => {
      done = (error, ...found) => {
        // All addresses come as a list, which is the result.
        if (error) reject(error)
        else resolve(Array.isArray(found[0]) ? (found[0] as LookupAddress[]) : result(...found))
      }
    })
    ;(withCallback as (...args: unknown[]) => void)(...args, done)
    return promise
  }, original)
}

function binding(): Cares | null {
  const { binding, noDeprecation } = process as unknown as {
    binding?: (name: string) => Cares
    noDeprecation?: boolean
  }
  try {
    process.noDeprecation = true
    const cares = binding?.('cares_wrap')
    return typeof cares?.getaddrinfo === 'function' && typeof cares.ChannelWrap === 'function' ? cares : null
  } catch {
    return null
  } finally {
    if (noDeprecation === undefined) Reflect.deleteProperty(process, 'noDeprecation')
    else process.noDeprecation = noDeprecation
  }
}

function addressLookup(cares: Cares): Query {
  const { getaddrinfo, AI_ADDRCONFIG, AI_V4MAPPED, AI_ALL } = cares
  return function (request, ...args) {
    const [name, family, flags, order] = args as [string, number, number, number]
    const host = currentHost()
    if (host === undefined) {
      const error = isLocalName(name) ? null : refusal(`The lookup of ${name}`)
      return error === null ? getaddrinfo.call(this, request, ...args) : refuse(request, error)
    }
    const found = findAddresses(host, name, family, {
      configured: (flags & AI_ADDRCONFIG) !== 0,
      mapped: (flags & AI_V4MAPPED) !== 0,
      all: (flags & AI_ALL) !== 0,
    })
    if (order === cares.DNS_ORDER_IPV4_FIRST) found.sort((a, b) => Number(a.includes(':')) - Number(b.includes(':')))
    if (order === cares.DNS_ORDER_IPV6_FIRST) found.sort((a, b) => Number(b.includes(':')) - Number(a.includes(':')))
    return found.length === 0 ? complete(request, NO_NAME) : complete(request, null, found)
  }
}

function nameLookup({ getnameinfo }: Cares): Query {
  return function (request, ...args) {
    const [address, port] = args as [string, number]
    const host = currentHost()
    if (host === undefined) {
      const error = refusal(`The lookup of ${address}`)
      return error === null ? getnameinfo.call(this, request, ...args) : refuse(request, error)
    }
    const [name] = namesOf(host, address)
    return name === undefined ? complete(request, NO_NAME) : complete(request, null, name, serviceOf(port))
  }
}

/** What the machine calls a TCP port, as getnameinfo(3); its number where it has no name. */
function serviceOf(port: number): string {
  try {
    const line = new RegExp(`^([\\w.+-]+)\\s+${port}/tcp\\b`, 'm').exec(readFileSync('/etc/services', 'utf8'))
    return line?.[1] ?? `${port}`
  } catch {
    return `${port}`
  }
}

function query(kind: string, original: Query): Query {
  return function (request, ...args) {
    const name = args[0] as string
    const host = currentHost()
    if (host === undefined) {
      const error = refusal(`The DNS query for ${name}`)
      return error === null ? original.call(this, request, ...args) : refuse(request, error)
    }
    const answer = answerTo(host, kind, name)
    if (typeof answer === 'string') return complete(request, answer)
    return complete(request, null, answer, typeof answer[0] === 'string' ? answer.map(() => TTL) : undefined)
  }
}

/** Records as Node gets them from c-ares, or its code of an error. */
function answerTo(host: Stack, kind: string, name: string): unknown[] | 'ENOTFOUND' | 'ENODATA' {
  const reverse = kind === 'getHostByAddr' ? namesOf(host, name) : namesOfReverse(host, name)
  if (kind === 'getHostByAddr') return reverse.length > 0 ? reverse : 'ENOTFOUND'
  const addresses = addressesOf(host, name)
  if (addresses === null && reverse.length === 0) return 'ENOTFOUND'
  const four = (addresses ?? []).filter((each) => !each.includes(':'))
  const six = (addresses ?? []).filter((each) => each.includes(':'))
  const records: Record<string, unknown[]> = {
    queryA: four,
    queryAaaa: six,
    queryPtr: reverse,
    queryAny: [
      ...four.map((address) => ({ type: 'A', address, ttl: TTL })),
      ...six.map((address) => ({ type: 'AAAA', address, ttl: TTL })),
      ...reverse.map((value) => ({ type: 'PTR', value })),
    ],
  }
  const found = records[kind] ?? []
  return found.length > 0 ? found : 'ENODATA'
}

function complete(request: Request, error: unknown, ...results: unknown[]): number {
  process.nextTick(() => request.oncomplete(error, ...results))
  return 0
}

/** The request fails by an error of ours, in the way of its API. */
function refuse(request: Request, error: Error): number {
  process.nextTick(() => (request.reject ?? request.callback)?.(error))
  return 0
}
