/**
 * Stacks, links, devices and sockets.
 *
 * @module tungram
 */
import './socket-api/hosts/run.ts'

export { Address, type Cidr, type Family, Prefix, parseCidr } from './base/address.ts'
export { type Clock, ManualClock, SystemClock, type Timer } from './base/clock.ts'
export { Drop, type DropLayer, type DropName, dropLayer, dropName } from './base/drop.ts'
export { Cast, ChecksumState, Packet } from './base/packet.ts'
export { type Random, SeededRandom, SystemRandom } from './base/random.ts'
export { type Description, describe, describeLine, type Layer } from './describe.ts'
export type { CounterName, Counters, DropCount, DropListener } from './ip/counters.ts'
export type { Echo, EchoListener, EchoOptions } from './ip/icmp/echo.ts'
export type { Icmp } from './ip/icmp/icmp.ts'
export type { IcmpError } from './ip/icmp/icmp-error.ts'
export { PathMtuProber, type ProberOptions, type ProberState, probePath } from './ip/icmp/path-mtu-prober.ts'
export type { IpLayer, ReversePath } from './ip/ip-layer.ts'
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
export { PmtuMode } from './ip/routing/pmtu-mode.ts'
export type { RouteNic } from './ip/routing/route-nic.ts'
export type { Preference, Route, RouteKind } from './ip/routing/route-table.ts'
export { Capture, type CapturedLink, type CapturedLinkOptions, type CaptureOptions } from './link/capture/capture.ts'
export { type CaptureFile, type CaptureFileOptions, openCaptureFile } from './link/capture/capture-file.ts'
export { readCapture } from './link/capture/capture-reader.ts'
export {
  type CaptureDirection,
  type CapturedFrame,
  CaptureFormatError,
  type CaptureWarning,
} from './link/capture/pcapng.ts'
export { openPacket, type PacketCounters, type PacketLink, type PacketOptions } from './link/device/packet.ts'
export { openTun, type TunCounters, type TunLink, type TunOptions } from './link/device/tun.ts'
export type { Wakeup } from './link/device/tun-poll.ts'
export { fromTuntap2, type Tuntap2Device, type Tuntap2Options } from './link/device/tuntap2.ts'
export type { FlowOf } from './link/impairment/fault-stream.ts'
export { type ImpairedLink, type ImpairmentOptions, type Impairments, impair } from './link/impairment/impairment.ts'
export * from './link/impairment/impairment-models.ts'
export type { WireObserver } from './link/impairment/impairments.ts'
export {
  type CodelOptions,
  codel,
  type PriorityOptions,
  priorityBands,
  type Queue,
  type QueueDiscipline,
  type QueueLimit,
  tailDrop,
  type Waiting,
} from './link/impairment/queue-discipline.ts'
export type { Link, LinkReceiver, Medium, Offload } from './link/link.ts'
export { Loopback, type LoopbackOptions } from './link/loopback.ts'
export { Segment, type SegmentLinkOptions, type SegmentOptions } from './link/segment.ts'
export type { RawEndpoint } from './raw/raw-endpoint.ts'
export type {
  RawErrorListener,
  RawOptions,
  RawReceiver,
  RawSendOptions,
  RawSettings,
} from './raw/raw-options.ts'
export type { RawMessage } from './raw/raw-queue.ts'
export * from './socket-api/dgram/dgram.ts'
export {
  type Netstat,
  type NicOptions,
  type NicRow,
  type Path,
  type RouteOptions,
  type SocketRow,
  Stack,
  type StackOptions,
} from './stack.ts'
export type { Endpoint, EndpointReceiver, SendOptions } from './udp/endpoint.ts'
export type { EndpointOptions } from './udp/endpoint-options.ts'
export type { Errno, IcmpErrno } from './udp/errno.ts'
export type { EndpointGroups } from './udp/groups.ts'
export type { UdpLayer } from './udp/udp-layer.ts'
export type { IcmpExtension } from './wire/icmp-extensions.ts'
export type { Fields } from './wire/text.ts'
/** Options of datagrams, RFC 9868. */
export * as udpOptions from './wire/udp-options.ts'
