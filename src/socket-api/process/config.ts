/**
 * `TUNGRAM_CONFIG`: what a program's own stack is like. Read and checked here; `default-stack.ts`
 * builds it.
 */
import { readFileSync } from 'node:fs'
import { Address, parseCidr } from '../../base/address.ts'
import { visible } from '../../base/visible.ts'
import { jsonError } from './json-error.ts'

/** The device, or the hosts in memory, of which this program is one. */
export interface StackConfig {
  readonly tun?: DeviceConfig
  readonly tap?: DeviceConfig
  /** Hosts on one wire in memory, by name. */
  readonly hosts?: Readonly<Record<string, HostConfig>>
  /** Which of them this program is. Default: the first. */
  readonly host?: string
  /** Bytes. Default: the device's, 1500 in memory. */
  readonly mtu?: number
  /** Milliseconds that a packet is on its way, each way. Default 0. */
  readonly delay?: number
  /** Probability with which a packet is lost, each way. Default 0. */
  readonly loss?: number
  /** Makes losses, ports and identifications repeatable. */
  readonly seed?: number | string
  /** A pcapng file to be written. */
  readonly capture?: string
}

export interface DeviceConfig {
  /** Default: the kernel chooses. */
  readonly name?: string
  /** The stack's own, with prefix lengths. */
  readonly address: readonly string[]
  /** The kernel's side. */
  readonly peer: readonly string[]
  /** Next hops of the default routes. */
  readonly gateway: readonly string[]
}

export interface HostConfig {
  readonly address: readonly string[]
  /** Ports on which the host sends datagrams back. */
  readonly echo: readonly number[]
}

/** Without `TUNGRAM_CONFIG`: one host, alone on its wire, with all kinds of addresses. */
export const DEFAULT_CONFIG: StackConfig = {
  hosts: { host: { address: ['10.77.0.1/24', '2001:db8:77::1/64', 'fe80::1/64'], echo: [] } },
}

/**
 * Reads the value of `TUNGRAM_CONFIG`: JSON itself when it begins with a brace, else the path of a
 * file with JSON; unset or empty is the default.
 * @throws {Error} naming the key at fault, the file that cannot be read, or the JSON error
 */
export function readConfig(value: string | undefined): StackConfig {
  if (value === undefined || value.trim() === '') return DEFAULT_CONFIG
  const inline = value.trimStart().startsWith('{')
  const source = inline ? 'TUNGRAM_CONFIG' : `TUNGRAM_CONFIG (${value})`
  try {
    return checkConfig(parse(inline ? value : readFileSync(value, 'utf8')))
  } catch (error) {
    // It may quote the file, and goes to a terminal.
    throw new Error(visible(`${source}: ${(error as Error).message}`), { cause: error })
  }
}

/** @throws {SyntaxError} with line and column, on every Node */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const { line, column } = jsonError(text) ?? { line: 1, column: 1 }
    const message = (error as Error).message.replace(/(?: in JSON)? at position \d+(?: \(line \d+ column \d+\))?$/, '')
    throw new SyntaxError(`${message} (line ${line}, column ${column})`, { cause: error })
  }
}

function checkConfig(value: unknown): StackConfig {
  const top = fields('', value, 'tun tap hosts host mtu delay loss seed capture'.split(' '))
  const places = ['tun', 'tap', 'hosts'].filter((key) => top[key] !== undefined)
  if (places.length > 1) fail(places[1] as string, `cannot be together with ${places[0]}`)
  const { tun, tap, hosts, host, mtu, delay, loss, seed, capture } = top
  const config = {
    ...(tun === undefined ? {} : { tun: device('tun', tun) }),
    ...(tap === undefined ? {} : { tap: device('tap', tap) }),
    ...(hosts === undefined ? {} : { hosts: hostsOf(hosts) }),
    ...(host === undefined ? {} : { host: text('host', host) }),
    ...(mtu === undefined ? {} : { mtu: number('mtu', mtu, 68, 65_535, true) }),
    ...(delay === undefined ? {} : { delay: number('delay', delay, 0, 3_600_000) }),
    ...(loss === undefined ? {} : { loss: number('loss', loss, 0, 1) }),
    ...(seed === undefined ? {} : { seed: typeof seed === 'number' ? seed : text('seed', seed) }),
    ...(capture === undefined ? {} : { capture: text('capture', capture) }),
  }
  if (config.host !== undefined) {
    if (config.hosts === undefined) fail('host', 'needs hosts')
    if (!Object.hasOwn(config.hosts, config.host))
      fail('host', `must be one of ${Object.keys(config.hosts).join(', ')}, not '${config.host}'`)
  }
  return places.length === 0 ? { ...DEFAULT_CONFIG, ...config } : config
}

