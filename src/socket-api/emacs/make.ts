/** `makeNetworkProcess`: its keywords, and the addresses that they mean. */
import { Buffer } from 'node:buffer'
import { Address, parseScoped } from '../../base/address.ts'
import type { Stack } from '../../stack.ts'
import { addressError } from '../dgram/errors.ts'
import { defaultStack } from '../process/default-stack.ts'
import { badValue, isOn } from './arguments.ts'
import { type AddressLike, isPort, type Peer, readAddress, zoneIndex } from './network-address.ts'
import { applyOptions, type NetworkOptions, OPTION_NAMES } from './options.ts'
import { type Filter, freeName, NetworkProcess, names, type Sentinel } from './process.ts'

export interface NetworkProcessOptions<Data> extends NetworkOptions {
  /** Default: the process's own stack, see `tungram/register`. */
  stack?: Stack
  /** A second process of this name on one stack is called `name<1>`. */
  name: string
  type: 'datagram'
  /** Default: that of the host. */
  family?: 'ipv4' | 'ipv6' | null
  /**
   * An address, `local` (this host's loopback), `localhost`, or a name in `stack.hosts`. Default
   * `local`.
   */
  host?: string | null
  /** A port; `true` for a random one (servers). */
  service?: number | string | true | null
  /**
   * A server's own address; goes before `family`, `host` and `service`. A client may have one too.
   */
  local?: AddressLike | null
  /** The first peer; of a client it goes before `family`, `host` and `service`. */
  remote?: AddressLike | null
  /**
   * A server is bound to its address from the start; a client gets a random port with its first
   * datagram. A number is as good as `true`.
   */
  server?: boolean | number | null
  /** Without one, datagrams are received and forgotten, and still set the peer. */
  filter?: Filter<Data> | null
  sentinel?: Sentinel | null
  /**
   * How strings are bytes: an encoding of Node's, or `buffer` for a filter that takes a Buffer.
   * `binary` is a character per byte. Default `utf-8`.
   */
  coding?: BufferEncoding | 'buffer'
  /** Starts in status `stop`. */
  stop?: boolean | null
  /** The program's own properties. */
  plist?: Record<string, unknown> | null
}

const KEYWORDS = new Set(
  'stack name type family host service local remote server filter sentinel coding stop plist reuseaddr'.split(' '),
)

/**
 * Makes a datagram process: a server bound to `local` or to `host` and `service`, or a client whose
 * peer is `remote` or `host` and `service`.
 * @throws {TypeError} for an unknown keyword or a malformed value
 * @throws {Error} with `code`: EADDRINUSE, EADDRNOTAVAIL, EACCES (bind), ENODEV (bindtodevice),
 *   ENOTFOUND (host)
 */
export function makeNetworkProcess(options: NetworkProcessOptions<Buffer> & { coding: 'buffer' }): NetworkProcess
export function makeNetworkProcess(options: NetworkProcessOptions<string> & { coding?: BufferEncoding }): NetworkProcess
export function makeNetworkProcess(options: NetworkProcessOptions<string & Buffer>): NetworkProcess {
  checkKeywords(options)
  const stack = options.stack ?? defaultStack()
  const isServer = isOn(options.server)
  const own = addressOption(stack, 'local', options.local)
  const peer = addressOption(stack, 'remote', options.remote)
  const local = isServer ? (own ?? hostAndService(stack, options)) : own
  const remote = isServer ? peer : (peer ?? hostAndService(stack, options))
  const [main, other] = (isServer ? [local, remote] : [remote, local]) as [Peer, Peer | null]
  const { family } = main.address
  if (family === 4 && other?.address.family === 6)
    throw new TypeError(`The addresses ${main.address} and ${other.address} are of different families.`)

  const process = new NetworkProcess(stack, freeName(stack, options.name), family, options)
  process.peer = remote
  const { endpoint, contact } = process
  const { stack: _stack, ...given } = options
  Object.assign(contact, given)
  endpoint.reuseAddress = contact.reuseaddr = options.reuseaddr === undefined ? isServer : isOn(options.reuseaddr)
  applyOptions(process)
  if (local !== null) {
    const error = endpoint.bind(local.address, local.port, local.nic)
    if (error !== '') throw addressError(error, 'bind', local.address.toString(), local.port)
    if (options.service === true) contact.service = endpoint.localPort
  }
  names(stack).add(process.name)
  process.stayAlive()
  return process
}

