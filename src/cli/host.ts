/**
 * What the commands on a device share: one stack on one device, as the common options describe it.
 */
import { type Address, Prefix } from '../base/address.ts'
import type { NeighborRow } from '../ip/nic/nic.ts'
import type { CaptureFile } from '../link/capture/capture-file.ts'
import { openPacket, type PacketLink } from '../link/device/packet.ts'
import type { InterfaceAddress } from '../link/device/point-to-point.ts'
import { openTun, type TunLink, type TunOptions } from '../link/device/tun.ts'
import type { Link } from '../link/link.ts'
import type { Socket, SocketOptions } from '../socket-api/dgram/dgram.ts'
import '../socket-api/dgram/dgram.ts'
import { zoneIndex } from '../shell/destination.ts'
import { Stack } from '../stack.ts'
import { openCapture } from './capture.ts'
import { type OptionGroup, type OptionValues, option, repeatable } from './command-line.ts'
import { note } from './output.ts'
import { type Run, startRun } from './run.ts'
import { integer, interfaceAddress, scoped, UsageError } from './usage.ts'

/** The common options. */
export const hostOptions = {
  tun: option(
    '--tun <NAME>',
    'the TUN device to make or to attach to; needs root or CAP_NET_ADMIN, or runs under unshare -rn where ' +
      '/dev/net/tun is open to all (mode 0666)',
  ),
  tap: option('--tap <NAME>', 'a TAP device instead'),
  packet: option(
    '--packet <IFACE>',
    'an Ethernet interface that exists instead, such as one end of a veth pair, by a packet socket; needs root or ' +
      'CAP_NET_RAW',
  ),
  address: repeatable(
    '--address <CIDR>',
    "an address of the stack, such as 10.9.0.2/24, fd09::2/64 or '10.9.0.2 peer 10.9.0.1'; repeatable, one at least",
  ),
  peer: repeatable(
    '--peer <CIDR>',
    "an address to give the kernel's side of the device, in the same forms; repeatable; one of a whole length " +
      '(/32, /128) is a point-to-point address; without any the device is brought up and left ' +
      'without addresses',
  ),
  gateway: repeatable(
    '--gateway <ADDR>',
    "next hop of the stack's default route, on the device's link, such as 10.9.0.1 or fe80::1%tun0; one a family",
  ),
  mtu: option('--mtu <N>', 'MTU of the device in bytes, default 1500'),
  capture: option('--capture <FILE.pcapng>', 'write all packets to a file for Wireshark'),
  icmpRateLimit: option('--icmp-rate-limit <PPS>', "ICMP errors the stack may send in a second, or 'off'"),
  json: option('--json', 'print JSON'),
} as const

export const hostGroup: OptionGroup = { title: 'Device and stack', options: hostOptions }

export type HostArguments = OptionValues<typeof hostOptions>

export interface Host {
  /** Ended by signals, and when the device fails for good. */
  readonly run: Run
  readonly device: TunLink | PacketLink
  readonly stack: Stack
  /** The stack's own addresses, in the order given. */
  readonly addresses: readonly Address[]
  /** A socket of the stack, closed with it. */
  socket(options: SocketOptions): Socket
  /**
   * The neighbor that packets to an address are sent to, as far as it is known; never one on TUN.
   */
  neighbor(to: Address): NeighborRow | undefined
  /** Counts of discarded packets by reason. */
  drops(): Record<string, number>
  /** Removes the device and finishes the capture file. */
  close(): void
}

/**
 * Opens the device and builds the stack.
 * @throws {UsageError} before anything is opened
 * @throws {Error} when the device or the file cannot be opened
 */