function device(key: string, value: unknown): DeviceConfig {
  const { name, address, peer, gateway } = fields(key, value, ['name', 'address', 'peer', 'gateway'])
  const own = list(`${key}.address`, address, cidr)
  if (own.length === 0) fail(`${key}.address`, 'is missing: one address at least, such as "10.9.0.2/24"')
  return {
    ...(name === undefined ? {} : { name: text(`${key}.name`, name) }),
    address: own,
    peer: list(`${key}.peer`, peer, cidr),
    gateway: list(`${key}.gateway`, gateway, (at, each) =>
      Address.tryParse(text(at, each)) === null ? fail(at, `is no address: '${each}'`) : (each as string),
    ),
  }
}

function hostsOf(value: unknown): Record<string, HostConfig> {
  const hosts = Object.entries(object('hosts', value)).map(([name, host]): [string, HostConfig] => {
    const key = `hosts.${name}`
    // Addresses alone may stand without the object around them.
    const { address, echo } =
      typeof host === 'string' || Array.isArray(host) ? { address: host } : fields(key, host, ['address', 'echo'])
    const addresses = list(`${key}.address`, address, cidr)
    if (addresses.length === 0) fail(`${key}.address`, 'is missing: one address at least, such as "10.0.0.1/24"')
    return [
      name,
      { address: addresses, echo: list(`${key}.echo`, echo, (at, port) => number(at, port, 1, 65_535, true)) },
    ]
  })
  if (hosts.length === 0) fail('hosts', 'is empty: this program has to be one of them')
  return Object.fromEntries(hosts)
}

// ── one value ──

function fail(key: string, problem: string): never {
  throw new Error(`${key === '' ? 'it' : key} ${problem}`)
}

function object(key: string, value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) fail(key, 'must be an object')
  return value as Record<string, unknown>
}

function fields(key: string, value: unknown, known: readonly string[]): Record<string, unknown> {
  const found = object(key, value)
  const unknown = Object.keys(found).find((each) => !known.includes(each))
  if (unknown !== undefined)
    fail(key === '' ? unknown : `${key}.${unknown}`, `is unknown: expected ${known.join(', ')}`)
  return found
}

/** One value or an array of them; none when it is missing. */
function list<Element>(key: string, value: unknown, read: (key: string, value: unknown) => Element): Element[] {
  if (value === undefined) return []
  return Array.isArray(value) ? value.map((each, index) => read(`${key}[${index}]`, each)) : [read(key, value)]
}

function text(key: string, value: unknown): string {
  return typeof value === 'string' && value !== '' ? value : fail(key, `must be a text, not ${JSON.stringify(value)}`)
}

function number(key: string, value: unknown, lowest: number, highest: number, whole = false): number {
  if (typeof value === 'number' && value >= lowest && value <= highest && (!whole || Number.isInteger(value)))
    return value
  return fail(
    key,
    `must be a ${whole ? 'whole ' : ''}number from ${lowest} to ${highest}, not ${JSON.stringify(value)}`,
  )
}

function cidr(key: string, value: unknown): string {
  const given = text(key, value)
  try {
    const { address } = parseCidr(given)
    if (given.includes('/') && !address.isMulticast && !address.isUnspecified) return given
  } catch {}
  return fail(key, `is no address of a host with a prefix length, such as "10.0.0.1/24": '${given}'`)
}
