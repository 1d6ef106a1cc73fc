/**
 * The kernel as a host that is driven in lock step: a packet is written into a TUN, and when the
 * write returns the kernel has processed it; its answers wait in the device, its datagrams in the
 * sockets. All calls are synchronous, so a test needs no time-outs.
 */
import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync, readFileSync, writeFileSync } from 'node:fs'
import { errnoName, type Libc, loadLibc } from '../../src/link/device/tun-libc.ts'
import { findInterface, type InterfaceInfo } from '../../src/link/device/tun-netlink.ts'
import type { Delivered, Host, SocketPlan } from './host.ts'
import { address, type Bytes, hex, u16 } from './raw-ip.ts'

const TUNSETIFF = 0x400454ca
const IFF_TUN_NO_PI = 0x1001
const IFF_TAP_NO_PI = 0x1002
const AF_INET = 2
const AF_INET6 = 10
const SOCK_DGRAM_NONBLOCK = 2 | 0o4000
const SOL_SOCKET = 1
const SO_RCVBUF = 8
const SO_RCVBUFFORCE = 33
const IPPROTO_IP = 0
const IPPROTO_IPV6 = 41
const IP_TOS = 1
const IP_TTL = 2
const IP_MTU_DISCOVER = 10
const IP_RECVTTL = 12
const IP_RECVTOS = 13
const IP_MTU = 14
const IP_ADD_MEMBERSHIP = 35
const IPV6_ADD_MEMBERSHIP = 20
const IPV6_MTU_DISCOVER = 23
const IPV6_MTU = 24
const IPV6_V6ONLY = 26
const IPV6_RECVHOPLIMIT = 51
const IPV6_HOPLIMIT = 52
const IPV6_RECVTCLASS = 66
const IPV6_TCLASS = 67
const EAGAIN = 11

/**
 * How much sooner than usual the kernel forgets fragments here: after 2 and 4 seconds, and its
 * timers may be an eighth late.
 */
export const HASTE = 15

export const sysctl = (name: string, value: string | number) => {
  try {
    writeFileSync(`/proc/sys/net/${name}`, String(value))
  } catch {
    // Older kernels lack some of these; the cases that depend on them then show it.
  }
}

export const ip = (...args: string[]) => execFileSync('ip', args, { stdio: ['ignore', 'pipe', 'inherit'] })

/**
 * Numbers in the machine's byte order: little-endian on every architecture koffi has binaries for.
 */
function native(size: 4 | 8, value: number): Bytes {
  const bytes = Buffer.alloc(size)
  if (size === 4) bytes.writeInt32LE(value)
  else bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}

function sockaddr(text: string, port: number, scope = 0): Bytes {
  const six = text.includes(':')
  const bytes = Buffer.alloc(six ? 28 : 16)
  bytes.writeUInt16LE(six ? AF_INET6 : AF_INET, 0)
  bytes.set(u16(port), 2)
  bytes.set(address(text), six ? 8 : 4)
  if (six) bytes.writeUInt32LE(scope, 24)
  return bytes
}

/**
 * Until packets to IPv6 addresses are taken: the kernel has an address at once, `nodad` or not, and
 * its local route when a worker comes to it (addrconf_dad_work).
 */
function awaitLocalRoutes(device: string, cidrs: readonly string[]): void {
  const missing = () => {
    const routes = readFileSync('/proc/thread-self/net/ipv6_route', 'utf8').split('\n')
    const isLocal = (key: string) => routes.some((row) => row.startsWith(`${key} 80 `) && row.endsWith(` ${device}`))
    return cidrs.filter((cidr) => cidr.includes(':') && !isLocal(hex(address(cidr.split('/')[0] as string))))
  }
  const end = performance.now() + 20_000
  for (let left = missing(); left.length > 0; left = missing()) {
    if (performance.now() > end) throw new Error(`The kernel does not take up ${left.join(' ')}.`)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
  }
}

class KernelSocket {
  readonly plan: SocketPlan
  readonly fd: number
  constructor(plan: SocketPlan, fd: number) {
    this.plan = plan
    this.fd = fd
  }
}