export async function openHost(values: HostArguments): Promise<Host> {
  const { tun, tap, packet } = values
  const names = [tun, tap, packet].filter((name) => name !== undefined)
  if (names.length !== 1 || names[0] === '')
    throw new UsageError(
      'name the device that carries the packets: --tun NAME or --tap NAME, or an interface that exists: ' +
        '--packet IFACE; one of them',
    )
  const addresses = (values.address ?? []).map((text) => interfaceAddress('address', text))
  if (addresses.length === 0)
    throw new UsageError("give the stack an address of its own: --address CIDR, such as '--address 10.9.0.2/24'")
  const peers = (values.peer ?? []).map((text) => interfaceAddress('peer', text))
  if (packet !== undefined && peers.length > 0)
    throw new UsageError(
      `--peer is for a device of the command's own: what is on the other side of '${packet}' has its addresses ` +
        `('ip address add ${values.peer?.[0]} dev …')`,
    )
  for (const { address, prefix } of peers) {
    const own = addresses.find((each) => each.address.equals(address))
    if (own !== undefined)
      throw new UsageError(
        `--address and --peer are both ${own.address}: the stack and the kernel need an address each, in ${prefix}`,
      )
  }
  const gateways = (values.gateway ?? []).map((text) => scoped('gateway', text))
  for (const family of [4, 6]) {
    const ofFamily = gateways.filter(({ address }) => address.family === family)
    if (ofFamily.length > 1)
      throw new UsageError(
        `--gateway may be given once a family: ${ofFamily.map(({ text }) => text).join(' and ')} are too many`,
      )
  }
  const mtu = integer('mtu', values.mtu, 68, 65_535)
  const limit = values.icmpRateLimit
  const icmpRateLimit = limit === 'off' ? false : integer('icmp-rate-limit', limit, 0, 1_000_000_000)

  // From here on a signal no longer just kills: whoever sees the device can end the command with
  // its summary.
  const run = startRun()
  let device: TunLink | PacketLink | null = null
  let file: CaptureFile | null = null
  try {
    const size = mtu === undefined ? {} : { mtu }
    const peer = peers.map((each) => kernelAddress(each, addresses))
    device =
      packet === undefined
        ? openDevice({ kind: tun === undefined ? 'tap' : 'tun', name: tun ?? tap ?? '', peer, ...size })
        : openPacket({ interface: packet, ...size })
    const stack = new Stack(icmpRateLimit === undefined ? {} : { icmpRateLimit })
    let link: Link = device
    if (values.capture !== undefined) {
      file = openCapture(values.capture)
      const captured = file.capture(device)
      stack.onDrop(captured.noteDrop)
      link = captured
    }
    const nic = stack.addNic(link, { addresses: addresses.map(ownText) })
    for (const far of farEnds(addresses, peers)) stack.addRoute({ to: `${far}`, nic: nic.name })
    for (const { address, zone } of gateways) {
      if (zone !== '') zoneIndex(stack, zone)
      stack.addRoute({ to: 'default', via: `${address}`, nic: nic.name })
    }
    stack.onLinkFailure = (_nic, error, fatal) => (fatal ? run.end(error.message) : note(error.message))
    const sockets: Socket[] = []
    // On Ethernet an IPv6 address is ours only when nobody else has answered for it.
    await nic.addressesReady()
    return {
      run,
      device,
      stack,
      addresses: addresses.map(({ address }) => address),
      socket(options) {
        const socket = stack.dgram.createSocket(options)
        sockets.push(socket)
        return socket
      },
      neighbor(to) {
        const hop = stack.ip.routes.lookup(to.w0, to.w1, to.w2, to.w3, 0)?.gateway ?? to
        return stack.neighbors.find(({ address }) => address === hop.toString())
      },
      drops: () => Object.fromEntries(stack.drops.map(({ reason, count }) => [reason, count])),
      close() {
        for (const socket of sockets) socket.close()
        stack.close()
        file?.close()
      },
    }
  } catch (error) {
    run.end()
    device?.close()
    file?.close()
    throw error
  }
}

/** As the stack takes it: its own prefix is that of the address alone when it has a far end. */
function ownText({ address, prefix, far }: InterfaceAddress): string {
  return far === null ? `${address}/${prefix.length}` : `${address}`
}

/**
 * As the kernel takes it: an address of a whole length leads nowhere by itself, so that it gets the
 * stack's address of its family as its far end.
 */
function kernelAddress(peer: InterfaceAddress, own: readonly InterfaceAddress[]): string {
  const { address, prefix, far } = peer
  const other = far ?? (isAlone(peer) ? own.find((each) => each.address.family === address.family)?.address : undefined)
  return other === undefined ? `${address}/${prefix.length}` : `${address} peer ${other}/${prefix.length}`
}

function isAlone({ address, prefix }: InterfaceAddress): boolean {
  return prefix.length === (address.family === 4 ? 32 : 128)
}

/** What is at the other end of the device, where no network of the stack leads there. */
function farEnds(own: readonly InterfaceAddress[], peers: readonly InterfaceAddress[]): Prefix[] {
  const ends = own.flatMap(({ far, prefix }) => (far === null ? [] : [prefix]))
  for (const { address } of peers)
    if (!own.some(({ prefix }) => prefix.contains(address)))
      ends.push(new Prefix(address, address.family === 4 ? 32 : 128))
  return ends
}

/**
 * Packets that may wait in the device: Linux's 500 are over in 1 ms of a fast sender, before a busy
 * process looks again.
 */
const QUEUE_LENGTH = 10_000

/**
 * Who owns a persistent device may use it, but not lengthen its queue: that is then left as it is.
 */
function openDevice(options: TunOptions): TunLink {
  try {
    return openTun({ ...options, queueLength: QUEUE_LENGTH })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error
    return openTun(options)
  }
}