function checkKeywords(options: NetworkProcessOptions<string & Buffer>): void {
  const unknown = Object.keys(options).find((key) => !KEYWORDS.has(key) && !OPTION_NAMES.includes(key))
  if (unknown !== undefined)
    throw new TypeError(
      `Not a keyword of makeNetworkProcess: '${unknown}'. There are ${[...KEYWORDS, ...OPTION_NAMES].join(', ')}.`,
    )
  const { name, type, family, coding = 'utf-8', filter, sentinel } = options
  if (typeof name !== 'string') throw badValue('name', name, 'a string')
  if (type !== 'datagram') throw badValue('type', type, "'datagram': streams are not provided")
  if (isOn(family) && family !== 'ipv4' && family !== 'ipv6') throw badValue('family', family, "'ipv4', 'ipv6' or null")
  if (coding !== 'buffer' && !Buffer.isEncoding(coding))
    throw badValue('coding', coding, "an encoding of Node's, or 'buffer'")
  for (const [key, value] of Object.entries({ filter, sentinel }))
    if (value !== undefined && value !== null && typeof value !== 'function')
      throw badValue(key, value, 'a function or null')
}

function hostAndService(stack: Stack, options: NetworkProcessOptions<string & Buffer>): Peer {
  const { host, service, family, server } = options
  const wanted = family === 'ipv6' ? 6 : family === 'ipv4' ? 4 : null
  return { ...hostAddress(stack, host ?? 'local', wanted), port: servicePort(service, isOn(server)) }
}

function hostAddress(stack: Stack, host: string, wanted: 4 | 6 | null): { address: Address; nic: number } {
  const own = stack.hosts.get(host)
  const literal = parseScoped(host)
  let address: Address | undefined
  if (literal !== null) address = literal.address
  else if (own !== undefined)
    address = own.map((text) => Address.parse(text)).find(({ family }) => wanted === null || family === wanted)
  else if (host === 'local' || host === 'localhost') address = wanted === 6 ? Address.LOOPBACK6 : Address.LOOPBACK4
  else {
    const error = new Error(
      `Unknown host '${host}': expected an address, 'local', or a name in stack.hosts. Look other names ` +
        'up with node:dns first.',
    )
    throw Object.assign(error, { code: 'ENOTFOUND' })
  }
  if (address === undefined || (wanted !== null && address.family !== wanted))
    throw new TypeError(`The host '${host}' has no address of family ipv${wanted}.`)
  return { address, nic: zoneIndex(stack, literal?.zone ?? '') }
}

function servicePort(service: NetworkProcessOptions<string>['service'], isServer: boolean): number {
  if (service === true && isServer) return 0
  const port = typeof service === 'string' && /^\d{1,5}$/.test(service) ? Number(service) : service
  if (typeof port !== 'number' || !isPort(port) || (port === 0 && !isServer))
    throw badValue('service', service, isServer ? 'a port, or true for a random one' : 'a port, 1 to 65535')
  return port
}

function addressOption(stack: Stack, keyword: string, given: AddressLike | null | undefined): Peer | null {
  if (given === null || given === undefined) return null
  const address = readAddress(stack, given)
  if (address === null)
    throw badValue(
      keyword,
      given,
      "an address such as { address: '127.0.0.1', port: 8080 }, '[::1]:80' or [127, 0, 0, 1, 8080]",
    )
  return address
}
