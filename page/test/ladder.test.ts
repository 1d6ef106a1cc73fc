/** The ladder's drawing, without a browser. */
import { h } from 'preact'
import { renderToString } from 'preact-render-to-string'
import { expect, test } from 'vitest'
import { LifeColumns } from '../../src/cli/report/life-columns.ts'
import type { Datagram, LineageEvent, LineageKind, Summary } from '../../src/network/index.ts'
import { explain } from '../../src/network/observe/explain.ts'
import type { Run } from '../src/protocol.ts'
import { RunModel } from '../src/state/model.ts'
import { LadderLines, lay } from '../src/views/ladder-drawing.tsx'

const SUMMARY = {
  flags: null,
  segments: 1,
  family: 4,
  protocol: 17,
  source: '10.0.0.1',
  destination: '10.0.0.2',
  sourcePort: 5000,
  destinationPort: 9,
  type: null,
  code: null,
  hopLimit: 64,
  length: 28,
  fragment: null,
} as const satisfies Summary

test('the ladder shows a frame that damage left no packet of: an arrow to the node, and the reason', () => {
  const packet: Summary = { ...SUMMARY }
  const event = (time: number, node: string, what: LineageKind, more: Partial<LineageEvent> = {}): LineageEvent => ({
    time,
    node,
    nic: 'eth0',
    what,
    packet: null,
    reason: null,
    value: 0,
    ...more,
  })
  const datagram: Datagram = {
    id: 1,
    time: 0,
    from: 'a',
    packet,
    causedBy: 0,
    events: [
      event(0, 'a', 'sent', { packet }),
      event(0, 'a', 'corrupted'),
      event(0, 'a', 'delayed', { value: 1 }),
      event(1, 'b', 'arrived'),
      event(1, 'b', 'dropped', { nic: '', reason: 'IpVersion' }),
    ],
  }
  const lives = new LifeColumns(() => ['b'])
  lives.add(datagram, 0)
  const run = { ...lives.take(), texts: lives.texts.list, time: 1 } as unknown as Run
  const model = new RunModel(run, { text: '' }, [7])
  const laid = lay(model, ['a', 'b'], [0], () => true)
  const text = renderToString(h('svg', {}, h(LadderLines, { laid, model, selected: 0 })))
  expect(text).toContain('#7 UDP 28 B · ttl 64 · damaged')
  expect(text).toContain('arrives at b at 1.000 ms')
  expect(text).toContain('>IpVersion</text>')
  // The head of an arrow.
  expect(text).toMatch(/<path d="M[\d.]+ [\d.]+L[\d. ]+L[\d. ]+Z"/)
  expect(text).not.toContain('copy')
  expect(explain(datagram, () => undefined)).toContain('b  arrived at eth0: no IP packet any more')
})
