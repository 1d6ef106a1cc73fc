import { expect, test } from 'vitest'
import type { Datagram, LineageEvent } from '../../../src/network/observe/datagram.ts'
import type { Summary } from '../../../src/network/observe/ip-frame.ts'
import { FlowCounts, Tally as LiveTally, type TalliedFlow } from '../../../src/network/scenario/tally.ts'

/** Is told of whole lives. */
class Tally<Flow extends TalliedFlow> extends LiveTally<Flow> {
  readonly #causes = new Map<number, number>()

  add({ id, from, packet, events }: Datagram): Flow | undefined {
    this.began(id, from, packet, this.#causes.get(id) ?? 0, 0)
    for (const { what, node, nic, reason, value, packet: then } of events) {
      const isFragment = then !== null && then.fragment !== null
      if (what === 'sent' || what === 'forwarded') this.left(id, node, isFragment)
      else if (what === 'arrived') this.reached(id, node, isFragment)
      else if (what === 'dropped') this.dropped(id, node, nic, reason as string)
      else if (what === 'caused') this.#causes.set(value, id)
    }
    return this.flowOf(id)
  }
}

const flow = (from: string, fromPort: number, to: string, port: number, echoes = false) => ({
  label: `${from}:${fromPort}`,
  from,
  fromPort,
  to,
  port,
  echoes,
  counts: new FlowCounts(),
  isMeasured: () => true,
})

function datagram(id: number, from: string, packet: object, events: object[] = []): Datagram {
  return {
    id,
    time: 0,
    from,
    causedBy: 0,
    packet: { family: 4, type: null, code: null, sourcePort: null, destinationPort: null, ...packet } as Summary,
    events: events as LineageEvent[],
  }
}

const ports = (sourcePort: number, destinationPort: number) => ({ sourcePort, destinationPort })

test('a datagram is of the flow that has its sender and both ports', () => {
  const one = flow('a', 1, 'b', 2)
  const two = flow('a', 1, 'b', 3)
  const tally = new Tally([one, two])
  expect(tally.add(datagram(1, 'a', ports(1, 2)))).toBe(one)
  expect(tally.add(datagram(2, 'a', ports(1, 3)))).toBe(two)
  expect(tally.add(datagram(3, 'a', ports(2, 1)))).toBe(undefined)
  expect(tally.add(datagram(4, 'b', ports(1, 2)))).toBe(undefined)
  expect(tally.add(datagram(5, 'a', { type: 8, code: 0 }))).toBe(undefined)
  // Flows are UDP's; the ports of others are others.
  for (const protocol of [6, 132]) expect(tally.add(datagram(6, 'a', { ...ports(1, 2), protocol }))).toBe(undefined)
})

test('an echo is of its flow whatever port it goes to, as behind a NAT', () => {
  const echo = flow('a', 1, 'b', 2, true)
  const tally = new Tally([echo, flow('a', 1, 'b', 3)])
  expect(tally.add(datagram(1, 'b', ports(2, 40_000)))).toBe(echo)
  expect(tally.add(datagram(2, 'b', ports(3, 1)))).toBe(undefined)
})

test('drops are counted by place and reason, and ICMP messages with what caused them', () => {
  const one = flow('a', 1, 'b', 2)
  const tally = new Tally([one])
  const lost = { what: 'dropped', node: 'r', nic: 'eth0', reason: 'WireLoss', packet: null, value: 0 }
  tally.add(datagram(1, 'a', ports(1, 2), [lost, lost, { ...lost, nic: '' }]))
  tally.add(datagram(2, 'a', ports(1, 2), [{ what: 'caused', node: 'b', nic: '', packet: null, value: 3 }]))
  expect(tally.add(datagram(3, 'b', { type: 3, code: 3 }))).toBe(one)
  expect(one.counts.drops).toEqual([
    { node: 'r', nic: 'eth0', reason: 'WireLoss', count: 2 },
    { node: 'r', nic: '', reason: 'WireLoss', count: 1 },
  ])
  expect([...one.counts.icmp]).toEqual([['ICMP port unreachable', 1]])
})

test('fragments count at the node that cut, not where they only pass', () => {
  const one = flow('a', 1, 'b', 2)
  const tally = new Tally([one])
  const part = (what: string, node: string) => ({ what, node, nic: 'eth0', packet: { fragment: {} }, value: 0 })
  const whole = (what: string, node: string) => ({ what, node, nic: 'eth0', packet: { fragment: null }, value: 0 })
  tally.add(
    datagram(1, 'a', ports(1, 2), [
      whole('sent', 'a'),
      whole('arrived', 'r'),
      part('forwarded', 'r'),
      part('forwarded', 'r'),
      part('arrived', 's'),
      part('forwarded', 's'),
      part('arrived', 's'),
      part('forwarded', 's'),
    ]),
  )
  expect(one.counts.fragments).toBe(2)
})

test('nothing is counted of a datagram from outside the measured span, nor of its copies', () => {
  const early = { ...flow('a', 1, 'b', 2), isMeasured: (time: number) => time >= 10 }
  const tally = new Tally([early])
  for (const [id, time] of [
    [1, 0],
    [2, 20],
  ] as const) {
    tally.began(id, 'a', datagram(id, 'a', ports(1, 2)).packet, 0, time)
    tally.left(id, 'a', true)
    tally.noted(id, 'a', 'eth0', 'duplicated')
    tally.noted(id, 'a', 'eth0', 'marked')
    tally.left(id, 'a', true)
    tally.dropped(id, 'b', 'eth0', 'WireLoss')
    tally.dropped(id, 'b', 'eth0', 'WireLoss')
  }
  expect(early.counts.fragments).toBe(2)
  expect(early.counts.drops).toEqual([{ node: 'b', nic: 'eth0', reason: 'WireLoss', count: 2 }])
  expect(early.counts.marks).toEqual([{ node: 'a', nic: 'eth0', count: 1 }])
  expect(tally.lostOf(early)).toBe(1)
})
