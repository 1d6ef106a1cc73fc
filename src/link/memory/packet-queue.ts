import type { Packet } from '../../base/packet.ts'

/**
 * Packets in the order in which they were pushed. Each holds the one behind it, so that a queue is
 * two references; a packet waits in one queue at a time.
 */
export class PacketQueue {
  first: Packet | null = null
  last: Packet | null = null
  length = 0

  push(packet: Packet): void {
    if (this.last === null) this.first = packet
    else this.last.next = packet
    this.last = packet
    this.length++
  }

  shift(): Packet | null {
    const packet = this.first
    if (packet === null) return null
    this.first = packet.next
    if (packet.next === null) this.last = null
    packet.next = null
    this.length--
    return packet
  }

  clear(): void {
    this.first = this.last = null
    this.length = 0
  }
}
