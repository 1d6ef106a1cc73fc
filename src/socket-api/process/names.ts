/**
 * Makes `dns.lookup` know the names of a stack's hosts. Imported before the sockets are: they take
 * the lookup that they find then for Node's own, which need not be asked for literal addresses.
 */
import dns, { type LookupAddress, type LookupOptions } from 'node:dns'
import { isIP } from 'node:net'
import { promisify } from 'node:util'
import { hostNotFound } from '../dgram/errors.ts'

type Callback = (error: Error | null, address?: string | LookupAddress[], family?: number) => void

let hosts: ReadonlyMap<string, readonly string[]> = new Map()

/** From now on answers these names with their addresses. Node's own lookup answers all others. */
export function answerNames(map: ReadonlyMap<string, readonly string[]>): void {
  hosts = map
}

const { lookup } = dns
const lookupPromise = dns.promises.lookup

function ownLookup(name: string, ...rest: unknown[]): unknown {
  const options = rest.length > 1 ? rest[0] : undefined
  const callback = rest.at(-1) as Callback
  if (!hosts.has(name) || typeof callback !== 'function')
    return (lookup as (...args: unknown[]) => unknown)(name, ...rest)
  const { found, all } = find(name, options)
  if (found.length === 0) process.nextTick(callback, hostNotFound(name))
  else if (all) process.nextTick(callback, null, found)
  else process.nextTick(callback, null, found[0]?.address, found[0]?.family)
  return {}
}

async function ownLookupPromise(name: string, options?: unknown): Promise<unknown> {
  if (!hosts.has(name)) return lookupPromise(name, options as LookupOptions)
  const { found, all } = find(name, options)
  if (found.length === 0) throw hostNotFound(name)
  return all ? found : found[0]
}

function find(name: string, options: unknown): { found: LookupAddress[]; all: boolean } {
  const { family = 0, all = false } =
    typeof options === 'object' && options !== null ? (options as LookupOptions) : { family: options as number }
  const wanted = family === 'IPv4' ? 4 : family === 'IPv6' ? 6 : family
  const addresses = hosts.get(name) ?? []
  const found = addresses
    .map((address) => ({ address, family: isIP(address) }))
    .filter((each) => !wanted || each.family === wanted)
  return { found, all }
}

Object.defineProperty(ownLookup, 'name', { value: 'lookup' })
Object.defineProperty(ownLookup, promisify.custom, { value: ownLookupPromise })
Object.assign(dns, { lookup: ownLookup })
Object.assign(dns.promises, { lookup: ownLookupPromise })
