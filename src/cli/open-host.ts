/** Opens the device of a command and builds the stack on it. */
import { type Address, Prefix } from '../base/address.ts'
import type { NeighborRow } from '../ip/nic/nic.ts'
import type { CaptureFile } from '../link/capture/capture-file.ts'
import { openPacket, type PacketLink } from '../link/device/packet.ts'
import type { InterfaceAddress } from '../link/device/point-to-point.ts'
import { openTun, type TunLink, type TunOptions } from '../link/device/tun.ts'
import type { Link } from '../link/link.ts'
import { zoneIndex } from '../shell/destination.ts'
import type { Socket, SocketOptions } from '../socket-api/dgram/dgram.ts'
import '../socket-api/dgram/dgram.ts'
import { Stack } from '../stack.ts'
import { openCapture } from './capture.ts'
import type { HostPlan } from './host-plan.ts'
import { note } from './output.ts'
import { type Run, startRun } from './run.ts'

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

/** @throws {Error} when the device or the file cannot be opened */
export async function openPlan(plan: HostPlan): Promise<Host> {
  const { tun, tap, packet, addresses, peers, gateways, mtu, icmpRateLimit, capture } = plan
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
    if (capture !== undefined) {
      file = openCapture(capture)
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
