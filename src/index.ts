export { Address, type Cidr, type Family, Prefix, parseCidr } from './base/address.ts'
export { type Clock, ManualClock, SystemClock, type Timer } from './base/clock.ts'
export { Drop, type DropLayer, type DropName, dropLayer, dropName } from './base/drop.ts'
export { Packet } from './base/packet.ts'
export { type Random, SeededRandom, SystemRandom } from './base/random.ts'
export { type Description, describe, describeLine, type Layer } from './describe.ts'
export type { DropCount, DropListener } from './ip/counters.ts'
export type { IcmpError } from './ip/icmp/icmp-error.ts'
export { PathMtuProber, probePath } from './ip/icmp/path-mtu-prober.ts'
export type {
  AdvertisedPrefix,
  AdvertisedRoute,
  AdvertiseOptions,
  RouterPreference,
} from './ip/nd/advertise-options.ts'
export type { AddressGeneration } from './ip/nd/interface-identifier.ts'
export type { NeighborState } from './ip/nic/neighbor.ts'
export type { NeighborOptions } from './ip/nic/neighbor-limits.ts'
export type { AddressEvent, NeighborRow, Nic, NicAddress } from './ip/nic/nic.ts'
export type { Route } from './ip/routing/route-table.ts'
export { Capture, type CapturedLink, type CaptureOptions } from './link/capture/capture.ts'
export { type CaptureFile, type CaptureFileOptions, openCaptureFile } from './link/capture/capture-file.ts'
export { type CapturedFrame, CaptureFormatError, readCapture } from './link/capture/pcapng.ts'
export { openTun, type TunCounters, type TunLink, type TunOptions } from './link/device/tun.ts'
export { fromTuntap2, type Tuntap2Device, type Tuntap2Options } from './link/device/tuntap2.ts'
export { type ImpairedLink, type ImpairmentOptions, type Impairments, impair } from './link/impairment/impairment.ts'
export * from './link/impairment/impairment-models.ts'
export { codel, priorityBands, type Queue, tailDrop } from './link/impairment/queue-discipline.ts'
export type { Link, LinkReceiver, Medium, Offload } from './link/link.ts'
export { Loopback, type LoopbackOptions } from './link/loopback.ts'
export { Segment, type SegmentLinkOptions, type SegmentOptions } from './link/segment.ts'
export * from './socket-api/dgram/dgram.ts'
export {
  type Netstat,
  type NicOptions,
  type NicRow,
  type RouteOptions,
  type SocketRow,
  Stack,
  type StackOptions,
} from './stack.ts'
/** Options of datagrams, RFC 9868. */
export * as udpOptions from './wire/udp-options.ts'
