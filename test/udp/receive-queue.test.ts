import { describe, expect, test } from 'vitest'
import { Drop } from '../../src/base/drop.ts'
import { Packet } from '../../src/base/packet.ts'
import { ReceiveQueue } from '../../src/udp/receive-queue.ts'

function makeQueue(receiveBuffer = 2304, minHopLimit = 0) {
  const ready: ReceiveQueue[] = []
  const seen: string[] = []
  const queue = new ReceiveQueue(
    {
      receive: (packet, port) => void seen.push(`${packet.length} from ${port}`),
      flush: () => void seen.push('flush'),
      icmp() {},
    },
    { receiveBuffer, minHopLimit },
    { add: (each) => void ready.push(each) },
  )
  return { queue, ready, seen }
}

function datagram(length: number, hopLimit = 64) {
  const packet = new Packet(4096).load(new Uint8Array(length))
  packet.hopLimit = hopLimit
  return packet
}

describe('a receive queue', () => {
  test('takes datagrams until they and 512 bytes for each fill the buffer, and more when they are released', () => {
    const { queue, seen } = makeQueue()
    const offer = () => queue.deliver(datagram(640), 9)
    expect([offer(), offer(), offer()]).toEqual([Drop.None, Drop.None, Drop.UdpReceiveBuffer])
    expect(queue.charged).toBe(2 * (640 + 512))
    queue.release(640)
    expect(offer()).toBe(Drop.None)
    expect(seen).toEqual(Array(3).fill('640 from 9'))
  })

  test('takes one datagram whatever its length, as Linux', () => {
    const { queue } = makeQueue()
    expect([queue.deliver(datagram(3000), 9), queue.deliver(datagram(0), 9)]).toEqual([
      Drop.None,
      Drop.UdpReceiveBuffer,
    ])
  })

  test('refuses what has a lower hop limit than is asked for, and charges nothing for it', () => {
    const { queue, ready } = makeQueue(2304, 255)
    expect([queue.deliver(datagram(1, 254), 9), queue.deliver(datagram(1, 255), 9)]).toEqual([
      Drop.UdpHopLimit,
      Drop.None,
    ])
    expect([queue.charged, ready.length]).toEqual([513, 1])
  })

  test('asks once a wake-up for a flush, for a datagram or an error', () => {
    const { queue, ready, seen } = makeQueue()
    queue.deliver(datagram(1), 9)
    queue.chargeError([])
    expect(ready).toEqual([queue])
    queue.flush()
    queue.chargeError([])
    expect(ready).toEqual([queue, queue])
    expect(seen).toEqual(['1 from 9', 'flush'])
  })

  test('has room for ICMP errors as for datagrams: 768 bytes, and 512 and its length for each extension', () => {
    const { queue } = makeQueue()
    const extensions = [{ class: 1, type: 1, payload: new Uint8Array(4) }]
    expect(queue.hasRoomFor(extensions)).toBe(true)
    queue.chargeError(extensions)
    expect(queue.charged).toBe(768 + 516)
    expect(queue.hasRoomFor(extensions)).toBe(false)
    queue.releaseError(extensions)
    expect(queue.charged).toBe(0)
  })
})
