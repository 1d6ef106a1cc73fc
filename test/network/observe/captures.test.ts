import { expect, test } from 'vitest'
import { ManualClock } from '../../../src/base/clock.ts'
import type { Capture } from '../../../src/link/capture/capture.ts'
import { Captures } from '../../../src/network/observe/captures.ts'

class Port {
  readonly running = new Set<Capture>()
  startCapture = (capture: Capture) => void this.running.add(capture)
  stopCapture = (capture: Capture) => void this.running.delete(capture)
}

test('a capture of all takes in ports that come later, one of some nodes does not', () => {
  const ports = [new Port(), new Port()] as [Port, Port]
  const captures = new Captures({ ports, portsOf: () => [ports[1]] }, new ManualClock())
  const stopAll = captures.start(() => {}, {})
  const stopSome = captures.start(() => {}, { of: ['b', 'b'] })
  const late = new Port()
  ports.push(late)
  captures.portAdded(late)
  expect(ports.map(({ running }) => running.size)).toEqual([1, 2, 1])
  stopAll()
  captures.portAdded(new Port())
  expect(ports.map(({ running }) => running.size)).toEqual([0, 1, 0])
  stopSome()
  expect(ports.map(({ running }) => running.size)).toEqual([0, 0, 0])
})
