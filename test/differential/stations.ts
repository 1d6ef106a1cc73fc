/**
 * A kernel and a stack as stations of an Ethernet, driven in lock step: frames go in, and what is
 * sent is compared by station, header and length.
 */
import { readFileSync } from 'node:fs'
import { Address } from '../../src/base/address.ts'
import { ManualClock } from '../../src/base/clock.ts'
import { SeededRandom } from '../../src/base/random.ts'
import { NO_OFFLOAD } from '../../src/link/link.ts'
import { Stack } from '../../src/stack.ts'
import type { Endpoint } from '../../src/udp/endpoint.ts'
import { open, send, TestLink } from '../host.ts'
import { etherType, icmpType, inFrame, isIcmp, macDestination, nextHeader, protocol, version } from '../packet.ts'
import { ip, KernelHost, sysctl } from './kernel-host.ts'
import { type Bytes, hex } from './raw-ip.ts'

export const OUR_MAC = '02:00:00:00:00:01'
export const OUR4 = '10.9.0.1'
export const OUR6 = 'fd09::1'
export const OUR_LINK_LOCAL = 'fe80::1'
export const PORT = 7000
export const GROUPS = { 4: '239.1.2.3', 6: 'ff15::1:2:3' } as const

export interface Station {
  input(frame: Bytes): void
  /**
   * What it sent since the last call, but for what it says about itself: ARP, Neighbor Discovery,
   * IGMP and MLD.
   */
  frames(): Bytes[]
  /** From the open port; an errno name or `''`. */
  send(payload: Bytes, to: string): string
  neighbor(address: string, mac: string): void
  gateway(address: string): void
  /** Until no address is checked any more. */
  settle(): void
  /** Whether it will answer a query about its group. */
  isAsked(family: 4 | 6): boolean
  close(): void
}

const macBytes = (mac: string) => Uint8Array.from(mac.split(':').map((pair) => Number.parseInt(pair, 16)))

export function frame(to: string, from: string, packet: Bytes): Bytes {
  const type = (packet[0] as number) >>> 4 === 4 ? [8, 0] : [0x86, 0xdd]
  return Uint8Array.from([...macBytes(to), ...macBytes(from), ...type, ...packet])
}

/** Whether a frame is one that a station sends unasked. */
function isUpkeep(bytes: Bytes): boolean {
  const packet = inFrame(bytes)
  if (etherType(bytes) === 0x0800) return protocol(packet) === 2
  if (etherType(bytes) !== 0x86dd) return true
  const message = icmpType(packet)
  return isIcmp(packet) && nextHeader(packet) !== 44 && ((message >= 130 && message <= 137) || message === 143)
}

/** Milliseconds for which the kernel may not have looked at a query yet. */
const QUERY_WORK = 300

const CIDRS = [`${OUR4}/24`, `${OUR6}/64`, `${OUR_LINK_LOCAL}/64`]

class KernelStation implements Station {
  readonly #host: KernelHost
  readonly #device: string

  constructor(device: string) {
    this.#device = device
    for (const scope of ['all', 'default'])
      for (const [name, value] of [
        ['accept_redirects', 1],
        ['secure_redirects', 0],
        ['shared_media', 0],
      ] as const)
        sysctl(`ipv4/conf/${scope}/${name}`, value)
    for (const family of ['ipv4', 'ipv6']) sysctl(`${family}/conf/all/forwarding`, 0)
    this.#host = new KernelHost(device, CIDRS, 1500, OUR_MAC)
    const own = (name: string, value: number) => sysctl(`ipv6/conf/${device}/${name}`, value)
    own('accept_redirects', 1)
    own('accept_ra', 1)
    own('accept_ra_rt_info_min_plen', 0)
    own('accept_ra_rt_info_max_plen', 128)
    own('accept_ra_rtr_pref', 1)
    for (const family of [4, 6] as const) {
      this.#host.open({ family, port: PORT })
      this.#host.open({ family, port: PORT + 1, group: GROUPS[family] })
    }
  }

  input(bytes: Bytes): void {
    this.#host.input(bytes)
  }

  frames(): Bytes[] {
    return this.#host.receive().filter((each) => !isUpkeep(each))
  }

  send(payload: Bytes, to: string): string {
    return this.#host.send(to.includes(':') ? 6 : 4, PORT, payload, to, 9)
  }

