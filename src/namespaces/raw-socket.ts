/** A raw socket of the kernel for ICMP to one address, in the namespace where it is made. */
import { closeSync } from 'node:fs'
import { Address } from '../base/address.ts'
import { LITTLE } from '../link/device/netlink.ts'
import { openOwned } from '../link/device/tun-descriptor.ts'
import { type Libc, loadLibc } from '../link/device/tun-libc.ts'
import { ICMPV4, ICMPV6 } from '../wire/protocol.ts'

const AF_INET = 2
const AF_INET6 = 10
const SOCK_RAW_NONBLOCK_CLOEXEC = 3 | 0o4000 | 0o2000000

// struct sockaddr_in: family u16, port u16, address, 8 bytes of nothing.
const SOCKADDR_IN = 16
// struct sockaddr_in6: family u16, port u16, flow information u32, address, scope u32.
const SOCKADDR_IN6 = 28

export class RawSocket {
  readonly #libc: Libc
  readonly #fd: number
  readonly #reply = new Uint8Array(256)

  /** @throws {Error} with the kernel's `code` when it is not permitted */
  constructor(family: 4 | 6, to: string) {
    const libc = loadLibc()
    const [domain, protocol] = family === 4 ? [AF_INET, ICMPV4] : [AF_INET6, ICMPV6]
    this.#libc = libc
    this.#fd = openOwned(libc, 'socket', 'No raw socket can be had', () =>
      libc.socket(domain, SOCK_RAW_NONBLOCK_CLOEXEC, protocol),
    )
    const name = new Uint8Array(family === 4 ? SOCKADDR_IN : SOCKADDR_IN6)
    new DataView(name.buffer).setUint16(0, domain, LITTLE)
    name.set(Address.parse(to).toBytes(), family === 4 ? 4 : 8)
    libc.library.func('int connect(int fd, void *address, uint length)')(this.#fd, name, name.length)
  }

  send(message: Uint8Array): void {
    this.#libc.send(this.#fd, message, message.length, 0)
  }

  /** Whether something has come, which is discarded. */
  receive(): boolean {
    return this.#libc.recv(this.#fd, this.#reply, this.#reply.length, 0) >= 0
  }

  close(): void {
    closeSync(this.#fd)
  }
}
