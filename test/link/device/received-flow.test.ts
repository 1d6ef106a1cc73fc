/** Datagrams that a router reads in one wake-up, and what they go on as. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ChecksumState, Packet } from '../../../src/base/packet.ts'
import { completeChecksum } from '../../../src/link/checksum-offload.ts'
import { ReceivedFlow } from '../../../src/link/device/received-flow.ts'
import { mergedVnetHeader } from '../../../src/link/device/tun-offload.ts'
import type { LinkReceiver } from '../../../src/link/link.ts'
import { segmentsOf } from '../../../src/link/segmenter.ts'
import { readVnet, takeApart, udpAt } from '../../twins/segments.ts'
import { hex, make, pseudoSum, type Sent, shape } from '../offload-traffic.ts'

/** What each input stands for, and the packets themselves, on a wire. */
function wakeUp(sent: readonly Sent[], takes: (packet: Packet) => boolean) {
  const inputs: number[] = []
  const arrived: Uint8Array[] = []
  let asked = 0
  const receiver: LinkReceiver = {
    input: (packet) => {
      inputs.push(segmentsOf(packet))
      if (packet.segmentLength > 0) {
        const { start } = packet
        mergedVnetHeader(packet)
        arrived.push(...(takeApart(readVnet(packet.copy())) as Uint8Array[]))
        packet.start = start
        return
      }
      const copy = new Packet().load(packet.copy())
      if (packet.checksumState === ChecksumState.Partial) completeChecksum(copy)
      arrived.push(copy.copy())
    },
    takesMerged: (packet) => {
      asked++
      return takes(packet)
    },
    idle() {},
    dropped() {},
    failed() {},
  }
  const flow = new ReceivedFlow((packet) => receiver.input(packet))
  const lent = new Packet()
  flow.begin(receiver)
  for (const { bytes, partial } of sent) {
    lent.load(bytes)
    if (partial) {
      const at = udpAt(bytes)
      lent.view.setUint16(lent.start + at + 6, pseudoSum(bytes, at))
      lent.checksumState = ChecksumState.Partial
    }
    flow.take(lent)
  }
  flow.end()
  return { inputs, arrived, asked }
}

const plain = { size: 100, step: 1, surplus: 0, field: 'none', state: 'partial' } as const
const alike = (family: 4 | 6, count: number) => Array.from({ length: count }, (_, i) => make(family, plain, 7 + i, i))

test.each([4, 6] as const)('those of one flow go on as one packet (IPv%s)', (family) => {
  const sent = alike(family, 20)
  const { inputs, arrived } = wakeUp(sent, () => true)
  expect(inputs).toEqual([20])
  expect(hex(arrived)).toEqual(hex(sent.map(({ bytes }) => bytes)))
})

test('a host, which takes none merged, gets each as it came, and is asked once in a wake-up', () => {
  const sent = alike(4, 20)
  const { inputs, arrived, asked } = wakeUp(sent, () => false)
  expect([inputs, asked]).toEqual([new Array(20).fill(1), 1])
  expect(hex(arrived)).toEqual(hex(sent.map(({ bytes }) => bytes)))
})

test('those that are too much together for the way on come apart again', () => {
  const sent = alike(4, 20)
  const { inputs, arrived } = wakeUp(sent, (packet) => segmentsOf(packet) === 1)
  expect(inputs).toEqual(new Array(20).fill(1))
  expect(hex(arrived)).toEqual(hex(sent.map(({ bytes }) => bytes)))
})

test.each([4, 6] as const)('whatever they are, they arrive as they came, in their order (IPv%s)', (family) => {
  let merged = 0
  fc.assert(
    fc.property(fc.array(shape, { minLength: 1, maxLength: 24 }), (shapes) => {
      let identification = 7
      const sent = shapes.map((fields, index) => {
        identification += fields.step
        return make(family, fields, identification, index)
      })
      const { inputs, arrived } = wakeUp(sent, () => true)
      merged += inputs.filter((each) => each > 1).length
      expect(hex(arrived)).toEqual(hex(sent.map(({ bytes }) => bytes)))
    }),
    { seed: 9868, numRuns: 300 },
  )
  expect(merged).toBeGreaterThan(100)
})
