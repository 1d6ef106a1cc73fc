/**
 * A whole stack on Ethernet: nothing that arrives makes it throw, and the same seed says the same.
 */
import { describe, expect, test } from 'vitest'
import { Address } from '../../src/base/address.ts'
import { ManualClock } from '../../src/base/clock.ts'
import { SeededRandom } from '../../src/base/random.ts'
import { Segment } from '../../src/link/segment.ts'
import { Stack } from '../../src/stack.ts'
import {
  arpFrame,
  ethernetHost,
  linkOption,
  mtuOption,
  OUR4,
  OUR6,
  PEER_MAC,
  prefixOption,
  routerAdvertisement,
  solicitation,
} from '../ethernet.ts'
import { open, send } from '../host.ts'
import { readVectors } from '../vectors/read.ts'

const frames: [string, Uint8Array][] = [
  ...readVectors('ethernet').map(({ name, bytes }): [string, Uint8Array] => [name, bytes]),
  ['ARP request for us', arpFrame()],
  ['neighbor solicitation for us', solicitation(OUR6)],
  [
    'router advertisement',
    routerAdvertisement({
      options: [...linkOption(1, PEER_MAC), ...prefixOption('2001:db8:9::', 64, 60, 30), ...mtuOption(1400)],
    }),
  ],
]

/** A host that listens to everything: routers, groups of both families, conflicts. */
function listener() {
  const host = ethernetHost({ acceptRouterAdvertisements: true })
  const { nic } = host
  open(host.stack, 4).endpoint.groups.join(Address.parse('239.7.7.7'), nic.index)
  open(host.stack, 6).endpoint.groups.joinSource(Address.parse('ff3e::4321'), Address.parse('2001:db8::9'), nic.index)
  host.after(5000)
  return host
}
const counted = ({ stack }: ReturnType<typeof listener>) => stack.drops.reduce((sum, { count }) => sum + count, 0)

describe.each(frames)('%s', (_, bytes) => {
  test('cut anywhere never throws, and is discarded by name up to the end of its IP header', () => {
    const host = listener()
    for (let length = 0; length < bytes.length; length++) {
      const before = counted(host)
      host.link.receive(bytes.subarray(0, length))
      if (length < 14 + 20) expect(counted(host) - before, `${length} bytes`).toBe(1)
    }
    host.after(10_000)
  })

  test('with any byte changed never throws, nor do the timers it may start', () => {
    const host = listener()
    for (let at = 0; at < bytes.length; at++)
      for (const flip of [0x01, 0x80, 0xff]) {
        const changed = bytes.slice()
        changed[at] = (changed[at] as number) ^ flip
        host.link.receive(changed)
      }
    host.after(60_000)
    expect(host.nic.addresses.some(({ address }) => address.toString() === OUR4)).toBe(true)
  })
})

test('the same seed says the same, byte for byte and millisecond for millisecond', () => {
  const play = (seed: string): string[] => {
    const clock = new ManualClock()
    const random = new SeededRandom(seed)
    const wire = new Segment({ clock, random, medium: 'ethernet' })
    const said: string[] = []
    const tap = wire.link({ promiscuous: true })
    tap.attach({
      input: (packet) => said.push(`${clock.now()} ${Buffer.from(packet.copy()).toString('hex')}`),
      idle: () => {},
      dropped: () => {},
      failed: () => {},
    })
    const stacks = [1, 2, 3].map((number) => {
      const stack = new Stack({ name: `host${number}`, clock, random: random.fork(`host${number}`) })
      const nic = stack.addNic(wire.link(), {
        name: 'eth0',
        addresses: [`10.0.0.${number}/24`, `2001:db8::${number}/64`],
        conflictDetection: true,
      })
      open(stack, 6, 5000).endpoint.groups.join(Address.parse('ff15::1'), nic.index)
      return stack
    })
    clock.advance(10_000)
    const { endpoint } = open(stacks[0] as Stack, 4)
    for (const to of ['10.0.0.2', '10.0.0.3', '10.0.0.99']) send(endpoint, Uint8Array.of(1), to, 5000)
    clock.advance(60_000)
    for (const stack of stacks) stack.close()
    return said
  }
  const first = play('one')
  expect(first.length).toBeGreaterThan(40)
  expect(play('one')).toEqual(first)
  expect(play('two')).not.toEqual(first)
})