export class KernelHost implements Host {
  readonly #libc: Libc
  /** Of the devices. */
  readonly #fds: number[] = []
  readonly #sockets: KernelSocket[] = []
  readonly #buffer = new Uint8Array(70_000)
  readonly #bufferAddress: number
  readonly #out = new Uint8Array(70_000)
  readonly #outAddress: number
  readonly #name = new Uint8Array(28)
  readonly #control = new Uint8Array(256)
  readonly #iov = new Uint8Array(16)
  readonly #message = new Uint8Array(56)
  readonly #messageView = new DataView(this.#message.buffer)
  readonly #messageAddress: number
  readonly #recvmsg: (fd: number, message: number, flags: number) => number
  readonly #setsockopt: (fd: number, level: number, option: number, value: Uint8Array, length: number) => number
  readonly #getsockopt: (fd: number, level: number, option: number, value: Uint8Array, length: Uint8Array) => number
  readonly #sendto: (
    fd: number,
    payload: Uint8Array,
    length: number,
    flags: number,
    name: Uint8Array,
    nameLength: number,
  ) => number
  readonly #call: Record<'bind' | 'connect', (fd: number, name: Uint8Array, length: number) => number>
  readonly device: string
  readonly #hardwareAddress: string

  /**
   * Call inside a namespace of the test's own. With a hardware address its links are TAP devices,
   * and packets are frames.
   */
  constructor(device: string, addresses: readonly string[], mtu = 1500, hardwareAddress = '') {
    this.device = device
    this.#hardwareAddress = hardwareAddress
    this.#libc = loadLibc()
    const { library, addressOf } = this.#libc
    this.#recvmsg = library.func('recvmsg', 'intptr_t', ['int', 'intptr_t', 'int'])
    this.#setsockopt = library.func('setsockopt', 'int', ['int', 'int', 'int', 'void *', 'uint32'])
    this.#getsockopt = library.func('getsockopt', 'int', ['int', 'int', 'int', 'void *', 'void *'])
    this.#sendto = library.func('sendto', 'intptr_t', ['int', 'void *', 'size_t', 'int', 'void *', 'uint32'])
    this.#call = {
      bind: library.func('bind', 'int', ['int', 'void *', 'uint32']),
      connect: library.func('connect', 'int', ['int', 'void *', 'uint32']),
    }
    this.#bufferAddress = addressOf(this.#buffer)
    this.#outAddress = addressOf(this.#out)
    this.#messageAddress = addressOf(this.#message)
    const put = (at: number, value: number) => this.#message.set(native(8, value), at)
    put(0, addressOf(this.#name))
    this.#iov.set(native(8, this.#bufferAddress), 0)
    this.#iov.set(native(8, this.#buffer.length), 8)
    put(16, addressOf(this.#iov))
    put(24, 1)
    put(32, addressOf(this.#control))

    for (const family of ['ipv4', 'ipv6']) {
      for (const scope of ['all', 'default']) {
        sysctl(`${family}/conf/${scope}/rp_filter`, 0)
        sysctl(`${family}/conf/${scope}/router_solicitations`, 0)
        sysctl(`${family}/conf/${scope}/accept_ra`, 0)
        sysctl(`${family}/conf/${scope}/accept_dad`, 0)
      }
    }
    sysctl('ipv6/conf/default/addr_gen_mode', 1)
    sysctl('ipv4/icmp_ratelimit', 0)
    sysctl('ipv4/icmp_msgs_per_sec', 100_000_000)
    sysctl('ipv4/icmp_msgs_burst', 100_000_000)
    sysctl('ipv6/icmp/ratelimit', 0)
    // A queue per trial, and a short memory, so that no trial meets what an earlier one left.
    sysctl('ipv4/ipfrag_max_dist', 0)
    for (const name of ['ipv4/ipfrag', 'ipv6/ip6frag']) {
      sysctl(`${name}_high_thresh`, 1 << 30)
      sysctl(`${name}_low_thresh`, 1 << 29)
    }

    sysctl('ipv4/ipfrag_time', 30 / HASTE)
    sysctl('ipv6/ip6frag_time', 60 / HASTE)

    this.addLink(device, addresses, mtu)
  }

  get links(): number {
    return this.#fds.length
  }

  /** Opens a device. */
  addLink(device: string, addresses: readonly string[], mtu: number): void {
    const fd = openSync('/dev/net/tun', constants.O_RDWR | constants.O_NONBLOCK)
    const request = new Uint8Array(40)
    request.set(Buffer.from(device))
    const ethernet = this.#hardwareAddress !== ''
    new DataView(request.buffer).setUint16(16, ethernet ? IFF_TAP_NO_PI : IFF_TUN_NO_PI, true)
    if (this.#libc.ioctl(fd, TUNSETIFF, request) < 0) throw new Error(`TUNSETIFF: ${errnoName(this.#libc.errno())}`)
    if (ethernet) ip('link', 'set', device, 'address', this.#hardwareAddress)
    ip('link', 'set', device, 'mtu', String(mtu), 'txqueuelen', '10000', 'up')
    // With a queueing discipline a packet may wait for the other CPU, which is just sending one of
    // the kernel's own (an MLD report): it comes out after the reader has looked.
    execFileSync('tc', ['qdisc', 'replace', 'dev', device, 'root', 'noqueue'])
    for (const each of addresses)
      ip('address', 'add', each, 'dev', device, ...(each.includes(':') ? ['nodad'] : ['broadcast', '+']))
    awaitLocalRoutes(device, addresses)
    sysctl(`ipv4/conf/${device}/rp_filter`, 0)
    this.receive(this.#fds.push(fd) - 1)
  }

  open(plan: SocketPlan): void {
    const six = plan.family === 6
    const fd = this.#libc.socket(six ? AF_INET6 : AF_INET, SOCK_DGRAM_NONBLOCK, 0)
    const set = (level: number, option: number, value: Uint8Array) => {
      if (this.#setsockopt(fd, level, option, value, value.length) < 0)
        throw new Error(`setsockopt ${option}: ${this.#error()}`)
    }
    const one = native(4, 1)
    // More than net.core.rmem_max is for the machine's own root, not for that of a user namespace.
    const buffer = native(4, 4 << 20)
    if (this.#setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, buffer, 4) < 0) set(SOL_SOCKET, SO_RCVBUF, buffer)
    set(IPPROTO_IP, IP_RECVTTL, one)
    set(IPPROTO_IP, IP_RECVTOS, one)
    if (six) {
      set(IPPROTO_IPV6, IPV6_V6ONLY, native(4, plan.dual === true ? 0 : 1))
      set(IPPROTO_IPV6, IPV6_RECVHOPLIMIT, one)
      set(IPPROTO_IPV6, IPV6_RECVTCLASS, one)
    }
    const local = sockaddr(plan.address ?? (six ? '::' : '0.0.0.0'), plan.port)
    if (this.#call.bind(fd, local, local.length) < 0) throw new Error(`bind ${plan.port}: ${this.#error()}`)
    if (plan.peer !== undefined) {
      const peer = sockaddr(plan.peer, plan.peerPort ?? 0)
      if (this.#call.connect(fd, peer, peer.length) < 0) throw new Error(`connect ${plan.peer}: ${this.#error()}`)
    }
    if (plan.group !== undefined) {
      const index = (findInterface(this.#libc, this.device) as InterfaceInfo).index
      if (six) set(IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, Buffer.concat([address(plan.group), native(4, index)]))
      else
        set(IPPROTO_IP, IP_ADD_MEMBERSHIP, Buffer.concat([address(plan.group), address('0.0.0.0'), native(4, index)]))
    }
    this.#sockets.push(new KernelSocket(plan, fd))
    this.receive()
  }

  send(family: 4 | 6, port: number, payload: Bytes, to: string, toPort: number): string {
    const name = sockaddr(to, toPort)
    return this.#sendto(this.#find(family, port).fd, payload, payload.length, 0, name, name.length) < 0
      ? this.#error()
      : ''
  }

  setMtuDiscover(family: 4 | 6, port: number, mode: number): void {
    const [level, option] = family === 4 ? [IPPROTO_IP, IP_MTU_DISCOVER] : [IPPROTO_IPV6, IPV6_MTU_DISCOVER]
    if (this.#setsockopt(this.#find(family, port).fd, level, option, native(4, mode), 4) < 0)
      throw new Error(`setsockopt ${option}: ${this.#error()}`)
  }

  knownMtu(family: 4 | 6, port: number): number {
    const [level, option] = family === 4 ? [IPPROTO_IP, IP_MTU] : [IPPROTO_IPV6, IPV6_MTU]
    const value = new Uint8Array(4)
    if (this.#getsockopt(this.#find(family, port).fd, level, option, value, native(4, 4)) < 0)
      throw new Error(`getsockopt ${option}: ${this.#error()}`)
    return new DataView(value.buffer).getInt32(0, true)
  }

  #find(family: 4 | 6, port: number): KernelSocket {
    return this.#sockets.find(({ plan }) => plan.port === port && plan.family === family) as KernelSocket
  }

  input(packet: Bytes, link = 0): void {
    this.#out.set(packet)
    // The device itself refuses what is no IP packet at all (EINVAL); that is a discard.
    this.#libc.write(this.#fds[link] as number, this.#outAddress, packet.length)
  }

  /** What the kernel sent since the last call. */
  receive(link = 0): Bytes[] {
    const packets: Bytes[] = []
    for (;;) {
      const length = this.#libc.read(this.#fds[link] as number, this.#bufferAddress, this.#buffer.length)
      if (length < 0) return packets
      packets.push(this.#buffer.slice(0, length))
    }
  }

  delivered(): Delivered[] {
    const all: Delivered[] = []
    for (const { plan, fd } of this.#sockets) {
      for (;;) {
        const view = this.#messageView
        view.setUint32(8, 28, true)
        view.setUint32(40, this.#control.length, true)
        const length = this.#recvmsg(fd, this.#messageAddress, 0)
        if (length < 0) {
          const errno = this.#libc.errno()
          if (errno === EAGAIN) break
          all.push({ port: plan.port, error: errnoName(errno), from: '', payload: '', hopLimit: 0, tos: 0 })
          continue
        }
        all.push(this.#datagram(plan, length, view.getUint32(40, true)))
      }
    }
    return all
  }

  timeOfDay(): number {
    return Date.now() % 86_400_000
  }

  close(): void {
    for (const { fd } of this.#sockets.splice(0)) this.#libc.close(fd)
    for (const fd of this.#fds) closeSync(fd)
  }

  #datagram(plan: SocketPlan, length: number, controlLength: number): Delivered {
    const name = Buffer.from(this.#name.buffer)
    const six = name.readUInt16LE(0) === AF_INET6
    const from = `${six ? name.toString('hex', 8, 24) : name.toString('hex', 4, 8)}:${name.readUInt16BE(2)}`
    let hopLimit = -1
    let tos = -1
    const control = new DataView(this.#control.buffer)
    for (let at = 0; at + 16 <= controlLength; ) {
      const size = control.getUint32(at, true)
      const level = control.getInt32(at + 8, true)
      const type = control.getInt32(at + 12, true)
      if (level === IPPROTO_IP && type === IP_TTL) hopLimit = control.getInt32(at + 16, true)
      else if (level === IPPROTO_IP && type === IP_TOS) tos = control.getUint8(at + 16)
      else if (level === IPPROTO_IPV6 && type === IPV6_HOPLIMIT) hopLimit = control.getInt32(at + 16, true)
      else if (level === IPPROTO_IPV6 && type === IPV6_TCLASS) tos = control.getInt32(at + 16, true)
      at += (size + 7) & ~7
    }
    return {
      port: plan.port,
      error: '',
      from,
      payload: Buffer.from(this.#buffer.buffer, 0, length).toString('hex'),
      hopLimit,
      tos,
    }
  }

  #error(): string {
    return errnoName(this.#libc.errno())
  }
}
