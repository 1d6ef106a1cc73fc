/**
 * Sends one flood's frames through a packet socket, so many a second.
 *
 * Started with a JSON argument `{flood, interface, rate, seconds}`; prints `{sent}`.
 */
import koffi from 'koffi'
import { FLOODS, words } from '../../test/attack/floods.mjs'

const AF_PACKET = 17
const SOCK_RAW = 3
const { flood, interface: name, rate, seconds } = JSON.parse(process.argv[2])
const { make } = FLOODS.find((each) => each.name === flood)
const libc = koffi.load(null)
const socket = libc.func('int socket(int domain, int type, int protocol)')
const sendto = libc.func('long sendto(int fd, void *bytes, size_t length, int flags, void *address, int size)')
const interfaceIndex = libc.func('unsigned int if_nametoindex(const char *name)')

const fd = socket(AF_PACKET, SOCK_RAW, 0)
if (fd < 0) throw new Error(`A packet socket needs CAP_NET_RAW: errno ${koffi.errno()}`)
const address = new Uint8Array(20)
const view = new DataView(address.buffer)
view.setUint16(0, AF_PACKET, true)
view.setInt32(4, interfaceIndex(name), true)

const random = words(1)
const start = performance.now()
let sent = 0
for (;;) {
  const elapsed = (performance.now() - start) / 1000
  if (elapsed >= seconds) break
  const due = Math.min(elapsed * rate - sent, 200)
  for (let i = 0; i < due; i++) {
    const frame = make(sent++, random)
    sendto(fd, frame, frame.length, 0, address, 20)
  }
}
console.log(JSON.stringify({ sent }))
