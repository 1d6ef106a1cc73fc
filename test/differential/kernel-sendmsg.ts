/** `sendmsg` with IP_PKTINFO or IPV6_PKTINFO on a socket of node:dgram, which lacks it. */
import { isIPv4 } from 'node:net'
import { errnoName, loadLibc } from '../../src/link/device/tun-libc.ts'
import { findInterface } from '../../src/link/device/tun-netlink.ts'
import { address, type Bytes, u16 } from './raw-ip.ts'

const AF_INET = 2
const AF_INET6 = 10
const IPPROTO_IP = 0
const IP_PKTINFO = 8
const IPPROTO_IPV6 = 41
const IPV6_PKTINFO = 50

const { library, addressOf, errno } = loadLibc()
const libc = loadLibc()
const sendmsg = library.func('sendmsg', 'intptr_t', ['int', 'intptr_t', 'int']) as (
  fd: number,
  message: number,
  flags: number,
) => number

/** An address without its zone, and the zone's index. */
function split(text: string): [Bytes, number] {
  const [host = '', zone = ''] = text.split('%')
  // What the helper of this folder does not read.
  const bytes =
    host.startsWith('::ffff:') && host.includes('.')
      ? Buffer.from([...MAPPED, ...address(host.slice(7))])
      : address(host)
  return [bytes, zone === '' ? 0 : (findInterface(libc, zone)?.index ?? 0)]
}

const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]

function sockaddr(text: string, port: number): Bytes {
  const [bytes, scope] = split(text)
  const six = bytes.length === 16
  const name = Buffer.alloc(six ? 28 : 16)
  name.writeUInt16LE(six ? AF_INET6 : AF_INET, 0)
  name.set(u16(port), 2)
  name.set(bytes, six ? 8 : 4)
  if (six) name.writeUInt32LE(scope, 24)
  return name
}

/** The control message. A source with a zone names the interface as well. */
function packetInfo(to: string, source: string | undefined, device: string | undefined): Bytes {
  const six = to.includes(':')
  const any = six ? (to.startsWith('::ffff:') && to.includes('.') ? '::ffff:0.0.0.0' : '::') : '0.0.0.0'
  const [bytes, zone] = split(source ?? any)
  const index = device === undefined ? zone : (findInterface(libc, device)?.index ?? 0)
  const data = Buffer.alloc(six ? 20 : 12)
  if (six) {
    data.set(bytes, 0)
    data.writeUInt32LE(index, 16)
  } else {
    data.writeUInt32LE(index, 0)
    data.set(bytes, 4)
  }
  const message = Buffer.alloc(16 + ((data.length + 7) & ~7))
  message.writeBigUInt64LE(BigInt(16 + data.length), 0)
  message.writeInt32LE(six ? IPPROTO_IPV6 : IPPROTO_IP, 8)
  message.writeInt32LE(six ? IPV6_PKTINFO : IP_PKTINFO, 12)
  message.set(data, 16)
  return message
}

/** @returns an errno name, or `''` */
export function sendWithInfo(
  fd: number,
  payload: Bytes,
  to: string,
  port: number,
  source: string | undefined,
  device: string | undefined,
): string {
  if (isIPv4(to) === to.includes(':')) throw new Error(`not an address: ${to}`)
  const name = sockaddr(to, port)
  const control = packetInfo(to, source, device)
  const data = Buffer.from(payload)
  const iov = Buffer.alloc(16)
  iov.writeBigUInt64LE(BigInt(addressOf(data)), 0)
  iov.writeBigUInt64LE(BigInt(data.length), 8)
  const message = Buffer.alloc(56)
  message.writeBigUInt64LE(BigInt(addressOf(name)), 0)
  message.writeUInt32LE(name.length, 8)
  message.writeBigUInt64LE(BigInt(addressOf(iov)), 16)
  message.writeBigUInt64LE(1n, 24)
  message.writeBigUInt64LE(BigInt(addressOf(control)), 32)
  message.writeBigUInt64LE(BigInt(control.length), 40)
  return sendmsg(fd, addressOf(message), 0) < 0 ? errnoName(errno()) : ''
}
