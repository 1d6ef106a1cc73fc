/**
 * A raw socket of the kernel's: sends whole IPv4 packets, with what no UDP socket would put into
 * them.
 */
import koffi from 'koffi'
import { Address } from '../../src/base/address.ts'

const AF_INET = 2
const SOCK_RAW = 3
const IPPROTO_RAW = 255

/** @throws {Error} when the kernel refuses */
export function sendRaw(packet: Uint8Array, destination: string): void {
  const libc = koffi.load('libc.so.6')
  const socket = libc.func('int socket(int, int, int)')
  const sendto = libc.func('long sendto(int, void *, size_t, int, void *, int)')
  const close = libc.func('int close(int)')
  const to = new Uint8Array(16)
  to[0] = AF_INET
  to.set(Address.parse(destination).toBytes(), 4)
  const descriptor = socket(AF_INET, SOCK_RAW, IPPROTO_RAW)
  if (descriptor < 0) throw new Error('no raw socket: it needs CAP_NET_RAW')
  const sent = sendto(descriptor, packet, packet.length, 0, to, to.length)
  close(descriptor)
  if (Number(sent) !== packet.length) throw new Error(`the raw socket did not send to ${destination}`)
}
