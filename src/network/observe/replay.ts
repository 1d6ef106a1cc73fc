import type { Clock } from '../../base/clock.ts'
import { Drop } from '../../base/drop.ts'
import { HEADROOM, Packet } from '../../base/packet.ts'
import { readCapture } from '../../link/capture/capture-reader.ts'
import { type CapturedFrame, LINKTYPE_ETHERNET, LINKTYPE_RAW } from '../../link/capture/pcapng.ts'
import type { Stack } from '../../stack.ts'
import * as ipv4 from '../../wire/ipv4.ts'
import * as ipv6 from '../../wire/ipv6.ts'

export interface ReplayOptions {
  /**
   * Which frames. Default: all but those that were captured on their way in, so that a host's own
   * capture gives what it sent.
   */
  frames?: (frame: CapturedFrame) => boolean
}

/** Offset of the IP packet in a captured frame, -1 for others. */
function packetAt({ linkType, bytes }: CapturedFrame): number {
  if (linkType === LINKTYPE_RAW) return 0
  if (linkType !== LINKTYPE_ETHERNET || bytes.length < 14) return -1
  const type = ((bytes[12] as number) << 8) | (bytes[13] as number)
  return type === 0x0800 || type === 0x86dd ? 14 : -1
}

/**
 * Schedules the IP packets of a capture from now on; each leaves as it was captured, by the nic
 * that the routes say. Frames that were cut off when they were captured, and those that hold no IP
 * packet, are left out.
 * @returns how many there are
 */
export function replay(stack: Stack, clock: Clock, file: Uint8Array, options: ReplayOptions): number {
  const wanted = options.frames ?? (({ direction }) => direction !== 'in')
  const packet = new Packet()
  let first = -1n
  let count = 0
  for (const frame of readCapture(file)) {
    const at = packetAt(frame)
    if (at < 0 || frame.bytes.length < frame.originalLength || !wanted(frame)) continue
    if (first < 0n) first = frame.time
    const bytes = frame.bytes.subarray(at)
    clock.schedule(Number(frame.time - first) / 1e6, () => send(stack, packet, bytes))
    count++
  }
  return count
}

function send(stack: Stack, packet: Packet, bytes: Uint8Array): void {
  packet.load(bytes)
  const start = HEADROOM
  const four = bytes.length > 0 && ipv4.version(packet.view, start) === 4
  let drop: Drop = four ? ipv4.parse(packet) : ipv6.parse(packet)
  packet.start = start
  if (drop === Drop.None) {
    const { d0, d1, d2, d3 } = packet
    const route = stack.ip.route(d0, d1, d2, d3, 0)
    // As it was captured, however long.
    drop = route === null ? Drop.IpNoRoute : stack.ip.transmit(packet, route, Number.POSITIVE_INFINITY)
  }
  if (drop !== Drop.None) stack.counters.drop(drop, packet)
}