  neighbor(address: string, mac: string): void {
    ip('neigh', 'replace', address, 'lladdr', mac, 'dev', this.#device)
  }

  gateway(address: string): void {
    ip(address.includes(':') ? '-6' : '-4', 'route', 'add', 'default', 'via', address, 'dev', this.#device)
  }

  settle(): void {
    const isTentative = () => ip('-6', '-o', 'addr', 'show', 'dev', this.#device).toString().includes('tentative')
    for (let tries = 0; isTentative() && tries < 500; tries++)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)
  }

  /** The kernel shows which groups have a timer that runs. */
  isAsked(family: 4 | 6): boolean {
    if (family === 4) {
      const word = Address.parse(GROUPS[4]).w3
      const key = [0, 8, 16, 24]
        .map((shift) => ((word >>> shift) & 255).toString(16).padStart(2, '0'))
        .join('')
        .toUpperCase()
      const row = readFileSync('/proc/thread-self/net/igmp', 'utf8')
        .split('\n')
        .find((each) => each.includes(key))
      return / 1:/.test(row ?? '')
    }
    // Since Linux 5.13 a query is looked at by a worker of the kernel, which may have to wait
    // (mld_query_work).
    for (let waited = 0; waited < QUERY_WORK; waited += 10) {
      if (this.#hasTimer6()) return true
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)
    }
    return this.#hasTimer6()
  }

  #hasTimer6(): boolean {
    const key = hex(Address.parse(GROUPS[6]).toBytes())
    const row = readFileSync('/proc/thread-self/net/igmp6', 'utf8')
      .split('\n')
      .find((each) => each.includes(key) && each.includes(this.#device))
    // Index, device, group, users, flags, and the time until the timer ends, or 0.
    return Number(row?.trim().split(/\s+/)[5]) > 0
  }

  close(): void {
    this.#host.close()
  }
}

class StackStation implements Station {
  readonly #clock = new ManualClock()
  readonly #stack: Stack
  readonly #link = new TestLink('eth0', 1500, NO_OFFLOAD, macBytes(OUR_MAC))
  readonly #endpoints: Record<4 | 6, Endpoint>

  constructor() {
    this.#stack = new Stack({
      clock: this.#clock,
      random: new SeededRandom('station'),
      icmpRateLimit: false,
      dad: false,
    })
    const nic = this.#stack.addNic(this.#link, { name: 'eth0', addresses: CIDRS })
    const bound = (family: 4 | 6, port = PORT) =>
      open(this.#stack, family, port, undefined, (endpoint) => {
        endpoint.ipv6Only = family === 6
      }).endpoint
    this.#endpoints = { 4: bound(4), 6: bound(6) }
    for (const family of [4, 6] as const) bound(family, PORT + 1).groups.join(Address.parse(GROUPS[family]), nic.index)
    // What is said about groups at first.
    this.#clock.advance(5000)
    this.#link.take()
  }

  input(bytes: Bytes): void {
    this.#link.receive(bytes)
  }

  frames(): Bytes[] {
    return this.#link.take().filter((each) => !isUpkeep(each))
  }

  send(payload: Bytes, to: string): string {
    return send(this.#endpoints[to.includes(':') ? 6 : 4], payload, to, 9)
  }

  neighbor(address: string, mac: string): void {
    this.#stack.addNeighbor('eth0', address, mac)
  }

  gateway(address: string): void {
    this.#stack.addRoute({ to: 'default', via: address, nic: 'eth0', metric: address.includes(':') ? 1024 : 0 })
  }

  settle(): void {}

  isAsked(family: 4 | 6): boolean {
    this.#clock.advance(30_000)
    const group = hex(Address.parse(GROUPS[family]).toBytes())
    return this.#link.take().some(
      (each) =>
        isUpkeep(each) &&
        hex(each)
          .slice(2 * 14 + 2 * 40 * (family === 4 ? 0 : 1))
          .includes(group),
    )
  }

  close(): void {
    this.#stack.close()
  }
}

let devices = 0

/** A pair of them, new and alike; call in a namespace of the test's own. */
export function makeStations(): { kernel: Station; stack: Station; close(): void } {
  const kernel = new KernelStation(`eth${devices++}`)
  const stack = new StackStation()
  return {
    kernel,
    stack,
    close() {
      kernel.close()
      stack.close()
    },
  }
}

/**
 * What a frame says about the way it takes: the station, the IP header, and how much there is. What
 * may differ is masked: see `compare.ts`.
 */
export function way(bytes: Bytes): string {
  const packet = inFrame(bytes)
  const header = packet.slice(0, version(packet) === 4 ? 20 : 40)
  if (header.length === 20) {
    header.fill(0, 4, 6)
    header.fill(0, 10, 12)
  } else {
    header[1] = (header[1] as number) & 0xf0
    header.fill(0, 2, 4)
  }
  return `${macDestination(bytes).replaceAll(':', '')} ${hex(header)} ${bytes.length}`
}
