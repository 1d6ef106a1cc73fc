/**
 * The device by which the kernel of a namespace is a host of a network.
 *
 * Each cable of the host ends at a device: what arrives at its port is written there, and what the
 * kernel sends leaves by the port, over the cable with its faults. The device is what the cable is:
 * a TUN on a cable that carries IP, a TAP on Ethernet, with the hardware address that the port has.
 */
import type { Nic } from '../ip/nic/nic.ts'
import { openTun, type TunLink } from '../link/device/tun.ts'
import { codedError, type Libc, loadLibc } from '../link/device/tun-libc.ts'
import { changeInterface, findInterface } from '../link/device/tun-netlink.ts'
import type { Network } from '../network/network.ts'
import type { Port } from '../network/nodes/port.ts'
import { addAddresses, quietNamespace, setCarrier, setHardwareAddress } from './kernel-interface.ts'
import { KernelRoutes } from './kernel-routes.ts'
import type { Namespace } from './namespace.ts'
import type { PreciseClock } from './precise-clock.ts'

/** Packets that may wait for this process; Linux's own default for Ethernet. */
const QUEUE = 1000

export interface HostDevices {
  /** Names of the interfaces. */
  readonly names: readonly string[]
  /** Gives the kernel the routes that the network has computed for the host now. */
  updateRoutes(): void
  close(): void
}

export interface HostDeviceOptions {
  /** The network's. */
  readonly clock: PreciseClock
  /** The namespace was made for this host; else it may have interfaces and routes of its own. */
  readonly isOwn: boolean
  /** Told what the user has to know. */
  note(text: string): void
}

/**
 * Makes the kernel of a namespace a host of the network; its routes have been computed.
 * @throws {Error} with `code`, as `openTun` does
 */
export function plugHost(
  network: Network,
  host: string,
  namespace: Namespace,
  options: HostDeviceOptions,
): HostDevices {
  const libc = loadLibc()
  if (options.isOwn) namespace.run(() => quietNamespace(libc))
  const links: TunLink[] = []
  const routes = new KernelRoutes(libc, network.stack(host), options.note)
  const updateRoutes = () => namespace.run(() => routes.update())
  const close = () => {
    for (const link of links) link.close()
  }
  try {
    for (const { ends } of network.cables)
      for (const { node, port, nic } of ends)
        if (node === host && port !== null && nic !== null) {
          const { link, index } = plugPort(libc, namespace, port, nic, options)
          links.push(link)
          routes.plugged(nic, index)
        }
    updateRoutes()
  } catch (error) {
    close()
    throw error
  }
  return { names: links.map(({ name }) => name), updateRoutes, close }
}

function plugPort(
  libc: Libc,
  namespace: Namespace,
  port: Port,
  nic: Nic,
  { clock, isOwn, note }: HostDeviceOptions,
): { link: TunLink; index: number } {
  const host = port.owner.name
  const { link, index } = namespace.run(() => {
    const made = open(port, isOwn ? port.name : 'tungram%d')
    try {
      const info = findInterface(libc, made.interfaceName)
      if (info === null) throw codedError('ENODEV', `The interface ${made.interfaceName} of ${host} is gone.`)
      if (port.hardwareAddress !== null) setHardwareAddress(libc, info.index, port.hardwareAddress)
      changeInterface(libc, info.index, { up: true })
      addAddresses(
        libc,
        info.index,
        nic.addresses.filter(({ address }) => !address.isLinkLocal),
      )
      return { link: made, index: info.index }
    } catch (error) {
      made.close()
      throw error
    }
  })
  const carrier = (isUp: boolean) => {
    try {
      namespace.run(() => setCarrier(libc, index, isUp))
    } catch (error) {
      // Before Linux 4.20: nothing passes, but programs are not told.
      note(`${host}: the carrier of ${link.name} cannot be ${isUp ? 'set' : 'taken'}: ${(error as Error).message}`)
    }
  }
  const leave = port.divert({
    deliver: (packet) => {
      clock.reach()
      return link.send(packet)
    },
    idle: () => link.flush(),
    takesMerged: (packet) => link.offload.merged === true && packet.segmentLength <= link.mtu,
    carrier,
  })
  if (!port.isUp) carrier(false)
  link.attach({
    begin: () => clock.hold(),
    end: () => clock.release(),
    input: leave,
    takesMerged: (packet) => port.leavesMerged(packet),
    // What was sent leaves its wires in turns of their own.
    idle: () => {},
    dropped: (drop, packet) => port.dropped(drop, packet),
    failed: (error) => note(`${host}: ${error.message}`),
  })
  return { link, index }
}

function open(port: Port, name: string): TunLink {
  try {
    return openTun({
      kind: port.medium === 'ip' ? 'tun' : 'tap',
      name,
      mtu: port.mtu,
      queueLength: QUEUE,
      up: false,
    })
  } catch (error) {
    throw explained(error as NodeJS.ErrnoException)
  }
}

/** The errors that have other reasons here, where this process may do all in its namespaces. */
function explained(error: NodeJS.ErrnoException): Error {
  if (error.syscall !== 'open' || (error.code !== 'EACCES' && error.code !== 'EPERM')) return error
  return Object.assign(
    new Error(
      `/dev/net/tun may not be opened by this user (${error.code}). It is a device for everybody where udev ` +
        `made it; here let root say 'chmod 0666 /dev/net/tun', and in a container allow the device ('--device ` +
        `/dev/net/tun').`,
      { cause: error },
    ),
    { code: error.code },
  )
}
