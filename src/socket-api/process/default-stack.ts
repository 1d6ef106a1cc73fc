/**
 * The stack of the program itself, as `TUNGRAM_CONFIG` describes it: what `tungram/register` puts
 * behind `node:dgram`.
 */
import { writeSync } from 'node:fs'
import { isMainThread, threadId } from 'node:worker_threads'
import { parseCidr } from '../../base/address.ts'
import { SeededRandom, SystemRandom } from '../../base/random.ts'
import { visible } from '../../base/visible.ts'
import { openCaptureFile } from '../../link/capture/capture-file.ts'
import { openTun } from '../../link/device/tun.ts'
import { impair } from '../../link/impairment/impairment.ts'
import type { Link } from '../../link/link.ts'
import { Segment } from '../../link/segment.ts'
import { Stack } from '../../stack.ts'
import { createDgram } from '../dgram/dgram.ts'
import { type DeviceConfig, type HostConfig, readConfig, type StackConfig } from './config.ts'

/** Of hosts in memory. */
const NIC = 'mem0'

/**
 * A stack that has only its loopback until `complete`, or its first use, gives it what the
 * configuration asks for.
 */
interface Prepared {
  readonly stack: Stack
  /**
   * @throws {Error} when the device or the capture file cannot be opened; may be called again then
   */
  complete(): void
}

let own: Prepared | null = null

/**
 * The program's stack, from the environment as it was at the first call. Each worker thread has one
 * of its own.
 * @throws {Error} for a wrong configuration, and when the device or the capture file cannot be
 *   opened
 */
export function defaultStack(): Stack {
  const stack = preparedStack()
  own?.complete()
  return stack
}

/**
 * The same stack, which completes itself with its first endpoint, or the first question for a nic:
 * programs and threads without a socket take no device from those that need it, as npm would from
 * the program that it starts.
 * @throws {Error} for a wrong configuration
 */
export function preparedStack(): Stack {
  if (own !== null) return own.stack
  own = prepare(readConfig(process.env.TUNGRAM_CONFIG))
  const { stack } = own
  stack.onLinkFailure = (_nic, error) => process.emitWarning(error)
  return stack
}

/**
 * Builds the stack of a configuration, and around it what the configuration asks for.
 * @throws {Error} when the device or the capture file cannot be opened
 */
export function buildStack(config: StackConfig): Stack {
  const { stack, complete } = prepare(config)
  complete()
  return stack
}

function prepare(config: StackConfig): Prepared {
  const { hosts = {} } = config
  const random = config.seed === undefined ? new SystemRandom() : new SeededRandom(config.seed)
  const name = config.host ?? Object.keys(hosts)[0]
  // A program that starts cannot wait a second for its IPv6 addresses.
  const stack = new Stack({
    random,
    dad: false,
    ...(name === undefined ? {} : { name }),
  })
  for (const [host, { address }] of Object.entries(hosts)) {
    const addresses = address.map((each) => each.slice(0, each.indexOf('/')))
    stack.hosts.set(host, addresses)
  }
  const device = config.tun ?? config.tap
  // Completing asks for nics and makes endpoints itself.
  let begun = false
  const complete = () => {
    if (begun) return
    begun = true
    try {
      if (device === undefined) joinHosts(config, hosts, stack)
      else openDevice(config, device, stack)
      stack.beforeUse = null
    } catch (error) {
      begun = false
      throw error
    }
  }
  // A zone or an interface may be asked for before there is an endpoint: by the first bind.
  stack.beforeUse = complete
  return { stack, complete }
}

function openDevice(config: StackConfig, device: DeviceConfig, stack: Stack): void {
  const { name, address, peer, gateway } = device
  const { mtu } = config
  const tun = openTun({
    kind: config.tun === undefined ? 'tap' : 'tun',
    peer,
    ...(name === undefined ? {} : { name }),
    ...(mtu === undefined ? {} : { mtu }),
  })
  try {
    stack.addNic(wrap(config, tun, stack), { addresses: address })
    for (const via of gateway) stack.addRoute({ to: 'default', via })
  } catch (error) {
    tun.close()
    throw error
  }
}

function joinHosts(config: StackConfig, hosts: Readonly<Record<string, HostConfig>>, own: Stack): void {
  const { clock, random } = own
  // Ethernet, because programs take an interface without a hardware address for a loopback.
  const segment = new Segment({
    clock,
    random,
    medium: 'ethernet',
    ...(config.mtu === undefined ? {} : { mtu: config.mtu }),
  })
  for (const [index, [name, { address, echo }]] of Object.entries(hosts).entries()) {
    const host = name === own.name ? own : new Stack({ name, clock, random, dad: false })
    const link = segment.link({ name: NIC, hardwareAddress: Uint8Array.of(2, 0, 0, 0, index >> 8, index + 1) })
    host.addNic(host === own ? wrap(config, link, own) : link, { addresses: address })
    // There is no router: what is not on the wire is lost, as it would be behind one.
    host.addRoute({ to: 'default', nic: NIC })
    for (const port of echo) serveEcho(host, address, port)
  }
}

/** The faults of the wire, and the capture, which sees packets as the stack does. */
function wrap(config: StackConfig, link: Link, stack: Stack): Link {
  const { delay = 0, loss = 0, capture } = config
  const { random } = stack
  const wire =
    delay === 0 && loss === 0 ? link : impair(link, { random, send: { delay, loss }, receive: { delay, loss } })
  if (capture === undefined) return wire
  const file = openCaptureFile(isMainThread ? capture : threadFile(capture), { onError: captureFailed })
  const captured = file.capture(wire)
  stack.onDrop(captured.noteDrop)
  return captured
}

/**
 * The program goes on without its capture; that this is so is said at once, also when the process
 * is just ending, and shows in the exit code.
 */
function captureFailed(error: Error): void {
  try {
    writeSync(2, `tungram: ${visible(error.message)} The program goes on without it.\n`)
  } catch {
    // Nobody reads standard error.
  }
  const mark = () => {
    if (process.exitCode === undefined || Number(process.exitCode) === 0) process.exitCode = 1
  }
  process.on('exit', mark)
  mark()
}

/** `trace.pcapng` of thread 2: `trace.thread2.pcapng`. */
function threadFile(path: string): string {
  return path.replace(/(\.[^./\\]+)?$/, `.thread${threadId}$1`)
}

/**
 * Sends datagrams back from the address that they were sent to; from port 0 none can be answered
 * (RFC 768).
 */
function serveEcho(stack: Stack, addresses: readonly string[], port: number): void {
  const { createSocket } = createDgram(stack)
  for (const text of addresses) {
    const { address } = parseCidr(text)
    const six = address.family === 6
    const socket = createSocket(six ? 'udp6' : 'udp4')
    socket.on('message', (message, { port, address }) => {
      if (port !== 0) socket.send(message, port, address)
    })
    socket.bind(port, six && address.isLinkLocal ? `${address}%${NIC}` : address.toString())
    socket.unref()
  }
}
