/** The stack of the program itself, as `TUNGRAM_CONFIG` describes it: what `tungram/register` puts behind `node:dgram`. */
import { isMainThread, threadId } from 'node:worker_threads'
import { parseCidr } from '../base/address.ts'
import { SystemClock } from '../base/clock.ts'
import { type Random, SeededRandom, SystemRandom } from '../base/random.ts'
import { openCaptureFile } from '../link/capture-file.ts'
import { impair } from '../link/impairment.ts'
import type { Link } from '../link/link.ts'
import { Segment } from '../link/segment.ts'
import { openTun } from '../link/tun.ts'
import { Stack } from '../stack.ts'
import { type DeviceConfig, type HostConfig, readConfig, type StackConfig } from './config.ts'
import { createDgram } from './dgram.ts'

/** Of hosts in memory. */
const NIC = 'mem0'

let stack: Stack | null = null

/**
 * The program's stack; built at the first call, from the environment as it is then. Each worker thread has one of its own.
 * @throws {Error} for a wrong configuration, and when the device or the capture file cannot be opened
 */
export function defaultStack(): Stack {
  stack ??= ownStack(readConfig(process.env.TUNGRAM_CONFIG))
  return stack
}

function ownStack(config: StackConfig): Stack {
  try {
    const built = buildStack(config)
    built.onLinkFailure = (_nic, error) => process.emitWarning(error)
    return built
  } catch (error) {
    // A device of one name is one thread's. Threads that do without the network need not have another configuration.
    if (isMainThread || (error as NodeJS.ErrnoException).code !== 'EBUSY') throw error
    process.emitWarning(`The stack of this worker thread has only its loopback interface. ${(error as Error).message}`)
    return new Stack()
  }
}

/**
 * Builds the stack of a configuration, and around it what the configuration asks for.
 * @throws {Error} when the device or the capture file cannot be opened
 */
export function buildStack(config: StackConfig): Stack {
  const random = config.seed === undefined ? new SystemRandom() : new SeededRandom(config.seed)
  const device = config.tun ?? config.tap
  if (device !== undefined) return onDevice(config, device, random)
  return inMemory(config, config.hosts ?? {}, random)
}

function onDevice(config: StackConfig, device: DeviceConfig, random: Random): Stack {
  const { name, address, peer, gateway } = device
  const stack = new Stack({ random, dad: false })
  const { mtu } = config
  const tun = openTun({
    kind: config.tun === undefined ? 'tap' : 'tun',
    peer,
    ...(name === undefined ? {} : { name }),
    ...(mtu === undefined ? {} : { mtu }),
  })
  try {
    stack.addNic(wrap(config, tun, random, stack), { addresses: address })
    for (const via of gateway) stack.addRoute({ to: 'default', via })
  } catch (error) {
    tun.close()
    throw error
  }
  return stack
}

function inMemory(config: StackConfig, hosts: Readonly<Record<string, HostConfig>>, random: Random): Stack {
  const self = config.host ?? (Object.keys(hosts)[0] as string)
  const clock = new SystemClock()
  // Ethernet, because programs take an interface without a hardware address for a loopback.
  const segment = new Segment({ clock, random, medium: 'ethernet', ...(config.mtu === undefined ? {} : { mtu: config.mtu }) })
  // Nobody else is there who could have the same addresses.
  const options = { clock, random, dad: false }
  const own = new Stack({ ...options, name: self })
  for (const [index, [name, { address, echo }]] of Object.entries(hosts).entries()) {
    own.hosts.set(
      name,
      address.map((each) => each.slice(0, each.indexOf('/'))),
    )
    const host = name === self ? own : new Stack({ ...options, name })
    const link = segment.link({ name: NIC, hardwareAddress: Uint8Array.of(2, 0, 0, 0, index >> 8, index + 1) })
    const nic = host.addNic(name === self ? wrap(config, link, random, own) : link, { addresses: address })
    // There is no router: what is not on the wire is lost, as it would be behind one.
    host.addRoute({ to: 'default', nic: nic.name })
    for (const port of echo) serveEcho(host, address, port)
  }
  return own
}

/** The faults of the wire, and the capture, which sees packets as the stack does. */
function wrap(config: StackConfig, link: Link, random: Random, stack: Stack): Link {
  const { delay = 0, loss = 0, capture } = config
  const wire = delay === 0 && loss === 0 ? link : impair(link, { random, send: { delay, loss }, receive: { delay, loss } })
  if (capture === undefined) return wire
  const file = openCaptureFile(isMainThread ? capture : threadFile(capture))
  const captured = file.capture(wire)
  stack.onDrop(captured.noteDrop)
  return captured
}

/** `trace.pcapng` of thread 2: `trace.thread2.pcapng`. */
function threadFile(path: string): string {
  return path.replace(/(\.[^./\\]+)?$/, `.thread${threadId}$1`)
}

/** Sends datagrams back from the address that they were sent to. */
function serveEcho(stack: Stack, addresses: readonly string[], port: number): void {
  const { createSocket } = createDgram(stack)
  for (const text of addresses) {
    const { address } = parseCidr(text)
    const six = address.family === 6
    const socket = createSocket(six ? 'udp6' : 'udp4')
    socket.on('message', (message, { port, address }) => socket.send(message, port, address))
    socket.bind(port, six && address.isLinkLocal ? `${address}%${NIC}` : address.toString())
    socket.unref()
  }
}
