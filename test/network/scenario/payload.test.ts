import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Address } from '../../../src/base/address.ts'
import { buildScenario } from '../../../src/network/scenario/build-scenario.ts'
import { runScenario } from '../../../src/network/scenario/flow.ts'
import { flowLabels, openFlows } from '../../../src/network/scenario/open-flows.ts'
import * as payload from '../../../src/network/scenario/payload.ts'
import { checkScenario } from '../../../src/network/scenario/scenario.ts'

function made(flow: string, number: number, length: number): DataView {
  const view = new DataView(new ArrayBuffer(length).slice(0), 0, length)
  payload.write(view, 0, length, payload.identityOf(flow), number)
  return view
}

function accepts(view: DataView, flow: string): boolean {
  const identity = payload.identityOf(flow)
  const end = view.byteLength
  return payload.claimedIdentity(view, 0, end) === identity && payload.isWhole(view, 0, end, identity)
}

test('a payload is known as its own, whatever its length, and as nobody else’s', () => {
  fc.assert(
    fc.property(fc.string(), fc.nat(), fc.integer({ min: 8, max: 70 }), (flow, number, length) => {
      const view = made(flow, number, length)
      expect(accepts(view, flow)).toBe(true)
      expect(payload.numberOf(view, 0)).toBe(number)
      expect(accepts(view, `${flow} `)).toBe(false)
    }),
  )
})

test('every change of one bit is seen, and so is every other length', () => {
  for (const length of [8, 9, 11, 12, 31]) {
    const view = made('video', 77, length)
    for (let bit = 0; bit < length * 8; bit++) {
      const at = bit >>> 3
      view.setUint8(at, view.getUint8(at) ^ (1 << (bit & 7)))
      expect(accepts(view, 'video'), `bit ${bit} of ${length} bytes`).toBe(false)
      view.setUint8(at, view.getUint8(at) ^ (1 << (bit & 7)))
    }
    if (length > 8) expect(accepts(new DataView(view.buffer, 0, length - 1), 'video')).toBe(false)
  }
})

test('payloads of one flow differ in every word, so that parts of two make none', () => {
  const one = made('bulk', 5, 2000)
  const other = made('bulk', 5 + 65_536, 2000)
  let same = 0
  for (let at = 0; at < 2000; at += 4) if (one.getUint32(at) === other.getUint32(at)) same++
  expect(same).toBe(0)
})

test('flows of one name are told apart by which they are', () => {
  expect(flowLabels(['a-b', 'video', 'a-b'])).toEqual(['a-b', 'video', 'a-b #2'])
})

/**
 * RFC 4963: an Identification is used again while half of a datagram that has it waits for the half
 * that is lost. The two halves that then meet are no datagram.
 */
test('identifications that wrap put halves of two datagrams together, and the checksum shows it', async () => {
  const rate = 20_000
  const seconds = 6
  const loss = 0.001
  const { flows } = await runScenario(
    checkScenario({
      hosts: { a: null, b: null },
      links: [{ between: ['a', 'b'], forward: { loss } }],
      flows: [{ from: 'a', to: 'b', size: 2000, rate, count: rate * seconds }],
    }),
  )
  const [flow] = flows
  const wrap = 65_536 / rate
  // Halves that wait meet those of each wrap later on, for 30 seconds (RFC 1122 section 3.3.2).
  let expected = Math.max(0, seconds - wrap)
  for (let k = 1; seconds - k * wrap > 0; k++) expected += seconds - k * wrap
  expected *= rate * loss
  const refused = flow?.drops.find(({ reason }) => reason === 'UdpChecksum')?.count ?? 0
  expect(Math.abs(refused - expected)).toBeLessThan(4 * Math.sqrt(expected))
  // Each takes a datagram along whose halves both arrived.
  const halves = (1 - (1 - loss) ** 2) * rate * seconds
  expect(Math.abs((flow?.lost ?? 0) - halves - refused)).toBeLessThan(4 * Math.sqrt(halves))
  expect(flow?.received).toBe((flow?.sent ?? 0) - (flow?.lost ?? 0))
}, 120_000)

test.each(['one-way', 'echo'] as const)('what a %s flow has not sent is corrupted, not received', async (mode) => {
  const scenario = checkScenario({
    hosts: { a: null, b: null },
    links: [{ between: ['a', 'b'] }],
    flows: [{ from: 'a', to: 'b', size: 16, count: 10, mode }],
  })
  const network = buildScenario(scenario)
  const [flow] = openFlows(network, scenario, 1, undefined)
  flow?.start()
  await network.run()
  const stray = network.stack('a').udp.createEndpoint(4, { receive() {}, flush() {}, icmp() {} })
  // An echo comes back to whoever asked for it.
  const [to, port] = mode === 'echo' ? (['a', 30_000] as const) : (['b', 20_000] as const)
  for (const length of [0, 7, 8, 16]) {
    const packet = stray.beginSend(length)
    packet.bytes.fill(1, packet.start, packet.end)
    expect(stray.send(packet, Address.parse(network.address(to, 4)), port, 0, null)).toBe('')
  }
  await network.run()
  expect(flow?.result()).toMatchObject({ sent: 10, received: 10, lost: 0, duplicated: 0, corrupted: 4 })
  network.close()
})
