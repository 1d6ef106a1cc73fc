/**
 * What a nic does not hear of frames to groups is what it would discard as not a member: the filter
 * beside its slow twin, the check of each packet.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Address } from '../../../src/base/address.ts'
import { ManualClock } from '../../../src/base/clock.ts'
import { Packet } from '../../../src/base/packet.ts'
import { SeededRandom } from '../../../src/base/random.ts'
import { Segment } from '../../../src/link/segment.ts'
import { Stack } from '../../../src/stack.ts'
import { open } from '../../host.ts'
import { datagram, ipv4, mac } from '../../packet.ts'

const GROUPS4 = ['224.0.0.1', '224.0.0.22', '239.1.1.1', '239.1.1.2', '239.129.1.1', '224.0.0.251']
const GROUPS6 = [
  'ff02::1',
  'ff02::2',
  'ff05::2',
  'ff01::1',
  'ff02::1:ff00:2',
  'ff02::1:ff00:3',
  'ff02::16',
  'ff15::1',
  'ff15:1::1',
]

function destinationMac(group: string): number[] {
  const bytes = Address.parse(group).toBytes()
  return group.includes(':')
    ? [0x33, 0x33, ...bytes.subarray(12)]
    : [0x01, 0x00, 0x5e, (bytes[1] as number) & 0x7f, ...bytes.subarray(2)]
}

test.each([false, true])('frames that a nic does not hear are those it would not admit (router: %s)', (forwarding) => {
  const clock = new ManualClock()
  const segment = new Segment({ clock, medium: 'ethernet', random: new SeededRandom(1) })
  const stack = new Stack({ clock, random: new SeededRandom(2), forwarding })
  const nic = stack.addNic(segment.link(), { addresses: ['10.0.0.2/24', 'fd00::2/64'], dad: false })
  const { endpoint: socket6 } = open(stack, 6)
  const { endpoint: socket4 } = open(stack, 4)
  let heard = 0
  let discarded = 0
  fc.assert(
    fc.property(
      fc.subarray([...GROUPS4, ...GROUPS6], { minLength: 0, maxLength: 3 }),
      fc.array(fc.tuple(fc.constantFrom(...GROUPS4, ...GROUPS6), fc.boolean()), { minLength: 1, maxLength: 10 }),
      (joined, frames) => {
        for (const group of joined)
          (group.includes(':') ? socket6 : socket4).groups.join(Address.parse(group), nic.index)
        for (const [group, isReport] of frames) {
          const six = group.includes(':')
          const ends = { source: six ? 'fd00::9' : '10.0.0.9', destination: group }
          const bytes =
            isReport && !six
              ? ipv4(new Uint8Array(8), { ...ends, protocol: 2, ttl: 1 })
              : datagram([1, 2, 3], six ? 6 : 4, { ...ends, destinationPort: 9 })
          const type = six ? [0x86, 0xdd] : [8, 0]
          const frame = Uint8Array.from([...destinationMac(group), ...mac('02:00:00:00:00:09'), ...type, ...bytes])
          const packet = new Packet().load(frame)
          const hears = nic.hears(packet)
          const before = stack.drops.find(({ reason }) => reason === 'IpNotMember')?.count ?? 0
          nic.input(packet)
          const isDiscarded = (stack.drops.find(({ reason }) => reason === 'IpNotMember')?.count ?? 0) > before
          expect({ group, isReport, joined, hears }).toEqual({ group, isReport, joined, hears: !isDiscarded })
          if (hears) heard++
          else discarded++
        }
        for (const group of joined)
          (group.includes(':') ? socket6 : socket4).groups.leave(Address.parse(group), nic.index)
      },
    ),
    { seed: 1112, numRuns: 200 },
  )
  expect(Math.min(heard, discarded)).toBeGreaterThan(100)
  stack.close()
})
