/** A raw socket of the kernel's, all calls synchronous: raw(7), ipv6(7). */
import { errnoName, loadLibc } from '../../src/link/device/tun-libc.ts'
import { address, type Bytes, u16 } from './raw-ip.ts'

const AF_INET = 2
const AF_INET6 = 10
const SOCK_RAW_NONBLOCK = 3 | 0o4000
const SOL_SOCKET = 1
const IPPROTO_IP = 0
const IPPROTO_IPV6 = 41
const IPPROTO_RAW = 255
const IP_PKTINFO = 8
const IPV6_PKTINFO = 50
const EAGAIN = 11

/** Level and name of what the tests set, over IPv4 and IPv6; each takes an int. */
const OPTIONS = {
  hopLimit: [
    [IPPROTO_IP, 2],
    [IPPROTO_IPV6, 16],
  ],
  multicastHopLimit: [
    [IPPROTO_IP, 33],
    [IPPROTO_IPV6, 18],
  ],
  multicastLoop: [
    [IPPROTO_IP, 34],
    [IPPROTO_IPV6, 19],
  ],
  tos: [
    [IPPROTO_IP, 1],
    [IPPROTO_IPV6, 67],
  ],
  pmtuMode: [
    [IPPROTO_IP, 10],
    [IPPROTO_IPV6, 23],
  ],
  receiveErrors: [
    [IPPROTO_IP, 11],
    [IPPROTO_IPV6, 25],
  ],
  headerIncluded: [
    [IPPROTO_IP, 3],
    [IPPROTO_IPV6, 36],
  ],
  broadcast: [
    [SOL_SOCKET, 6],
    [SOL_SOCKET, 6],
  ],
  dontRoute: [
    [SOL_SOCKET, 5],
    [SOL_SOCKET, 5],
  ],
  checksumOffset: [
    [IPPROTO_RAW, 7],
    [IPPROTO_IPV6, 7],
  ],
} as const satisfies Record<string, readonly [readonly [number, number], readonly [number, number]]>

const libc = loadLibc()
const { library } = libc
const setsockopt = library.func('setsockopt', 'int', ['int', 'int', 'int', 'void *', 'uint32'])
const bind = library.func('bind', 'int', ['int', 'void *', 'uint32'])
const connect = library.func('connect', 'int', ['int', 'void *', 'uint32'])
const sendto = library.func('sendto', 'intptr_t', ['int', 'void *', 'size_t', 'int', 'void *', 'uint32'])
const sendmsg = library.func('sendmsg', 'intptr_t', ['int', 'intptr_t', 'int'])
const recv = library.func('recv', 'intptr_t', ['int', 'void *', 'size_t', 'int'])
const close = library.func('close', 'int', ['int'])

function sockaddr(text: string): Bytes {
  const six = text.includes(':')
  const bytes = Buffer.alloc(six ? 28 : 16)
  bytes.writeUInt16LE(six ? AF_INET6 : AF_INET, 0)
  bytes.set(u16(0), 2)
  bytes.set(address(text), six ? 8 : 4)
  return bytes
}

const int = (value: number): Bytes => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32LE(value)
  return bytes
}

/** A control message with the source address of one packet. */
function packetInfo(source: string): Bytes {
  const six = source.includes(':')
  const data = Buffer.alloc(six ? 20 : 12)
  data.set(address(source), six ? 0 : 4)
  const message = Buffer.alloc(16 + ((data.length + 7) & ~7))
  message.writeBigUInt64LE(BigInt(16 + data.length), 0)
  message.writeInt32LE(six ? IPPROTO_IPV6 : IPPROTO_IP, 8)
  message.writeInt32LE(six ? IPV6_PKTINFO : IP_PKTINFO, 12)
  message.set(data, 16)
  return message
}

export class KernelRaw {
  readonly #family: 4 | 6
  readonly #fd: number
  #closed = false
  readonly #buffer = new Uint8Array(70_000)

  constructor(family: 4 | 6, protocol: number) {
    this.#family = family
    this.#fd = libc.socket(family === 4 ? AF_INET : AF_INET6, SOCK_RAW_NONBLOCK, protocol)
    if (this.#fd < 0) throw new Error(`no raw socket: ${this.#error()}`)
  }

  /** @returns an errno name, or `''` */
  set(option: keyof typeof OPTIONS, value: number): string {
    const [level, name] = OPTIONS[option][this.#family === 4 ? 0 : 1]
    return this.#result(setsockopt(this.#fd, level, name, int(value), 4))
  }

  /** IP_OPTIONS. */
  setIpOptions(options: Bytes): string {
    return this.#result(setsockopt(this.#fd, IPPROTO_IP, 4, options, options.length))
  }

  /** IP_ADD_MEMBERSHIP, IPV6_ADD_MEMBERSHIP. */
  join(group: string, nic: number): string {
    const value =
      this.#family === 4
        ? Buffer.concat([address(group), address('0.0.0.0'), int(nic)])
        : Buffer.concat([address(group), int(nic)])
    const [level, name] = this.#family === 4 ? [IPPROTO_IP, 35] : [IPPROTO_IPV6, 20]
    return this.#result(setsockopt(this.#fd, level, name, value, value.length))
  }

  bind(local: string): string {
    const name = sockaddr(local)
    return this.#result(bind(this.#fd, name, name.length))
  }

  connect(peer: string): string {
    const name = sockaddr(peer)
    return this.#result(connect(this.#fd, name, name.length))
  }

  send(bytes: Bytes, to: string | null, source?: string): string {
    const name = to === null ? null : sockaddr(to)
    if (source === undefined) return this.#result(sendto(this.#fd, bytes, bytes.length, 0, name, name?.length ?? 0))
    return this.#sendFrom(bytes, name as Bytes, packetInfo(source))
  }

  #sendFrom(bytes: Bytes, name: Bytes, control: Bytes): string {
    const content = Buffer.from(bytes)
    const iov = Buffer.alloc(16)
    iov.writeBigUInt64LE(BigInt(libc.addressOf(content)), 0)
    iov.writeBigUInt64LE(BigInt(content.length), 8)
    const message = Buffer.alloc(56)
    const put = (at: number, value: number) => message.writeBigUInt64LE(BigInt(value), at)
    put(0, libc.addressOf(name))
    message.writeUInt32LE(name.length, 8)
    put(16, libc.addressOf(iov))
    put(24, 1)
    put(32, libc.addressOf(control))
    put(40, control.length)
    return this.#result(sendmsg(this.#fd, libc.addressOf(message), 0))
  }

  /** What waits: messages, and the names of errors, in the order in which the kernel tells them. */
  take(): (Bytes | string)[] {
    const taken: (Bytes | string)[] = []
    while (!this.#closed) {
      const length = Number(recv(this.#fd, this.#buffer, this.#buffer.length, 0))
      if (length >= 0) taken.push(this.#buffer.slice(0, length))
      else if (libc.errno() === EAGAIN) return taken
      else taken.push(this.#error())
    }
    return taken
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    close(this.#fd)
  }

  #result(value: unknown): string {
    return Number(value) < 0 ? this.#error() : ''
  }

  #error(): string {
    return errnoName(libc.errno())
  }
}
