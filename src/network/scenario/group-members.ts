/** The groups that a scenario's hosts are members of. */
import { Address } from '../../base/address.ts'
import type { Stack } from '../../stack.ts'

/** Joins a multicast group on all links of a host. @throws {Error} for an address that is none */
export function joinGroup(stack: Stack, text: string): void {
  const group = Address.parse(text)
  if (!group.isMulticast) throw new Error(`${text} is no multicast group, such as 239.1.2.3 or ff15::1`)
  const endpoint = stack.udp.createEndpoint(group.family, { receive() {}, flush() {}, icmp() {} })
  for (const { index, link } of stack.nics) {
    const errno = link.loopback ? '' : endpoint.groups.join(group, index)
    if (errno !== '') throw new Error(`${stack.name} cannot join ${text}: ${errno}`)
  }
}
