/** What several benchmarks share. */
import { Address } from '../dist/base/address.js'
import { Drop } from '../dist/base/drop.js'
import { NO_OFFLOAD } from '../dist/link/link.js'
import { Stack } from '../dist/stack.js'

/** A link that keeps a copy of the last frame when asked to, and nothing else. */
export class CollectingLink {
  name = 'collecting'
  medium = 'ip'
  mtu = 1500
  offload = NO_OFFLOAD
  hardwareAddress = null
  loopback = false
  keep = false
  last = null
  attach() {}
  send(packet) {
    if (this.keep) this.last = packet.copy()
    return Drop.None
  }
  flush() {}
  close() {}
  ref() {}
  unref() {}
}

/**
 * A UDP packet of `size` payload bytes from host 1 port 5000 to host 2 port 5000, as the stack
 * sends it.
 */
export function datagram(family, size) {
  const stack = new Stack()
  const link = new CollectingLink()
  link.keep = true
  stack.addNic(link, { addresses: ['10.0.0.1/24', 'fd00::1/64'] })
  const endpoint = stack.udp.createEndpoint(family, { receive() {}, flush() {}, icmp() {} })
  endpoint.bind(family === 4 ? Address.ANY4 : Address.ANY6, 5000)
  const packet = endpoint.beginSend(size)
  packet.bytes.fill(7, packet.start, packet.end)
  endpoint.send(packet, Address.parse(family === 4 ? '10.0.0.2' : 'fd00::2'), 5000, 0, null)
  stack.close()
  return link.last
}
