/** The places of events that were forgotten are taken by others, and no life has those of another. */
import { expect, test } from 'vitest'
import { SeededRandom } from '../../../src/base/random.ts'
import type { Datagram, LineageEvent } from '../../../src/network/observe/datagram.ts'
import type { Summary } from '../../../src/network/observe/ip-frame.ts'
import { LifeStore } from '../../../src/network/observe/life-store.ts'

test('remembers what a plain map of objects does', () => {
  const random = new SeededRandom('lives')
  const store = new LifeStore()
  const twin = new Map<number, Datagram>()
  const packet = { length: 1 } as Summary
  let next = 1
  for (let round = 0; round < 5000; round++) {
    const chosen = Math.max(1, next - random.below(40))
    const what = random.below(10)
    if (what === 0) {
      store.begin(next, round, 'a', packet, next - 1)
      twin.set(next, { id: next, time: round, from: 'a', packet, causedBy: next - 1, events: [] })
      next++
    } else if (what === 1) {
      store.forget(chosen)
      twin.delete(chosen)
    } else {
      const event: LineageEvent = {
        time: round / 8,
        node: `n${what}`,
        nic: '',
        what: what === 2 ? 'dropped' : 'arrived',
        packet: what === 3 ? packet : null,
        reason: what === 2 ? 'WireLoss' : null,
        value: what,
      }
      store.add(chosen, event.time, event.node, event.nic, event.what, event.packet, event.reason, event.value)
      twin.get(chosen)?.events.push(event)
    }
  }
  expect([...store.all()]).toEqual([...twin.values()])
  expect([store.size, store.has(next), store.fromOf(next), store.get(next)]).toEqual([
    twin.size,
    false,
    undefined,
    undefined,
  ])
})
