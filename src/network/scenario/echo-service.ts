/** The echo service of a scenario's hosts. */
import { Address } from '../../base/address.ts'
import type { Stack } from '../../stack.ts'
import type { Endpoint } from '../../udp/endpoint.ts'

/** Sends back what comes to a port, in both families. */
export function echo(stack: Stack, port: number): void {
  const waiting: { bytes: Uint8Array; to: Address; port: number; nic: number; source: Address }[] = []
  const endpoint: Endpoint = stack.udp.createEndpoint(6, {
    receive(packet, sourcePort) {
      const { start, end } = packet
      endpoint.release(end - start)
      const to = new Address(packet.s0, packet.s1, packet.s2, packet.s3)
      const source = new Address(packet.d0, packet.d1, packet.d2, packet.d3)
      waiting.push({
        bytes: packet.bytes.slice(start, end),
        to,
        port: sourcePort,
        nic: to.isLinkLocal ? packet.nic : 0,
        source,
      })
    },
    flush() {
      for (const { bytes, to, port: toPort, nic, source } of waiting.splice(0)) {
        const packet = endpoint.beginSend(bytes.length)
        packet.bytes.set(bytes, packet.start)
        endpoint.send(packet, to, toPort, nic, source.isMulticast ? null : { source })
      }
      for (const { link } of stack.nics) link.flush()
    },
    icmp() {},
  })
  const errno = endpoint.bind(Address.ANY6, port)
  if (errno !== '') throw new Error(`the port ${port} of ${stack.name} cannot be opened: ${errno}`)
}
